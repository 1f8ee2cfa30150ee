// Package sums adds, multiplies and converts decimals as package decimal does,
// with the same values, and faster for those whose digits fit into an int64: the
// prices, quantities and amounts of most orders.
package sums

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/shopspring/decimal"
)

// most is how many digits always fit into an int64.
const most = 18

var powers = [most + 1]int64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

// small returns the digits of a number when they fit.
func small(d decimal.Decimal) (int64, bool) {
	if d.NumDigits() > most {
		return 0, false
	}
	return d.CoefficientInt64(), true
}

// times multiplies; false when the product does not fit.
func times(a, b int64) (int64, bool) {
	negative := (a < 0) != (b < 0)
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	if high != 0 || low > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(low), true
	}
	return int64(low), true
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

// Plus is a + b.
func Plus(a, b decimal.Decimal) decimal.Decimal {
	switch {
	case b.Sign() == 0:
		return a
	case a.Sign() == 0:
		return b
	}
	if x, y, exponent, ok := aligned(a, b); ok {
		if sum := x + y; (sum > x) == (y > 0) {
			return decimal.New(sum, exponent)
		}
	}
	return a.Add(b)
}

// Minus is a - b.
func Minus(a, b decimal.Decimal) decimal.Decimal {
	if b.Sign() == 0 {
		return a
	}
	if x, y, exponent, ok := aligned(a, b); ok {
		if difference := x - y; (difference < x) == (y > 0) {
			return decimal.New(difference, exponent)
		}
	}
	return a.Sub(b)
}

// aligned returns the digits of two numbers at the lesser of their exponents.
func aligned(a, b decimal.Decimal) (x, y int64, exponent int32, ok bool) {
	x, first := small(a)
	y, second := small(b)
	if !first || !second {
		return 0, 0, 0, false
	}
	e, f := a.Exponent(), b.Exponent()
	switch by := int64(e) - int64(f); {
	case by == 0:
		return x, y, e, true
	case by > most || by < -most:
		return 0, 0, 0, false
	case by > 0:
		x, ok = times(x, powers[by])
		return x, y, f, ok
	default:
		y, ok = times(y, powers[-by])
		return x, y, e, ok
	}
}

// Times is a · b.
func Times(a, b decimal.Decimal) decimal.Decimal {
	if x, ok := small(a); ok {
		if y, ok := small(b); ok {
			exponent := int64(a.Exponent()) + int64(b.Exponent())
			if product, ok := times(x, y); ok && exponent >= math.MinInt32 && exponent <= math.MaxInt32 {
				return decimal.New(product, int32(exponent))
			}
		}
	}
	return a.Mul(b)
}

// Signed is x, or -x when sign is negative.
func Signed(x decimal.Decimal, sign int) decimal.Decimal {
	if sign >= 0 {
		return x
	}
	if digits, ok := small(x); ok {
		return decimal.New(-digits, x.Exponent())
	}
	return x.Neg()
}

// Float is the nearest float64.
func Float(d decimal.Decimal) float64 {
	digits, ok := small(d)
	exponent := d.Exponent()
	if exponent > most || exponent < -60 {
		return d.InexactFloat64()
	}
	if !ok {
		x, err := strconv.ParseFloat(d.String(), 64)
		if err != nil {
			return d.InexactFloat64()
		}
		return x
	}
	if digits >= -1<<53 && digits <= 1<<53 && exponent <= 0 && exponent >= -most {
		return float64(digits) / float64(powers[-exponent]) // both are exact, to 10^22
	}
	var room [32]byte
	text := strconv.AppendInt(room[:0], digits, 10)
	text = append(text, 'e')
	text = strconv.AppendInt(text, int64(exponent), 10)
	x, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return d.InexactFloat64()
	}
	return x
}
