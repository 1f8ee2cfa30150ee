package kernel

import "math"

// A Tape copies the state of a recurrence out and back in. A type describes its
// state once, in a Visit method that names each variable in a fixed order; the
// tape then saves it, or loads what was saved.
type Tape struct {
	values  []float64
	pos     int
	loading bool
}

// Save makes the tape record what it visits, over what it held.
func (t *Tape) Save() { t.values, t.loading = t.values[:0], false }

// Load makes the tape give back what it recorded, from the start.
func (t *Tape) Load() { t.pos, t.loading = 0, true }

// Float visits a number.
func (t *Tape) Float(p *float64) {
	if t.loading {
		*p = t.values[t.pos]
		t.pos++
		return
	}
	t.values = append(t.values, *p)
}

// Int visits a whole number of at most 2⁵³.
func (t *Tape) Int(p *int) {
	v := float64(*p)
	t.Float(&v)
	*p = int(v)
}

// Bits visits 64 bits.
func (t *Tape) Bits(p *int64) {
	v := math.Float64frombits(uint64(*p))
	t.Float(&v)
	*p = int64(math.Float64bits(v))
}

// Bool visits a truth value.
func (t *Tape) Bool(p *bool) {
	v := 0.0
	if *p {
		v = 1
	}
	t.Float(&v)
	*p = v != 0
}

// Floats visits numbers whose count does not change.
func (t *Tape) Floats(s []float64) {
	if t.loading {
		t.pos += copy(s, t.values[t.pos:])
		return
	}
	t.values = append(t.values, s...)
}

// Ints visits whole numbers whose count does not change.
func (t *Tape) Ints(s []int) {
	for i := range s {
		t.Int(&s[i])
	}
}

// Values returns what the tape recorded. It is the tape's own until the next Save.
func (t *Tape) Values() []float64 { return t.values }

// SetValues makes the tape hold values, to be loaded.
func (t *Tape) SetValues(values []float64) { t.values = values }

// Visit visits the state of the sum.
func (s *Sum) Visit(t *Tape) {
	t.Floats(s.cells)
	t.Int(&s.pos)
	t.Float(&s.head)
}
