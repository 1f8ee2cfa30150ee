package broker

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/market"
)

// contracts reads lines such as "-1 C100 dec", "+100 shares", "+2 SPX P90 mar".
func contracts(t require.TestingT, lines ...string) []holding {
	expiries := map[string]market.Date{
		"dec": {Year: 2026, Month: 12, Day: 18}, "jan": {Year: 2027, Month: 1, Day: 15}, "mar": {Year: 2027, Month: 3, Day: 19},
	}
	var out []holding
	for _, line := range lines {
		f := strings.Fields(line)
		size := decimal.RequireFromString(strings.TrimPrefix(f[0], "+"))
		root := "XYZ"
		switch f[1] {
		case "shares":
			out = append(out, holding{market.Symbol(root), size})
			continue
		case "coins":
			out = append(out, holding{"BTC/USD", size})
			continue
		case "futures":
			out = append(out, holding{"/ESZ6", size})
			continue
		}
		if len(f) == 4 {
			root, f = f[1], append(f[:1:1], f[2:]...)
		}
		kind := market.Call
		if f[1][0] == 'P' {
			kind = market.Put
		}
		var strike float64
		_, err := fmt.Sscanf(f[1][1:], "%g", &strike)
		require.NoError(t, err)
		symbol, err := market.NewOptionSymbol(market.Contract{Root: root, Expiration: expiries[f[2]], Kind: kind, Strike: strike})
		require.NoError(t, err)
		out = append(out, holding{symbol, size.Mul(decimal.NewFromInt(100))})
	}
	return out
}

func TestTheLeastValueIsThatOfThePayoffOrLower(t *testing.T) {
	inf := math.Inf(-1)
	for _, c := range []struct {
		want  float64
		lines []string
	}{
		{0, nil},
		{0, []string{"+1 C100 dec"}},
		{0, []string{"+100 shares"}},
		{inf, []string{"-100 shares"}},
		{inf, []string{"-1 C100 dec"}},
		{-10000, []string{"-1 P100 dec"}},
		{-1000, []string{"-1 C100 dec", "+1 C110 dec"}},
		{0, []string{"+1 C100 dec", "-1 C110 dec"}},
		{-1000, []string{"-1 P100 dec", "+1 P90 dec"}},
		{-1000, []string{"-1 P100 dec", "+1 P90 dec", "-1 C110 dec", "+1 C120 dec"}}, // an iron condor: one side
		{0, []string{"+100 shares", "-1 C100 dec"}},                                  // covered
		{inf, []string{"+100 shares", "-2 C100 dec"}},
		{10000, []string{"+100 shares", "+1 P100 dec"}},                              // never below the put's strike
		{10000, []string{"+100 shares", "+1 P100 mar", "+1 P150 dec"}},               // the longest protection counts
		{-10000, []string{"-100 shares", "+1 C100 dec"}},                             // short shares behind a call
		{0, []string{"-1 C100 dec", "+1 C100 mar"}},                                  // a calendar
		{inf, []string{"-1 C100 mar", "+1 C100 dec"}},                                // a reversed one: the cover ends first
		{-10000, []string{"-1 P100 mar", "+1 P100 dec"}},                             // the same in puts
		{-500, []string{"-1 C100 dec", "+1 C105 mar"}},                               // a diagonal
		{inf, []string{"-1 SPX C100 dec", "+1 SPX C100 mar"}},                        // European: it cannot be exercised in time
		{0, []string{"-1 SPX C100 dec", "+1 SPX C100 dec"}},                          // nothing left
		{0, []string{"-1 C100 dec", "+1 C100 dec"}},                                  // nothing left
		{-20000, []string{"-1 P100 dec", "-1 P100 mar"}},                             // two expiries, each by itself
		{0, []string{"+200 shares", "-1 C100 dec", "-1 C110 mar"}},                   // shares cover both
		{inf, []string{"+100 shares", "-1 C100 dec", "-1 C110 mar"}},                 // and not one of them
		{-500, []string{"-1 C100 dec", "+1 C105 mar", "-1 C120 jan", "+1 C120 jan"}}, // the pair in January is nothing
		{-1000, []string{"-1 C100 dec", "-1 C100 jan", "+2 C105 mar"}},               // two calls against two later ones
		{inf, []string{"-1 C100 dec", "-1 C100 jan", "+1 C105 mar"}},                 // and against one
		{-2000, []string{"-1 P100 dec", "+1 P90 dec", "-1 P100 jan", "+1 P90 jan"}},  // two spreads
		{-11000, []string{"-1 P100 dec", "+1 P90 dec", "-1 P100 jan"}},               // a spread and a naked put
		{0, []string{"+300 shares", "-1 C100 dec", "-1 C110 mar"}},                   // more shares than calls
		{-2000, []string{"-1 C100 dec", "-1 C90 jan", "+5 C105 mar"}},                // each call with its own cover
		{-19000, []string{"-1 P100 dec", "-1 P90 jan", "+1 C100 mar"}},               // a call covers no put
		{inf, []string{"-1 C100 dec", "-1 C100 jan", "+2 P100 mar"}},                 // nor a put a call
		{inf, []string{"-1 SPX C100 dec", "-1 SPX C100 jan", "+2 SPX C100 mar"}},     // European
		{-500, []string{"-1 C100 dec", "+1 C90 dec", "-1 C100 jan", "+1 C105 mar"}},  // the later one is left for January
		{-10500, []string{"-1 C100 dec", "-1 P100 jan", "+1 C105 mar"}},              // puts need none of it
		{0, []string{"+1 coins"}}, {inf, []string{"-1 coins"}}, {0, []string{"+50 futures"}}, {inf, []string{"-50 futures", "+100 shares"}},
	} {
		assert.InDelta(t, c.want, leastValue(contracts(t, c.lines...)), 1e-6, "%v", c.lines)
	}
}

// The least value of options of one expiry is what trying prices finds.
func TestTheLeastValueOfOneExpiryIsTheMinimumOverPrices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		for i := range rapid.IntRange(1, 5).Draw(t, "legs") {
			kind := rapid.SampledFrom([]string{"C", "P"}).Draw(t, "kind")
			strike := rapid.IntRange(80, 120).Draw(t, "strike")
			size := rapid.SampledFrom([]int{-3, -2, -1, 1, 2, 3}).Draw(t, fmt.Sprint("size", i))
			lines = append(lines, fmt.Sprintf("%+d %s%d dec", size, kind, strike))
		}
		shares := rapid.SampledFrom([]int{0, 0, 100, -100, 250}).Draw(t, "shares")
		if shares != 0 {
			lines = append(lines, fmt.Sprintf("%+d shares", shares))
		}
		held := contracts(t, lines...)
		value := func(price float64) float64 {
			sum := 0.0
			for _, h := range held {
				size := h.size.InexactFloat64()
				if c, ok := h.symbol.Contract(); ok {
					sum += size * max(float64(c.Kind)*(price-c.Strike), 0)
				} else {
					sum += size * price
				}
			}
			return sum
		}
		least := math.Inf(1)
		for price := 0.0; price <= 130; price++ {
			least = min(least, value(price))
		}
		if value(131) < value(130)-1e-9 {
			least = math.Inf(-1)
		}
		require.InDelta(t, least, leastValue(held), 1e-6, "%v", lines)
	})
}

func TestWhatNothingCoversIsCounted(t *testing.T) {
	for _, c := range []struct {
		want  shortfall
		lines []string
	}{
		{shortfall{}, nil},
		{shortfall{calls: 100}, []string{"-1 C100 dec"}},
		{shortfall{puts: 100}, []string{"-1 P100 dec"}},
		{shortfall{shares: 100}, []string{"-100 shares"}},
		{shortfall{shares: 2}, []string{"-2 coins"}},
		{shortfall{shares: 50}, []string{"-50 futures"}},
		{shortfall{shares: 52}, []string{"-50 futures", "-2 coins", "+1 C100 dec"}},
		{shortfall{}, []string{"-1 C100 dec", "+100 shares"}},
		{shortfall{calls: 50}, []string{"-1 C100 dec", "+50 shares"}},
		{shortfall{}, []string{"-1 C100 dec", "+1 C300 dec"}},
		{shortfall{}, []string{"-1 C100 dec", "+1 C100 mar"}},
		{shortfall{calls: 100}, []string{"-1 C100 mar", "+1 C100 dec"}},
		{shortfall{calls: 100}, []string{"-1 SPX C100 dec", "+1 SPX C100 mar"}},
		{shortfall{calls: 100}, []string{"-1 C100 dec", "+1 P100 dec"}},
		{shortfall{puts: 100}, []string{"-1 P100 dec", "+1 C100 dec", "+100 shares"}},
		{shortfall{shares: 100}, []string{"-1 P100 dec", "-100 shares"}},
		{shortfall{calls: 100}, []string{"-1 C100 dec", "-1 C100 mar", "+1 C100 mar"}},
		{shortfall{calls: 200}, []string{"-1 C100 dec", "-1 C100 mar"}},
		{shortfall{puts: 100}, []string{"-2 P100 dec", "+1 P90 mar"}},
	} {
		assert.Equal(t, c.want, uncovered(contracts(t, c.lines...)), "%v", c.lines)
	}
	small := shortfall{1, 1, 1}
	assert.False(t, small.exceeds(small))
	for _, larger := range []shortfall{{2, 1, 1}, {1, 2, 1}, {1, 1, 2}} {
		assert.True(t, larger.exceeds(small))
		assert.False(t, small.exceeds(larger))
	}
}

func TestAnOrdersLossCountsWhatIsHeldOnlyWhereItCovers(t *testing.T) {
	for _, c := range []struct {
		name  string
		cash  string
		legs  []string
		close bool
		held  [][]string
		want  string // "unbounded", or the amount
	}{
		{"a long call", "-500", []string{"+1 C100 dec"}, false, nil, "500"},
		{"a long call beside shares", "-500", []string{"+1 C100 dec"}, false, [][]string{{"+100 shares"}}, "500"},
		{"a naked put", "300", []string{"-1 P100 dec"}, false, [][]string{nil}, "9700"},
		{"a naked call", "300", []string{"-1 C100 dec"}, false, [][]string{nil}, "unbounded"},
		{"a covered call", "300", []string{"-1 C100 dec"}, false, [][]string{{"+100 shares"}}, "0"},
		{"a call whose cover another order takes", "300", []string{"-1 C100 dec"}, false, [][]string{{"+100 shares"}, {"+100 shares", "-1 C100 dec"}}, "unbounded"},
		{"a call against a held one", "300", []string{"-1 C100 dec"}, false, [][]string{{"+1 C110 dec"}}, "700"},
		{"a spread beside a naked call", "300", []string{"-1 C100 dec", "+1 C110 dec"}, false, [][]string{{"-1 C100 dec"}}, "700"},
		{"closing a short put", "-800", []string{"+1 P100 dec"}, true, [][]string{{"-1 P100 dec"}}, "800"},
		{"closing a long call", "300", []string{"-1 C100 dec"}, true, [][]string{{"+1 C100 dec"}}, "0"},
		{"closing what covers", "300", []string{"-1 C110 dec"}, true, [][]string{{"+1 C110 dec", "-1 C100 dec"}}, "unbounded"},
		{"rolling a put down", "-200", []string{"+1 P100 dec", "-1 P95 mar"}, true, [][]string{{"-1 P100 dec"}}, "200"},
		{"closing beside what has no end", "-200", []string{"+1 C100 dec"}, true, [][]string{{"-2 C100 dec"}}, "200"},
		{"rolling a naked call", "200", []string{"+1 C100 dec", "-1 C110 mar"}, true, [][]string{{"-1 C100 dec"}}, "unbounded"},
		{"two underlyings", "100", []string{"-1 P100 dec", "-1 SPX P50 dec"}, false, [][]string{nil}, "14900"},
	} {
		var views [][]holding
		for _, v := range c.held {
			views = append(views, contracts(t, v...))
		}
		got := orderLoss(decimal.RequireFromString(c.cash), contracts(t, c.legs...), c.close, views)
		assert.Equal(t, c.want, got.String(), c.name)
	}
	assert.Equal(t, "not known", Loss{}.String())
}
