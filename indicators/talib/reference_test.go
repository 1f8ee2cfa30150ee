package talib_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/internal/spec"
	"github.com/ttai-go/ttai/indicators/talib"
	"github.com/ttai-go/ttai/internal/sharedtest"
)

// columnsOf reads a reference series as columns by name.
func columnsOf(t testing.TB, name string) map[string][]float64 {
	t.Helper()
	path := sharedtest.Path(t, "vectors", "ohlcv")
	f, err := os.Open(path + "/" + name + ".csv")
	var r io.Reader = f
	if err != nil {
		f, err = os.Open(path + "/" + name + ".csv.gz")
		require.NoError(t, err)
		r, err = gzip.NewReader(f)
		require.NoError(t, err)
	}
	defer f.Close()
	rows, err := csv.NewReader(r).ReadAll()
	require.NoError(t, err)
	columns := map[string][]float64{}
	for k, name := range []string{"open", "high", "low", "close", "volume"} {
		for _, row := range rows[1:] {
			v, err := strconv.ParseFloat(row[k+1], 64)
			require.NoError(t, err)
			columns[name] = append(columns[name], v)
		}
	}
	for i := range columns["close"] {
		// The inputs of math transforms and of MAVP, as the vectors define them.
		high, low := columns["high"][i], columns["low"][i]
		unit := 0.5
		if high != low {
			unit = min(max((columns["close"][i]-low)/(high-low), 0.01), 0.99)
		}
		columns["unit"] = append(columns["unit"], unit)
		columns["periods"] = append(columns["periods"], float64(2+i%29))
	}
	return columns
}

func inputsOf(columns map[string][]float64, d spec.Indicator, unit bool) [][]float64 {
	var in [][]float64
	for _, name := range d.Inputs {
		if unit {
			name = "unit"
		}
		in = append(in, columns[name])
	}
	return in
}

type record struct {
	Func   string
	Params map[string]float64
	Inputs string
	Beg, N int
	Out    map[string][]any
	Events [][2]int
}

func records(t testing.TB, file string) (list []record) {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "vectors", "talib", file+".jsonl.gz"))
	require.NoError(t, err)
	defer f.Close()
	r, err := gzip.NewReader(f)
	require.NoError(t, err)
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var r record
			require.NoError(t, json.Unmarshal(line, &r))
			list = append(list, r)
		}
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return list
		}
	}
}

func paramsOf(t testing.TB, d spec.Indicator, given map[string]float64, unstable float64) []float64 {
	params := make([]float64, len(d.Params))
	known := 0
	for i, p := range d.Params {
		params[i] = p.Default
		if v, ok := given[p.Name]; ok {
			params[i] = v
			known++
		}
		if p.Name == "UnstablePeriod" {
			params[i] = unstable
		}
	}
	require.Equal(t, len(given), known, "%s has not all of %v", d.Name, given)
	return params
}

// toleranceOf is the relative agreement to be had: TA-Lib's own error is up to
// 1e-6 where it keeps running sums of squares.
func toleranceOf(name string) float64 {
	switch name {
	case "STDDEV", "VAR", "BBANDS", "CORREL", "BETA":
		return 1e-6
	}
	return 1e-9
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		switch strings.ToLower(v) {
		case "inf", "+inf":
			return math.Inf(1)
		case "-inf":
			return math.Inf(-1)
		}
	}
	return math.NaN()
}

func TestEveryValueOfTALibIsReproduced(t *testing.T) {
	for _, file := range []struct {
		name, series string
		unstable     float64
	}{{"spy502", "spy502", 0}, {"btc1246", "btc1246", 0}, {"spy502_unstable30", "spy502", 30}} {
		columns := columnsOf(t, file.series)
		seen := 0
		for _, r := range records(t, file.name) {
			if r.Out == nil || strings.HasPrefix(r.Func, "CDL") {
				continue
			}
			seen++
			d, ok := talib.Lookup(r.Func)
			if !ok {
				t.Errorf("%s is missing", r.Func)
				continue
			}
			params := paramsOf(t, d, r.Params, file.unstable)
			got, err := d.Batch(nil, inputsOf(columns, d, r.Inputs == "unit"), params)
			require.NoError(t, err)
			for k, out := range d.Outputs {
				compare(t, file.name+" "+r.Func, out.Name, r, got[k])
			}
			s, err := d.Stream(params)
			require.NoError(t, err)
			if s.Warmup() != r.Beg {
				t.Errorf("%s %s %v: warm-up %d, want %d", file.name, r.Func, r.Params, s.Warmup(), r.Beg)
			}
		}
		require.GreaterOrEqual(t, seen, 100, file.name)
	}
}

func compare(t *testing.T, where, output string, r record, got []float64) {
	want, ok := r.Out[output]
	if !ok {
		t.Errorf("%s has no output %s", where, output)
		return
	}
	scale := 0.0
	for _, v := range want {
		if v := math.Abs(number(v)); v > scale && !math.IsInf(v, 0) {
			scale = v
		}
	}
	for i, v := range got {
		if i < r.Beg {
			if !math.IsNaN(v) {
				t.Errorf("%s %v %s: value %v at bar %d before the first, %d", where, r.Params, output, v, i, r.Beg)
				return
			}
			continue
		}
		w := number(want[i-r.Beg])
		if math.IsNaN(w) && math.IsNaN(v) || w == v {
			continue
		}
		e := math.Abs(v - w)
		// Values near zero are differences of larger ones.
		if !(e <= toleranceOf(r.Func)*max(math.Abs(w), 1e-3*scale)) {
			t.Errorf("%s %v %s: bar %d is %v, want %v (relative %.2g)", where, r.Params, output, i, v, w, e/math.Abs(w))
			return
		}
	}
}

func TestEveryCandlestickEventOfTALibIsReproduced(t *testing.T) {
	// Package candles has the longest series, all patterns in one pass.
	for _, file := range []string{"spy502", "btc1246", "spx5285", "candlezoo"} {
		columns := columnsOf(t, file)
		seen := 0
		for _, r := range records(t, file) {
			if !strings.HasPrefix(r.Func, "CDL") {
				continue
			}
			seen++
			d, ok := talib.Lookup(r.Func)
			require.True(t, ok, r.Func)
			got, err := d.Batch(nil, inputsOf(columns, d, false), paramsOf(t, d, r.Params, 0))
			require.NoError(t, err)
			want := make([]float64, r.Beg+r.N)
			for i := range r.Beg {
				want[i] = math.NaN()
			}
			for _, e := range r.Events {
				want[e[0]] = float64(e[1])
			}
			require.Len(t, got[0], len(want))
			wrong, first := 0, -1
			for i := range want {
				if got[0][i] != want[i] && !(math.IsNaN(got[0][i]) && math.IsNaN(want[i])) {
					if wrong++; first < 0 {
						first = i
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%s %s: %d bars differ (%d events), first %d: %v, want %v", file, r.Func, wrong, len(r.Events), first, got[0][first], want[first])
			}
		}
		require.Equal(t, 61, seen, file)
	}
}
