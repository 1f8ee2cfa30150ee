package options

import (
	"math"
	"sync"
)

// American options of one expiry share their boundary but for the volatility:
// in units of the strike it depends on time, rate, yield and volatility alone.
// A curve solves it at Chebyshev's points of the logarithm of the volatility,
// cell by cell as needed, and interpolates between; what is left for a contract
// is the last integral.
type americanCurve struct {
	put                   BSM // with a strike of 1
	kind                  exerciseKind
	limit                 float64
	time, discount, yield []float64 // at the points of the integral
	cells                 map[int]*curveCell
}

type curveCell struct {
	boundary [curveNodes][curvePoints]float64 // ln(B/X) at the points
	now      [curveNodes]float64              // ln(B(T)/X)
}

const (
	curveNodes  = 5
	curvePoints = 22
	curveWidth  = 0.4 // of a cell, in ln(vol)
)

var gridCurve = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, 8, 11, curvePoints, 5, 3e-3) })

func newAmericanCurve(put BSM) *americanCurve {
	put.Spot, put.Strike, put.Vol = 1, 1, 0.2
	c := &americanCurve{put: put, kind: put.exercise(), limit: 1, cells: map[int]*curveCell{}}
	if put.Yield > put.Rate {
		c.limit = put.Rate / put.Yield
	}
	if c.kind == exerciseSingle {
		for _, share := range gridCurve().final.share {
			t := put.Years * (1 - share)
			c.time = append(c.time, t)
			c.discount = append(c.discount, put.Rate*math.Exp(-put.Rate*t))
			c.yield = append(c.yield, put.Yield*math.Exp(-put.Yield*t))
		}
	}
	return c
}

func (c *americanCurve) cell(i int) *curveCell {
	if cell := c.cells[i]; cell != nil {
		return cell
	}
	cell := &curveCell{}
	c.cells[i] = cell
	g := gridCurve()
	put := c.put
	var b *boundary
	for k := range curveNodes {
		u := 0.5 * (1 - math.Cos(math.Pi*float64(k)/(curveNodes-1)))
		put.Vol = math.Exp(curveWidth * (float64(i) + u))
		if b == nil {
			b = newBoundary(put, g, nil)
		} else { // from the last one: H is nearly proportional to the variance
			ratio := put.Vol / b.put.Vol
			for m := range b.h {
				b.h[m] *= ratio * ratio
			}
			b.put, b.used = put, 0
			b.solve()
		}
		cell.now[k] = -math.Sqrt(b.h[0])
		floor := b.floor() * put.Years
		for j := range curvePoints {
			h := 0.0
			for m, v := range g.final.matrix[j*g.nodes:][:g.nodes] {
				h += v * b.h[m]
			}
			cell.boundary[k][j] = -math.Sqrt(max(h, floor*g.final.share[j]))
		}
	}
	return cell
}

// at interpolates the boundary for a volatility.
func (c *americanCurve) at(vol float64, boundary *[curvePoints]float64) (now float64) {
	x := math.Log(vol) / curveWidth
	i := math.Floor(x)
	cell := c.cell(int(i))
	u := x - i
	var weight [curveNodes]float64
	sum := 0.0
	for k := range curveNodes {
		d := u - curvePlace[k]
		if d == 0 {
			weight, sum = [curveNodes]float64{}, 1
			weight[k] = 1
			break
		}
		weight[k] = curveSign[k] / d
		sum += weight[k]
	}
	inverse := 1 / sum
	*boundary = [curvePoints]float64{}
	for k, w := range weight {
		w *= inverse
		now += w * cell.now[k]
		for j, v := range cell.boundary[k] {
			boundary[j] += w * v
		}
	}
	return now
}

// Chebyshev's points of [0, 1] for curveNodes = 5, and their barycentric weights.
var (
	curvePlace = [curveNodes]float64{0, 0.14644660940672624, 0.5, 0.8535533905932737, 1}
	curveSign  = [curveNodes]float64{0.5, -1, 1, -1, 0.5}
)

// price returns the put's value per strike at a spot per strike, and whether it
// is exercised now.
func (c *americanCurve) price(spot, vol float64) (float64, bool) {
	var boundary [curvePoints]float64
	now := c.at(vol, &boundary)
	own := math.Log(spot / c.limit)
	if own <= now {
		return 1 - spot, true
	}
	f := &gridCurve().final
	dev := vol * math.Sqrt(c.put.Years)
	drift := c.put.Rate - c.put.Yield
	sum := 0.0
	for j := range curvePoints {
		v := dev * f.root[j]
		dp := (own-boundary[j]+drift*c.time[j])/v + 0.5*v
		if dp > 7 {
			continue
		}
		sum += f.weight[j] * (c.discount[j]*cdf(v-dp) - c.yield[j]*spot*cdf(-dp))
	}
	put := c.put
	put.Spot, put.Vol = spot, vol
	european := put.price(Put)
	value := european + c.put.Years*sum
	return max(value, european, 1-spot), false
}

// curves finds the curve of an option among those of a batch.
type curves struct {
	known map[[3]float64]*americanCurve
	last  [2]*americanCurve
}

func (c *curves) of(put *BSM) *americanCurve {
	for _, l := range c.last {
		if l != nil && l.put.Years == put.Years && l.put.Rate == put.Rate && l.put.Yield == put.Yield {
			return l
		}
	}
	key := [3]float64{put.Years, put.Rate, put.Yield}
	found := c.known[key]
	if found == nil {
		found = newAmericanCurve(*put)
		if c.known == nil {
			c.known = map[[3]float64]*americanCurve{}
		}
		c.known[key] = found
	}
	c.last[0], c.last[1] = found, c.last[0]
	return found
}

// AmericanPriceBatch writes the American price of p[i] as kinds[i] into dst[i].
// Options that share time, rate and yield, as those of one expiry do, share the
// work of the exercise boundary; the error is about 1e-6 of the strike. The
// slices have equal lengths.
func AmericanPriceBatch(dst []float64, p []BSM, kinds []Kind) error {
	if err := sameLength(len(dst), len(p), len(kinds), len(p)); err != nil {
		return err
	}
	var shared curves
	for i := range p {
		put := p[i].asPut(kinds[i])
		if !validKind(kinds[i]) || put.exercise() != exerciseSingle || !curveVol(put.Vol) {
			dst[i] = p[i].American(kinds[i], Accuracy1e6)
			continue
		}
		v, _ := shared.of(&put).price(put.Spot/put.Strike, put.Vol)
		dst[i] = v * put.Strike
	}
	return nil
}

// curveVol bounds the volatilities that curves serve.
func curveVol(vol float64) bool { return vol > 0.01 && vol < 20 }

// AmericanImpliedVolBatch writes the volatility at which the American option
// p[i], of kinds[i], is worth prices[i] into dst[i], and NaN where there is none:
// see [BSM.AmericanImpliedVol] for the reason. Options that share time, rate and
// yield share the work of the exercise boundary. The slices have equal lengths.
func AmericanImpliedVolBatch(dst []float64, p []BSM, kinds []Kind, prices []float64) error {
	if err := sameLength(len(dst), len(p), len(kinds), len(prices)); err != nil {
		return err
	}
	var shared curves
	for i := range p {
		dst[i] = shared.impliedVol(p[i], kinds[i], prices[i])
	}
	return nil
}

func (c *curves) impliedVol(p BSM, k Kind, price float64) float64 {
	p.Vol = 0.2
	put := p.asPut(k)
	if !validKind(k) || put.exercise() != exerciseSingle {
		vol, _ := p.AmericanImpliedVol(k, price, Accuracy1e6)
		return vol
	}
	target, spot := price/put.Strike, put.Spot/put.Strike
	put.Spot, put.Strike = spot, 1
	if !(target > put.certainAmerican()*(1+1e-14)) || !(target < 1) {
		return math.NaN()
	}
	curve := c.of(&put)
	// The European volatility of the price is above, by the premium.
	vol, err := put.impliedVol(Put, target)
	if err != nil || !curveVol(vol) {
		vol = 0.3
	}
	low, high := 0.0, math.Inf(1)
	lastVol, last, lastStep := 0.0, 0.0, 0.0
	for range 60 {
		value, exercised := curve.price(spot, vol)
		f := value - target
		if f == 0 {
			return vol
		}
		if f > 0 {
			high = vol
		} else {
			low = vol
		}
		slope := 0.0
		if lastVol > 0 && !exercised {
			slope = (f - last) / (vol - lastVol)
		} else if !exercised {
			slope = vegaOf(spot, vol, &put)
		}
		lastVol, last = vol, f
		next := vol - f/slope
		if !(next > low && next < high && slope > 0) {
			next = 2 * low
			if !math.IsInf(high, 1) {
				next = 0.5 * (low + high)
			}
		}
		// The error after a step of the secant is about its length times that of
		// the one before.
		step := math.Abs(next - vol)
		vol = next
		if step < 2e-5*vol || step*lastStep < 1e-7*vol*vol && lastStep > 0 {
			return vol
		}
		lastStep = step
		if !curveVol(vol) {
			break
		}
	}
	exact, _ := BSM{Spot: spot, Strike: 1, Years: put.Years, Rate: put.Rate, Yield: put.Yield}.AmericanImpliedVol(Put, target, Accuracy1e6)
	return exact
}

func vegaOf(spot, vol float64, put *BSM) float64 {
	dev := vol * math.Sqrt(put.Years)
	d := (math.Log(spot)+(put.Rate-put.Yield)*put.Years)/dev + 0.5*dev
	return spot * math.Exp(-put.Yield*put.Years) * density(d) * math.Sqrt(put.Years)
}

// AmericanGreeksBatch writes value, delta, gamma, theta, vega and boundary of
// p[i] as kinds[i] into dst[i], with the boundaries shared as in
// [AmericanPriceBatch]; the rhos are NaN, since every rate has its own boundary
// ([BSM.AmericanGreeks] has them). The slices have equal lengths.
func AmericanGreeksBatch(dst []AmericanGreeks, p []BSM, kinds []Kind) error {
	if err := sameLength(len(dst), len(p), len(kinds), len(p)); err != nil {
		return err
	}
	var shared curves
	for i := range p {
		put := p[i].asPut(kinds[i])
		if !validKind(kinds[i]) || put.exercise() != exerciseSingle || !curveVol(put.Vol) {
			dst[i] = p[i].AmericanGreeks(kinds[i], Accuracy1e6)
			continue
		}
		shared.of(&put).greeks(&dst[i], &p[i], kinds[i], &put)
	}
	return nil
}

func (c *americanCurve) greeks(g *AmericanGreeks, p *BSM, k Kind, put *BSM) {
	var boundary [curvePoints]float64
	now := c.at(put.Vol, &boundary)
	*g = AmericanGreeks{Rho: math.NaN(), RhoYield: math.NaN()}
	ratio := c.limit * math.Exp(now)
	g.Boundary = p.Strike * ratio
	if k == Call {
		g.Boundary = p.Strike / ratio
	}
	spot := put.Spot / put.Strike
	if spot <= ratio {
		*g = AmericanGreeks{Price: float64(k) * (p.Spot - p.Strike), Delta: float64(k), Boundary: g.Boundary, Exercise: true}
		return
	}
	f := &gridCurve().final
	dev := put.Vol * math.Sqrt(put.Years)
	drift := put.Rate - put.Yield
	own := math.Log(spot / c.limit)
	price, delta, gamma := 0.0, 0.0, 0.0
	for j := range curvePoints {
		v := dev * f.root[j]
		inverse := 1 / v
		dp := (own-boundary[j]+drift*c.time[j])*inverse + 0.5*v
		if dp > 7 {
			continue
		}
		dm := dp - v
		low, lowPDF := cdfDensity(-dm)
		tail, pdf := cdfDensity(-dp)
		cash, yield := f.weight[j]*c.discount[j], f.weight[j]*c.yield[j]
		price += cash*low - yield*spot*tail
		cash *= lowPDF * inverse / spot
		pdf *= inverse
		delta += yield*(pdf-tail) - cash
		gamma += (cash*(dm*inverse+1) + yield*pdf*(1-dp*inverse)) / spot
	}
	unit := BSM{spot, 1, put.Years, put.Rate, put.Yield, put.Vol}
	var e Greeks
	unit.greeks(Put, &e)
	price, delta, gamma = e.Price+put.Years*price, e.Delta+put.Years*delta, e.Gamma+put.Years*gamma
	g.Price, g.Delta, g.Gamma = price*put.Strike, delta, gamma/put.Strike
	if k == Call { // see AmericanGreeks
		s := put.Spot / p.Spot
		g.Delta, g.Gamma = (g.Price-put.Spot*delta)/p.Spot, g.Gamma*s*s
	}
	h := 0.005 * put.Vol
	up, _ := c.price(spot, put.Vol+h)
	down, _ := c.price(spot, put.Vol-h)
	g.Vega = (up - down) / (2 * h) * put.Strike
	g.Theta = p.Rate*g.Price - (p.Rate-p.Yield)*p.Spot*g.Delta - 0.5*p.Vol*p.Vol*p.Spot*p.Spot*g.Gamma
}
