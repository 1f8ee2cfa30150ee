package simulator

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A listBook holds what the customer keeps: watchlists and alerts. They live as
// long as the simulator.
type listBook struct {
	mu         sync.Mutex
	watchlists []wireWatchlist
	alerts     []wireAlert
	made       int // alerts so far
}

// Bounds of what one customer may keep.
const (
	mostLists   = 200
	mostEntries = 1000
	mostAlerts  = 500
)

type wireEntry struct {
	Symbol         string `json:"symbol"`
	InstrumentType string `json:"instrument-type,omitempty"`
}

type wireWatchlist struct {
	Name       string      `json:"name"`
	Entries    []wireEntry `json:"watchlist-entries"`
	GroupName  string      `json:"group-name,omitempty"`
	OrderIndex int         `json:"order-index"`
}

// usualIndex is where a list is shown whose place was not said.
const usualIndex = 9999

// body decodes what was sent, or answers.
func (s *Simulator) body(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	if err := decoder.Decode(into); err != nil {
		s.invalidParameter(w, "body", "is not the JSON that the route takes")
		return false
	}
	return true
}

// sentWatchlist reads and checks a watchlist, or answers.
func (s *Simulator) sentWatchlist(w http.ResponseWriter, r *http.Request) (wireWatchlist, bool) {
	sent := wireWatchlist{OrderIndex: usualIndex}
	if !s.body(w, r, &sent) {
		return sent, false
	}
	sent.Name = strings.TrimSpace(sent.Name)
	switch {
	case sent.Name == "" || len(sent.Name) > 100:
		s.invalidParameter(w, "name", "is missing or too long")
		return sent, false
	case sent.Entries == nil:
		s.invalidParameter(w, "watchlist-entries", "is missing")
		return sent, false
	case len(sent.Entries) > mostEntries:
		s.invalidParameter(w, "watchlist-entries", "has too many entries")
		return sent, false
	}
	for i := range sent.Entries {
		e := &sent.Entries[i]
		if e.Symbol == "" {
			s.invalidParameter(w, "watchlist-entries[symbol]", "is missing")
			return sent, false
		}
		if found, ok := s.instrument(r.Context(), market.Symbol(e.Symbol)); ok && e.InstrumentType == "" {
			e.InstrumentType = instrumentType(found)
		}
	}
	return sent, true
}

// at finds a list by its name, with the book locked.
func (b *listBook) at(name string) int {
	return slices.IndexFunc(b.watchlists, func(l wireWatchlist) bool { return l.Name == name })
}

func (s *Simulator) listWatchlists(w http.ResponseWriter, r *http.Request) {
	book := &caller(r).lists
	book.mu.Lock()
	list := slices.Clone(book.watchlists)
	book.mu.Unlock()
	writeItems(w, r, list, nil)
}

func (s *Simulator) getWatchlist(w http.ResponseWriter, r *http.Request) {
	book := &caller(r).lists
	book.mu.Lock()
	at := book.at(r.PathValue("name"))
	var found wireWatchlist
	if at >= 0 {
		found = book.watchlists[at]
	}
	book.mu.Unlock()
	if at < 0 {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find Watchlist")
		return
	}
	writeData(w, r, found)
}

func (s *Simulator) createWatchlist(w http.ResponseWriter, r *http.Request) {
	book := &caller(r).lists
	sent, ok := s.sentWatchlist(w, r)
	if !ok {
		return
	}
	book.mu.Lock()
	taken, full := book.at(sent.Name) >= 0, len(book.watchlists) >= mostLists
	if !taken && !full {
		book.watchlists = append(book.watchlists, sent)
	}
	book.mu.Unlock()
	switch {
	case taken:
		s.refuse(w, http.StatusUnprocessableEntity, "watchlist_already_exists", "A watchlist of that name exists")
	case full:
		s.refuse(w, http.StatusUnprocessableEntity, "too_many_watchlists", "There are too many watchlists")
	default:
		writeJSON(w, http.StatusCreated, envelope{Data: sent, Context: r.URL.EscapedPath()})
	}
}

func (s *Simulator) replaceWatchlist(w http.ResponseWriter, r *http.Request) {
	book := &caller(r).lists
	sent, ok := s.sentWatchlist(w, r)
	if !ok {
		return
	}
	book.mu.Lock()
	at := book.at(r.PathValue("name"))
	other := book.at(sent.Name)
	taken := other >= 0 && other != at
	if at >= 0 && !taken {
		book.watchlists[at] = sent
	}
	book.mu.Unlock()
	switch {
	case at < 0:
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find Watchlist")
	case taken:
		s.refuse(w, http.StatusUnprocessableEntity, "watchlist_already_exists", "A watchlist of that name exists")
	default:
		writeData(w, r, sent)
	}
}

func (s *Simulator) deleteWatchlist(w http.ResponseWriter, r *http.Request) {
	book := &caller(r).lists
	book.mu.Lock()
	at := book.at(r.PathValue("name"))
	var gone wireWatchlist
	if at >= 0 {
		gone = book.watchlists[at]
		book.watchlists = slices.Delete(book.watchlists, at, at+1)
	}
	book.mu.Unlock()
	if at < 0 {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find Watchlist")
		return
	}
	writeData(w, r, gone)
}

// publicWatchlists are made from what the market lists.
func (s *Simulator) publicWatchlists(ctx context.Context) ([]wireWatchlist, error) {
	all, err := s.everything(ctx)
	if err != nil {
		return nil, err
	}
	groups := []wireWatchlist{{Name: "Shares", OrderIndex: 1}, {Name: "Funds", OrderIndex: 2}, {Name: "Indices", OrderIndex: 3}, {Name: "Futures", OrderIndex: 4}}
	for _, i := range all {
		at := 0
		switch {
		case i.Kind != market.KindEquity:
			continue
		case i.Index:
			at = 2
		case i.ETF:
			at = 1
		}
		groups[at].Entries = append(groups[at].Entries, wireEntry{string(i.Symbol), instrumentType(i)})
	}
	futures, err := s.futures("")
	if err != nil {
		return nil, err
	}
	for _, c := range futures {
		if c.Active {
			groups[3].Entries = append(groups[3].Entries, wireEntry{string(c.Symbol), "Future"})
		}
	}
	for i := range groups {
		groups[i].GroupName = "Simulator"
	}
	return slices.DeleteFunc(groups, func(l wireWatchlist) bool { return len(l.Entries) == 0 }), nil
}

type wireCounted struct {
	Name  string `json:"name"`
	ID    int    `json:"id"`
	Count int    `json:"watchlist-entry-count"`
}

func (s *Simulator) listPublicWatchlists(w http.ResponseWriter, r *http.Request) {
	list, err := s.publicWatchlists(r.Context())
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	if r.URL.Query().Get("counts-only") != "true" {
		writeItems(w, r, list, nil)
		return
	}
	counted := []wireCounted{}
	for _, l := range list {
		counted = append(counted, wireCounted{l.Name, identity(l.Name), len(l.Entries)})
	}
	writeItems(w, r, counted, nil)
}

func (s *Simulator) getPublicWatchlist(w http.ResponseWriter, r *http.Request) {
	list, err := s.publicWatchlists(r.Context())
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	for _, l := range list {
		if l.Name == r.PathValue("name") {
			writeData(w, r, l)
			return
		}
	}
	s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find PublicWatchlist")
}

type wireEquation struct {
	LeftAction    string `json:"left-action"`
	LeftQuantity  int    `json:"left-quantity"`
	LeftSymbol    string `json:"left-symbol"`
	RightAction   string `json:"right-action"`
	RightQuantity int    `json:"right-quantity"`
	RightSymbol   string `json:"right-symbol"`
}

type wirePairs struct {
	Name       string         `json:"name"`
	Equations  []wireEquation `json:"pairs-equations"`
	OrderIndex int            `json:"order-index"`
}

// pairs is the one list of pairs, of symbols that the market has.
func (s *Simulator) pairs(r *http.Request) []wirePairs {
	p := wirePairs{Name: "Indices", Equations: []wireEquation{}, OrderIndex: 1}
	for _, e := range []wireEquation{
		{"Buy", 1, "SPY", "Sell", 1, "QQQ"}, {"Buy", 2, "IWM", "Sell", 1, "SPY"},
	} {
		_, left := s.instrument(r.Context(), market.Symbol(e.LeftSymbol))
		if _, right := s.instrument(r.Context(), market.Symbol(e.RightSymbol)); left && right {
			p.Equations = append(p.Equations, e)
		}
	}
	return []wirePairs{p}
}

func (s *Simulator) listPairs(w http.ResponseWriter, r *http.Request) {
	writeItems(w, r, s.pairs(r), nil)
}

func (s *Simulator) getPairs(w http.ResponseWriter, r *http.Request) {
	for _, p := range s.pairs(r) {
		if p.Name == r.PathValue("name") {
			writeData(w, r, p)
			return
		}
	}
	s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find PairsWatchlist")
}

// customerSince is when the customer came.
func (s *Simulator) customerSince() time.Time { return s.start.AddDate(-3, 0, 0) }
