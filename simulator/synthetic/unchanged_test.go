package synthetic_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// The shares, funds and indices of the default market are part of what users
// and their tests rely on: every history up to the end, one session's minutes
// with the trading around it and some quotes, as digests of all bits.
func TestTheDefaultMarketNeverChanges(t *testing.T) {
	sequential(t)
	if runtime.GOARCH != "amd64" {
		t.Skip("the digests are those of amd64: other processors round exp and log differently in the last bit, which can move a price by a cent")
	}
	now := synthetic.DefaultStart()
	for _, row := range []struct {
		what, want string
		market     func(testing.TB) *synthetic.Market
		numbers    func(m *synthetic.Market, s market.Symbol) []float64
	}{
		{"daily bars", "ddca9e9dbb82b06c", atTheEnd, func(m *synthetic.Market, s market.Symbol) []float64 {
			return numbers(daily(t, m, s))
		}},
		{"minutes", "228d0fdd212e6469", atTheStart, func(m *synthetic.Market, s market.Symbol) []float64 {
			return numbers(bars(t, m, market.BarsRequest{Symbol: s, Interval: market.Minute, From: now.AddDate(0, 0, -1), Extended: true}))
		}},
		{"quotes", "88637e1956836cf8", atTheStart, func(m *synthetic.Market, s market.Symbol) (all []float64) {
			for n := range 30 {
				q, err := m.QuoteAt(s, now.Add(time.Duration(n)*47*time.Minute))
				require.NoError(t, err)
				all = append(all, float64(q.Time.Unix()), q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Open, q.High, q.Low, q.PrevClose, q.Volume)
			}
			return all
		}},
	} {
		m := row.market(t)
		h := fnv.New64a()
		symbols := m.Symbols()
		require.Len(t, symbols, 56)
		for _, in := range symbols {
			bits := []byte(in.Symbol)
			for _, x := range row.numbers(m, in.Symbol) {
				if math.IsNaN(x) {
					x = -1 // whichever NaN
				}
				bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(x))
			}
			h.Write(bits)
		}
		assert.Equal(t, row.want, fmt.Sprintf("%016x", h.Sum64()), row.what)
	}
}

func numbers(bars []market.Bar) []float64 {
	all := make([]float64, 0, 6*len(bars))
	for _, b := range bars {
		all = append(all, float64(b.Time.Unix()), b.Open, b.High, b.Low, b.Close, b.Volume)
	}
	return all
}

func atTheStart(t testing.TB) *synthetic.Market { return at(t, synthetic.DefaultStart()) }
