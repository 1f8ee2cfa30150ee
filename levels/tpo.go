package levels

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// TPOOptions says how a market profile is made.
type TPOOptions struct {
	// Tick is the height of a row; 0 means a round step that gives 40 to 80 rows or a little fewer.
	Tick float64
	// Bracket is the stretch of time that leaves one print at each price it
	// reaches, counted from the first bar; 0 means 30 minutes.
	Bracket time.Duration
	// InitialBalance and OpeningRange are counted from the first bar; 0 means one hour and 10 minutes.
	InitialBalance, OpeningRange time.Duration
	// ValueArea is the share of prints in the value area; 0 means 0.7.
	ValueArea float64
	// ByClose follows other programs: every bar leaves one print, at its close
	// rounded up to a tick (in binary, so that a close on a tick may count one
	// tick higher); rows without one are left out; and the bar that
	// begins at the very end of the initial balance and the opening range still
	// belongs to them.
	ByClose bool
	// ByVolume counts a bar's volume in place of prints; only with ByClose.
	ByVolume bool
}

func (o TPOOptions) resolve() (TPOOptions, error) {
	var err error
	if o.Tick != 0 {
		if o.Tick, err = positive("tpo.tick", o.Tick, 0); err != nil {
			return o, err
		}
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		usual time.Duration
	}{{"tpo.bracket", &o.Bracket, 30 * time.Minute}, {"tpo.initialBalance", &o.InitialBalance, time.Hour}, {"tpo.openingRange", &o.OpeningRange, 10 * time.Minute}} {
		switch {
		case *d.value == 0:
			*d.value = d.usual
		case *d.value < time.Second || *d.value > 24*time.Hour:
			return o, invalid.Field(d.name, *d.value, "1 s to 24 h")
		}
	}
	if o.ValueArea == 0 {
		o.ValueArea = 0.7
	}
	if !(o.ValueArea > 0 && o.ValueArea <= 1) {
		return o, invalid.Field("tpo.valueArea", o.ValueArea, "a share above 0, at most 1")
	}
	if o.ByVolume && !o.ByClose {
		return o, invalid.Field("tpo.byVolume", o.ByVolume, "true only together with ByClose; see Profile")
	}
	return o, nil
}

// A PriceRange is from one price to another.
type PriceRange struct{ Low, High float64 }

// A TPORow is the prints of one price step.
type TPORow struct {
	Low, High float64 // its edges; equal with ByClose
	Price     float64 // its middle
	Count     float64 // prints, one per bracket that reached it; volume with ByVolume
}

// A TPOProfile is a market profile: time, in brackets, at price.
type TPOProfile struct {
	From, To time.Time // start of the first and the last bar
	Tick     float64
	Rows     []TPORow // ascending
	Brackets int
	Skipped  int // bars left out because their range or close is not known

	POC                         float64 // the price with the most prints; of equal ones the nearest to the middle
	ValueAreaLow, ValueAreaHigh float64
	High, Low                   float64 // of the rows with prints
	InitialLow, InitialHigh     float64 // the range of the initial balance
	OpeningLow, OpeningHigh     float64 // the range of the first minutes
	BalancedTarget              float64 // the POC less its distance from the farther end, on the other side of it

	// SinglePrints are runs of rows inside the profile that a single bracket
	// reached, ascending; runs at its ends are tails, not single prints.
	SinglePrints []PriceRange
	// A high, or low, is poor when more than one bracket reached its row: price
	// was not rejected there.
	PoorHigh, PoorLow bool

	HighNodes, LowNodes []float64 // prices of rows with more, or fewer, prints than both neighbours
}

// MarketProfile returns the market profile of all bars of s, usually those of
// one session. It returns [ErrNoVolume] when no bar is known, or none has a
// volume and ByVolume is set.
//
// The value area grows from the point of control: of the next rows above and
// below that have prints the one with more is added, the upper one of equal
// ones, until it holds more than the share ValueArea.
func MarketProfile(s market.Series, opts *TPOOptions) (*TPOProfile, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	if err := check(s); err != nil {
		return nil, err
	}
	return marketProfile(s, o)
}

func marketProfile(s market.Series, o TPOOptions) (*TPOProfile, error) {
	n := math.NaN()
	p := &TPOProfile{InitialLow: n, InitialHigh: n, OpeningLow: n, OpeningHigh: n}
	// The rows are laid as the bins of a volume profile are.
	spread := SpreadRange
	if o.ByClose {
		spread = SpreadClose
	}
	counts := func(i int) bool { return known(s, i) && (!o.ByVolume || usable(&s, i)) }
	low, high := math.Inf(1), math.Inf(-1)
	for i := range s.Time {
		if !counts(i) {
			p.Skipped++
			continue
		}
		l, h := spread.reach(&s, i)
		low, high = min(low, l), max(high, h)
	}
	if low > high {
		return nil, ErrNoVolume
	}
	v := &VolumeProfile{Tick: o.Tick, literal: o.ByClose}
	if err := v.lay(low, high, spread); err != nil {
		return nil, invalid.Fieldf("tpo.tick", o.Tick, "a tick that divides the range from %v to %v into fewer than %d rows", low, high, mostBins)
	}
	p.From, p.To, p.Tick = s.Time[0], s.Time[s.Len()-1], v.Tick
	p.print(s, v, o, counts)
	p.ranges(s, o)

	v.Total = 0
	for _, b := range v.Bins {
		v.Total += b.Volume
	}
	for len(v.Bins) > 1 && v.Bins[len(v.Bins)-1].Volume == 0 {
		v.Bins = v.Bins[:len(v.Bins)-1]
	}
	v.findPOC(spread)
	v.findValueArea(o.ValueArea)
	p.POC, p.ValueAreaLow, p.ValueAreaHigh = v.POC, v.ValueAreaLow, v.ValueAreaHigh
	for _, b := range v.Bins {
		if b.Volume > 0 || !o.ByClose {
			p.Rows = append(p.Rows, TPORow{Low: b.Low, High: b.High, Price: b.Price, Count: b.Volume})
		}
	}
	p.describe(o)
	return p, nil
}

// print leaves the prints of every bar.
func (p *TPOProfile) print(s market.Series, v *VolumeProfile, o TPOOptions, counts func(int) bool) {
	if o.ByClose {
		for i := range s.Time {
			if counts(i) {
				weight := 1.0
				if o.ByVolume {
					weight = s.Volume[i]
				}
				v.fill(s.Close[i], s.Close[i], s.Close[i], weight, SpreadClose)
			}
		}
		p.Brackets = s.Len() - p.Skipped
		return
	}
	bracket := make([]int, len(v.Bins)) // the last one that reached a row, counted from 1
	last := -1
	for i := range s.Time {
		if !counts(i) {
			continue
		}
		k := int(s.Time[i].Sub(s.Time[0]) / o.Bracket)
		if k != last {
			p.Brackets++
			last = k
		}
		for row := v.bin(s.Low[i]); row <= v.lastBin(s.Low[i], s.High[i]); row++ {
			if bracket[row-v.first] != k+1 {
				bracket[row-v.first] = k + 1
				v.Bins[row-v.first].Volume++
			}
		}
	}
}

// ranges finds the initial balance and the opening range.
func (p *TPOProfile) ranges(s market.Series, o TPOOptions) {
	for _, x := range []struct {
		length    time.Duration
		low, high *float64
	}{{o.InitialBalance, &p.InitialLow, &p.InitialHigh}, {o.OpeningRange, &p.OpeningLow, &p.OpeningHigh}} {
		until := s.Time[0].Add(x.length)
		for i := range s.Time {
			if s.Time[i].After(until) || !o.ByClose && s.Time[i].Equal(until) {
				break
			}
			if !known(s, i) {
				continue
			}
			if math.IsNaN(*x.low) {
				*x.low, *x.high = s.Low[i], s.High[i]
			}
			*x.low, *x.high = min(*x.low, s.Low[i]), max(*x.high, s.High[i])
		}
	}
}

// describe finds single prints, poor extremes, nodes and the balanced target.
func (p *TPOProfile) describe(o TPOOptions) {
	rows := p.Rows
	n := len(rows)
	p.Low, p.High = rows[0].Low, rows[n-1].High
	p.PoorLow, p.PoorHigh = rows[0].Count > 1, rows[n-1].Count > 1
	if above, below := p.High-p.POC, p.POC-p.Low; above >= below {
		p.BalancedTarget = p.POC - above
	} else {
		p.BalancedTarget = p.POC + below
	}
	for i := 1; i+1 < n; i++ {
		a, x, b := rows[i-1].Count, rows[i].Count, rows[i+1].Count
		if x > a && x > b {
			p.HighNodes = append(p.HighNodes, rows[i].Price)
		}
		if x < a && x < b {
			p.LowNodes = append(p.LowNodes, rows[i].Price)
		}
	}
	if o.ByClose {
		return // a bar's one print says nothing about the prices it ran through
	}
	for from, to := 0, 0; from < n; from = to {
		to = from + 1
		if rows[from].Count != 1 {
			continue
		}
		for to < n && rows[to].Count == 1 {
			to++
		}
		if from > 0 && to < n {
			p.SinglePrints = append(p.SinglePrints, PriceRange{rows[from].Low, rows[to-1].High})
		}
	}
}

// A tpoFamily keeps the initial balance of the session and the market profile
// of the last finished one.
type tpoFamily struct {
	o        TPOOptions
	day      *tracker
	initial  span
	until    int64
	pending  bool
	initials []int32
	ids      []int32
}

func newTPOFamily(e *Engine) *tpoFamily {
	return &tpoFamily{o: e.o.TPO, day: e.periods.tracker(PeriodDay)}
}

func (f *tpoFamily) lines(_ *Engine, dst []Level) []Level { return dst }

func (f *tpoFamily) update(e *Engine) {
	if f.day.began {
		e.replace(&f.initials)
		f.initial, f.pending = span{first: -1, begin: e.periods.date}, true
		f.until = e.periods.now + int64(f.o.InitialBalance/time.Second)
	}
	if f.pending {
		if e.periods.counts && e.periods.now < f.until {
			f.initial.add(e.i, &e.bar)
		}
		if e.periods.end >= f.until {
			f.pending = false
			f.balance(e)
		}
	}
	if f.day.done {
		f.session(e)
	}
}

func (f *tpoFamily) balance(e *Engine) {
	x := &f.initial
	span := "the session of " + x.begin.String()
	if e.wants(KindInitialBalanceHigh) {
		f.initials = append(f.initials, e.follow(&record{price: x.bar.High, low: x.bar.High, high: x.bar.High, kind: KindInitialBalanceHigh, born: x.highI, bornAt: x.highAt, touched: -1, label: &label{name: "initial balance high of " + span}}, false))
	}
	if e.wants(KindInitialBalanceLow) {
		f.initials = append(f.initials, e.follow(&record{price: x.bar.Low, low: x.bar.Low, high: x.bar.Low, kind: KindInitialBalanceLow, born: x.lowI, bornAt: x.lowAt, touched: -1, label: &label{name: "initial balance low of " + span}}, false))
	}
}

func (f *tpoFamily) session(e *Engine) {
	x := f.day.finished
	p, err := marketProfile(e.bars.slice(x.first, x.last+1), f.o)
	if err != nil {
		return
	}
	e.replace(&f.ids)
	for _, l := range p.levels("the session of " + x.begin.String()) {
		if e.wants(l.Kind) {
			f.ids = append(f.ids, e.follow(&record{
				price: l.Price, low: l.Low, high: l.High, kind: l.Kind, born: x.first, bornAt: l.Born, touched: -1, label: &label{name: l.Source},
			}, false))
		}
	}
}

// Levels returns the profile's levels, ascending by price, the initial balance
// among them. They are confirmed by the last bar and have no history after it.
func (p *TPOProfile) Levels() []Level {
	span := "the session of " + p.From.Format(time.DateOnly)
	levels := p.levels(span)
	for _, x := range []struct {
		kind  Kind
		price float64
	}{{KindInitialBalanceLow, p.InitialLow}, {KindInitialBalanceHigh, p.InitialHigh}} {
		if !math.IsNaN(x.price) {
			levels = append(levels, Level{Price: x.price, Low: x.price, High: x.price, Kind: x.kind, Source: string(x.kind) + " of " + span, Born: p.From, Confirmed: p.To})
		}
	}
	sortByPrice(levels)
	return levels
}

func (p *TPOProfile) levels(span string) []Level {
	var levels []Level
	add := func(kind Kind, price, low, high float64) {
		levels = append(levels, Level{Price: price, Low: low, High: high, Kind: kind, Source: string(kind) + " of " + span, Born: p.From, Confirmed: p.To})
	}
	half := (p.Rows[0].High - p.Rows[0].Low) / 2
	add(KindTPOPOC, p.POC, p.POC-half, p.POC+half)
	add(KindTPOValueAreaLow, p.ValueAreaLow, p.ValueAreaLow, p.ValueAreaLow)
	add(KindTPOValueAreaHigh, p.ValueAreaHigh, p.ValueAreaHigh, p.ValueAreaHigh)
	for _, x := range p.SinglePrints {
		add(KindSinglePrint, x.Low+(x.High-x.Low)/2, x.Low, x.High)
	}
	if p.PoorHigh {
		add(KindPoorHigh, p.High, p.High, p.High)
	}
	if p.PoorLow {
		add(KindPoorLow, p.Low, p.Low, p.Low)
	}
	return levels
}
