package backtest

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
	"github.com/ttai-go/ttai/market"
)

// A Series is an account over time, as metrics are computed of it: one point at
// each bar.
type Series struct {
	// Times are those of the bars, ascending.
	Times []time.Time
	// Equity is what the account is worth at the end of each bar.
	Equity []float64
	// Start is what it was worth before the first bar; 0: as at the first bar.
	Start float64
	// Benchmark is the price of what it is compared with, at the same times; nil:
	// nothing. NaN where there is no price.
	Benchmark []float64
	// Warmup is the first bar at which the strategy could act: the benchmark is
	// bought at its close.
	Warmup int
	// Exposure is the worth of all positions, each taken positive, at the end of each
	// bar; nil when it is not known.
	Exposure []float64
	// Bars is the number of the benchmark's bar at each point, as in [Trade]; nil: the
	// point's own.
	Bars []int64
	// Interval of the bars. From a day on, durations are those between dates. Empty:
	// taken from the times.
	Interval market.Interval
	// Location is where a day ends; nil: that of the times.
	Location *time.Location
}

// A trip is a trade in the numbers that metrics are computed of.
type trip struct {
	size        float64 // negative when it was sold short
	from, to    int     // the first and the last point at which it was open
	entry, exit time.Time
	profit      float64 // after fees
	fees        float64 // positive
	gain        float64 // relative to the money that the position stood for when it was opened
	open        bool
}

// A Unit says what a metric's number means.
type Unit string

// The units.
const (
	UnitMoney   Unit = "money"
	UnitPercent Unit = "%"     // 5 is 5 %
	UnitRatio   Unit = "ratio" // a plain number; shares and probabilities as decimals
	UnitCount   Unit = "count"
	UnitDays    Unit = "days" // calendar days
	UnitBars    Unit = "bars"
	UnitYear    Unit = "per year" // a decimal a year
)

// A Metric is a number of a result; NaN when it cannot be had.
type Metric struct {
	Name  string
	Value market.Float
}

// Metrics are numbers of a result in the order of [MetricDefinitions]. In JSON they
// are an object with a member for each, null when it cannot be had.
type Metrics []Metric

// Value returns the metric of a name; NaN when there is none.
func (m Metrics) Value(name string) float64 {
	for _, x := range m {
		if x.Name == name {
			return float64(x.Value)
		}
	}
	return math.NaN()
}

// MarshalJSON writes an object in the order of the metrics.
func (m Metrics) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, x := range m {
		if i > 0 {
			out = append(out, ',')
		}
		value, err := x.Value.MarshalJSON()
		if err != nil {
			return nil, err
		}
		out = strconv.AppendQuote(out, x.Name) // names are plain ASCII
		out = append(append(out, ':'), value...)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads such an object and keeps its order.
func (m *Metrics) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return invalid.Field("metrics", string(data), "an object of numbers")
	}
	*m = nil
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value market.Float
		if err := d.Decode(&value); err != nil {
			return err
		}
		*m = append(*m, Metric{name.(string), value})
	}
	_, err := d.Token()
	return err
}

// A MetricDefinition says what a metric is.
type MetricDefinition struct {
	// Name is unique and stable. Names with a prefix follow another program's
	// definition: "backtrader.vwr", "lean.treynor_ratio". Names without one and with a
	// Title of backtesting.py follow backtesting.py.
	Name  string
	Title string // as it is shown, and as backtesting.py, backtrader or LEAN call it
	Unit  Unit
	// Better tells whether more is better: +1, -1, or 0 when neither is.
	Better  int
	Meaning string // the formula in words
}

// MetricDefinitions returns every metric in the order in which results have them.
// Those of single years (backtrader.annual.2006) are not listed.
func MetricDefinitions() []MetricDefinition {
	var out []MetricDefinition
	for _, d := range definitions() {
		out = append(out, d.MetricDefinition)
	}
	return out
}

// MetricDefinitionOf returns a metric's definition. The error is a *[FieldError].
func MetricDefinitionOf(name string) (MetricDefinition, error) {
	var names []string
	for _, d := range definitions() {
		if strings.EqualFold(d.Name, name) || strings.EqualFold(d.Title, name) {
			return d.MetricDefinition, nil
		}
		names = append(names, d.Name)
	}
	allowed := "the name of a metric, such as sharpe_ratio or return_pct"
	if near := nearest.Of(name, names); near != "" {
		allowed += "; did you mean " + near + "?"
	}
	return MetricDefinition{}, invalid.Field("metric", name, allowed)
}

// A definition is a metric with its computation.
type definition struct {
	MetricDefinition
	of func(*sample) float64
}

func definitions() []definition {
	out := pyDefinitions()
	out = append(out, ownDefinitions()...)
	out = append(out, backtraderDefinitions()...)
	return append(out, leanDefinitions()...)
}

// MeasureOptions complete what metrics are computed of. The zero value works.
type MeasureOptions struct {
	// Rate is the annual risk-free rate as a decimal.
	Rate float64
	// Activity is what was traded.
	Activity Activity
	// Trials is how many settings were tried before these, and TrialDeviation the
	// deviation of their Sharpe ratios per period: they deflate the ratio. 0: one.
	Trials         float64
	TrialDeviation float64
}

// Activity is what an account did, as far as the trades do not tell.
type Activity struct {
	Orders   int     // that were placed; negative: not known
	Fills    int     // executions; negative: not known
	Fees     float64 // all that was paid
	Turnover float64 // the mean of traded money over equity a day; NaN unknown
	// Capacity is how much money the strategy could trade, by LEAN's estimate; NaN
	// unknown.
	Capacity float64
}

// Measure computes every metric of [MetricDefinitions] and backtrader's annual
// returns. The error is a *[FieldError].
func Measure(series Series, trades []Trade, opts *MeasureOptions) (Metrics, error) {
	s, err := newSample(series, trades, opts)
	if err != nil {
		return nil, err
	}
	all := definitions()
	out := make(Metrics, 0, len(all)+len(s.annual))
	for _, d := range all {
		out = append(out, Metric{d.Name, finite(d.of(s))})
	}
	for _, y := range s.annual {
		out = append(out, Metric{"backtrader.annual." + y.year, finite(y.change)})
	}
	return out, nil
}

// MeasureOne computes a single metric, which is quicker: it is for searches. The
// error is a *[FieldError].
func MeasureOne(name string, series Series, trades []Trade, opts *MeasureOptions) (float64, error) {
	for _, d := range definitions() {
		if d.Name == name {
			s, err := newSample(series, trades, opts)
			if err != nil {
				return math.NaN(), err
			}
			return float64(finite(d.of(s))), nil
		}
	}
	_, err := MetricDefinitionOf(name)
	if err == nil {
		err = invalid.Field("metric", name, "the exact name of a metric")
	}
	return math.NaN(), err
}

// finite makes unknown of what is infinite: JSON has neither, and a ratio over
// nothing is not known.
func finite(x float64) market.Float {
	if math.IsInf(x, 0) {
		return market.Float(math.NaN())
	}
	return market.Float(x)
}

// A sample is a series and trades prepared for all metrics.
type sample struct {
	Series
	trades []trip // that have ended
	onTop  []trip // that are open
	opts   MeasureOptions

	where     *workspace
	clock     []time.Time // the times as a wall clock shows them, in UTC
	period    time.Duration
	start     float64
	drawdowns drawdowns
	perYear   float64   // periods of resampled in a year
	resampled []float64 // equity at the end of each day, week, month or year
	returns   []float64 // of resampled, one fewer
	market    []float64 // the benchmark's over the same periods; nil when there is none
	annual    []annualReturn
}

type annualReturn struct {
	year   string
	change float64
}

func newSample(series Series, trades []Trade, opts *MeasureOptions) (*sample, error) {
	return newSampleIn(&workspace{}, series, trades, opts)
}

func newSampleIn(where *workspace, series Series, trades []Trade, opts *MeasureOptions) (*sample, error) {
	n := len(series.Times)
	switch {
	case n == 0:
		return nil, invalid.Missing("Times", "at least one bar")
	case len(series.Equity) != n:
		return nil, invalid.Fieldf("Equity", len(series.Equity), "as many values as times, %d", n)
	case series.Benchmark != nil && len(series.Benchmark) != n:
		return nil, invalid.Fieldf("Benchmark", len(series.Benchmark), "as many values as times, %d", n)
	case series.Exposure != nil && len(series.Exposure) != n:
		return nil, invalid.Fieldf("Exposure", len(series.Exposure), "as many values as times, %d", n)
	case series.Bars != nil && len(series.Bars) != n:
		return nil, invalid.Fieldf("Bars", len(series.Bars), "as many values as times, %d", n)
	case series.Warmup < 0 || series.Warmup >= n && series.Warmup > 0:
		return nil, invalid.Fieldf("Warmup", series.Warmup, "0 to %d", n-1)
	}
	for i := 1; i < n; i++ {
		if series.Times[i].Before(series.Times[i-1]) {
			return nil, invalid.Field("Times", series.Times[i], "ascending times")
		}
	}
	s := &sample{Series: series, where: where}
	if opts != nil {
		s.opts = *opts
	} else {
		s.opts.Activity = unknownActivity()
	}
	if !(s.opts.Rate > -1 && s.opts.Rate < 1) {
		return nil, invalid.Field("Rate", s.opts.Rate, "a decimal above -1 and below 1, such as 0.04")
	}
	s.start = series.Start
	if s.start == 0 {
		s.start = series.Equity[0]
	}
	s.clock = where.moments(1, n)
	s.wallClock()
	s.drawdowns = drawdownsIn(where.floats(n), series.Equity)
	s.take(trades)
	s.resample()
	s.years()
	return s, nil
}

// wallClock writes the times as if there were no time zones, so that days have 24
// hours, and from daily bars on as dates.
func (s *sample) wallClock() {
	for i, t := range s.Times {
		if s.Location != nil {
			t = t.In(s.Location)
		}
		y, m, d := t.Date()
		s.clock[i] = time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	}
	daily := s.Interval == market.Day || s.Interval == market.Week || s.Interval == market.Month
	if s.Interval == "" {
		daily = medianStep(s.clock) >= 20*time.Hour
	}
	if daily {
		for i, t := range s.clock {
			s.clock[i] = t.Truncate(24 * time.Hour)
		}
	}
	s.period = medianStep(s.clock)
}

// wall is one time as the sample's clock shows it.
func (s *sample) wall(t time.Time) time.Time {
	if s.Location != nil {
		t = t.In(s.Location)
	}
	y, m, d := t.Date()
	w := time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	if s.period >= 24*time.Hour {
		w = w.Truncate(24 * time.Hour)
	}
	return w
}

// span is a duration in days, rounded up to the unit that the bars' period is a
// multiple of.
func (s *sample) span(d time.Duration) float64 {
	unit := time.Duration(1)
	for _, u := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second, time.Millisecond} {
		if s.period > 0 && s.period%u == 0 {
			unit = u
			break
		}
	}
	if rest := d % unit; rest > 0 {
		d += unit - rest
	}
	return d.Hours() / 24
}

// unknownActivity is that of an account of which only curve and trades are known.
func unknownActivity() Activity {
	return Activity{Orders: -1, Fills: -1, Fees: math.NaN(), Turnover: math.NaN(), Capacity: math.NaN()}
}
