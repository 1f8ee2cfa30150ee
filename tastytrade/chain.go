package tastytrade

import (
	"context"
	"iter"

	"github.com/shopspring/decimal"
)

// A NestedChain is all options of one root of an underlying. An underlying can
// have several: SPX and SPXW, or an adjusted root.
type NestedChain struct {
	Object
	UnderlyingSymbol  string             `json:"underlying-symbol"`
	RootSymbol        string             `json:"root-symbol"`
	OptionChainType   string             `json:"option-chain-type"` // "Standard" or "Non-Standard"
	SharesPerContract *int               `json:"shares-per-contract"`
	TickSizes         []TickSize         `json:"tick-sizes"`
	Deliverables      []Deliverable      `json:"deliverables"`
	Expirations       []NestedExpiration `json:"expirations"`
}

var nestedChainCodec = codecFor[NestedChain]()

// UnmarshalJSON keeps the JSON; see [Object].
func (n *NestedChain) UnmarshalJSON(data []byte) error { return nestedChainCodec.unmarshal(data, n) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (n NestedChain) MarshalJSON() ([]byte, error) { return nestedChainCodec.marshal(n) }

// A NestedExpiration is one expiration of a [NestedChain]. Two can share a date
// when one settles in the morning.
type NestedExpiration struct {
	Object
	ExpirationDate   Date           `json:"expiration-date" need:"true"`
	DaysToExpiration *int           `json:"days-to-expiration"`
	ExpirationType   ExpirationType `json:"expiration-type"`
	SettlementType   SettlementType `json:"settlement-type"`
	Strikes          []Strike       `json:"strikes"`
}

var nestedExpirationCodec = codecFor[NestedExpiration]()

// UnmarshalJSON keeps the JSON; see [Object].
func (n *NestedExpiration) UnmarshalJSON(data []byte) error {
	return nestedExpirationCodec.unmarshal(data, n)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (n NestedExpiration) MarshalJSON() ([]byte, error) { return nestedExpirationCodec.marshal(n) }

// A Strike is the call and the put of one strike price.
type Strike struct {
	Object
	Price              decimal.Decimal `json:"strike-price" need:"true"`
	Call               string          `json:"call"`                 // OCC symbol
	Put                string          `json:"put"`                  // OCC symbol
	CallStreamerSymbol string          `json:"call-streamer-symbol"` // may be absent
	PutStreamerSymbol  string          `json:"put-streamer-symbol"`  // may be absent
}

var strikeCodec = codecFor[Strike]()

// UnmarshalJSON keeps the JSON; see [Object].
func (s *Strike) UnmarshalJSON(data []byte) error { return strikeCodec.unmarshal(data, s) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (s Strike) MarshalJSON() ([]byte, error) { return strikeCodec.marshal(s) }

// A Deliverable is what an option contract delivers.
type Deliverable struct {
	Object
	ID              ID               `json:"id"`
	RootSymbol      string           `json:"root-symbol"`
	DeliverableType string           `json:"deliverable-type"` // "Shares", "Cash" …
	Description     string           `json:"description"`
	Amount          *decimal.Decimal `json:"amount"`
	Percent         *decimal.Decimal `json:"percent"`
	Symbol          string           `json:"symbol"`
	InstrumentType  InstrumentType   `json:"instrument-type"`
}

var deliverableCodec = codecFor[Deliverable]()

// UnmarshalJSON keeps the JSON; see [Object].
func (d *Deliverable) UnmarshalJSON(data []byte) error { return deliverableCodec.unmarshal(data, d) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (d Deliverable) MarshalJSON() ([]byte, error) { return deliverableCodec.marshal(d) }

// OptionChainsService lists the options of an underlying.
type OptionChainsService struct{ client *Client }

// Nested returns the options of an underlying as chains of expirations of
// strikes, without prices.
//
// GET /option-chains/{underlying}/nested
func (s *OptionChainsService) Nested(ctx context.Context, underlying string) ([]NestedChain, error) {
	out, _, err := many[NestedChain](ctx, s.client, get("/option-chains/{underlying}/nested", underlying), nestedChainCodec)
	return out, err
}

// A CompactChain is the options of one kind of expiration of a root, as symbols
// alone.
type CompactChain struct {
	Object
	UnderlyingSymbol  string         `json:"underlying-symbol"`
	RootSymbol        string         `json:"root-symbol"`
	OptionChainType   string         `json:"option-chain-type"`
	ExpirationType    ExpirationType `json:"expiration-type"`
	SettlementType    SettlementType `json:"settlement-type"`
	SharesPerContract *int           `json:"shares-per-contract"`
	Deliverables      []Deliverable  `json:"deliverables"`
	Symbols           []string       `json:"symbols"`          // OCC symbols
	StreamerSymbols   []string       `json:"streamer-symbols"` // not in step with Symbols when some are missing
}

var compactChainCodec = codecFor[CompactChain]()

// UnmarshalJSON keeps the JSON; see [Object].
func (c *CompactChain) UnmarshalJSON(data []byte) error { return compactChainCodec.unmarshal(data, c) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (c CompactChain) MarshalJSON() ([]byte, error) { return compactChainCodec.marshal(c) }

// Compact returns the options of an underlying as lists of symbols, the
// smallest form of a chain.
//
// GET /option-chains/{underlying}/compact
func (s *OptionChainsService) Compact(ctx context.Context, underlying string) ([]CompactChain, error) {
	out, _, err := many[CompactChain](ctx, s.client, get("/option-chains/{underlying}/compact", underlying), compactChainCodec)
	return out, err
}

const chainRoute = "/option-chains/{underlying}"

// List returns every option of an underlying, each described in full.
//
// GET /option-chains/{underlying}
func (s *OptionChainsService) List(ctx context.Context, underlying string) ([]EquityOption, error) {
	out, _, err := many[EquityOption](ctx, s.client, get(chainRoute, underlying), equityOptionCodec)
	return out, err
}

// All is List one by one, as the answer arrives: it holds one option at a time,
// whatever the size of the answer. An answer that breaks off ends the loop with
// an error after the options that came.
//
// GET /option-chains/{underlying}
func (s *OptionChainsService) All(ctx context.Context, underlying string) iter.Seq2[EquityOption, error] {
	return stream[EquityOption](ctx, s.client, get(chainRoute, underlying), equityOptionCodec)
}
