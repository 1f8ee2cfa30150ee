package simulator

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// controlRoutes are those that the real service does not have: they say and
// change how the simulator runs. All but GET /simulator/clock and GET
// /simulator/news.rss need the access
// token of a customer.
func (s *Simulator) controlRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"POST /simulator/clock":         s.setClock,
		"GET /simulator/faults":         s.getFaults,
		"PUT /simulator/faults":         s.putFaults,
		"PUT /simulator/quotes":         s.putQuote,
		"DELETE /simulator/quotes":      s.deleteQuotes,
		"POST /simulator/tokens/expire": s.expireTokens,
		"POST /simulator/streams/drop":  s.dropStreams,
		"POST /simulator/messages":      s.postMessage,
		"GET /simulator/news":           s.getNews,
		"POST /simulator/news":          s.postNews,
		"GET /simulator/snapshot":       s.getSnapshot,
		"PUT /simulator/snapshot":       s.putSnapshot,
	}
}

type clockAnswer struct {
	Now     time.Time `json:"now"`
	Start   time.Time `json:"start"`
	Speed   float64   `json:"speed"`
	Stopped bool      `json:"stopped,omitempty"`
	Seed    uint64    `json:"seed"`
	Note    string    `json:"note"`
}

func (s *Simulator) clockState() clockAnswer {
	a := clockAnswer{Now: s.clock.Now(), Start: s.start, Speed: s.speed, Seed: s.seed, Note: s.note}
	if c, ok := s.clock.(*Clock); ok {
		a.Speed, a.Stopped = c.Speed(), c.Stopped()
	}
	return a
}

// getClock serves GET /simulator/clock: what time it is in the simulated market.
func (s *Simulator) getClock(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, s.clockState())
}

// setClock serves POST /simulator/clock. The body has any of stopped (true or
// false), speed (a number) and step (a duration such as "90s"), applied in this
// order.
func (s *Simulator) setClock(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Stopped *bool    `json:"stopped"`
		Speed   *float64 `json:"speed"`
		Step    string   `json:"step"`
	}
	if !s.body(w, r, &sent) {
		return
	}
	var err error
	if sent.Stopped != nil {
		if err = s.Resume(); *sent.Stopped {
			err = s.Pause()
		}
	}
	if sent.Speed != nil && err == nil {
		if c, ok := s.clock.(*Clock); ok {
			err = c.SetSpeed(*sent.Speed)
		} else {
			err = invalid.Field("speed", *sent.Speed, "nothing: this clock has no speed that could be set")
		}
	}
	if sent.Step != "" && err == nil {
		var d time.Duration
		if d, err = time.ParseDuration(sent.Step); err == nil {
			err = s.Step(d)
		}
	}
	if err != nil {
		s.refuseField(w, err)
		return
	}
	writeJSON(w, http.StatusOK, s.clockState())
}

// refuseField answers 400 with what a method of the simulator refused.
func (s *Simulator) refuseField(w http.ResponseWriter, err error) {
	if field, ok := errors.AsType[*FieldError](err); ok {
		s.invalidParameter(w, field.Field, "is not "+field.Allowed)
		return
	}
	s.invalidParameter(w, "body", err.Error())
}

func (s *Simulator) getFaults(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, s.Faults())
}

// putFaults serves PUT /simulator/faults with a list of rules.
func (s *Simulator) putFaults(w http.ResponseWriter, r *http.Request) {
	rules := []FaultRule{}
	if !s.body(w, r, &rules) {
		return
	}
	if err := s.SetFaults(rules...); err != nil {
		s.refuseField(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// putQuote serves PUT /simulator/quotes with one quote to be set.
func (s *Simulator) putQuote(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Symbol  market.Symbol `json:"symbol"`
		Bid     *float64      `json:"bid"`
		Ask     *float64      `json:"ask"`
		Last    *float64      `json:"last"`
		BidSize *float64      `json:"bid-size"`
		AskSize *float64      `json:"ask-size"`
		Halted  bool          `json:"halted"`
	}
	if !s.body(w, r, &sent) {
		return
	}
	q := market.NewQuote(sent.Symbol)
	for _, field := range []struct{ to, from *float64 }{
		{&q.Bid, sent.Bid}, {&q.Ask, sent.Ask}, {&q.Last, sent.Last}, {&q.BidSize, sent.BidSize}, {&q.AskSize, sent.AskSize}} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	q.Halted = sent.Halted
	if err := s.SetQuote(q); err != nil {
		s.refuseField(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// deleteQuotes serves DELETE /simulator/quotes?symbol=SPY; without a symbol all
// are given back to the market.
func (s *Simulator) deleteQuotes(w http.ResponseWriter, r *http.Request) {
	var symbols []market.Symbol
	for _, symbol := range r.URL.Query()["symbol"] {
		symbols = append(symbols, market.Symbol(symbol))
	}
	s.ClearQuotes(symbols...)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) expireTokens(w http.ResponseWriter, r *http.Request) {
	s.ExpireTokens()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) dropStreams(w http.ResponseWriter, r *http.Request) {
	s.DropStreams()
	w.WriteHeader(http.StatusNoContent)
}

// postMessage serves POST /simulator/messages: a message to the caller's streams.
func (s *Simulator) postMessage(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Title   string `json:"title"`
		Message string `json:"message"`
	}
	if s.body(w, r, &sent) {
		s.SendMessage(caller(r).id, sent.Title, sent.Message)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Simulator) getSnapshot(w http.ResponseWriter, r *http.Request) {
	data, err := s.Snapshot()
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, json.RawMessage(data))
}

func (s *Simulator) putSnapshot(w http.ResponseWriter, r *http.Request) {
	var data json.RawMessage
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 256<<20))
	if err := decoder.Decode(&data); err != nil {
		s.invalidParameter(w, "body", "is not a snapshot")
		return
	}
	if err := s.Restore(data); err != nil {
		s.refuseField(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
