package dxlink

import "sync"

// A buffer stands between the reader of the socket and a consumer. Positions
// count events from the first on; those from head to before tail are waiting.
type buffer[T any] struct {
	policy Policy
	size   int

	mu         sync.Mutex
	ring       []T // a power of two of places, grows up to size
	head, tail int64
	barrier    int64 // events before it are not replaced: a gap lies between
	gaps       []placedGap
	dropped    uint64
	pushedOut  uint64 // of dropped
	lost       uint64 // gaps so far
	refusal    error  // the latest
	untold     bool   // the consumer does not know it yet
	ended      bool
	err        error
	wake       chan struct{} // for the consumer, when sleeping
	sleeping   bool
	room       chan struct{} // for the reader, when it waits for room
	waiting    bool
}

type placedGap struct {
	before int64 // the position of the first event after it
	gap    Gap
}

// mostGaps is how many gaps wait for a consumer; then the latest are joined.
const mostGaps = 1024

func (b *buffer[T]) init(policy Policy, size int) {
	b.policy, b.size = policy, size
	b.wake, b.room = make(chan struct{}, 1), make(chan struct{}, 1)
}

// A slot remembers where the events of one symbol wait, for conflation.
type slot struct {
	at      int64 // position + 1; 0: none
	indices map[int64]int64
}

// put adds an event; the caller holds mu and calls rouse before it lets go. With
// s the event may replace one that waits; byIndex says that it must then have
// the same index.
func (b *buffer[T]) put(e *T, s *slot, byIndex bool, at place) {
	if b.ended {
		return
	}
	if s != nil && at.flags == 0 {
		was := s.at
		if byIndex {
			was = s.indices[at.index]
		}
		if was--; was >= b.head && was >= b.barrier {
			b.ring[was&int64(len(b.ring)-1)] = *e
			b.dropped++
			return
		}
	}
	if b.tail-b.head >= int64(b.size) && b.policy != Block {
		b.drop()
	}
	if b.tail-b.head == int64(len(b.ring)) {
		b.grow()
	}
	b.ring[b.tail&int64(len(b.ring)-1)] = *e
	b.tail++
	switch {
	case s == nil:
	case at.flags == 0:
		b.note(s, byIndex, at)
	default: // the parts of a snapshot and removals stand as they came, and nothing moves before them
		s.at = 0
		clear(s.indices)
	}
}

func (b *buffer[T]) note(s *slot, byIndex bool, at place) {
	if !byIndex {
		s.at = b.tail
		return
	}
	if s.indices == nil {
		s.indices = map[int64]int64{}
	}
	if len(s.indices) >= 64 && int64(len(s.indices)) > 2*(b.tail-b.head) {
		for index, pos := range s.indices {
			if pos <= b.head {
				delete(s.indices, index)
			}
		}
	}
	s.indices[at.index] = b.tail
}

func (b *buffer[T]) drop() {
	var none T
	b.ring[b.head&int64(len(b.ring)-1)] = none
	b.head++
	b.dropped++
	b.pushedOut++
}

func (b *buffer[T]) grow() {
	bigger := make([]T, max(16, 2*len(b.ring)))
	for pos := b.head; pos < b.tail; pos++ {
		bigger[pos&int64(len(bigger)-1)] = b.ring[pos&int64(len(b.ring)-1)]
	}
	b.ring = bigger
}

// rouse wakes a consumer that sleeps although something waits.
func (b *buffer[T]) rouse() {
	if b.sleeping && (b.tail > b.head || len(b.gaps) > 0 || b.untold) {
		b.sleeping = false
		b.signal()
	}
}

func (b *buffer[T]) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *buffer[T]) gap(g Gap) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	b.lost++
	b.barrier = b.tail
	if n := len(b.gaps); n == mostGaps {
		last := &b.gaps[n-1]
		last.before, last.gap.Until, last.gap.Err = b.tail, g.Until, g.Err
		last.gap.Losses += g.Losses
	} else {
		b.gaps = append(b.gaps, placedGap{b.tail, g})
	}
	b.rouse()
}

// refuse keeps an ERROR of the server for the consumer, the latest of several.
func (b *buffer[T]) refuse(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	b.refusal, b.untold = err, true
	b.rouse()
}

func (b *buffer[T]) lastRefusal() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refusal
}

func (b *buffer[T]) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.ended, b.err = true, err
	}
	b.sleeping = false
	b.signal()
	b.freed()
}

// clear forgets what waits.
func (b *buffer[T]) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ring, b.gaps, b.head = nil, nil, b.tail
}

// full returns a channel that says when there is room again, nil when there is.
func (b *buffer[T]) full() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.policy != Block || b.ended || b.tail-b.head < int64(b.size) {
		return nil
	}
	b.waiting = true
	return b.room
}

// freed tells a reader that waits; half a buffer is worth reading on for.
func (b *buffer[T]) freed() {
	if b.waiting && (b.ended || b.tail-b.head <= int64(b.size)/2) {
		b.waiting = false
		select {
		case b.room <- struct{}{}:
		default:
		}
	}
}

// A taken is what take found: an event, a gap, a refusal, or the end.
type taken byte

const (
	nothing taken = iota
	anEvent
	aGap
	aRefusal
	theEnd
)

func (b *buffer[T]) take(e *T, g *Gap) (taken, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.gaps) > 0 && b.gaps[0].before <= b.head {
		*g = b.gaps[0].gap
		b.gaps = b.gaps[1:]
		return aGap, nil
	}
	if b.untold {
		b.untold = false
		return aRefusal, b.refusal
	}
	if b.head == b.tail {
		if b.ended {
			return theEnd, b.err
		}
		b.sleeping = true
		return nothing, nil
	}
	*e = b.ring[b.head&int64(len(b.ring)-1)]
	b.head++
	b.freed()
	return anEvent, nil
}

func (b *buffer[T]) counts() (waiting int, dropped, pushedOut, gaps uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.tail - b.head), b.dropped, b.pushedOut, b.lost
}
