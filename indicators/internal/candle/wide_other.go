//go:build !amd64

package candle

// tenSpans is tenSpansGo.
func tenSpans(out, high, low, _, _ []float64) { tenSpansGo(out, high, low) }

// small finds bodies of at most a tenth of the average range. The sum that it
// returns is not finite where a value is not.
func small(out, open, close, span []float64) float64 { return smallGo(out, open, close, span) }

// shadowed finds those of them with two long shadows, or with one where either
// is all ones and not 0.
func shadowed(out, open, high, low, close, span []float64, either uint64) {
	shadowedGo(out, open, high, low, close, span, either)
}

// apart is apartGo.
func apart(rows []uint64, out, open1, close1, open2, close2, high, low []float64) float64 {
	return apartGo(rows, out, open1, close1, open2, close2, high, low)
}
