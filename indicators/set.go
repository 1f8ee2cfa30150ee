package indicators

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Set updates several indicators on the same bars, bit for bit what each gives
// by itself. Work that they have in common is done once: the same indicator asked
// for twice, the average true range that SuperTrend and Keltner channels both
// need, a week made of days. It is not safe for concurrent use; make it with
// [NewSet] or [NewSetOf]. [Snapshot] and [Restore] keep its state.
type Set struct {
	frames []*frame // the first is of the bars themselves
	names  []string
	column []int     // the cell of each output
	cells  []float64 // prices of each frame, then what the nodes gave
	values []float64
	before []float64 // the cells before a Peek
	warmup int
}

// A SetEntry is an indicator of a [Set].
type SetEntry struct {
	Name   string    // as Find takes it
	Params []float64 // missing trailing ones, or all, take their defaults

	// Of is what the indicator is computed of, in the order of its inputs; nil
	// means its own inputs. Each is a column of the bar (open, high, low, close,
	// volume), a mean of its prices (hl2, hlc3, ohlc4, hlcc4), or an entry before
	// this one with the same Interval and Running: "Smooth", "MACD.Signal", by its
	// As or Name; the first output when none is named.
	Of []string
	// As is what Of and Names call the entry; "" means its name, with the
	// parameters that were given: "EMA(10)".
	As string

	// Interval is that of the bars the indicator is computed over, longer than
	// those the set is given: "1w" for the RSI of weeks on bars of days. Its value
	// is that of the last complete one, as [market.Resampler] makes them: daily
	// bars carry the midnight of their date in the calendar's zone. "" means the
	// bars as they are given.
	Interval market.Interval
	// Running shows the value that the bar of Interval would give if it ended
	// now, in place of the one of the last that has ended.
	Running bool
}

// SetOptions says what the bars of a [Set] are. Nil will do when no entry has an
// Interval.
type SetOptions struct {
	Interval market.Interval  // of the bars that Update gets
	Calendar *market.Calendar // nil means market.NYSE
}

// NewSet returns a set of indicators by name. It returns a *[FieldError] for an
// unknown name or an impossible parameter.
func NewSet(entries ...SetEntry) (*Set, error) { return NewSetOf(nil, entries...) }

// NewSetOf is [NewSet] with options.
func NewSetOf(options *SetOptions, entries ...SetEntry) (*Set, error) {
	b := setBuilder{set: &Set{}, nodes: map[string]*node{}}
	if options != nil {
		b.options = *options
	}
	if _, err := b.frame(""); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if err := b.add(e); err != nil {
			return nil, err
		}
	}
	s := b.set
	s.values, s.before = make([]float64, len(s.column)), make([]float64, len(s.cells))
	s.Reset()
	return s, nil
}

// Names returns what the values of Update are: an entry's name, with the output
// after a point where it has several.
func (s *Set) Names() []string { return slices.Clone(s.names) }

// Update takes the next bar and returns the outputs of all members, in their
// order. The slice is the set's: the next call overwrites it.
func (s *Set) Update(b market.Bar) []float64 {
	for _, f := range s.frames {
		if f.join == nil {
			s.run(f, b, update)
			continue
		}
		for _, done := range f.join.Push(b) {
			s.run(f, done, update)
		}
		if running, ok := f.join.Running(); ok && f.running {
			s.run(f, running, show)
		}
	}
	return s.result()
}

// Peek returns what Update would, and leaves the set as it is.
func (s *Set) Peek(b market.Bar) []float64 {
	copy(s.before, s.cells)
	for _, f := range s.frames {
		if f.join == nil {
			s.run(f, b, peek)
			continue
		}
		f.trial = *f.join
		done := f.trial.Push(b)
		running, ok := f.trial.Running()
		ok = ok && f.running
		switch {
		case len(done) == 1 && !ok:
			s.run(f, done[0], peek)
		case len(done) == 0 && ok:
			s.run(f, running, show)
		case len(done) > 0:
			s.further(f, done, running, ok)
		}
	}
	values := s.result()
	copy(s.cells, s.before)
	return values
}

// further peeks beyond the end of a longer bar.
func (s *Set) further(f *frame, done []market.Bar, running market.Bar, ok bool) {
	kept, err := keepAll(f.streams())
	if err != nil {
		return // no stream of the registry has a state that cannot be kept
	}
	for _, b := range done {
		s.run(f, b, update)
	}
	if ok {
		s.run(f, running, show)
	}
	if err := restoreParts(f.streams(), kept); err != nil {
		panic("indicators: a stream refuses the state it has just given: " + err.Error())
	}
}

func (s *Set) result() []float64 {
	for i, c := range s.column {
		s.values[i] = s.cells[c]
	}
	return s.values
}

// Reset forgets every bar.
func (s *Set) Reset() {
	for _, f := range s.frames {
		if f.join != nil {
			f.join.Reset()
		}
		for _, n := range f.nodes {
			n.stream.Reset()
		}
	}
	fillNaN(s.cells)
}

// Warmup returns how many leading bars leave some output NaN, those of entries
// with an Interval apart: how many bars make a longer one is not known.
func (s *Set) Warmup() int { return s.warmup }

// A frame is the nodes over bars of one interval.
type frame struct {
	at      int               // of its prices in the cells
	join    *market.Resampler // nil for the bars as they are given
	trial   market.Resampler
	nodes   []*node
	running bool // some node shows the running bar
}

func (f *frame) streams() []Stream {
	var streams []Stream
	for _, n := range f.nodes {
		streams = append(streams, n.stream)
	}
	return streams
}

// The columns of a frame, in the order of their cells.
var frameColumns = [...]string{"open", "high", "low", "close", "volume", "hl2", "hlc3", "ohlc4", "hlcc4"}

// A node is a stream with the cells it reads and those it writes.
type node struct {
	stream  Stream
	parts   *machine // the same, when it may be given unknown values of other nodes
	gate    []int    // cells that must be known, or the bar counts as unknown
	from    []int
	at      int
	in, out []float64
	running bool
	warmup  int
}

// What a bar does to the nodes.
type effect int

const (
	update effect = iota // it is complete
	peek                 // it is complete, and leaves the state as it is
	show                 // it is running, which only some nodes show
)

func (s *Set) run(f *frame, b market.Bar, how effect) {
	c := s.cells[f.at:]
	c[0], c[1], c[2], c[3], c[4] = b.Open, b.High, b.Low, b.Close, b.Volume
	c[5], c[6] = (b.High+b.Low)/2, (b.High+b.Low+b.Close)/3
	c[7], c[8] = (b.Open+b.High+b.Low+b.Close)/4, (b.High+b.Low+2*b.Close)/4
	for _, n := range f.nodes {
		if how == show && !n.running {
			continue
		}
		n.run(s.cells, how)
		copy(s.cells[n.at:], n.out)
	}
}

func (n *node) run(cells []float64, how effect) {
	for _, g := range n.gate {
		if !kernel.Finite(cells[g]) {
			fillNaN(n.out)
			return
		}
	}
	for k, c := range n.from {
		n.in[k] = cells[c]
	}
	switch {
	case how == update && n.parts != nil:
		n.parts.step(n.in, n.out)
	case how == update:
		n.stream.Update(n.in, n.out)
	case n.parts != nil:
		n.parts.peekStep(n.in, n.out)
	default:
		n.stream.Peek(n.in, n.out)
	}
}

// peekStep is a step that leaves the state as it is.
func (m *machine) peekStep(in, out []float64) {
	if m.spare == nil {
		m.spare = m.state.clone()
	} else {
		m.state.copyTo(m.spare)
	}
	m.step(in, out)
	m.spare.copyTo(m.state)
}

// snapshot is the state of the resamplers, the values that are shown until the
// next, and the state of every node.
func (s *Set) snapshot() ([]byte, error) {
	data := appendFloats(nil, s.cells)
	for _, f := range s.frames {
		if f.join != nil {
			state, err := f.join.MarshalBinary()
			if err != nil {
				return nil, err
			}
			data = append(data, state...)
		}
		nodes, err := keepAll(f.streams())
		if err != nil {
			return nil, err
		}
		data = appendSized(data, nodes)
	}
	return data, nil
}

func (s *Set) restore(data []byte) error {
	before, err := s.snapshot()
	if err != nil {
		return err
	}
	if err := s.restoreFrom(data); err != nil {
		if again := s.restoreFrom(before); again != nil {
			return fmt.Errorf("%w (and %w)", err, again)
		}
		return err
	}
	return nil
}

func (s *Set) restoreFrom(data []byte) error {
	data, ok := takeFloats(s.cells, data)
	if !ok {
		return ErrSnapshot
	}
	for _, f := range s.frames {
		if f.join != nil {
			state, err := f.join.MarshalBinary() // to know its size
			if err != nil {
				return err
			}
			if len(data) < len(state) {
				return ErrSnapshot
			}
			if err := f.join.UnmarshalBinary(data[:len(state)]); err != nil {
				return err
			}
			data = data[len(state):]
		}
		nodes, rest, ok := takeSized(data)
		if !ok {
			return ErrSnapshot
		}
		if err := restoreParts(f.streams(), nodes); err != nil {
			return err
		}
		data = rest
	}
	if len(data) > 0 {
		return ErrSnapshot
	}
	return nil
}

// setBuilder makes the nodes of a set, each kind once.
type setBuilder struct {
	set     *Set
	options SetOptions
	nodes   map[string]*node
	entries []namedNode
	labels  []string // of intervals, by frame
}

// A namedNode is an entry that later ones can be computed of.
type namedNode struct {
	label, name string
	frame       *frame
	running     bool
	node        *node
	outputs     []Output
}

func (b *setBuilder) frame(interval market.Interval) (*frame, error) {
	if interval != "" {
		parsed, err := market.ParseInterval(string(interval))
		if err != nil {
			return nil, err
		}
		if interval = parsed; interval == b.options.Interval {
			interval = ""
		}
	}
	if i := slices.Index(b.labels, string(interval)); i >= 0 {
		return b.set.frames[i], nil
	}
	f := &frame{at: b.take(len(frameColumns))}
	if interval != "" {
		if b.options.Interval == "" {
			return nil, invalid.Missing("SetOptions.Interval", "the interval of the bars, when an entry has another")
		}
		var err error
		if f.join, err = market.NewResampler(b.options.Interval, interval, b.options.Calendar); err != nil {
			return nil, err
		}
	}
	b.set.frames = append(b.set.frames, f)
	b.labels = append(b.labels, string(interval))
	return f, nil
}

// take returns the first of n new cells.
func (b *setBuilder) take(n int) int {
	at := len(b.set.cells)
	b.set.cells = append(b.set.cells, make([]float64, n)...)
	return at
}

func (b *setBuilder) add(e SetEntry) error {
	d, err := Find(e.Name)
	if err != nil {
		return err
	}
	params, err := d.Parameters(e.Params)
	if err != nil {
		return err
	}
	f, err := b.frame(e.Interval)
	if err != nil {
		return err
	}
	running := e.Running && f.join != nil
	from, err := b.sources(e, d, f, running)
	if err != nil {
		return err
	}
	var n *node
	if r, ok := recipes[d.Name]; ok && len(e.Of) == 0 {
		n, err = b.assemble(r, d, params, f, from, running)
	} else {
		n, err = b.node(d, params, f, from, from, running)
	}
	if err != nil {
		return err
	}
	if f.join == nil {
		b.set.warmup = max(b.set.warmup, n.warmup)
	}
	label := e.As
	if label == "" {
		label = d.Name
		if len(e.Params) > 0 {
			label += "(" + strings.Trim(strings.ReplaceAll(fmt.Sprint(e.Params), " ", ","), "[]") + ")"
		}
	}
	b.entries = append(b.entries, namedNode{label, d.Name, f, running, n, d.Outputs})
	for k, o := range d.Outputs {
		name := label
		if len(d.Outputs) > 1 {
			name += "." + o.Name
		}
		b.set.names = append(b.set.names, name)
		b.set.column = append(b.set.column, n.at+k)
	}
	return nil
}

// sources returns the cells that an entry reads.
func (b *setBuilder) sources(e SetEntry, d Indicator, f *frame, running bool) ([]int, error) {
	names := e.Of
	if len(names) == 0 {
		names = d.Inputs
	}
	if len(names) != len(d.Inputs) {
		return nil, invalid.Fieldf("Of", strings.Join(e.Of, ", "), "%d inputs for %s, in place of %s", len(d.Inputs), d.Name, strings.Join(d.Inputs, ", "))
	}
	var from []int
	for _, name := range names {
		if i := slices.Index(frameColumns[:], strings.ToLower(name)); i >= 0 {
			from = append(from, f.at+i)
			continue
		}
		cell, err := b.output(name, f, running)
		if err != nil {
			return nil, err
		}
		from = append(from, cell)
	}
	return from, nil
}

// output finds the cell of an earlier entry's output.
func (b *setBuilder) output(name string, f *frame, running bool) (int, error) {
	var found []int
	for _, e := range b.entries {
		if e.frame != f || e.running != running {
			continue
		}
		for k, o := range e.outputs {
			whole := k == 0 && (strings.EqualFold(name, e.label) || strings.EqualFold(name, e.name))
			part := strings.EqualFold(name, e.label+"."+o.Name) || strings.EqualFold(name, e.name+"."+o.Name)
			if (whole || part) && !slices.Contains(found, e.node.at+k) {
				found = append(found, e.node.at+k)
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return 0, invalid.Fieldf("Of", name, "%s, or an entry before it with the same interval", strings.Join(frameColumns[:], ", "))
	}
	return 0, invalid.Field("Of", name, "the name of one entry only; tell them apart with As")
}

// node returns the node of an indicator, the one there is if there is one.
func (b *setBuilder) node(d Indicator, params []float64, f *frame, from, gate []int, running bool) (*node, error) {
	gate = slices.Compact(slices.Sorted(slices.Values(gate)))
	key := fmt.Sprint(d.Name, params, from, gate, running)
	if n, ok := b.nodes[key]; ok {
		return n, nil
	}
	stream, err := d.Stream(params)
	if err != nil {
		return nil, err
	}
	n := &node{stream: stream, gate: gate, from: from, running: running, warmup: stream.Warmup() + b.warmupOf(from)}
	b.place(n, key, f, len(d.Outputs))
	return n, nil
}

func (b *setBuilder) place(n *node, key string, f *frame, outputs int) {
	n.at, n.in, n.out = b.take(outputs), make([]float64, len(n.from)), make([]float64, outputs)
	f.nodes, f.running = append(f.nodes, n), f.running || n.running
	b.nodes[key] = n
}

// warmupOf is the longest warm-up of the nodes that write the cells.
func (b *setBuilder) warmupOf(cells []int) int {
	most := 0
	for _, n := range b.nodes {
		for _, c := range cells {
			if c >= n.at && c < n.at+len(n.out) {
				most = max(most, n.warmup)
			}
		}
	}
	return most
}
