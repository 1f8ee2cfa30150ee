package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// A Briefing is what to know before the session: what moved overnight, what is due,
// and where prices and volatilities stand.
type Briefing struct {
	Date        market.Date        `json:"date"` // of the session that is to come, or open
	Time        time.Time          `json:"time"`
	Environment broker.Environment `json:"environment,omitempty"`
	Moves       []Move             `json:"moves"` // the greatest first
	Upcoming    []Upcoming         `json:"upcoming,omitempty"`
	Near        []Near             `json:"near,omitempty"` // the nearest first
	Vols        []VolChange        `json:"vols,omitempty"` // the greatest change first
	Notes       []string           `json:"notes,omitempty"`
}

// A Move is how far a symbol is from its close.
type Move struct {
	Symbol    market.Symbol `json:"symbol"`
	PrevClose market.Float  `json:"prev_close"`
	Price     market.Float  `json:"price"`
	Change    market.Float  `json:"change"`  // in dollars
	Percent   market.Float  `json:"percent"` // of the close; 1 is one percent
	// Effect is what the move does to what is held, by Δ·dS + ½Γ·dS² of the last
	// snapshot; nil when nothing is held or it is unknown.
	Effect *decimal.Decimal `json:"effect"`
	Held   bool             `json:"held"`
}

// UpcomingKind says what is due.
type UpcomingKind string

// The kinds.
const (
	UpcomingEarnings   UpcomingKind = "earnings"
	UpcomingDividend   UpcomingKind = "ex-dividend"
	UpcomingSplit      UpcomingKind = "split"
	UpcomingExpiration UpcomingKind = "expiration" // of an option that is held
	UpcomingEconomic   UpcomingKind = "economic"
)

// An Upcoming is something that is due.
type Upcoming struct {
	Date   market.Date   `json:"date"`
	Kind   UpcomingKind  `json:"kind"`
	Symbol market.Symbol `json:"symbol,omitempty"`
	Text   string        `json:"text"`
	// Days are calendar days from the report's date.
	Days int  `json:"days"`
	Held bool `json:"held,omitempty"`
}

// A Near is a level that the price is near to.
type Near struct {
	Symbol   market.Symbol `json:"symbol"`
	Price    market.Float  `json:"price"`
	Kind     levels.Kind   `json:"kind"`
	Level    market.Float  `json:"level"`
	Distance market.Float  `json:"distance"` // dollars, positive above the price
	ATRs     market.Float  `json:"atrs"`     // the same in average true ranges of 14 days, unsigned
	Touches  int           `json:"touches"`
}

// A VolChange is how an underlying's implied volatility changed.
type VolChange struct {
	Symbol market.Symbol `json:"symbol"`
	IV     market.Float  `json:"iv"` // index of its implied volatility, decimal per year
	// Before is what it was at the briefing of an earlier day, Since; null at the first.
	Before market.Float `json:"before"`
	Since  market.Date  `json:"since,omitzero"`
	Change market.Float `json:"change"` // in points
	// FiveDay is the source's own change over five days, in points.
	FiveDay    market.Float `json:"five_day"`
	Rank       market.Float `json:"rank"`       // 0 to 1
	Percentile market.Float `json:"percentile"` // 0 to 1
}

type volRecord struct {
	Symbol market.Symbol `json:"symbol"`
	Date   market.Date   `json:"date"`
	IV     float64       `json:"iv"`
}

func vols(records storage.Records) *storage.Collection[volRecord] {
	return storage.NewCollection(records, storage.Kind[volRecord]{
		Collection: "report-vols",
		ID:         func(v *volRecord) string { return string(v.Symbol) + "/" + v.Date.String() },
		Fields: func(v *volRecord) []storage.Field {
			return []storage.Field{storage.Text("symbol", string(v.Symbol)), storage.Text("date", v.Date.String())}
		},
	})
}

// MaxSymbols is the most symbols of a briefing.
const MaxSymbols = 200

// Briefing looks at symbols, and at what the accounts hold beside them. It needs a
// market. What one symbol lacks is in the notes and holds up no other.
func (r *Reporter) Briefing(ctx context.Context, symbols []market.Symbol, accounts ...broker.AccountID) (*Briefing, error) {
	if r.market == nil {
		return nil, &FieldError{Field: "source", Allowed: "a source of market data"}
	}
	now := r.o.Clock.Now()
	b := &Briefing{Date: r.day(now), Time: now, Moves: []Move{}}
	held, err := r.holdings(ctx, b, accounts)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(symbols)
	for _, h := range held {
		if h.Kind != market.KindFutureOption {
			all = append(all, h.Underlying)
		}
	}
	all = unique(all)
	if len(all) > MaxSymbols {
		b.Notes = append(b.Notes, fmt.Sprintf("%d symbols were asked for; these are the first %d.", len(all), MaxSymbols))
		all = all[:MaxSymbols]
	}
	prices, err := r.moves(ctx, b, all, held)
	if err != nil {
		return nil, err
	}
	var gaps []string
	b.Upcoming, gaps = r.upcoming(ctx, all, held, b.Date, r.o.Ahead)
	b.Notes = append(b.Notes, gaps...)
	r.near(ctx, b, all, prices)
	if err := r.volatilities(ctx, b, all); err != nil {
		return nil, err
	}
	return b, ctx.Err()
}

// day is the date of the session that is open or comes next.
func (r *Reporter) day(now time.Time) market.Date {
	date := market.DateOf(now.In(r.calendar.Location()))
	if s, ok := r.calendar.Session(date); ok && now.Before(s.Close) {
		return date
	}
	return r.calendar.Next(now).Date
}

// holdings are what the accounts hold now.
func (r *Reporter) holdings(ctx context.Context, b *Briefing, accounts []broker.AccountID) ([]Holding, error) {
	if len(accounts) == 0 {
		return nil, nil
	}
	if r.broker == nil {
		return nil, errNoDesk
	}
	b.Environment = r.broker.Environment()
	var out []Holding
	for _, account := range accounts {
		// The Greeks before the move are those of the last snapshot; what was opened since
		// has none there.
		last, err := r.newest(ctx, account, b.Time)
		if err != nil {
			return nil, err
		}
		positions, err := r.broker.Positions(ctx, account)
		if err != nil {
			return nil, err
		}
		for _, p := range positions {
			if p.Quantity.IsZero() {
				continue
			}
			h := r.hold(p, math.NaN(), b.Time)
			if last != nil {
				if before := last.find(p.Symbol); before != nil && before.Quantity.Equal(h.Quantity) {
					h.Delta, h.Gamma, h.Spot = before.Delta, before.Gamma, before.Spot
				}
			}
			out = append(out, h)
		}
	}
	return out, nil
}

// moves fills in how far prices are from their close, and returns them.
func (r *Reporter) moves(ctx context.Context, b *Briefing, all []market.Symbol, held []Holding) (map[market.Symbol]float64, error) {
	prices := map[market.Symbol]float64{}
	if len(all) == 0 {
		return prices, nil
	}
	quotes, err := r.market.Quotes(ctx, all)
	if err != nil && !partial(err) {
		return nil, err
	}
	var lacking []market.Symbol
	got := map[market.Symbol]bool{}
	for _, q := range quotes {
		price := q.Mid()
		if !(price > 0) || !(q.PrevClose > 0) {
			continue
		}
		got[q.Symbol], prices[q.Symbol] = true, price
		m := Move{
			Symbol: q.Symbol, PrevClose: market.Float(q.PrevClose), Price: market.Float(price), Change: market.Float(price - q.PrevClose),
			Percent: market.Float(100 * (price/q.PrevClose - 1)),
		}
		effect := 0.0
		for i := range held {
			if h := &held[i]; h.Underlying == q.Symbol {
				m.Held = true
				ds := price - q.PrevClose
				effect += float64(h.Delta)*ds + 0.5*float64(h.Gamma)*ds*ds
			}
		}
		if m.Held {
			m.Effect = cents(effect)
		}
		b.Moves = append(b.Moves, m)
	}
	for _, s := range all {
		if !got[s] {
			lacking = append(lacking, s)
		}
	}
	if len(lacking) > 0 {
		b.Notes = append(b.Notes, "No price or no close before: "+join(lacking)+".")
	}
	slices.SortStableFunc(b.Moves, func(x, y Move) int {
		return cmp.Compare(math.Abs(float64(y.Percent)), math.Abs(float64(x.Percent)))
	})
	return prices, nil
}

// upcoming is what is due from a date on, soonest first, and what could not be
// found out.
func (r *Reporter) upcoming(ctx context.Context, all []market.Symbol, held []Holding, from market.Date, ahead int) (out []Upcoming, gaps []string) {
	to := from.AddDays(ahead)
	add := func(u Upcoming) {
		u.Days = from.DaysUntil(u.Date)
		out = append(out, u)
	}
	owned := map[market.Symbol]bool{}
	for i := range held {
		h := &held[i]
		owned[h.Underlying] = true
		if h.Expires.IsZero() || h.Expires.Before(from) || h.Expires.After(to) {
			continue
		}
		add(Upcoming{Date: h.Expires, Kind: UpcomingExpiration, Symbol: h.Symbol, Text: fmt.Sprintf("%s of %s", h.Quantity, name(h.Symbol)), Held: true})
	}
	var lacking []market.Symbol
	for _, s := range all {
		if r.market == nil {
			lacking = append(lacking, s)
			continue
		}
		events, err := r.market.Events(ctx, s, from, to)
		if err != nil {
			lacking = append(lacking, s)
		}
		for _, e := range events {
			if u, ok := eventOf(e); ok {
				u.Held = owned[e.Symbol]
				add(u)
			}
		}
	}
	if len(lacking) > 0 {
		gaps = append(gaps, "Earnings, dividends and splits are not known: "+join(lacking)+".")
	}
	economic, err := r.o.Economic.EconomicEvents(ctx, from, to)
	_, last := r.o.Economic.EconomicRange()
	if err != nil || !last.IsZero() && last.Before(to) {
		gaps = append(gaps, "Economic announcements are not known for the whole time.")
	}
	for _, e := range economic {
		if e.Unscheduled {
			continue
		}
		text := e.Name
		if !e.Time.IsZero() {
			text += e.Time.In(r.calendar.Location()).Format(", 15:04 MST")
		}
		add(Upcoming{Date: e.Date, Kind: UpcomingEconomic, Text: text})
	}
	slices.SortStableFunc(out, func(a, b Upcoming) int {
		return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Symbol, b.Symbol))
	})
	return out, gaps
}

func eventOf(e market.Event) (Upcoming, bool) {
	u := Upcoming{Date: e.Date, Symbol: e.Symbol}
	switch e.Kind {
	case market.Earnings:
		u.Kind, u.Text = UpcomingEarnings, "earnings"
		if e.Timing != "" {
			u.Text += " " + e.Timing
		}
	case market.Dividend:
		u.Kind, u.Text = UpcomingDividend, "ex-dividend"
		if !math.IsNaN(e.Value) {
			u.Text += fmt.Sprintf(", %g a share", e.Value)
		}
	case market.Split:
		u.Kind, u.Text = UpcomingSplit, "split"
		if !math.IsNaN(e.Value) {
			u.Text += fmt.Sprintf(", %g for one", e.Value)
		}
	default:
		return u, false
	}
	if e.Estimated {
		u.Text += ", estimated"
	}
	return u, true
}

// near finds the levels of the daily bars that prices are near to.
func (r *Reporter) near(ctx context.Context, b *Briefing, all []market.Symbol, prices map[market.Symbol]float64) {
	var lacking []market.Symbol
	for _, s := range all {
		price, ok := prices[s]
		if !ok {
			continue
		}
		bars, err := r.market.Bars(ctx, market.BarsRequest{Symbol: s, Interval: market.Day, To: b.Time, Limit: 260})
		bars = r.calendar.Complete(bars, market.Day, b.Time)
		if err != nil || len(bars) < 20 {
			lacking = append(lacking, s)
			continue
		}
		found, err := nearLevels(s, bars, price, r.o.Near)
		if err != nil {
			lacking = append(lacking, s)
			continue
		}
		b.Near = append(b.Near, found...)
	}
	if len(lacking) > 0 {
		b.Notes = append(b.Notes, "No levels for want of daily bars: "+join(lacking)+".")
	}
	slices.SortStableFunc(b.Near, func(x, y Near) int { return cmp.Compare(x.ATRs, y.ATRs) })
}

// nearLevels are at most two levels on each side of the price, within reach.
func nearLevels(s market.Symbol, bars []market.Bar, price, reach float64) ([]Near, error) {
	series := market.NewSeries(s, market.Day, bars)
	found, err := levels.Zones(series, nil)
	if err != nil {
		return nil, err
	}
	swings, err := levels.Swings(series, nil)
	if err != nil {
		return nil, err
	}
	prior, err := levels.Prior(series, nil)
	if err != nil {
		return nil, err
	}
	found = append(append(found, swings...), prior...)
	atr := averageRange(bars, 14)
	if !(atr > 0) {
		return nil, nil
	}
	below, above := levels.Around(slices.DeleteFunc(found, func(l levels.Level) bool { return l.Broken }), price, 2)
	var out []Near
	for _, l := range append(below, above...) {
		if d := l.Price - price; math.Abs(d) <= reach*atr {
			out = append(out, Near{
				Symbol: s, Price: market.Float(price), Kind: l.Kind, Level: market.Float(l.Price), Distance: market.Float(d),
				ATRs: market.Float(math.Abs(d) / atr), Touches: l.Touches,
			})
		}
	}
	return out, nil
}

// averageRange is the mean of the true ranges of the last n bars.
func averageRange(bars []market.Bar, n int) float64 {
	if len(bars) <= n {
		return math.NaN()
	}
	sum := 0.0
	for i := len(bars) - n; i < len(bars); i++ {
		before := bars[i-1].Close
		sum += max(bars[i].High, before) - min(bars[i].Low, before)
	}
	return sum / float64(n)
}

// volatilities compares implied volatilities with those of an earlier day, and
// keeps today's.
func (r *Reporter) volatilities(ctx context.Context, b *Briefing, all []market.Symbol) error {
	if len(all) == 0 {
		return nil
	}
	metrics, err := r.market.Metrics(ctx, all)
	if err != nil && !partial(err) {
		return err
	}
	got := map[market.Symbol]bool{}
	for _, m := range metrics {
		if !(m.IVIndex > 0) {
			continue
		}
		got[m.Symbol] = true
		v := VolChange{
			Symbol: m.Symbol, IV: market.Float(m.IVIndex), Before: unknown(), Change: unknown(), FiveDay: market.Float(100 * m.IVIndex5Day),
			Rank: market.Float(m.IVRank), Percentile: market.Float(m.IVPercentile),
		}
		before, err := r.volBefore(ctx, m.Symbol, b.Date)
		if err != nil {
			return err
		}
		if before != nil {
			v.Before, v.Since, v.Change = market.Float(before.IV), before.Date, market.Float(100*(m.IVIndex-before.IV))
		}
		if _, err := r.vols.Put(ctx, volRecord{m.Symbol, b.Date, m.IVIndex}); err != nil {
			return err
		}
		b.Vols = append(b.Vols, v)
	}
	var lacking []market.Symbol
	for _, s := range all {
		if !got[s] {
			lacking = append(lacking, s)
		}
	}
	if len(lacking) > 0 {
		b.Notes = append(b.Notes, "No implied volatility: "+join(lacking)+".")
	}
	slices.SortStableFunc(b.Vols, func(x, y VolChange) int {
		return cmp.Compare(changed(y), changed(x))
	})
	return nil
}

// changed is how much there is to say about a volatility; unknown is least.
func changed(v VolChange) float64 {
	if c := math.Abs(float64(v.Change)); !math.IsNaN(c) {
		return c
	}
	if c := math.Abs(float64(v.FiveDay)); !math.IsNaN(c) {
		return c
	}
	return -1
}

func (r *Reporter) volBefore(ctx context.Context, s market.Symbol, date market.Date) (*volRecord, error) {
	to := storage.Text("date", date.String())
	list, _, err := r.vols.List(ctx, storage.RecordQuery{
		Where: []storage.Field{storage.Text("symbol", string(s))}, Order: "date", To: &to, Desc: true, Limit: 1,
	})
	if err != nil || len(list) == 0 {
		if errors.Is(err, storage.ErrNotFound) {
			err = nil
		}
		return nil, err
	}
	return &list[0].Value, nil
}
