package simulator

import (
	"net/http"
	"strings"
	"time"

	"github.com/ttai-go/ttai/market"
)

// The collections of futures that have sessions. All of them keep the hours of
// CME's index futures, as the market's own do.
var futuresCollections = [...]string{"CME", "SMALLS", "CFE", "CBOED"}

// futuresCollection finds a collection of futures by its name in any case.
func futuresCollection(text string) (name string, ok bool) {
	for _, name := range futuresCollections {
		if strings.EqualFold(name, text) {
			return name, true
		}
	}
	return "", false
}

// collection checks the path's collection before a handler.
func (s *Simulator) collection(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if name, ok := futuresCollection(r.PathValue("collection")); ok {
			next(w, r, name)
			return
		}
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find instrument collection "+r.PathValue("collection"))
	}
}

func wireTradingDay(d market.TradingDay, collection string, dated bool) wireSession {
	w := wireSession{
		OpenAt: wireTime(d.Open()), StartAt: wireTime(d.Open()), CloseAt: wireTime(d.Close()), CloseAtExt: wireTime(d.Close()), InstrumentCollection: collection,
	}
	if dated {
		w.SessionDate = d.Date.String()
	}
	return w
}

// futuresDay finds the first trading day on or after a date, or the last one
// before it.
func futuresDay(d market.Date, step int) (market.TradingDay, bool) {
	hours := market.CMEEquityIndex()
	for range 14 {
		if day, ok := hours.Day(d); ok {
			return day, true
		}
		d = d.AddDays(step)
	}
	return market.TradingDay{}, false
}

// futuresAt is the state of the futures market at t.
func (s *Simulator) futuresAt(t time.Time, collection string) (wireCurrentSession, bool) {
	hours := market.CMEEquityIndex()
	date := hours.TradeDate(t)
	current, ok := futuresDay(date, 1)
	if !ok {
		return wireCurrentSession{}, false
	}
	answer := wireCurrentSession{wireSession: wireTradingDay(current, collection, false), State: "Closed"}
	if hours.IsOpen(t) {
		answer.State = "Open"
	}
	next := current // the first that is still to start
	if !t.Before(current.Open()) {
		next, ok = futuresDay(current.Date.AddDays(1), 1)
	}
	if ok {
		w := wireTradingDay(next, collection, true)
		answer.NextSession = &w
	}
	if previous, ok := futuresDay(current.Date.AddDays(-1), -1); ok {
		w := wireTradingDay(previous, collection, true)
		answer.PreviousSession = &w
	}
	return answer, true
}

// currentFutures serves GET /market-time/futures/sessions/current, a list of
// all collections.
func (s *Simulator) currentFutures(w http.ResponseWriter, r *http.Request) {
	list := []wireCurrentSession{}
	for _, name := range futuresCollections {
		if answer, ok := s.futuresAt(s.clock.Now(), name); ok {
			list = append(list, answer)
		}
	}
	writeItems(w, r, list, nil)
}

func (s *Simulator) currentFuturesOf(w http.ResponseWriter, r *http.Request, collection string) {
	answer, ok := s.futuresAt(s.clock.Now(), collection)
	if !ok {
		s.notFound(w, r)
		return
	}
	writeData(w, r, answer)
}

// nextFutures serves the session on or after a date; without one, the next to start.
func (s *Simulator) nextFutures(w http.ResponseWriter, r *http.Request, collection string) {
	d, ok := s.dateParameter(w, r, "date")
	if !ok {
		return
	}
	day, ok := futuresDay(d, 1)
	if ok && r.URL.Query().Get("date") == "" && !s.clock.Now().Before(day.Open()) {
		day, ok = futuresDay(day.Date.AddDays(1), 1)
	}
	if !ok {
		s.notFound(w, r)
		return
	}
	writeData(w, r, wireTradingDay(day, collection, true))
}

// previousFutures serves the session before a date, today without one.
func (s *Simulator) previousFutures(w http.ResponseWriter, r *http.Request, collection string) {
	d, ok := s.dateParameter(w, r, "date")
	if !ok {
		return
	}
	day, ok := futuresDay(d.AddDays(-1), -1)
	if !ok {
		s.notFound(w, r)
		return
	}
	writeData(w, r, wireTradingDay(day, collection, true))
}

// futuresHolidays serves the closures of last year, this year and the next.
func (s *Simulator) futuresHolidays(w http.ResponseWriter, r *http.Request, _ string) {
	hours := market.CMEEquityIndex()
	answer := wireHolidays{HalfDays: []string{}, Holidays: []string{}}
	year := s.today().Year
	last := market.Date{Year: year + 1, Month: time.December, Day: 31}
	for d := (market.Date{Year: year - 1, Month: time.January, Day: 1}); !d.After(last); d = d.AddDays(1) {
		day, ok := hours.Day(d)
		switch weekday := d.Weekday(); {
		case ok && day.Close().Before(d.At(17, 0, s.calendar.Location())):
			answer.HalfDays = append(answer.HalfDays, d.String())
		case !ok && weekday != time.Saturday && weekday != time.Sunday:
			answer.Holidays = append(answer.Holidays, d.String())
		}
	}
	writeData(w, r, answer)
}
