package alpaca

import (
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/occ"
	"github.com/ttai-go/ttai/market"
)

// wireSymbol is Alpaca's name of a symbol: options compact, share classes with a
// dot, crypto as it is.
func wireSymbol(s market.Symbol) string {
	switch s.Kind() {
	case market.KindOption:
		return strings.ReplaceAll(string(s), " ", "")
	case market.KindCrypto:
		return string(s)
	}
	return strings.ReplaceAll(string(s), "/", ".")
}

// symbolOf is Alpaca's symbol in the form of this module. The class tells crypto
// pairs, which positions write without the slash.
func symbolOf(wire, class string) market.Symbol {
	if _, err := occ.Parse(wire); err == nil {
		s, _ := market.ParseSymbol(wire)
		return s
	}
	if class == "crypto" && !strings.Contains(wire, "/") && strings.HasSuffix(wire, "USD") && len(wire) > 3 {
		return market.Symbol(strings.TrimSuffix(wire, "USD") + "/USD")
	}
	if !strings.Contains(wire, "/") {
		wire = strings.ReplaceAll(wire, ".", "/")
	}
	if s, err := market.ParseSymbol(wire); err == nil {
		return s
	}
	return market.Symbol(wire)
}

// underlyingOf is what a symbol is an option on, and otherwise the symbol itself.
func underlyingOf(s market.Symbol) market.Symbol {
	if c, ok := s.Contract(); ok {
		return c.Underlying()
	}
	return s
}

// family tells which routes of market data know a symbol.
func family(s market.Symbol) (Market, bool) {
	switch s.Kind() {
	case market.KindEquity:
		return StockMarket, true
	case market.KindOption:
		return OptionMarket, true
	case market.KindCrypto:
		return CryptoMarket, true
	}
	return 0, false
}

func checkSymbols(symbols []market.Symbol) error {
	if len(symbols) == 0 {
		return invalid.Missing("symbols", "at least one symbol")
	}
	for _, s := range symbols {
		if err := checkSymbol("symbols", s); err != nil {
			return err
		}
	}
	return nil
}

func checkSymbol(field string, symbol market.Symbol) error {
	if parsed, err := market.ParseSymbol(string(symbol)); err != nil || parsed != symbol {
		return invalid.Field(field, string(symbol), "a symbol as market.ParseSymbol returns it")
	}
	return nil
}

// missing returns a MissingError, nil when there is nothing missing.
func missing(symbols []market.Symbol, why error) error {
	if len(symbols) == 0 {
		return nil
	}
	return &market.MissingError{Symbols: symbols, Err: why}
}
