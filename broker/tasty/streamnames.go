package tasty

import (
	"context"
	"fmt"
	"slices"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

// streamNames are the stream's names of symbols. Those of shares, equity options and
// coins follow from the symbol; those of futures and of options on them need the
// exchange, which the broker is asked for once per product. What has no name is in a
// *[market.MissingError].
func (a *Adapter) streamNames(ctx context.Context, symbols []market.Symbol) ([]string, error) {
	if err := a.learnExchanges(ctx, symbols); err != nil {
		return nil, err
	}
	names := make([]string, len(symbols))
	var unnamed []market.Symbol
	for i, symbol := range symbols {
		name, ok := a.streamName(symbol)
		if !ok {
			unnamed = append(unnamed, symbol)
		}
		names[i] = name
	}
	return names, missing(unnamed, fmt.Errorf("tasty: a stream of them: %w: the broker does not list them: %w", market.ErrUnsupported, market.ErrUnknownSymbol))
}

// streamName is the stream's name of a symbol as far as it is known.
func (a *Adapter) streamName(symbol market.Symbol) (string, bool) {
	switch symbol.Kind() {
	case market.KindCrypto:
		return tastytrade.CryptocurrencyStreamer(string(symbol)), true
	case market.KindFuture, market.KindFutureOption:
		return a.names.Streamer(string(symbol))
	}
	return streamerSymbol(symbol)
}

// learnExchanges asks for the futures of products whose exchange is not known yet.
// It is enough to know one future of each.
func (a *Adapter) learnExchanges(ctx context.Context, symbols []market.Symbol) error {
	var products []string
	for _, symbol := range symbols {
		if _, known := a.streamName(symbol); known {
			continue
		}
		var product string
		switch symbol.Kind() {
		case market.KindFuture:
			f, err := tastytrade.ParseFuture(string(symbol), a.today())
			if err != nil {
				continue
			}
			product = f.Product
		case market.KindFutureOption:
			o, err := tastytrade.ParseFutureOption(string(symbol))
			if err != nil {
				continue
			}
			product = o.Future.Product
		}
		if product != "" && !slices.Contains(products, product) {
			products = append(products, product)
		}
	}
	for chunk := range slices.Chunk(products, 100) { // keeps the URL short
		for f, err := range a.client.Instruments.AllFutures(ctx, &tastytrade.FuturesOptions{ProductCodes: chunk}) {
			if err != nil {
				return a.failure("asking for the exchanges of futures", err)
			}
			a.names.Add(f.Symbol, f.StreamerSymbol)
			if f.StreamerExchangeCode != "" {
				a.names.AddExchange(f.ProductCode, f.StreamerExchangeCode)
			}
		}
	}
	return nil
}
