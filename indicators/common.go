package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/spec"
	"github.com/ttai-go/ttai/internal/invalid"
)

// onStack is the longest period whose window the batch functions keep on the
// stack, so that they allocate nothing.
const onStack = 256

func validPeriod(n int) bool { return n >= 1 && n <= MaxPeriod }

func checkPeriod(name string, n int) error { return checkPeriodFrom(name, n, 1) }

func checkPeriodFrom(name string, n, least int) error {
	if n < least || n > MaxPeriod {
		return invalid.Fieldf(name, n, "a whole number from %d to %d", least, MaxPeriod)
	}
	return nil
}

func resize(dst []float64, n int) []float64 { return spec.Resize(dst, n) }

func fillNaN(dst []float64) []float64 { return spec.FillNaN(dst) }

func nan() float64 { return math.NaN() }
