package backtest

import (
	"encoding/json"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
)

// A Preset is a run of another engine's examples or tests: a strategy, its
// parameters, the rules of filling and the cash. Whatever a request says besides
// takes precedence.
type Preset struct {
	Name, Meaning string
	Strategy      string
	Params        Params
	Rules         string
	Cash          float64
}

// Presets are all there are.
func Presets() []Preset {
	legs := func(name, meaning, text string, more Params) Preset {
		params := Params{"legs": text}
		for k, v := range more {
			params[k] = v
		}
		return Preset{"oracle-" + name, meaning + ", by plain arithmetic: bought at the ask and sold at the bid of the closing quotes, held until expiry", "option-legs", params, "oracle", 100_000}
	}
	return []Preset{
		{"backtesting.py", "the example of backtesting.py: close on each crossing of two averages and take the other side with all there is", "sma-crossing", Params{"fast": 10, "slow": 30}, "backtesting.py", 10_000},
		{"backtrader", "the strategy test of backtrader: one unit while the close is above its average", "sma-crossing", Params{"fast": 1, "slow": 15, "direction": "long", "stake": 1}, "backtrader", 10_000},
		{"fastquant", "the example of fastquant: crossing averages at the close", "smac", Params{"fast_period": 15, "slow_period": 40}, "fastquant", 100_000},
		{"zipline-buyapple", "zipline's buyapple: ten shares each session, filled at the next close", "every-bar", Params{"units": 10}, "zipline", 10_000_000},
		{"zipline-dual-moving-average", "zipline's dual moving average: a hundred shares while the mean of 100 closes is above that of 300", "two-means", Params{"fast": 100, "slow": 300, "units": 100}, "zipline", 10_000_000},
		{"lean-option-expiry", "LEAN's tests of index options: a contract bought at the ask or sold at the bid of a minute's quotes and held until it is settled", "option-legs", Params{}, "lean", 100_000},
		legs("short-put", "a put sold 3 % below the price", "-1 put <=0.97S", nil),
		legs("covered-call", "100 shares and a call sold 3 % above", "-1 call >=1.03S", Params{"shares": 100}),
		legs("bull-put-vertical", "a put sold 3 % and one bought 7 % below", "-1 put <=0.97S, +1 put <=0.93S", nil),
		legs("iron-condor", "both spreads, from 3 to 7 % away", "-1 put <=0.97S, +1 put <=0.93S, -1 call >=1.03S, +1 call >=1.07S", nil),
		legs("long-straddle", "call and put nearest to the price", "+1 call ~S, +1 put ~S", nil),
		legs("gamma-scalp", "the straddle, its delta hedged to zero at each close at which it is worth more than 500", "+1 call ~S, +1 put ~S", Params{"band": 500}),
	}
}

// PresetNamed finds a preset. The error is a *[FieldError] with the nearest name.
func PresetNamed(name string) (Preset, error) {
	var names []string
	for _, p := range Presets() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	allowed := "one of " + strings.Join(names, ", ")
	if near := nearest.Of(name, names); near != "" {
		allowed = "a preset; did you mean " + near + "?"
	}
	return Preset{}, invalid.Field("preset", name, allowed)
}

// Apply fills in what a request leaves open: its strategy, rules and cash, and of the
// parameters those that it does not have. Parameters of another strategy than the
// preset's are left alone.
func (p Preset) Apply(r *Request) error {
	if r.Strategy == "" {
		r.Strategy = p.Strategy
	}
	if r.Rules == "" {
		r.Rules = p.Rules
	}
	if r.Cash == 0 {
		r.Cash = p.Cash
	}
	if r.Strategy != p.Strategy {
		return nil
	}
	given := map[string]json.RawMessage{}
	if len(r.Params) > 0 {
		if err := json.Unmarshal(r.Params, &given); err != nil {
			return invalid.Field("params", string(r.Params), "a JSON object")
		}
	}
	missing := Params{}
	for name, value := range p.Params {
		if _, set := given[name]; !set {
			missing[name] = value
		}
	}
	var err error
	r.Params, err = missing.JSON(r.Params)
	return err
}
