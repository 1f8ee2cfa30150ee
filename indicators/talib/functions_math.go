package talib

// AVGPRICE computes talib:AVGPRICE. The mean of open, high, low and close.
func AVGPRICE(dst, open, high, low, close []float64) []float64 {
	return call1("AVGPRICE", dst, [][]float64{open, high, low, close})
}

// MEDPRICE computes talib:MEDPRICE. The mean of high and low.
func MEDPRICE(dst, high, low []float64) []float64 {
	return call1("MEDPRICE", dst, [][]float64{high, low})
}

// TYPPRICE computes talib:TYPPRICE. The mean of high, low and close.
func TYPPRICE(dst, high, low, close []float64) []float64 {
	return call1("TYPPRICE", dst, [][]float64{high, low, close})
}

// WCLPRICE computes talib:WCLPRICE. The mean of high, low and twice the close.
func WCLPRICE(dst, high, low, close []float64) []float64 {
	return call1("WCLPRICE", dst, [][]float64{high, low, close})
}

// AVGDEV computes talib:AVGDEV. The mean distance from the period's mean.
func AVGDEV(dst, x []float64, timePeriod int) []float64 {
	return call1("AVGDEV", dst, [][]float64{x}, float64(timePeriod))
}

// BETA computes talib:BETA. The slope of the second series' returns on those of the first.
func BETA(dst, x, y []float64, timePeriod int) []float64 {
	return call1("BETA", dst, [][]float64{x, y}, float64(timePeriod))
}

// CORREL computes talib:CORREL. Pearson's correlation of two series, -1 to 1.
func CORREL(dst, x, y []float64, timePeriod int) []float64 {
	return call1("CORREL", dst, [][]float64{x, y}, float64(timePeriod))
}

// LINEARREG computes talib:LINEARREG. The end of the least-squares line through the period.
func LINEARREG(dst, x []float64, timePeriod int) []float64 {
	return call1("LINEARREG", dst, [][]float64{x}, float64(timePeriod))
}

// LINEARREG_ANGLE computes talib:LINEARREG_ANGLE. The angle of the least-squares line, in degrees.
func LINEARREG_ANGLE(dst, x []float64, timePeriod int) []float64 {
	return call1("LINEARREG_ANGLE", dst, [][]float64{x}, float64(timePeriod))
}

// LINEARREG_INTERCEPT computes talib:LINEARREG_INTERCEPT. The start of the least-squares line through the period.
func LINEARREG_INTERCEPT(dst, x []float64, timePeriod int) []float64 {
	return call1("LINEARREG_INTERCEPT", dst, [][]float64{x}, float64(timePeriod))
}

// LINEARREG_SLOPE computes talib:LINEARREG_SLOPE. The slope of the least-squares line, per bar.
func LINEARREG_SLOPE(dst, x []float64, timePeriod int) []float64 {
	return call1("LINEARREG_SLOPE", dst, [][]float64{x}, float64(timePeriod))
}

// STDDEV computes talib:STDDEV. The population's standard deviation, times NbDev.
func STDDEV(dst, x []float64, timePeriod int, nbDev float64) []float64 {
	return call1("STDDEV", dst, [][]float64{x}, float64(timePeriod), nbDev)
}

// TSF computes talib:TSF. The least-squares line one bar ahead.
func TSF(dst, x []float64, timePeriod int) []float64 {
	return call1("TSF", dst, [][]float64{x}, float64(timePeriod))
}

// VAR computes talib:VAR. The population's variance; NbDev does nothing.
func VAR(dst, x []float64, timePeriod int, nbDev float64) []float64 {
	return call1("VAR", dst, [][]float64{x}, float64(timePeriod), nbDev)
}

// ADD computes talib:ADD. The sum of two series.
func ADD(dst, x, y []float64) []float64 {
	return call1("ADD", dst, [][]float64{x, y})
}

// DIV computes talib:DIV. The first series by the second.
func DIV(dst, x, y []float64) []float64 {
	return call1("DIV", dst, [][]float64{x, y})
}

// MULT computes talib:MULT. The product of two series.
func MULT(dst, x, y []float64) []float64 {
	return call1("MULT", dst, [][]float64{x, y})
}

// SUB computes talib:SUB. The first series less the second.
func SUB(dst, x, y []float64) []float64 {
	return call1("SUB", dst, [][]float64{x, y})
}

// MAX computes talib:MAX. The greatest value of the period.
func MAX(dst, x []float64, timePeriod int) []float64 {
	return call1("MAX", dst, [][]float64{x}, float64(timePeriod))
}

// MAXINDEX computes talib:MAXINDEX. The number of the bar of the period's greatest value, 0 for the first of all.
func MAXINDEX(dst, x []float64, timePeriod int) []float64 {
	return call1("MAXINDEX", dst, [][]float64{x}, float64(timePeriod))
}

// MIN computes talib:MIN. The least value of the period.
func MIN(dst, x []float64, timePeriod int) []float64 {
	return call1("MIN", dst, [][]float64{x}, float64(timePeriod))
}

// MININDEX computes talib:MININDEX. The number of the bar of the period's least value, 0 for the first of all.
func MININDEX(dst, x []float64, timePeriod int) []float64 {
	return call1("MININDEX", dst, [][]float64{x}, float64(timePeriod))
}

// MINMAXValues are the outputs of [MINMAX].
type MINMAXValues struct{ Min, Max []float64 }

// MINMAX computes talib:MINMAX. The least and the greatest value of the period.
func MINMAX(dst MINMAXValues, x []float64, timePeriod int) MINMAXValues {
	out := [][]float64{dst.Min, dst.Max}
	call("MINMAX", out, [][]float64{x}, float64(timePeriod))
	return MINMAXValues{out[0], out[1]}
}

// MINMAXINDEXValues are the outputs of [MINMAXINDEX].
type MINMAXINDEXValues struct{ MinIdx, MaxIdx []float64 }

// MINMAXINDEX computes talib:MINMAXINDEX. The numbers of the bars of the period's least and greatest value.
func MINMAXINDEX(dst MINMAXINDEXValues, x []float64, timePeriod int) MINMAXINDEXValues {
	out := [][]float64{dst.MinIdx, dst.MaxIdx}
	call("MINMAXINDEX", out, [][]float64{x}, float64(timePeriod))
	return MINMAXINDEXValues{out[0], out[1]}
}

// SUM computes talib:SUM. The sum of the period's values.
func SUM(dst, x []float64, timePeriod int) []float64 {
	return call1("SUM", dst, [][]float64{x}, float64(timePeriod))
}

// ACOS computes talib:ACOS. The angle in radians with that cosine; NaN outside -1 to 1.
func ACOS(dst, x []float64) []float64 {
	return call1("ACOS", dst, [][]float64{x})
}

// ASIN computes talib:ASIN. The angle in radians with that sine; NaN outside -1 to 1.
func ASIN(dst, x []float64) []float64 {
	return call1("ASIN", dst, [][]float64{x})
}

// ATAN computes talib:ATAN. The angle in radians with that tangent.
func ATAN(dst, x []float64) []float64 {
	return call1("ATAN", dst, [][]float64{x})
}

// CEIL computes talib:CEIL. The next whole number up.
func CEIL(dst, x []float64) []float64 {
	return call1("CEIL", dst, [][]float64{x})
}

// COS computes talib:COS. The cosine of an angle in radians.
func COS(dst, x []float64) []float64 {
	return call1("COS", dst, [][]float64{x})
}

// COSH computes talib:COSH. The hyperbolic cosine.
func COSH(dst, x []float64) []float64 {
	return call1("COSH", dst, [][]float64{x})
}

// EXP computes talib:EXP. e to that power.
func EXP(dst, x []float64) []float64 {
	return call1("EXP", dst, [][]float64{x})
}

// FLOOR computes talib:FLOOR. The next whole number down.
func FLOOR(dst, x []float64) []float64 {
	return call1("FLOOR", dst, [][]float64{x})
}

// LN computes talib:LN. The natural logarithm; NaN below 0.
func LN(dst, x []float64) []float64 {
	return call1("LN", dst, [][]float64{x})
}

// LOG10 computes talib:LOG10. The decimal logarithm; NaN below 0.
func LOG10(dst, x []float64) []float64 {
	return call1("LOG10", dst, [][]float64{x})
}

// SIN computes talib:SIN. The sine of an angle in radians.
func SIN(dst, x []float64) []float64 {
	return call1("SIN", dst, [][]float64{x})
}

// SINH computes talib:SINH. The hyperbolic sine.
func SINH(dst, x []float64) []float64 {
	return call1("SINH", dst, [][]float64{x})
}

// SQRT computes talib:SQRT. The square root; NaN below 0.
func SQRT(dst, x []float64) []float64 {
	return call1("SQRT", dst, [][]float64{x})
}

// TAN computes talib:TAN. The tangent of an angle in radians.
func TAN(dst, x []float64) []float64 {
	return call1("TAN", dst, [][]float64{x})
}

// TANH computes talib:TANH. The hyperbolic tangent.
func TANH(dst, x []float64) []float64 {
	return call1("TANH", dst, [][]float64{x})
}
