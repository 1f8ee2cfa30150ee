package tastytrade

import (
	"context"
	"iter"
	"time"

	"github.com/shopspring/decimal"
)

// A FuturesChain is the futures of a product and the options on them.
type FuturesChain struct {
	Object
	Futures      []ChainFuture        `json:"futures"`
	OptionChains []FuturesOptionChain `json:"option-chains"`
}

var futuresChainCodec = codecFor[FuturesChain]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FuturesChain) UnmarshalJSON(data []byte) error { return futuresChainCodec.unmarshal(data, f) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FuturesChain) MarshalJSON() ([]byte, error) { return futuresChainCodec.marshal(f) }

// A ChainFuture is a future as a [FuturesChain] lists it.
type ChainFuture struct {
	Object
	Symbol           string    `json:"symbol"`
	RootSymbol       string    `json:"root-symbol"`
	StreamerSymbol   string    `json:"streamer-symbol"` // may be absent
	Exchange         string    `json:"exchange"`
	ActiveMonth      bool      `json:"active-month"`
	NextActiveMonth  bool      `json:"next-active-month"`
	DaysToExpiration *int      `json:"days-to-expiration"`
	ExpirationDate   Date      `json:"expiration-date"`
	MaturityDate     Date      `json:"maturity-date"`
	StopsTradingAt   time.Time `json:"stops-trading-at"`
	ExpiresAt        time.Time `json:"expires-at"`
}

var chainFutureCodec = codecFor[ChainFuture]()

// UnmarshalJSON keeps the JSON; see [Object].
func (c *ChainFuture) UnmarshalJSON(data []byte) error { return chainFutureCodec.unmarshal(data, c) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (c ChainFuture) MarshalJSON() ([]byte, error) { return chainFutureCodec.marshal(c) }

// A FuturesOptionChain is all options on the futures of one root.
type FuturesOptionChain struct {
	Object
	UnderlyingSymbol string              `json:"underlying-symbol"`
	RootSymbol       string              `json:"root-symbol"`
	ExerciseStyle    ExerciseStyle       `json:"exercise-style"`
	Expirations      []FuturesExpiration `json:"expirations"`
}

var futuresOptionChainCodec = codecFor[FuturesOptionChain]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FuturesOptionChain) UnmarshalJSON(data []byte) error {
	return futuresOptionChainCodec.unmarshal(data, f)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FuturesOptionChain) MarshalJSON() ([]byte, error) { return futuresOptionChainCodec.marshal(f) }

// A FuturesExpiration is one expiration of a [FuturesOptionChain]. Its strikes
// come in no order.
type FuturesExpiration struct {
	Object
	UnderlyingSymbol     string           `json:"underlying-symbol"` // the future
	RootSymbol           string           `json:"root-symbol"`
	OptionRootSymbol     string           `json:"option-root-symbol"`
	OptionContractSymbol string           `json:"option-contract-symbol"`
	Asset                string           `json:"asset"`
	ExpirationDate       Date             `json:"expiration-date"`
	DaysToExpiration     *int             `json:"days-to-expiration"`
	ExpirationType       ExpirationType   `json:"expiration-type"`
	SettlementType       SettlementType   `json:"settlement-type"`
	NotionalValue        *decimal.Decimal `json:"notional-value"`
	DisplayFactor        *decimal.Decimal `json:"display-factor"`
	StrikeFactor         *decimal.Decimal `json:"strike-factor"`
	TickSizes            []TickSize       `json:"tick-sizes"`
	StopsTradingAt       time.Time        `json:"stops-trading-at"`
	ExpiresAt            time.Time        `json:"expires-at"`
	Strikes              []Strike         `json:"strikes"`
}

var futuresExpirationCodec = codecFor[FuturesExpiration]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FuturesExpiration) UnmarshalJSON(data []byte) error {
	return futuresExpirationCodec.unmarshal(data, f)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FuturesExpiration) MarshalJSON() ([]byte, error) { return futuresExpirationCodec.marshal(f) }

// FutureOptions returns every option on the futures of a product, such as "ES".
// The answer for a large product is larger than the client's limit for one
// answer ([ErrTooLarge]); AllFutureOptions reads it piece by piece.
//
// GET /futures-option-chains/{product}
func (s *OptionChainsService) FutureOptions(ctx context.Context, product string) ([]FutureOption, error) {
	out, _, err := many[FutureOption](ctx, s.client, get(futuresChainRoute, product), futureOptionCodec)
	return out, err
}

const futuresChainRoute = "/futures-option-chains/{product}"

// AllFutureOptions is FutureOptions one by one, as the answer arrives: it holds
// one option at a time, whatever the size of the answer. An answer that breaks
// off ends the loop with an error after the options that came.
//
// GET /futures-option-chains/{product}
func (s *OptionChainsService) AllFutureOptions(ctx context.Context, product string) iter.Seq2[FutureOption, error] {
	return stream[FutureOption](ctx, s.client, get(futuresChainRoute, product), futureOptionCodec)
}

// NestedFutures returns the futures of a product, such as "ES", and the options
// on them as chains of expirations of strikes.
//
// GET /futures-option-chains/{product}/nested
func (s *OptionChainsService) NestedFutures(ctx context.Context, product string) (*FuturesChain, error) {
	return one[FuturesChain](ctx, s.client, get("/futures-option-chains/{product}/nested", product), futuresChainCodec)
}
