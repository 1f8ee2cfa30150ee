package tasty

import (
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// Dropped is how many notifications did not fit into a stream's buffer.
func Dropped(stream broker.EventStream) int { return stream.(*eventStream).stream.Dropped() }

// BarsOf makes bars of candles.
func BarsOf(a *Adapter, candles []dxlink.Candle, interval market.Interval, req market.BarsRequest) []market.Bar {
	return a.barsOf(candles, interval, req)
}
