package monitor_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow/monitor"
)

func TestABadRuleNamesItsField(t *testing.T) {
	for text, field := range map[string]string{
		`{}`:                              "kind",
		`{"kind":"prices"}`:               "kind",
		`[]`:                              "rule",
		`{"kind":"price"} x`:              "rule",
		`{"kind":"price","colour":"red"}`: "colour",
		`{"kind":"price","op":"above","value":1}`:                                                                      "symbol",
		`{"kind":"price","symbol":"SPY","value":1}`:                                                                    "op",
		`{"kind":"price","symbol":"SPY","op":"over","value":1}`:                                                        "op",
		`{"kind":"price","symbol":"SPY","op":"above"}`:                                                                 "value",
		`{"kind":"price","symbol":"SPY","op":"above","value":"1"}`:                                                     "value",
		`{"kind":"price","symbol":"SPY","op":"above","value":1e300}`:                                                   "value",
		`{"kind":"price","symbol":"SPY","op":"above","value":1,"field":"volume"}`:                                      "field",
		`{"kind":"price","symbol":"SPY","op":"above","value":1,"percent":2}`:                                           "percent",
		`{"kind":"price","symbol":"SPY","op":"above","value":1,"hysteresis":2}`:                                        "hysteresis",
		`{"kind":"price","symbol":"SPY","op":"above","value":1,"mode":"repeat","hysteresis":-2}`:                       "hysteresis",
		`{"kind":"price","symbol":"SPY","op":"above","value":1,"mode":"repeat","hysteresis":2,"hysteresis_percent":1}`: "hysteresis_percent",
		`{"kind":"price","symbol":"SPY","op":"above","value":1,"mode":"twice"}`:                                        "mode",
		`{"kind":"price","symbol":"SPY","op":"above","value":1,"name":"a\nb"}`:                                         "name",
		`{"kind":"move","symbol":"SPY"}`:                                                                               "percent",
		`{"kind":"move","symbol":"SPY","percent":2,"from":"noon"}`:                                                     "from",
		`{"kind":"move","symbol":"SPY","percent":2,"from":"window"}`:                                                   "window",
		`{"kind":"move","symbol":"SPY","percent":2,"window":"5m"}`:                                                     "window",
		`{"kind":"move","symbol":"SPY","percent":2,"side":"sideways"}`:                                                 "side",
		`{"kind":"move","symbol":"SPY","percent":2,"from":"window","window":"soon"}`:                                   "duration",
		`{"kind":"move","symbol":"SPY","percent":2,"mode":"repeat","hysteresis_percent":1}`:                            "hysteresis_percent",
		`{"kind":"move","symbol":"SPY","percent":2,"from":"close","mode":"repeat","hysteresis_percent":3}`:             "hysteresis_percent",
		`{"kind":"trailing","symbol":"SPY"}`:                                                                           "percent",
		`{"kind":"trailing","symbol":"SPY","percent":2,"amount":1}`:                                                    "percent",
		`{"kind":"trailing","symbol":"SPY","percent":100}`:                                                             "percent",
		`{"kind":"level","symbol":"SPY","value":5,"levels":{}}`:                                                        "levels",
		`{"kind":"level","symbol":"SPY","value":5,"interval":"1d"}`:                                                    "interval",
		`{"kind":"level","symbol":"SPY","band":5}`:                                                                     "band",
		`{"kind":"level","symbol":"SPY","levels":{"kinds":["wall"]}}`:                                                  "levels.kinds",
		`{"kind":"level","symbol":"SPY","levels":{"families":["wall"]}}`:                                               "levels.families",
		`{"kind":"level","symbol":"SPY","levels":{"strength":2}}`:                                                      "levels.strength",
		`{"kind":"level","symbol":"SPY","levels":{"nearest":-1}}`:                                                      "levels.nearest",
		`{"kind":"level","symbol":"SPY","interval":"soon"}`:                                                            "interval",
		`{"kind":"indicator","symbol":"SPY","op":"above","value":1}`:                                                   "indicator",
		`{"kind":"indicator","symbol":"SPY","op":"above","value":1,"indicator":{"name":"NOPE"}}`:                       "indicator.name",
		`{"kind":"indicator","symbol":"SPY","op":"above","value":1,"indicator":{"name":"RSI","params":[-1]}}`:          "indicator.params",
		`{"kind":"indicator","symbol":"SPY","op":"above","value":1,"indicator":{"name":"MACD","output":"x"}}`:          "indicator",
		`{"kind":"indicator","symbol":"SPY","op":"above","indicator":{"name":"RSI"}}`:                                  "value",
		`{"kind":"indicator","symbol":"SPY","op":"above","indicator":{"name":"RSI"},"than":{"name":"NOPE"}}`:           "than.name",
		`{"kind":"volatility","symbol":"SPY","metric":"delta","op":"above","value":1}`:                                 "metric",
		`{"kind":"position","op":"above","value":1}`:                                                                   "metric",
		`{"kind":"position","metric":"iv_rank","op":"above","value":1}`:                                                "metric",
		`{"kind":"dte","days":-1}`:                                                                                     "days",
		`{"kind":"expiry"}`:                                                                                            "within",
		`{"kind":"short_strike","percent":1,"amount":1}`:                                                               "percent",
		`{"kind":"ex_dividend","days":100}`:                                                                            "days",
		`{"kind":"buying_power","op":"below"}`:                                                                         "value",
		`{"kind":"buying_power","symbol":"SPY","op":"below","value":1}`:                                                "symbol",
		`{"kind":"news"}`:                    "symbols",
		`{"kind":"news","keywords":["..."]}`: "keywords[0]",
		`{"kind":"news","symbols":[""]}`:     "symbols[0]",
	} {
		_, err := monitor.ParseRule([]byte(text))
		var fe *monitor.FieldError
		require.ErrorAs(t, err, &fe, text)
		assert.Equal(t, field, fe.Field, text)
		assert.NotEmpty(t, fe.Allowed, text)
	}
}

func TestARuleIsTheSameAfterJSON(t *testing.T) {
	for _, text := range examples(t) {
		r := parse(t, text)
		data, err := json.Marshal(r)
		require.NoError(t, err)
		again := parse(t, string(data))
		assert.Equal(t, r, again, text)
		assert.NotEmpty(t, r.String())
	}
	r := parse(t, `{"kind":"expiry","within":"2d"}`)
	assert.Equal(t, monitor.Duration(48*time.Hour), r.Within)
}

// examples are the rules of docs/monitors.md.
func examples(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/monitors.md")
	require.NoError(t, err)
	out := regexp.MustCompile("\\{\"kind\".*?\\}+(?:[`']|$)").FindAllString(string(text), -1)
	for i := range out {
		out[i] = strings.TrimRight(out[i], "`'")
	}
	return out
}

func TestEveryExampleOfTheGuideIsARuleAndEveryKindHasOne(t *testing.T) {
	kinds := map[monitor.Kind]bool{}
	for _, text := range examples(t) {
		r, err := monitor.ParseRule([]byte(text))
		require.NoError(t, err, text)
		kinds[r.Kind] = true
		c := newCore(t, nil)
		_, err = c.Add("anna", "r", r, noon, nil, noon)
		require.NoError(t, err, text)
		require.Equal(t, 1, c.Len())
		c.Remove("anna", "r")
		require.Zero(t, c.Len())
		require.Empty(t, c.Symbols(), text)
		require.Empty(t, c.BarNeeds(), text)
	}
	for _, k := range monitor.Kinds() {
		assert.True(t, kinds[k], "docs/monitors.md has no example of %s", k)
	}
}

func FuzzRule(f *testing.F) {
	f.Add(`{"kind":"price","symbol":"SPY","op":"above","value":100,"mode":"repeat","hysteresis":1}`, 99.0, 101.0, 98.0)
	f.Add(`{"kind":"trailing","symbol":"SPY","percent":5,"mode":"repeat"}`, 1.0, -1.0, 0.0)
	f.Add(`{"kind":"move","symbol":"SPY","percent":5,"from":"window","window":"1s","mode":"repeat"}`, 1e300, 1e-300, 5.0)
	f.Add(`{"kind":"level","symbol":"SPY","value":1e12,"band":1e12,"mode":"repeat"}`, 0.0, 1e12, -1e12)
	f.Add(`{"kind":"news","keywords":["a b"]}`, 1.0, 2.0, 3.0)
	f.Fuzz(func(t *testing.T, text string, a, b, d float64) {
		r, err := monitor.ParseRule([]byte(text))
		if err != nil {
			var fe *monitor.FieldError
			require.ErrorAs(t, err, &fe)
			return
		}
		_, err = json.Marshal(r)
		require.NoError(t, err)
		c := newCore(t, nil)
		_, err = c.Add("anna", "r", r, noon, nil, noon)
		require.NoError(t, err)
		symbols := c.Symbols()
		for i := range 12 {
			p := []float64{a, b, d}[i%3]
			at := noon.Add(time.Duration(i) * time.Second)
			for _, s := range symbols {
				fired := c.Quote(last(s, p), at)
				require.LessOrEqual(t, len(fired), 2, "a price fires a rule once, and its other side once")
			}
			if !math.IsNaN(p) && len(symbols) > 0 {
				c.Gap(symbols[0], market.Minute, []market.Bar{bar(at.Truncate(time.Minute), p, p, p, p)}, market.StreamGap{From: at.Add(-time.Minute), To: at}, at)
			}
		}
		if state, ok := c.State("anna", "r"); ok {
			again := newCore(t, nil)
			again.Restore(c.Marks(nil))
			_, err = again.Add("anna", "r", r, noon, &state, noon)
			require.NoError(t, err)
		}
	})
}

func ExampleParseRule() {
	_, err := monitor.ParseRule([]byte(`{"kind":"price","symbol":"spy","op":"over","value":700}`))
	fmt.Println(err)
	r, _ := monitor.ParseRule([]byte(`{"kind":"price","symbol":"spy","op":"above","value":700}`))
	fmt.Println(r)
	// Output:
	// op: "over" is not allowed; want one of above, below, cross, cross_up, cross_down
	// SPY above 700
}

func ExampleCore() {
	core, err := monitor.NewCore(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	rule, _ := monitor.ParseRule([]byte(`{"kind":"trailing","symbol":"NVDA","percent":5}`))
	now := time.Date(2026, 6, 3, 14, 0, 0, 0, time.UTC)
	if _, err := core.Add("local", "my-stop", rule, now, nil, now); err != nil {
		fmt.Println(err)
		return
	}
	for i, price := range []float64{100, 110, 105, 104.5} {
		q := market.NewQuote("NVDA")
		q.Last = price
		for _, f := range core.Quote(q, now.Add(time.Duration(i)*time.Second)) {
			fmt.Printf("%s at %v, %v from the high\n", f.Key(), f.Value, f.Threshold)
		}
	}
	// Output: alert/my-stop/1 at 104.5, 104.5 from the high
}

func TestKindsAreUnique(t *testing.T) {
	kinds := monitor.Kinds()
	slices.Sort(kinds)
	require.Len(t, slices.Compact(kinds), len(monitor.Kinds()))
}

func TestAnUnknownIndicatorIsNamedInTheError(t *testing.T) {
	_, err := monitor.ParseRule(json.RawMessage(`{"kind":"indicator","symbol":"SPY","op":"above","value":1,"indicator":{"name":"RSIX"}}`))
	assert.EqualError(t, err, `indicator.name: "RSIX" is not allowed; want the name of an indicator; did you mean RSI?`)
}
