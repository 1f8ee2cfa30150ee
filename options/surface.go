package options

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// SurfaceOptions are the choices of [NewSurface]; nil means the zero value.
type SurfaceOptions struct {
	// Joint fits one SSVI to all expiries instead of an SVI to each: three
	// parameters and the at-the-money variances, free of arbitrage by
	// construction, a coarser fit.
	Joint bool
	// AllowArbitrage keeps the best fit of each expiry as it is.
	AllowArbitrage bool
	// MaxAge leaves out quotes that are older than this before Chain.At. Zero
	// means any age.
	MaxAge time.Duration
	// MinQuotes is how many usable quotes an expiry needs, at least 5; zero means 6.
	MinQuotes int
}

// A Surface gives the implied volatility for every strike and time. Between
// expiries total variance is linear in time at equal k = ln(strike/forward);
// before the first and after the last the volatility at k stays as it is. Its
// methods return NaN for a strike or time that is not positive.
type Surface struct {
	Underlying market.Symbol
	Spot       float64
	At         time.Time
	Slices     []Slice // ascending by Years
	SSVI       SSVI    // fitted to all expiries; for comparison unless Joint
	Skipped    []SkippedExpiry
}

// A Slice is the calibrated smile of one expiry.
type Slice struct {
	Date    market.Date
	Root    string
	Years   float64
	Forward float64
	Rate    float64
	SVI     SVI
	Fit     Fit
}

// A Fit says how well a smile meets its quotes and how much arbitrage it keeps.
type Fit struct {
	Quotes   int     // out-of-the-money quotes with a bid that were fitted
	RMS      float64 // root mean square error, in volatility: 0.001 is a tenth of a point
	Median   float64 // of the absolute errors
	Worst    float64 // largest absolute error
	Inside   float64 // share of quotes whose bid-ask the smile lies within
	LowK     float64 // lowest and highest quoted log-moneyness
	HighK    float64
	Repaired bool // the best fit had arbitrage and was fitted again without
	// Butterfly is the least value of Durrleman's function for prices up to
	// eight deviations from the forward, and over the quotes: negative where there is
	// arbitrage.
	Butterfly float64
	// Calendar is by how much, in volatility, the smile runs below that of the
	// expiry before it, over the same prices: 0 without arbitrage.
	Calendar float64
}

// A SkippedExpiry is one that has no smile, and why.
type SkippedExpiry struct {
	Date   market.Date
	Root   string
	Reason string
}

// NewSurface calibrates a volatility surface to a chain: for each expiry the
// quotes out of the money that somebody bids for, weighted by how narrow they
// are, with bad ones counting linearly; butterfly and calendar arbitrage removed
// by fitting again under penalties, over the quotes and a little beyond, and at the
// least for prices up to eight deviations from the forward. Expiries with too few quotes are in Skipped; the
// error is a *[FieldError] when none is left.
func NewSurface(c *Chain, opts *SurfaceOptions) (*Surface, error) {
	if opts == nil {
		opts = &SurfaceOptions{}
	}
	least := max(opts.MinQuotes, 5)
	if opts.MinQuotes == 0 {
		least = 6
	}
	s := &Surface{Underlying: c.Underlying, Spot: c.Spot, At: c.At}
	var smiles [][]smilePoint
	var years, thetas []float64
	expiries := slices.Clone(c.Expiries)
	slices.SortStableFunc(expiries, func(a, b Expiry) int { return cmp.Compare(a.Years, b.Years) })
	for _, e := range expiries {
		reason := ""
		points := e.smile(c.At, opts.MaxAge)
		switch n := len(s.Slices); {
		case !(e.Years > 0):
			reason = "expired"
		case len(points) < least:
			reason = "too few quotes out of the money with a bid"
		case n > 0 && e.Years <= s.Slices[n-1].Years:
			reason = "expires together with " + s.Slices[n-1].Root
		}
		if reason != "" {
			s.Skipped = append(s.Skipped, SkippedExpiry{e.Date, e.Root, reason})
			continue
		}
		s.Slices = append(s.Slices, Slice{Date: e.Date, Root: e.Root, Years: e.Years, Forward: e.Forward, Rate: e.Rate})
		smiles, years = append(smiles, points), append(years, e.Years)
	}
	if len(s.Slices) == 0 {
		return nil, invalid.Fieldf("chain", len(c.Expiries), "an expiry with at least %d quotes out of the money that have a bid", least)
	}
	s.calibrate(smiles, opts.AllowArbitrage)
	for _, slice := range s.Slices {
		thetas = append(thetas, max(slice.SVI.Variance(0), last(thetas)))
	}
	s.SSVI = fitSSVI(smiles, years, thetas)
	for i := range s.Slices {
		if opts.Joint {
			s.Slices[i].SVI = s.SSVI.Slice(thetas[i])
		}
		s.judge(i, smiles[i])
	}
	return s, nil
}

// calibrate fits each smile. It goes from the last expiry to the first, each
// staying below the one after it: late expiries have the widest strikes, and
// hold the wings of the early ones, which no quote holds, in place. What is left
// of a crossing is lifted away from the first to the last.
func (s *Surface) calibrate(smiles [][]smilePoint, free bool) {
	for i, points := range slices.Backward(smiles) {
		slice := &s.Slices[i]
		fit := smileFit{points: points, years: slice.Years}
		if !free {
			fit.grid = arbitrageGrid(points, slice.Years, fitCells, fitTail)
			if i+1 < len(s.Slices) {
				fit.after, fit.cap = &s.Slices[i+1].SVI, arbitrageGrid(smiles[i+1], s.Slices[i+1].Years, fitCells, fitTail)
			}
		}
		slice.SVI, slice.Fit.Repaired = fitSVI(fit)
	}
	for i := range s.Slices {
		if free {
			break
		}
		slice, before := &s.Slices[i], (*SVI)(nil)
		if i > 0 {
			before = &s.Slices[i-1].SVI
		}
		fixed := slice.SVI.repaired(before, arbitrageGrid(smiles[i], slice.Years, judgedCells, judgedTail))
		slice.Fit.Repaired = slice.Fit.Repaired || fixed != slice.SVI
		slice.SVI = fixed
	}
}

func last(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return values[len(values)-1]
}

// smileReach is how many deviations from the forward, at the money's volatility,
// a strike may lie: what is bid further out is the least price there is.
const smileReach = 12

// smile returns the quotes that say something about the expiry's volatility,
// ascending: out of the money (at the forward both), bid for, not too wide, not
// too far out.
func (e Expiry) smile(at time.Time, maxAge time.Duration) []smilePoint {
	var points []smilePoint
	reach := smileReach * e.ATMVol() * math.Sqrt(e.Years)
	if !(reach > 0) {
		reach = math.Inf(1)
	}
	for i := range e.Contracts {
		c := &e.Contracts[i]
		if !twoSided(c) || math.IsNaN(c.IV) || !(c.IV > 0) || !(c.Vega > 0) ||
			c.Kind == Put && c.Strike > e.Forward || c.Kind == Call && c.Strike < e.Forward ||
			maxAge > 0 && at.Sub(c.Time) > maxAge {
			continue
		}
		width := 0.5 * (c.Ask - c.Bid) / c.Vega
		k := math.Log(c.Strike / e.Forward)
		if width > 0.5*c.IV || math.Abs(k) > reach { // says next to nothing
			continue
		}
		points = append(points, smilePoint{k: k, vol: c.IV, width: width})
	}
	return points
}

// How finely arbitrage is looked for: cells of the quoted range while a smile is
// fitted and when it is judged, and points beyond it on either side.
const (
	fitCells, judgedCells = 80, 400
	fitTail, judgedTail   = 16, 400
	arbitrageReach        = 8 // deviations at the money
)

// arbitrageGrid is where a smile is checked: evenly over the quoted range and a
// quarter of it beyond on either side, but no more than a tenth in log-moneyness,
// and from there at growing distances to eight deviations, where no price is likely to go.
func arbitrageGrid(points []smilePoint, years float64, cells, tail int) []float64 {
	low, high := points[0].k, points[len(points)-1].k
	beyond := min(0.25*(high-low), 0.1)
	low, high = low-beyond, high+beyond
	grid := make([]float64, 0, cells+1+2*tail)
	far := func(from, to float64, i int) float64 { // geometric distances from the quotes
		first := max(0.02, beyond/math.Abs(to-from)) / float64(tail)
		return from + (to-from)*math.Pow(first, 1-float64(i)/float64(tail))
	}
	money := slices.MinFunc(points, func(a, b smilePoint) int { return cmp.Compare(math.Abs(a.k), math.Abs(b.k)) })
	reach := arbitrageReach * money.vol * math.Sqrt(years)
	left, right := min(-reach, low-0.05), max(reach, high+0.05)
	for i := range tail {
		grid = append(grid, far(low, left, tail-i))
	}
	for i := range cells + 1 {
		grid = append(grid, low+(high-low)*float64(i)/float64(cells))
	}
	for i := range tail {
		grid = append(grid, far(high, right, i+1))
	}
	return grid
}

// judge fills in the Fit of slice i.
func (s *Surface) judge(i int, points []smilePoint) {
	slice := &s.Slices[i]
	f := &slice.Fit
	f.Quotes, f.LowK, f.HighK = len(points), points[0].k, points[len(points)-1].k
	var errs []float64
	inside, sum := 0, 0.0
	for _, p := range points {
		err := math.Abs(math.Sqrt(slice.SVI.Variance(p.k)/slice.Years) - p.vol)
		errs = append(errs, err)
		sum += err * err
		if err <= p.width {
			inside++
		}
	}
	slices.Sort(errs)
	f.RMS, f.Median, f.Worst = math.Sqrt(sum/float64(len(errs))), errs[len(errs)/2], errs[len(errs)-1]
	f.Inside = float64(inside) / float64(len(points))
	f.Butterfly, f.Calendar = math.Inf(1), 0
	for _, k := range arbitrageGrid(points, slice.Years, judgedCells, judgedTail) {
		f.Butterfly = min(f.Butterfly, slice.SVI.Butterfly(k))
		if i > 0 {
			floor, w := s.Slices[i-1].SVI.Variance(k), slice.SVI.Variance(k)
			f.Calendar = max(f.Calendar, (math.Sqrt(floor)-math.Sqrt(w))/math.Sqrt(slice.Years))
		}
	}
}
