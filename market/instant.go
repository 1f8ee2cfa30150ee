package market

import (
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// instantLayouts are the times of day without a zone that people write.
var instantLayouts = []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"}

// ParseInstant reads the instant that someone wants to look from: RFC 3339, a
// date with a time of day in loc (nil: the exchange's zone), or a date alone,
// which means the regular close of that day's session, or of the last session
// before it. The error is a *[FieldError] about field.
func (c *Calendar) ParseInstant(field, text string, loc *time.Location) (time.Time, error) {
	if loc == nil {
		loc = c.loc
	}
	trimmed := strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, trimmed); err == nil {
			return t, nil
		}
	}
	for _, layout := range instantLayouts {
		if t, err := time.ParseInLocation(layout, trimmed, loc); err == nil {
			return t, nil
		}
	}
	date, err := ParseDate(trimmed)
	if err != nil {
		return time.Time{}, invalid.Field(field, text, "a date (2021-03-31), a time in "+loc.String()+" (2021-03-31 15:30) or RFC 3339")
	}
	if session, ok := c.Session(date); ok {
		return session.Close, nil
	}
	return c.Previous(date.In(c.loc)).Close, nil
}
