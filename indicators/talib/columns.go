package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// What follows applies an operation to whole columns. The loops are written out
// because a call for each bar would cost more than most of the operations.

// They report whether all that they wrote is finite, as it is only where all
// that they read was: sums of pairs of results tell, at no cost.

func sums(out, x, y []float64) bool {
	n := len(out)
	x, y = x[:n], y[:n]
	var s, t float64
	i := 0
	for ; i < n-3; i += 4 {
		a, b, c, d := x[i]+y[i], x[i+1]+y[i+1], x[i+2]+y[i+2], x[i+3]+y[i+3]
		out[i], out[i+1], out[i+2], out[i+3] = a, b, c, d
		s += a + b
		t += c + d
	}
	for ; i < n; i++ {
		out[i] = x[i] + y[i]
		s += out[i]
	}
	return kernel.Finite(s + t)
}

func differences(out, x, y []float64) bool {
	n := len(out)
	x, y = x[:n], y[:n]
	var s, t float64
	i := 0
	for ; i < n-3; i += 4 {
		a, b, c, d := x[i]-y[i], x[i+1]-y[i+1], x[i+2]-y[i+2], x[i+3]-y[i+3]
		out[i], out[i+1], out[i+2], out[i+3] = a, b, c, d
		s += a + b
		t += c + d
	}
	for ; i < n; i++ {
		out[i] = x[i] - y[i]
		s += out[i]
	}
	return kernel.Finite(s + t)
}

func products(out, x, y []float64) bool {
	n := len(out)
	x, y = x[:n], y[:n]
	var s, t float64
	i := 0
	for ; i < n-3; i += 4 {
		a, b, c, d := x[i]*y[i], x[i+1]*y[i+1], x[i+2]*y[i+2], x[i+3]*y[i+3]
		out[i], out[i+1], out[i+2], out[i+3] = a, b, c, d
		s += a + b
		t += c + d
	}
	for ; i < n; i++ {
		out[i] = x[i] * y[i]
		s += out[i]
	}
	return kernel.Finite(s + t)
}

func medianPrice(out, x, y []float64) bool {
	n := len(out)
	x, y = x[:n], y[:n]
	var s, t float64
	i := 0
	for ; i < n-3; i += 4 {
		a, b, c, d := (x[i]+y[i])/2, (x[i+1]+y[i+1])/2, (x[i+2]+y[i+2])/2, (x[i+3]+y[i+3])/2
		out[i], out[i+1], out[i+2], out[i+3] = a, b, c, d
		s += a + b
		t += c + d
	}
	for ; i < n; i++ {
		out[i] = (x[i] + y[i]) / 2
		s += out[i]
	}
	return kernel.Finite(s + t)
}

func weightedClose(out, high, low, close []float64) bool {
	n := len(out)
	high, low, close = high[:n], low[:n], close[:n]
	var s, t float64
	i := 0
	for ; i < n-3; i += 4 {
		a := (high[i] + low[i] + close[i]*2) / 4
		b := (high[i+1] + low[i+1] + close[i+1]*2) / 4
		c := (high[i+2] + low[i+2] + close[i+2]*2) / 4
		d := (high[i+3] + low[i+3] + close[i+3]*2) / 4
		out[i], out[i+1], out[i+2], out[i+3] = a, b, c, d
		s += a + b
		t += c + d
	}
	for ; i < n; i++ {
		out[i] = (high[i] + low[i] + close[i]*2) / 4
		s += out[i]
	}
	return kernel.Finite(s + t)
}

func averagePrice(out, open, high, low, close []float64) bool {
	n := len(out)
	open, high, low, close = open[:n], high[:n], low[:n], close[:n]
	var s, t float64
	i := 0
	for ; i < n-3; i += 4 {
		a := (high[i] + low[i] + close[i] + open[i]) / 4
		b := (high[i+1] + low[i+1] + close[i+1] + open[i+1]) / 4
		c := (high[i+2] + low[i+2] + close[i+2] + open[i+2]) / 4
		d := (high[i+3] + low[i+3] + close[i+3] + open[i+3]) / 4
		out[i], out[i+1], out[i+2], out[i+3] = a, b, c, d
		s += a + b
		t += c + d
	}
	for ; i < n; i++ {
		out[i] = (high[i] + low[i] + close[i] + open[i]) / 4
		s += out[i]
	}
	return kernel.Finite(s + t)
}

func eachCeil(out, x []float64) {
	n, i := len(out), 0
	x = x[:n]
	for ; i < n-3; i += 4 { // the instruction waits for what its register held before
		a, b, c, d := math.Ceil(x[i]), math.Ceil(x[i+1]), math.Ceil(x[i+2]), math.Ceil(x[i+3])
		out[i], out[i+1], out[i+2], out[i+3] = a, b, c, d
	}
	for ; i < n; i++ {
		out[i] = math.Ceil(x[i])
	}
}

func eachCosh(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Cosh(v)
	}
}

func eachFloor(out, x []float64) {
	n, i := len(out), 0
	x = x[:n]
	for ; i < n-3; i += 4 { // the instruction waits for what its register held before
		a, b, c, d := math.Floor(x[i]), math.Floor(x[i+1]), math.Floor(x[i+2]), math.Floor(x[i+3])
		out[i], out[i+1], out[i+2], out[i+3] = a, b, c, d
	}
	for ; i < n; i++ {
		out[i] = math.Floor(x[i])
	}
}

func eachSinh(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Sinh(v)
	}
}

func eachSqrt(out, x []float64) bool {
	n, i, sum := len(out), 0, 0.0
	x = x[:n]
	for ; i < n-3; i += 4 { // as in eachCeil
		a, b, c, d := math.Sqrt(x[i]), math.Sqrt(x[i+1]), math.Sqrt(x[i+2]), math.Sqrt(x[i+3])
		sum += (x[i] + x[i+1]) + (x[i+2] + x[i+3])
		out[i], out[i+1], out[i+2], out[i+3] = a, b, c, d
	}
	for ; i < n; i++ {
		out[i] = math.Sqrt(x[i])
		sum += x[i]
	}
	return kernel.Finite(sum)
}

func eachTanh(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Tanh(v)
	}
}
