package tastytrade

import (
	"strings"
	"sync"
)

// A SymbolIndex translates between the broker's symbols and the streamer's. It
// remembers the pairs that it was given, from chains and instruments, and knows
// the rules for the rest: those of equities, equity options and
// cryptocurrencies always, those of futures and their options to the streamer's
// form once it knows the exchange of the product, which it learns from any pair
// of that product. The streamer's form of a future's option says too little to
// be turned back by rule, so that only remembered ones are.
//
// The zero SymbolIndex is empty and ready. It is safe for concurrent use.
type SymbolIndex struct {
	mu         sync.RWMutex
	toStreamer map[string]string
	toBroker   map[string]string
	exchanges  map[string]string // by product of a future, and by root of an option
	near       Date
}

// NewSymbolIndex returns an index that takes the short years of futures to be
// near a day.
func NewSymbolIndex(near Date) *SymbolIndex { return &SymbolIndex{near: near} }

// Add remembers a pair. Empty symbols are ignored: the broker leaves the
// streamer's out for some instruments.
func (x *SymbolIndex) Add(symbol, streamer string) {
	if symbol == "" || streamer == "" {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.toStreamer == nil {
		x.toStreamer, x.toBroker, x.exchanges = map[string]string{}, map[string]string{}, map[string]string{}
	}
	x.toStreamer[symbol], x.toBroker[streamer] = streamer, symbol
	if symbol[0] != '/' && !strings.HasPrefix(symbol, "./") {
		return
	}
	if _, exchange, found := strings.Cut(streamer, ":"); found {
		if f, err := ParseFuture(symbol, x.near); err == nil {
			x.exchanges[f.Product] = exchange
		} else if o, err := ParseFutureOption(symbol); err == nil {
			x.exchanges[o.Future.Product] = exchange
		}
	}
}

// AddExchange remembers the streamer's code of the exchange of a future's
// product: "ES", "XCME".
func (x *SymbolIndex) AddExchange(product, exchange string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.exchanges == nil {
		x.toStreamer, x.toBroker, x.exchanges = map[string]string{}, map[string]string{}, map[string]string{}
	}
	x.exchanges[product] = exchange
}

// AddChain remembers the options of a nested chain.
func (x *SymbolIndex) AddChain(chain *NestedChain) {
	for i := range chain.Expirations {
		for j := range chain.Expirations[i].Strikes {
			s := &chain.Expirations[i].Strikes[j]
			x.Add(s.Call, s.CallStreamerSymbol)
			x.Add(s.Put, s.PutStreamerSymbol)
		}
	}
}

// AddFuturesChain remembers the futures of a nested chain and the options on them.
func (x *SymbolIndex) AddFuturesChain(chain *FuturesChain) {
	for i := range chain.Futures {
		x.Add(chain.Futures[i].Symbol, chain.Futures[i].StreamerSymbol)
	}
	for i := range chain.OptionChains {
		for j := range chain.OptionChains[i].Expirations {
			for _, s := range chain.OptionChains[i].Expirations[j].Strikes {
				x.Add(s.Call, s.CallStreamerSymbol)
				x.Add(s.Put, s.PutStreamerSymbol)
			}
		}
	}
}

// Len returns how many pairs the index remembers.
func (x *SymbolIndex) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.toStreamer)
}

// Streamer returns the streamer's symbol for one of the broker's, and false
// when neither a pair nor a rule gives one.
func (x *SymbolIndex) Streamer(symbol string) (string, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if s, ok := x.toStreamer[symbol]; ok {
		return s, true
	}
	switch InstrumentTypeOf(symbol) {
	case TypeEquity:
		return symbol, true
	case TypeCryptocurrency:
		return CryptocurrencyStreamer(symbol), true
	case TypeEquityOption:
		o, err := ParseEquityOption(symbol)
		return o.Streamer(), err == nil
	case TypeFuture:
		f, err := ParseFuture(symbol, x.near)
		f.Exchange = x.exchanges[f.Product]
		return f.Streamer(), err == nil && f.Exchange != ""
	case TypeFutureOption:
		o, err := ParseFutureOption(symbol)
		o.Exchange = x.exchanges[o.Future.Product]
		return o.Streamer(), err == nil && o.Exchange != ""
	}
	return "", false
}

// Broker is the opposite of Streamer.
func (x *SymbolIndex) Broker(streamer string) (string, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if s, ok := x.toBroker[streamer]; ok {
		return s, true
	}
	switch {
	case streamer == "" || strings.HasPrefix(streamer, "./"):
		return "", false
	case streamer[0] == '.':
		o, err := ParseEquityOption(streamer)
		return o.String(), err == nil
	case streamer[0] == '/':
		f, err := ParseFuture(streamer, x.near)
		return f.String(), err == nil && f.Exchange != ""
	case strings.HasSuffix(streamer, cryptoVenue):
		return CryptocurrencySymbol(streamer), true
	case strings.ContainsAny(streamer, ": "):
		return "", false
	}
	return streamer, true
}
