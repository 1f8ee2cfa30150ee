//go:build race

package options_test

// underRace: the detector slows numerics tenfold, and they start no goroutines.
const underRace = true
