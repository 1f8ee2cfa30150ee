package synthetic_test

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func contracts(t testing.TB, m *synthetic.Market, product string) map[market.Symbol]synthetic.FutureContract {
	t.Helper()
	all, err := m.Futures(product)
	require.NoError(t, err)
	out := map[market.Symbol]synthetic.FutureContract{}
	for _, c := range all {
		out[c.Symbol] = c
	}
	return out
}

// Last trading days as CME Group's calendars have them.
func TestContractsEndByTheExchangesRules(t *testing.T) {
	for _, row := range []struct {
		now    market.Date
		symbol market.Symbol
		last   market.Date
		hour   int
		minute int
	}{
		{date(2024, 12, 2), "/ESZ4", date(2024, 12, 20), 9, 30},
		{date(2026, 6, 1), "/ESM6", date(2026, 6, 18), 9, 30}, // the third Friday is Juneteenth
		{date(2024, 11, 1), "/CLZ4", date(2024, 11, 20), 14, 30},
		{date(2024, 11, 1), "/CLF5", date(2024, 12, 19), 14, 30}, // Christmas is no session
		{date(2024, 11, 1), "/NGZ4", date(2024, 11, 26), 14, 30},
		{date(2024, 11, 1), "/GCZ4", date(2024, 12, 27), 13, 30},
		{date(2024, 11, 1), "/ZBZ4", date(2024, 12, 19), 13, 1},
		{date(2024, 11, 1), "/ZNZ4", date(2024, 12, 19), 13, 1},
		{date(2024, 11, 1), "/6EZ4", date(2024, 12, 16), 10, 16},
	} {
		m := at(t, newYork(row.now, 12, 0))
		c, ok := contracts(t, m, market.FutureRoot(row.symbol))[row.symbol]
		if assert.True(t, ok, "%s is listed", row.symbol) {
			assert.Equal(t, row.last, c.LastTrade, "%s", row.symbol)
			assert.Equal(t, newYork(row.last, row.hour, row.minute).Unix(), c.Ends.Unix(), "%s", row.symbol)
		}
	}
}

// Sizes and ticks are those of the contract specifications.
func TestFuturesHaveTheirMultipliersAndTicks(t *testing.T) {
	sequential(t)
	m := at(t, synthetic.DefaultStart())
	for symbol, want := range map[market.Symbol][2]float64{
		"/ES": {50, 0.25}, "/MES": {5, 0.25}, "/NQ": {20, 0.25}, "/MNQ": {2, 0.25}, "/RTY": {50, 0.1}, "/YM": {5, 1},
		"/CL": {1000, 0.01}, "/MCL": {100, 0.01}, "/NG": {10_000, 0.001}, "/GC": {100, 0.1}, "/MGC": {10, 0.1}, "/SI": {5000, 0.005},
		"/HG": {25_000, 0.0005}, "/ZB": {1000, 1.0 / 32}, "/ZN": {1000, 1.0 / 64}, "/6E": {125_000, 0.00005},
	} {
		got, err := m.Instruments(t.Context(), []market.Symbol{symbol})
		require.NoError(t, err, symbol)
		assert.Equal(t, want[0], got[0].Multiplier, symbol)
		assert.Equal(t, want[1], market.Increment(got[0].Ticks, 100), symbol)
		assert.Equal(t, market.KindFuture, got[0].Kind)
		assert.Equal(t, symbol, got[0].Symbol)

		// Every price is on the tick, and bid, last and ask are in order.
		for n := range 20 {
			q, err := m.QuoteAt(symbol, synthetic.DefaultStart().Add(time.Duration(n)*71*time.Minute))
			require.NoError(t, err, symbol)
			require.True(t, q.Bid <= q.Last && q.Last <= q.Ask && q.Bid < q.Ask && q.Low <= q.Last && q.Last <= q.High, "%+v", q)
			for _, x := range []float64{q.Bid, q.Ask, q.Last, q.Open, q.High, q.Low, q.PrevClose} {
				steps := x / want[1]
				require.InDelta(t, math.Round(steps), steps, 1e-6, "%s at %v", symbol, x)
			}
		}
	}
}

func TestTheActiveContractRollsBeforeItEnds(t *testing.T) {
	m, clock := clocked(t, newYork(date(2026, 9, 10), 12, 0))
	bare := func() (last float64, contract market.Symbol) {
		for s, c := range contracts(t, m, "ES") {
			if c.Active {
				contract = s
			}
		}
		q, err := m.Quotes(t.Context(), []market.Symbol{"/ES"})
		require.NoError(t, err)
		return q[0].Last, contract
	}
	volume := func(s market.Symbol) float64 {
		q, err := m.Quotes(t.Context(), []market.Symbol{s})
		require.NoError(t, err)
		return q[0].Volume
	}
	last, contract := bare()
	assert.Equal(t, market.Symbol("/ESU6"), contract)
	own, err := m.Quotes(t.Context(), []market.Symbol{"/ESU6"})
	require.NoError(t, err)
	assert.Equal(t, own[0].Last, last, "/ES is the active contract")
	assert.Greater(t, volume("/ESU6"), volume("/ESZ6"))
	clock.Set(newYork(date(2026, 9, 10), 18, 1)) // the trade date of Friday the 11th begins
	_, contract = bare()
	assert.Equal(t, market.Symbol("/ESZ6"), contract, "five sessions before the last one")
	clock.Set(newYork(date(2026, 9, 14), 12, 0))
	assert.Greater(t, volume("/ESZ6"), volume("/ESU6"), "trading has gone over")

	clock.Set(newYork(date(2026, 9, 18), 9, 29))
	assert.Contains(t, contracts(t, m, "ES"), market.Symbol("/ESU6"))
	clock.Set(newYork(date(2026, 9, 18), 9, 30))
	assert.NotContains(t, contracts(t, m, "ES"), market.Symbol("/ESU6"))
	_, err = m.QuoteAt("/ESU6", clock.Now())
	assert.ErrorIs(t, err, market.ErrNoData)
	clock.Set(newYork(date(2026, 9, 25), 12, 0))
	final := daily(t, m, "/ESU6")
	assert.Equal(t, date(2026, 9, 18), market.DateOf(final[len(final)-1].Time), "its history stays")
	assert.Len(t, contracts(t, m, "ES"), 5, "a new one is listed")
	assert.Contains(t, contracts(t, m, "ES"), market.Symbol("/ESZ7"))
}

func TestAnIndexFutureIsTheIndexAndItsCarry(t *testing.T) {
	m := at(t, newYork(date(2026, 9, 16), 18, 30))
	req := func(s market.Symbol) market.BarsRequest {
		return market.BarsRequest{Symbol: s, Interval: market.Minute, From: newYork(date(2026, 9, 16), 9, 30), To: newYork(date(2026, 9, 16), 16, 0)}
	}
	spx, es := bars(t, m, req("SPX")), bars(t, m, req("/ESZ6"))
	require.Len(t, es, len(spx))
	carry := math.Exp((m.Rate() - 0.013) * 93 / 365) // 93 days to December 18; SPX yields 1.3 %
	for i := range spx {
		require.Equal(t, spx[i].Time, es[i].Time)
		require.InDelta(t, spx[i].Close*carry, es[i].Close, 0.1251, "half a tick")
	}
	quotes, err := m.Quotes(t.Context(), []market.Symbol{"/ESZ6", "/ESH7", "/CLX6", "/CLZ6"})
	require.NoError(t, err)
	assert.Greater(t, quotes[1].Last, quotes[0].Last, "interest is above the dividends")
	assert.Less(t, quotes[3].Last, quotes[2].Last, "oil now is dearer than oil later")
	mes, err := m.QuoteAt("/MESZ6", newYork(date(2026, 9, 16), 12, 0))
	require.NoError(t, err)
	big, err := m.QuoteAt("/ESZ6", newYork(date(2026, 9, 16), 12, 0))
	require.NoError(t, err)
	assert.Equal(t, big.Last, mes.Last, "micros have the same price")
}

func TestFuturesTradeNearlyAroundTheClock(t *testing.T) {
	m := at(t, newYork(date(2026, 9, 18), 12, 0))
	minutes := bars(t, m, market.BarsRequest{Symbol: "/ESZ6", Interval: market.Minute, From: newYork(date(2026, 9, 13), 12, 0), To: newYork(date(2026, 9, 15), 17, 30)})
	assert.Equal(t, newYork(date(2026, 9, 13), 18, 0).Unix(), minutes[0].Time.Unix(), "Sunday evening is Monday's")
	assert.Len(t, minutes, 2*23*60, "23 hours each for Monday and Tuesday")
	for i := 1; i < len(minutes); i++ {
		if gap := minutes[i].Time.Sub(minutes[i-1].Time); gap != time.Minute {
			assert.Equal(t, newYork(date(2026, 9, 14), 18, 0).Unix(), minutes[i].Time.Unix(), "the daily halt alone")
			assert.Equal(t, 61*time.Minute, gap)
		}
	}
	holiday := bars(t, m, market.BarsRequest{Symbol: "/ESZ6", Interval: market.Hour, From: newYork(date(2026, 9, 6), 12, 0), To: newYork(date(2026, 9, 8), 17, 0)})
	assert.Len(t, holiday, 19+23, "Labor Day trades until 13:00, for Tuesday")
	assert.Equal(t, newYork(date(2026, 9, 7), 12, 0).Unix(), holiday[18].Time.Unix())
	assert.Equal(t, newYork(date(2026, 9, 7), 18, 0).Unix(), holiday[19].Time.Unix())
	volume := func(from, to int) float64 {
		sum := 0.0
		for _, b := range minutes {
			if at := b.Time.In(market.NYSE().Location()); at.Day() == 15 && at.Hour() >= from && at.Hour() < to {
				sum += b.Volume
			}
		}
		return sum
	}
	assert.Greater(t, volume(10, 12), 5*volume(0, 2), "the day is busier than the night")
	assert.Greater(t, volume(3, 4), volume(0, 1), "and London than midnight")

	for clock, trading := range map[string]bool{"2026-09-15 16:59": true, "2026-09-15 17:30": false, "2026-09-15 18:00": true, "2026-09-20 17:59": false, "2026-09-20 18:00": true} {
		at, err := time.ParseInLocation("2006-01-02 15:04", clock, market.NYSE().Location())
		require.NoError(t, err)
		q, err := m.QuoteAt("/ESZ6", at)
		require.NoError(t, err)
		assert.Equal(t, trading, q.Time.Equal(at), "%s: %v", clock, q.Time)
		if !trading {
			assert.GreaterOrEqual(t, q.Ask-q.Bid, 1.0, "wider when nothing trades")
		}
	}
}

func TestMinutesOfFuturesAddUpToTheTradeDate(t *testing.T) {
	sequential(t)
	m := at(t, newYork(date(2025, 1, 10), 12, 0))
	for _, s := range []market.Symbol{"/ESZ4", "/ESH5", "/CLG5", "/ZBH5", "/6EH5", "/MNQ"} {
		days := bars(t, m, market.BarsRequest{Symbol: s, Interval: market.Day, From: newYork(date(2024, 11, 1), 0, 0), To: newYork(date(2025, 1, 9), 0, 0)})
		minutes := bars(t, m, market.BarsRequest{Symbol: s, Interval: market.Minute, From: newYork(date(2024, 10, 31), 18, 0), To: newYork(date(2025, 1, 8), 17, 30)})
		next := 0
		for _, day := range days {
			from := next
			for next < len(minutes) && !minutes[next].Time.Add(6*time.Hour).After(day.Time.Add(24*time.Hour-time.Minute)) {
				next++
			}
			require.Equal(t, day, joined(day.Time, minutes[from:next]), "%s", s)
		}
		assert.Equal(t, len(minutes), next, "%s", s)
		hours := bars(t, m, market.BarsRequest{Symbol: s, Interval: "4h", From: newYork(date(2024, 11, 3), 18, 0), To: newYork(date(2024, 11, 4), 17, 0)})
		assert.Len(t, hours, 6, "18:00, 22:00, 02:00, 06:00, 10:00, 14:00")
	}
	// The day after Thanksgiving ends at 13:15.
	short := bars(t, m, market.BarsRequest{Symbol: "/ESZ4", Interval: market.Minute, From: newYork(date(2024, 11, 28), 18, 0), To: newYork(date(2024, 11, 30), 0, 0)})
	assert.Equal(t, newYork(date(2024, 11, 29), 13, 14).Unix(), short[len(short)-1].Time.Unix())
	weeks := bars(t, m, market.BarsRequest{Symbol: "/ES", Interval: market.Week, Limit: 10})
	assert.Len(t, weeks, 10)
}

func TestFuturesNeverLookAhead(t *testing.T) {
	now := newYork(date(2026, 9, 16), 2, 13).Add(20 * time.Second)
	m, clock := clocked(t, now)
	for _, interval := range []market.Interval{market.Minute, market.Hour, market.Day} {
		req := market.BarsRequest{Symbol: "/CLX6", Interval: interval, Limit: 50}
		clock.Set(now)
		before := bars(t, m, req)
		q, err := m.Quotes(t.Context(), []market.Symbol{"/CLX6"})
		require.NoError(t, err)
		last := before[len(before)-1]
		assert.Equal(t, q[0].Last, last.Close, "the bar in progress ends at the quote, %s", interval)
		assert.False(t, last.Time.After(now))
		clock.Set(now.Add(26 * time.Hour))
		req.Limit, req.To = 0, last.Time // without the one in progress
		req.From = before[0].Time
		same(t, before[:len(before)-1], bars(t, m, req), "%s", interval)
	}
}

func TestOptionsOnFuturesAreNamedAndSettledAsListed(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	roots := func(s market.Symbol) map[string]bool {
		all, err := m.Expirations(t.Context(), s)
		require.NoError(t, err)
		out := map[string]bool{}
		for _, e := range all {
			require.NotEmpty(t, e.Strikes)
			out[string(e.Underlying)+" "+e.Root+" "+e.Date.String()+" "+string(e.Settlement)+" "+string(e.Style)] = true
		}
		return out
	}
	es := roots("/ESZ6")
	for _, want := range []string{
		"/ESZ6 EW3 2026-09-18 PM european", // on December: September ends that morning
		"/ESZ6 EW 2026-09-30 PM european",
		"/ESZ6 E4A 2026-09-28 PM european",
		"/ESZ6 ES 2026-12-18 AM american",
	} {
		assert.True(t, es[want], want)
	}
	assert.True(t, roots("/ESU6")["/ESU6 ES 2026-09-18 AM american"])
	assert.True(t, roots("/CLV6")["/CLV6 LO 2026-09-17 PM american"], "three sessions before the future's last")
	assert.True(t, roots("/GCV6")["/GCV6 OG 2026-09-24 PM american"], "four sessions before the month's end, not on a Friday")
	assert.True(t, roots("/ZBZ6")["/ZBZ6 OZB 2026-09-25 PM american"])
	for _, s := range []market.Symbol{"./ESZ6 EW3U6 260918P6600", "./CLV6 LOV6  260917C63.5", "./ZBZ6 OZBV6 260925C117.5"} {
		parsed, err := market.ParseSymbol(strings.ToLower(string(s)))
		require.NoError(t, err)
		got, err := m.Instruments(t.Context(), []market.Symbol{parsed})
		require.NoError(t, err)
		assert.Equal(t, market.KindFutureOption, got[0].Kind)
		assert.Equal(t, market.Symbol(strings.TrimSpace(string(s[1:7]))), got[0].Underlying)
	}
	for s, want := range map[market.Symbol]error{
		"./ESZ6 EW3U6 260918P6601":  market.ErrUnknownSymbol,
		"./ESZ6 EW9U6 260918P6600":  market.ErrUnknownSymbol,
		"./ESZ6 EW2U6 260911P6600":  market.ErrNoData,
		"./XXZ6 EW3U6 260918P6600":  market.ErrUnknownSymbol,
		"./ESZ6 garbage":            market.ErrUnknownSymbol,
		"/ESX6":                     market.ErrUnknownSymbol,
		"/ES123":                    market.ErrUnknownSymbol,
		"/":                         market.ErrUnknownSymbol,
		"/ESZ8":                     market.ErrNoData, // not listed yet
		"./ESZ6 EW3U6 260918P":      market.ErrUnknownSymbol,
		"./ESZ6 EW3U6 269918P66000": market.ErrUnknownSymbol,
	} {
		_, err := m.QuoteAt(s, synthetic.DefaultStart())
		assert.ErrorIs(t, err, want, "%s", s)
	}
}

func TestChainsOnFuturesPriceBackByBlack(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	for _, s := range []market.Symbol{"/ES", "/ESU6", "/NQ", "/CLX6", "/NGX6", "/GCZ6", "/SI", "/ZB", "/ZN", "/6E"} {
		quotes := chain(t, m, market.ChainRequest{Underlying: s, Strikes: 31}, synthetic.DefaultStart())
		noArbitrage(t, quotes)
		future, err := m.QuoteAt(quotes[0].Underlying, synthetic.DefaultStart())
		require.NoError(t, err)
		for i, q := range quotes {
			require.InDelta(t, future.Last, q.Spot, future.Last*1e-3)
			p := options.BSM{Spot: q.Spot, Strike: q.Strike, Years: 1, Rate: m.Rate(), Yield: m.Rate(), Vol: q.IV}
			require.True(t, q.IV > 0.02 && q.IV < 2.5 && p.Price(q.Kind) > 0, "%+v", q)
			require.True(t, q.Bid >= 0 && q.Bid < q.Ask, "%s", q.Symbol)
			if q.Kind == market.Put {
				// Parity: call less put is the discounted way from strike to future.
				call := quotes[i-1]
				low, high := call.Bid-q.Ask, call.Ask-q.Bid
				years := options.YearsToExpiry(q.Time, newYork(q.Expiration, 16, 0))
				value := math.Exp(-m.Rate()*years) * (q.Spot - q.Strike)
				require.True(t, low-0.001*q.Spot*years <= value && value <= high+0.001*q.Spot*years, "%s: %v in [%v, %v]", q.Symbol, value, low, high)
			}
		}
		alone, err := m.QuoteAt(quotes[3].Symbol, synthetic.DefaultStart())
		require.NoError(t, err)
		assert.Equal(t, []float64{quotes[3].Bid, quotes[3].Ask}, []float64{alone.Bid, alone.Ask})
		metrics, err := m.Metrics(t.Context(), []market.Symbol{s})
		require.NoError(t, err)
		assert.NotEmpty(t, metrics[0].Term)
		assert.InDelta(t, metrics[0].IVIndex, quotes[0].IV, 0.6*metrics[0].IVIndex)
	}
	quotes := chain(t, m, market.ChainRequest{Underlying: "/ES", Strikes: 21}, synthetic.DefaultStart())
	read, err := options.NewChain(quotes, &options.ChainOptions{At: synthetic.DefaultStart(), Rate: m.Rate()})
	require.NoError(t, err)
	for _, e := range read.Expiries {
		assert.InDelta(t, quotes[0].Spot, e.Forward, 3, "%s %s", e.Root, e.Date)
	}
	_, err = m.Chain(t.Context(), market.ChainRequest{Underlying: "/RTY"})
	assert.ErrorIs(t, err, market.ErrNoData, "no options are listed on it")
}

func TestFuturesAreFoundBySlash(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	found, err := m.Search(t.Context(), "/es", 2)
	require.NoError(t, err)
	require.Len(t, found, 2)
	assert.Equal(t, market.Symbol("/ESU6"), found[0].Symbol)
	assert.Equal(t, "E-mini S&P 500 September 2026 (synthetic)", found[0].Description)
	found, err = m.Search(t.Context(), "es", 0)
	require.NoError(t, err)
	for _, in := range found {
		assert.Equal(t, market.KindEquity, in.Kind)
	}
	none, err := m.Events(t.Context(), "/ES", market.Date{}, market.Date{})
	assert.NoError(t, err)
	assert.Empty(t, none)

	only, err := synthetic.New(1, &synthetic.Options{Symbols: []market.Symbol{"KO", "/CL"}})
	require.NoError(t, err)
	assert.Len(t, only.Symbols(), 1)
	_, err = only.QuoteAt("/ESZ6", synthetic.DefaultStart())
	assert.ErrorIs(t, err, market.ErrUnknownSymbol)
	_, err = only.QuoteAt("/CLX6", synthetic.DefaultStart())
	assert.NoError(t, err)
}

func TestFuturesAreTheSameFromManyGoroutines(t *testing.T) {
	want := at(t, synthetic.DefaultStart())
	got := at(t, synthetic.DefaultStart())
	symbols := []market.Symbol{"/ES", "/NQZ6", "/CLX6", "/ZB", "/MES", "./ESZ6 EW3U6 260918P6600"}
	var wg sync.WaitGroup
	answers := make([]string, len(symbols))
	for i, s := range symbols {
		wg.Go(func() {
			for range 3 {
				q, _ := got.QuoteAt(s, synthetic.DefaultStart())
				_, _ = got.Chain(t.Context(), market.ChainRequest{Underlying: "/ES", Strikes: 2})
				answers[i] = text(q)
			}
		})
	}
	wg.Wait()
	for i, s := range symbols {
		q, err := want.QuoteAt(s, synthetic.DefaultStart())
		require.NoError(t, err)
		assert.Equal(t, text(q), answers[i], "%s", s)
	}
}

func TestAFutureFollowsReplayedBarsOfItsIndex(t *testing.T) {
	made := at(t, synthetic.DefaultStart())
	file := &market.BarFile{Symbol: "SPX", Interval: market.Day, Bars: bars(t, made, market.BarsRequest{Symbol: "SPX", Interval: market.Day, From: newYork(date(2026, 1, 1), 0, 0)})}
	for i := range file.Bars {
		b := &file.Bars[i]
		b.Open, b.High, b.Low, b.Close, b.Volume = b.Open/2, b.High/2, b.Low/2, b.Close/2, math.NaN()
	}
	m, err := synthetic.New(1, &synthetic.Options{Clock: market.NewManualClock(newYork(date(2026, 9, 15), 16, 0)), Replay: map[market.Symbol]*market.BarFile{"SPX": file}})
	require.NoError(t, err)
	q, err := m.Quotes(t.Context(), []market.Symbol{"/ES"})
	require.NoError(t, err)
	assert.InDelta(t, 3300, q[0].Last, 40, "half of what it was")
}
