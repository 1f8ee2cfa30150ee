package options

// Greeks is an option's value and its derivatives, unscaled: per 1.00 of
// volatility, rate or yield, and per year. The ones in time (Theta, Charm,
// Veta, Color) are what happens as time passes, minus the derivative in the
// time to expiry. Use the methods for a trader's units.
type Greeks struct {
	Price     float64 // V
	Delta     float64 // dV/dS
	Gamma     float64 // d2V/dS2
	Theta     float64 // -dV/dT, per year
	Vega      float64 // dV/dvol, per 1.00 (100 points) of volatility
	Rho       float64 // dV/dr, per 1.00 of rate
	RhoYield  float64 // dV/dq, per 1.00 of yield
	Vanna     float64 // d2V/dS dvol
	Charm     float64 // -d2V/dS dT, per year
	Vomma     float64 // d2V/dvol2
	Veta      float64 // -d2V/dvol dT, per year
	Speed     float64 // d3V/dS3
	Zomma     float64 // d3V/dS2 dvol
	Color     float64 // -d3V/dS2 dT, per year
	Ultima    float64 // d3V/dvol3
	DualDelta float64 // dV/dK
	DualGamma float64 // d2V/dK2, the discounted risk-neutral density at the strike
	ProbITM   float64 // risk-neutral probability of expiring in the money
	ProbTouch float64 // risk-neutral probability that the spot touches the strike by expiry
}

// ThetaPerDay returns Theta per calendar day.
func (g Greeks) ThetaPerDay() float64 { return g.Theta / 365 }

// VegaPerPoint returns Vega per volatility point (0.01).
func (g Greeks) VegaPerPoint() float64 { return g.Vega / 100 }

// RhoPerPoint returns Rho per percentage point of rate (0.01).
func (g Greeks) RhoPerPoint() float64 { return g.Rho / 100 }

// CharmPerDay returns Charm, the change of delta, per calendar day.
func (g Greeks) CharmPerDay() float64 { return g.Charm / 365 }

// VetaPerDay returns Veta, the change of vega, per calendar day.
func (g Greeks) VetaPerDay() float64 { return g.Veta / 365 }

// ColorPerDay returns Color, the change of gamma, per calendar day.
func (g Greeks) ColorPerDay() float64 { return g.Color / 365 }

// VannaPerPoint returns Vanna, the change of delta, per volatility point.
func (g Greeks) VannaPerPoint() float64 { return g.Vanna / 100 }

// VommaPerPoint returns Vomma, the change of VegaPerPoint per volatility point.
func (g Greeks) VommaPerPoint() float64 { return g.Vomma / 1e4 }
