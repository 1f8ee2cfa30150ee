package strategy_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

type ctx = context.Context

func TestCuttingOffLaterBarsChangesNoOrder(t *testing.T) {
	series := sampleSeries(220)
	for name := range sample {
		t.Run(name, func(t *testing.T) {
			whole := replaySample(t, name, series, nil)
			require.NotEmpty(t, whole.orders, "it trades")
			for _, n := range []int{60, 111, 180} {
				part := replaySample(t, name, [][]market.Bar{series[0][:n], series[1][:n]}, nil)
				require.LessOrEqual(t, len(part.orders), len(whole.orders))
				assert.Equal(t, whole.orders[:len(part.orders)], part.orders)
				if len(whole.orders) > len(part.orders) {
					last := series[0][n-1].Time.Format(time.DateOnly)
					assert.Greater(t, whole.orders[len(part.orders)].Time[:10], last)
				}
			}
		})
	}
}

func TestRestoringAtAnyBarGoesOnAsIfNothingHappened(t *testing.T) {
	series := sampleSeries(150)
	random := rand.New(rand.NewPCG(11, 13))
	for name := range sample {
		t.Run(name, func(t *testing.T) {
			whole := replaySample(t, name, series, nil)
			swaps := map[int]bool{}
			for range 12 {
				swaps[random.IntN(150)] = true
			}
			swapped := replaySample(t, name, series, swaps)
			assert.Equal(t, whole.orders, swapped.orders)
			assert.InDelta(t, whole.session.Profit(), swapped.session.Profit(), 1e-6)
		})
	}
}

func TestOrdersThatTakeTimeNeverMakeALongRuleShort(t *testing.T) {
	series := sampleSeries(220)
	for _, name := range []string{"smac", "emac", "rsi", "macd"} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t, built(t, name, sample[name]), series[0][0].Time, func(o *paper.Options, _ *strategy.SessionOptions) {
				o.Latency = paper.Latency{Route: time.Minute, Live: time.Minute, Cancel: time.Hour}
			})
			r.all(sampleSymbols, series)
			held := 0.0
			require.NotEmpty(t, r.fills)
			for _, f := range r.fills {
				held += f.Quantity.InexactFloat64() * float64(f.Action.Sign())
				assert.GreaterOrEqual(t, held, 0.0)
			}
		})
	}
}

func TestStopsFollowWhatIsHeld(t *testing.T) {
	series := sampleSeries(220)
	r := newReplay(t, built(t, "emac", sample["emac"]), series[0][0].Time)
	stopped := 0
	for i := range series[0] {
		r.bar(sampleSymbols, []market.Bar{series[0][i], series[1][i]})
		held, protected := r.session.Position("ACME").Quantity, 0
		for _, o := range r.session.Working() {
			if o.Order.Type == broker.Stop || o.Order.Type == broker.TrailingStop {
				protected++
				assert.Equal(t, held, o.Order.Legs[0].Quantity.InexactFloat64())
			}
		}
		if held > 0 && r.session.Pending("ACME") == 0 {
			assert.Equal(t, 2, protected, "a stop and a trailing stop, bar %d", i)
		} else if held == 0 {
			assert.Zero(t, protected, "bar %d", i)
		}
	}
	for _, f := range r.fills {
		if f.Action == broker.SellToClose {
			stopped++
		}
	}
	assert.Positive(t, stopped)
}

func TestEveryPriceStrategyHasASample(t *testing.T) {
	for _, d := range strategy.All() {
		if len(d.Params) > 0 && d.Params[0].Name == "symbol" && strings.Contains("smac emac rsi macd bbands buynhold sentiment custom ternary ma-cross breakout mean-reversion pairs", d.Name) {
			assert.Contains(t, sample, d.Name)
		}
	}
	assert.Len(t, sample, 13)
}

// The orders and final values are those of fastquant on the closes of JFC, made
// with its code of 2023: shared/data/reference/fastquant.
func TestFastquantsOrdersAreReproduced(t *testing.T) {
	for _, c := range []struct{ file, name, params, from string }{
		{"jfc2018_smac_15_40", "smac", `{"fast_period":15,"slow_period":40}`, "2018"},
		{"jfc2018_smac_15_40_comm0075", "smac", `{"fast_period":15,"slow_period":40,"commission":0.0075}`, "2018"},
		{"jfc2018_emac_10_30", "emac", `{}`, "2018"},
		{"jfc2018_rsi", "rsi", `{}`, "2018"},
		{"jfc2018_macd", "macd", `{}`, "2018"},
		{"jfc2018_bbands", "bbands", `{}`, "2018"},
		{"jfc2010_2018_buynhold", "buynhold", `{}`, "2010"},
		{"jfc2010_2018_smac_20_60_comm002", "smac", `{"fast_period":20,"slow_period":60,"commission":0.002}`, "2010"},
	} {
		t.Run(c.file, func(t *testing.T) {
			bars := jollibee(t, c.from)
			var want struct {
				Rows    int
				Metrics struct {
					Final      float64 `json:"final_value"`
					Commission float64
				}
			}
			data, err := os.ReadFile(sharedtest.Path(t, "data", "reference", "fastquant", "fq_"+c.file+".json"))
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(string(data), "NaN", "null")), &want))
			require.Len(t, bars, want.Rows)
			params := strings.Replace(c.params, "{", `{"symbol":"JFC",`, 1)
			params = strings.Replace(params, ",}", "}", 1)
			r := newReplay(t, built(t, c.name, params), bars[0].Time, func(o *paper.Options, _ *strategy.SessionOptions) {
				o.CheatOnClose = true
				o.Fees = broker.ValueFees(decimal.NewFromFloat(want.Metrics.Commission))
			})
			for i, b := range bars {
				r.quiet = i >= len(bars)-2 // fastquant takes no orders at the last two bars
				r.bar([]market.Symbol{"JFC"}, []market.Bar{b})
			}
			assert.InDelta(t, want.Metrics.Final, r.value(), 1e-6)
			rows := csvRows(t, "fq_"+c.file+"_orders.csv")
			require.Len(t, r.fills, len(rows))
			for i, row := range rows {
				f := r.fills[i]
				size, err := strconv.ParseFloat(row["size"], 64)
				require.NoError(t, err)
				price, err := strconv.ParseFloat(row["price"], 64)
				require.NoError(t, err)
				assert.Equal(t, size, f.Quantity.InexactFloat64()*float64(f.Action.Sign()), "fill %d of %s", i, row["dt"])
				assert.Equal(t, price, f.Price.InexactFloat64(), "fill %d of %s", i, row["dt"])
			}
		})
	}
}

func csvRows(t *testing.T, file string) []map[string]string {
	f, err := os.Open(sharedtest.Path(t, "data", "reference", "fastquant", file))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}

func jollibee(t *testing.T, from string) []market.Bar {
	file, err := market.OpenBars(sharedtest.Path(t, "data", "reference", "fastquant_JFC_2010_2018.csv"), &market.CSVOptions{})
	require.NoError(t, err)
	var out []market.Bar
	for _, b := range file.Bars {
		if b.Time.Format("2006") >= from {
			out = append(out, b)
		}
	}
	return out
}

func TestParametersOutOfRangeAreRefusedByName(t *testing.T) {
	for _, d := range strategy.All() {
		if _, ok := sample[d.Name]; !ok {
			continue
		}
		for _, p := range d.Params {
			for _, bad := range badValues(p) {
				t.Run(d.Name+"/"+p.Name, func(t *testing.T) {
					params := map[string]json.RawMessage{}
					require.NoError(t, json.Unmarshal([]byte(sample[d.Name]), &params))
					params[p.Name] = json.RawMessage(bad)
					data, err := json.Marshal(params)
					require.NoError(t, err)
					_, err = d.New(data)
					var field *invalid.FieldError
					require.ErrorAs(t, err, &field, "%s", bad)
					assert.Equal(t, p.Name, field.Field)
				})
			}
		}
	}
}

func badValues(p strategy.Param) []string {
	bad := []string{`null`, `[]`}
	switch p.Type {
	case "integer", "number":
		if p.Min == p.Min {
			bad = append(bad, strconv.FormatFloat(p.Min-1, 'f', -1, 64))
		}
		if p.Max == p.Max {
			bad = append(bad, strconv.FormatFloat(p.Max+1, 'f', -1, 64))
		}
		bad = append(bad, `"x"`, `true`)
	case "boolean":
		bad = append(bad, `"yes"`, `1`)
	case "string":
		bad = append(bad, `7`)
		if p.Choices != nil {
			bad = append(bad, `"nothing like it"`)
		}
	}
	if p.Type == "integer" {
		bad = append(bad, `1.5`)
	}
	return bad
}

func TestParametersThatDoNotFitTogetherAreRefusedByName(t *testing.T) {
	for _, c := range []struct{ name, params, field string }{
		{"smac", `{"symbol":"A","fast_period":30,"slow_period":30}`, "fast_period"},
		{"emac", `{"symbol":"A","fast_period":40}`, "fast_period"},
		{"macd", `{"symbol":"A","slow_period":5}`, "fast_period"},
		{"rsi", `{"symbol":"A","rsi_lower":80}`, "rsi_lower"},
		{"custom", `{"symbol":"A","lower_limit":96}`, "lower_limit"},
		{"ternary", `{"symbol":"A","sell_int":1}`, "sell_int"},
		{"buynhold", `{"symbol":"A","until":"soon"}`, "until"},
		{"ma-cross", `{"symbol":"A","fast":50}`, "fast"},
		{"ma-cross", `{"symbol":"A","allocation":0}`, "allocation"},
		{"mean-reversion", `{"symbol":"A","exit":2}`, "exit"},
		{"mean-reversion", `{"symbol":"A","stop":1}`, "stop"},
		{"pairs", `{"symbol":"A","against":"A"}`, "against"},
		{"pairs", `{"symbol":"A","against":"B","exit":3}`, "exit"},
		{"pairs", `{"symbol":"A","against":"B","stop":1}`, "stop"},
		{"pairs", `{"symbol":"A"}`, "against"},
		{"smac", `{}`, "symbol"},
		{"smac", `{"symbol":"A","fast":3}`, "fast"},
		{"smac", `{"symbol":"A","symbol":"B"}`, "symbol"},
		{"smac", `{"symbol":"A","interval":"soon"}`, "interval"},
		{"smac", `[]`, "params"},
		{"smac", `{"symbol":"A"} {}`, "params"},
	} {
		d, err := strategy.Lookup(c.name)
		require.NoError(t, err)
		_, err = d.New(json.RawMessage(c.params))
		var field *invalid.FieldError
		require.ErrorAs(t, err, &field, "%s %s", c.name, c.params)
		assert.Equal(t, c.field, field.Field, "%s %s", c.name, c.params)
	}
}

func TestLookupSuggestsTheNearestName(t *testing.T) {
	_, err := strategy.Lookup("breakut")
	require.ErrorIs(t, err, strategy.ErrUnknown)
	assert.ErrorContains(t, err, "did you mean breakout?")
	_, err = strategy.Lookup("quantum-entanglement")
	require.ErrorIs(t, err, strategy.ErrUnknown)
	assert.NotContains(t, err.Error(), "did you mean")
}

func TestSymbolsOfParametersComeInTheirNormalForm(t *testing.T) {
	st := built(t, "smac", `{"symbol":" spy "}`)
	assert.Equal(t, []market.Symbol{"SPY"}, st.Needs().Symbols)
}
