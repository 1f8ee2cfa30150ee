package tastytrade

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
)

// BacktestHost is the broker's backtesting host. It takes tokens of Production
// and knows no other environment.
const BacktestHost = "https://backtester.vast.tastyworks.com"

// A BacktestStatus says how far a backtest is.
type BacktestStatus string

// The backtest statuses.
const (
	BacktestPending   BacktestStatus = "pending"
	BacktestRunning   BacktestStatus = "running"
	BacktestCompleted BacktestStatus = "completed"
)

// A Backtest is a request to try an options strategy on the past, and its
// results as far as they are there.
type Backtest struct {
	Object
	ID         ID                `json:"id"`
	Symbol     string            `json:"symbol"`
	StartDate  Date              `json:"startDate"`
	EndDate    Date              `json:"endDate"`
	Legs       []BacktestLeg     `json:"legs"`
	Entry      *EntryConditions  `json:"entryConditions"`
	Exit       *ExitConditions   `json:"exitConditions"`
	Status     BacktestStatus    `json:"status"`
	ETA        float64           `json:"ETA"`        // NaN when the broker did not say
	Progress   float64           `json:"progress"`   // NaN when the broker did not say
	Statistics []json.RawMessage `json:"statistics"` // as the broker sends them
	Trials     []Trial           `json:"trials"`
	Snapshots  []TrialSnapshot   `json:"snapshots"`
	Notices    []string          `json:"notices"` // such as a split within the time
}

var backtestCodec = codecFor[Backtest]()

// UnmarshalJSON keeps the JSON; see [Object].
func (b *Backtest) UnmarshalJSON(data []byte) error { return backtestCodec.unmarshal(data, b) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (b Backtest) MarshalJSON() ([]byte, error) { return backtestCodec.marshal(b) }

// A StrikeSelection says how the strike of a [BacktestLeg] is found.
type StrikeSelection string

// The strike selections. Each reads the field of its name.
const (
	ByDelta                           StrikeSelection = "delta"
	ByPercentageOTM                   StrikeSelection = "percentageOTM"
	ByPercentageOTMRelative           StrikeSelection = "percentageOTMRelative" // to StrikeRelativeLeg
	ByCurrentPriceOffset              StrikeSelection = "currentPriceOffset"
	ByCurrentPriceOffsetRelative      StrikeSelection = "currentPriceOffsetRelative"
	ByCurrentPriceExactOffsetRelative StrikeSelection = "currentPriceExactOffsetRelative"
	ByPremium                         StrikeSelection = "premium"
)

// A BacktestLeg is one instrument of a [Backtest].
type BacktestLeg struct {
	Object
	Type                string          `json:"type"`      // "equity" or "equity-option"
	Direction           string          `json:"direction"` // "long" or "short"
	Side                string          `json:"side"`      // "call" or "put"; empty for equity
	Quantity            int             `json:"quantity"`  // 1 to 10 contracts, 1 to 100 shares
	StrikeSelection     StrikeSelection `json:"strikeSelection"`
	StrikeRelativeLeg   *int            `json:"strikeRelativeLeg"` // index of the leg that a relative selection starts from
	Delta               *float64        `json:"delta"`             // 1 to 100
	PercentageOTM       *float64        `json:"percentageOTM"`     // 0.1 is 10 % out of the money, -0.1 in it
	CurrentPriceOffset  *float64        `json:"currentPriceOffset"`
	Premium             *float64        `json:"premium"`
	DaysUntilExpiration int             `json:"daysUntilExpiration"`
}

var backtestLegCodec = codecFor[BacktestLeg]()

// UnmarshalJSON keeps the JSON; see [Object].
func (b *BacktestLeg) UnmarshalJSON(data []byte) error { return backtestLegCodec.unmarshal(data, b) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (b BacktestLeg) MarshalJSON() ([]byte, error) { return backtestLegCodec.marshal(b) }

// EntryConditions say when a backtest opens a trial. Nil is no condition.
type EntryConditions struct {
	Object
	Frequency                   string `json:"frequency"` // "every day", "on specific days of the week", "on exact days to expiration match"
	SpecificDays                []int  `json:"specificDays"`
	MaximumActiveTrials         *int   `json:"maximumActiveTrials"`
	MaximumActiveTrialsBehavior string `json:"maximumActiveTrialsBehavior"` // "don't enter" or "close oldest"
	MinimumVIX                  *int   `json:"minimumVIX"`
	MaximumVIX                  *int   `json:"maximumVIX"`
}

var entryConditionsCodec = codecFor[EntryConditions]()

// UnmarshalJSON keeps the JSON; see [Object].
func (e *EntryConditions) UnmarshalJSON(data []byte) error {
	return entryConditionsCodec.unmarshal(data, e)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (e EntryConditions) MarshalJSON() ([]byte, error) { return entryConditionsCodec.marshal(e) }

// ExitConditions say when a backtest closes a trial. Nil is no condition.
type ExitConditions struct {
	Object
	TakeProfitPercentage *int `json:"takeProfitPercentage"`
	StopLossPercentage   *int `json:"stopLossPercentage"`
	AfterDaysInTrade     *int `json:"afterDaysInTrade"`
	AtDaysToExpiration   *int `json:"atDaysToExpiration"`
	MinimumVIX           *int `json:"minimumVIX"`
}

var exitConditionsCodec = codecFor[ExitConditions]()

// UnmarshalJSON keeps the JSON; see [Object].
func (e *ExitConditions) UnmarshalJSON(data []byte) error {
	return exitConditionsCodec.unmarshal(data, e)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (e ExitConditions) MarshalJSON() ([]byte, error) { return exitConditionsCodec.marshal(e) }

// A Trial is one trade of a backtest.
type Trial struct {
	Object
	OpenDateTime  time.Time `json:"openDateTime"`
	CloseDateTime time.Time `json:"closeDateTime"`
	ProfitLoss    float64   `json:"profitLoss"` // dollars
}

var trialCodec = codecFor[Trial]()

// UnmarshalJSON keeps the JSON; see [Object].
func (t *Trial) UnmarshalJSON(data []byte) error { return trialCodec.unmarshal(data, t) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (t Trial) MarshalJSON() ([]byte, error) { return trialCodec.marshal(t) }

// A TrialSnapshot is the state of a backtest at one time.
type TrialSnapshot struct {
	Object
	DateTime        time.Time `json:"dateTime"`
	ProfitLoss      float64   `json:"profitLoss"` // dollars
	UnderlyingPrice float64   `json:"underlyingPrice"`
}

var trialSnapshotCodec = codecFor[TrialSnapshot]()

// UnmarshalJSON keeps the JSON; see [Object].
func (t *TrialSnapshot) UnmarshalJSON(data []byte) error {
	return trialSnapshotCodec.unmarshal(data, t)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (t TrialSnapshot) MarshalJSON() ([]byte, error) { return trialSnapshotCodec.marshal(t) }

// AvailableDates is the span for which the backtester knows an underlying.
type AvailableDates struct {
	Object
	Symbol    string `json:"symbol"`
	StartDate Date   `json:"startDate"`
	EndDate   Date   `json:"endDate"`
}

var availableDatesCodec = codecFor[AvailableDates]()

// UnmarshalJSON keeps the JSON; see [Object].
func (a *AvailableDates) UnmarshalJSON(data []byte) error {
	return availableDatesCodec.unmarshal(data, a)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (a AvailableDates) MarshalJSON() ([]byte, error) { return availableDatesCodec.marshal(a) }

// A TradeSimulation asks for the past prices of a trade.
type TradeSimulation struct {
	Underlying string
	Start, End time.Time // zero: open
	Legs       []SimulatedLeg
}

// A SimulatedLeg is one instrument of a [TradeSimulation].
type SimulatedLeg struct {
	Symbol    string // OCC symbol of an option, or the underlying
	Direction string // "long" or "short"
	Quantity  int
}

func (t TradeSimulation) check() error {
	if t.Underlying == "" {
		return invalid.Missing("Underlying", "the underlying of the trade")
	}
	if len(t.Legs) == 0 {
		return invalid.Missing("Legs", "at least one leg")
	}
	for _, leg := range t.Legs {
		if leg.Symbol == "" || leg.Quantity <= 0 || leg.Direction != "long" && leg.Direction != "short" {
			return invalid.Field("Legs", leg, "legs with a symbol, long or short, and a positive quantity")
		}
	}
	return nil
}

func (t TradeSimulation) wire() map[string]any {
	legs := make([]map[string]any, len(t.Legs))
	for i, leg := range t.Legs {
		legs[i] = map[string]any{"symbol": leg.Symbol, "direction": leg.Direction, "quantity": leg.Quantity}
	}
	body := map[string]any{"underlying": t.Underlying, "legs": legs}
	if !t.Start.IsZero() {
		body["startTime"] = t.Start.UTC().Format(time.RFC3339)
	}
	if !t.End.IsZero() {
		body["endTime"] = t.End.UTC().Format(time.RFC3339)
	}
	return body
}

// A SimulatedPrice is what a trade was worth at one time.
type SimulatedPrice struct {
	Object
	Time            time.Time        `json:"dateTime"`
	Price           *decimal.Decimal `json:"price"`  // a magnitude
	Effect          Effect           `json:"effect"` // "debit" or "credit", in small letters here
	UnderlyingPrice *decimal.Decimal `json:"underlyingPrice"`
	Delta           float64          `json:"delta"`
}

var simulatedPriceCodec = codecFor[SimulatedPrice]()

// UnmarshalJSON keeps the JSON; see [Object].
func (s *SimulatedPrice) UnmarshalJSON(data []byte) error {
	return simulatedPriceCodec.unmarshal(data, s)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (s SimulatedPrice) MarshalJSON() ([]byte, error) { return simulatedPriceCodec.marshal(s) }

// SignedPrice is the price, negative for a debit; nil when it is unknown.
func (s SimulatedPrice) SignedPrice() *decimal.Decimal {
	if s.Price == nil || !strings.EqualFold(string(s.Effect), string(Debit)) {
		return s.Price
	}
	d := s.Price.Abs().Neg()
	return &d
}

// BacktestsService tries options strategies on the past, on a host of its own
// that takes the same token. Its answers have no envelope and write their names
// in camel case.
type BacktestsService struct{ client *Client }

// backtestClient returns the client of the backtesting host, nil when the
// environment has none.
func backtestClient(options rest.Options, url string) (*rest.Client, error) {
	if url == "" {
		if environmentOf(options.BaseURL) != Production || options.Dial != nil {
			return nil, nil
		}
		url = BacktestHost
	}
	options.BaseURL = url
	return rest.New(options)
}

// at directs a call to the backtesting host.
func (s *BacktestsService) at(r *call) *call {
	r.host, r.flat, r.noPin = s.client.backtests, true, true
	if r.host == nil && r.invalid == nil {
		r.invalid = invalid.Missing("BacktestURL", "the base URL of a backtesting host: the broker has one for production only")
	}
	return r
}

// List returns the ids of the user's backtests.
//
// GET /backtests
func (s *BacktestsService) List(ctx context.Context) ([]ID, error) {
	r := s.at(get("/backtests"))
	data, _, err := s.client.do(ctx, r)
	if err != nil {
		return nil, err
	}
	elems, err := items(data)
	if err != nil {
		return nil, malformed(r, err)
	}
	ids := make([]ID, len(elems))
	for i, e := range elems {
		text, ok := scalar(e)
		if !ok {
			return nil, malformed(r, errShape)
		}
		ids[i] = ID(text)
	}
	return ids, nil
}

// Create starts a backtest. Get tells how far it is.
//
// POST /backtests
func (s *BacktestsService) Create(ctx context.Context, backtest Backtest) (*Backtest, error) {
	r := post("/backtests").sending(backtest)
	switch {
	case backtest.Symbol == "":
		r.invalid = invalid.Missing("Symbol", "the underlying to try the strategy on")
	case len(backtest.Legs) == 0:
		r.invalid = invalid.Missing("Legs", "at least one leg")
	}
	return one[Backtest](ctx, s.client, s.at(r), backtestCodec)
}

// Get returns a backtest and what it has found so far.
//
// GET /backtests/{id}
func (s *BacktestsService) Get(ctx context.Context, id ID) (*Backtest, error) {
	return one[Backtest](ctx, s.client, s.at(get("/backtests/{id}", string(id))), backtestCodec)
}

// Logs returns the log of a backtest as the host sends it, text or JSON.
//
// GET /backtests/{id}/logs
func (s *BacktestsService) Logs(ctx context.Context, id ID) ([]byte, error) {
	resp, err := s.client.attempt(ctx, s.at(get("/backtests/{id}/logs", string(id))))
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// Cancel stops a backtest.
//
// POST /backtests/{id}/cancel
func (s *BacktestsService) Cancel(ctx context.Context, id ID) error {
	return s.client.exec(ctx, s.at(post("/backtests/{id}/cancel", string(id))))
}

// AvailableDates returns the underlyings that can be tried, and since when.
//
// GET /available-dates
func (s *BacktestsService) AvailableDates(ctx context.Context) ([]AvailableDates, error) {
	out, _, err := many[AvailableDates](ctx, s.client, s.at(get("/available-dates")), availableDatesCodec)
	return out, err
}

// SimulateTrade returns the past prices of a trade.
//
// POST /simulate-trade
func (s *BacktestsService) SimulateTrade(ctx context.Context, trade TradeSimulation) ([]SimulatedPrice, error) {
	r := post("/simulate-trade").sending(trade.wire())
	r.invalid = trade.check()
	out, _, err := many[SimulatedPrice](ctx, s.client, s.at(r), simulatedPriceCodec)
	return out, err
}
