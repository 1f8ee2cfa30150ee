package market_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/ttai-go/ttai/market"
)

// What ParseSymbol returns is its own normal form.
func FuzzParseSymbol(f *testing.F) {
	for _, seed := range []string{"spy", " BRK/B ", "SPY 261218C00500000", ".SPY261218C500", "./ESZ6 E2AZ6 261218C5000", "/ESZ6", "BTC/USD", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		symbol, err := ParseSymbol(text)
		if err != nil {
			_, ok := errors.AsType[*FieldError](err)
			require.True(t, ok)
			return
		}
		again, err := ParseSymbol(string(symbol))
		require.NoError(t, err)
		require.Equal(t, symbol, again)
		if contract, ok := symbol.Contract(); ok {
			same, err := NewOptionSymbol(contract)
			require.NoError(t, err)
			require.Equal(t, symbol, same)
		}
	})
}

// Whatever the input, bars that are read are in order and possible, and an
// error is of a known kind.
func FuzzReadBars(f *testing.F) {
	f.Add([]byte(threeDays), true)
	f.Add([]byte("time,open,high,low,close\n2026-09-16 09:30,1,1,1,1\n2026-09-16 09:31,1,1,1,1\n"), false)
	f.Add([]byte("t;o;h;l;c;v\n1789565400000;1;2;0.5;1;\n1789565460000;1;2;0.5;1;0\n"), true)
	f.Add([]byte("symbol,date,open,high,low,close\nA,9/14/2026,1,1,1,1\nB,x,1,1,1,1\n"), true)
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1, 0, 0, 0xff, 0xff}, true)
	f.Add([]byte("date,open,high,low,close\n1900-01-01,1,1,1,1\n2199-12-31,1,1,1,1\n\"2"), true)
	f.Fuzz(func(t *testing.T, data []byte, skip bool) {
		opts := &CSVOptions{}
		if skip {
			opts.BadRows = SkipBadRows
		}
		file, err := ReadBars(bytes.NewReader(data), opts)
		if err != nil {
			return
		}
		require.NotEmpty(t, file.Bars)
		_, err = ParseInterval(string(file.Interval))
		require.NoError(t, err)
		for i, b := range file.Bars {
			require.True(t, b.Low > 0 && b.Low <= b.Open && b.Low <= b.Close && b.High >= b.Open && b.High >= b.Close && !math.IsInf(b.High, 0))
			require.True(t, i == 0 || file.Bars[i-1].Time.Before(b.Time))
		}
	})
}

// Whatever the input, quotes that are read name a contract and a time.
func FuzzReadChain(f *testing.F) {
	f.Add([]byte(twoMinutes), true)
	f.Add([]byte("quote_date,contractSymbol,bid,ask\n2026-09-16,SPY261218P00500500,1,2\n"), false)
	f.Add([]byte("file_date,expiry,strike,right,close\n2026-09-21,,,,501.5\n2026-09-21,20261218.0,500,C,12\n"), true)
	f.Add([]byte("date,symbol,bid\n2026-09-16,.SPY261218C500,1\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, skip bool) {
		opts := &CSVOptions{}
		if skip {
			opts.BadRows = SkipBadRows
		}
		file, err := ReadChain(bytes.NewReader(data), opts)
		if err != nil {
			return
		}
		require.NotEmpty(t, file.Quotes)
		for _, q := range file.Quotes {
			require.True(t, q.Kind == Call || q.Kind == Put)
			require.Positive(t, q.Strike)
			require.False(t, q.Time.IsZero() || q.Expiration.IsZero())
			require.False(t, q.Bid < 0 || q.Ask < 0 || q.Last <= 0 || q.IV <= 0)
		}
	})
}
