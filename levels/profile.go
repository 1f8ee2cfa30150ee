package levels

import (
	"fmt"
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
	case SpreadRange, SpreadClose:
	default:
		return o, invalid.Field("profile.spread", string(o.Spread), "range or close")
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

	POC           float64 // the price of the bin with the most volume; of equal ones the nearest to the middle
	ValueAreaLow  float64
	ValueAreaHigh float64
	HighNodes     []float64 // prices of local peaks above the mean bin, without the POC
	LowNodes      []float64 // prices of local troughs below half the mean bin, between the outermost bins

	poc, low, high int // bins of the above
	width          int // of nodes, in bins
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
	usable := func(i int) bool {
		return known(s, i) && s.Volume[i] > 0 && !math.IsInf(s.Volume[i], 1)
	}
	p := &VolumeProfile{Tick: o.Tick}
	for i := range s.Time {
		switch {
		case !usable(i):
			p.Skipped++
		case o.Spread == SpreadClose:
			low, high = min(low, s.Close[i]), max(high, s.Close[i])
		default:
			low, high = min(low, s.Low[i]), max(high, s.High[i])
		}
	}
	if low > high {
		return nil, ErrNoVolume
	}
	if p.Tick == 0 {
		p.Tick = roundStep(low, high)
	}
	if (high-low)/p.Tick >= mostBins || math.Max(math.Abs(low), math.Abs(high))/p.Tick > 1e15 {
		return nil, invalid.Fieldf("profile.tick", p.Tick, "a tick that divides the range from %v to %v into fewer than %d bins", low, high, mostBins)
	}
	p.From, p.To = s.Time[0], s.Time[s.Len()-1]

	first, last := p.bin(low), p.bin(low)
	if o.Spread == SpreadClose {
		first, last = p.above(low), p.above(high)
	} else {
		for i := range s.Time {
			if usable(i) {
				last = max(last, p.lastBin(s.Low[i], s.High[i]))
			}
		}
	}
	p.Bins = make([]Bin, last-first+1)
	for k := range p.Bins {
		b := &p.Bins[k]
		b.Low, b.High = p.edge(first+k), p.edge(first+k+1)
		if o.Spread == SpreadClose {
			b.High = b.Low
		}
		b.Price = b.Low + (b.High-b.Low)/2
	}
	for i := range s.Time {
		if !usable(i) {
			continue
		}
		volume := s.Volume[i]
		p.Total += volume
		if o.Spread == SpreadClose {
			p.Bins[p.above(s.Close[i])-first].Volume += volume
			continue
		}
		l, h := s.Low[i], s.High[i]
		from, to := p.bin(l), p.lastBin(l, h)
		if from == to {
			p.Bins[from-first].Volume += volume
			continue
		}
		for k := from; k <= to; k++ {
			b := &p.Bins[k-first]
			top, bottom := b.High, b.Low
			if k == from {
				bottom = l
			}
			if k == to {
				top = h
			}
			b.Volume += volume * ((top - bottom) / (h - l))
		}
	}
	p.findPOC()
	p.findValueArea(o.ValueArea)
	p.findNodes(o.NodeWidth)
	return p, nil
}

// Prices that are multiples of a tick are not so exactly in binary: nearly
// whole numbers of ticks count as whole.
const nearlyWhole = 1e-7

func (p *VolumeProfile) bin(x float64) int   { return int(math.Floor(x/p.Tick + nearlyWhole)) }
func (p *VolumeProfile) above(x float64) int { return int(math.Ceil(x/p.Tick - nearlyWhole)) }

// lastBin is the bin below high; low and high may be equal.
func (p *VolumeProfile) lastBin(low, high float64) int { return max(p.bin(low), p.above(high)-1) }

// edge is the k-th multiple of the tick, by division when the tick is a
// fraction of one, so that 115 hundredths are 1.15.
func (p *VolumeProfile) edge(k int) float64 {
	if whole := math.Round(1 / p.Tick); whole >= 1 && math.Abs(whole*p.Tick-1) < 1e-12 {
		return float64(k) / whole
	}
	return float64(k) * p.Tick
}

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

func (p *VolumeProfile) findPOC() {
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
	p.width = width
	if width == 0 {
		p.width = max(1, len(p.Bins)/20)
	}
	mean := p.Total / float64(len(p.Bins))
	for from, to := 0, 0; from < len(p.Bins); from = to {
		volume := p.Bins[from].Volume
		for to = from; to < len(p.Bins) && p.Bins[to].Volume == volume; to++ {
		}
		peak, trough := volume > mean, volume < mean/2 && from > 0 && to < len(p.Bins)
		for i := max(0, from-p.width); i < min(len(p.Bins), to+p.width) && (peak || trough); i++ {
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
	var levels []Level
	span := fmt.Sprintf("volume from %s to %s", p.From.Format(time.DateOnly), p.To.Format(time.DateOnly))
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
	sortByPrice(levels)
	return levels
}
