package backtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
)

// A Result is a run's record and what is counted from it. It names what is needed
// to repeat it, data, code, seed and settings, and the same run gives the same
// result, bit for bit: nothing in it tells how long it took or when it was made.
type Result struct {
	Record *Record

	// capacities are those of each account, see estimateCapacity, counted when they are
	// first asked for; nil: not known.
	capacities func() []float64
}

// newResult counts the results of a record.
func newResult(r *Record) *Result { return &Result{Record: r} }

// withMarket is for what a record does not tell: it needs the bars.
func (r *Result) withMarket(m *Market) *Result {
	r.capacities = sync.OnceValue(func() []float64 {
		var all []float64
		for i := range r.Record.Accounts {
			all = append(all, estimateCapacity(m, &r.Record.Accounts[i]))
		}
		return all
	})
	return r
}

// Series are the points of an account as metrics are computed of them. Points
// whose worth is not known are left out.
func (a *AccountRecord) Series() Series { return a.seriesIn(&workspace{}) }

func (a *AccountRecord) seriesIn(where *workspace) Series {
	c := &a.Curve
	zone := market.NYSE().Location()
	s := where.series(c.Len())
	s.Location, s.Warmup = zone, max(a.Warmup-1, 0)
	known := false
	for i := range c.Len() {
		if math.IsNaN(c.Value[i]) {
			continue
		}
		t := time.Unix(0, c.Time[i]).In(zone)
		if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0 {
			t = t.Add(-time.Nanosecond) // a bar that ends at midnight is of the day before
		}
		s.Times = append(s.Times, t)
		s.Equity = append(s.Equity, c.Value[i])
		s.Exposure = append(s.Exposure, c.Exposure[i])
		s.Benchmark = append(s.Benchmark, c.Price[i])
		s.Bars = append(s.Bars, c.Bars[i])
		known = known || c.Price[i] > 0
	}
	if t, ok := a.settled(); ok && len(s.Times) > 0 {
		n := len(s.Times) - 1
		exposure := s.Exposure[n]
		if len(a.Positions) == 0 {
			exposure = 0
		}
		s.Times, s.Equity, s.Exposure = append(s.Times, t.In(zone)), append(s.Equity, a.Value.InexactFloat64()), append(s.Exposure, exposure)
		s.Benchmark, s.Bars = append(s.Benchmark, s.Benchmark[n]), append(s.Bars, s.Bars[n])
	}
	if !known {
		s.Benchmark = nil
	}
	if s.Warmup > 0 {
		// Points may have been thinned: the first at or after the bar.
		s.Warmup, _ = slices.BinarySearch(s.Bars, int64(s.Warmup))
		s.Warmup = max(min(s.Warmup, len(s.Times)-1), 0)
	}
	return s
}

// start is what an account was worth before the first point.
func (r *Record) start(account int) float64 {
	if account < len(r.Settings.Strategies) {
		return r.Settings.Strategies[account].Cash.InexactFloat64()
	}
	return 0
}

// series are those of an account of the record, with what the record knows beside.
func (r *Record) series(account int, where *workspace) Series {
	s := r.Accounts[account].seriesIn(where)
	s.Start = r.start(account)
	return s
}

// Series are those of all accounts together: the sums at the instants at which each
// has a point. The benchmark is that of the first.
func (r *Result) Series() Series { return r.seriesIn(&workspace{}) }

func (r *Result) seriesIn(where *workspace) Series {
	if len(r.Record.Accounts) == 0 {
		return Series{}
	}
	out := r.Record.series(0, where)
	for i := 1; i < len(r.Record.Accounts); i++ {
		next := r.Record.series(i, &workspace{})
		out.Start += next.Start
		out = joined(out, next)
	}
	return out
}

// joined sums two series where both have a point.
func joined(a, b Series) Series {
	out := Series{Start: a.Start, Location: a.Location}
	warmup := time.Time{}
	if len(a.Times) > 0 {
		warmup = a.Times[a.Warmup]
	}
	j := 0
	for i, t := range a.Times {
		for j < len(b.Times) && b.Times[j].Before(t) {
			j++
		}
		if j == len(b.Times) || !b.Times[j].Equal(t) {
			continue
		}
		if t.Before(warmup) {
			out.Warmup = len(out.Times) + 1
		}
		out.Times = append(out.Times, t)
		out.Equity = append(out.Equity, a.Equity[i]+b.Equity[j])
		out.Exposure = append(out.Exposure, a.Exposure[i]+b.Exposure[j])
		out.Bars = append(out.Bars, a.Bars[i])
		if a.Benchmark != nil {
			out.Benchmark = append(out.Benchmark, a.Benchmark[i])
		}
	}
	out.Warmup = max(min(out.Warmup, len(out.Times)-1), 0)
	return out
}

// Trades are those of all accounts in the order in which they ended; open ones
// come last.
func (r *Result) Trades() []Trade {
	if len(r.Record.Accounts) == 1 {
		return r.Record.Accounts[0].Trades
	}
	var out []Trade
	for i := range r.Record.Accounts {
		out = append(out, r.Record.Accounts[i].Trades...)
	}
	slices.SortStableFunc(out, func(a, b Trade) int {
		if a.Open != b.Open {
			if b.Open {
				return -1
			}
			return 1
		}
		return a.ExitTime.Compare(b.ExitTime)
	})
	return out
}

// Metrics computes all metrics of all accounts together. Options may be nil; their
// Activity is filled in. The error is a *[FieldError], such as for a run without a
// point.
func (r *Result) Metrics(opts *MeasureOptions) (Metrics, error) {
	series := r.Series()
	o := r.measure(opts, -1, &series)
	return Measure(series, r.Trades(), &o)
}

// AccountMetrics are those of one account, by its number.
func (r *Result) AccountMetrics(account int, opts *MeasureOptions) (Metrics, error) {
	series := r.Record.series(account, &workspace{})
	o := r.measure(opts, account, &series)
	return Measure(series, r.Record.Accounts[account].Trades, &o)
}

// Metric computes one metric of all accounts together; NaN when it cannot be had.
// The error is a *[FieldError].
func (r *Result) Metric(name string) (float64, error) {
	if _, err := MetricDefinitionOf(name); err != nil {
		return math.NaN(), err
	}
	series := r.Series()
	if len(series.Times) == 0 {
		return math.NaN(), nil
	}
	o := r.measure(nil, -1, &series)
	return MeasureOne(name, series, r.Trades(), &o)
}

// measure completes options by what an account (-1: all) did, whose series is worth.
func (r *Result) measure(opts *MeasureOptions, account int, worth *Series) MeasureOptions {
	var o MeasureOptions
	if opts != nil {
		o = *opts
	}
	o.Activity = unknownActivity()
	o.Activity.Orders, o.Activity.Fills, o.Activity.Fees = 0, 0, 0
	var capacities []float64
	if r.capacities != nil {
		if capacities = r.capacities(); len(capacities) > 0 {
			o.Activity.Capacity = 0
		}
	}
	traded := 0.0
	for i := range r.Record.Accounts {
		if account >= 0 && i != account {
			continue
		}
		a := &r.Record.Accounts[i]
		if i < len(capacities) {
			o.Activity.Capacity += capacities[i]
		}
		o.Activity.Fees -= a.Fees.InexactFloat64()
		o.Activity.Fills += len(a.Fills)
		for k := range a.Orders {
			if a.Orders[k].Order != nil {
				o.Activity.Orders++
			}
		}
		for k := range a.Fills {
			traded += a.Fills[k].money()
		}
	}
	days, last, sum := 0, market.Date{}, 0.0
	for i, t := range worth.Times {
		if d := market.DateOf(t); d != last {
			days, last = days+1, d
		}
		sum += worth.Equity[i]
	}
	if days > 0 && sum > 0 {
		o.Activity.Turnover = traded / float64(days) / (sum / float64(len(worth.Times)))
	}
	return o
}

// money is what changed hands in a fill, positive.
func (f *Fill) money() float64 {
	return math.Abs(sums.Of(f.Quantity).Times(sums.Of(f.Price)).Times(sums.Of(f.Multiplier)).Float())
}

// Fingerprint is the SHA-256 of everything in the result. Two runs with equal
// fingerprints did the same, bit for bit.
func (r *Result) Fingerprint() (string, error) {
	h := sha256.New()
	if err := r.writeRecord(h); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeRecord writes every part of the record as lines of JSON.
func (r *Result) writeRecord(w io.Writer) error {
	rec := r.Record
	e := json.NewEncoder(w)
	if err := e.Encode(struct {
		Settings     Settings
		Begin, End   time.Time
		Bars, Quotes int64
		Digest       string
		Stopped      string
	}{rec.Settings, rec.Begin, rec.End, rec.Bars, rec.Quotes, rec.Digest, rec.Stopped}); err != nil {
		return err
	}
	for i := range rec.Accounts {
		a := &rec.Accounts[i]
		for k := range a.Curve.Len() {
			if err := e.Encode(newPointLine(a.Curve.At(k))); err != nil {
				return err
			}
		}
		for _, part := range []any{
			a.Account, lines(a.Fills, newFillLine), lines(a.Trades, newTradeLine), lines(a.Orders, newOrderLine),
			lines(a.Transactions, newTransactionLine), lines(a.Notes, newNoteLine), lines(a.Greeks, newGreeksLine),
			a.Fees, a.Realized, a.Cash, a.Value, a.Positions, a.State,
		} {
			if err := e.Encode(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled tells when the account was changed after the last point of its curve, as
// by options that expire at the close at which the data ends: their point was still
// that of the last quotes. False when it was not.
func (a *AccountRecord) settled() (time.Time, bool) {
	n, last := len(a.Transactions), a.Curve.Len()-1
	if n == 0 || last < 0 || a.Value == nil {
		return time.Time{}, false
	}
	t, worth := a.Transactions[n-1].Time, a.Value.InexactFloat64()
	return t, t.UnixNano() > a.Curve.Time[last] && !(math.Abs(worth-a.Curve.Value[last]) <= 1e-9*math.Abs(worth))
}
