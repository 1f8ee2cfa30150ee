package levels

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

// A calibrationFile is bars to fit to, or to be tried on. No symbol, and no two
// names of one thing such as SPY and the index, is in both groups.
type calibrationFile struct {
	group    byte // A: fitted to; B: held out
	symbol   market.Symbol
	interval market.Interval
	path     string
	pick     market.Symbol // in a file with several
	splits   string        // file of split factors
}

func calibrationFiles() []calibrationFile {
	return []calibrationFile{
		{'A', "SPX", market.Day, "daily/skender_spx.csv.gz", "", ""},
		{'A', "IBM", market.Day, "daily/lean_ibm_raw.csv.gz", "", "daily/lean_ibm_factors.csv"},
		{'A', "AAPL", market.Day, "daily/lean_aapl_raw.csv.gz", "", "daily/lean_aapl_factors.csv"},
		{'A', "ORCL", market.Day, "daily/backtrader_orcl_1995_2014.csv.gz", "", ""},
		{'A', "CAT", market.Day, "daily/djia_cat_2006_2018.csv.gz", "", ""},
		{'A', "JPM", market.Day, "daily/djia_jpm_2006_2018.csv.gz", "", ""},
		{'A', "USO", market.Day, "daily/lean_uso_raw.csv.gz", "", "daily/lean_uso_factors.csv"},
		{'A', "SPY", market.Hour, "intraday/lean_spy_hour_raw.csv.gz", "", ""},
		{'A', "SPY", market.Minute, "intraday/lean_spy_1min_20131004_20131011.csv.gz", "", ""},
		{'A', "SPX", market.Minute, "intraday/mplfinance_sp500_1min_20191105_08.csv.gz", "", ""},
		{'A', "SPY", market.Minute, "intraday/skender_spy_1min_20201215_18.csv.gz", "", ""},
		{'A', "SPY", market.Minute, "intraday/lean_spy_1min_20230803.csv.gz", "", ""},
		{'A', "AAPL", market.Hour, "intraday/hourly_2023_multi_public.csv.gz", "AAPL", ""},
		{'A', "JPM", market.Hour, "intraday/hourly_2023_multi_public.csv.gz", "JPM", ""},

		{'B', "MSFT", market.Day, "daily/skender_msft.csv.gz", "", ""},
		{'B', "YHOO", market.Day, "daily/backtrader_yhoo_1996_2015.csv.gz", "", ""},
		{'B', "GE", market.Day, "daily/djia_ge_2006_2018.csv.gz", "", ""},
		{'B', "BAC", market.Day, "daily/lean_bac_raw.csv.gz", "", "daily/lean_bac_factors.csv"},
		{'B', "AIG", market.Day, "daily/lean_aig_raw.csv.gz", "", "daily/lean_aig_factors.csv"},
		{'B', "GOOG", market.Day, "daily/lean_goog_raw.csv.gz", "", "daily/lean_goog_factors.csv"},
		{'B', "KO", market.Day, "daily/zipline_ko_2012_2014.csv.gz", "", ""},
		{'B', "TSLA", market.Day, "daily/plotly_tsla_2015_2018.csv.gz", "", ""},
		{'B', "TLT", market.Day, "daily/lumibot_tlt_2019.csv.gz", "", ""},
		{'B', "NVDA", market.Hour, "intraday/hourly_2023_multi_public.csv.gz", "NVDA", ""},
		{'B', "TSLA", market.Hour, "intraday/hourly_2023_multi_public.csv.gz", "TSLA", ""},
		{'B', "GOOG", market.Minute, "intraday/lean_goog_1min_20151223_24half_28.csv.gz", "", ""},
		{'B', "NVDA", market.Minute, "intraday/optopsymcp_nvda_1min_20240528_20240620_split.csv.gz", "", ""},
	}
}

// calibrationSplit is the time that parts what is fitted from what is tried.
// Bars of minutes are too few before 2010.
func calibrationSplit(span barSpan) time.Time {
	if span == spanMinute {
		return time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
}

// read returns the series, adjusted for splits.
func (f calibrationFile) read(t testing.TB) market.Series {
	t.Helper()
	file, err := market.OpenBars(sharedtest.Path(t, append([]string{"data"}, strings.Split(f.path, "/")...)...), &market.CSVOptions{Symbol: f.pick, BadRows: market.SkipBadRows})
	require.NoError(t, err, f.path)
	require.NotEmpty(t, file.Bars, f.path)
	bars := file.Bars
	if f.splits != "" {
		// Rows: last date that the factors apply to, dividends' factor, splits' factor, price.
		r, err := os.Open(sharedtest.Path(t, append([]string{"data"}, strings.Split(f.splits, "/")...)...))
		require.NoError(t, err)
		defer r.Close()
		reader := csv.NewReader(r)
		reader.FieldsPerRecord = -1
		all, err := reader.ReadAll()
		require.NoError(t, err)
		k := 0
		for i := range bars {
			date := bars[i].Time.Format("20060102")
			for k < len(all)-1 && all[k][0] < date {
				k++
			}
			factor, err := strconv.ParseFloat(all[k][2], 64)
			require.NoError(t, err)
			bars[i].Open, bars[i].High, bars[i].Low, bars[i].Close = bars[i].Open*factor, bars[i].High*factor, bars[i].Low*factor, bars[i].Close*factor
			bars[i].Volume /= factor
		}
	}
	if f.symbol == "GOOG" && f.interval == market.Day {
		// Each share became two on 3 April 2014; the file of factors lacks it.
		for i := range bars {
			if bars[i].Time.Format(time.DateOnly) < "2014-04-03" {
				bars[i].Open, bars[i].High, bars[i].Low, bars[i].Close = bars[i].Open/2, bars[i].High/2, bars[i].Low/2, bars[i].Close/2
				bars[i].Volume *= 2
			}
		}
	}
	s := market.NewSeries(f.symbol, f.interval, bars)
	return s
}
