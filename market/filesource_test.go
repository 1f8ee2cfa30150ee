package market_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	. "github.com/ttai-go/ttai/market"
)

// ramp returns a file of bars whose closes are 1, 2, 3 … in time order.
func ramp(symbol Symbol, interval Interval, times ...time.Time) *BarFile {
	f := &BarFile{Symbol: symbol, Interval: interval}
	for i, at := range times {
		x := float64(i + 1)
		f.Bars = append(f.Bars, Bar{Time: at, Open: x - 0.5, High: x + 1, Low: x - 0.75, Close: x, Volume: 10})
	}
	return f
}

func source(t *testing.T, opts FileSourceOptions) *FileSource {
	t.Helper()
	s, err := NewFileSource(opts)
	require.NoError(t, err)
	return s
}

func closes(bars []Bar) (all []float64) {
	for _, b := range bars {
		all = append(all, b.Close)
	}
	return all
}

func week(t *testing.T) *BarFile {
	return ramp("SPY", Day, at(t, "2026-09-14 00:00"), at(t, "2026-09-15 00:00"), at(t, "2026-09-16 00:00"), at(t, "2026-09-17 00:00"), at(t, "2026-09-18 00:00"))
}

func TestFileSourceShowsABarWhenItIsComplete(t *testing.T) {
	clock := NewManualClock(at(t, "2026-09-16 15:59"))
	s := source(t, FileSourceOptions{Bars: []*BarFile{week(t)}, Clock: clock})
	bars, err := s.Bars(context.Background(), BarsRequest{Symbol: "spy", Interval: Day})
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 2}, closes(bars))
	clock.Advance(time.Minute)
	bars, err = s.Bars(context.Background(), BarsRequest{Symbol: "SPY", Interval: Day})
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 2, 3}, closes(bars))
	clock.Set(at(t, "2026-09-14 10:00"))
	_, err = s.Bars(context.Background(), BarsRequest{Symbol: "SPY", Interval: Day})
	assert.ErrorIs(t, err, ErrNoData)
}

func TestFileSourceNarrowsBars(t *testing.T) {
	s := source(t, FileSourceOptions{Bars: []*BarFile{week(t)}}) // no clock: the end of the file
	for name, row := range map[string]struct {
		req  BarsRequest
		want []float64
	}{
		"all":               {BarsRequest{}, []float64{1, 2, 3, 4, 5}},
		"from":              {BarsRequest{From: at(t, "2026-09-16 00:00")}, []float64{3, 4, 5}},
		"until":             {BarsRequest{To: at(t, "2026-09-16 00:00")}, []float64{1, 2}},
		"newest two":        {BarsRequest{Limit: 2}, []float64{4, 5}},
		"newest of a range": {BarsRequest{From: at(t, "2026-09-14 00:00"), To: at(t, "2026-09-17 00:00"), Limit: 1}, []float64{3}},
	} {
		row.req.Symbol, row.req.Interval = "SPY", Day
		bars, err := s.Bars(context.Background(), row.req)
		require.NoError(t, err, name)
		assert.Equal(t, row.want, closes(bars), name)
	}
	weeks, err := s.Bars(context.Background(), BarsRequest{Symbol: "SPY", Interval: Week})
	require.NoError(t, err)
	assert.Equal(t, []float64{5}, closes(weeks))
	_, err = s.Bars(context.Background(), BarsRequest{Symbol: "SPY", Interval: Minute})
	assert.ErrorIs(t, err, ErrNoData)
}

func TestFileSourceMakesTheBarInProgressOfFinerBars(t *testing.T) {
	halfHours := ramp("SPY", Minute30, at(t, "2026-09-17 08:00"), at(t, "2026-09-17 09:30"), at(t, "2026-09-17 10:00"), at(t, "2026-09-17 10:30"))
	s := source(t, FileSourceOptions{Bars: []*BarFile{week(t), halfHours}, Clock: NewManualClock(at(t, "2026-09-17 10:45"))})
	bars, err := s.Bars(context.Background(), BarsRequest{Symbol: "SPY", Interval: Day})
	require.NoError(t, err)
	require.Len(t, bars, 4)
	assert.Equal(t, Bar{Time: at(t, "2026-09-17 00:00"), Open: 1.5, High: 4, Low: 1.25, Close: 3, Volume: 20}, bars[3])

	regular, err := s.Bars(context.Background(), BarsRequest{Symbol: "SPY", Interval: Minute30})
	require.NoError(t, err)
	assert.Equal(t, []float64{2, 3}, closes(regular))
	extended, err := s.Bars(context.Background(), BarsRequest{Symbol: "SPY", Interval: Minute30, Extended: true})
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 2, 3}, closes(extended))

	quotes, err := s.Quotes(context.Background(), []Symbol{"SPY"})
	require.NoError(t, err)
	q := quotes[0]
	assert.Equal(t, at(t, "2026-09-17 10:30"), q.Time)
	assert.Equal(t, []float64{3, 1.5, 4, 1.25, 20, 3}, []float64{q.Last, q.Open, q.High, q.Low, q.Volume, q.PrevClose})
}

func TestFileSourceMakesMissingIntervalsOfTheLongestFile(t *testing.T) {
	halfHours := ramp("SPY", Minute30, at(t, "2026-09-17 09:30"), at(t, "2026-09-17 10:00"))
	s := source(t, FileSourceOptions{Bars: []*BarFile{halfHours, week(t)}, Clock: NewManualClock(at(t, "2026-09-17 10:45"))})
	bars, err := s.Bars(context.Background(), BarsRequest{Symbol: "SPY", Interval: "2d"})
	require.NoError(t, err)
	require.Len(t, bars, 2)
	assert.Equal(t, []float64{2, 2}, closes(bars)) // Monday and Tuesday; Wednesday and the half hours of Thursday
	assert.Equal(t, 2.5, bars[1].Open)

	hours := ramp("SPY", Hour, at(t, "2026-09-17 09:00"), at(t, "2026-09-17 10:00")) // counted from the full hour
	s = source(t, FileSourceOptions{Bars: []*BarFile{hours, ramp("SPY", Minute30, at(t, "2026-09-17 11:00"), at(t, "2026-09-17 11:30"), at(t, "2026-09-17 12:00"))}})
	bars, err = s.Bars(context.Background(), BarsRequest{Symbol: "SPY", Interval: Hour})
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 2, 2, 3}, closes(bars))
	assert.Equal(t, at(t, "2026-09-17 12:00"), bars[3].Time)
}

func TestFileSourceJoinsChainFilesWithoutTouchingThem(t *testing.T) {
	lines := strings.SplitAfter(twoMinutes, "\n")
	late := readChain(t, lines[0]+lines[9], nil)
	early := readChain(t, strings.Join(lines[:9], ""), nil)
	before := append([]OptionQuote(nil), late.Quotes...)
	s := source(t, FileSourceOptions{Chains: []*ChainFile{late, early}, Clock: NewManualClock(at(t, "2026-09-16 10:01"))})
	chain, err := s.Chain(context.Background(), ChainRequest{Underlying: "SPY"})
	require.NoError(t, err)
	assert.Len(t, chain, 7)
	assert.Equal(t, before[0].Symbol, late.Quotes[0].Symbol)
	assert.Equal(t, before[0].Time, late.Quotes[0].Time)
	assert.Len(t, late.Quotes, 1)
}

func TestFileSourceQuoteIsTheLastCompleteBar(t *testing.T) {
	s := source(t, FileSourceOptions{Bars: []*BarFile{week(t)}, Clock: NewManualClock(at(t, "2026-09-17 12:00"))})
	quotes, err := s.Quotes(context.Background(), []Symbol{"SPY", "NOPE"})
	missing, ok := errors.AsType[*MissingError](err)
	require.True(t, ok)
	assert.Equal(t, []Symbol{"NOPE"}, missing.Symbols)
	assert.ErrorIs(t, err, ErrUnknownSymbol)
	require.Len(t, quotes, 1)
	q := quotes[0]
	assert.Equal(t, at(t, "2026-09-16 16:00"), q.Time)
	assert.Equal(t, []float64{3, 2.5, 4, 2.25, 2, 10}, []float64{q.Last, q.Open, q.High, q.Low, q.PrevClose, q.Volume})
	assert.True(t, math.IsNaN(q.Bid) && math.IsNaN(q.Ask))
	early := source(t, FileSourceOptions{Bars: []*BarFile{week(t)}, Clock: NewManualClock(at(t, "2026-09-14 12:00"))})
	_, err = early.Quotes(context.Background(), []Symbol{"SPY"})
	assert.ErrorIs(t, err, ErrNoData)
}

// What a source shows at any time is what it shows when the files end then.
func TestFileSourceDoesNotLookAhead(t *testing.T) {
	file, err := OpenBars(sharedtest.Path(t, "data", "intraday", "lean_goog_1min_20151223_24half_28.csv.gz"), &CSVOptions{Symbol: "GOOG"})
	require.NoError(t, err)
	chain := openChain(t, "yahoo_chain_tsm_20251124_20251205.csv.gz", nil)
	for _, now := range []string{"2015-12-23 12:00", "2015-12-24 09:30", "2015-12-24 13:00", "2015-12-28 15:59"} {
		cut := *file
		cut.Bars = NYSE().Complete(file.Bars, Minute, at(t, now))
		whole := source(t, FileSourceOptions{Bars: []*BarFile{file}, Clock: NewManualClock(at(t, now))})
		part := source(t, FileSourceOptions{Bars: []*BarFile{&cut}, Clock: NewManualClock(at(t, now))})
		for _, interval := range []Interval{Minute, Minute5, Hour, Day} {
			req := BarsRequest{Symbol: "GOOG", Interval: interval, Extended: true}
			a, errA := whole.Bars(context.Background(), req)
			b, errB := part.Bars(context.Background(), req)
			require.Equal(t, errA == nil, errB == nil)
			assert.Equal(t, b, a, "%s %s", now, interval)
		}
	}
	for _, now := range []string{"2025-11-25 12:00", "2025-11-28 13:00", "2025-12-05 16:00"} {
		s := source(t, FileSourceOptions{Chains: []*ChainFile{chain}, Clock: NewManualClock(at(t, now))})
		quotes, err := s.Chain(context.Background(), ChainRequest{Underlying: "TSM"})
		require.NoError(t, err)
		for _, q := range quotes {
			require.False(t, q.Time.After(at(t, now)))
			require.Equal(t, DateOf(quotes[0].Time), DateOf(q.Time))
		}
	}
}

const twoMinutes = `time,underlying,expiry,strike,right,bid,ask
2026-09-16 10:00,SPY,2026-12-18,500,C,10,11
2026-09-16 10:00,SPY,2026-12-18,500,P,9,10
2026-09-16 10:00,SPY,2026-12-18,520,C,2,3
2026-09-16 10:01,SPY,2026-12-18,500,C,12,13
2026-09-16 10:01,SPY,2027-01-15,480,C,30,31
2026-09-16 10:01,SPY,2027-01-15,480,P,5,6
2026-09-16 10:01,SPY,2027-01-15,510,C,15,16
2026-09-16 10:01,SPY,2027-01-15,510,P,14,15
2026-09-17 10:00,SPY,2026-12-18,500,C,20,21
`

func TestFileSourceChainIsEachContractsNewestQuoteOfTheDay(t *testing.T) {
	clock := NewManualClock(at(t, "2026-09-16 10:00"))
	minutes := ramp("SPY", Minute, at(t, "2026-09-16 09:58"), at(t, "2026-09-16 09:59"), at(t, "2026-09-16 10:00"))
	s := source(t, FileSourceOptions{Chains: []*ChainFile{readChain(t, twoMinutes, nil)}, Bars: []*BarFile{minutes}, Clock: clock})
	ask := func(req ChainRequest) string {
		t.Helper()
		req.Underlying = "SPY"
		quotes, err := s.Chain(context.Background(), req)
		require.NoError(t, err)
		var all []string
		for _, q := range quotes {
			all = append(all, strings.TrimPrefix(string(q.Symbol), "SPY   ")+" "+q.Time.Format("15:04"))
		}
		return strings.Join(all, "|")
	}
	assert.Equal(t, "261218C00500000 10:00|261218P00500000 10:00|261218C00520000 10:00", ask(ChainRequest{}))
	clock.Advance(time.Minute)
	assert.Equal(t, "261218C00500000 10:01|261218P00500000 10:00|261218C00520000 10:00|270115C00480000 10:01|270115P00480000 10:01|270115C00510000 10:01|270115P00510000 10:01", ask(ChainRequest{}))
	assert.Equal(t, "261218C00520000 10:00|270115C00510000 10:01|270115P00510000 10:01", ask(ChainRequest{MinStrike: 505}))
	assert.Equal(t, "261218C00500000 10:01|261218P00500000 10:00", ask(ChainRequest{MaxStrike: 505, Expirations: []Date{date(t, "2026-12-18")}}))
	quotes, err := s.Chain(context.Background(), ChainRequest{Underlying: "SPY"})
	require.NoError(t, err)
	assert.Equal(t, 3.0, quotes[0].Spot, "the bar that was complete at 10:01")
	assert.Equal(t, 2.0, quotes[1].Spot, "the bar that was complete at 10:00")

	expirations, err := s.Expirations(context.Background(), "SPY")
	require.NoError(t, err)
	require.Len(t, expirations, 2)
	assert.Equal(t, Expiration{Underlying: "SPY", Root: "SPY", Date: date(t, "2026-12-18"), Settlement: SettledPM, Style: American, Strikes: []float64{500, 520}}, expirations[0])

	option, err := s.Quotes(context.Background(), []Symbol{"SPY261218C00500000"})
	require.NoError(t, err)
	assert.Equal(t, 12.5, option[0].Mid())

	clock.Set(at(t, "2026-09-17 11:00"))
	assert.Equal(t, "261218C00500000 10:00", ask(ChainRequest{}), "the newest date only")
	clock.Set(at(t, "2026-09-16 09:00"))
	_, err = s.Chain(context.Background(), ChainRequest{Underlying: "SPY"})
	assert.ErrorIs(t, err, ErrNoData)
	_, err = s.Chain(context.Background(), ChainRequest{Underlying: "QQQ"})
	assert.ErrorIs(t, err, ErrUnknownSymbol)
}

func TestFileSourceFindsTheNearestStrikesWithoutAPrice(t *testing.T) {
	s := source(t, FileSourceOptions{Chains: []*ChainFile{readChain(t, twoMinutes, nil)}, Clock: NewManualClock(at(t, "2026-09-16 10:01"))})
	quotes, err := s.Chain(context.Background(), ChainRequest{Underlying: "SPY", Strikes: 1})
	require.NoError(t, err)
	var strikes []float64
	for _, q := range quotes {
		strikes = append(strikes, q.Strike)
	}
	assert.Equal(t, []float64{500, 500, 510, 510}, strikes) // where call and put cost about the same
}

func TestFileSourceServesARealChainWithItsUnderlying(t *testing.T) {
	s := source(t, FileSourceOptions{Chains: []*ChainFile{openChain(t, "yahoo_chain_aapl_20251124_20251205.csv.gz", nil)}})
	quotes, err := s.Quotes(context.Background(), []Symbol{"AAPL"})
	require.NoError(t, err)
	assert.Equal(t, at(t, "2025-12-05 16:00"), quotes[0].Time)
	chain, err := s.Chain(context.Background(), ChainRequest{Underlying: "AAPL", Strikes: 5, Expirations: []Date{date(t, "2025-12-19")}})
	require.NoError(t, err)
	for _, q := range chain {
		assert.InDelta(t, quotes[0].Last, q.Strike, 15)
	}
	in, err := s.Instruments(context.Background(), []Symbol{"AAPL", chain[0].Symbol})
	require.NoError(t, err)
	assert.True(t, in[0].Optionable)
	assert.Equal(t, Symbol("AAPL"), in[1].Underlying)
	assert.Equal(t, KindOption, in[1].Kind)
}

func TestFileSourceSaysWhatItCannotDo(t *testing.T) {
	s := source(t, FileSourceOptions{Bars: []*BarFile{week(t)}})
	ctx := context.Background()
	_, err := s.Metrics(ctx, []Symbol{"SPY"})
	assert.ErrorIs(t, err, ErrUnsupported)
	_, err = s.Events(ctx, "SPY", Date{}, Date{})
	assert.ErrorIs(t, err, ErrUnsupported)
	_, err = s.Expirations(ctx, "SPY")
	assert.ErrorIs(t, err, ErrNoData)
	_, err = s.Bars(ctx, BarsRequest{Symbol: "QQQ", Interval: Day})
	assert.ErrorIs(t, err, ErrUnknownSymbol)
	_, err = s.Bars(ctx, BarsRequest{Symbol: "SPY"})
	assert.Equal(t, "interval", fieldError(t, err).Field)
	_, err = s.Bars(ctx, BarsRequest{Symbol: "SPY", Interval: Day, Limit: -1})
	assert.Equal(t, "limit", fieldError(t, err).Field)
	_, err = s.Search(ctx, " ", 0)
	assert.Equal(t, "text", fieldError(t, err).Field)
	found, err := s.Search(ctx, "sp", 0)
	require.NoError(t, err)
	assert.Equal(t, Symbol("SPY"), found[0].Symbol)
	_, err = s.Instruments(ctx, []Symbol{"QQQ"})
	assert.ErrorIs(t, err, ErrUnknownSymbol)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.Bars(cancelled, BarsRequest{Symbol: "SPY", Interval: Day})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestNewFileSourceChecksItsFiles(t *testing.T) {
	good := week(t)
	noName, unordered := *good, *good
	noName.Symbol = ""
	unordered.Bars = []Bar{good.Bars[1], good.Bars[0]}
	nameless := readChain(t, "time,right,expiry,strike,bid,ask\n2026-09-16 16:00,Put,20261218,500.5,1,2\n", nil)
	for field, opts := range map[string]FileSourceOptions{
		"Bars":             {},
		"Bars[0]":          {Bars: []*BarFile{nil}},
		"Bars[0].Symbol":   {Bars: []*BarFile{&noName}},
		"Bars[0].Bars":     {Bars: []*BarFile{&unordered}},
		"Bars[1]":          {Bars: []*BarFile{good, good}},
		"Bars[0].Interval": {Bars: []*BarFile{{Symbol: "SPY", Bars: good.Bars}}},
		"Chains[0]":        {Chains: []*ChainFile{{}}},
		"Chains[0].Symbol": {Chains: []*ChainFile{nameless}},
	} {
		_, err := NewFileSource(opts)
		assert.Equal(t, field, fieldError(t, err).Field)
	}
}
