package levels_test

import (
	"bytes"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/chart"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

var update = flag.Bool("update", false, "write the pictures and the list of kinds of docs/levels.md again")

const pages = "../docs"

// meanings say what each kind is, in the order of the page.
var meanings = []struct {
	heading string
	kinds   []levels.Kind
	text    string
}{
	{"Swing highs and lows", []levels.Kind{levels.KindSwingHigh, levels.KindSwingLow}, "A bar whose high (low) no bar within `Left` before and `Right` after exceeds: a fractal. Known `Right` bars later. ZigZag turns by per cent, by average true range and by standard deviation are `levels.ZigZag` and its options."},
	{"Zones", []levels.Kind{levels.KindZone}, "Several swings, highs or lows, within a band whose width is a multiple of the average true range."},
	{"Pivot points", []levels.Kind{levels.KindPivot, levels.KindPivotResistance, levels.KindPivotSupport}, "Arithmetic on the high, low and close of the last day, week or month: standard, Fibonacci, Camarilla, Woodie and DeMark."},
	{"Fibonacci ratios", []levels.Kind{levels.KindFibonacci, levels.KindFibonacciCluster}, "Retracements and extensions of the last leg between confirmed swings, and bands where ratios of several legs fall together."},
	{"Volume profile", []levels.Kind{levels.KindPOC, levels.KindValueAreaHigh, levels.KindValueAreaLow, levels.KindHighVolumeNode, levels.KindLowVolumeNode, levels.KindNakedPOC}, "Volume by price, each bar's spread over its range: the price with the most, the ends of the range with 70 % of it, peaks and troughs, and the points of control of past sessions that have not been traded at since."},
	{"Market profile", []levels.Kind{levels.KindTPOPOC, levels.KindTPOValueAreaHigh, levels.KindTPOValueAreaLow, levels.KindInitialBalanceHigh, levels.KindInitialBalanceLow, levels.KindSinglePrint, levels.KindPoorHigh, levels.KindPoorLow}, "Time by price, in brackets of half an hour: the same three prices, the first hour's range, prices that one bracket alone saw, and session ends that several brackets reached."},
	{"VWAP", []levels.Kind{levels.KindVWAP, levels.KindVWAPBand}, "The volume-weighted average price of the session, or since an anchor, and one to three standard deviations from it. They move with every bar."},
	{"Earlier days, weeks and months", []levels.Kind{levels.KindPriorHigh, levels.KindPriorLow, levels.KindPriorClose}, "High, low and close of the last finished day, week, month, quarter and year."},
	{"Overnight and opening ranges", []levels.Kind{levels.KindOvernightHigh, levels.KindOvernightLow, levels.KindOpeningRangeHigh, levels.KindOpeningRangeLow}, "What traded between the last regular close and the opening, and in the session's first 5 to 60 minutes."},
	{"Gaps", []levels.Kind{levels.KindGap, levels.KindFairValueGap}, "Prices that no bar traded between two sessions, and prices that only the middle one of three bars traded, with the share of them that price has come back through."},
	{"Structure", []levels.Kind{levels.KindBreakOfStructure, levels.KindChangeOfCharacter, levels.KindOrderBlock, levels.KindLiquidity}, "A swing that a bar has closed beyond, with the trend or against it; the last opposite bar before that; and swings of one side at nearly one price."},
	{"Round numbers", []levels.Kind{levels.KindRound}, "Multiples of a step that suits the price: 1 at 95, 10 at 450, 100 at 5,200, and the ten times rounder ones."},
	{"Trend lines and channels", []levels.Kind{levels.KindTrendLine, levels.KindChannelHigh, levels.KindChannelLow}, "A robust line through the last swings of one side, and two parallels around the last swings. They move with every bar; the pictures show them as they stand at the last."},
	{"Option levels", []levels.Kind{levels.KindCallWall, levels.KindPutWall, levels.KindZeroGamma, levels.KindMaxPain, levels.KindExpectedMoveHigh, levels.KindExpectedMoveLow}, "Prices that follow from a chain, passed in as `levels.OptionLevels`: the strikes with the most call and put gamma, where dealers' gamma changes its sign, where options lose the most, and the market's move of one standard deviation."},
}

// halfHours makes bars of half an hour, 4:00 to 20:00, of a market with quiet
// nights, trending days and gaps.
func halfHours(days int) market.Series {
	r := rand.New(rand.NewPCG(21, 5))
	price, drift := 100.0, 0.0
	var bars []market.Bar
	for n, session := range market.NYSE().Sessions(market.Date{Year: 2024, Month: 1, Day: 2}, market.Date{Year: 2025, Month: 12, Day: 31})[:days] {
		if n%5 == 0 {
			drift = 0.0006 * r.NormFloat64()
		}
		price = math.Round(price*(1+0.006*r.NormFloat64())*100) / 100
		for at := session.PreOpen; at.Before(session.PostClose); at = at.Add(30 * time.Minute) {
			size, volume := 0.0006, 500.0
			if !at.Before(session.Open) && at.Before(session.Close) {
				size, volume = 0.0016, 20_000
			}
			b := market.Bar{Time: at, Open: price, High: price, Low: price, Volume: math.Round(volume * (0.5 + r.Float64()))}
			for range 4 {
				price = math.Round(price*(1+drift/4+size*r.NormFloat64())*100) / 100
				b.High, b.Low = max(b.High, price), min(b.Low, price)
			}
			b.Close = price
			bars = append(bars, b)
		}
	}
	return market.NewSeries("EXAMPLE", market.Minute30, bars)
}

// days makes daily bars of the regular hours of s.
func days(s market.Series) market.Series {
	calendar := market.NYSE()
	var bars []market.Bar
	for i := range s.Time {
		date := market.DateOf(s.Time[i].In(calendar.Location()))
		session, _ := calendar.Session(date)
		if s.Time[i].Before(session.Open) || !s.Time[i].Before(session.Close) {
			continue
		}
		at := date.In(calendar.Location())
		if len(bars) == 0 || !bars[len(bars)-1].Time.Equal(at) {
			bars = append(bars, market.Bar{Time: at, Open: s.Open[i], High: s.High[i], Low: s.Low[i]})
		}
		b := &bars[len(bars)-1]
		b.High, b.Low, b.Close, b.Volume = max(b.High, s.High[i]), min(b.Low, s.Low[i]), s.Close[i], b.Volume+s.Volume[i]
	}
	return market.NewSeries("EXAMPLE", market.Day, bars)
}

const shownBars = 44

// picture is the newest bars at which the kind has a level near the price.
func picture(t *testing.T, kind levels.Kind, minutes, daily market.Series) []byte {
	intraday := slices.Contains([]levels.Kind{
		levels.KindTPOPOC, levels.KindTPOValueAreaHigh, levels.KindTPOValueAreaLow, levels.KindInitialBalanceHigh, levels.KindInitialBalanceLow,
		levels.KindSinglePrint, levels.KindPoorHigh, levels.KindPoorLow, levels.KindNakedPOC, levels.KindOvernightHigh, levels.KindOvernightLow,
		levels.KindOpeningRangeHigh, levels.KindOpeningRangeLow, levels.KindVWAP, levels.KindVWAPBand,
	}, kind)
	s := daily
	if intraday {
		s = minutes
	}
	options := levels.Options{Kinds: []levels.Kind{kind}, Interval: s.Interval}
	e, err := levels.NewEngine(&options)
	require.NoError(t, err)
	var best []levels.Level
	end := 0
	values := map[string]map[int]float64{} // of what moves, by source and bar
	for i := range s.Time {
		require.NoError(t, e.Update(s.Bar(i)))
		if i == s.Len()-20 {
			price := s.Close[i]
			require.NoError(t, e.Add("a chain", levels.OptionLevels{
				At: s.Time[i], CallWall: price * 1.04, PutWall: price * 0.95, ZeroGamma: price * 0.985, MaxPain: price * 1.01, ExpectedLow: price * 0.97, ExpectedHigh: price * 1.03,
			}.Levels()))
		}
		if i < shownBars {
			continue
		}
		low, high := s.Low[i-shownBars+1], s.High[i-shownBars+1]
		for k := i - shownBars + 2; k <= i; k++ {
			low, high = min(low, s.Low[k]), max(high, s.High[k])
		}
		var seen []levels.Level
		margin := (high - low) / 5
		for _, l := range e.Levels(nil) {
			fresh := s.Time[i-shownBars+1].Before(l.Confirmed) || l.Kind.Moves()
			if l.Kind == kind && fresh && (l.Slope != 0 || l.Low >= low-margin && l.High <= high+margin) {
				seen = append(seen, l)
			}
			if l.Kind.Moves() {
				if values[l.Source] == nil {
					values[l.Source] = map[int]float64{}
				}
				values[l.Source][i] = l.Price
			}
		}
		slices.SortStableFunc(seen, func(a, b levels.Level) int {
			x, y := math.Abs(a.Distance(s.Close[i])), math.Abs(b.Distance(s.Close[i]))
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
		seen = seen[:min(3, len(seen))]
		if len(seen) > 0 && len(seen) >= min(2, len(best)) {
			best, end = seen, i
		}
	}
	require.NotEmpty(t, best, kind)
	pane := chart.Pane{}
	for i := end - shownBars + 1; i <= end; i++ {
		pane.Candles = append(pane.Candles, s.Bar(i))
	}
	for _, l := range best {
		if l.Kind.Moves() {
			line := chart.Line{Name: string(l.Kind)}
			for i := end - shownBars + 1; i <= end; i++ {
				value, known := values[l.Source][i]
				switch {
				case s.Time[i].Before(l.Born), l.Slope == 0 && !known:
					value = math.NaN()
				case l.Slope != 0:
					value = l.Price - l.Slope*float64(end-i)
				}
				line.Values = append(line.Values, value)
			}
			pane.Lines = append(pane.Lines, line)
			continue
		}
		pane.Levels = append(pane.Levels, chart.Mark{Name: string(l.Kind), Price: l.Price, Low: l.Low, High: l.High})
	}
	var out bytes.Buffer
	c := chart.Chart{Title: strings.ToUpper(string(kind[:1])) + string(kind[1:]), Width: 640, Height: 260, Panes: []chart.Pane{pane}, Location: market.NYSE().Location()}
	require.NoError(t, c.SVG(&out))
	return out.Bytes()
}

func fileOf(kind levels.Kind) string {
	return "levels/" + strings.ReplaceAll(strings.ToLower(string(kind)), " ", "-") + ".svg"
}

func TestTheDocumentationShowsEveryKindAsTheCodeDrawsIt(t *testing.T) {
	minutes := halfHours(130)
	daily := days(minutes)
	var list strings.Builder
	var listed []levels.Kind
	for _, m := range meanings {
		list.WriteString("### " + m.heading + "\n\n" + m.text + "\n\n")
		for _, kind := range m.kinds {
			listed = append(listed, kind)
			drawn := picture(t, kind, minutes, daily)
			assert.Less(t, len(drawn), 12_000, "%s: pictures are kept small", kind)
			path := filepath.Join(pages, filepath.FromSlash(fileOf(kind)))
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, drawn, 0o644))
			}
			there, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(there), string(drawn), "%s differs: go test ./levels -run Documentation -update", path)
			list.WriteString("`" + string(kind) + "`\n\n![" + string(kind) + "](" + fileOf(kind) + ")\n\n")
		}
	}
	assert.ElementsMatch(t, levels.Kinds(), listed)

	path := filepath.Join(pages, "levels.md")
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	const begin, end = "<!-- kinds:begin -->\n", "<!-- kinds:end -->"
	from, to := strings.Index(string(page), begin), strings.Index(string(page), end)
	require.True(t, from >= 0 && to > from)
	want := string(page[:from+len(begin)]) + "\n" + list.String() + string(page[to:])
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(page), "the list of kinds differs: go test ./levels -run Documentation -update")
}
