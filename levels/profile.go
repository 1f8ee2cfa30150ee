package levels

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Spread says where within a bar its volume traded.
type Spread string

const (
	// SpreadRange lays a bar's volume evenly over its range from low to high. It is the default.
	SpreadRange Spread = "range"
	// SpreadClose puts all of it at the close, rounded up to a tick; bins are
	// then single prices. Other programs' profiles do this.
	SpreadClose Spread = "close"
	// SpreadTriangle lays it over the range with a density that rises from the
	// low to the close and falls from there to the high, both ends at zero.
	SpreadTriangle Spread = "triangle"
	// SpreadTypical puts all of it into the bin of the typical price, (H + L + C) / 3.
	SpreadTypical Spread = "typical"
)

// A ProfileScope says which bars an [Engine] makes a volume profile of.
type ProfileScope string

const (
	// ProfileRolling is the bars of the lookback, up to the last one.
	ProfileRolling ProfileScope = "rolling"
	// ProfileSession is the last finished session, and so is only for intraday bars.
	ProfileSession ProfileScope = "session"
	// ProfileDeveloping is the session under way, up to the last bar.
	ProfileDeveloping ProfileScope = "developing"
	// ProfileComposite is the last finished sessions together.
	ProfileComposite ProfileScope = "composite"
)

// ProfileOptions says how a volume profile is made.
type ProfileOptions struct {
	// Tick is the height of a bin, whose edges are its multiples. 0 means a
	// round step that gives 40 to 80 bins or a little fewer.
	Tick float64
	// ValueArea is the share of volume in the value area; 0 means 0.7.
	ValueArea float64
	Spread    Spread // empty means SpreadRange
	// NodeWidth is how many bins on each side a high or low volume node must
	// stand out from; 0 means a twentieth of the bins, at least 1.
	NodeWidth int

	// Scopes are the profiles that an Engine and Find make. Nil means the
	// rolling one, and for intraday bars the last session's. A profile of any
	// other range is Profile of a slice.
	Scopes []ProfileScope
	// Sessions is how many sessions are in a composite; 0 means 5.
	Sessions int
}

// mostBins bounds the memory of a profile.
const mostBins = 100_000

func (o ProfileOptions) resolve() (ProfileOptions, error) {
	var err error
	if o.Tick != 0 {
		if o.Tick, err = positive("profile.tick", o.Tick, 0); err != nil {
			return o, err
		}
	}
	if o.ValueArea == 0 {
		o.ValueArea = 0.7
	}
	if !(o.ValueArea > 0 && o.ValueArea <= 1) {
		return o, invalid.Field("profile.valueArea", o.ValueArea, "a share above 0, at most 1")
	}
	switch o.Spread {
	case "":
		o.Spread = SpreadRange
	case SpreadRange, SpreadClose, SpreadTriangle, SpreadTypical:
	default:
		return o, invalid.Field("profile.spread", string(o.Spread), "range, close, triangle or typical")
	}
	for _, scope := range o.Scopes {
		switch scope {
		case ProfileRolling, ProfileSession, ProfileDeveloping, ProfileComposite:
		default:
			return o, invalid.Field("profile.scopes", string(scope), "rolling, session, developing or composite")
		}
	}
	if o.Sessions, err = count("profile.sessions", o.Sessions, 5, 1000); err != nil {
		return o, err
	}
	if o.NodeWidth < 0 || o.NodeWidth > mostBins {
		return o, invalid.Fieldf("profile.nodeWidth", o.NodeWidth, "a whole number from 1 to %d", mostBins)
	}
	return o, nil
}

// A Bin is the volume of one price step.
type Bin struct {
	Low, High float64 // its edges; equal with SpreadClose
	Price     float64 // its middle
	Volume    float64
}

// A VolumeProfile is traded volume by price.
type VolumeProfile struct {
	From, To time.Time // start of the first and the last bar
	Tick     float64
	Bins     []Bin // ascending, without holes; the outermost have volume
	Total    float64
	Skipped  int // bars left out because their volume, range or close is not known

	POC           float64 // the price of the bin with the most volume; of equal ones the nearest to the middle, then the lower
	ValueAreaLow  float64
	ValueAreaHigh float64
	HighNodes     []float64 // prices of local peaks above the mean bin, without the POC
	LowNodes      []float64 // prices of local troughs below half the mean bin, between the outermost bins

	poc, low, high int // bins of the above
	first          int // multiple of the tick at which the bins begin
	literal        bool
}

// Profile returns the volume profile of all bars of s. Its value area grows
// from the point of control: of the next bins above and below that have volume, the one with more is
// added, the upper one of equal ones, until the area holds more than the share
// ValueArea of the volume.
//
// It returns [ErrNoVolume] when no bar has a known volume above zero.
func Profile(s market.Series, opts *ProfileOptions) (*VolumeProfile, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	if err := check(s); err != nil {
		return nil, err
	}
	return profile(s, o)
}

func profile(s market.Series, o ProfileOptions) (*VolumeProfile, error) {
	low, high := math.Inf(1), math.Inf(-1)
	p := &VolumeProfile{Tick: o.Tick}
	highs, lows, volumes := s.High, s.Low[:len(s.High)], s.Volume[:len(s.High)]
	for i := range highs {
		if !usable(&s, i) {
			p.Skipped++
			continue
		}
		l, h := lows[i], highs[i]
		if o.Spread != SpreadRange {
			l, h = o.Spread.reach(&s, i)
		}
		if l < low {
			low = l
		}
		if h > high {
			high = h
		}
	}
	if low > high {
		return nil, ErrNoVolume
	}
	p.From, p.To = s.Time[0], s.Time[s.Len()-1]
	if err := p.lay(low, high, o.Spread); err != nil {
		return nil, err
	}
	for i := range s.Time {
		if p.Skipped > 0 && !usable(&s, i) {
			continue
		}
		volume := volumes[i]
		p.Total += volume
		if o.Spread == SpreadRange {
			p.even(lows[i], highs[i], volume)
			continue
		}
		l, h := o.Spread.reach(&s, i)
		p.fill(l, h, s.Close[i], volume, o.Spread)
	}
	p.summarise(o)
	return p, nil
}

// usable reports whether bar i has a range and a volume.
func usable(s *market.Series, i int) bool {
	sum := s.High[i] + s.Low[i] + s.Close[i] + s.Volume[i]
	return sum-sum == 0 && s.High[i] >= s.Low[i] && s.Volume[i] > 0
}

// reach returns the prices among which the volume of bar i lies.
func (spread Spread) reach(s *market.Series, i int) (low, high float64) {
	switch spread {
	case SpreadClose:
		return s.Close[i], s.Close[i]
	case SpreadTypical:
		x := (s.High[i] + s.Low[i] + s.Close[i]) / 3
		return x, x
	}
	return s.Low[i], s.High[i]
}

// lay makes the empty bins for prices from low to high.
func (p *VolumeProfile) lay(low, high float64, spread Spread) error {
	if p.Tick == 0 {
		p.Tick = roundStep(low, high)
	}
	if (high-low)/p.Tick >= mostBins || math.Max(math.Abs(low), math.Abs(high))/p.Tick > 1e15 {
		return invalid.Fieldf("profile.tick", p.Tick, "a tick that divides the range from %v to %v into fewer than %d bins", low, high, mostBins)
	}
	p.first = p.bin(low)
	last := p.lastBin(low, high)
	if spread == SpreadClose {
		p.first, last = p.above(low), p.above(high)
	} else {
		// A range of one price may lie on the edge that ends the bin before.
		last = max(last, p.bin(high))
	}
	p.Bins = make([]Bin, last-p.first+1)
	for k := range p.Bins {
		b := &p.Bins[k]
		b.Low, b.High = p.edge(p.first+k), p.edge(p.first+k+1)
		if spread == SpreadClose {
			b.High = b.Low
		}
		b.Price = b.Low + (b.High-b.Low)/2
	}
	return nil
}

// fill adds volume between l and h, the densest at peak when spread is a triangle.
func (p *VolumeProfile) fill(l, h, peak, volume float64, spread Spread) {
	if spread == SpreadClose {
		p.Bins[p.above(l)-p.first].Volume += volume
		return
	}
	from, to := p.bin(l), p.lastBin(l, h)
	if from == to {
		p.Bins[from-p.first].Volume += volume
		return
	}
	if spread == SpreadTriangle {
		peak = min(max(peak, l), h)
		before := 0.0
		for k := from; k < to; k++ {
			share := triangle(p.Bins[k-p.first].High, l, peak, h)
			p.Bins[k-p.first].Volume += volume * (share - before)
			before = share
		}
		p.Bins[to-p.first].Volume += volume * (1 - before)
		return
	}
	p.even(l, h, volume)
}

// even lays volume evenly from l to h.
func (p *VolumeProfile) even(l, h, volume float64) {
	from := p.bin(l)
	to := max(from, p.above(h)-1)
	if from == to {
		p.Bins[from-p.first].Volume += volume
		return
	}
	density := volume / (h - l)
	bins := p.Bins[from-p.first : to-p.first+1]
	last := len(bins) - 1
	bins[0].Volume += density * (bins[0].High - l)
	for k := 1; k < last; k++ {
		bins[k].Volume += density * (bins[k].High - bins[k].Low)
	}
	bins[last].Volume += density * (h - bins[last].Low)
}

// triangle is the share of a triangular distribution on [l, h] below x.
func triangle(x, l, peak, h float64) float64 {
	switch {
	case x <= l:
		return 0
	case x >= h:
		return 1
	case x <= peak:
		return (x - l) / (h - l) * ((x - l) / (peak - l))
	}
	return 1 - (h-x)/(h-l)*((h-x)/(h-peak))
}

func (p *VolumeProfile) summarise(o ProfileOptions) {
	// A range that ends on an edge leaves the bin beyond it empty.
	for len(p.Bins) > 1 && p.Bins[len(p.Bins)-1].Volume == 0 {
		p.Bins = p.Bins[:len(p.Bins)-1]
	}
	p.findPOC(o.Spread)
	p.findValueArea(o.ValueArea)
	p.findNodes(o.NodeWidth)
}

// A Trade is one trade from a tape.
type Trade struct {
	Time  time.Time
	Price float64
	Size  float64
}

// ProfileOfTrades returns the volume profile of single trades: each lies in the
// bin of its price, or, with SpreadClose, at its price rounded up to a tick.
// Trades without a known price or a size above zero are skipped. It returns
// [ErrNoVolume] when none is left.
func ProfileOfTrades(trades []Trade, opts *ProfileOptions) (*VolumeProfile, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	p := &VolumeProfile{Tick: o.Tick}
	low, high := math.Inf(1), math.Inf(-1)
	counts := func(t Trade) bool {
		return t.Size > 0 && !math.IsInf(t.Size, 1) && t.Price-t.Price == 0
	}
	for _, t := range trades {
		if !counts(t) {
			p.Skipped++
			continue
		}
		if p.Total == 0 || t.Time.Before(p.From) {
			p.From = t.Time
		}
		if p.Total == 0 || t.Time.After(p.To) {
			p.To = t.Time
		}
		p.Total += t.Size
		low, high = min(low, t.Price), max(high, t.Price)
	}
	if low > high {
		return nil, ErrNoVolume
	}
	if err := p.lay(low, high, o.Spread); err != nil {
		return nil, err
	}
	for _, t := range trades {
		if counts(t) {
			p.fill(t.Price, t.Price, t.Price, t.Size, o.Spread)
		}
	}
	p.summarise(o)
	return p, nil
}

// Prices that are multiples of a tick are not so exactly in binary: nearly
// whole numbers of ticks count as whole.
const nearlyWhole = 1e-7

func (p *VolumeProfile) bin(x float64) int { return int(math.Floor(x/p.Tick + nearlyWhole)) }
func (p *VolumeProfile) above(x float64) int {
	if p.literal {
		return int(math.Ceil(x * (1 / p.Tick)))
	}
	return int(math.Ceil(x/p.Tick - nearlyWhole))
}

// lastBin is the bin below high; low and high may be equal.
func (p *VolumeProfile) lastBin(low, high float64) int { return max(p.bin(low), p.above(high)-1) }

// edge is the k-th multiple of the tick.
func (p *VolumeProfile) edge(k int) float64 { return multipleOf(float64(k), p.Tick) }

// roundStep is the smallest of 1, 2, 2.5 and 5 times a power of ten that
// divides the range into at most 80 steps.
func roundStep(low, high float64) float64 {
	span := high - low
	// Steps below a millionth of the price would drown in rounding.
	least := max(span/80, math.Max(math.Abs(low), math.Abs(high))*1e-6)
	if !(least > 0) {
		return 1
	}
	exponent := math.Floor(math.Log10(least))
	for ; ; exponent++ {
		power := math.Pow(10, math.Abs(exponent))
		for _, m := range []float64{1, 2, 2.5, 5} {
			step := m * power
			if exponent < 0 {
				step = m / power
			}
			if step >= least*(1-1e-12) {
				return step
			}
		}
	}
}

func (p *VolumeProfile) findPOC(spread Spread) {
	if spread == SpreadClose {
		p.poc = p.middlemost()
		p.POC = p.Bins[p.poc].Price
		return
	}
	middle := float64(len(p.Bins)-1) / 2
	for i, b := range p.Bins {
		best := p.Bins[p.poc].Volume
		closer := math.Abs(float64(i)-middle) < math.Abs(float64(p.poc)-middle)
		if b.Volume > best || b.Volume == best && closer {
			p.poc = i
		}
	}
	p.POC = p.Bins[p.poc].Price
}

// middlemost is the bin with the most volume that, counting only bins with
// volume, is the nearest to half their number; of two such the lower one.
func (p *VolumeProfile) middlemost() int {
	filled := 0
	for _, b := range p.Bins {
		if b.Volume > 0 {
			filled++
		}
	}
	best, bestRank, rank := 0, 0, -1
	for i, b := range p.Bins {
		if b.Volume > 0 {
			rank++
		}
		away := math.Abs(float64(rank) - float64(filled)/2)
		if b.Volume > p.Bins[best].Volume || b.Volume == p.Bins[best].Volume && away < math.Abs(float64(bestRank)-float64(filled)/2) {
			best, bestRank = i, rank
		}
	}
	return best
}

func (p *VolumeProfile) findValueArea(share float64) {
	p.low, p.high = p.poc, p.poc
	volume, target := p.Bins[p.poc].Volume, share*p.Total
	for volume <= target {
		below, above := p.low-1, p.high+1
		for below >= 0 && p.Bins[below].Volume == 0 {
			below--
		}
		for above < len(p.Bins) && p.Bins[above].Volume == 0 {
			above++
		}
		switch {
		case above < len(p.Bins) && (below < 0 || p.Bins[above].Volume >= p.Bins[below].Volume):
			p.high = above
			volume += p.Bins[above].Volume
		case below >= 0:
			p.low = below
			volume += p.Bins[below].Volume
		default:
			volume = math.Inf(1) // everything is inside
		}
	}
	p.ValueAreaLow, p.ValueAreaHigh = p.Bins[p.low].Low, p.Bins[p.high].High
}

// findNodes looks at each run of equal bins: it is a peak when no bin within
// width of it is higher, a trough when none is lower. The node is the middle of the run.
func (p *VolumeProfile) findNodes(width int) {
	if width == 0 {
		width = max(1, len(p.Bins)/20)
	}
	mean := p.Total / float64(len(p.Bins))
	for from, to := 0, 0; from < len(p.Bins); from = to {
		volume := p.Bins[from].Volume
		for to = from; to < len(p.Bins) && p.Bins[to].Volume == volume; to++ {
		}
		peak, trough := volume > mean, volume < mean/2 && from > 0 && to < len(p.Bins)
		for i := max(0, from-width); i < min(len(p.Bins), to+width) && (peak || trough); i++ {
			peak = peak && p.Bins[i].Volume <= volume
			trough = trough && p.Bins[i].Volume >= volume
		}
		middle := p.Bins[from+(to-1-from)/2].Price
		switch {
		case peak && (p.poc < from || p.poc >= to):
			p.HighNodes = append(p.HighNodes, middle)
		case trough:
			p.LowNodes = append(p.LowNodes, middle)
		}
	}
}

// Levels returns the point of control, the value area and the nodes as levels,
// ascending by price. They are confirmed by the profile's last bar and have no history after it.
func (p *VolumeProfile) Levels() []Level {
	levels := p.levels("volume from " + p.From.Format(time.DateOnly) + " to " + p.To.Format(time.DateOnly))
	sortByPrice(levels)
	return levels
}

func (p *VolumeProfile) levels(span string) []Level {
	levels := make([]Level, 0, 3+len(p.HighNodes)+len(p.LowNodes))
	add := func(kind Kind, price, low, high float64) {
		levels = append(levels, Level{Price: price, Low: low, High: high, Kind: kind, Source: string(kind) + " of " + span, Born: p.From, Confirmed: p.To})
	}
	half := (p.Bins[0].High - p.Bins[0].Low) / 2
	add(KindPOC, p.POC, p.Bins[p.poc].Low, p.Bins[p.poc].High)
	add(KindValueAreaLow, p.ValueAreaLow, p.ValueAreaLow, p.ValueAreaLow)
	add(KindValueAreaHigh, p.ValueAreaHigh, p.ValueAreaHigh, p.ValueAreaHigh)
	for _, x := range p.HighNodes {
		add(KindHighVolumeNode, x, x-half, x+half)
	}
	for _, x := range p.LowNodes {
		add(KindLowVolumeNode, x, x-half, x+half)
	}
	return levels
}
