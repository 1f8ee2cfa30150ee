package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

// A FieldError says which part of a rule was refused and what is allowed.
type FieldError = invalid.FieldError

// A Kind says what a rule looks at.
type Kind string

// The kinds of rules.
const (
	KindPrice       Kind = "price"        // a price above, below or across a value
	KindMove        Kind = "move"         // a move by a percentage
	KindTrailing    Kind = "trailing"     // a fall from the highest price, or a rise from the lowest
	KindLevel       Kind = "level"        // a level touched or broken
	KindIndicator   Kind = "indicator"    // an indicator above, below or across a value or another one
	KindVolatility  Kind = "volatility"   // IV rank and other figures of an underlying
	KindPosition    Kind = "position"     // Greeks and profit of positions
	KindDTE         Kind = "dte"          // so many days are left to expiration
	KindExpiry      Kind = "expiry"       // so much time is left to expiration
	KindShortStrike Kind = "short_strike" // the underlying reaches the strike of a short option
	KindAssignment  Kind = "assignment"   // a short option is worth exercising early
	KindExDividend  Kind = "ex_dividend"  // a short call in the money, and the ex-date is near
	KindBuyingPower Kind = "buying_power" // money of an account
	KindNews        Kind = "news"         // a story about symbols or with keywords
)

// Kinds returns every kind of rule.
func Kinds() []Kind {
	return []Kind{
		KindPrice, KindMove, KindTrailing, KindLevel, KindIndicator, KindVolatility, KindPosition, KindDTE, KindExpiry, KindShortStrike,
		KindAssignment, KindExDividend, KindBuyingPower, KindNews,
	}
}

// An Op says how a figure is compared with a rule's value.
type Op string

// The comparisons. Above and Below hold at the value too, and hold at once when
// the figure is there already; crossings need a figure on the other side first.
const (
	Above     Op = "above"
	Below     Op = "below"
	Cross     Op = "cross" // from either side
	CrossUp   Op = "cross_up"
	CrossDown Op = "cross_down"
)

// A Mode says how often a rule fires.
type Mode string

// The modes.
const (
	Once   Mode = "once"   // the first time only; of rules on several positions, once for each
	Repeat Mode = "repeat" // again after the figure has gone back by the hysteresis
)

// A Metric is a figure of positions, accounts or underlyings.
type Metric string

// The metrics of [KindPosition]. For one underlying, delta is in shares, gamma in
// shares per dollar; for a whole account or customer they are dollars: delta ×
// spot, and its change when every underlying rises by one percent. Theta is
// dollars per calendar day, vega dollars per point of volatility.
const (
	MetricDelta      Metric = "delta"
	MetricGamma      Metric = "gamma"
	MetricTheta      Metric = "theta"
	MetricVega       Metric = "vega"
	MetricPnL        Metric = "pnl"         // open profit, dollars
	MetricPnLDay     Metric = "pnl_day"     // since the previous close, with what was realised today, dollars
	MetricPnLPercent Metric = "pnl_percent" // open profit in percent of what the positions cost
)

// The metrics of [KindBuyingPower], in dollars.
const (
	MetricBuyingPower Metric = "buying_power" // for derivatives; the default
	MetricEquityPower Metric = "equity_buying_power"
	MetricNetLiq      Metric = "net_liq"
	MetricCash        Metric = "cash"
	MetricExcess      Metric = "maintenance_excess"
)

// The metrics of [KindVolatility], decimals as [market.Metrics] has them.
const (
	MetricIVRank       Metric = "iv_rank" // 0 to 1; the default
	MetricIVPercentile Metric = "iv_percentile"
	MetricIVIndex      Metric = "iv_index"
	MetricIVChange     Metric = "iv_change" // of the index over five days
	MetricIVHV         Metric = "iv_hv"     // index less historical volatility of 30 days
)

// A Duration is a time.Duration written as text: "90s", "15m", "36h", "2d".
type Duration time.Duration

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration does, and whole days such as "2d".
func (d *Duration) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 3660 {
			*d = Duration(time.Duration(n) * 24 * time.Hour)
			return nil
		}
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return invalid.Field("duration", s, `such as "90s", "15m", "36h" or "2d"`)
	}
	*d = Duration(parsed)
	return nil
}

// An Indicator names a figure that is computed from bars.
type Indicator struct {
	// Name is the indicator's, as indicators.Find takes it; "close" is the bar's
	// close itself.
	Name   string    `json:"name"`
	Params []float64 `json:"params,omitempty"` // missing trailing ones take their defaults
	Output string    `json:"output,omitempty"` // of those with several; empty: the first
}

// Levels says which levels a [KindLevel] rule watches. The zero value watches the
// three nearest on each side, whatever they are.
type Levels struct {
	Kinds    []levels.Kind   `json:"kinds,omitempty"`
	Families []levels.Family `json:"families,omitempty"`
	// Strength leaves out weaker levels; see levels.Level.
	Strength float64 `json:"strength,omitempty"`
	// Nearest is how many on each side of the price; 0 means 3.
	Nearest int `json:"nearest,omitempty"`
}

// A Rule says what to watch, and when to tell. Which fields a kind uses stands in
// docs/monitors.md; others must be empty. The zero value of an optional field is
// its default.
type Rule struct {
	Name string `json:"name,omitempty"` // a person's own words, at most 200 bytes
	Kind Kind   `json:"kind"`

	// Symbol is the instrument. For kinds about positions an underlying or an
	// option contract; empty means all positions.
	Symbol market.Symbol `json:"symbol,omitempty"`
	// Account narrows rules about positions; empty means all accounts.
	Account broker.AccountID `json:"account,omitempty"`

	Op     Op       `json:"op,omitempty"`
	Value  *float64 `json:"value,omitempty"`
	Metric Metric   `json:"metric,omitempty"`
	Field  string   `json:"field,omitempty"` // of a price: "", last, mid, bid, ask

	Percent float64  `json:"percent,omitempty"` // 1.5 is 1.5 %
	Amount  float64  `json:"amount,omitempty"`  // dollars per unit
	From    string   `json:"from,omitempty"`    // of a move: now, close, open, window
	Side    string   `json:"side,omitempty"`    // of a move: up, down, ""; trailing: high, low
	Window  Duration `json:"window,omitempty"`

	Interval  market.Interval `json:"interval,omitempty"`
	Indicator *Indicator      `json:"indicator,omitempty"`
	Than      *Indicator      `json:"than,omitempty"`
	Levels    *Levels         `json:"levels,omitempty"`
	Event     string          `json:"event,omitempty"` // of a level: touched, broken
	Band      float64         `json:"band,omitempty"`  // half the width of a level at Value

	Within Duration `json:"within,omitempty"`
	Days   int      `json:"days,omitempty"`

	Symbols  []market.Symbol `json:"symbols,omitempty"`
	Keywords []string        `json:"keywords,omitempty"`

	Mode Mode `json:"mode,omitempty"` // empty: once; for news repeat
	// Hysteresis is how far the figure must go back before a repeating rule can fire
	// again, in the figure's own unit; HysteresisPercent is the same in percent of
	// the value. Without either it must be on the other side of the value.
	Hysteresis        float64   `json:"hysteresis,omitempty"`
	HysteresisPercent float64   `json:"hysteresis_percent,omitempty"`
	Expires           time.Time `json:"expires,omitzero"` // zero: never
}

// ParseRule reads a rule from JSON and validates it. A field that no rule has is a
// *FieldError.
func ParseRule(data []byte) (Rule, error) {
	var r Rule
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		if fe, ok := errors.AsType[*FieldError](err); ok {
			return Rule{}, fe
		}
		if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			if te.Field == "" {
				return Rule{}, invalid.Field("rule", te.Value, "one JSON object")
			}
			return Rule{}, invalid.Field(te.Field, te.Value, "a "+te.Type.String())
		}
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return Rule{}, invalid.Field(strings.Trim(name, `"`), "", "a field of a rule: see docs/monitors.md")
		}
		return Rule{}, invalid.Field("rule", clip(string(data)), "one JSON object: "+err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Rule{}, invalid.Field("rule", clip(string(data)), "one JSON object and nothing after it")
	}
	return r.Validated()
}

func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
