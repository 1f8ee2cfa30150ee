package levels

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

var newYork = market.NYSE().Location()

// sessions returns the starts of n daily bars from 2020-01-02 on.
func sessions(n int) []time.Time {
	var days []time.Time
	for _, s := range market.NYSE().Sessions(market.Date{Year: 2020, Month: 1, Day: 2}, market.Date{Year: 2029, Month: 12, Day: 31}) {
		if len(days) == n {
			break
		}
		days = append(days, s.Date.In(newYork))
	}
	return days
}

// walk is a random walk of n daily bars; coarse prices repeat, so that ties occur.
func walk(seed uint64, n int, step float64) market.Series {
	r := rand.New(rand.NewPCG(seed, 7))
	bars := make([]market.Bar, n)
	price := 100.0
	days := sessions(n)
	for i := range bars {
		open := price
		path := []float64{open}
		for range 4 {
			price = max(20, price+step*math.Round(2*r.NormFloat64()))
			path = append(path, price)
		}
		high, low := path[0], path[0]
		for _, x := range path {
			high, low = max(high, x), min(low, x)
		}
		bars[i] = market.Bar{Time: days[i], Open: open, High: high, Low: low, Close: price, Volume: float64(1000 + r.IntN(9000))}
	}
	return market.NewSeries("TEST", market.Day, bars)
}

// transform maps every price of s and swaps highs and lows when the map descends.
func transform(s market.Series, f func(float64) float64) market.Series {
	bars := make([]market.Bar, s.Len())
	for i := range bars {
		b := s.Bar(i)
		b.Open, b.High, b.Low, b.Close = f(b.Open), f(b.High), f(b.Low), f(b.Close)
		if b.High < b.Low {
			b.High, b.Low = b.Low, b.High
		}
		bars[i] = b
	}
	return market.NewSeries(s.Symbol, s.Interval, bars)
}

// rows reads a CSV file of the reference data, gzip or not, without its header.
func rows(t testing.TB, elem ...string) [][]string {
	t.Helper()
	all, err := csv.NewReader(open(t, elem...)).ReadAll()
	require.NoError(t, err)
	return all[1:]
}

func open(t testing.TB, elem ...string) io.Reader {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, elem...))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	if !strings.HasSuffix(f.Name(), ".gz") {
		return f
	}
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	return z
}

func decode(t testing.TB, out any, elem ...string) {
	t.Helper()
	require.NoError(t, json.NewDecoder(open(t, elem...)).Decode(out))
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	if s == "" {
		return math.NaN()
	}
	x, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return x
}

// series reads time,open,high,low,close,volume.
func series(t testing.TB, layout string, interval market.Interval, rows [][]string) market.Series {
	t.Helper()
	bars := make([]market.Bar, len(rows))
	for i, r := range rows {
		at, err := time.ParseInLocation(layout, r[0], newYork)
		require.NoError(t, err)
		bars[i] = market.Bar{Time: at, Open: number(t, r[1]), High: number(t, r[2]), Low: number(t, r[3]), Close: number(t, r[4]), Volume: number(t, r[5])}
	}
	return market.NewSeries("TEST", interval, bars)
}

func spy502(t testing.TB) market.Series {
	all := rows(t, "vectors", "ohlcv", "spy502.csv")
	layout := time.DateOnly
	if len(all[0][0]) > len(layout) {
		layout = "2006-01-02T15:04:05"[:len(all[0][0])]
	}
	return series(t, layout, market.Day, all)
}
