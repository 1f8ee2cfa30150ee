package market_test

import (
	"bufio"
	"compress/gzip"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	. "github.com/ttai-go/ttai/market"
)

func readChain(t *testing.T, text string, opts *CSVOptions) *ChainFile {
	t.Helper()
	file, err := ReadChain(strings.NewReader(text), opts)
	require.NoError(t, err)
	return file
}

func openChain(t *testing.T, name string, opts *CSVOptions) *ChainFile {
	t.Helper()
	file, err := OpenChain(sharedtest.Path(t, "data", "options", name), opts)
	require.NoError(t, err)
	return file
}

// The same contract, however a file writes it.
func TestReadChainFindsTheContractOfEveryHabit(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		opts *CSVOptions
	}{
		"compact OCC symbol":         {"quote_date,contractSymbol,bid,ask\n2026-09-16,SPY261218P00500500,1,2\n", nil},
		"padded OCC symbol":          {"quote_date,symbol,bid,ask\n2026-09-16,SPY   261218P00500500,1,2\n", nil},
		"symbol and columns":         {"quotedate,underlying,optionroot,type,expiration,strike,bid,ask\n09/16/2026,SPY,SPY261218P00500500,put,12/18/2026,500.50,1,2\n", nil},
		"symbol under another name":  {"date,symbol,expiration,strike,type,bid,ask\n2026-09-16,SPY261218P00500500,2026-12-18 16:00:00,500.5,put,1,2\n", nil},
		"columns with an underlying": {"date,ticker,expiry,strike,right,bid,ask\n2026-09-16,SPY,2026-12-18,500.5,P,1,2\n", nil},
		"columns with a root":        {"date,underlying_symbol,root,expiry,strike,cp,last_bid_price,last_ask_price\n2026/9/16,^SPY,SPY,2026/12/18,500.5,p,1,2\n", nil},
		"symbol from the options":    {"time,right,expiry,strike,bid,ask\n2026-09-16 16:00,Put,20261218.0,500.5,1,2\n", &CSVOptions{Symbol: "spy"}},
		"one underlying of several":  {"date,ticker,expiry,strike,right,bid,ask\n2026-09-16,QQQ,2026-12-18,500.5,P,3,4\n2026-09-16,SPY,2026-12-18,500.5,P,1,2\n", &CSVOptions{Symbol: "SPY"}},
		"columns by map":             {"wann,was,geld,brief\n2026-09-16,SPY261218P00500500,1,2\n", &CSVOptions{Map: map[string]string{"wann": "time", "was": "symbol", "geld": "bid", "brief": "ask"}}},
	} {
		t.Run(name, func(t *testing.T) {
			file := readChain(t, row.text, row.opts)
			require.Len(t, file.Quotes, 1)
			q := file.Quotes[0]
			assert.Equal(t, Symbol("SPY   261218P00500500"), q.Symbol)
			assert.Equal(t, Symbol("SPY"), q.Underlying)
			assert.Equal(t, "SPY", q.Root)
			assert.Equal(t, Put, q.Kind)
			assert.Equal(t, 500.5, q.Strike)
			assert.Equal(t, date(t, "2026-12-18"), q.Expiration)
			assert.Equal(t, American, q.Style)
			assert.Equal(t, SettledPM, q.Settlement)
			assert.Equal(t, 100.0, q.Multiplier)
			assert.Equal(t, at(t, "2026-09-16 16:00"), q.Time)
			assert.Equal(t, 1.5, q.Mid())
			for _, unknown := range []float64{q.Last, q.Volume, q.OpenInterest, q.IV, q.Delta, q.Gamma, q.Theta, q.Vega, q.Rho, q.Spot, q.BidSize, q.AskSize} {
				assert.True(t, math.IsNaN(unknown))
			}
		})
	}
}

func TestReadChainKnowsWhatIndexOptionsAre(t *testing.T) {
	for root, want := range map[string]struct {
		expiry     string
		underlying Symbol
		style      ExerciseStyle
		settlement Settlement
	}{
		"SPX":   {"2026-12-18", "SPX", European, SettledAM},
		"SPXW":  {"2026-12-18", "SPX", European, SettledPM},
		"NDXP":  {"2026-12-14", "NDX", European, SettledPM},
		"VIXW":  {"2026-12-16", "VIX", European, SettledAM},
		"OEX":   {"2026-12-18", "OEX", American, SettledPM},
		"BRKB":  {"2026-12-18", "BRK/B", American, SettledPM},
		"AAPL1": {"2026-12-18", "AAPL", American, SettledPM},
	} {
		q := readChain(t, "date,root,expiry,strike,type,bid\n2026-09-16,"+root+","+want.expiry+",50,C,1\n", nil).Quotes[0]
		assert.Equal(t, want.underlying, q.Underlying, root)
		assert.Equal(t, want.style, q.Style, root)
		assert.Equal(t, want.settlement, q.Settlement, root)
		assert.Equal(t, root == "AAPL1", math.IsNaN(q.Multiplier), root)
	}
	// Files write weeklies under the standard root; those settle at the close.
	weekly := readChain(t, "date,root,expiry,strike,type,bid\n2026-09-16,SPX,2026-12-11,50,C,1\n", nil).Quotes[0]
	assert.Equal(t, SettledPM, weekly.Settlement)
}

func TestReadChainKeepsUnknownApartFromZero(t *testing.T) {
	q := readChain(t, "date,contract,bid,ask,last,volume,oi,iv,delta,gamma,theta,vega,rho,spot\n"+
		"2026-09-16,SPY261218C00500000,0,0.05,0,0,0,0.00001,0,0,0,0,0,0\n", nil).Quotes[0]
	assert.Equal(t, []float64{0, 0.05, 0, 0}, []float64{q.Bid, q.Ask, q.Volume, q.OpenInterest})
	for _, x := range []float64{q.Last, q.IV, q.Delta, q.Gamma, q.Theta, q.Vega, q.Rho, q.Spot} {
		assert.True(t, math.IsNaN(x))
	}
}

// Vega of a real row against Black-Scholes per 1.00 of volatility,
// S·φ(d1)·√T with r = q = 0: files state it per point.
func TestReadChainStatesVegaPerWholeUnitAndThetaPerDay(t *testing.T) {
	n := 0
	for _, q := range openChain(t, "spy_sparse_2021h1.csv.gz", nil).Quotes {
		years := float64(DateOf(q.Time).DaysUntil(q.Expiration)) / 365
		if years < 0.02 || !(q.IV > 0.05) {
			continue
		}
		n++
		sqrtT := math.Sqrt(years)
		d1 := (math.Log(q.Spot/q.Strike) + q.IV*q.IV/2*years) / (q.IV * sqrtT)
		density := math.Exp(-d1*d1/2) / math.Sqrt(2*math.Pi)
		assert.InEpsilon(t, q.Spot*density*sqrtT, q.Vega, 0.03, q.Symbol)
		assert.InEpsilon(t, -q.Spot*density*q.IV/2/sqrtT/365, q.Theta, 0.2, q.Symbol)
	}
	assert.Greater(t, n, 1000)
}

func TestReadChainTakesTheUnderlyingsRowForItsPrice(t *testing.T) {
	file := readChain(t, "file_date,expiry,strike,right,close\n2026-09-21,,,,501.5\n2026-09-21,20261218,500,C,12\n2026-09-22,20261218,500,C,13\n", &CSVOptions{Symbol: "SPY"})
	require.Len(t, file.Quotes, 2)
	assert.Equal(t, 501.5, file.Quotes[0].Spot)
	assert.Equal(t, 12.0, file.Quotes[0].Last)
	assert.True(t, math.IsNaN(file.Quotes[1].Spot), "a price of another day is not used")
	// A file made before Monday's opening holds Friday's close.
	assert.Equal(t, at(t, "2026-09-18 16:00"), file.Quotes[0].Time)
}

func TestReadChainTakesBarsAsKnownAtTheirEnd(t *testing.T) {
	text := "time,right,expiry,strike,bid,ask\n2014-06-06 15:00,C,2014-06-06,490,1,2\n"
	start := readChain(t, text, &CSVOptions{Symbol: "AAPL"})
	assert.Equal(t, at(t, "2014-06-06 15:00"), start.Quotes[0].Time)
	end := readChain(t, text, &CSVOptions{Symbol: "AAPL", Interval: Hour})
	assert.Equal(t, at(t, "2014-06-06 16:00"), end.Quotes[0].Time)
}

func TestReadChainNamesTheLineOfABadRow(t *testing.T) {
	head := "date,contract,expiry,strike,type,bid,ask,iv\n2026-09-16,SPY261218C00500000,2026-12-18,500,C,1,2,0.2\n"
	for row, want := range map[string]struct{ field, allowed string }{
		"x,SPY261218C00510000,2026-12-18,510,C,1,2,0.2":           {"line 3, date", "a time such as"},
		"2026-09-16,SPY261218C00510000,soon,510,C,1,2,0.2":        {"line 3, expiry", "a date"},
		"2026-09-16,SPY261218C00510000,2026-12-18,,C,1,2,0.2":     {"line 3, strike", "a price above 0"},
		"2026-09-16,SPY261218C00510000,2026-12-18,-5,C,1,2,0.2":   {"line 3, strike", "a price above 0"},
		"2026-09-16,SPY261218C00510000,2026-12-18,510,X,1,2,0.2":  {"line 3, type", "C, P, call or put"},
		"2026-09-16,SPY261218C00510000,2026-12-18,515,C,1,2,0.2":  {"line 3, strike", "the contract of its symbol, a call at 510"},
		"2026-09-16,SPY261218C00510000,2026-12-18,510,P,1,2,0.2":  {"line 3, strike", "the contract of its symbol"},
		"2026-09-16,SPY261218C00510000,2026-11-18,510,C,1,2,0.2":  {"line 3, expiry", "2026-12-18"},
		"2026-09-16,SPY261218C00510000,2026-12-18,510,C,x,2,0.2":  {"line 3, bid", "a number of at least 0"},
		"2026-09-16,SPY261218C00510000,2026-12-18,510,C,1,-2,0.2": {"line 3, ask", "a number of at least 0"},
		"2026-09-16,SPY261218C00510000,2026-12-18,510,C,1":        {"line 3, row", "8 fields"},
		"2026-09-16,SPY261218C00500000,2026-12-18,500,C,1,3,0.2":  {"line 3, row", "line 2 has the same with other values"},
	} {
		t.Run(row, func(t *testing.T) {
			_, err := ReadChain(strings.NewReader(head+row+"\n"), nil)
			field := fieldError(t, err)
			assert.Equal(t, want.field, field.Field)
			assert.Contains(t, field.Allowed, want.allowed)
			file := readChain(t, head+row+"\n", &CSVOptions{BadRows: SkipBadRows})
			assert.Len(t, file.Quotes, 1)
			require.Len(t, file.Problems, 1)
			assert.Equal(t, 3, file.Problems[0].Line)
			assert.True(t, file.Problems[0].Dropped)
		})
	}
}

func TestReadChainRefusesARowWithoutItsOnlyName(t *testing.T) {
	_, err := ReadChain(strings.NewReader("date,contract,ask\n2026-09-16,,1\n"), nil)
	assert.Equal(t, "line 2, contract", fieldError(t, err).Field)
}

func TestReadChainLosesOnlyTheFieldWhenAGreekCannotBeRead(t *testing.T) {
	file := readChain(t, "date,contract,bid,ask,iv,rho\n2026-09-16,SPY261218C00500000,1,2,0.2,-0.1.2\n", nil)
	require.Len(t, file.Quotes, 1)
	assert.True(t, math.IsNaN(file.Quotes[0].Rho))
	assert.Equal(t, 0.2, file.Quotes[0].IV)
	assert.Equal(t, []RowProblem{{Line: 2, Field: "rho", Value: "-0.1.2", Reason: "not a number: taken as not known"}}, file.Problems)
}

func TestReadChainRefusesWhatIsNoChain(t *testing.T) {
	for name, row := range map[string]struct {
		text  string
		opts  *CSVOptions
		field string
	}{
		"bars":               {threeDays, nil, "header"},
		"an underlying list": {"ticker,quote_date,close\nAAPL,2025-11-24,275.92\n", nil, "header"},
		"volatilities":       {"quote_date,expiry,dte,atm_iv\n2017-01-03,2017-01-11,8,0.1\n", nil, "header"},
		"no quote time":      {"expiry,strike,type,bid\n2026-12-18,500,C,1\n", nil, "header"},
		"nothing quoted":     {"date,expiry,strike,type\n2026-09-16,2026-12-18,500,C\n", nil, "header"},
		"JSON":               {`{"optionChain": {}}`, nil, "file"},
		"empty":              {"", nil, "file"},
		"another underlying": {"date,contract,bid\n2026-09-16,SPY261218C00500000,1\n", &CSVOptions{Symbol: "QQQ"}, "symbol"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadChain(strings.NewReader(row.text), row.opts)
			assert.Equal(t, row.field, fieldError(t, err).Field, err)
		})
	}
	_, err := ReadChain(strings.NewReader("date,contract,bid\n"), nil)
	assert.ErrorIs(t, err, ErrNoData)
}

// Every chain file of the reference data loads without any option: each row is
// a quote, the underlying's own or an exact repetition.
func TestEveryChainFileLoadsAsItIs(t *testing.T) {
	entries, err := os.ReadDir(sharedtest.Path(t, "data", "options"))
	require.NoError(t, err)
	noChain := map[string]string{
		"optionstratlib_sp500_20241018.json": "file", "yahoo_rest_options_AAPL.json.gz": "file", "yahoo_rest_options_ABBV.json.gz": "file",
		"yahoo_rest_options_EBAY.json.gz": "file", "spx_atmiv_skew25_20170103_20170531.csv.gz": "header", "yahoo_chain_underlying.csv": "header",
	}
	loaded := 0
	for _, entry := range entries {
		if tooLarge(t, entry) {
			continue
		}
		t.Run(entry.Name(), func(t *testing.T) {
			file, err := OpenChain(sharedtest.Path(t, "data", "options", entry.Name()), nil)
			if field, ok := noChain[entry.Name()]; ok {
				assert.Equal(t, field, fieldError(t, err).Field)
				return
			}
			require.NoError(t, err)
			loaded++
			rows, own := countLines(t, "options", entry.Name())
			repeated := 0
			for _, p := range file.Problems {
				if p.Dropped {
					require.Contains(t, p.Reason, "repeats line")
					repeated++
				}
			}
			assert.Equal(t, rows-own-repeated, len(file.Quotes))
			for i := range file.Quotes {
				q := &file.Quotes[i]
				if (q.Kind != Call && q.Kind != Put) || !(q.Strike > 0) || q.Expiration.IsZero() || q.Time.IsZero() || i > 0 && q.Time.Before(file.Quotes[i-1].Time) {
					t.Fatalf("quote %d: %+v", i, *q)
				}
			}
		})
	}
	if !raced {
		assert.Equal(t, 25, loaded)
	}
}

// countLines returns how many rows a file of the reference data has under its
// header, and how many of them are the underlying's own: a date and nothing else
// in the first four columns.
func countLines(t *testing.T, elem ...string) (rows, own int) {
	file, err := os.Open(sharedtest.Path(t, append([]string{"data"}, elem...)...))
	require.NoError(t, err)
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(file.Name(), ".gz") {
		r, err = gzip.NewReader(file)
		require.NoError(t, err)
	}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		rows++
		if line := lines.Text(); len(line) > 14 && line[10:14] == ",,,," {
			own++
		}
	}
	require.NoError(t, lines.Err())
	return rows - 1, own
}

func TestFullIndexChainHasBothRoots(t *testing.T) {
	roots := map[string]int{}
	for _, q := range openChain(t, "spx_fullchain_20170103.csv.gz", nil).Quotes {
		roots[q.Root]++
		require.Equal(t, Symbol("SPX"), q.Underlying)
		require.Equal(t, 2257.83, q.Spot)
		require.Equal(t, q.Root == "SPX", q.Settlement == SettledAM)
	}
	assert.Equal(t, map[string]int{"SPX": 2890, "SPXW": 3482}, roots) // rows of the file by its root column
}

// The first row of the file: AAPL251128C00110000,call,2025-11-28,110.0,…,
// 166.22,165.0,167.25,6.0,8.0,3.728516,1,275.920013
func TestYahooChainHoldsWhatTheFileSays(t *testing.T) {
	q := openChain(t, "yahoo_chain_aapl_20251124_20251205.csv.gz", nil).Quotes[0]
	assert.Equal(t, Symbol("AAPL  251128C00110000"), q.Symbol)
	assert.Equal(t, []float64{110, 165, 167.25, 166.22, 6, 8, 3.728516, 275.920013}, []float64{q.Strike, q.Bid, q.Ask, q.Last, q.Volume, q.OpenInterest, q.IV, q.Spot})
	assert.Equal(t, at(t, "2025-11-24 16:00"), q.Time)
}
