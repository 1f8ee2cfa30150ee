//go:build !race

package indicators_test

const racing = false
