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

// String returns the broker's symbol: 21 characters.
func (s EquityOptionSymbol) String() string { return s.option().String() }

// Streamer returns the streamer's symbol.
func (s EquityOptionSymbol) Streamer() string { return s.option().Streamer() }

func (s EquityOptionSymbol) option() occ.Option {
	return occ.Option{Root: s.Root, Expiration: s.Expiration, Put: s.Put, StrikeMils: s.Strike.Shift(3).IntPart()}
}

// OptionRoot returns the root that the options of an underlying have: "BRKB"
// for "BRK/B". Indexes can have further roots, such as SPXW.
func OptionRoot(underlying string) string { return strings.ReplaceAll(underlying, "/", "") }
