package options_test

import (
	"encoding/csv"
	"math"
	"os"
	"sort"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/options"
)

// readTable returns the rows of a reference table as maps by column.
func readTable(t testing.TB, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "vectors", "options", name))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.Greater(t, len(rows), 10)
	table := make([]map[string]string, 0, len(rows)-1)
	for _, row := range rows[1:] {
		m := make(map[string]string, len(row))
		for i, v := range row {
			m[rows[0][i]] = v
		}
		table = append(table, m)
	}
	return table
}

func number(t testing.TB, row map[string]string, column string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(row[column], 64)
	require.NoError(t, err, "column %s", column)
	return v
}

const ulp = 0x1p-52

// spread is the distribution of an error over a table.
type spread []float64

func (s spread) at(q float64) float64 {
	sort.Float64s(s)
	return s[int(q*float64(len(s)-1))]
}

func (s spread) log(t testing.TB, what string) {
	t.Logf("%-10s %6d rows: median %.3g, p99 %.3g, max %.3g", what, len(s), s.at(0.5), s.at(0.99), s.at(1))
}

func sign(t testing.TB, row map[string]string) options.Kind {
	if number(t, row, "q") > 0 {
		return options.Call
	}
	return options.Put
}

// The reference volatilities are those of exactly the given doubles, computed
// with 60 digits. An error is counted in units of what a change of the price
// by its last place does (at least one unit of the volatility itself).
func TestImpliedVolIsExactOnTheHardGrid(t *testing.T) {
	var errs spread
	for i, row := range readTable(t, "iv_black_ref.csv") {
		want := number(t, row, "iv")
		got := options.ImpliedVolBlack(sign(t, row), number(t, row, "price"), number(t, row, "F"), number(t, row, "K"), number(t, row, "T"))
		require.False(t, math.IsNaN(got), "row %d %v", i, row)
		e := math.Abs(got/want-1) / ulp / max(1, number(t, row, "cond"))
		if e > 8 {
			t.Logf("row %d %v: %v, %.3g units", i, row, got, e)
		}
		errs = append(errs, e)
	}
	errs.log(t, "iv")
	require.LessOrEqual(t, errs.at(0.99), 2.0)
	require.LessOrEqual(t, errs.at(1), 4.0)
}

// The price is compared relatively, in units of what one unit of the
// volatility does to it (1/cond), which is large in the tails.
func TestPriceKeepsItsDigitsDownTo1e290(t *testing.T) {
	var errs, plain spread
	for _, row := range readTable(t, "iv_black_ref.csv") {
		p := options.BSM{Spot: number(t, row, "F"), Strike: number(t, row, "K"), Years: number(t, row, "T"), Vol: number(t, row, "iv")}
		want := number(t, row, "price")
		e := math.Abs(p.Price(sign(t, row))/want-1) / ulp
		plain = append(plain, e)
		errs = append(errs, e/max(1, 1/number(t, row, "cond")))
	}
	plain.log(t, "ulp")
	errs.log(t, "ulp/cond")
	require.LessOrEqual(t, errs.at(0.99), 2.0)
	require.LessOrEqual(t, errs.at(1), 4.0)
}

var greekColumns = map[string]func(options.Greeks) float64{
	"price": func(g options.Greeks) float64 { return g.Price }, "delta": func(g options.Greeks) float64 { return g.Delta },
	"gamma": func(g options.Greeks) float64 { return g.Gamma }, "vega": func(g options.Greeks) float64 { return g.Vega },
	"theta": func(g options.Greeks) float64 { return g.Theta }, "rho": func(g options.Greeks) float64 { return g.Rho },
	"epsilon": func(g options.Greeks) float64 { return g.RhoYield }, "vanna": func(g options.Greeks) float64 { return g.Vanna },
	"volga": func(g options.Greeks) float64 { return g.Vomma }, "charm": func(g options.Greeks) float64 { return g.Charm },
	"speed": func(g options.Greeks) float64 { return g.Speed }, "zomma": func(g options.Greeks) float64 { return g.Zomma },
	"color": func(g options.Greeks) float64 { return g.Color }, "veta": func(g options.Greeks) float64 { return g.Veta },
	"ultima": func(g options.Greeks) float64 { return g.Ultima }, "dual_delta": func(g options.Greeks) float64 { return g.DualDelta },
	"dual_gamma": func(g options.Greeks) float64 { return g.DualGamma }, "prob_itm": func(g options.Greeks) float64 { return g.ProbITM },
	"prob_touch": func(g options.Greeks) float64 { return g.ProbTouch },
}

func TestGreeksMatchSeventyDigits(t *testing.T) {
	errs := map[string]spread{}
	for i, row := range readTable(t, "bsm_greeks_ref.csv") {
		p := options.BSM{Spot: number(t, row, "S"), Strike: number(t, row, "K"), Years: number(t, row, "T"),
			Rate: number(t, row, "r"), Yield: number(t, row, "div"), Vol: number(t, row, "sigma")}
		k := sign(t, row)
		g := p.Greeks(k)
		require.Equal(t, p.Price(k), g.Price)
		for name, get := range greekColumns {
			want, got := number(t, row, name), get(g)
			// The table differentiates numerically: below 1e-80 it holds
			// leftovers, two negative gammas among them.
			if math.Abs(want) < 1e-75 {
				require.Less(t, math.Abs(got), 1e-70, "row %d %s", i, name)
				continue
			}
			e := math.Abs(got/want - 1)
			assert.LessOrEqual(t, e, 1e-11, "row %d %s: got %v, want %v", i, name, got, want)
			errs[name] = append(errs[name], e)
		}
	}
	for name := range greekColumns {
		errs[name].log(t, name)
		require.LessOrEqual(t, errs[name].at(0.99), 2e-13, name)
	}
}
