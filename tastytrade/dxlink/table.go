package dxlink

import (
	"encoding/binary"
	"slices"
	"strings"
)

// A receiver takes events of one kind and symbol. offer must not block.
type receiver[T Event] interface {
	offer(e *T, at place)
	// buffer is what offer writes to, which the caller must hold; nil: nothing to
	// hold.
	buffer() *buffer[T]
	owner() sink
}

// A holder holds one buffer at a time, and goes on holding it while the next
// event is for the same one.
type holder[T Event] struct{ held *buffer[T] }

func (h *holder[T]) offer(r receiver[T], e *T, at place) {
	if b := r.buffer(); b != h.held {
		h.release()
		if h.held = b; b != nil {
			b.mu.Lock()
		}
	}
	r.offer(e, at)
}

func (h *holder[T]) release() {
	if h.held != nil {
		h.held.rouse()
		h.held.mu.Unlock()
		h.held = nil
	}
}

// A sink is told what happens to the stream. Its methods must not block.
type sink interface {
	gap(Gap)
	end(error)
	// refused says that the server did not do something that the channel asked for.
	refused(error)
}

// A place is where an event stands among those of its symbol.
type place struct {
	index int64
	flags EventFlags
}

// A table holds the subscriptions of one kind on one channel and reads its
// events. The caller holds Conn.mu.
type table[T Event] struct {
	shape   shape // of scratch
	scratch T     // the event being read
	blank   T     // an event of which nothing is known
	quoted  string
	// The same as a number, for kinds of at most eight bytes with their quotes;
	// a mask of 0 and a word of 1 are never equal.
	kindWord, kindMask uint64
	plan               []field // of COMPACT records, in the server's order
	byName             map[string]*field
	text               *string  // scratch's symbol
	hit                *name[T] // of the record being read

	entries map[string]*entry[T] // by canonical symbol and source
	wire    map[string]*name[T]  // by the symbol as the server writes it
	wild    *entry[T]            // those who asked for "*"
	quick   shortcut[T]          // to what wire says
	pending []arrival[T]
}

// An entry is one subscription at the server.
type entry[T Event] struct {
	request   feedEntry // the symbol as the first subscriber wrote it
	receivers []receiver[T]
	names     []string // of it in wire
	last      T        // the latest event, for subscribers that come later
	seen      bool
}

// A name is a way in which the server writes a symbol.
type name[T Event] struct {
	symbol string
	entry  *entry[T]
}

type arrival[T Event] struct {
	event T
	entry *entry[T]
	at    place
}

func newTable[T Event]() *table[T] {
	t := &table[T]{entries: map[string]*entry[T]{}, wire: map[string]*name[T]{}, byName: map[string]*field{}}
	blank(shapeOf(&t.blank).fields)
	t.scratch = t.blank
	t.shape = shapeOf(&t.scratch)
	t.quick.grow(0)
	t.quoted, t.kindWord = `"`+t.shape.kind+`"`, 1
	if n := len(t.quoted); n <= 8 {
		var b [8]byte
		copy(b[:], t.quoted)
		t.kindWord, t.kindMask = binary.LittleEndian.Uint64(b[:]), ^uint64(0)>>(64-8*n)
	}
	for i := range t.shape.fields {
		f := &t.shape.fields[i]
		t.byName[f.name] = f
		if f.op == opSymbol {
			t.text = f.text
		}
	}
	t.configure(t.wanted())
	return t
}

func (t *table[T]) kind() string { return t.shape.kind }

// wanted is the names of all fields of the kind.
func (t *table[T]) wanted() []string {
	names := make([]string, len(t.shape.fields))
	for i, f := range t.shape.fields {
		names[i] = f.name
	}
	return names
}

func (t *table[T]) configure(names []string) {
	t.scratch = t.blank
	t.plan = make([]field, len(names))
	for i, name := range names {
		if f := t.byName[name]; f != nil {
			t.plan[i] = *f
		}
	}
}

// keyOf is what tells entries apart.
func keyOf(symbol, source string) string {
	if source == "" {
		return canonical(symbol)
	}
	return canonical(symbol) + "\x00" + source
}

// lookup finds the entry of a symbol that the server writes in a way not seen
// before. Nil: nobody asked for it.
func (t *table[T]) lookup(symbol string) *name[T] {
	e := t.entries[canonical(symbol)]
	if e == nil {
		return nil
	}
	n := &name[T]{symbol: symbol, entry: e}
	if len(t.wire) < 2*len(t.entries)+16 { // a server that invents ways must not fill the memory
		t.wire[symbol] = n
		e.names = append(e.names, symbol)
	}
	return n
}

// symbolRead notes the symbol of the record being read.
func (t *table[T]) symbolRead(word []byte) {
	t.hit = t.wire[string(word)]
	if t.hit == nil {
		t.hit = t.lookup(string(word))
	}
	switch {
	case t.hit != nil:
		*t.text = t.hit.symbol
	case t.wild != nil:
		*t.text = string(word)
	default:
		*t.text = ""
	}
}

// arrived keeps the event that has been read until commit.
func (t *table[T]) arrived() {
	a := arrival[T]{event: t.scratch}
	if t.hit != nil {
		a.entry = t.hit.entry
	}
	if t.shape.index != nil {
		a.at = place{*t.shape.index, *t.shape.flags}
	}
	t.pending = append(t.pending, a)
}

// mostPending is how much room for events stays between messages.
const mostPending = 4096

func (t *table[T]) commit() (events, unclaimed int) {
	var to holder[T]
	defer to.release()
	for i := range t.pending {
		a := &t.pending[i]
		e := a.entry
		if e != nil {
			e.last, e.seen = a.event, true
			for _, r := range e.receivers {
				to.offer(r, &a.event, a.at)
			}
		}
		if w := t.wild; w != nil {
			for _, r := range w.receivers {
				to.offer(r, &a.event, a.at)
			}
		} else if e == nil {
			unclaimed++
		}
	}
	events = len(t.pending)
	t.discard()
	return events, unclaimed
}

func (t *table[T]) discard() {
	if cap(t.pending) > mostPending {
		t.pending = nil
		return
	}
	t.pending = t.pending[:0]
}

// add subscribes to symbols and returns what the server must be asked.
func (t *table[T]) add(symbols []string, from int64, source string, to func(symbol string) receiver[T]) (fresh []feedEntry) {
	for _, symbol := range symbols {
		key := keyOf(symbol, source)
		e := t.entries[key]
		if e == nil {
			e = &entry[T]{request: feedEntry{Type: t.shape.kind, Symbol: symbol, FromTime: from, Source: source}}
			t.entries[key] = e
			// Events do not say which source they were asked from: a channel has
			// one source, so that the symbol finds them.
			t.wire[symbol] = &name[T]{symbol: symbol, entry: e}
			e.names = append(e.names, symbol)
			if symbol == "*" {
				t.wild = e
			}
			fresh = append(fresh, e.request)
		}
		r := to(symbol)
		if slices.ContainsFunc(e.receivers, func(x receiver[T]) bool { return x.owner() == r.owner() }) {
			continue
		}
		if e.seen {
			var to holder[T]
			to.offer(r, &e.last, place{})
			to.release()
		}
		e.receivers = append(e.receivers, r)
	}
	t.quick.grow(len(t.entries))
	return fresh
}

// remove is the opposite of add.
func (t *table[T]) remove(symbols []string, source string, from sink) (unused []feedEntry) {
	for _, symbol := range symbols {
		key := keyOf(symbol, source)
		e := t.entries[key]
		if e == nil {
			continue
		}
		e.receivers = slices.DeleteFunc(e.receivers, func(r receiver[T]) bool { return r.owner() == from })
		if len(e.receivers) > 0 {
			continue
		}
		delete(t.entries, key)
		for _, word := range e.names {
			delete(t.wire, word)
		}
		if t.wild == e {
			t.wild = nil
		}
		unused = append(unused, e.request)
	}
	t.quick.forget()
	return unused
}

func (t *table[T]) requests() []feedEntry {
	all := make([]feedEntry, 0, len(t.entries))
	for _, e := range t.entries {
		all = append(all, e.request)
	}
	return all
}

func (t *table[T]) collect(all map[sink]struct{}) {
	for _, e := range t.entries {
		for _, r := range e.receivers {
			all[r.owner()] = struct{}{}
		}
	}
}

func (t *table[T]) forget() {
	for _, e := range t.entries {
		e.seen = false
	}
}

// canonical makes two ways of writing a candle symbol equal: {=1d} and {=d},
// and attributes in any order. Other symbols stay as they are.
func canonical(symbol string) string {
	base, attributes, found := strings.Cut(strings.TrimSuffix(symbol, "}"), "{")
	if !found {
		return symbol
	}
	parts := strings.Split(attributes, ",")
	for i, p := range parts {
		if rest, one := strings.CutPrefix(p, "=1"); one && rest != "" && (rest[0] < '0' || rest[0] > '9') {
			parts[i] = "=" + rest
		}
	}
	slices.Sort(parts)
	return base + "{" + strings.Join(parts, ",") + "}"
}
