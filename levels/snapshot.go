package levels

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// ErrSnapshot means that data is not a snapshot of an engine with these
// options, made by this version of the module.
var ErrSnapshot = errors.New("levels: not a snapshot of an engine with these options")

// snapshotFormat changes with what a snapshot holds.
const snapshotFormat = "ttai levels 2\n"

// Snapshot returns the state of the engine, for [RestoreEngine]: everything but
// its options. The engine goes on as if nothing had happened. The format may
// change between versions of this module.
func (e *Engine) Snapshot() []byte {
	e.settle()
	e.book.forget()
	c := &codec{home: e.periods.zone}
	c.data = append(c.data, snapshotFormat...)
	c.data = append(c.data, e.fingerprint()...)
	e.store(c)
	sum := sha256.Sum256(c.data)
	return append(c.data, sum[:]...)
}

// RestoreEngine returns an engine that goes on where another one was at its
// [Engine.Snapshot]: it gives the same levels, bit for bit, after the same bars.
// The options must be those of the other one; of a calendar it cannot tell. It
// returns [ErrSnapshot] for other data, and for options that are refused the
// error of [NewEngine].
func RestoreEngine(opts *Options, snapshot []byte) (*Engine, error) {
	e, err := NewEngine(opts)
	if err != nil {
		return nil, err
	}
	head := append([]byte(snapshotFormat), e.fingerprint()...)
	n := len(snapshot) - sha256.Size
	if n < len(head) || string(snapshot[:len(head)]) != string(head) || sha256.Sum256(snapshot[:n]) != [sha256.Size]byte(snapshot[n:]) {
		return nil, ErrSnapshot
	}
	c := &codec{data: snapshot[len(head):n], reading: true, home: e.periods.zone}
	e.store(c)
	if c.short || len(c.data) > 0 {
		return nil, ErrSnapshot
	}
	e.second = e.bar.Time.Unix()
	e.periods.resume()
	return e, nil
}

// fingerprint tells options apart.
func (e *Engine) fingerprint() []byte {
	o := e.o
	o.Calendar = nil
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", o))
	return sum[:]
}

// A codec writes state down, or reads it: the same calls in the same order do
// both, so that neither can forget what the other does.
type codec struct {
	data    []byte
	reading bool
	short   bool // there was less to read than asked for
	home    *time.Location
	zones   []*time.Location // in the order they came up
}

func (c *codec) word(x uint64) uint64 {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint64(c.data, x)
		return x
	}
	if len(c.data) < 8 {
		c.short, c.data = true, nil
		return 0
	}
	x = binary.LittleEndian.Uint64(c.data)
	c.data = c.data[8:]
	return x
}

func (c *codec) octet(x byte) byte {
	if !c.reading {
		c.data = append(c.data, x)
		return x
	}
	if len(c.data) == 0 {
		c.short = true
		return 0
	}
	x, c.data = c.data[0], c.data[1:]
	return x
}

func (c *codec) floats(all ...*float64) {
	for _, x := range all {
		*x = math.Float64frombits(c.word(math.Float64bits(*x)))
	}
}

func (c *codec) bools(all ...*bool) {
	for _, x := range all {
		b := byte(0)
		if *x {
			b = 1
		}
		*x = c.octet(b) == 1
	}
}

// whole keeps whole numbers of any size.
func whole[T ~int | ~int64 | ~int32 | ~int8](c *codec, all ...*T) {
	for _, x := range all {
		*x = T(c.word(uint64(int64(*x))))
	}
}

func text[T ~string](c *codec, all ...*T) {
	for _, x := range all {
		n := c.length(len(*x), 1)
		if !c.reading {
			c.data = append(c.data, *x...)
			continue
		}
		*x, c.data = T(c.data[:n]), c.data[n:]
	}
}

// length keeps how many there are, of which each takes at least so many bytes.
func (c *codec) length(n, least int) int {
	n = int(c.word(uint64(n)))
	if c.reading && (n < 0 || n > len(c.data)/least) {
		c.short, c.data = true, nil
		return 0
	}
	return n
}

// list keeps a slice, whose elements each takes; it stays nil when it was empty.
func list[T any](c *codec, all *[]T, each func(*T)) {
	n := c.length(len(*all), 1)
	if c.reading {
		*all = nil
		if n > 0 {
			*all = make([]T, n)
		}
	}
	for k := range *all {
		each(&(*all)[k])
	}
}

func (c *codec) ids(all *[]int32) { list(c, all, func(x *int32) { whole(c, x) }) }

func (c *codec) dates(all ...*market.Date) {
	for _, d := range all {
		whole(c, &d.Year, &d.Day)
		whole(c, &d.Month)
	}
}

// times keeps instants and their zones.
func (c *codec) times(all ...*time.Time) {
	for _, t := range all {
		seconds, nanoseconds, known := t.Unix(), t.Nanosecond(), !t.IsZero()
		if c.bools(&known); !known {
			*t = time.Time{}
			continue
		}
		whole(c, &seconds)
		whole(c, &nanoseconds)
		*t = c.zone(*t, time.Unix(seconds, int64(nanoseconds)))
	}
}

// zone puts an instant into the zone of old, or of what was written.
func (c *codec) zone(old, t time.Time) time.Time {
	place := len(c.zones)
	if !c.reading {
		for k, z := range c.zones {
			if z == old.Location() {
				place = k
			}
		}
	}
	if whole(c, &place); place < len(c.zones) && place >= 0 {
		return t.In(c.zones[place])
	}
	name, offset := old.Location().String(), 0
	if !c.reading {
		_, offset = old.Zone()
	}
	text(c, &name)
	whole(c, &offset)
	z := old.Location()
	if c.reading {
		z = c.find(name, offset, t)
	}
	c.zones = append(c.zones, z)
	return t.In(z)
}

// find looks for a zone by its name. One that is not known, or is another one
// of that name, is as far ahead of UTC as it was.
func (c *codec) find(name string, offset int, t time.Time) *time.Location {
	for _, z := range []*time.Location{time.UTC, c.home, time.Local} {
		if z.String() == name {
			if _, ahead := t.In(z).Zone(); ahead == offset {
				return z
			}
		}
	}
	if z, err := time.LoadLocation(name); err == nil {
		if _, ahead := t.In(z).Zone(); ahead == offset {
			return z
		}
	}
	return time.FixedZone(name, offset)
}
