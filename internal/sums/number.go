package sums

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// A Number is a decimal to count with: its digits lie in two words instead of on
// the heap, as long as they fit into 128 bits, and in a decimal when they do not.
// Its sums and products are those of package decimal, to the last digit. The zero
// value is 0. It is a value: methods change nothing.
type Number struct {
	high, low uint64 // of the digits
	wide      *decimal.Decimal
	form      form
}

// A form is an exponent and, in bit 32, whether the number is negative, which 0
// never is. One word for both lets two numbers be handed over in registers.
type form uint64

const negative form = 1 << 32

func formOf(exponent int32, below bool) form {
	f := form(uint32(exponent))
	if below {
		f |= negative
	}
	return f
}

func (f form) exponent() int32 { return int32(uint32(f)) }

// Of returns a decimal as a number.
func Of(d decimal.Decimal) Number {
	if digits, ok := small(d); ok {
		return Number{low: magnitude(digits), form: formOf(d.Exponent(), digits < 0)}
	}
	return ofLong(d)
}

// ofLong is Of for a decimal of many digits.
func ofLong(d decimal.Decimal) Number {
	digits := d.Coefficient()
	if digits.BitLen() > 128 {
		return Number{wide: &d}
	}
	var room [16]byte
	digits.FillBytes(room[:])
	return Number{
		high: binary.BigEndian.Uint64(room[:8]), low: binary.BigEndian.Uint64(room[8:]), form: formOf(d.Exponent(), digits.Sign() < 0),
	}
}

// Total is the sum of decimals of which most are 0, such as fees.
func Total(parts ...decimal.Decimal) Number {
	var sum Number
	for i := range parts {
		if parts[i].Sign() != 0 {
			sum = sum.Plus(Of(parts[i]))
		}
	}
	return sum
}

// Decimal returns the number as a decimal. Only one that is not 0 needs memory.
func (n Number) Decimal() decimal.Decimal {
	below := n.form&negative != 0
	switch {
	case n.wide != nil:
		return *n.wide
	case n.high == 0 && n.low == 0:
		return decimal.Zero
	case n.high == 0 && n.low <= math.MaxInt64:
		if below {
			return decimal.New(-int64(n.low), n.form.exponent())
		}
		return decimal.New(int64(n.low), n.form.exponent())
	}
	var room [16]byte
	binary.BigEndian.PutUint64(room[:8], n.high)
	binary.BigEndian.PutUint64(room[8:], n.low)
	digits := new(big.Int).SetBytes(room[:])
	if below {
		digits.Neg(digits)
	}
	return decimal.NewFromBigInt(digits, n.form.exponent())
}

// Sign is -1, 0 or 1.
func (n Number) Sign() int {
	switch {
	case n.wide != nil:
		return n.wide.Sign()
	case n.high|n.low == 0:
		return 0
	case n.form&negative != 0:
		return -1
	}
	return 1
}

// IsZero tells whether the number is 0.
func (n Number) IsZero() bool { return n.high|n.low == 0 && (n.wide == nil || n.wide.IsZero()) }

// Neg is -n.
func (n Number) Neg() Number {
	if n.wide != nil {
		return negated(n.wide)
	}
	if n.high|n.low != 0 {
		n.form ^= negative
	}
	return n
}

func negated(wide *decimal.Decimal) Number {
	d := wide.Neg()
	return Number{wide: &d}
}

// Signed is n, or -n when sign is negative.
func (n Number) Signed(sign int) Number {
	if sign < 0 {
		return n.Neg()
	}
	return n
}

// Abs is n without its sign.
func (n Number) Abs() Number {
	if n.Sign() < 0 {
		return n.Neg()
	}
	return n
}

// Plus is n + m.
func (n Number) Plus(m Number) Number {
	switch {
	case n.wide != nil || m.wide != nil || n.high|m.high != 0:
		return n.plusLong(m)
	case m.low == 0:
		return n
	case n.low == 0:
		return m
	}
	// Both have one word.
	a, b, exponent := n.low, m.low, n.form.exponent()
	if other := m.form.exponent(); other != exponent {
		by, over := int64(exponent)-int64(other), uint64(0)
		switch {
		case by > most || by < -most:
			return n.plusLong(m)
		case by > 0:
			exponent = other
			over, a = bits.Mul64(a, uint64(powers[by]))
		default:
			over, b = bits.Mul64(b, uint64(powers[-by]))
		}
		if over != 0 {
			return n.plusLong(m)
		}
	}
	below := n.form & negative
	if below == m.form&negative {
		low, high := bits.Add64(a, b, 0)
		return Number{high: high, low: low, form: below | formOf(exponent, false)}
	}
	if a < b {
		a, b, below = b, a, below^negative
	}
	if a == b {
		below = 0
	}
	return Number{low: a - b, form: below | formOf(exponent, false)}
}

// plusLong is Plus for numbers of any length.
func (n Number) plusLong(m Number) Number {
	switch {
	case m.Sign() == 0:
		return n
	case n.Sign() == 0:
		return m
	}
	a, b, ok := level(n, m)
	if !ok {
		return Of(n.Decimal().Add(m.Decimal()))
	}
	if (a.form^b.form)&negative == 0 {
		low, carry := bits.Add64(a.low, b.low, 0)
		high, over := bits.Add64(a.high, b.high, carry)
		if over != 0 {
			return Of(n.Decimal().Add(m.Decimal()))
		}
		a.high, a.low = high, low
		return a
	}
	if a.high < b.high || a.high == b.high && a.low < b.low {
		a, b = b, a
	}
	var borrow uint64
	a.low, borrow = bits.Sub64(a.low, b.low, 0)
	a.high, _ = bits.Sub64(a.high, b.high, borrow)
	if a.high|a.low == 0 {
		a.form &^= negative
	}
	return a
}

// Minus is n - m.
func (n Number) Minus(m Number) Number { return n.Plus(m.Neg()) }

// Times is n · m.
func (n Number) Times(m Number) Number {
	exponent := int64(n.form.exponent()) + int64(m.form.exponent())
	if n.wide == nil && m.wide == nil && exponent >= math.MinInt32 && exponent <= math.MaxInt32 {
		if n.high != 0 {
			n, m = m, n
		}
		if n.high == 0 {
			if high, low, ok := scaled(m.high, m.low, n.low); ok {
				below := (n.form ^ m.form) & negative
				if high|low == 0 {
					below = 0
				}
				return Number{high: high, low: low, form: below | formOf(int32(exponent), false)}
			}
		}
	}
	return Of(n.Decimal().Mul(m.Decimal()))
}

// Cmp compares two numbers: -1 when n is less, 0 when they are equal, 1 when it is
// greater.
func (n Number) Cmp(m Number) int {
	if s, t := n.Sign(), m.Sign(); s != t || s == 0 {
		switch {
		case s < t:
			return -1
		case s > t:
			return 1
		}
		return 0
	}
	a, b, ok := level(n, m)
	if !ok {
		return n.Decimal().Cmp(m.Decimal())
	}
	greater := 1
	if a.form&negative != 0 {
		greater = -1
	}
	switch {
	case a.high > b.high || a.high == b.high && a.low > b.low:
		return greater
	case a.high < b.high || a.low < b.low:
		return -greater
	}
	return 0
}

// Equal tells whether two numbers are the same, whatever their digits.
func (n Number) Equal(m Number) bool { return n.Cmp(m) == 0 }

// level returns two numbers at the lesser of their exponents; false when they do
// not fit.
func level(n, m Number) (a, b Number, ok bool) {
	if n.wide != nil || m.wide != nil {
		return n, m, false
	}
	switch by := int64(n.form.exponent()) - int64(m.form.exponent()); {
	case by == 0:
		return n, m, true
	case by > most || by < -most:
		return n, m, false
	case by > 0:
		n.high, n.low, ok = scaled(n.high, n.low, uint64(powers[by]))
		n.form = n.form&negative | formOf(m.form.exponent(), false)
		return n, m, ok
	default:
		m.high, m.low, ok = scaled(m.high, m.low, uint64(powers[-by]))
		m.form = m.form&negative | formOf(n.form.exponent(), false)
		return n, m, ok
	}
}

// scaled multiplies 128 bits by 64; false when the product does not fit.
func scaled(high, low, by uint64) (uint64, uint64, bool) {
	carry, l := bits.Mul64(low, by)
	if high == 0 {
		return carry, l, true
	}
	over, h := bits.Mul64(high, by)
	h, c := bits.Add64(h, carry, 0)
	return h, l, over == 0 && c == 0
}

// exactTo is the greatest power of ten that a float64 holds exactly.
const exactTo = 22

var floatPowers = [exactTo + 1]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// Float is the nearest float64.
func (n Number) Float() float64 {
	if n.wide != nil {
		return Float(*n.wide)
	}
	var x float64
	switch exponent := n.form.exponent(); {
	case n.high == 0 && n.low <= 1<<53 && exponent <= 0 && exponent >= -exactTo:
		x = float64(n.low) / floatPowers[-exponent] // both are exact, and so the quotient is rounded once
	case exponent <= 0 && exponent >= -most:
		x = quotient(n.high, n.low, uint64(powers[-exponent]))
	default:
		return Float(n.Decimal())
	}
	if n.form&negative != 0 {
		return -x
	}
	return x
}

// quotient is the float64 nearest to 128 bits, which are not 0, divided by 64; of
// two that are as near, the even one.
func quotient(high, low, by uint64) float64 {
	zeros := bits.LeadingZeros64(high)
	if high == 0 {
		zeros = 64 + bits.LeadingZeros64(low)
		high, low = low<<(zeros-64), 0
	} else {
		high, low = high<<zeros|low>>(64-zeros), low<<zeros
	}
	// 192 bits, of which the last 64 are 0, have a quotient of at least 128 bits.
	first, rest := high/by, high%by
	second, rest := bits.Div64(rest, low, by)
	third, rest := bits.Div64(rest, 0, by)
	top, below, up := second, third|rest, 0 // the first 64 bits of the quotient, and whether there are more
	if first != 0 {
		s := bits.LeadingZeros64(first)
		top, below, up = first<<s|second>>(64-s), second<<s|third|rest, 64-s
	}
	digits, half := top>>11, top&(1<<11-1)
	if half > 1<<10 || half == 1<<10 && (below != 0 || digits&1 == 1) {
		digits++
	}
	return math.Ldexp(float64(digits), 11+up-zeros)
}
