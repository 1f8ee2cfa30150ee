package market

import (
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/occ"
)

// A Symbol names an instrument the way tastytrade does: "SPY", "BRK/B", "SPX",
// "/ESZ6", "BTC/USD", and option contracts by their OCC symbol of 21
// characters, "SPY   261218C00500000". Make one from what a person typed with
// [ParseSymbol].
type Symbol string

// An InstrumentKind is a class of instruments. It is an open set: a source may
// return others.
type InstrumentKind string

// The kinds of instruments.
const (
	KindEquity       InstrumentKind = "equity" // shares, ETFs and indices
	KindOption       InstrumentKind = "option" // on equities and indices
	KindFuture       InstrumentKind = "future"
	KindFutureOption InstrumentKind = "future option"
	KindCrypto       InstrumentKind = "crypto"
)

// A Contract is what an OCC option symbol says.
type Contract struct {
	Root       string // "SPXW"; adjusted contracts carry a digit: "AAPL1"
	Expiration Date
	Kind       OptionKind
	Strike     float64
}

// ParseSymbol reads a symbol as people and programs write it: surrounding
// space and lower case are allowed, and options may be padded OCC
// ("SPY   261218C00500000"), compact OCC ("SPY261218C00500000") or in
// streamer form (".SPY261218C500"). The result is the normal form.
func ParseSymbol(s string) (Symbol, error) {
	text := strings.ToUpper(strings.TrimSpace(s))
	if text == "" {
		return "", invalid.Missing("symbol", "a symbol such as SPY, BRK/B, /ESZ6, BTC/USD or SPY 261218C00500000")
	}
	if len(text) > 32 {
		return "", invalid.Field("symbol", s, "at most 32 characters")
	}
	if option, err := parseOption(text); err == nil {
		return Symbol(option.String()), nil
	}
	if !plainSymbol(text) {
		return "", invalid.Field("symbol", s, "letters, digits and . / -, or an OCC option symbol such as SPY 261218C00500000")
	}
	return Symbol(text), nil
}

// NewOptionSymbol returns the OCC symbol of a contract. The strike is rounded
// to a tenth of a cent.
func NewOptionSymbol(c Contract) (Symbol, error) {
	switch {
	case c.Kind != Call && c.Kind != Put:
		return "", invalid.Field("kind", int8(c.Kind), "call or put")
	case !(c.Strike > 0) || c.Strike >= 100_000:
		return "", invalid.Field("strike", c.Strike, "a price above 0 and below 100000")
	case c.Expiration.Year < 2000 || c.Expiration.Year > 2099:
		return "", invalid.Field("expiration", c.Expiration.String(), "a date from 2000 to 2099")
	}
	option := occ.Option{Root: c.Root, Expiration: c.Expiration, Put: c.Kind == Put, StrikeMils: int64(c.Strike*1000 + 0.5)}
	symbol := option.String()
	if _, err := occ.Parse(symbol); err != nil {
		return "", invalid.Field("root", c.Root, "one to six letters or digits")
	}
	return Symbol(symbol), nil
}

// Contract returns what an OCC option symbol says; ok is false for every other symbol.
func (s Symbol) Contract() (c Contract, ok bool) {
	o, err := occ.Parse(string(s))
	if err != nil {
		return Contract{}, false
	}
	kind := Call
	if o.Put {
		kind = Put
	}
	return Contract{Root: o.Root, Expiration: o.Expiration, Kind: kind, Strike: o.Strike()}, true
}

// Kind tells the class of instrument from the form of the symbol alone.
func (s Symbol) Kind() InstrumentKind {
	switch {
	case strings.HasPrefix(string(s), "./"):
		return KindFutureOption
	case strings.HasPrefix(string(s), "/"):
		return KindFuture
	case strings.HasSuffix(string(s), "/USD"):
		return KindCrypto
	}
	if _, err := occ.Parse(string(s)); err == nil {
		return KindOption
	}
	return KindEquity
}

// parseOption reads the padded, compact and streamer forms of an option symbol.
func parseOption(text string) (occ.Option, error) {
	if strings.HasPrefix(text, ".") && !strings.HasPrefix(text, "./") {
		return occ.ParseStreamer(text)
	}
	fields := strings.Fields(text)
	if len(fields) == 2 {
		text = fields[0] + fields[1]
	}
	return occ.Parse(text)
}

func plainSymbol(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("./-:^$ ", rune(c)) {
			return false
		}
	}
	return true
}
