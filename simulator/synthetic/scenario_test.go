package synthetic_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// staged returns a market with scenarios and the clock that moves it.
func staged(t testing.TB, seed uint64, now time.Time, scenarios ...synthetic.Scenario) (*synthetic.Market, *market.ManualClock) {
	t.Helper()
	clock := market.NewManualClock(now)
	m, err := synthetic.New(seed, &synthetic.Options{Clock: clock, Scenarios: scenarios})
	require.NoError(t, err)
	return m, clock
}

// day is the daily bar of a date and the close before it.
func dayOf(t testing.TB, m *synthetic.Market, s market.Symbol, d market.Date) (bar market.Bar, before float64) {
	t.Helper()
	all := daily(t, m, s)
	for i, b := range all {
		if market.DateOf(b.Time) == d {
			return b, all[i-1].Close
		}
	}
	t.Fatalf("no bar of %s on %s", s, d)
	return
}

func atmVol(t testing.TB, m *synthetic.Market, s market.Symbol, now time.Time) float64 {
	t.Helper()
	quotes, err := m.ChainAt(market.ChainRequest{Underlying: s, Strikes: 1, Expirations: []market.Date{date(2026, 10, 16)}}, now)
	require.NoError(t, err)
	return quotes[0].IV
}

var crashDay = date(2026, 9, 16)

func TestACrashTakesEverythingDownByItsBeta(t *testing.T) {
	sequential(t)
	for seed := range uint64(4) {
		m, _ := staged(t, seed, newYork(crashDay, 17, 30), synthetic.Scenario{Kind: synthetic.Crash})
		bar, before := dayOf(t, m, "SPX", crashDay)
		assert.InDelta(t, -0.12, bar.Close/before-1, 0.002, "seed %d: SPX has no noise of its own but the drift of a day", seed)
		es, esBefore := dayOf(t, m, "/ESZ6", crashDay)
		assert.InDelta(t, -0.12, es.Close/esBefore-1, 0.02, "seed %d: the future goes along", seed)
		bond, before := dayOf(t, m, "TLT", crashDay)
		assert.Greater(t, bond.Close/before-1, -0.04, "seed %d: bonds do not fall along", seed)
		if seed != synthetic.DefaultSeed {
			continue
		}
		fallen := 0
		for i, in := range m.Symbols() {
			if i%3 > 0 {
				continue
			}
			if b, before := dayOf(t, m, in.Symbol, crashDay); b.Close < before {
				fallen++
			}
		}
		assert.GreaterOrEqual(t, fallen, 17, "of 19")
	}
}

func TestNothingBeforeAScenarioChanges(t *testing.T) {
	plain := at(t, newYork(date(2026, 12, 1), 12, 0))
	crash, _ := staged(t, synthetic.DefaultSeed, newYork(date(2026, 12, 1), 12, 0),
		synthetic.Scenario{Kind: synthetic.Crash}, synthetic.Scenario{Kind: synthetic.Squeeze, Symbol: "F"})
	for _, s := range []market.Symbol{"SPY", "KO", "F", "TLT", "/CLX6", "/NQZ6"} {
		a, b := daily(t, plain, s), daily(t, crash, s)
		until := crashDay
		if s[0] == '/' {
			until = date(2026, 9, 15) // whose evening already goes the way of the next open
		}
		n := 0
		for n < len(a) && market.DateOf(a[n].Time).Before(until) {
			n++
		}
		same(t, a[:n], b[:n], "bars of %s before the day", s)
		assert.NotEqual(t, a[n].Close, b[n].Close, "%s on the day", s)
	}
	noon := newYork(date(2026, 9, 15), 12, 0)
	x, err := plain.ChainAt(market.ChainRequest{Underlying: "F", Strikes: 5}, noon)
	require.NoError(t, err)
	y, err := crash.ChainAt(market.ChainRequest{Underlying: "F", Strikes: 5}, noon)
	require.NoError(t, err)
	assert.Equal(t, text(x), text(y))
}

func TestScenariosAreReproducible(t *testing.T) {
	scenarios := []synthetic.Scenario{{Kind: synthetic.Crash, Date: date(2026, 8, 5)}, {Kind: synthetic.Squeeze, Symbol: "AMD"}}
	one, _ := staged(t, 3, synthetic.DefaultStart(), scenarios...)
	two, _ := staged(t, 3, synthetic.DefaultStart(), scenarios...)
	_ = daily(t, two, "KO") // asked in another order
	for _, s := range []market.Symbol{"AMD", "SPY", "/ES"} {
		req := market.BarsRequest{Symbol: s, Interval: market.Minute, Limit: 1000}
		same(t, bars(t, one, req), bars(t, two, req), "%s", s)
	}
}

func TestCircuitBreakersStopSharesButNotGold(t *testing.T) {
	sequential(t)
	for _, row := range []struct {
		size  float64
		stops int
	}{{0.05, 0}, {0.12, 1}, {0.17, 2}} {
		m, _ := staged(t, synthetic.DefaultSeed, newYork(crashDay, 20, 0), synthetic.Scenario{Kind: synthetic.Crash, Size: row.size})
		_, before := dayOf(t, m, "SPX", crashDay)
		minutes := func(s market.Symbol) []market.Bar {
			return bars(t, m, market.BarsRequest{Symbol: s, Interval: market.Minute, From: newYork(crashDay, 9, 30), To: newYork(crashDay, 16, 0)})
		}
		spx := minutes("SPX")
		assert.Len(t, spx, 390-15*row.stops, "a fall of %v", row.size)
		levels := []float64{0.93, 0.87}
		stops := 0
		low := math.Inf(1)
		for i, b := range spx {
			if i > 1 {
				low = min(low, spx[i-2].Low)
			}
			if i > 0 && b.Time.Sub(spx[i-1].Time) > time.Minute {
				assert.Equal(t, 16*time.Minute, b.Time.Sub(spx[i-1].Time))
				assert.LessOrEqual(t, spx[i-1].Low, levels[stops]*before, "the minute before the stop went through the level")
				assert.Greater(t, low, levels[stops]*before, "and no minute before it did")
				stops++
				q, err := m.QuoteAt("KO", b.Time.Add(-time.Minute))
				require.NoError(t, err)
				assert.True(t, q.Halted)
				q, err = m.QuoteAt("KO", b.Time)
				require.NoError(t, err)
				assert.False(t, q.Halted)
				q, err = m.QuoteAt("/GC", b.Time.Add(-time.Minute))
				require.NoError(t, err)
				assert.False(t, q.Halted)
			}
		}
		assert.Equal(t, row.stops, stops, "a fall of %v", row.size)
		for _, s := range []market.Symbol{"KO", "QQQ", "/ESZ6", "/NQZ6"} {
			assert.Len(t, minutes(s), len(spx), "%s", s)
		}
		assert.Len(t, minutes("/GC"), 390)
	}
}

func TestMinutesOfExtraordinaryDaysAddUpToTheDailyBar(t *testing.T) {
	m, _ := staged(t, synthetic.DefaultSeed, newYork(crashDay, 21, 0),
		synthetic.Scenario{Kind: synthetic.Crash}, synthetic.Scenario{Kind: synthetic.Squeeze, Symbol: "SOFI"}, synthetic.Scenario{Kind: synthetic.Halt, Symbol: "XLE"})
	for _, s := range []market.Symbol{"SPY", "SOFI", "XLE", "/ESZ6", "/CLV6"} {
		bar, _ := dayOf(t, m, s, crashDay)
		req := market.BarsRequest{Symbol: s, Interval: market.Minute, From: newYork(crashDay, 0, 0)}
		if s[0] == '/' {
			req.From = newYork(crashDay, -6, 0)
		}
		minutes := bars(t, m, req)
		if s[0] == '/' {
			for len(minutes) > 0 && minutes[len(minutes)-1].Time.After(newYork(crashDay, 17, 0)) {
				minutes = minutes[:len(minutes)-1]
			}
		}
		assert.Equal(t, bar, joined(bar.Time, minutes), "%s", s)
	}
}

// joined adds bars up.
func joined(start time.Time, bars []market.Bar) market.Bar {
	sum := bars[0]
	sum.Time = start
	for _, b := range bars[1:] {
		sum.High, sum.Low, sum.Close, sum.Volume = max(sum.High, b.High), min(sum.Low, b.Low), b.Close, sum.Volume+b.Volume
	}
	return sum
}

func TestChainsFollowACrash(t *testing.T) {
	sequential(t)
	plain := at(t, synthetic.DefaultStart())
	m, _ := staged(t, synthetic.DefaultSeed, synthetic.DefaultStart(), synthetic.Scenario{Kind: synthetic.Crash})
	eve, shut := newYork(date(2026, 9, 15), 16, 0), newYork(crashDay, 16, 0)
	assert.Equal(t, atmVol(t, plain, "SPX", eve), atmVol(t, m, "SPX", eve))
	assert.Greater(t, atmVol(t, m, "SPX", shut), 1.7*atmVol(t, m, "SPX", eve), "the index's")
	assert.Greater(t, atmVol(t, m, "AAPL", shut), 1.4*atmVol(t, m, "AAPL", eve), "a share's")
	assert.Less(t, atmVol(t, m, "GLD", shut), 1.5*atmVol(t, m, "GLD", eve), "gold's")
	es := func(now time.Time) float64 {
		quotes, err := m.ChainAt(market.ChainRequest{Underlying: "/ESZ6", Strikes: 1, Expirations: []market.Date{date(2026, 10, 16)}}, now)
		require.NoError(t, err)
		return quotes[0].IV
	}
	assert.Greater(t, es(shut), 1.7*es(eve), "options on the future")
	midway := atmVol(t, m, "SPX", newYork(crashDay, 12, 30))
	assert.True(t, midway > atmVol(t, m, "SPX", eve) && midway < 1.05*atmVol(t, m, "SPX", shut), "on the way: %v", midway)
	assert.InDelta(t, atmVol(t, m, "SPX", shut), atmVol(t, m, "SPX", shut.Add(-time.Second)), 0.005, "without a step at the close")
	quotes, err := m.ChainAt(market.ChainRequest{Underlying: "SPX"}, newYork(crashDay, 14, 0))
	require.NoError(t, err)
	noArbitrage(t, quotes)
}

// noArbitrage asks that calls fall and puts rise with the strike, by no more
// than the strikes are apart, at what one can trade at.
func noArbitrage(t testing.TB, quotes []market.OptionQuote) {
	t.Helper()
	for i := 2; i < len(quotes); i++ {
		a, b := quotes[i-2], quotes[i]
		if a.Expiration != b.Expiration || a.Root != b.Root {
			continue
		}
		require.Equal(t, a.Kind, b.Kind)
		require.Less(t, a.Strike, b.Strike)
		if a.Kind == market.Put {
			a, b = b, a // the dearer one first
		}
		require.GreaterOrEqual(t, a.Ask, b.Bid, "%s and %s", a.Symbol, b.Symbol)
		require.LessOrEqual(t, a.Bid-b.Ask, math.Abs(b.Strike-a.Strike)+1e-9, "%s and %s", a.Symbol, b.Symbol)
	}
}

func TestASqueezeIsPausedAndGivesBack(t *testing.T) {
	m, clock := staged(t, synthetic.DefaultSeed, newYork(crashDay, 15, 59), synthetic.Scenario{Kind: synthetic.Squeeze, Symbol: "SOFI", Size: 1})
	plain := at(t, newYork(date(2026, 9, 30), 20, 0))
	metrics, err := m.Metrics(t.Context(), []market.Symbol{"SOFI"})
	require.NoError(t, err)
	assert.InDelta(t, 0.9, metrics[0].BorrowRate, 0.01)
	eve, shut := newYork(date(2026, 9, 15), 16, 0), newYork(crashDay, 16, 0)
	assert.Greater(t, atmVol(t, m, "SOFI", shut), 1.6*atmVol(t, m, "SOFI", eve))
	assert.Equal(t, atmVol(t, plain, "AMD", shut), atmVol(t, m, "AMD", shut), "nobody else is touched")

	clock.Set(newYork(date(2026, 9, 30), 20, 0))
	bar, before := dayOf(t, m, "SOFI", crashDay)
	usual, _ := dayOf(t, plain, "SOFI", crashDay)
	assert.InDelta(t, 1, bar.Close/before-1, 0.35, "doubled, but for the share's own move that day")
	assert.Greater(t, bar.Volume, 5*usual.Volume)
	later, _ := dayOf(t, m, "SOFI", date(2026, 9, 23))
	assert.Less(t, later.Close, 0.95*bar.Close)

	minutes := bars(t, m, market.BarsRequest{Symbol: "SOFI", Interval: market.Minute, From: newYork(crashDay, 0, 0), To: newYork(crashDay, 23, 0)})
	assert.Len(t, minutes, 390-3*5)
}

func TestAHaltStopsAShareAndItsOptions(t *testing.T) {
	m, _ := staged(t, synthetic.DefaultSeed, newYork(crashDay, 11, 0), synthetic.Scenario{Kind: synthetic.Halt, Symbol: "AMD", After: time.Hour, Length: 20 * time.Minute})
	from := newYork(crashDay, 10, 30)
	quote := func(s market.Symbol, at time.Time) market.Quote {
		q, err := m.QuoteAt(s, at)
		require.NoError(t, err)
		return q
	}
	option := market.Symbol("AMD   261016C00160000")
	for _, s := range []market.Symbol{"AMD", option} {
		assert.False(t, quote(s, from.Add(-time.Second)).Halted, "%s", s)
		first, last := quote(s, from), quote(s, from.Add(20*time.Minute-time.Second))
		assert.True(t, first.Halted && last.Halted, "%s", s)
		assert.Equal(t, []float64{first.Bid, first.Ask, first.Last}, []float64{last.Bid, last.Ask, last.Last}, "%s stands still", s)
		assert.False(t, quote(s, from.Add(20*time.Minute)).Halted, "%s", s)
	}
	assert.Equal(t, from, quote("AMD", from.Add(5*time.Minute)).Time, "the quote says how old it is")
	minutes := bars(t, m, market.BarsRequest{Symbol: "AMD", Interval: market.Minute, From: newYork(crashDay, 10, 28), To: newYork(crashDay, 10, 52)})
	var at []string
	for _, b := range minutes {
		at = append(at, b.Time.Format("15:04"))
	}
	assert.Equal(t, []string{"10:28", "10:29", "10:50", "10:51"}, at)
	assert.Len(t, bars(t, m, market.BarsRequest{Symbol: "AMD", Interval: market.Minute, Limit: 500}), 500, "a limit is kept across the gap")
	assert.False(t, quote("NVDA", from).Halted)
}

func TestRareHaltsComeAsOftenAsAsked(t *testing.T) {
	sequential(t)
	now := newYork(date(2026, 9, 16), 20, 0)
	m, err := synthetic.New(5, &synthetic.Options{Clock: market.NewManualClock(now), Halts: 20})
	require.NoError(t, err)
	halts, sessions := 0, 0
	for _, s := range []market.Symbol{"KO", "AMD", "WDFC", "SPY"} {
		minutes := bars(t, m, market.BarsRequest{Symbol: s, Interval: market.Minute, From: now.AddDate(-2, 0, 0)})
		found := 0
		for i := 1; i < len(minutes); i++ {
			a, b := minutes[i-1].Time, minutes[i].Time
			switch {
			case market.DateOf(a) != market.DateOf(b):
				sessions++
			case b.Sub(a) > time.Minute:
				found++
				q, err := m.QuoteAt(s, a.Add(2*time.Minute))
				require.NoError(t, err)
				require.True(t, q.Halted)
			}
		}
		if s == "SPY" {
			assert.Zero(t, found, "a fund is not halted by chance")
		}
		halts += found
	}
	assert.InDelta(t, 3*2*20, halts, 35, "three standard deviations of a Poisson number of 120")
}

func TestScenariosSayWhatTheyAllow(t *testing.T) {
	for field, s := range map[string]synthetic.Scenario{
		"kind":   {Kind: "boom"},
		"date":   {Kind: synthetic.Crash, Date: date(2026, 9, 19)},
		"size":   {Kind: synthetic.Crash, Size: 0.2},
		"symbol": {Kind: synthetic.Squeeze, Symbol: "SPY"},
		"after":  {Kind: synthetic.Crash, After: time.Hour},
		"length": {Kind: synthetic.Halt, Symbol: "KO", Length: 6 * time.Hour},
	} {
		_, err := synthetic.New(1, &synthetic.Options{Scenarios: []synthetic.Scenario{{Kind: synthetic.Crash}, s}})
		var refused *synthetic.FieldError
		if assert.ErrorAs(t, err, &refused, field) {
			assert.Equal(t, "scenarios[1]."+field, refused.Field)
		}
	}
	for _, s := range []synthetic.Scenario{
		{Kind: synthetic.Squeeze, Symbol: "SOFI", Size: math.NaN()}, {Kind: synthetic.Halt, Symbol: "SPX"}, {Kind: synthetic.Halt, Symbol: "KO", Size: 1},
		{Kind: synthetic.Crash, Symbol: "KO"}, {Kind: synthetic.Halt, Symbol: "KO", After: time.Second}, {Kind: synthetic.Crash, Date: date(2009, 1, 2)},
	} {
		_, err := synthetic.New(1, &synthetic.Options{Scenarios: []synthetic.Scenario{s}})
		var refused *synthetic.FieldError
		assert.ErrorAs(t, err, &refused, fmt.Sprint(s))
	}
	_, err := synthetic.New(1, &synthetic.Options{Halts: -1})
	var refused *synthetic.FieldError
	assert.ErrorAs(t, err, &refused)
}

func TestParseScenarioReadsWhatPeopleWrite(t *testing.T) {
	for text, want := range map[string]synthetic.Scenario{
		"crash":                               {Kind: synthetic.Crash},
		" Crash,size=0.15,date=2026-09-17 ":   {Kind: synthetic.Crash, Size: 0.15, Date: date(2026, 9, 17)},
		"squeeze,symbol=brk/b,size=1.2":       {Kind: synthetic.Squeeze, Symbol: "BRK/B", Size: 1.2},
		"halt, symbol=KO,length=20m,after=1h": {Kind: synthetic.Halt, Symbol: "KO", After: time.Hour, Length: 20 * time.Minute},
	} {
		got, err := synthetic.ParseScenario(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "boom", "crash,", "crash,size", "crash,size=much", "crash,size=0.1,size=0.2", "halt,symbol=", "halt,colour=red", "crash,date=17.9.2026", "halt,symbol=KO,after=soon"} {
		_, err := synthetic.ParseScenario(text)
		var refused *synthetic.FieldError
		if assert.ErrorAs(t, err, &refused, text) {
			assert.Equal(t, "scenario", refused.Field)
		}
	}
}
