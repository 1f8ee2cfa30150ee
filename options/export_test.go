package options

// FinerDividends is AmericanDividends, or PriceDividends, in the spot model on a
// grid that is finer by a factor in space and time.
func FinerDividends(p BSM, k Kind, dividends []Dividend, american bool, factor int) float64 {
	return gridValueOn(p, k, p.relevant(dividends), SpotModel, american, factor*gridSpace, factor*gridSteps)
}
