//go:build !race

package candles_test

const racing = false
