package tastytrade

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/occ"
)

// An EquityOptionSymbol is the content of an option's symbol.
type EquityOptionSymbol struct {
	Root       string // "SPY", "SPXW", "BRKB", adjusted "AAPL1"
	Expiration Date
	Put        bool
	Strike     decimal.Decimal // three decimals at most
}

// ParseEquityOption reads the broker's symbol of an equity option, which is
// that of the OCC, "SPY   261218C00500000", with or without the padding, or the
// streamer's, ".SPY261218C500".
func ParseEquityOption(symbol string) (EquityOptionSymbol, error) {
	parse := occ.Parse
	if strings.HasPrefix(symbol, ".") {
		parse = occ.ParseStreamer
	}
	o, err := parse(symbol)
	if err != nil {
		return EquityOptionSymbol{}, invalid.Field("symbol", symbol, "an equity option such as \"SPY   261218C00500000\" or .SPY261218C500")
	}
	return EquityOptionSymbol{Root: o.Root, Expiration: o.Expiration, Put: o.Put, Strike: decimal.New(o.StrikeMils, -3)}, nil
}

// Validate checks that the content has a symbol: a root of one to six capital
// letters and digits, a real day of this century and a strike of at most five
// places before the point and three after it.
func (s EquityOptionSymbol) Validate() error {
	mils := s.Strike.Shift(3)
	if !mils.IsInteger() || !mils.IsPositive() || mils.GreaterThan(decimal.NewFromInt(99_999_999)) {
		return invalid.Field("Strike", s.Strike, "a positive number below 100000 with at most three decimals")
	}
	if o, err := occ.Parse(s.String()); err != nil || o != s.option() {
		return invalid.Field("EquityOptionSymbol", s.Root+" "+s.Expiration.String(), "a root of one to six capital letters and digits, and a day from 2000 to 2099")
	}
	return nil
}

// String returns the broker's symbol: 21 characters. What Validate refuses has
// no meaningful one.
func (s EquityOptionSymbol) String() string { return s.option().String() }

// Streamer returns the streamer's symbol.
func (s EquityOptionSymbol) Streamer() string { return s.option().Streamer() }

func (s EquityOptionSymbol) option() occ.Option {
	return occ.Option{Root: s.Root, Expiration: s.Expiration, Put: s.Put, StrikeMils: s.Strike.Shift(3).IntPart()}
}

// OptionRoot returns the root that the options of an underlying have: "BRKB"
// for "BRK/B". Indexes can have further roots, such as SPXW.
func OptionRoot(underlying string) string { return strings.ReplaceAll(underlying, "/", "") }

// InstrumentTypeOf tells the kind of instrument from the form of the broker's
// symbol: what begins with a slash is a future, with "./" a future's option,
// what has the OCC's 21 characters an equity option, a pair of which the second
// part has three letters or more a cryptocurrency, and any other plain symbol
// an equity. It returns TypeUnknown for what is none of these, such as the
// streamer's symbols of options.
func InstrumentTypeOf(symbol string) InstrumentType {
	for _, t := range []InstrumentType{TypeFutureOption, TypeFuture, TypeEquityOption} {
		if _, ok := symbolFits(t, symbol); ok {
			return t
		}
	}
	if _, ok := symbolFits(TypeEquity, symbol); !ok {
		return TypeUnknown
	}
	if _, class, found := strings.Cut(symbol, "/"); found && len(class) >= 3 {
		return TypeCryptocurrency
	}
	return TypeEquity
}

// cryptoVenue is what the streamer puts behind pairs of cryptocurrencies.
const cryptoVenue = ":CXTALP"

// CryptocurrencyStreamer returns the streamer's symbol of a pair: BTC/USD:CXTALP
// for BTC/USD. One that has a venue stays as it is.
func CryptocurrencyStreamer(symbol string) string {
	if strings.Contains(symbol, ":") {
		return symbol
	}
	return symbol + cryptoVenue
}

// CryptocurrencySymbol is the opposite of [CryptocurrencyStreamer].
func CryptocurrencySymbol(streamer string) string {
	symbol, _, _ := strings.Cut(streamer, ":")
	return symbol
}
