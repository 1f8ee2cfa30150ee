package strategy

import (
	"slices"
	"time"
)

// A timer is due once.
type timer struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

type timers struct {
	list []timer // ascending by time, equal times in the order in which they were set
}

func (t *timers) init() { t.list = nil }

func (t *timers) due(to time.Time) bool {
	return len(t.list) > 0 && !t.list[0].At.After(to)
}

// Timer asks for a TimerEvent with a name at a time. One that was set under the
// name before is moved. A time that has passed is due at once, after the event
// that is handled now.
func (s *Session) Timer(name string, at time.Time) {
	s.StopTimer(name)
	if at.Before(s.now) {
		at = s.now
	}
	i, _ := slices.BinarySearchFunc(s.timers.list, at, func(t timer, at time.Time) int {
		if t.At.After(at) {
			return 1
		}
		return -1 // behind those of the same time
	})
	s.timers.list = slices.Insert(s.timers.list, i, timer{name, at})
}

// StopTimer takes a timer back. Without one it does nothing.
func (s *Session) StopTimer(name string) {
	s.timers.list = slices.DeleteFunc(s.timers.list, func(t timer) bool { return t.Name == name })
}

// NextTimer returns when the next timer is due; false when none is set.
func (s *Session) NextTimer() (time.Time, bool) {
	if len(s.timers.list) == 0 {
		return time.Time{}, false
	}
	return s.timers.list[0].At, true
}

// mostTimers is how many timers one call of Fire delivers: a strategy that sets
// its timer anew for the present would never let the time move on.
const mostTimers = 10_000

func (s *Session) fire(to time.Time) error {
	for range mostTimers {
		e, ok := s.pop(to)
		if !ok {
			return nil
		}
		if err := s.Deliver(&e); err != nil {
			return err
		}
	}
	return nil
}

// pop takes the next timer that is due.
func (s *Session) pop(to time.Time) (Event, bool) {
	if !s.timers.due(to) {
		return Event{}, false
	}
	next := s.timers.list[0]
	s.timers.list = slices.Delete(s.timers.list, 0, 1)
	at := next.At
	if at.Before(s.now) {
		at = s.now
	}
	return Event{Kind: TimerEvent, Time: at, Timer: next.Name}, true
}
