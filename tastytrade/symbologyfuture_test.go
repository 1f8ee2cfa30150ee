package tastytrade_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/tastytrade"
)

// Pairs printed in the broker's documentation and seen in its answers, with the
// exchange where the symbol does not say it.
var documentedPairs = []struct{ broker, streamer, near string }{
	{"/ESM6", "/ESM26:XCME", "2026-06-01"},
	{"/ESH7", "/ESH27:XCME", "2026-06-01"},
	{"/LEQ6", "/LEQ26:XCME", "2026-06-01"},
	{"/GCZ5", "/GCZ25:XCEC", "2025-06-01"},
	{"/6BZ5", "/6BZ25:XCME", "2025-06-01"},
	{"/RBN5", "/RBN25:XNYM", "2025-06-01"},
	{"/GEM0", "/GEM30:XCME", "2026-06-01"},
	{"/VXX22", "/VXX22:XCBF", "2022-06-01"},
	{"/2YYU6", "/2YYU26:XCBT", "2026-06-01"},
	{"./ESZ6 ESZ6  261218C100", "./ESZ26C100:XCME", ""},
	{"./ESU6 E1AN6 260706C6260", "./E1AN26C6260:XCME", ""},
	{"./ESZ6 EW3U6 260918P9100", "./EW3U26P9100:XCME", ""},
	{"./ESU6 E4AM6 260622P6490", "./E4AM26P6490:XCME", ""},
	{"./GCZ5 OGX5  251028P2040", "./OGX25P2040:XCEC", ""},
	{"./ZBU5 OZBN5 250620C142.5", "./OZBN25C142.5:XCBT", ""},
	{"./MNQZ5MNQZ5 251219P11000", "./MNQZ25P11000:XCME", ""},
	{"./ESU4 EW3N4 240719C4400", "./EW3N24C4400:XCME", ""},
}

func TestFuturesAndTheirOptionsBothWays(t *testing.T) {
	for _, p := range documentedPairs {
		_, exchange, _ := strings.Cut(p.streamer, ":")
		if strings.HasPrefix(p.broker, "./") {
			o, err := tastytrade.ParseFutureOption(p.broker)
			require.NoError(t, err, p.broker)
			assert.Empty(t, o.Streamer(), "the exchange is not known")
			o.Exchange = exchange
			assert.Equal(t, p.streamer, o.Streamer())
			assert.Equal(t, p.broker, o.String())
			s, err := tastytrade.ParseFutureOptionStreamer(p.streamer, o.Expiration)
			require.NoError(t, err)
			assert.Equal(t, p.streamer, s.String())
			assert.Equal(t, o.Year, s.Year)
			assert.Equal(t, tastytrade.TypeFutureOption, tastytrade.InstrumentTypeOf(p.broker))
			continue
		}
		near, err := tastytrade.ParseDate(p.near)
		require.NoError(t, err)
		f, err := tastytrade.ParseFuture(p.broker, near)
		require.NoError(t, err, p.broker)
		f.Exchange = exchange
		assert.Equal(t, p.streamer, f.Streamer())
		assert.Equal(t, p.broker, f.String())
		s, err := tastytrade.ParseFuture(p.streamer, near)
		require.NoError(t, err)
		assert.Equal(t, f.Year, s.Year)
		if len(p.broker) < 6 || p.broker != "/VXX22" { // the streamer does not say how many digits the broker writes
			assert.Equal(t, p.broker, s.String())
		}
		assert.Equal(t, tastytrade.TypeFuture, tastytrade.InstrumentTypeOf(p.broker))
	}
	o, err := tastytrade.ParseFutureOption("./ESU6 E1AN6 260706C6260")
	require.NoError(t, err)
	assert.Equal(t, "/ESU6 E1A 2026 7 2026-07-06 6260", o.Future.String()+" "+o.Root+" 2026 7 "+o.Expiration.String()+" "+o.Strike.String())
	assert.Equal(t, 2026, o.Future.Year)
}

func TestWhatIsNoFutureIsRefused(t *testing.T) {
	for _, s := range []string{"", "/", "/ES", "/ESA6", "ESZ6", "/ESZ", "/ESZ6:", "/ESZ6:XCME", "/esz6", "/ESZ123", "//ESZ6", "/TOOLONGXZ6"} {
		_, err := tastytrade.ParseFuture(s, september16)
		assert.Error(t, err, s)
	}
	for _, s := range []string{"", "./ESZ6 ESZ6  261218C", "./ESZ6 ESZ6 261218C100", "/ESZ6 ESZ6  261218C100", "./ESZ6 ESZ6  261318C100", "./ESZ6 ESZ6  261218X100", "./ESZ6 ESZ6  261218C100.50", "./ESZ6 ESZ6  261218C0100", ".ESZ6  ESZ6  261218C100"} {
		_, err := tastytrade.ParseFutureOption(s)
		assert.Error(t, err, s)
	}
	_, err := tastytrade.ParseFutureOptionStreamer("./ESZ26C100", september16)
	require.Error(t, err)
	for symbol, want := range map[string]tastytrade.InstrumentType{
		"AAPL": tastytrade.TypeEquity, "BRK/B": tastytrade.TypeEquity, "AAM/U": tastytrade.TypeEquity, "BTC/USD": tastytrade.TypeCryptocurrency,
		"SPY   261218C00500000": tastytrade.TypeEquityOption, ".SPY261218C500": tastytrade.TypeUnknown, "": tastytrade.TypeUnknown, "BTC/USD:CXTALP": tastytrade.TypeUnknown,
	} {
		assert.Equal(t, want, tastytrade.InstrumentTypeOf(symbol), symbol)
	}
	for _, s := range []tastytrade.EquityOptionSymbol{{}, {Root: "SPY", Expiration: september16, Strike: d("1.0001")}, {Root: "spy", Expiration: september16, Strike: d("1")}, {Root: "SPY", Expiration: september16, Strike: d("100000")}, {Root: "SPY", Strike: d("1")}} {
		assert.Error(t, s.Validate())
	}
	assert.NoError(t, tastytrade.EquityOptionSymbol{Root: "SPY", Expiration: september16, Strike: d("0.005")}.Validate())
}

// pairsIn gathers every symbol that stands beside a streamer's symbol.
func pairsIn(v any, add func(symbol, streamer string)) {
	switch v := v.(type) {
	case map[string]any:
		text := func(key string) string { s, _ := v[key].(string); return s }
		add(text("symbol"), text("streamer-symbol"))
		add(text("call"), text("call-streamer-symbol"))
		add(text("put"), text("put-streamer-symbol"))
		for _, inner := range v {
			pairsIn(inner, add)
		}
	case []any:
		for _, inner := range v {
			pairsIn(inner, add)
		}
	}
}

// Every pair in the broker's recorded answers, by rule alone: the index knows
// the exchanges and no pair.
func TestTheBrokersOwnPairsFollowTheRules(t *testing.T) {
	pairs := map[string]string{}
	add := func(symbol, streamer string) {
		if symbol != "" && streamer != "" {
			pairs[symbol] = streamer
		}
	}
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "payloads", "rest"), "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var v any
		require.NoError(t, json.Unmarshal(data, &v))
		pairsIn(v, add)
	}
	f, err := os.Open(sharedtest.Path(t, "data", "rest", "tt_tastygo_test_bodies.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v any
		require.NoError(t, json.Unmarshal(lines.Bytes(), &v))
		pairsIn(v, add)
	}
	assert.Greater(t, len(pairs), 70, "pairs in the answers")
	year := map[bool]tastytrade.Date{true: {Year: 2023, Month: 6, Day: 1}, false: {Year: 2026, Month: 8, Day: 1}}
	for symbol, streamer := range pairs {
		x := tastytrade.NewSymbolIndex(year[strings.Contains(streamer, "23:")])
		for product, exchange := range map[string]string{"ES": "XCME", "LE": "XCME"} {
			x.AddExchange(product, exchange)
		}
		got, ok := x.Streamer(symbol)
		assert.True(t, ok, symbol)
		assert.Equal(t, streamer, got)
		back, ok := x.Broker(streamer)
		if strings.HasPrefix(symbol, "./") {
			assert.False(t, ok, "the streamer's symbol says too little")
			x.Add(symbol, streamer)
			back, ok = x.Broker(streamer)
		}
		assert.True(t, ok, streamer)
		assert.Equal(t, symbol, back)
	}
}

func TestAnIndexLearnsFromChains(t *testing.T) {
	x := tastytrade.NewSymbolIndex(september16)
	chain := decode[tastytrade.FuturesChain](t, `{"futures":[{"symbol":"/ESZ6","streamer-symbol":"/ESZ26:XCME"}],"option-chains":[{"expirations":[{"strikes":[
		{"strike-price":"100","call":"./ESZ6 ESZ6  261218C100","call-streamer-symbol":"./ESZ26C100:XCME","put":"./ESZ6 ESZ6  261218P100"}]}]}]}`)
	x.AddFuturesChain(&chain)
	equity := decode[tastytrade.NestedChain](t, `{"underlying-symbol":"A","expirations":[{"expiration-date":"2026-09-18","strikes":[{"strike-price":"5","call":"A     260918C00005000","call-streamer-symbol":".A260918C5"}]}]}`)
	x.AddChain(&equity)
	assert.Equal(t, 3, x.Len(), "the put has no streamer's symbol")
	got, ok := x.Broker("./ESZ26C100:XCME")
	assert.True(t, ok)
	assert.Equal(t, "./ESZ6 ESZ6  261218C100", got)
	got, ok = x.Streamer("./ESZ6 ESZ6  261218P100")
	assert.True(t, ok, "the exchange was learnt")
	assert.Equal(t, "./ESZ26P100:XCME", got)
	got, _ = x.Streamer("/ESH7")
	assert.Equal(t, "/ESH27:XCME", got)
	_, ok = x.Streamer("/NQZ6")
	assert.False(t, ok, "nothing is known of the product")
	for streamer, broker := range map[string]string{"BTC/USD:CXTALP": "BTC/USD", "BRK/B": "BRK/B", ".A1260918C5.5": "A1    260918C00005500"} {
		got, ok := x.Broker(streamer)
		assert.True(t, ok)
		assert.Equal(t, broker, got)
	}
	_, ok = new(tastytrade.SymbolIndex).Broker("")
	assert.False(t, ok)
}

// FuzzSymbols checks that parsing never panics, and that what is read is
// written back, both ways.
func FuzzSymbols(f *testing.F) {
	for _, p := range documentedPairs {
		f.Add(p.broker)
		f.Add(p.streamer)
	}
	for _, s := range []string{"SPY   261218C00500000", ".SPY261218C500", "AAPL1 240119P00022500", "BTC/USD", "BTC/USD:CXTALP", "BRK/B"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, symbol string) {
		if s, err := tastytrade.ParseFuture(symbol, september16); err == nil {
			if s.Exchange != "" {
				require.Equal(t, symbol, s.Streamer()) // its two digits say more than the broker's one
			} else {
				require.Equal(t, symbol, s.String())
			}
		}
		if s, err := tastytrade.ParseFutureOption(symbol); err == nil {
			require.Equal(t, symbol, s.String())
			s.Exchange = "XCME"
			back, err := tastytrade.ParseFutureOptionStreamer(s.Streamer(), s.Expiration)
			require.NoError(t, err)
			require.Equal(t, s.Streamer(), back.String())
			require.Equal(t, s.Year, back.Year)
		}
		if s, err := tastytrade.ParseFutureOptionStreamer(symbol, september16); err == nil {
			require.Equal(t, symbol, s.String())
		}
		if s, err := tastytrade.ParseEquityOption(symbol); err == nil {
			require.NoError(t, s.Validate())
			for _, form := range []string{s.String(), s.Streamer()} {
				back, err := tastytrade.ParseEquityOption(form)
				require.NoError(t, err)
				require.Equal(t, s.String(), back.String())
			}
		}
		x := tastytrade.NewSymbolIndex(september16)
		if streamer, ok := x.Streamer(symbol); ok {
			back, ok := x.Broker(streamer)
			require.True(t, ok, "%q %q", symbol, streamer)
			require.Equal(t, symbol, back)
		}
		x.Add(symbol, "x:"+symbol)
		_ = tastytrade.InstrumentTypeOf(symbol)
	})
}
