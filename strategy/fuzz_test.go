package strategy_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// Parameters either make a strategy or are refused by name.
func FuzzPriceParameters(f *testing.F) {
	for _, params := range sample {
		f.Add(0, params)
	}
	f.Add(3, `{"symbol":"A","fast_period":1e400}`)
	f.Add(4, `{"symbol":"A","interval":"\u0000"}`)
	f.Add(5, `{"symbol":null}`)
	f.Add(6, `{"symbol":"A"}}`)
	f.Add(-85, `{"":0}`)
	all := strategy.All()
	f.Fuzz(func(t *testing.T, which int, params string) {
		d := all[((which%len(all))+len(all))%len(all)]
		st, err := d.New(json.RawMessage(params))
		if err == nil {
			require.NotEmpty(t, st.Needs())
			return
		}
		var field *invalid.FieldError
		require.ErrorAs(t, err, &field)
		require.NotEmpty(t, field.Field)
	})
}

// A state that is restored either goes on or is refused; what follows never
// panics.
func FuzzRestoringASession(f *testing.F) {
	series := sampleSeries(60)
	for name := range sample {
		r := replaySample(f, name, series, nil)
		state, err := r.session.Snapshot()
		require.NoError(f, err)
		f.Add(name, string(state))
	}
	f.Add("smac", `{"version":1,"name":"test","account":"PAPER1","strategy":{}}`)
	f.Add("macd", `{"version":1,"name":"test","account":"PAPER1","flow":"1e999999999","strategy":{}}`)
	f.Add("macd", `{"version":1,"name":"test","account":"PAPER1","strategy":{"reader":{"numbers":[0,1e9,1,1,1]}}}`)
	f.Fuzz(func(t *testing.T, name, state string) {
		params, ok := sample[name]
		if !ok {
			return
		}
		r := newReplay(t, built(t, name, params), series[0][0].Time)
		next, err := strategy.NewSession(built(t, name, params), r.opts)
		require.NoError(t, err)
		if next.Start(t.Context(), series[0][0].Time, json.RawMessage(state)) != nil {
			return
		}
		r.session = next
		for i := range 5 {
			r.bar(sampleSymbols, []market.Bar{series[0][i], series[1][i]})
		}
	})
}
