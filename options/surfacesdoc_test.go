package options_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/options"
)

var updateSurfaces = flag.Bool("update-surfaces", false, "write surfaces.md as the code gives it")

const surfacesHead = `# Surfaces on recorded chains

What [NewSurface](surface.go) makes of real quotes, dirty as they are. Errors are differences between the smile and the quotes' mid volatilities, in
volatility points; "inside" is the share of quotes whose bid-ask the smile lies within; "repaired" counts smiles whose best fit had arbitrage and was
replaced. Butterfly is the least value of Durrleman's function over all expiries (negative would be arbitrage), calendar the largest crossing of two
expiries in points (0 is none), both up to eight deviations from the forward. Quotes are those out of the money with a bid, within 12 deviations of the forward. SSVI is one surface of three
parameters, SVI five for each expiry.

The test TestSurfacesDocIsCurrent writes this file with the flag -update-surfaces.

| chain | model | expiries | quotes | median error | median of rms | worst expiry's median | inside | repaired | butterfly | calendar |
|---|---|---|---|---|---|---|---|---|---|---|
`

// The figures of surfaces.md are those of the code.
func TestSurfacesDocIsCurrent(t *testing.T) {
	skipUnderRace(t)
	var b strings.Builder
	b.WriteString(surfacesHead)
	row := func(name string, c *options.Chain) {
		for _, joint := range []bool{false, true} {
			s, err := options.NewSurface(c, &options.SurfaceOptions{Joint: joint})
			require.NoError(t, err)
			quotes, repaired, inside, butterfly, calendar := 0, 0, 0.0, 1.0, 0.0
			var medians, rms []float64
			for _, slice := range s.Slices {
				f := slice.Fit
				quotes += f.Quotes
				inside += f.Inside * float64(f.Quotes)
				butterfly, calendar = min(butterfly, f.Butterfly), max(calendar, f.Calendar)
				medians, rms = append(medians, f.Median), append(rms, f.RMS)
				if f.Repaired {
					repaired++
				}
			}
			slices.Sort(medians)
			slices.Sort(rms)
			n, model := len(medians), "SVI"
			if joint {
				model, repaired = "SSVI", 0
			}
			assert.GreaterOrEqual(t, butterfly, 0.0, name)
			assert.Zero(t, calendar, name)
			fmt.Fprintf(&b, "| %s | %s | %d | %d | %.2f | %.2f | %.2f | %.0f %% | %d | %.3f | %.2f |\n", name, model, n, quotes,
				100*medians[n/2], 100*rms[n/2], 100*medians[n-1], 100*inside/float64(quotes), repaired, butterfly, 100*calendar)
		}
	}
	row("SPX and SPXW, 2017-01-03", spxChain(t))
	for _, ticker := range []string{"aapl", "jpm", "meta", "nvda", "tsm"} {
		row(strings.ToUpper(ticker)+", 2025-12-04", yahooChain(t, ticker, "2025-12-04"))
	}
	if *updateSurfaces {
		require.NoError(t, os.WriteFile("surfaces.md", []byte(b.String()), 0o644))
	}
	have, err := os.ReadFile("surfaces.md")
	require.NoError(t, err)
	// The search for the best fit magnifies the last digits of a price, which
	// differ between machines: figures may move a little, words may not.
	want, got := strings.Fields(b.String()), strings.Fields(string(have))
	require.Equal(t, len(want), len(got), "run the test with -update-surfaces")
	for i := range want {
		x, err := strconv.ParseFloat(want[i], 64)
		y, other := strconv.ParseFloat(got[i], 64)
		if err != nil || other != nil {
			require.Equal(t, want[i], got[i], "run the test with -update-surfaces")
			continue
		}
		most := 0.05 * (1 + math.Abs(x))
		if !strings.Contains(want[i], ".") { // a count or a percentage
			most = 1 + 0.02*x
		}
		require.InDelta(t, x, y, most, "run the test with -update-surfaces")
	}
}
