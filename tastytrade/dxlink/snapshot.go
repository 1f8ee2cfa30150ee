package dxlink

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// An IndexedEvent is a kind whose events of a symbol stand beside each other,
// told apart by an index, and come in snapshots and transactions.
type IndexedEvent interface {
	Greeks | TheoPrice | Underlying | Series | TimeAndSale | Candle | OptionSale | Order | SpreadOrder | AnalyticOrder
	stand() (symbol string, at place)
}

func (e Greeks) stand() (string, place)      { return e.Symbol, place{e.Index, e.Flags} }
func (e TheoPrice) stand() (string, place)   { return e.Symbol, place{e.Index, e.Flags} }
func (e Underlying) stand() (string, place)  { return e.Symbol, place{e.Index, e.Flags} }
func (e Series) stand() (string, place)      { return e.Symbol, place{e.Index, e.Flags} }
func (e TimeAndSale) stand() (string, place) { return e.Symbol, place{e.Index, e.Flags} }
func (e Candle) stand() (string, place)      { return e.Symbol, place{e.Index, e.Flags} }
func (e OptionSale) stand() (string, place)  { return e.Symbol, place{e.Index, e.Flags} }
func (e Order) stand() (string, place)       { return e.Symbol, place{e.Index, e.Flags} }

// A SnapshotState says what a [Change] is, or how far a history has come.
type SnapshotState int8

// The states.
const (
	Incomplete SnapshotState = iota // the end has not come
	Updated                         // not a snapshot, but what has changed since
	Complete                        // everything that was asked for
	Snipped                         // the newest part: the server had more than it sends
	Empty                           // the server has nothing
)

// String is the name of the state.
func (s SnapshotState) String() string {
	if s < Incomplete || s > Empty {
		return fmt.Sprintf("SnapshotState(%d)", int8(s))
	}
	return [...]string{"incomplete", "updated", "complete", "snipped", "empty"}[s]
}

// A Change is what an [Assembler] has put together: a snapshot, which replaces
// everything known before, or an update to it.
type Change[T IndexedEvent] struct {
	Symbol string
	State  SnapshotState // Updated, Complete, Snipped or Empty
	// Events of a snapshot ascend by index and none is a removal. Those of an
	// update stand in the order they came; where Flags has RemoveEvent, the event
	// with that index is to be deleted.
	Events []T
}

// An Assembler puts the events of one symbol together. A snapshot begins with
// SNAPSHOT_BEGIN and ends with SNAPSHOT_END or SNAPSHOT_SNIP; while TX_PENDING
// is set the change is not whole. The zero value is ready. It is not safe for
// concurrent use.
type Assembler[T IndexedEvent] struct {
	// Limit is how many events a change may have before it is cut off as Snipped,
	// against servers that never end one; 0: a million.
	Limit int

	within bool // a snapshot
	ending SnapshotState
	events map[int64]T // of the snapshot
	update []T
}

// Add takes the next event and reports whether it makes a change whole.
func (a *Assembler[T]) Add(e T) (Change[T], bool) {
	symbol, at := e.stand()
	if at.flags.Has(SnapshotBegin) {
		a.Reset()
		a.within, a.events = true, map[int64]T{}
	}
	limit := a.Limit
	if limit <= 0 {
		limit = 1_000_000
	}
	if !a.within {
		a.update = append(a.update, e)
		if at.flags.Has(TxPending) && len(a.update) < limit {
			return Change[T]{}, false
		}
		c := Change[T]{Symbol: symbol, State: Updated, Events: a.update}
		a.update = nil
		return c, true
	}
	if at.flags.Has(RemoveEvent) {
		delete(a.events, at.index)
	} else {
		a.events[at.index] = e
	}
	switch {
	case at.flags.Has(SnapshotSnip):
		a.ending = Snipped
	case at.flags.Has(SnapshotEnd) && a.ending == Incomplete:
		a.ending = Complete
	}
	if len(a.events) >= limit {
		a.ending, at.flags = Snipped, 0
	}
	if a.ending == Incomplete || at.flags.Has(TxPending) {
		return Change[T]{}, false
	}
	c := Change[T]{Symbol: symbol, State: a.ending, Events: a.Partial()}
	if len(c.Events) == 0 && c.State == Complete {
		c.State = Empty
	}
	a.Reset()
	return c, true
}

// Partial returns the events of a snapshot that is not whole, by index.
func (a *Assembler[T]) Partial() []T {
	out := make([]T, 0, len(a.events))
	for _, e := range a.events {
		out = append(out, e)
	}
	slices.SortFunc(out, func(x, y T) int {
		_, p := x.stand()
		_, q := y.stand()
		return cmp.Compare(p.index, q.index)
	})
	return out
}

// Reset forgets what is not whole, after a gap.
func (a *Assembler[T]) Reset() {
	a.within, a.ending, a.events, a.update = false, Incomplete, nil, nil
}

// ErrOverflow: events were pushed out of a full buffer, so that what is left of
// a snapshot makes no whole.
var ErrOverflow = errors.New("dxlink: the buffer was full and events were lost")

// Changes yields the events of a subscription put together per symbol. It takes
// the place of a loop over Events. After a gap the server sends snapshots again,
// and changes that were not whole are forgotten. It ends as Events, and with
// ErrOverflow when the buffer was too small.
func Changes[T IndexedEvent](s *Subscription[T]) iter.Seq2[Change[T], error] {
	return func(yield func(Change[T], error) bool) {
		assemblers := map[string]*Assembler[T]{}
		loop := events(&s.buf, func(g Gap) {
			clear(assemblers)
			if s.opts.OnGap != nil {
				s.opts.OnGap(g)
			}
		}, s.opts.OnRefusal)
		for e, err := range loop {
			if _, _, pushedOut, _ := s.buf.counts(); err == nil && pushedOut > 0 {
				err = ErrOverflow
			}
			if err != nil {
				yield(Change[T]{}, err)
				return
			}
			symbol, _ := e.stand()
			a := assemblers[symbol]
			if a == nil {
				a = &Assembler[T]{}
				assemblers[symbol] = a
			}
			if c, whole := a.Add(e); whole && !yield(c, nil) {
				return
			}
		}
	}
}
