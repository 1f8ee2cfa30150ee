//go:build race

package candles_test

// racing: the race detector makes pools forget at random, and so allocate.
const racing = true
