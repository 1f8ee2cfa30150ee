//go:build !race

package synthetic_test

const racing = false
