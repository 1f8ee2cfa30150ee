package analysts

import (
	"github.com/ttai-go/ttai/agents"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// NoModel is what [Analysis].Model says: rules alone made the result.
const NoModel = "none (rule-based)"

// NotAdvice stands in every analysis.
const NotAdvice = "Computed by fixed rules from the evidence listed; not investment advice."

// NotAdviceModel stands in analyses that have words of a model.
const NotAdviceModel = "Explained by a model from the evidence listed, which is computed; not investment advice."

// An Analysis is what the analysts found out about one symbol at one instant:
// the evidence, four views of it, the panel's verdict and concrete candidates.
// It is plain data: it reads back from its JSON as it was written, apart from
// Chart and Transcript.
type Analysis struct {
	Symbol      market.Symbol      `json:"symbol"`
	Description string             `json:"description,omitempty"`
	At          time.Time          `json:"at"` // what was known at this instant, in New York's time
	Environment broker.Environment `json:"environment"`
	Notice      string             `json:"notice,omitempty"`
	Model       string             `json:"model"` // whose words it has, provider/model; NoModel for rules alone
	// Fallback says where and why the rules stand although a model was asked.
	Fallback   string `json:"fallback,omitempty"`
	Disclaimer string `json:"disclaimer"`

	// Summary is one paragraph for people; every number in it is evidence.
	Summary    string      `json:"summary"`
	Verdict    Verdict     `json:"verdict"`
	Views      []View      `json:"views"`
	Candidates []Candidate `json:"candidates"`
	// CandidateMethod says how the numbers of a candidate follow from its
	// quote and the evidence; empty when there are no candidates.
	CandidateMethod string `json:"candidate_method,omitempty"`

	Evidence []Evidence `json:"evidence"`

	// Usage and Cost (in US dollars; nil: not known, or no model) are of all that was
	// asked of the model.
	Usage agents.Usage     `json:"usage,omitzero"`
	Cost  *decimal.Decimal `json:"cost,omitempty"`

	// Transcript is all that was said, by analyst. It is not part of the JSON.
	Transcript []agents.Entry `json:"-"`
	// Chart is what a drawing needs. It is not part of the JSON.
	Chart *Chart `json:"-"`
}

// Find returns the evidence with that id; ok is false when there is none.
func (a *Analysis) Find(id string) (e Evidence, ok bool) {
	for _, e := range a.Evidence {
		if e.ID == id {
			return e, true
		}
	}
	return Evidence{}, false
}

// A Group is a kind of evidence. Evidence of the groups trend, momentum,
// volatility and levels is computed from complete daily bars alone.
type Group string

// The groups, in the order in which an analysis lists them.
const (
	GroupData         Group = "data"
	GroupQuote        Group = "quote"
	GroupTrend        Group = "trend"
	GroupMomentum     Group = "momentum"
	GroupVolatility   Group = "volatility"
	GroupLevels       Group = "levels"
	GroupOptions      Group = "options"
	GroupEvents       Group = "events"
	GroupFundamentals Group = "fundamentals"
	GroupMarket       Group = "market"
	GroupRisk         Group = "risk"
	GroupNews         Group = "news"
	GroupKnowledge    Group = "knowledge"
	GroupRecord       Group = "record"
	GroupPortfolio    Group = "portfolio"
)

// The units of evidence.
const (
	UnitDollars  = "USD"
	UnitFraction = "fraction" // 0.05 is 5 %
	UnitPerYear  = "per year" // a fraction per year: volatilities, yields, rates
	UnitRatio    = "ratio"
	UnitATR      = "ATR" // multiples of volatility.atr
	UnitIndex    = "0-100"
	UnitDays     = "days"    // calendar days
	UnitMinutes  = "minutes" // of regular trading
	UnitBars     = "bars"
	UnitShares   = "shares"
	UnitLots     = "contracts"
	UnitCount    = "count"
	UnitFlag     = "flag" // 1 yes, 0 no
	UnitSign     = "sign" // +1, 0 or -1
)

// An Evidence is one measured fact, or the statement why it could not be
// measured.
type Evidence struct {
	// ID is stable and readable, its group first: "trend.sma200_distance",
	// "levels.support.1".
	ID   string `json:"id"`
	Name string `json:"name"`
	// Value is not rounded; NaN (null in JSON) when absent.
	Value market.Float `json:"value"`
	Unit  string       `json:"unit,omitempty"`
	// Text is Value for people, rounded, and what no number can say.
	Text string `json:"text,omitempty"`
	// Amount is the exact amount of money of the portfolio's evidence.
	Amount *decimal.Decimal `json:"amount,omitempty"`
	// DistanceATR is set for levels: (level − last close) / ATR, negative below.
	DistanceATR *market.Float `json:"distance_atr,omitempty"`
	// At is the time the value is of: the end of the last bar, the quote's time.
	At time.Time `json:"at,omitzero"`
	// Method is how the value was computed: formula, inputs and window.
	Method string `json:"method,omitempty"`
	// Absent is why there is no value, and empty when there is one.
	Absent string `json:"absent,omitempty"`
}

// Group returns the kind of evidence, the first word of its id.
func (e Evidence) Group() Group {
	group, _, _ := strings.Cut(e.ID, ".")
	return Group(group)
}

// Known reports whether e holds a value.
func (e Evidence) Known() bool { return e.Absent == "" }

// A Reason is a sentence that stands on evidence.
type Reason struct {
	Text string `json:"text"`
	// Weight is the reason's share of the score of its view, or of the panel's
	// mean; the weights of a list add up to that score, but for rounding and
	// for reasons lighter than 0.005, which are left out. 0 in lists that are
	// not scored.
	Weight float64 `json:"weight,omitempty"`
	// Evidence are ids of Analysis.Evidence.
	Evidence []string `json:"evidence"`
}

// A Stance is the side that a view takes.
type Stance string

// The stances: of the chart, and of the options and research views about
// selling options on the symbol.
const (
	Bullish      Stance = "bullish"
	Bearish      Stance = "bearish"
	Favourable   Stance = "favourable"
	Unfavourable Stance = "unfavourable"
	Neutral      Stance = "neutral"
	NoStance     Stance = "none" // there was no evidence to judge
)

// The views.
const (
	ViewChart    = "chart"
	ViewOptions  = "options"
	ViewResearch = "research"
	ViewRisk     = "risk"
)

// A View is one analyst's reading of the evidence.
type View struct {
	Name   string `json:"name"`
	Stance Stance `json:"stance"`
	// Score is from -1 to +1; NaN when Stance is NoStance.
	Score market.Float `json:"score"`
	// Reasons are by descending size of weight.
	Reasons []Reason `json:"reasons"`
	// Absent says why there is no stance.
	Absent string `json:"absent,omitempty"`
	// By is the model whose view it is; empty: the rules'.
	By string `json:"by,omitempty"`
}

// A Decision is the panel's answer to: is this a symbol to sell a
// cash-secured put or a covered call on now?
type Decision string

// The decisions.
const (
	DecisionSelect  Decision = "select"
	DecisionNeutral Decision = "neutral"
	DecisionReject  Decision = "reject"
)

// A Verdict is what the panel decided.
type Verdict struct {
	Decision Decision `json:"decision"`
	// By is the model that decided, within what the vetoes allow; empty: the rules.
	By string `json:"by,omitempty"`
	// Score is from 0 to 100: 50 + 50 × the weighted mean of the views' scores,
	// held at no more than 50 by a veto.
	Score float64 `json:"score"`
	// Reasons are one per view that took a stance.
	Reasons []Reason `json:"reasons"`
	// Vetoes are rules that no score outweighs.
	Vetoes []Reason `json:"vetoes,omitempty"`
	// Dissent names views that lean the other way than the mean.
	Dissent []Reason `json:"dissent,omitempty"`
}

// A Strategy is a way to trade options on a symbol.
type Strategy string

// The strategies.
const (
	CashSecuredPut Strategy = "cash_secured_put"
	CoveredCall    Strategy = "covered_call"
	// Wheel is a covered call where a hundred shares are free, else a cash-secured put.
	Wheel      Strategy = "wheel"
	BullPut    Strategy = "bull_put"  // a put sold and one below bought
	BearCall   Strategy = "bear_call" // a call sold and one above bought
	IronCondor Strategy = "iron_condor"
	Calendar   Strategy = "calendar" // a call at the money sold, and one that expires later bought
	// GammaScalp is a straddle at the money bought, to be hedged with shares.
	GammaScalp Strategy = "gamma_scalp"
)

// Strategies returns all strategies that candidates can be looked for.
func Strategies() []Strategy {
	return []Strategy{CashSecuredPut, CoveredCall, Wheel, BullPut, BearCall, IronCondor, Calendar, GammaScalp}
}

// A Candidate is a concrete contract to sell, with what it brings and risks.
// Amounts of money are for one contract, signed (received +), before fees.
// Computed numbers are rounded to a millionth.
type Candidate struct {
	Strategy   Strategy      `json:"strategy"`
	Symbol     market.Symbol `json:"symbol"` // the contract
	Strike     market.Float  `json:"strike"`
	Expiration market.Date   `json:"expiration"`
	Days       int           `json:"days"` // calendar days to expiration

	Bid    market.Float `json:"bid"`
	Mid    market.Float `json:"mid"`
	Ask    market.Float `json:"ask"`
	Spread market.Float `json:"spread"` // (ask − bid) / mid
	IV     market.Float `json:"iv"`     // per year, from mid
	Delta  market.Float `json:"delta"`  // of the contract, per share; the seller's is its negative
	// Volume and OpenInterest are in contracts.
	Volume       market.Float `json:"volume"`
	OpenInterest market.Float `json:"open_interest"`

	// CreditBid and CreditMid are what selling one contract brings at once.
	CreditBid decimal.Decimal `json:"credit_bid"`
	CreditMid decimal.Decimal `json:"credit_mid"`
	// CapitalRequired is what stands behind one contract: the cash that would
	// buy the shares at the strike, or the shares' value.
	CapitalRequired decimal.Decimal `json:"capital_required"`
	// Return is CreditMid / CapitalRequired until expiration; Annualized is
	// Return × 365 / Days, without compounding.
	Return     market.Float `json:"return_on_capital"`
	Annualized market.Float `json:"return_annualized"`
	// Breakeven is the underlying's price at expiration below which the
	// position loses money.
	Breakeven market.Float `json:"breakeven"`
	// ProbabilityOfProfit is the risk-neutral probability that the underlying
	// is above Breakeven at expiration, at the contract's own IV.
	ProbabilityOfProfit market.Float `json:"probability_of_profit"`
	// ProbabilityITM is the risk-neutral probability of expiring in the money.
	ProbabilityITM market.Float `json:"probability_itm"`

	// SupportID is the evidence of the nearest support below the underlying's
	// price. SupportDistanceATR and SupportDistance say how far the strike is
	// from it, (strike − support) / ATR and / support: negative means that the
	// strike lies below the support.
	SupportID          string       `json:"support_id,omitempty"`
	SupportDistanceATR market.Float `json:"support_distance_atr"`
	SupportDistance    market.Float `json:"support_distance"`
	// ResistanceID and ResistanceDistanceATR say the same of the nearest
	// resistance above.
	ResistanceID          string       `json:"resistance_id,omitempty"`
	ResistanceDistanceATR market.Float `json:"resistance_distance_atr"`

	// Legs are the contracts of a strategy of several, for one unit; Symbol, Bid, Mid,
	// Ask, IV and Delta are then those of the leg that is sold first.
	Legs []CandidateLeg `json:"legs,omitempty"`
	// MaxGain and MaxLoss are of a strategy of several legs at its first expiration,
	// for one unit in dollars; null when unbounded or not exact.
	MaxGain *market.Float `json:"max_gain,omitempty"`
	MaxLoss *market.Float `json:"max_loss,omitempty"`

	// Needs says what must be held: "100 shares", "cash of 54000".
	Needs string `json:"needs"`
	// Held tells whether the portfolio holds it; nil when that is not known.
	Held *bool `json:"held,omitempty"`
	// Vetoes are reasons against selling it; a candidate with one is shown only
	// when there is no other of its strategy.
	Vetoes   []Reason `json:"vetoes,omitempty"`
	Warnings []Reason `json:"warnings,omitempty"`
	// Evidence are the ids that the numbers stand on, beside the contract's quote.
	Evidence []string `json:"evidence"`
}

// A CandidateLeg is one contract of a candidate.
type CandidateLeg struct {
	Symbol     market.Symbol `json:"symbol"`
	Quantity   int           `json:"quantity"` // positive bought, negative sold
	Strike     market.Float  `json:"strike"`
	Expiration market.Date   `json:"expiration"`
	Mid        market.Float  `json:"mid"`
}

// A Chart is what a drawing of an analysis needs.
type Chart struct {
	Series market.Series // complete daily bars
	Lines  []ChartLine   // as long as Series
	RSI    []float64     // as long as Series
	Levels []ChartLevel  // nearest first: supports, resistances
}

// A ChartLine is a named line over the bars, NaN where it is not defined.
type ChartLine struct {
	Name   string
	Values []float64
}

// A ChartLevel is a price worth a horizontal line.
type ChartLevel struct {
	EvidenceID string
	Name       string
	Price      float64
}
