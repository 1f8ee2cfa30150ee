package backtest_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// madeSpan is thirty sessions in which everything that strategies can read is there.
var madeSpan = sync.OnceValue(func() *backtest.Market { return madeMarket(30) })

// madeMarket has daily, weekly, hourly and five-minute bars, columns, option chains
// three times a day with expiries on Fridays, dividends, a split and earnings.
func madeMarket(sessions int) *backtest.Market {
	random := rand.New(rand.NewPCG(9, 9))
	calendar := market.NYSE()
	zone := calendar.Location()
	all := calendar.Sessions(market.Date{Year: 2024, Month: 10, Day: 1}, market.Date{Year: 2025, Month: 3, Day: 1})[:sessions]
	m := &backtest.Market{Rate: func(market.Date, float64) float64 { return 0.04 }}
	var quotes []market.OptionQuote
	for _, symbol := range []market.Symbol{"AAA", "BBB"} {
		var daily, weekly, hourly, fives []market.Bar
		var scores []float64
		p := 100.0
		for i, s := range all {
			day := market.Bar{Time: s.Date.In(zone), Open: p, High: p, Low: p, Volume: 1e6}
			snapshot := 0
			for at := s.Open; at.Before(s.Close); at = at.Add(5 * time.Minute) {
				b := market.Bar{Time: at, Open: p, High: p, Low: p, Volume: 1000}
				p *= math.Exp(0.0025 * random.NormFloat64())
				b.Close = p
				b.High, b.Low = max(b.Open, p)*1.0002, min(b.Open, p)*0.9998
				day.High, day.Low, day.Close = max(day.High, b.High), min(day.Low, b.Low), p
				fives = append(fives, b)
				h := at.Truncate(time.Hour).Add(30 * time.Minute)
				if h.After(at) {
					h = h.Add(-time.Hour)
				}
				if n := len(hourly); n > 0 && hourly[n-1].Time.Equal(h) {
					x := &hourly[n-1]
					x.High, x.Low, x.Close = max(x.High, b.High), min(x.Low, b.Low), p
				} else {
					hourly = append(hourly, market.Bar{Time: h, Open: b.Open, High: b.High, Low: b.Low, Close: p, Volume: 1e4})
				}
				elapsed := at.Sub(s.Open)
				if symbol == "AAA" && (elapsed == 30*time.Minute || elapsed == 2*time.Hour || elapsed == 3*time.Hour+15*time.Minute) {
					snapshot++
					quotes = append(quotes, madeChain(s.Date, at, p, random)...)
				}
			}
			daily = append(daily, day)
			scores = append(scores, random.Float64()*2-1)
			if i == 0 || s.Date.Weekday() < all[i-1].Date.Weekday() {
				weekly = append(weekly, day)
			} else {
				w := &weekly[len(weekly)-1]
				w.High, w.Low, w.Close = max(w.High, day.High), min(w.Low, day.Low), day.Close
			}
		}
		m.Bars = append(m.Bars,
			backtest.BarFeed{Symbol: symbol, Interval: market.Day, Bars: daily, Columns: map[string][]float64{"score": scores}},
			backtest.BarFeed{Symbol: symbol, Interval: "1w", Bars: weekly},
			backtest.BarFeed{Symbol: symbol, Interval: "1h", Bars: hourly},
			backtest.BarFeed{Symbol: symbol, Interval: "5m", Bars: fives})
	}
	for i, s := range all {
		if i%9 == 4 {
			m.Events = append(m.Events,
				market.Event{Symbol: "AAA", Kind: market.Dividend, Date: s.Date, Value: 0.3 + float64(i)/100},
				market.Event{Symbol: "AAA", Kind: market.Earnings, Date: s.Date, Value: 1 + float64(i), Timing: "after close"})
		}
	}
	store, err := backtest.NewChainStore(quotes)
	if err != nil {
		panic(err)
	}
	m.Chains = []*backtest.ChainStore{store}
	return m
}

// madeChain is a snapshot: the day's own expiry and three Fridays, some quotes missing.
func madeChain(today market.Date, at time.Time, spot float64, random *rand.Rand) []market.OptionQuote {
	dates := []market.Date{today}
	for d, fridays := today.AddDays(1), 0; fridays < 5; d = d.AddDays(1) {
		if _, open := market.NYSE().Session(d); open && d.Weekday() == time.Friday {
			dates, fridays = append(dates, d), fridays+1
		}
	}
	var out []market.OptionQuote
	for _, date := range dates {
		years := options.YearsToExpiry(at, options.ExpiryTime(date, market.SettledPM, nil))
		for k := -6; k <= 6; k++ {
			strike := math.Round(spot/2)*2 + float64(2*k)
			for _, kind := range []options.Kind{options.Call, options.Put} {
				if random.IntN(12) == 0 {
					continue
				}
				symbol, err := market.NewOptionSymbol(market.Contract{Root: "AAA", Expiration: date, Kind: kind, Strike: strike})
				if err != nil {
					panic(err)
				}
				mid := options.BSM{Spot: spot, Strike: strike, Years: years, Rate: 0.04, Vol: 0.3 + 0.02*random.NormFloat64()}.Price(kind)
				nan := math.NaN()
				out = append(out, market.OptionQuote{
					Symbol: symbol, Underlying: "AAA", Root: "AAA", Kind: kind, Strike: strike, Expiration: date, Style: market.American, Settlement: market.SettledPM, Multiplier: 100, Time: at,
					Bid: math.Floor(mid*98) / 100, Ask: math.Ceil(mid*102+1) / 100, BidSize: 50, AskSize: 50, Last: nan, Volume: 100, OpenInterest: 1000,
					IV: nan, Delta: nan, Gamma: nan, Theta: nan, Vega: nan, Rho: nan, Spot: spot,
				})
			}
		}
	}
	return out
}

// without leaves out bars of some intervals.
func without(m *backtest.Market, intervals ...market.Interval) *backtest.Market {
	out := *m
	out.Bars = nil
	for _, f := range m.Bars {
		if !slices.Contains(intervals, f.Interval) {
			out.Bars = append(out.Bars, f)
		}
	}
	return &out
}

// scrambled is the market with everything changed that is not known at a time: bars that
// have not ended keep their open when they have begun.
func scrambled(t testing.TB, m *backtest.Market, at time.Time) *backtest.Market {
	t.Helper()
	out := *m
	out.Bars = slices.Clone(m.Bars)
	cal := market.NYSE()
	for i := range out.Bars {
		f := &out.Bars[i]
		f.Bars = slices.Clone(f.Bars)
		columns := map[string][]float64{}
		for name, column := range f.Columns {
			columns[name] = slices.Clone(column)
		}
		for k := range f.Bars {
			b := &f.Bars[k]
			end, begun := cal.BarEnd(b.Time, f.Interval), !b.Time.After(at)
			if f.Interval == market.Day || f.Interval == "1w" {
				last := market.DateOf(b.Time)
				for d := last; f.Interval == "1w" && d.Weekday() < time.Saturday; d = d.AddDays(1) {
					if _, open := cal.Session(d); open {
						last = d
					}
				}
				session, _ := cal.Session(last)
				end = session.Close
				session, _ = cal.Session(market.DateOf(b.Time))
				begun = !session.Open.After(at)
			}
			if !end.After(at) {
				continue
			}
			if !begun {
				b.Open *= 1.7
			}
			b.Close *= 1.9
			b.High, b.Low = max(b.Open, b.Close)*1.1, min(b.Open, b.Close)*0.9
			b.Volume /= 3
			for _, column := range columns {
				column[k] = 7 - column[k]
			}
		}
		f.Columns = columns
	}
	if len(m.Chains) > 0 {
		s := m.Chains[0]
		var all []market.OptionQuote
		for k := range s.Snapshots() {
			for _, q := range s.Snapshot(k, nil) {
				if q.Time.After(at) {
					q.Bid, q.Ask, q.Spot, q.OpenInterest = q.Bid*2+1, q.Ask*2+1, q.Spot*1.9, 5
				}
				all = append(all, q)
			}
		}
		store, err := backtest.NewChainStore(all)
		require.NoError(t, err)
		out.Chains = []*backtest.ChainStore{store}
	}
	out.Events = nil
	for _, e := range m.Events {
		today := market.DateOf(at.In(cal.Location()))
		if announcedOn(e).After(today) {
			continue // nobody has said it yet
		}
		if session, ok := cal.Session(e.Date); e.Kind == market.Earnings && (e.Date.After(today) || ok && e.Date == today && !at.After(session.Close)) {
			e.Value = -99
		}
		out.Events = append(out.Events, e)
	}
	return &out
}

// announcedOn is three days ahead.
func announcedOn(e market.Event) market.Date { return e.Date.AddDays(-3) }

// snooping asks at each event for all there is, notes a digest of the answers, and
// trades by it.
func snooping(m *backtest.Market, interval market.Interval) *script {
	symbols := []market.Symbol{"AAA", "BBB"}
	s := &script{needs: strategy.Needs{Symbols: symbols, Interval: interval}}
	if len(m.Chains) > 0 {
		s.needs.Chains = symbols[:1]
	}
	s.begin = func(x *strategy.Session) error {
		x.Timer("noon", time.Date(2024, 10, 22, 12, 0, 0, 0, market.NYSE().Location()))
		return nil
	}
	s.on = func(x *strategy.Session, e *strategy.Event) error {
		if e.Kind == strategy.EndEvent {
			return nil
		}
		h := fnv.New64a()
		say := func(v ...any) { fmt.Fprintln(h, v...) }
		say(e.Kind, e.Symbol, e.Time.UnixNano(), e.Bar, len(e.Chain))
		for _, symbol := range symbols {
			bars := x.Bars(symbol, 1<<30)
			say(symbol, len(bars), cap(bars) == len(bars), x.Price(symbol), x.Position(symbol), x.Column(symbol, "score"))
			for _, b := range bars[max(0, len(bars)-3):] {
				say(b.Time.UnixNano(), b.Open, b.High, b.Low, b.Close, b.Volume)
			}
			q, ok := x.Quote(symbol)
			say(q.Bid, q.Ask, q.Last, ok)
			for _, ev := range x.Events(symbol, market.Date{Year: 2024, Month: 1, Day: 1}, market.Date{Year: 2026, Month: 1, Day: 1}) {
				say(ev.Kind, ev.Date, ev.Value)
			}
		}
		chain, when := x.Chain("AAA")
		say(len(chain), cap(chain) == len(chain), when.UnixNano())
		var number [8]byte
		for i := range chain {
			c := &chain[i]
			_, _ = io.WriteString(h, string(c.Symbol))
			for _, v := range [...]float64{c.Bid, c.Ask, c.Spot, c.OpenInterest, float64(c.Time.Unix())} {
				binary.LittleEndian.PutUint64(number[:], math.Float64bits(v))
				_, _ = h.Write(number[:])
			}
		}
		say(x.Rate(1), x.Equity(), x.Cash(), x.Profit(), len(x.Working()))
		sum := h.Sum64()
		x.Note(fmt.Sprintf("%x", sum))
		if sum%5 != 0 {
			return nil
		}
		if len(chain) > 0 && sum%2 == 0 {
			c := chain[sum/16%uint64(len(chain))]
			if c.Bid > 0 && c.Ask > 0 && c.Expiration.After(x.Date()) {
				_, _ = x.Trade(c.Symbol, 1)
			}
			return nil
		}
		_, _ = x.Target(symbols[sum/32%2], float64(sum/64%40)-10)
		return nil
	}
	return s
}

func notesUntil(a *backtest.AccountRecord, at time.Time) (out []string) {
	for _, n := range a.Notes {
		if n.Time.Before(at) {
			out = append(out, n.Time.String()+n.Text)
		}
	}
	return out
}

// sameNotes compares what strategies noted before a time and names the first difference.
func sameNotes(t *testing.T, want, got *backtest.AccountRecord, at time.Time, note string) {
	t.Helper()
	a, b := notesUntil(want, at), notesUntil(got, at)
	for i := range min(len(a), len(b)) {
		require.Equal(t, a[i], b[i], "%s: note %d", note, i)
	}
	require.Equal(t, len(a), len(b), note)
}

// TestNothingThatAStrategyCanReadIsOfTheFuture lets a strategy note everything that it
// can read, for each interval of bars, each policy for missing quotes and other rules,
// and puts another future in the place of what was not yet known at some times: within
// sessions, at their ends and between them.
func TestNothingThatAStrategyCanReadIsOfTheFuture(t *testing.T) {
	m := madeSpan()
	m.Announced = announcedOn
	zone := market.NYSE().Location()
	on := func(day, hour, minute int) time.Time { return time.Date(2024, 10, day, hour, minute, 0, 0, zone) }
	cuts := []time.Time{on(23, 12, 2), on(25, 16, 0), on(27, 9, 0), on(30, 10, 0)} // the second ends a week, and earnings come after the close of one
	rules := map[string]backtest.Rules{
		"hold":    {},
		"surface": {Missing: backtest.MissingQuotes{Policy: backtest.FromSurface}},
		"absent":  {Missing: backtest.MissingQuotes{Policy: backtest.LeaveAbsent}, Path: paper.Pessimistic, PointFirst: true},
		"lean":    backtest.LEAN(backtest.LEANOptions{}),
	}
	everything := m
	for name, r := range rules {
		m := everything
		if name != "hold" {
			m = without(m, "5m")
		}
		intervals := []market.Interval{market.Day, "1h"}
		if name == "hold" {
			intervals = []market.Interval{market.Day, "1w", "1h", "5m"}
		}
		for _, interval := range intervals {
			run := func(m *backtest.Market) *backtest.AccountRecord {
				t.Helper()
				out, err := backtest.Run(t.Context(), backtest.Options{
					Market: m, Accounts: []backtest.Account{{Strategy: snooping(m, interval), Cash: dollars("1000000")}}, Rules: r, From: on(21, 0, 0), To: on(31, 0, 0),
				})
				require.NoError(t, err)
				return &out.Record.Accounts[0]
			}
			whole := run(m)
			require.NotEmpty(t, whole.Fills)
			for i, at := range cuts {
				if interval == "5m" && i > 0 || name != "hold" && i%2 == 1 {
					continue // there are many of these bars
				}
				other := run(scrambled(t, m, at))
				note := fmt.Sprintf("%s, bars of %s, %s", name, interval, at.Format(time.DateTime))
				sameNotes(t, whole, other, at, note)
				until(t, at, whole, other, note)
			}
		}
	}
}

// TestNoStrategyKnowsTheFuture does the same with every strategy there is: its orders,
// fills and notes before a time do not depend on what comes after it.
func TestNoStrategyKnowsTheFuture(t *testing.T) {
	m := without(madeSpan(), "1w", "1h", "5m")
	m.Announced = announcedOn
	zone := market.NYSE().Location()
	traded := 0
	for _, d := range backtest.Definitions() {
		given := backtest.Params{}
		for _, p := range d.Params {
			switch p.Name {
			case "symbol", "first":
				given[p.Name] = "AAA"
			case "second", "other", "against":
				given[p.Name] = "BBB"
			case "slow", "slow_period", "period", "lookback", "window", "entry", "exit":
				if p.Type == "integer" {
					given[p.Name] = 8
				}
			case "fast", "fast_period":
				given[p.Name] = 3
			case "column", "custom_column":
				given[p.Name] = "score"
			}
		}
		params, err := given.JSON(nil)
		require.NoError(t, err)
		_, err = d.New(params)
		require.NoError(t, err, "%s %s", d.Name, params)
		run := func(m *backtest.Market) *backtest.AccountRecord {
			t.Helper()
			s, err := d.New(params)
			require.NoError(t, err)
			out, err := backtest.Run(t.Context(), backtest.Options{
				Market: m, Accounts: []backtest.Account{{Strategy: s, Name: d.Name, Params: json.RawMessage(params), Cash: dollars("300000")}},
				From: time.Date(2024, 10, 14, 0, 0, 0, 0, zone),
			})
			require.NoError(t, err, d.Name)
			return &out.Record.Accounts[0]
		}
		whole := run(m)
		if len(whole.Fills) > 0 {
			traded++
		} else {
			t.Log(d.Name, "does not trade here")
		}
		for _, at := range []time.Time{time.Date(2024, 10, 23, 10, 1, 0, 0, zone), time.Date(2024, 11, 1, 16, 0, 0, 0, zone)} {
			other := run(scrambled(t, m, at))
			note := d.Name + " at " + at.Format(time.DateTime)
			sameNotes(t, whole, other, at, note)
			until(t, at, whole, other, note)
		}
	}
	assert.Greater(t, traded, len(backtest.Definitions())*2/3, "a strategy that does nothing proves nothing")
}

// The order in which rows of one time are given says nothing: it must not decide.
func TestTheOrderOfWhatIsKnownAtOnceDecidesNothing(t *testing.T) {
	m := madeSpan()
	store := m.Chains[0]
	run := func(m *backtest.Market) string {
		r, err := backtest.Run(t.Context(), backtest.Options{Market: m, Accounts: []backtest.Account{{Strategy: snooping(m, market.Day), Cash: dollars("1000000")}}, Greeks: true})
		require.NoError(t, err)
		print, err := r.Fingerprint()
		require.NoError(t, err)
		return print
	}
	want := run(m)
	random := rand.New(rand.NewPCG(1, 2))
	for range 1 {
		var all []market.OptionQuote
		for k := range store.Snapshots() {
			all = append(all, store.Snapshot(k, nil)...)
		}
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		other, err := backtest.NewChainStore(all)
		require.NoError(t, err)
		shuffled := *m
		shuffled.Chains = []*backtest.ChainStore{other}
		require.Equal(t, want, run(&shuffled))
	}
}
