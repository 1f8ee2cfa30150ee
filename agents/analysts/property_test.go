package analysts_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/market"
)

// Whatever the sources answer, an analysis is consistent, can be written, and
// says nothing that JSON cannot.
func TestAnyMarketGivesAConsistentAnalysis(t *testing.T) {
	odd := rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), 0, -1, 1e-9, 1e12, 0.5, 1, 100, 140})
	rapid.Check(t, func(r *rapid.T) {
		source := rising()
		bars := trend(rapid.IntRange(1, 320).Draw(r, "bars"), rapid.Float64Range(-0.02, 0.02).Draw(r, "drift"), rapid.Float64Range(0, 0.2).Draw(r, "wave"))
		for range rapid.IntRange(0, 4).Draw(r, "damages") {
			b := &bars[rapid.IntRange(0, len(bars)-1).Draw(r, "bar")]
			for _, x := range []*float64{&b.Open, &b.High, &b.Low, &b.Close, &b.Volume} {
				if rapid.Bool().Draw(r, "damage") {
					*x = odd.Draw(r, "value")
				}
			}
		}
		source.bars["TEST"] = bars
		source.quote.Bid, source.quote.Ask, source.quote.Last = odd.Draw(r, "bid"), odd.Draw(r, "ask"), odd.Draw(r, "last")
		source.metrics.IVRank, source.metrics.IVIndex, source.metrics.Beta = odd.Draw(r, "rank"), odd.Draw(r, "index"), odd.Draw(r, "beta")
		for range rapid.IntRange(0, 60).Draw(r, "broken quotes") {
			q := &source.chain[rapid.IntRange(0, len(source.chain)-1).Draw(r, "contract")]
			q.Bid, q.Ask, q.OpenInterest, q.Volume = odd.Draw(r, "bid"), odd.Draw(r, "ask"), odd.Draw(r, "interest"), odd.Draw(r, "volume")
		}
		if rapid.Bool().Draw(r, "damage spot") {
			spot := odd.Draw(r, "spot")
			for i := range source.chain {
				source.chain[i].Spot = spot
			}
		}
		a, err := analyst(t, source, nil).Analyze(t.Context(), analysts.Request{Symbol: "TEST"})
		if err != nil {
			require.ErrorIs(t, err, market.ErrNoData)
			return
		}
		consistent(t, a)
		_, err = json.Marshal(a)
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, a.WriteText(&out))
	})
}

func BenchmarkAnalyze(b *testing.B) {
	a := analyst(b, rising(), nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Analyze(b.Context(), analysts.Request{Symbol: "TEST"}); err != nil {
			b.Fatal(err)
		}
	}
}
