//go:build !race

package market_test

const raced = false
