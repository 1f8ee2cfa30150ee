package candle

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// spanLanesAVX2 writes the averages of ten ranges of four times so many blocks,
// a quarter of them in each lane. lanes has the tails of the block before each
// quarter, and room for the ranges of a block. It has time to fetch open and
// close, which are asked for next.
//
//go:noescape
func spanLanesAVX2(out, high, low []float64, blocks int, lanes *[19][4]float64, open, close []float64)

// smallAVX2 is small of four, eight, … bars.
//
//go:noescape
func smallAVX2(out, open, close, span []float64) float64

// shadowedAVX2 is shadowed of four, eight, … bars.
//
//go:noescape
func shadowedAVX2(out, open, high, low, close, span []float64, either uint64)

// apartAVX2 is apart.
//
//go:noescape
func apartAVX2(rows []uint64, out, open1, close1, open2, close2, high, low []float64) float64

// tenSpans is tenSpansGo, bit for bit: a quarter of the blocks, like a block,
// need not wait for the one before.
func tenSpans(out, high, low, open, close []float64) {
	if blocks := len(out) / (4 * longPeriod); blocks > 0 && kernel.Wide() {
		var lanes [19][4]float64
		for lane := range 4 {
			start := lane * blocks * longPeriod
			tail := 0.0
			for i := longPeriod - 1; i > 0; i-- {
				tail += high[start+i] - low[start+i]
				lanes[i-1][lane] = tail
			}
		}
		done := 4 * blocks * longPeriod
		spanLanesAVX2(out[:done], high[longPeriod:][:done], low[longPeriod:][:done], blocks, &lanes, open, close)
		out, high, low = out[done:], high[done:], low[done:]
	}
	tenSpansGo(out, high, low)
}

// small finds bodies of at most a tenth of the average range. The sum that it
// returns is not finite where a value is not.
func small(out, open, close, span []float64) (sum float64) {
	if done := len(out) &^ 3; done > 0 && kernel.Wide() {
		sum = smallAVX2(out[:done], open[:done], close[:done], span[:done])
		out, open, close, span = out[done:], open[done:], close[done:], span[done:]
	}
	return sum + smallGo(out, open, close, span)
}

// shadowed finds those of them with two long shadows, or with one where either
// is all ones and not 0.
func shadowed(out, open, high, low, close, span []float64, either uint64) {
	if done := len(out) &^ 3; done > 0 && kernel.Wide() {
		shadowedAVX2(out[:done], open[:done], high[:done], low[:done], close[:done], span[:done], either)
		out, open, high, low, close, span = out[done:], open[done:], high[done:], low[done:], close[done:], span[done:]
	}
	shadowedGo(out, open, high, low, close, span, either)
}

// apart is apartGo, but for the bits of the sum.
func apart(rows []uint64, out, open1, close1, open2, close2, high, low []float64) float64 {
	if n := word * len(rows); n > 0 && kernel.Wide() {
		return apartAVX2(rows, out[:n], open1[:n], close1[:n], open2[:n], close2[:n], high[:n], low[:n])
	}
	return apartGo(rows, out, open1, close1, open2, close2, high, low)
}
