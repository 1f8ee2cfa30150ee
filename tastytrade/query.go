package tastytrade

import (
	"net/url"
	"strconv"
	"time"
)

// set adds a parameter unless it is empty.
func set(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}

// flag adds a parameter that is false when it is left out.
func flag(q url.Values, key string, value bool) {
	if value {
		q.Set(key, "true")
	}
}

// either adds a parameter that can be left open.
func either(q url.Values, key string, value *bool) {
	if value != nil {
		q.Set(key, strconv.FormatBool(*value))
	}
}

// list adds a parameter that repeats with brackets: key[]=a&key[]=b.
func list[T ~string](q url.Values, key string, values []T) {
	for _, v := range values {
		q.Add(key+"[]", string(v))
	}
}

// instant adds a time, in UTC.
func instant(q url.Values, key string, t time.Time) {
	if !t.IsZero() {
		q.Set(key, t.UTC().Format(time.RFC3339))
	}
}
