package notify

import (
	"fmt"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/civil"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// Preferences are when a user wants to be told.
type Preferences struct {
	User string `json:"user"`
	// Zone is the user's time zone, such as "Europe/Berlin". Empty means that of
	// storage.Preferences, and if there is none Options.Zone.
	Zone string `json:"zone,omitempty"`
	// Quiet are the hours in which only what is urgent is sent. The rest comes
	// together at their end.
	Quiet []Quiet `json:"quiet,omitempty"`
}

// Quiet are hours that repeat every week.
type Quiet struct {
	// From and To are times of day, as "22:00" and "07:00". To before or equal to
	// From is on the next day.
	From string `json:"from"`
	To   string `json:"to"`
	// Days are those on which they begin, 0 is Sunday; empty means every day.
	Days []time.Weekday `json:"days,omitempty"`
}

// Validate returns a *FieldError unless the preferences can be followed: quiet
// hours must leave some time of the week.
func (p *Preferences) Validate() error {
	if err := storage.CheckText("user", p.User, 128); err != nil {
		return err
	}
	if _, err := zone(p.Zone); err != nil {
		return err
	}
	if len(p.Quiet) > 32 {
		return invalid.Field("quiet", len(p.Quiet), "at most 32")
	}
	for _, q := range p.Quiet {
		for _, t := range []string{q.From, q.To} {
			if _, err := clockTime("quiet", t); err != nil {
				return err
			}
		}
		if err := checkDays("quiet", q.Days); err != nil {
			return err
		}
	}
	// A week in UTC stands for all weeks: local ones differ by an hour at most.
	monday := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	if end, quiet := quietUntil(p.Quiet, monday, time.UTC); quiet && !end.Before(monday.AddDate(0, 0, 7)) {
		return invalid.Missing("quiet", "hours that leave some time of the week")
	}
	return nil
}

func checkDays(field string, days []time.Weekday) error {
	for _, d := range days {
		if d < time.Sunday || d > time.Saturday {
			return invalid.Field(field, int(d), "0 for Sunday to 6 for Saturday")
		}
	}
	return nil
}

// zone loads a time zone by name; empty is nil. "Local" is refused: a server's own
// zone is nobody's.
func zone(name string) (*time.Location, error) {
	if name == "" {
		return nil, nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, invalid.Field("zone", name, "a time zone such as America/New_York")
	}
	return loc, nil
}

// clockTime reads "07:30" as minutes of the day.
func clockTime(field, s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != 5 {
		return 0, invalid.Field(field, s, "a time of day from 00:00 to 23:59")
	}
	return t.Hour()*60 + t.Minute(), nil
}

// at is the instant of a time of day that was checked.
func at(d civil.Date, text string, loc *time.Location) time.Time {
	var h, m int
	_, _ = fmt.Sscanf(text, "%d:%d", &h, &m)
	return d.At(h, m, loc)
}

// quietUntil tells whether t lies in quiet hours, and when they end. Hours that
// follow on each other count as one.
func quietUntil(all []Quiet, t time.Time, loc *time.Location) (end time.Time, quiet bool) {
	limit := t.AddDate(0, 0, 8)
	for end = t; end.Before(limit); {
		next := end
		day := civil.DateOf(end.In(loc))
		for _, q := range all {
			for _, begins := range []civil.Date{day.AddDays(-1), day} {
				if len(q.Days) > 0 && !slices.Contains(q.Days, begins.Weekday()) {
					continue
				}
				ends := begins
				if q.To <= q.From {
					ends = begins.AddDays(1)
				}
				from, to := at(begins, q.From, loc), at(ends, q.To, loc)
				if !end.Before(from) && end.Before(to) && to.After(next) {
					next = to
				}
			}
		}
		if !next.After(end) {
			break
		}
		end, quiet = next, true
	}
	return end, quiet
}

// next returns when the first digest after t is due; false without digests.
func (d Digest) next(t time.Time, loc *time.Location) (time.Time, bool) {
	var first time.Time
	day := civil.DateOf(t.In(loc))
	for i := range 9 {
		begins := day.AddDays(i)
		if len(d.Days) > 0 && !slices.Contains(d.Days, begins.Weekday()) {
			continue
		}
		for _, text := range d.At {
			due := at(begins, text, loc)
			if due.After(t) && (first.IsZero() || due.Before(first)) {
				first = due
			}
		}
		if !first.IsZero() {
			return first, true
		}
	}
	return time.Time{}, false
}

func preferences(records storage.Records) *storage.Collection[Preferences] {
	return storage.NewCollection(records, storage.Kind[Preferences]{
		Collection: "notify-preferences", ID: func(p *Preferences) string { return p.User }, Check: (*Preferences).Validate,
	})
}
