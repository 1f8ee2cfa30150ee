package monitor_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/monitor"
)

// noon is an instant within the session of Wednesday 3 June 2026.
var noon = time.Date(2026, 6, 3, 16, 0, 0, 0, time.UTC)

func newCore(t *testing.T, opts *monitor.CoreOptions) *monitor.Core {
	t.Helper()
	c, err := monitor.NewCore(opts)
	require.NoError(t, err)
	return c
}

func parse(t *testing.T, text string) monitor.Rule {
	t.Helper()
	r, err := monitor.ParseRule([]byte(text))
	require.NoError(t, err, text)
	return r
}

func add(t *testing.T, c *monitor.Core, id, rule string) []monitor.Firing {
	t.Helper()
	fired, err := c.Add("anna", id, parse(t, rule), noon, nil, noon)
	require.NoError(t, err)
	return fired
}

func bar(at time.Time, open, high, low, close float64) market.Bar {
	return market.Bar{Time: at, Open: open, High: high, Low: low, Close: close, Volume: 1000}
}

// after returns the firings of prices of SPY, a second apart.
func after(c *monitor.Core, from time.Time, prices ...float64) []float64 {
	var out []float64
	for i, p := range prices {
		for _, f := range c.Quote(last("SPY", p), from.Add(time.Duration(i)*time.Second)) {
			out = append(out, f.Value)
		}
	}
	return out
}

func TestPriceRulesFireAsTheirOperatorSays(t *testing.T) {
	for name, tt := range map[string]struct {
		rule   string
		prices []float64
		want   []float64 // the prices at which it fires
	}{
		"above holds at the value":         {`{"kind":"price","symbol":"SPY","op":"above","value":100}`, []float64{99, 100, 101}, []float64{100}},
		"above that holds fires at once":   {`{"kind":"price","symbol":"SPY","op":"above","value":100}`, []float64{105}, []float64{105}},
		"below":                            {`{"kind":"price","symbol":"SPY","op":"below","value":100}`, []float64{105, 99.5, 99}, []float64{99.5}},
		"a crossing needs a side first":    {`{"kind":"price","symbol":"SPY","op":"cross_up","value":100}`, []float64{105, 99, 101}, []float64{101}},
		"cross from either side":           {`{"kind":"price","symbol":"SPY","op":"cross","value":100,"mode":"repeat"}`, []float64{99, 101, 99, 99.5, 101}, []float64{101, 99, 101}},
		"cross down":                       {`{"kind":"price","symbol":"SPY","op":"cross_down","value":100}`, []float64{99, 101, 102, 98}, []float64{98}},
		"repeating without hysteresis":     {`{"kind":"price","symbol":"SPY","op":"above","value":100,"mode":"repeat"}`, []float64{100, 101, 99.99, 100}, []float64{100, 100}},
		"hysteresis holds back":            {`{"kind":"price","symbol":"SPY","op":"above","value":100,"mode":"repeat","hysteresis":2}`, []float64{100, 98.5, 101, 98, 100.5}, []float64{100, 100.5}},
		"hysteresis in percent":            {`{"kind":"price","symbol":"SPY","op":"below","value":200,"mode":"repeat","hysteresis_percent":1}`, []float64{200, 201, 199, 202, 199}, []float64{200, 199}},
		"move from here":                   {`{"kind":"move","symbol":"SPY","percent":2}`, []float64{100, 101.9, 102}, []float64{102}},
		"moves are counted from the last":  {`{"kind":"move","symbol":"SPY","percent":10,"mode":"repeat"}`, []float64{100, 110, 100, 99, 121}, []float64{110, 99, 121}},
		"move down only":                   {`{"kind":"move","symbol":"SPY","percent":2,"side":"down"}`, []float64{100, 110, 98}, []float64{98}},
		"move within a window":             {`{"kind":"move","symbol":"SPY","percent":2,"from":"window","window":"3s"}`, []float64{100, 101, 101.5, 102, 102.5, 104.6}, []float64{104.6/102 - 1}},
		"trailing follows the high":        {`{"kind":"trailing","symbol":"SPY","percent":5}`, []float64{100, 110, 104.6, 104.5}, []float64{104.5}},
		"trailing by an amount":            {`{"kind":"trailing","symbol":"SPY","amount":3}`, []float64{100, 97.5, 101, 98}, []float64{98}},
		"trailing from the low":            {`{"kind":"trailing","symbol":"SPY","percent":10,"side":"low"}`, []float64{100, 90, 98, 99}, []float64{99}},
		"trailing begins anew after fired": {`{"kind":"trailing","symbol":"SPY","amount":2,"mode":"repeat"}`, []float64{100, 98, 97, 96, 97, 95}, []float64{98, 96, 95}},
		"a level's band":                   {`{"kind":"level","symbol":"SPY","value":100,"band":1}`, []float64{100, 97, 98.5, 99}, []float64{99}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCore(t, nil)
			require.Empty(t, add(t, c, "r", tt.rule))
			assert.InDeltaSlice(t, tt.want, after(c, noon, tt.prices...), 1e-12)
		})
	}
}

func TestOnceIsOnceAndEndsAtItsExpiryDate(t *testing.T) {
	c := newCore(t, nil)
	add(t, c, "once", `{"kind":"price","symbol":"SPY","op":"above","value":100}`)
	add(t, c, "short", `{"kind":"price","symbol":"SPY","op":"above","value":90,"expires":"2026-06-03T16:00:10Z"}`)
	require.Equal(t, 2, c.Len())
	c.Advance(noon.Add(10 * time.Second))
	require.Equal(t, 1, c.Len(), "it has expired")
	require.Equal(t, []float64{101.0}, after(c, noon.Add(11*time.Second), 101, 99, 102))
	require.Zero(t, c.Len())
	require.Empty(t, c.Symbols(), "nobody needs quotes any more")
}

func TestFieldsOfAQuote(t *testing.T) {
	q := market.NewQuote("SPY")
	q.Bid, q.Ask, q.Last, q.PrevClose, q.Open = 99, 101, 100.5, 95, 98
	for rule, want := range map[string]float64{
		`{"kind":"price","symbol":"SPY","op":"above","field":"bid","value":99}`:                     99,
		`{"kind":"price","symbol":"SPY","op":"above","field":"ask","value":101}`:                    101,
		`{"kind":"price","symbol":"SPY","op":"above","field":"mid","value":100}`:                    100,
		`{"kind":"price","symbol":"SPY","op":"above","field":"last","value":100}`:                   100.5,
		`{"kind":"move","symbol":"SPY","percent":5,"from":"close"}`:                                 100.5/95 - 1,
		`{"kind":"move","symbol":"SPY","percent":2,"from":"open","side":"up"}`:                      100.5/98 - 1,
		`{"kind":"price","symbol":"SPY   261218C00500000","op":"above","value":100}`:                100,   // of options the middle
		`{"kind":"price","symbol":"SPY   261218C00500000","op":"above","field":"last","value":100}`: 100.5, // unless the last is asked for
	} {
		c := newCore(t, nil)
		add(t, c, "r", rule)
		quote := q
		quote.Symbol = c.Symbols()[0]
		fired := c.Quote(quote, noon)
		require.Len(t, fired, 1, rule)
		assert.InDelta(t, want, fired[0].Value, 1e-12, rule)
	}
	c := newCore(t, nil)
	add(t, c, "r", `{"kind":"price","symbol":"SPY","op":"below","value":100}`)
	require.Empty(t, c.Quote(market.NewQuote("SPY"), noon), "an unknown price reaches nothing")
	crossed := market.NewQuote("SPY")
	crossed.Bid, crossed.Ask = 90, 80
	require.Empty(t, c.Quote(crossed, noon), "a crossed quote has no middle")
}

func TestWhatHappensInAGapIsSeenInTheBarThatCoversIt(t *testing.T) {
	minute := noon.Add(5 * time.Minute)
	gap := market.StreamGap{From: noon.Add(4*time.Minute + 30*time.Second), To: noon.Add(6*time.Minute + 10*time.Second)}
	for name, tt := range map[string]struct {
		rule string
		bar  market.Bar
		want []float64
	}{
		"up and back":                   {`{"kind":"price","symbol":"SPY","op":"cross_up","value":103}`, bar(minute, 100, 104, 99.5, 100.2), []float64{104}},
		"down and back":                 {`{"kind":"price","symbol":"SPY","op":"below","value":98}`, bar(minute, 100, 100.5, 97, 100.2), []float64{97}},
		"either way":                    {`{"kind":"price","symbol":"SPY","op":"cross","value":98}`, bar(minute, 100, 100.5, 97, 100.2), []float64{97}},
		"not reached":                   {`{"kind":"price","symbol":"SPY","op":"cross","value":105}`, bar(minute, 100, 104, 97, 100.2), nil},
		"trailing":                      {`{"kind":"trailing","symbol":"SPY","percent":4}`, bar(minute, 100, 101, 96, 100), []float64{96}},
		"move":                          {`{"kind":"move","symbol":"SPY","percent":3}`, bar(minute, 100, 103.5, 100, 100), []float64{103.5}},
		"a level":                       {`{"kind":"level","symbol":"SPY","value":95,"band":0.5}`, bar(minute, 100, 100, 95.2, 99), []float64{95.2}},
		"a repeating rule is told once": {`{"kind":"price","symbol":"SPY","op":"above","value":103,"mode":"repeat","hysteresis":1}`, bar(minute, 100, 104, 99.5, 100.2), []float64{104}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCore(t, nil)
			add(t, c, "r", tt.rule)
			require.Empty(t, after(c, noon, 100, 100.1))
			require.Empty(t, c.Quote(last("SPY", 100.2), gap.To.Add(time.Second)), "the stream is back, and the price too")
			fired := c.Gap("SPY", market.Minute, []market.Bar{bar(minute.Add(-3*time.Minute), 1, 1000, 1, 1), tt.bar}, gap, gap.To.Add(time.Minute))
			var got []float64
			for _, f := range fired {
				got = append(got, f.Value)
				require.NotNil(t, f.Bar)
				assert.Equal(t, tt.bar, *f.Bar, "the bar is named, and bars outside of the gap do not count")
				assert.Equal(t, f.Kind == monitor.KindTrailing, f.Uncertain)
			}
			assert.Equal(t, tt.want, got)
			before := c.Len()
			require.Empty(t, after(c, gap.To.Add(2*time.Minute), 100.2, 100.3), "live quotes go on where they were")
			require.Equal(t, before, c.Len())
		})
	}
}

func TestARuleIsNotJudgedByABarThatItCannotHaveSeen(t *testing.T) {
	c := newCore(t, nil)
	after(c, noon, 100)
	at := noon.Add(10 * time.Minute)
	gap := market.StreamGap{From: at.Add(-90 * time.Second), To: at.Add(-10 * time.Second)}
	made := func(id string, when time.Time) {
		_, err := c.Add("anna", id, parse(t, `{"kind":"price","symbol":"SPY","op":"cross_up","value":103}`), when, nil, when)
		require.NoError(t, err)
		c.Quote(last("SPY", 100), when)
	}
	made("before", at.Add(-3*time.Minute))
	made("within the bar", at.Add(-100*time.Second))
	made("later", at)
	fired := c.Gap("SPY", market.Minute, []market.Bar{bar(at.Add(-2*time.Minute), 100, 104, 100, 100)}, gap, at.Add(time.Minute))
	require.Len(t, fired, 2)
	for _, f := range fired {
		assert.Equal(t, f.Rule == "within the bar", f.Uncertain, "%s: the high may be older than the rule", f.Rule)
	}
	require.Equal(t, 1, c.Len())

	// a rule that fired on a live quote within the minute is not fired again by its bar
	c = newCore(t, nil)
	_, err := c.Add("anna", "r", parse(t, `{"kind":"price","symbol":"SPY","op":"above","value":103,"mode":"repeat"}`), noon, nil, noon)
	require.NoError(t, err)
	require.Len(t, after(c, noon.Add(time.Second), 100, 104, 100.5, 100.6), 1)
	end := noon.Add(time.Minute)
	gap = market.StreamGap{From: noon.Add(10 * time.Second), To: end}
	require.Empty(t, c.Gap("SPY", market.Minute, []market.Bar{bar(noon, 100, 104, 100, 100.6)}, gap, end))
	require.Len(t, c.Gap("SPY", market.Minute, []market.Bar{bar(noon, 100, 105, 100, 100.6)}, gap, end), 1, "nobody saw the 105: it came after")
}

func TestRulesOfOneTenantAreNotThoseOfAnother(t *testing.T) {
	c := newCore(t, nil)
	rule := parse(t, `{"kind":"position","metric":"pnl","op":"below","value":-100}`)
	for _, owner := range []string{"anna", "bert"} {
		_, err := c.Add(storageID(owner), "same-id", rule, noon, nil, noon)
		require.NoError(t, err)
	}
	require.Equal(t, 2, c.Len(), "ids are a tenant's own")
	p := position("SPY", "SPY", 100, 500, 490)
	fired := c.Positions("anna", "A1", []broker.Position{p}, noon)
	require.Len(t, fired, 1)
	assert.EqualValues(t, "anna", fired[0].Tenant)
	assert.InDelta(t, -1000, fired[0].Value, 1e-9)
	c.Remove("anna", "same-id")
	require.Equal(t, 1, c.Len())
	fired = c.Positions("bert", "A1", []broker.Position{p}, noon)
	require.Len(t, fired, 1)
	assert.EqualValues(t, "bert", fired[0].Tenant)
}

func TestIndicatorRulesAreJudgedBarByBar(t *testing.T) {
	c := newCore(t, nil)
	add(t, c, "sma", `{"kind":"indicator","symbol":"SPY","interval":"5m","indicator":{"name":"SMA","params":[3]},"op":"above","value":102}`)
	add(t, c, "golden", `{"kind":"indicator","symbol":"SPY","interval":"5m","indicator":{"name":"SMA","params":[2]},"than":{"name":"SMA","params":[3]},"op":"cross_up"}`)
	add(t, c, "close", `{"kind":"indicator","symbol":"SPY","interval":"5m","indicator":{"name":"close"},"than":{"name":"SMA","params":[3]},"op":"cross_down","mode":"repeat"}`)
	needs := c.BarNeeds()
	require.Len(t, needs, 1, "one series of bars for all")
	require.GreaterOrEqual(t, needs[0].History, 3)
	closes := []float64{103, 102, 101, 100, 102, 105, 101} // the first four are history
	at := func(i int) time.Time { return noon.Add(time.Duration(i-4) * 5 * time.Minute) }
	var history []market.Bar
	for i, x := range closes[:4] {
		history = append(history, bar(at(i), x, x+1, x-1, x))
	}
	require.Empty(t, c.Warm("SPY", market.Minute5, history, noon))
	got := map[string][]int{}
	for i, x := range closes[4:] {
		b := bar(at(i+4), x, x+1, x-1, x)
		for _, f := range c.Bar("SPY", market.Minute5, b, at(i+5)) {
			got[f.Rule] = append(got[f.Rule], i)
			assert.Equal(t, b, *f.Bar)
			assert.False(t, f.Uncertain, "a close is a close")
		}
		require.Empty(t, c.Bar("SPY", market.Minute5, b, at(i+5)), "the same bar again says nothing")
	}
	// SMA(3): 101, 102.33, 102.67; SMA(2): 101, 103.5, 103; close: 102, 105, 101
	assert.Equal(t, map[string][]int{"sma": {1}, "golden": {0}, "close": {2}}, got)
}

func TestAnIndicatorThatHoldsAlreadyFiresWhenItsHistoryIsThere(t *testing.T) {
	c := newCore(t, nil)
	add(t, c, "r", `{"kind":"indicator","symbol":"SPY","indicator":{"name":"close"},"op":"above","value":100}`)
	fired := c.Warm("SPY", market.Day, []market.Bar{bar(noon.AddDate(0, 0, -1), 105, 105, 105, 105)}, noon)
	require.Len(t, fired, 1)
}

func TestFoundLevelsAreTouchedAndBroken(t *testing.T) {
	c := newCore(t, nil)
	add(t, c, "touch", `{"kind":"level","symbol":"SPY","interval":"1d","levels":{"kinds":["prior high"],"nearest":1}}`)
	add(t, c, "break", `{"kind":"level","symbol":"SPY","interval":"1d","event":"broken","levels":{"kinds":["prior high"],"nearest":1}}`)
	days := market.NYSE().Sessions(market.Date{Year: 2026, Month: 4, Day: 1}, market.Date{Year: 2026, Month: 6, Day: 2})
	var history []market.Bar
	for i, s := range days {
		x := 100 + float64(i%5)
		history = append(history, bar(time.Date(s.Date.Year, s.Date.Month, s.Date.Day, 0, 0, 0, 0, s.Open.Location()), x, x+1, x-1, x))
	}
	found, err := levels.Find(market.NewSeries("SPY", market.Day, history), &levels.Options{Kinds: []levels.Kind{"prior high"}, Unbroken: true})
	require.NoError(t, err)
	_, above := levels.Around(found, history[len(history)-1].Close, 1)
	require.NotEmpty(t, above, "the setting has a prior high above the price")
	high := above[0].Price
	c.Quote(last("SPY", history[len(history)-1].Close), noon)
	require.Empty(t, c.Warm("SPY", market.Day, history, noon))
	require.Contains(t, c.Symbols(), market.Symbol("SPY"))

	require.Empty(t, c.Quote(last("SPY", high-0.01), noon.Add(time.Second)))
	fired := c.Quote(last("SPY", high), noon.Add(2*time.Second))
	require.Len(t, fired, 1)
	assert.Equal(t, "touch", fired[0].Rule)
	assert.InDelta(t, high, fired[0].Threshold, 1e-9)
	assert.Contains(t, fired[0].Subject, "since", "it says which level")

	day := time.Date(2026, 6, 3, 0, 0, 0, 0, days[0].Open.Location())
	fired = c.Bar("SPY", market.Day, bar(day, 102, high+3, 102, high+2), noon.Add(5*time.Hour))
	require.Len(t, fired, 1)
	assert.Equal(t, "break", fired[0].Rule)
	assert.InDelta(t, high+2, fired[0].Value, 1e-9)
}

func TestVolatilityRules(t *testing.T) {
	c := newCore(t, nil)
	add(t, c, "rank", `{"kind":"volatility","symbol":"SPY","op":"above","value":0.5}`)
	add(t, c, "hv", `{"kind":"volatility","symbol":"SPY","metric":"iv_hv","op":"below","value":0}`)
	require.Equal(t, []market.Symbol{"SPY"}, c.MetricSymbols())
	require.Empty(t, c.Symbols(), "no quotes are needed")
	m := market.NewMetrics("SPY")
	require.Empty(t, c.Metrics(m, noon), "nothing is known")
	m.IVRank, m.IVIndex, m.HV30 = 0.49, 0.2, 0.15
	require.Empty(t, c.Metrics(m, noon))
	m.IVRank, m.HV30 = 0.51, 0.25
	require.Len(t, c.Metrics(m, noon), 2)
}

func TestARestoredCoreStandsWhereTheOldOneStood(t *testing.T) {
	rules := map[string]string{
		"cross":    `{"kind":"price","symbol":"SPY","op":"cross","value":103}`,
		"idle":     `{"kind":"price","symbol":"SPY","op":"above","value":100,"mode":"repeat","hysteresis":5}`,
		"trailing": `{"kind":"trailing","symbol":"SPY","percent":10}`,
		"young":    `{"kind":"trailing","symbol":"SPY","percent":5}`,
		"move":     `{"kind":"move","symbol":"SPY","percent":20}`,
	}
	first := newCore(t, nil)
	for _, id := range []string{"cross", "idle", "trailing", "move"} {
		add(t, first, id, rules[id])
	}
	require.Equal(t, []float64{101, 110, 109}[:1], after(first, noon, 101, 101.5)[:1])
	after(first, noon.Add(10*time.Second), 102.5, 102)
	_, err := first.Add("anna", "young", parse(t, rules["young"]), noon.Add(time.Minute), nil, noon.Add(time.Minute))
	require.NoError(t, err)
	after(first, noon.Add(2*time.Minute), 101)

	data, err := json.Marshal(first.Marks(nil))
	require.NoError(t, err)
	var marks monitor.Marks
	require.NoError(t, json.Unmarshal(data, &marks))
	second := newCore(t, nil)
	second.Restore(marks)
	for id, text := range rules {
		state, ok := first.State("anna", id)
		require.True(t, ok)
		raw, err := json.Marshal(state)
		require.NoError(t, err)
		var read monitor.State
		require.NoError(t, json.Unmarshal(raw, &read))
		created := noon
		if id == "young" {
			created = noon.Add(time.Minute)
		}
		fired, err := second.Add("anna", id, parse(t, text), created, &read, marks.Time)
		require.NoError(t, err)
		require.Empty(t, fired, id)
	}
	// both go on alike, price by price
	prices := []float64{100.5, 97, 96.9, 95, 100, 92.26, 92.24, 104, 80, 121}
	for i, p := range prices {
		at := noon.Add(3*time.Minute + time.Duration(i)*time.Second)
		want := map[string]uint64{}
		for _, f := range first.Quote(last("SPY", p), at) {
			want[f.Rule] = f.N
		}
		got := map[string]uint64{}
		for _, f := range second.Quote(last("SPY", p), at) {
			got[f.Rule] = f.N
		}
		require.Equal(t, want, got, "at %v", p)
	}
	require.Equal(t, first.Len(), second.Len())
	require.Equal(t, 1, second.Len(), "all but the repeating one have fired")
}

func position(symbol, underlying market.Symbol, quantity, open, mark float64) broker.Position {
	o, m := decimal.NewFromFloat(open), decimal.NewFromFloat(mark)
	p := broker.Position{Account: "A1", Symbol: symbol, Underlying: underlying, Kind: symbol.Kind(), Quantity: decimal.NewFromFloat(quantity), Multiplier: decimal.NewFromInt(1), AverageOpenPrice: &o, Mark: &m, PrevClose: &o}
	if p.Kind == market.KindOption {
		p.Multiplier = decimal.NewFromInt(100)
	}
	return p
}

func storageID(s string) storage.TenantID { return storage.TenantID(s) }

func TestDeadThresholdsAreCleanedUp(t *testing.T) {
	c := newCore(t, nil)
	for i, rule := range []string{
		`{"kind":"move","symbol":"SPY","percent":1,"mode":"repeat"}`,
		`{"kind":"price","symbol":"SPY","op":"cross","value":100,"mode":"repeat","hysteresis":0.5}`,
		`{"kind":"level","symbol":"SPY","value":100,"band":0.1,"mode":"repeat"}`,
		`{"kind":"position","metric":"pnl","op":"above","value":1e9}`,
		`{"kind":"trailing","symbol":"SPY","percent":1,"mode":"repeat"}`,
	} {
		add(t, c, fmt.Sprint(i), rule)
	}
	c.Positions("anna", "A1", []broker.Position{position("SPY", "SPY", 100, 100, 100)}, noon)
	fires := 0
	for i := range 20_000 {
		at := noon.Add(time.Duration(i) * time.Millisecond)
		fires += len(c.Quote(last("SPY", 100+3*math.Sin(float64(i)/7)), at))
		if i%10 == 0 { // rules that come and go
			_, err := c.Add("anna", "short", parse(t, `{"kind":"price","symbol":"SPY","op":"above","value":500,"expires":"2027-01-01T00:00:00Z"}`), at, nil, at)
			require.NoError(t, err)
			c.Remove("anna", "short")
		}
	}
	require.Greater(t, fires, 2000)
	require.Less(t, c.Entries(), 500)
}
