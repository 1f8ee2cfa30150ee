package market

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// An EconomicKind says what is announced. It is an open set.
type EconomicKind string

// The kinds of announcements that sources commonly have.
const (
	EconomicFOMC       EconomicKind = "fomc"       // decision of the Federal Open Market Committee
	EconomicEmployment EconomicKind = "employment" // employment situation, nonfarm payrolls
	EconomicCPI        EconomicKind = "cpi"        // consumer price index
	EconomicPPI        EconomicKind = "ppi"        // producer price index
	EconomicPCE        EconomicKind = "pce"        // personal income and outlays
	EconomicGDP        EconomicKind = "gdp"        // gross domestic product
)

// An EconomicEvent is a dated announcement that moves the whole market.
type EconomicEvent struct {
	Kind EconomicKind
	Name string // "FOMC decision"
	Date Date
	Time time.Time // of the announcement; zero when unknown
	// Unscheduled announcements were not known before they were made: a test of
	// a strategy must not look ahead to them.
	Unscheduled bool
	Note        string
}

// An EconomicSource gives economic dates: the table [FOMC], a calendar of one's
// own, or a service behind this interface. Implementations are safe for
// concurrent use.
type EconomicSource interface {
	// EconomicEvents returns the announcements dated in [from, to], ascending.
	// Dates that the source does not cover are simply absent: its range says
	// where it ends.
	EconomicEvents(ctx context.Context, from, to Date) ([]EconomicEvent, error)
	// EconomicRange returns the first and the last date the source covers; zero
	// Dates where it has no end.
	EconomicRange() (from, to Date)
}

// An EconomicTable is a fixed list of announcements. It is immutable and safe
// for concurrent use.
type EconomicTable struct {
	from, to Date
	events   []EconomicEvent
}

var _ EconomicSource = (*EconomicTable)(nil)

// NewEconomicTable returns a table of events that is complete from … to. The
// events may come in any order and are copied. Errors are *[FieldError].
func NewEconomicTable(from, to Date, events []EconomicEvent) (*EconomicTable, error) {
	if to.Before(from) {
		return nil, invalid.Fieldf("to", to.String(), "a date from %s", from)
	}
	for _, e := range events {
		switch {
		case e.Kind == "":
			return nil, invalid.Fieldf("kind", "", "a kind such as fomc or cpi, for %s", e.Date)
		case e.Date.Before(from) || e.Date.After(to):
			return nil, invalid.Fieldf("date", e.Date.String(), "a date from %s to %s", from, to)
		}
	}
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b EconomicEvent) int {
		return cmp.Or(a.Date.Compare(b.Date), a.Time.Compare(b.Time))
	})
	return &EconomicTable{from: from, to: to, events: events}, nil
}

// EconomicEvents implements [EconomicSource].
func (t *EconomicTable) EconomicEvents(ctx context.Context, from, to Date) ([]EconomicEvent, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.Between(from, to), nil
}

// EconomicRange implements [EconomicSource].
func (t *EconomicTable) EconomicRange() (from, to Date) { return t.from, t.to }

// Between returns the events dated in [from, to], ascending.
func (t *EconomicTable) Between(from, to Date) []EconomicEvent {
	i, _ := slices.BinarySearchFunc(t.events, from, func(e EconomicEvent, d Date) int { return e.Date.Compare(d) })
	j := i
	for j < len(t.events) && !t.events[j].Date.After(to) {
		j++
	}
	return slices.Clone(t.events[i:j])
}

// Next returns the first scheduled event dated at or after d; false when the
// table has none.
func (t *EconomicTable) Next(d Date) (EconomicEvent, bool) {
	for _, e := range t.events {
		if !e.Date.Before(d) && !e.Unscheduled {
			return e, true
		}
	}
	return EconomicEvent{}, false
}
