//go:build race

package knowledge_test

// racing tells that tests run under the race detector, ten times slower.
const racing = true
