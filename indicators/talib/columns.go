package talib

import "math"

// What follows applies an operation to whole columns. The loops are written out
// because a call for each bar would cost more than most of the operations.

func sums(out, x, y []float64) {
	y, out = y[:len(x)], out[:len(x)]
	for i, a := range x {
		b := y[i]
		out[i] = a + b
	}
}

func differences(out, x, y []float64) {
	y, out = y[:len(x)], out[:len(x)]
	for i, a := range x {
		b := y[i]
		out[i] = a - b
	}
}

func products(out, x, y []float64) {
	y, out = y[:len(x)], out[:len(x)]
	for i, a := range x {
		b := y[i]
		out[i] = a * b
	}
}

func medianPrice(out, x, y []float64) {
	y, out = y[:len(x)], out[:len(x)]
	for i, a := range x {
		b := y[i]
		out[i] = (a + b) / 2
	}
}

func weightedClose(out, high, low, close []float64) {
	low, close, out = low[:len(high)], close[:len(high)], out[:len(high)]
	for i, h := range high {
		l, c := low[i], close[i]
		out[i] = (h + l + c*2) / 4
	}
}

func averagePrice(out, open, high, low, close []float64) {
	n := len(open)
	high, low, close, out = high[:n], low[:n], close[:n], out[:n]
	for i, o := range open {
		h, l, c := high[i], low[i], close[i]
		out[i] = (h + l + c + o) / 4
	}
}

func eachAcos(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Acos(v)
	}
}

func eachAsin(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Asin(v)
	}
}

func eachAtan(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Atan(v)
	}
}

func eachCeil(out, x []float64) {
	out = out[:len(x)]
	for len(x) >= 4 { // the instruction waits for what its register held before
		v, o := x[:4:4], out[:4:4]
		a, b, c, d := math.Ceil(v[0]), math.Ceil(v[1]), math.Ceil(v[2]), math.Ceil(v[3])
		o[0], o[1], o[2], o[3] = a, b, c, d
		x, out = x[4:], out[4:]
	}
	for i, v := range x {
		out[i] = math.Ceil(v)
	}
}

func eachCosh(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Cosh(v)
	}
}

func eachFloor(out, x []float64) {
	out = out[:len(x)]
	for len(x) >= 4 { // the instruction waits for what its register held before
		v, o := x[:4:4], out[:4:4]
		a, b, c, d := math.Floor(v[0]), math.Floor(v[1]), math.Floor(v[2]), math.Floor(v[3])
		o[0], o[1], o[2], o[3] = a, b, c, d
		x, out = x[4:], out[4:]
	}
	for i, v := range x {
		out[i] = math.Floor(v)
	}
}

func eachLog(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Log(v)
	}
}

func eachLog10(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Log10(v)
	}
}

func eachSinh(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Sinh(v)
	}
}

func eachSqrt(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Sqrt(v)
	}
}

func eachTanh(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Tanh(v)
	}
}
