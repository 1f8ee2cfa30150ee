package analysts

import (
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// A book collects evidence while an analysis is made.
type book struct {
	definitions []definition
	entries     map[string]Evidence
}

func newBook() *book {
	return &book{definitions: catalog(), entries: map[string]Evidence{}}
}

func (b *book) definition(id string) definition {
	i := slices.IndexFunc(b.definitions, func(d definition) bool { return d.id == id })
	if i < 0 {
		panic("analysts: evidence " + id + " is not in the catalog") // a programmer's mistake; every id is put in tests
	}
	return b.definitions[i]
}

// put records a value. One that is not a finite number is recorded as absent
// for the reason given.
func (b *book) put(id string, value float64, at time.Time, text, otherwise string) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		b.lack(id, otherwise)
		return
	}
	d := b.definition(id)
	b.entries[id] = Evidence{ID: id, Name: d.name, Value: market.Float(value), Unit: d.unit, Text: text, At: at, Method: d.method}
}

// money records an exact amount.
func (b *book) money(id string, amount *decimal.Decimal, at time.Time, text, otherwise string) {
	if amount == nil {
		b.lack(id, otherwise)
		return
	}
	b.put(id, amount.InexactFloat64(), at, text, otherwise)
	b.edit(id, func(e *Evidence) { e.Amount = amount })
}

// edit changes evidence that was put; nothing happens to what is absent.
func (b *book) edit(id string, change func(*Evidence)) {
	if e, ok := b.entries[id]; ok && e.Known() {
		change(&e)
		b.entries[id] = e
	}
}

// lack records why there is no value. A value that was put stays.
func (b *book) lack(id, reason string) {
	if e, ok := b.entries[id]; ok && e.Known() {
		return
	}
	d := b.definition(id)
	if d.optional {
		return
	}
	b.entries[id] = Evidence{ID: id, Name: d.name, Value: market.Float(math.NaN()), Unit: d.unit, Absent: reason}
}

// lackAll records why the rest of a group has no values.
func (b *book) lackAll(group Group, reason string) {
	for _, d := range b.definitions {
		if _, ok := b.entries[d.id]; !ok && (Evidence{ID: d.id}).Group() == group {
			b.lack(d.id, reason)
		}
	}
}

// value returns NaN for what is absent.
func (b *book) value(id string) float64 {
	if e, ok := b.entries[id]; ok && e.Known() {
		return float64(e.Value)
	}
	return math.NaN()
}

func (b *book) text(id string) string { return b.entries[id].Text }

func (b *book) known(ids ...string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return math.IsNaN(b.value(id)) })
}

// list returns the evidence in the catalog's order. What nobody put or
// explained is absent as well, so that it cannot go unnoticed.
func (b *book) list() []Evidence {
	list := make([]Evidence, 0, len(b.definitions))
	for _, d := range b.definitions {
		if _, ok := b.entries[d.id]; !ok {
			b.lack(d.id, "not computed")
		}
		if e, ok := b.entries[d.id]; ok {
			list = append(list, e)
		}
	}
	return list
}
