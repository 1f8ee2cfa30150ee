//go:build race

package market_test

// raced says that the race detector is on. It makes parsing ten times slower
// and finds nothing in it, so large reference files are left to the plain run.
const raced = true
