package simulator

import (
	"context"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A heart makes happen what happens by itself: fills, expirations, alerts. It
// beats a few times a second while the simulator runs, before every answer about
// an account, and when the clock is stepped. Between two beats the market is
// looked at in steps, so that a fast clock misses nothing that lasts.
type heart struct {
	mu      sync.Mutex // held during a beat
	at      time.Time  // everything up to here has happened
	started sync.Once
	done    chan struct{} // closed when the goroutine has ended; nil when none runs
}

// beatPeriod is how often the heart beats by itself, in the computer's time.
const beatPeriod = 100 * time.Millisecond

// live starts the heart's goroutine, once.
func (s *Simulator) live() {
	s.heart.started.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed {
			return
		}
		done := make(chan struct{})
		s.heart.done = done
		go func() {
			defer close(done)
			timer := s.wall.NewTimer(beatPeriod)
			defer timer.Stop()
			for {
				select {
				case <-s.ctx.Done():
					return
				case <-timer.C():
				}
				s.beat(s.ctx)
				timer.Reset(beatPeriod)
			}
		}()
	})
}

// beat brings everything up to the clock.
func (s *Simulator) beat(ctx context.Context) {
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	s.beatTo(ctx, s.clock.Now())
}

// changed looks at the market again though the clock may not have moved.
func (s *Simulator) changed() {
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	now := s.clock.Now()
	s.beatTo(s.ctx, now)
	s.moment(s.ctx, now, false)
}

// beatTo is beat with the heart locked.
func (s *Simulator) beatTo(ctx context.Context, now time.Time) {
	for ctx.Err() == nil && s.heart.at.Before(now) {
		next, due := s.nextMoment(s.heart.at, now)
		s.moment(ctx, next, due)
		s.heart.at = next
	}
}

// Steps between two looks at the market, by how long the time is that has to be
// made up for.
func lookPeriod(gap time.Duration) time.Duration {
	switch {
	case gap <= 2*time.Hour:
		return time.Second
	case gap <= 12*time.Hour:
		return 5 * time.Second
	}
	return time.Minute
}

// nextMoment is the next time after t at which something may happen, at most now,
// and whether something is due then by itself.
func (s *Simulator) nextMoment(t, now time.Time) (next time.Time, due bool) {
	next = now
	alerts := len(s.alertSymbols(t)) > 0
	if alerts || s.trade.watches() {
		period := lookPeriod(now.Sub(t))
		next = t.Truncate(period).Add(period)
		if open := s.nextTrading(t, alerts); next.Before(open) {
			next = open
		}
	}
	if at, ok := s.trade.due(t); ok && !at.After(next) {
		next, due = at, true
	}
	if next.After(now) || !next.After(t) {
		return now, due && !next.After(now)
	}
	return next, due
}

// nextTrading is t when something trades then that is looked at, and otherwise
// when that begins: shares at the opening of a session, or of the extended hours
// for orders and alerts that know them. Futures trade nearly always.
func (s *Simulator) nextTrading(t time.Time, extended bool) time.Time {
	if s.trade.futures() {
		return t
	}
	extended = extended || s.trade.extended()
	day := market.DateOf(t.In(s.calendar.Location()))
	for _, session := range s.calendar.Sessions(day, day.AddDays(7)) {
		begin, end := session.Open, session.Close
		if extended {
			begin, end = session.PreOpen, session.PostClose
		}
		if t.Before(begin) {
			return begin
		}
		if t.Before(end) {
			return t
		}
	}
	return t
}

// moment lets happen what happens at a time. When something is due by itself, the
// engine is told about everything that is held; otherwise about what is ordered.
func (s *Simulator) moment(ctx context.Context, t time.Time, due bool) {
	alerted := s.alertSymbols(t)
	wanted := alerted
	if due {
		wanted = append(s.trade.symbols(), alerted...)
	} else {
		wanted = append(s.trade.ordered(), alerted...)
	}
	quotes := s.quotesFor(ctx, t, wanted)
	s.trade.moment(ctx, t, quotes)
	if len(alerted) > 0 {
		s.checkAlerts(ctx, t, quotes)
	}
}

// Step moves the clock forward by d and lets happen what happens in that time:
// orders fill, options expire, alerts fire. It works on a [Clock], running or
// stopped, and on a *market.ManualClock, and is an error on any other.
func (s *Simulator) Step(d time.Duration) error {
	if d < 0 {
		return invalid.Field("d", d.String(), "0 or more: time does not go back")
	}
	set, err := s.setter()
	if err != nil {
		return err
	}
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	from := s.clock.Now()
	to := from.Add(d)
	s.beatTo(s.ctx, from)
	if _, remembers := s.base.(pastMarket); !remembers {
		// The market can only be asked about now: the clock goes in small steps.
		for period := max(time.Second, d/1000); ; {
			next := s.clock.Now().Add(period)
			if !next.Before(to) {
				break
			}
			set(next)
			s.beatTo(s.ctx, next)
		}
	}
	set(to)
	s.beatTo(s.ctx, to)
	return s.ctx.Err()
}

// setter is how the clock is put to a time.
func (s *Simulator) setter() (func(time.Time), error) {
	switch c := s.clock.(type) {
	case *Clock:
		return c.set, nil
	case *market.ManualClock:
		return c.Set, nil
	}
	return nil, invalid.Field("Clock", s.clock, "a *simulator.Clock or a *market.ManualClock, to be stepped")
}

// Pause stops the clock, Resume lets it run on. Both work on a [Clock] only; a
// *market.ManualClock always stands.
func (s *Simulator) Pause() error {
	c, ok := s.clock.(*Clock)
	if !ok {
		return invalid.Field("Clock", s.clock, "a *simulator.Clock, to be stopped")
	}
	c.Stop()
	return nil
}

// Resume lets a clock run on that was stopped with Pause.
func (s *Simulator) Resume() error {
	c, ok := s.clock.(*Clock)
	if !ok {
		return invalid.Field("Clock", s.clock, "a *simulator.Clock, to be started")
	}
	c.Resume()
	return nil
}
