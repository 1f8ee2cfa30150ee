package notify

import (
	"context"
	"sync"
	"time"
)

// A lane is what this process knows of one channel. Whoever holds it sends.
type lane struct {
	held     chan struct{} // of one element
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // nothing is sent before
	next     time.Time // when the next message is let through by the limits
}

func (s *Service) lane(key string) *lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[key]
	if l == nil {
		l = &lane{held: make(chan struct{}, 1)}
		s.lanes[key] = l
	}
	return l
}

// patience is how long a batch waits for a lane that another holds, and grace how
// long for a send: what takes longer goes on beside it, so that a channel that stalls
// holds no batch.
const (
	patience = time.Second
	grace    = 2 * time.Second
)

// take holds the lane, unless the one who does needs longer than a moment.
func (l *lane) take(ctx context.Context) bool {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case l.held <- struct{}{}:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

// paused tells until when the channel is left alone.
func (l *lane) paused(now time.Time) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until, now.Before(l.until)
}

// Pauses after failures: so long after the first, twice as long each time.
const (
	minPause = 2 * time.Second
	maxPause = 15 * time.Minute
)

func (l *lane) succeeded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures, l.until = 0, time.Time{}
}

func (l *lane) failed(now time.Time, after time.Duration) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	pause := maxPause
	if l.failures < 9 {
		pause = min(maxPause, minPause<<l.failures)
	}
	l.failures++
	l.until = now.Add(max(pause, after))
	return l.until
}

// asked is failed for a service that only said when to come again.
func (l *lane) asked(now time.Time, after time.Duration) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = now.Add(after)
	return l.until
}

// pause leaves the channel alone for a while after a failure. What the service asked
// for counts as no attempt: it looked at its rate and not at the message.
func (l *lane) pause(now time.Time, failure *SendError) (until time.Time, counted bool) {
	after := min(failure.After, 24*time.Hour)
	if failure.Limited && after > 0 {
		return l.asked(now, after), false
	}
	return l.failed(now, after), true
}

// A turn is a batch's time with a lane.
type turn struct {
	*lane
	holds   bool
	beside  *sync.WaitGroup
	running context.Context
}

func (t *turn) end() {
	if t.holds {
		<-t.held
	}
}
