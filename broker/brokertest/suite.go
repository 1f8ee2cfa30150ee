package brokertest

import (
	"slices"
	"testing"
)

// Test runs the whole suite. Each scenario is a subtest.
func Test(t *testing.T, factory Factory) {
	t.Helper()
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) { s.play(t, factory) })
	}
}

// scenarios are all there are.
func scenarios() []scenario {
	return slices.Concat(orderStories(), changeStories(), refusalStories(), optionStories(), groupStories(), faultStories(), readingStories())
}
