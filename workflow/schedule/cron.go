package schedule

import (
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A cronSpec is a parsed expression in a zone.
type cronSpec struct {
	next  func(time.Time) time.Time
	zone  *time.Location
	fixed bool // at fixed hours: see Trigger.Cron
}

// wildcard is the bit by which the parser marks a field that is "*".
const wildcard = 1 << 63

// parseCron reads an expression. The parser is all that is used of its module:
// occurrences, what was missed and who runs are told here.
func parseCron(expression, zone string) (cronSpec, error) {
	const allowed = `five fields such as "30 8 * * 1-5", or @hourly, @daily, @weekly or @monthly`
	if strings.Contains(expression, "=") {
		return cronSpec{}, invalid.Field("trigger, cron", expression, allowed+", with the zone beside it")
	}
	if zone == "" || zone == "Local" {
		return cronSpec{}, invalid.Field("trigger, zone", zone, "a name of the zone database, such as America/New_York or UTC")
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return cronSpec{}, invalid.Field("trigger, zone", zone, "a name of the zone database, such as America/New_York or UTC")
	}
	parser, err := cron.TryNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom)
	if err != nil {
		return cronSpec{}, err
	}
	// The 29th of February may be eight years away.
	parsed, err := parser.WithMaxSearchYears(9).Parse(expression)
	spec, ok := parsed.(*cron.SpecSchedule)
	if err != nil || !ok {
		return cronSpec{}, invalid.Field("trigger, cron", expression, allowed)
	}
	spec.Location = loc
	c := cronSpec{next: spec.Next, zone: loc, fixed: spec.Hour&wildcard == 0}
	if c.next(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return cronSpec{}, invalid.Field("trigger, cron", expression, "a date that exists")
	}
	return c, nil
}

// after returns the first occurrence after t; false when there is none.
func (c cronSpec) after(t time.Time) (Occurrence, bool) {
	for {
		at := c.next(t.In(c.zone))
		if at.IsZero() || at.Year() > lastYear {
			return Occurrence{}, false
		}
		if c.fixed && repeated(at) {
			t = at
			continue
		}
		at = at.In(c.zone)
		return Occurrence{At: at, Session: at.Format("2006-01-02T15:04Z07:00"), Date: dateOf(at)}, true
	}
}

// repeated tells whether the zone's clock showed the same time before, because it
// was set back.
func repeated(at time.Time) bool {
	// The longest that a zone was ever set back for daylight saving is two hours.
	_, now := at.Zone()
	for _, back := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
		if _, before := at.Add(-back).Zone(); time.Duration(before-now)*time.Second == back {
			return true
		}
	}
	return false
}
