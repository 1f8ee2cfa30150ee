package alpaca

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// An Object keeps the JSON that a value was decoded from, with the fields that
// this package has no name for.
type Object struct{ raw json.RawMessage }

// Raw is the JSON as it came; nil for a value that was not decoded.
func (o Object) Raw() json.RawMessage { return o.raw }

// decode reads what can be read of data. A field of another type than expected
// is left at its zero value: it is still in Raw.
func decode(data []byte, into any, raw *json.RawMessage) error {
	err := json.Unmarshal(data, into)
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && kind.Field != "" {
		err = nil
	}
	if err == nil {
		*raw = bytes.Clone(data)
	}
	return err
}

// A Number is a figure that Alpaca writes as a string or as a JSON number. Null,
// absent and unreadable are not known.
type Number struct {
	value decimal.Decimal
	known bool
}

// Num makes a known Number.
func Num(d decimal.Decimal) Number { return Number{d, true} }

// Known tells whether there is a figure.
func (n Number) Known() bool { return n.known }

// Decimal is the figure, zero when it is not known.
func (n Number) Decimal() decimal.Decimal { return n.value }

// Pointer is the figure, nil when it is not known.
func (n Number) Pointer() *decimal.Decimal {
	if !n.known {
		return nil
	}
	v := n.value
	return &v
}

// Float is the nearest float64, NaN when it is not known.
func (n Number) Float() float64 {
	if !n.known {
		return math.NaN()
	}
	return n.value.InexactFloat64()
}

// String is the figure, or "unknown".
func (n Number) String() string {
	if !n.known {
		return "unknown"
	}
	return n.value.String()
}

// MarshalJSON writes a string, as Alpaca does, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.known {
		return []byte("null"), nil
	}
	return []byte(`"` + n.value.String() + `"`), nil
}

// UnmarshalJSON never fails: what is no figure is not known.
func (n *Number) UnmarshalJSON(data []byte) error {
	*n = Number{}
	text := strings.Trim(string(data), `"`)
	if text == "" || len(text) > 64 {
		return nil
	}
	if d, err := decimal.NewFromString(text); err == nil && d.Exponent() > -64 && d.Exponent() < 64 {
		*n = Number{d, true}
	}
	return nil
}

// A Time is an instant, zero when it is absent or unreadable.
type Time struct{ time.Time }

var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", time.DateOnly}

// UnmarshalJSON never fails.
func (t *Time) UnmarshalJSON(data []byte) error {
	*t = Time{}
	text := strings.Trim(string(data), `"`)
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			t.Time = at
			break
		}
	}
	return nil
}

// MarshalJSON writes RFC 3339, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(t.Format(time.RFC3339Nano))
}

// A Day is a calendar date, zero when it is absent or unreadable.
type Day struct{ market.Date }

// UnmarshalJSON never fails.
func (d *Day) UnmarshalJSON(data []byte) error {
	*d = Day{}
	text := strings.Trim(string(data), `"`)
	if len(text) >= len(time.DateOnly) {
		if date, err := market.ParseDate(text[:len(time.DateOnly)]); err == nil {
			d.Date = date
		}
	}
	return nil
}

// MarshalJSON writes YYYY-MM-DD, or null.
func (d Day) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(d.String())
}

// Conditions are the codes of a trade or quote: a list for shares, one text for
// options.
type Conditions []string

// UnmarshalJSON never fails.
func (c *Conditions) UnmarshalJSON(data []byte) error {
	*c = nil
	var list []string
	if json.Unmarshal(data, &list) == nil {
		*c = list
		return nil
	}
	var one string
	if json.Unmarshal(data, &one) == nil {
		*c = Conditions{one}
	}
	return nil
}

// A Token is the name of the next page, empty when there is none. Some routes
// write it as a number.
type Token string

// UnmarshalJSON never fails.
func (t *Token) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		text = strings.Trim(string(data), `"`)
	}
	*t = Token(text)
	return nil
}
