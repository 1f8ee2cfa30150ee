package market_test

import (
	"encoding/json"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	. "github.com/ttai-go/ttai/market"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseSymbolGivesTheNormalForm(t *testing.T) {
	for text, want := range map[string]Symbol{
		" spy ":                 "SPY",
		"brk/b":                 "BRK/B",
		"/esz6":                 "/ESZ6",
		"btc/usd":               "BTC/USD",
		"spy 261218c00500000":   "SPY   261218C00500000",
		"SPY261218C00500000":    "SPY   261218C00500000",
		".SPY261218C500":        "SPY   261218C00500000",
		"SPY   261218C00500000": "SPY   261218C00500000",
		"^VIX":                  "^VIX",
	} {
		got, err := ParseSymbol(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, bad := range []string{"", "   ", "SPY;DROP", "ÄÖ", "a\x00b", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		_, err := ParseSymbol(bad)
		assert.Equal(t, "symbol", fieldError(t, err).Field, bad)
	}
}

func TestSymbolTellsItsKindAndContract(t *testing.T) {
	for symbol, want := range map[Symbol]InstrumentKind{
		"SPY": KindEquity, "BRK/B": KindEquity, "/ESZ6": KindFuture, "./ESZ6 E2AZ6 261218C5000": KindFutureOption,
		"BTC/USD": KindCrypto, "SPY   261218C00500000": KindOption,
	} {
		assert.Equal(t, want, symbol.Kind(), symbol)
	}
	contract := Contract{Root: "SPXW", Expiration: date(t, "2026-12-18"), Kind: Put, Strike: 4999.5}
	symbol, err := NewOptionSymbol(contract)
	require.NoError(t, err)
	got, ok := symbol.Contract()
	assert.True(t, ok)
	assert.Equal(t, contract, got)
	assert.Equal(t, Symbol("SPX"), got.Underlying())
	_, ok = Symbol("SPY").Contract()
	assert.False(t, ok)
	for field, bad := range map[string]Contract{
		"kind":       {Root: "SPY", Expiration: contract.Expiration, Strike: 5},
		"strike":     {Root: "SPY", Expiration: contract.Expiration, Kind: Call, Strike: math.NaN()},
		"expiration": {Root: "SPY", Kind: Call, Strike: 5},
		"root":       {Root: "TOOLONG", Expiration: contract.Expiration, Kind: Call, Strike: 5},
	} {
		_, err := NewOptionSymbol(bad)
		assert.Equal(t, field, fieldError(t, err).Field)
	}
}

func TestIntervalReadsCountAndUnit(t *testing.T) {
	for text, want := range map[string]struct {
		interval Interval
		n        int
		unit     Unit
		length   time.Duration
	}{
		"5m": {"5m", 5, UnitMinute, 5 * time.Minute}, "H": {Hour, 1, UnitHour, time.Hour}, "30s": {"30s", 30, UnitSecond, 30 * time.Second},
		" 1D ": {Day, 1, UnitDay, 0}, "2w": {"2w", 2, UnitWeek, 0}, "mo": {Month, 1, UnitMonth, 0},
	} {
		got, err := ParseInterval(text)
		require.NoError(t, err, text)
		assert.Equal(t, want.interval, got)
		n, unit := got.Parts()
		assert.Equal(t, want.n, n)
		assert.Equal(t, want.unit, unit)
		assert.Equal(t, want.length, got.Duration())
		assert.Equal(t, want.length > 0, got.Intraday())
	}
	for _, bad := range []string{"", "5", "0m", "-5m", "5 m", "1y", "9999999999999999999m", "1.5h"} {
		_, err := ParseInterval(bad)
		assert.Equal(t, "interval", fieldError(t, err).Field, bad)
	}
}

func TestFloatIsNullInJSONWhenUnknown(t *testing.T) {
	text, err := json.Marshal([]Float{1.5, 0, Float(math.NaN()), Float(math.Inf(1)), 1e-9, 1e300, -0.1})
	require.NoError(t, err)
	assert.Equal(t, `[1.5,0,null,null,1e-09,1e+300,-0.1]`, string(text))
	var got []Float
	require.NoError(t, json.Unmarshal([]byte(`[1.5,"2.5",null]`), &got))
	assert.Equal(t, []Float{1.5, 2.5}, got[:2])
	assert.False(t, got[2].Known())
	assert.Error(t, json.Unmarshal([]byte(`["x"]`), &got))
}

func TestMidNeedsTwoSides(t *testing.T) {
	q := NewQuote("SPY")
	assert.True(t, math.IsNaN(q.Mid()))
	q.Last = 5
	assert.Equal(t, 5.0, q.Mid())
	q.Bid, q.Ask = 4, 8
	assert.Equal(t, 6.0, q.Mid())
	q.Bid = 9 // crossed
	assert.Equal(t, 5.0, q.Mid())
	nan := math.NaN()
	for _, row := range []struct{ bid, ask, want float64 }{{0, 0.1, 0.05}, {1, 2, 1.5}, {2, 1, nan}, {nan, 1, nan}, {1, nan, nan}, {0, 0, nan}} {
		got := OptionQuote{Bid: row.bid, Ask: row.ask}.Mid()
		assert.True(t, got == row.want || math.IsNaN(got) && math.IsNaN(row.want), "%v", row)
	}
}

func TestIncrementIsThatOfThePrice(t *testing.T) {
	ticks := []Tick{{Below: 3, Increment: 0.05}, {Below: math.Inf(1), Increment: 0.1}}
	assert.Equal(t, 0.05, Increment(ticks, 2.99))
	assert.Equal(t, 0.1, Increment(ticks, 3))
	assert.Zero(t, Increment(nil, 3))
}

func TestSeriesIsTheBarsAsColumns(t *testing.T) {
	bars := flat(t, 5, "2026-09-16 09:30", "2026-09-16 09:31", "2026-09-16 09:32")
	bars[1].Close = 7
	s := NewSeries("SPY", Minute, bars)
	assert.Equal(t, 3, s.Len())
	assert.Equal(t, bars[1], s.Bar(1))
	assert.Equal(t, []float64{7, 5}, s.Slice(1, 3).Close)
	assert.Equal(t, 2, s.Slice(1, 3).Len())
}

func TestMissingErrorNamesAFewSymbols(t *testing.T) {
	err := &MissingError{Symbols: []Symbol{"A", "B", "C", "D", "E", "F", "G"}, Err: ErrNoData}
	assert.EqualError(t, err, "no answer for A, B, C, D, E, and 2 more: no data")
	assert.ErrorIs(t, err, ErrNoData)
}

func TestManualClockFiresTimersInOrder(t *testing.T) {
	start := at(t, "2026-09-16 10:30")
	clock := NewManualClock(start)
	late, soon, never := clock.NewTimer(time.Minute), clock.NewTimer(time.Second), clock.NewTimer(time.Hour)
	stopped := clock.NewTimer(time.Second)
	assert.True(t, stopped.Stop())
	assert.False(t, stopped.Stop())
	clock.Advance(2 * time.Minute)
	assert.Equal(t, start.Add(time.Second), <-soon.C())
	assert.Equal(t, start.Add(time.Minute), <-late.C())
	select {
	case <-never.C():
		t.Fatal("an hour has not passed")
	case <-stopped.C():
		t.Fatal("a stopped timer fired")
	default:
	}
	assert.False(t, soon.Reset(time.Second))
	clock.Advance(time.Second)
	assert.Equal(t, clock.Now(), <-soon.C())
	now := clock.NewTimer(0)
	assert.Equal(t, clock.Now(), <-now.C())
}

func TestScaledClockRunsFasterThanItsBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
		clock, err := NewScaledClock(nil, start, 60)
		require.NoError(t, err)
		time.Sleep(time.Second)
		assert.Equal(t, start.Add(time.Minute), clock.Now())
		timer := clock.NewTimer(time.Minute)
		before := time.Now()
		assert.Equal(t, start.Add(2*time.Minute), <-timer.C())
		assert.Equal(t, time.Second, time.Since(before))
		assert.False(t, timer.Reset(time.Hour))
		assert.True(t, timer.Stop())
		assert.False(t, timer.Stop())
		assert.False(t, timer.Reset(time.Minute))
		<-timer.C()
	})
	for _, speed := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, err := NewScaledClock(nil, time.Time{}, speed)
		assert.Equal(t, "speed", fieldError(t, err).Field)
	}
}

func TestOptionKindReadsWhatPeopleWrite(t *testing.T) {
	var kinds []OptionKind
	require.NoError(t, json.Unmarshal([]byte(`["C","put","P","Call"]`), &kinds))
	assert.Equal(t, []OptionKind{Call, Put, Put, Call}, kinds)
	text, err := json.Marshal(kinds)
	require.NoError(t, err)
	assert.Equal(t, `["call","put","put","call"]`, string(text))
	_, err = json.Marshal(OptionKind(0))
	assert.Error(t, err)
	assert.Error(t, json.Unmarshal([]byte(`["x"]`), &kinds))
}
