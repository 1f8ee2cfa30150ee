package monitor

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

// What bounds a rule.
const (
	longestName     = 200
	maxNewsTerms    = 100
	maxWindow       = 24 * time.Hour
	minWindow       = time.Second
	maxKeyword      = 100
	defaultNearest  = 3
	defaultExDays   = 3
	maxDays         = 3660
	newsBothMissing = "symbols, keywords or both"
)

// uses names the fields that each kind takes besides name, kind, mode and expires.
func uses(k Kind) string {
	switch k {
	case KindPrice:
		return "symbol op value field hysteresis hysteresis_percent"
	case KindMove:
		return "symbol percent from side window hysteresis_percent"
	case KindTrailing:
		return "symbol percent amount side"
	case KindLevel:
		return "symbol event value band levels interval hysteresis hysteresis_percent"
	case KindIndicator:
		return "symbol interval indicator than op value hysteresis"
	case KindVolatility:
		return "symbol metric op value hysteresis"
	case KindPosition:
		return "symbol account metric op value hysteresis"
	case KindDTE:
		return "symbol account days"
	case KindExpiry:
		return "symbol account within"
	case KindShortStrike:
		return "symbol account amount percent hysteresis hysteresis_percent"
	case KindAssignment:
		return "symbol account value hysteresis"
	case KindExDividend:
		return "symbol account days"
	case KindBuyingPower:
		return "account metric op value hysteresis"
	case KindNews:
		return "symbols keywords"
	}
	return ""
}

// Validated returns the rule with its symbols in normal form and its defaults set,
// or a *FieldError that names the first thing wrong.
func (r Rule) Validated() (Rule, error) {
	if !slices.Contains(Kinds(), r.Kind) {
		return Rule{}, invalid.Field("kind", string(r.Kind), "one of "+join(Kinds()))
	}
	if err := r.checkUnused(); err != nil {
		return Rule{}, err
	}
	if err := r.common(); err != nil {
		return Rule{}, err
	}
	check := map[Kind]func(*Rule) error{
		KindPrice: (*Rule).price, KindMove: (*Rule).move, KindTrailing: (*Rule).trailing, KindLevel: (*Rule).level,
		KindIndicator: (*Rule).indicator, KindVolatility: (*Rule).volatility, KindPosition: (*Rule).position, KindDTE: (*Rule).dte,
		KindExpiry: (*Rule).expiry, KindShortStrike: (*Rule).shortStrike, KindAssignment: (*Rule).assignment,
		KindExDividend: (*Rule).exDividend, KindBuyingPower: (*Rule).buyingPower, KindNews: (*Rule).news,
	}[r.Kind]
	if err := check(&r); err != nil {
		return Rule{}, err
	}
	return r, nil
}

// checkUnused refuses a field that the kind does not look at: whoever set it meant
// something by it.
func (r *Rule) checkUnused() error {
	used := strings.Fields(uses(r.Kind))
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"symbol", r.Symbol != ""}, {"account", r.Account != ""}, {"op", r.Op != ""}, {"value", r.Value != nil}, {"metric", r.Metric != ""},
		{"field", r.Field != ""}, {"percent", r.Percent != 0}, {"amount", r.Amount != 0}, {"from", r.From != ""}, {"side", r.Side != ""},
		{"window", r.Window != 0}, {"interval", r.Interval != ""}, {"indicator", r.Indicator != nil}, {"than", r.Than != nil},
		{"levels", r.Levels != nil}, {"event", r.Event != ""}, {"band", r.Band != 0}, {"within", r.Within != 0}, {"days", r.Days != 0},
		{"symbols", len(r.Symbols) > 0}, {"keywords", len(r.Keywords) > 0}, {"hysteresis", r.Hysteresis != 0},
		{"hysteresis_percent", r.HysteresisPercent != 0},
	} {
		if f.set && !slices.Contains(used, f.name) {
			return invalid.Fieldf(f.name, "", "nothing: rules of kind %s use %s", r.Kind, strings.Join(used, ", "))
		}
	}
	return nil
}

func (r *Rule) common() error {
	if len(r.Name) > longestName || !utf8.ValidString(r.Name) || strings.ContainsFunc(r.Name, func(c rune) bool { return c < ' ' }) {
		return invalid.Fieldf("name", clip(r.Name), "at most %d bytes of text in one line", longestName)
	}
	if len(r.Account) > 64 {
		return invalid.Field("account", clip(string(r.Account)), "an account number")
	}
	if r.Symbol != "" {
		s, err := market.ParseSymbol(string(r.Symbol))
		if err != nil {
			return named("symbol", err)
		}
		r.Symbol = s
	}
	switch r.Mode {
	case "":
		r.Mode = Once
		if r.Kind == KindNews {
			r.Mode = Repeat
		}
	case Once, Repeat:
	default:
		return invalid.Field("mode", string(r.Mode), "once or repeat")
	}
	for name, v := range map[string]float64{
		"percent": r.Percent, "amount": r.Amount, "band": r.Band, "hysteresis": r.Hysteresis, "hysteresis_percent": r.HysteresisPercent,
	} {
		if !(v >= 0) || v > 1e12 {
			return invalid.Field(name, v, "a number of at least 0")
		}
	}
	if r.Value != nil && (math.IsNaN(*r.Value) || math.Abs(*r.Value) > 1e12) {
		return invalid.Field("value", *r.Value, "a finite number")
	}
	if r.Hysteresis > 0 && r.HysteresisPercent > 0 {
		return invalid.Field("hysteresis_percent", r.HysteresisPercent, "nothing beside hysteresis: one of them")
	}
	if r.HysteresisPercent > 100 {
		return invalid.Field("hysteresis_percent", r.HysteresisPercent, "0 to 100")
	}
	if r.Mode == Once && (r.Hysteresis > 0 || r.HysteresisPercent > 0) {
		return invalid.Field("hysteresis", max(r.Hysteresis, r.HysteresisPercent), `nothing in mode "once": it is for rules that fire again`)
	}
	return nil
}

func named(field string, err error) error {
	if f, ok := errors.AsType[*invalid.FieldError](err); ok {
		return invalid.Field(field, f.Value, f.Allowed)
	}
	return invalid.Missing(field, err.Error())
}

func (r *Rule) needSymbol() error {
	if r.Symbol == "" {
		return invalid.Missing("symbol", "what to watch, such as SPY")
	}
	return nil
}

func (r *Rule) needValue() error {
	if r.Value == nil {
		return invalid.Missing("value", "a number to compare with")
	}
	return nil
}

func (r *Rule) needOp(allowed ...Op) error {
	if len(allowed) == 0 {
		allowed = []Op{Above, Below, Cross, CrossUp, CrossDown}
	}
	if !slices.Contains(allowed, r.Op) {
		return invalid.Field("op", string(r.Op), "one of "+join(allowed))
	}
	return nil
}

func oneOf(field string, value *string, allowed ...string) error {
	if *value == "" {
		*value = allowed[0]
	}
	if !slices.Contains(allowed, *value) {
		return invalid.Field(field, *value, "one of "+strings.Join(allowed, ", "))
	}
	return nil
}

func metric(value *Metric, allowed ...Metric) error {
	if *value == "" {
		*value = allowed[0]
	}
	if !slices.Contains(allowed, *value) {
		return invalid.Field("metric", string(*value), "one of "+join(allowed))
	}
	return nil
}

func first(errs ...func() error) error {
	for _, f := range errs {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rule) price() error {
	if r.Field == "price" {
		r.Field = ""
	}
	if !slices.Contains([]string{"", "last", "mid", "bid", "ask"}, r.Field) {
		return invalid.Field("field", r.Field, "last, mid, bid, ask, or nothing for the price that the instrument trades at")
	}
	return first(r.needSymbol, func() error { return r.needOp() }, r.needValue)
}

func (r *Rule) move() error {
	if err := first(r.needSymbol,
		func() error { return oneOf("from", &r.From, "now", "close", "open", "window") },
		func() error { return oneOf("side", &r.Side, "either", "up", "down") }); err != nil {
		return err
	}
	if !(r.Percent > 0) || r.Percent > 1000 {
		return invalid.Field("percent", r.Percent, "more than 0, at most 1000")
	}
	if r.From == "window" {
		if w := time.Duration(r.Window); w < minWindow || w > maxWindow {
			return invalid.Fieldf("window", w, "%v to %v", minWindow, maxWindow)
		}
	} else if r.Window != 0 {
		return invalid.Field("window", time.Duration(r.Window), `nothing unless from is "window"`)
	}
	if r.From == "now" && r.HysteresisPercent > 0 {
		return invalid.Field("hysteresis_percent", r.HysteresisPercent, `nothing when from is "now": the next move is counted from where it fired`)
	}
	if r.HysteresisPercent > r.Percent {
		return invalid.Field("hysteresis_percent", r.HysteresisPercent, "at most percent")
	}
	return nil
}

func (r *Rule) trailing() error {
	if err := first(r.needSymbol, func() error { return oneOf("side", &r.Side, "high", "low") }); err != nil {
		return err
	}
	if (r.Percent > 0) == (r.Amount > 0) {
		return invalid.Field("percent", r.Percent, "percent or amount, one of them")
	}
	if r.Percent >= 100 && r.Side == "high" || r.Percent > 1000 {
		return invalid.Field("percent", r.Percent, "less than 100")
	}
	return nil
}

func (r *Rule) interval(required bool) error {
	if r.Interval == "" {
		if required {
			r.Interval = market.Day
		}
		return nil
	}
	i, err := market.ParseInterval(string(r.Interval))
	if err != nil {
		return named("interval", err)
	}
	r.Interval = i
	return nil
}

func (r *Rule) level() error {
	if err := first(r.needSymbol, func() error { return oneOf("event", &r.Event, "touched", "broken") }); err != nil {
		return err
	}
	if r.Value != nil {
		if r.Levels != nil {
			return invalid.Missing("levels", "nothing beside value: a price of one's own, or levels that are found")
		}
		if r.Event == "touched" && r.Interval != "" {
			return invalid.Field("interval", string(r.Interval), "nothing: a touch of a price is seen at once")
		}
		return r.interval(r.Event == "broken")
	}
	if r.Band != 0 {
		return invalid.Field("band", r.Band, "nothing without value: levels that are found have bands of their own")
	}
	if r.HysteresisPercent != 0 {
		return invalid.Field("hysteresis_percent", r.HysteresisPercent, "nothing without value: use hysteresis")
	}
	spec := Levels{}
	if r.Levels != nil {
		spec = *r.Levels
	}
	if !(spec.Strength >= 0) || spec.Strength > 1 {
		return invalid.Field("levels.strength", spec.Strength, "0 to 1")
	}
	if spec.Nearest == 0 {
		spec.Nearest = defaultNearest
	}
	if spec.Nearest < 0 || spec.Nearest > 50 {
		return invalid.Field("levels.nearest", spec.Nearest, "1 to 50")
	}
	families := map[levels.Family]bool{}
	for _, k := range levels.Kinds() {
		families[k.Family()] = true
	}
	for _, k := range spec.Kinds {
		if !slices.Contains(levels.Kinds(), k) {
			return invalid.Field("levels.kinds", string(k), "kinds of levels: "+join(levels.Kinds()))
		}
	}
	for _, f := range spec.Families {
		if !families[f] {
			all := slices.Collect(maps.Keys(families))
			slices.Sort(all)
			return invalid.Field("levels.families", string(f), "families of levels: "+join(all))
		}
	}
	r.Levels = &spec
	return r.interval(true)
}

func (r *Rule) indicator() error {
	if err := first(r.needSymbol, func() error { return r.needOp() }, func() error { return r.interval(true) }); err != nil {
		return err
	}
	if r.Indicator == nil {
		return invalid.Missing("indicator", `such as {"name": "RSI", "params": [14]}`)
	}
	own := *r.Indicator
	if err := own.check("indicator"); err != nil {
		return err
	}
	r.Indicator = &own
	if r.Than == nil {
		return r.needValue()
	}
	than := *r.Than
	r.Than = &than
	return than.check("than")
}

// check finds the indicator and one output of it.
func (i *Indicator) check(field string) error {
	if strings.EqualFold(i.Name, "close") && len(i.Params) == 0 && i.Output == "" {
		i.Name = "close"
		return nil
	}
	spec, err := indicators.Find(i.Name)
	if err != nil {
		return named(field+".name", err)
	}
	if _, err := spec.Parameters(i.Params); err != nil {
		return named(field+".params", err)
	}
	if _, err := i.stream(); err != nil {
		return named(field, err)
	}
	return nil
}

func (r *Rule) volatility() error {
	return first(r.needSymbol, func() error { return r.needOp() }, r.needValue, func() error {
		return metric(&r.Metric, MetricIVRank, MetricIVPercentile, MetricIVIndex, MetricIVChange, MetricIVHV)
	})
}

func (r *Rule) position() error {
	if r.Metric == "" {
		return invalid.Missing("metric", "delta, gamma, theta, vega, pnl, pnl_day or pnl_percent")
	}
	return first(func() error {
		return metric(&r.Metric, MetricDelta, MetricGamma, MetricTheta, MetricVega, MetricPnL, MetricPnLDay, MetricPnLPercent)
	}, func() error { return r.needOp() }, r.needValue)
}

func (r *Rule) dte() error {
	if r.Days < 0 || r.Days > maxDays {
		return invalid.Fieldf("days", r.Days, "0 (the day of expiration) to %d", maxDays)
	}
	return nil
}

func (r *Rule) expiry() error {
	if r.Within <= 0 || time.Duration(r.Within) > maxDays*24*time.Hour {
		return invalid.Field("within", time.Duration(r.Within), `more than 0, such as "2d" or "3h"`)
	}
	return nil
}

func (r *Rule) shortStrike() error {
	if r.Percent > 0 && r.Amount > 0 {
		return invalid.Field("percent", r.Percent, "percent or amount, or neither, for the distance before the strike")
	}
	if r.Percent >= 100 {
		return invalid.Field("percent", r.Percent, "less than 100")
	}
	return nil
}

func (r *Rule) assignment() error {
	if r.Value == nil {
		zero := 0.0
		r.Value = &zero
	}
	return nil
}

func (r *Rule) exDividend() error {
	if r.Days == 0 {
		r.Days = defaultExDays
	}
	if r.Days < 1 || r.Days > 60 {
		return invalid.Field("days", r.Days, "1 to 60, or 0 for 3")
	}
	return nil
}

func (r *Rule) buyingPower() error {
	return first(func() error {
		return metric(&r.Metric, MetricBuyingPower, MetricEquityPower, MetricNetLiq, MetricCash, MetricExcess)
	}, func() error { return r.needOp() }, r.needValue)
}

func (r *Rule) news() error {
	if len(r.Symbols) == 0 && len(r.Keywords) == 0 {
		return invalid.Missing("symbols", newsBothMissing)
	}
	if len(r.Symbols) > maxNewsTerms || len(r.Keywords) > maxNewsTerms {
		return invalid.Fieldf("symbols", max(len(r.Symbols), len(r.Keywords)), "at most %d symbols and %d keywords", maxNewsTerms, maxNewsTerms)
	}
	symbols := make([]market.Symbol, len(r.Symbols))
	for i, s := range r.Symbols {
		parsed, err := market.ParseSymbol(string(s))
		if err != nil {
			return named(fmt.Sprintf("symbols[%d]", i), err)
		}
		symbols[i] = parsed
	}
	r.Symbols = symbols
	for i, k := range r.Keywords {
		if len(k) > maxKeyword || len(words(k)) == 0 {
			return invalid.Fieldf(fmt.Sprintf("keywords[%d]", i), clip(k), "a word or phrase of at most %d bytes", maxKeyword)
		}
	}
	return nil
}

func join[T ~string](values []T) string {
	text := make([]string, len(values))
	for i, v := range values {
		text[i] = string(v)
	}
	return strings.Join(text, ", ")
}
