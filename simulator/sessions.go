package simulator

import (
	"net/http"
	"strings"
	"time"

	"github.com/ttai-go/ttai/market"
)

type wireSession struct {
	CloseAt              string `json:"close-at"`
	CloseAtExt           string `json:"close-at-ext"`
	InstrumentCollection string `json:"instrument-collection"`
	OpenAt               string `json:"open-at"`
	SessionDate          string `json:"session-date,omitempty"`
	StartAt              string `json:"start-at"`
}

type wireCurrentSession struct {
	wireSession
	NextSession     *wireSession `json:"next-session,omitempty"`
	PreviousSession *wireSession `json:"previous-session,omitempty"`
	State           string       `json:"state"`
}

// startOf is when the service begins to take orders before the open: 08:15 in
// New York, whenever the exchange's own pre-market begins.
func (s *Simulator) startOf(session market.Session) time.Time {
	return session.Date.At(8, 15, s.calendar.Location())
}

func (s *Simulator) wireSession(session market.Session, dated bool) wireSession {
	w := wireSession{
		CloseAt: wireTime(session.Close), CloseAtExt: wireTime(session.PostClose), InstrumentCollection: "Equity",
		OpenAt: wireTime(session.Open), StartAt: wireTime(s.startOf(session)),
	}
	if dated {
		w.SessionDate = session.Date.String()
	}
	return w
}

// sessionOnOrAfter finds the first session on d or within the two weeks after
// it: no closure was ever longer.
func (s *Simulator) sessionOnOrAfter(d market.Date) (market.Session, bool) {
	for range 14 {
		if session, ok := s.calendar.Session(d); ok {
			return session, true
		}
		d = d.AddDays(1)
	}
	return market.Session{}, false
}

func (s *Simulator) sessionBefore(d market.Date) (market.Session, bool) {
	for range 14 {
		d = d.AddDays(-1)
		if session, ok := s.calendar.Session(d); ok {
			return session, true
		}
	}
	return market.Session{}, false
}

func (s *Simulator) currentAt(t time.Time) (wireCurrentSession, bool) {
	date := market.DateOf(t.In(s.calendar.Location()))
	current, ok := s.sessionOnOrAfter(date)
	if !ok {
		return wireCurrentSession{}, false
	}
	answer := wireCurrentSession{wireSession: s.wireSession(current, false), State: "Closed"}
	start := s.startOf(current)
	switch {
	case t.Before(start):
	case t.Before(current.Open):
		answer.State = "Pre-market"
	case t.Before(current.Close):
		answer.State = "Open"
	case t.Before(current.PostClose):
		answer.State = "Extended"
	}
	next := current // the first session that is still to start
	if !t.Before(start) {
		next, ok = s.sessionOnOrAfter(current.Date.AddDays(1))
	}
	if ok {
		w := s.wireSession(next, true)
		answer.NextSession = &w
	}
	if previous, ok := s.sessionBefore(current.Date); ok {
		w := s.wireSession(previous, true)
		answer.PreviousSession = &w
	}
	return answer, true
}

// currentSession serves GET /market-time/equities/sessions/current.
func (s *Simulator) currentSession(w http.ResponseWriter, r *http.Request) {
	at := s.clock.Now()
	if text := r.URL.Query().Get("current-time"); text != "" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			s.invalidParameter(w, "current-time", "is not an ISO 8601 time")
			return
		}
		at = t
	}
	answer, ok := s.currentAt(at)
	if !ok {
		s.notFound(w, r)
		return
	}
	writeData(w, r, answer)
}

// currentSessions serves GET /market-time/sessions/current for the collections
// asked for: equities and futures.
func (s *Simulator) currentSessions(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	asked := append(query["instrument-collections[]"], query["instrument-collections"]...)
	if len(asked) == 0 {
		s.invalidParameter(w, "instrument-collections", "is missing")
		return
	}
	list := []wireCurrentSession{}
	for _, name := range asked {
		if strings.EqualFold(name, "Equity") {
			if answer, ok := s.currentAt(s.clock.Now()); ok {
				list = append(list, answer)
			}
		} else if collection, known := futuresCollection(name); known {
			if answer, ok := s.futuresAt(s.clock.Now(), collection); ok {
				list = append(list, answer)
			}
		}
	}
	writeItems(w, r, list, nil)
}

// dateParameter reads an optional date, today without it.
func (s *Simulator) dateParameter(w http.ResponseWriter, r *http.Request, name string) (market.Date, bool) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return s.today(), true
	}
	d, err := market.ParseDate(text)
	if err != nil {
		s.invalidParameter(w, name, "is not YYYY-MM-DD")
		return market.Date{}, false
	}
	return d, true
}

// nextSession serves the session on or after a date; without a date, the next
// one to start.
func (s *Simulator) nextSession(w http.ResponseWriter, r *http.Request) {
	d, ok := s.dateParameter(w, r, "date")
	if !ok {
		return
	}
	session, ok := s.sessionOnOrAfter(d)
	if ok && r.URL.Query().Get("date") == "" && !s.clock.Now().Before(s.startOf(session)) {
		session, ok = s.sessionOnOrAfter(session.Date.AddDays(1))
	}
	if !ok {
		s.notFound(w, r)
		return
	}
	writeData(w, r, s.wireSession(session, true))
}

// previousSession serves the session before a date, today without one.
func (s *Simulator) previousSession(w http.ResponseWriter, r *http.Request) {
	d, ok := s.dateParameter(w, r, "date")
	if !ok {
		return
	}
	session, ok := s.sessionBefore(d)
	if !ok {
		s.notFound(w, r)
		return
	}
	writeData(w, r, s.wireSession(session, true))
}

// longestSessions is the span that one request for sessions may have, nine months.
const longestSessions = 275

// listSessions serves GET /market-time/sessions.
func (s *Simulator) listSessions(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("to-date") == "" {
		s.invalidParameter(w, "to-date", "is missing")
		return
	}
	from, ok := s.dateParameter(w, r, "from-date")
	if !ok {
		return
	}
	to, ok := s.dateParameter(w, r, "to-date")
	if !ok {
		return
	}
	if from.DaysUntil(to) > longestSessions {
		s.invalidParameter(w, "to-date", "is more than 9 months after from-date")
		return
	}
	list := []wireSession{}
	if name := r.URL.Query().Get("instrument-collection"); name == "" || strings.EqualFold(name, "Equity") {
		for _, session := range s.calendar.Sessions(from, to) {
			list = append(list, s.wireSession(session, false))
		}
	} else if collection, known := futuresCollection(name); known {
		for _, day := range market.CMEEquityIndex().Days(from, to) {
			list = append(list, wireTradingDay(day, collection, false))
		}
	}
	writeItems(w, r, list, nil)
}

type wireHolidays struct {
	HalfDays []string `json:"market-half-days"`
	Holidays []string `json:"market-holidays"`
}

// holidays serves the closures of last year, this year and the next.
func (s *Simulator) holidays(w http.ResponseWriter, r *http.Request) {
	year := s.today().Year
	answer := wireHolidays{HalfDays: []string{}, Holidays: []string{}}
	last := market.Date{Year: year + 1, Month: time.December, Day: 31}
	for d := (market.Date{Year: year - 1, Month: time.January, Day: 1}); !d.After(last); d = d.AddDays(1) {
		if session, ok := s.calendar.Session(d); ok {
			if session.Early {
				answer.HalfDays = append(answer.HalfDays, d.String())
			}
		} else if weekday := d.Weekday(); weekday != time.Saturday && weekday != time.Sunday {
			answer.Holidays = append(answer.Holidays, d.String())
		}
	}
	writeData(w, r, answer)
}
