//go:build !race

package talib_test

const racing = false
