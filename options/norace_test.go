//go:build !race

package options_test

const underRace = false
