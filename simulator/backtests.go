package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A backtestBook holds the backtests of one customer.
type backtestBook struct {
	mu    sync.Mutex
	tests []*backtest
}

// mostBacktests is how many backtests a customer keeps; older ones are dropped.
const mostBacktests = 50

type backtestLeg struct {
	Type                string   `json:"type"`
	Direction           string   `json:"direction"`
	Side                string   `json:"side,omitempty"`
	Quantity            int      `json:"quantity"`
	StrikeSelection     string   `json:"strikeSelection"`
	StrikeRelativeLeg   *int     `json:"strikeRelativeLeg,omitempty"`
	Delta               *float64 `json:"delta,omitempty"`
	PercentageOTM       *float64 `json:"percentageOTM,omitempty"`
	CurrentPriceOffset  *float64 `json:"currentPriceOffset,omitempty"`
	Premium             *float64 `json:"premium,omitempty"`
	DaysUntilExpiration int      `json:"daysUntilExpiration"`
}

type entryConditions struct {
	Frequency           *string `json:"frequency"`
	SpecificDays        []int   `json:"specificDays"`
	MaximumActiveTrials *int    `json:"maximumActiveTrials"`
	Behavior            *string `json:"maximumActiveTrialsBehavior"`
	MinimumVIX          *int    `json:"minimumVIX"`
	MaximumVIX          *int    `json:"maximumVIX"`
}

type exitConditions struct {
	TakeProfit   *int `json:"takeProfitPercentage"`
	StopLoss     *int `json:"stopLossPercentage"`
	DaysInTrade  *int `json:"afterDaysInTrade"`
	DaysToExpiry *int `json:"atDaysToExpiration"`
	MinimumVIX   *int `json:"minimumVIX"`
}

// A wireBacktest is a backtest as its host shows it: camel case, no envelope.
type wireBacktest struct {
	ID         string             `json:"id,omitempty"`
	Symbol     string             `json:"symbol"`
	StartDate  string             `json:"startDate"`
	EndDate    string             `json:"endDate"`
	Legs       []backtestLeg      `json:"legs"`
	Entry      *entryConditions   `json:"entryConditions,omitempty"`
	Exit       *exitConditions    `json:"exitConditions,omitempty"`
	ETA        float64            `json:"ETA"`
	Progress   float64            `json:"progress"`
	Status     string             `json:"status"`
	Statistics []backtestFigure   `json:"statistics"`
	Trials     []backtestTrial    `json:"trials"`
	Snapshots  []backtestSnapshot `json:"snapshots"`
	Notices    []string           `json:"notices"`
}

type backtestFigure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

type backtestTrial struct {
	Open       string  `json:"openDateTime"`
	Close      string  `json:"closeDateTime"`
	ProfitLoss float64 `json:"profitLoss"`
}

type backtestSnapshot struct {
	Time            string  `json:"dateTime"`
	ProfitLoss      float64 `json:"profitLoss"`
	UnderlyingPrice float64 `json:"underlyingPrice"`
}

// A backtest is one being run.
type backtest struct {
	mu        sync.Mutex
	wire      wireBacktest
	logs      []string
	cancelled bool
	began     time.Time // computer's time
}

func (b *backtest) shown() wireBacktest {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.wire
	w.Statistics, w.Trials = slices.Clone(w.Statistics), slices.Clone(w.Trials)
	w.Snapshots, w.Notices = slices.Clone(w.Snapshots), slices.Clone(w.Notices)
	return w
}

func (b *backtest) log(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.logs = append(b.logs, fmt.Sprintf(format, args...))
}

func (s *Simulator) backtestRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /backtests":              s.listBacktests,
		"POST /backtests":             s.createBacktest,
		"GET /backtests/{id}":         s.getBacktest,
		"GET /backtests/{id}/logs":    s.backtestLogs,
		"POST /backtests/{id}/cancel": s.cancelBacktest,
		"GET /available-dates":        s.availableDates,
		"POST /simulate-trade":        s.simulateTrade,
	}
}

func (s *Simulator) listBacktests(w http.ResponseWriter, r *http.Request) {
	book := &caller(r).backtests
	book.mu.Lock()
	defer book.mu.Unlock()
	ids := []string{}
	for _, b := range book.tests {
		ids = append(ids, b.wire.ID)
	}
	writeJSON(w, http.StatusOK, ids)
}

// refusePlain answers as the backtesting host does: with a message alone.
func refusePlain(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"message": message})
}

func (s *Simulator) createBacktest(w http.ResponseWriter, r *http.Request) {
	var sent wireBacktest
	if !s.body(w, r, &sent) {
		return
	}
	plan, problem := s.planBacktest(r, &sent)
	if problem != "" {
		refusePlain(w, http.StatusBadRequest, problem)
		return
	}
	b := &backtest{wire: sent, began: s.wall.Now()}
	id, err := newSecret(s.random, 12)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	b.wire.ID, b.wire.Status, b.wire.Progress, b.wire.ETA = id, "pending", 0, 0
	b.wire.Statistics, b.wire.Trials, b.wire.Snapshots, b.wire.Notices = []backtestFigure{}, []backtestTrial{}, []backtestSnapshot{}, []string{}
	book := &caller(r).backtests
	book.mu.Lock()
	book.tests = append(book.tests, b)
	book.tests = book.tests[max(0, len(book.tests)-mostBacktests):]
	book.mu.Unlock()
	answer := b.shown()
	if s.gate.enter() {
		go func() {
			defer s.gate.leave()
			plan.run(s.ctx, b)
		}()
	}
	writeJSON(w, http.StatusCreated, answer)
}

// planBacktest checks a backtest and says what is wrong with it.
func (s *Simulator) planBacktest(r *http.Request, b *wireBacktest) (*backtestPlan, string) {
	p := &backtestPlan{sim: s, symbol: market.Symbol(b.Symbol), entry: entryConditions{}, legs: b.Legs}
	chains, ok := s.base.(chainMemory)
	past, remembers := s.base.(pastMarket)
	i, known := s.instrument(r.Context(), p.symbol)
	if !ok || !remembers || !known || !i.Optionable {
		return nil, "Symbol not supported"
	}
	p.chains, p.past = chains, past
	var err error
	if p.from, err = market.ParseDate(b.StartDate); err != nil {
		return nil, "startDate is not a date"
	}
	if p.to, err = market.ParseDate(b.EndDate); err != nil || p.to.Before(p.from) {
		return nil, "endDate is not a date on or after startDate"
	}
	if !p.to.Before(s.today()) {
		p.to = s.today().AddDays(-1)
	}
	if n := len(b.Legs); n == 0 || n > 4 {
		return nil, "legs must be 1 to 4"
	}
	for i := range b.Legs {
		if problem := b.Legs[i].check(i); problem != "" {
			return nil, "legs[" + strconv.Itoa(i) + "] " + problem
		}
	}
	if b.Entry != nil {
		p.entry = *b.Entry
	}
	if b.Exit != nil {
		p.exit = *b.Exit
	}
	return p, ""
}

func (l *backtestLeg) check(index int) string {
	option := l.Type == "equity-option"
	switch {
	case l.Type != "equity" && !option:
		return "type is not equity or equity-option"
	case l.Direction != "long" && l.Direction != "short":
		return "direction is not long or short"
	case option && l.Side != "call" && l.Side != "put":
		return "side is not call or put"
	case l.Quantity < 1 || l.Quantity > 100:
		return "quantity is not 1 to 100"
	case !option:
		return ""
	case l.DaysUntilExpiration < 0:
		return "daysUntilExpiration is negative"
	}
	var needed *float64
	relative := false
	switch l.StrikeSelection {
	case "delta":
		needed = l.Delta
	case "percentageOTM":
		needed = l.PercentageOTM
	case "percentageOTMRelative":
		needed, relative = l.PercentageOTM, true
	case "currentPriceOffset":
		needed = l.CurrentPriceOffset
	case "currentPriceOffsetRelative", "currentPriceExactOffsetRelative":
		needed, relative = l.CurrentPriceOffset, true
	case "premium":
		needed = l.Premium
	default:
		return "strikeSelection does not have a valid value"
	}
	if needed == nil {
		return "lacks the value of its strikeSelection"
	}
	if relative && (l.StrikeRelativeLeg == nil || *l.StrikeRelativeLeg < 0 || *l.StrikeRelativeLeg >= index) {
		return "strikeRelativeLeg is not an earlier leg"
	}
	return ""
}

// backtest is the one that the path names, or answers.
func (s *Simulator) backtest(w http.ResponseWriter, r *http.Request) (*backtest, bool) {
	book := &caller(r).backtests
	book.mu.Lock()
	defer book.mu.Unlock()
	for _, b := range book.tests {
		if b.wire.ID == r.PathValue("id") {
			return b, true
		}
	}
	refusePlain(w, http.StatusNotFound, "Backtest not found")
	return nil, false
}

func (s *Simulator) getBacktest(w http.ResponseWriter, r *http.Request) {
	if b, ok := s.backtest(w, r); ok {
		writeJSON(w, http.StatusOK, b.shown())
	}
}

func (s *Simulator) backtestLogs(w http.ResponseWriter, r *http.Request) {
	if b, ok := s.backtest(w, r); ok {
		b.mu.Lock()
		logs := append([]string{}, b.logs...)
		b.mu.Unlock()
		writeJSON(w, http.StatusOK, logs)
	}
}

func (s *Simulator) cancelBacktest(w http.ResponseWriter, r *http.Request) {
	if b, ok := s.backtest(w, r); ok {
		b.mu.Lock()
		b.cancelled = true
		b.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	}
}

type wireDates struct {
	Symbol    string `json:"symbol"`
	StartDate string `json:"startDate"`
	EndDate   string `json:"endDate"`
}

// backtestYears is how far back backtests go at most.
const backtestYears = 3

// availableDates serves GET /available-dates: the underlyings whose chains the
// market remembers, from their first bar on, at most a few years.
func (s *Simulator) availableDates(w http.ResponseWriter, r *http.Request) {
	list := []wireDates{}
	if _, ok := s.base.(chainMemory); ok {
		all, err := s.everything(r.Context())
		if err != nil {
			s.internalError(w, r, err)
			return
		}
		end := s.today().AddDays(-1)
		earliest := market.DateOf(time.Date(end.Year-backtestYears, end.Month, end.Day, 12, 0, 0, 0, time.UTC))
		for _, i := range all {
			if i.Kind == market.KindEquity && i.Optionable {
				list = append(list, wireDates{string(i.Symbol), earliest.String(), end.String()})
			}
		}
	}
	writeJSON(w, http.StatusOK, list)
}

type simulatedTrade struct {
	Underlying string `json:"underlying"`
	StartTime  string `json:"startTime"`
	EndTime    string `json:"endTime"`
	Legs       []struct {
		Symbol    string `json:"symbol"`
		Direction string `json:"direction"`
		Quantity  int    `json:"quantity"`
	} `json:"legs"`
}

type simulatedPrice struct {
	Time            string  `json:"dateTime"`
	Price           float64 `json:"price"`
	Effect          string  `json:"effect"`
	UnderlyingPrice float64 `json:"underlyingPrice"`
	Delta           float64 `json:"delta"`
}

// mostPrices is how many prices of a trade one answer has.
const mostPrices = 1000

// simulateTrade serves POST /simulate-trade: what a trade would have cost at past
// closes, or every half hour when the time asked for is short.
func (s *Simulator) simulateTrade(w http.ResponseWriter, r *http.Request) {
	var sent simulatedTrade
	if !s.body(w, r, &sent) {
		return
	}
	chains, ok := s.base.(chainMemory)
	past, remembers := s.base.(pastMarket)
	if !ok || !remembers {
		refusePlain(w, http.StatusBadRequest, "Symbol not supported")
		return
	}
	now := s.clock.Now()
	from, to := now.AddDate(0, -1, 0), now
	for text, at := range map[string]*time.Time{sent.StartTime: &from, sent.EndTime: &to} {
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			refusePlain(w, http.StatusBadRequest, "startTime and endTime are ISO 8601 times")
			return
		}
		*at = t
	}
	if to.After(now) {
		to = now
	}
	priced := pricedTrade{past: past, chains: chains, underlying: market.Symbol(sent.Underlying)}
	for _, leg := range sent.Legs {
		symbol, err := market.ParseSymbol(leg.Symbol)
		if err != nil || leg.Quantity < 1 || leg.Direction != "long" && leg.Direction != "short" {
			refusePlain(w, http.StatusBadRequest, "legs have a symbol, a direction and a quantity")
			return
		}
		quantity := float64(leg.Quantity)
		if leg.Direction == "short" {
			quantity = -quantity
		}
		priced.legs = append(priced.legs, pricedLeg{symbol, quantity})
	}
	if len(priced.legs) == 0 {
		refusePlain(w, http.StatusBadRequest, "legs are missing")
		return
	}
	list := []simulatedPrice{}
	times := s.historyTimes(from, to)
	for _, t := range times[max(0, len(times)-mostPrices):] {
		if r.Context().Err() != nil {
			return
		}
		if p, ok := priced.at(t); ok {
			list = append(list, p)
		}
	}
	writeJSON(w, http.StatusOK, list)
}
