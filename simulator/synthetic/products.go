package synthetic

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/ttai-go/ttai/market"
)

// A product is a family of futures that differ in their month alone.
type product struct {
	code, name string
	exchange   string
	reference  string  // product whose underlying this one shares; "" for its own
	scale      float64 // points of the underlying for one of the price
	point      float64 // dollars per point and contract
	tick       float64 // the reciprocal of a whole number
	months     string  // listed month codes
	ahead      int     // how many of them are listed at a time
	ends       lastDay
	roll       int     // sessions before the last one at which the next month takes over
	volume     float64 // thousand contracts a day, all months together
	rating     int     // liquidity, 1 to 5
	skew       skew
	fine       float64 // distance of strikes near the price; 0: no options
	coarse     float64 // and away from it
	optionTick []market.Tick
	series     []series
}

// A lastDay is the rule for the end of a contract's trading, as the exchange's
// rulebook has it, with its sessions counted as those of the stock exchange.
type lastDay int

const (
	thirdFriday  lastDay = iota // 09:30, when the final settlement price is formed
	crude                       // 14:30, three sessions before the 25th of the month before; four when the 25th is none
	gas                         // 14:30, three sessions before the first of the month
	metal                       // 13:30, third last session of the month
	bond                        // 13:01, seven sessions before the last one of the month
	currencyDate                // 10:16, two sessions before the third Wednesday
)

// A series is a sequence of option expirations with one root.
type series struct {
	root  string
	dates dates
	style market.ExerciseStyle
	hour  int
	min   int
	ahead int // days before its date at which one is listed
}

// A dates is the rule for the expirations of a series.
type dates int

const (
	withFuture  dates = iota // the last day of each contract, at its time
	monthEnd                 // last session of each month
	fridays                  // every Friday of a month but those beyond the fourth; the root gets the week's number
	weekdays                 // Monday to Thursday alike; the root gets the week's number and A to D
	crudeMonth               // three sessions before the future's last
	gasMonth                 // one session before the future's last
	metalMonth               // four sessions before the end of the month before, never on a Friday
	bondMonth                // last Friday that is two sessions before the last one of the month before
	currencyMon              // second Friday before the third Wednesday
)

const (
	quarterly = "HMUZ"
	monthly   = "FGHJKMNQUVXZ"
)

// products lists the futures; prices and volumes are invented, in the order of
// size of what the names suggest. Micros have the underlying of the full contract.
func products() []product {
	inf := math.Inf(1)
	cents := []market.Tick{{Below: inf, Increment: 0.01}}
	points := []market.Tick{{Below: 5, Increment: 0.05}, {Below: inf, Increment: 0.25}}
	falls, even, rises := skew{-0.65, 0.9}, skew{0.05, 0.75}, skew{0.15, 0.8}
	at := func(root string, d dates, hour, min, ahead int) series {
		return series{root, d, market.American, hour, min, ahead}
	}
	european := func(root string, d dates, ahead int) series {
		return series{root, d, market.European, 16, 0, ahead}
	}
	return []product{
		{code: "ES", name: "E-mini S&P 500", exchange: "XCME", scale: 1, point: 50, tick: 0.25, months: quarterly, ahead: 5, ends: thirdFriday, roll: 5,
			volume: 1500, rating: 5, skew: falls, fine: 5, coarse: 25, optionTick: points,
			series: []series{at("ES", withFuture, 9, 30, 460), european("EW", monthEnd, 190), european("EW", fridays, 50), european("E", weekdays, 30)}},
		{code: "MES", name: "Micro E-mini S&P 500", exchange: "XCME", reference: "ES", scale: 1, point: 5, tick: 0.25, months: quarterly, ahead: 5, ends: thirdFriday, roll: 5, volume: 1100, rating: 5},
		{code: "NQ", name: "E-mini Nasdaq-100", exchange: "XCME", scale: 1, point: 20, tick: 0.25, months: quarterly, ahead: 5, ends: thirdFriday, roll: 5,
			volume: 520, rating: 5, skew: falls, fine: 25, coarse: 100, optionTick: points,
			series: []series{at("NQ", withFuture, 9, 30, 460), european("QNE", monthEnd, 190), european("QN", fridays, 50)}},
		{code: "MNQ", name: "Micro E-mini Nasdaq-100", exchange: "XCME", reference: "NQ", scale: 1, point: 2, tick: 0.25, months: quarterly, ahead: 5, ends: thirdFriday, roll: 5, volume: 1400, rating: 5},
		{code: "RTY", name: "E-mini Russell 2000", exchange: "XCME", scale: 1, point: 50, tick: 0.1, months: quarterly, ahead: 5, ends: thirdFriday, roll: 5, volume: 190, rating: 4},
		{code: "YM", name: "E-mini Dow", exchange: "XCBT", scale: 1, point: 5, tick: 1, months: quarterly, ahead: 4, ends: thirdFriday, roll: 5, volume: 150, rating: 4},
		{code: "CL", name: "Crude Oil", exchange: "XNYM", scale: 100, point: 1000, tick: 0.01, months: monthly, ahead: 14, ends: crude, roll: 2,
			volume: 900, rating: 5, skew: skew{-0.2, 0.8}, fine: 0.5, coarse: 1, optionTick: cents,
			series: []series{at("LO", crudeMonth, 14, 30, 400), at("LO", fridays, 14, 30, 40)}},
		{code: "MCL", name: "Micro Crude Oil", exchange: "XNYM", reference: "CL", scale: 100, point: 100, tick: 0.01, months: monthly, ahead: 12, ends: crude, roll: 2, volume: 90, rating: 4},
		{code: "NG", name: "Natural Gas", exchange: "XNYM", scale: 1000, point: 10_000, tick: 0.001, months: monthly, ahead: 14, ends: gas, roll: 2,
			volume: 420, rating: 4, skew: rises, fine: 0.05, coarse: 0.25, optionTick: []market.Tick{{Below: inf, Increment: 0.001}},
			series: []series{at("ON", gasMonth, 14, 30, 400)}},
		{code: "GC", name: "Gold", exchange: "XCEC", scale: 1, point: 100, tick: 0.1, months: "GJMQVZ", ahead: 8, ends: metal, roll: 21,
			volume: 230, rating: 5, skew: rises, fine: 5, coarse: 25, optionTick: []market.Tick{{Below: inf, Increment: 0.1}},
			series: []series{at("OG", metalMonth, 13, 30, 400), at("OG", fridays, 13, 30, 40)}},
		{code: "MGC", name: "Micro Gold", exchange: "XCEC", reference: "GC", scale: 1, point: 10, tick: 0.1, months: "GJMQVZ", ahead: 8, ends: metal, roll: 21, volume: 110, rating: 4},
		{code: "SI", name: "Silver", exchange: "XCEC", scale: 100, point: 5000, tick: 0.005, months: "HKNUZ", ahead: 6, ends: metal, roll: 21,
			volume: 75, rating: 4, skew: rises, fine: 0.25, coarse: 1, optionTick: []market.Tick{{Below: inf, Increment: 0.005}},
			series: []series{at("SO", metalMonth, 13, 25, 300)}},
		{code: "HG", name: "Copper", exchange: "XCEC", scale: 1000, point: 25_000, tick: 0.0005, months: "HKNUZ", ahead: 6, ends: metal, roll: 21, volume: 85, rating: 3},
		{code: "ZB", name: "U.S. Treasury Bond", exchange: "XCBT", scale: 100, point: 1000, tick: 1.0 / 32, months: quarterly, ahead: 3, ends: bond, roll: 16,
			volume: 420, rating: 5, skew: even, fine: 0.5, coarse: 1, optionTick: []market.Tick{{Below: inf, Increment: 1.0 / 64}},
			series: []series{at("OZB", bondMonth, 17, 0, 200), at("ZB", fridays, 17, 0, 30)}},
		{code: "ZN", name: "10-Year U.S. Treasury Note", exchange: "XCBT", scale: 100, point: 1000, tick: 1.0 / 64, months: quarterly, ahead: 3, ends: bond, roll: 16,
			volume: 1900, rating: 5, skew: even, fine: 0.25, coarse: 0.5, optionTick: []market.Tick{{Below: inf, Increment: 1.0 / 64}},
			series: []series{at("OZN", bondMonth, 17, 0, 200), at("ZN", fridays, 17, 0, 30)}},
		{code: "6E", name: "Euro FX", exchange: "XCME", scale: 10_000, point: 125_000, tick: 0.00005, months: quarterly, ahead: 5, ends: currencyDate, roll: 3,
			volume: 210, rating: 4, skew: even, fine: 0.005, coarse: 0.01, optionTick: []market.Tick{{Below: inf, Increment: 0.00005}},
			series: []series{at("EUU", currencyMon, 10, 0, 200)}},
	}
}

// underlyings are the profiles of what futures are on, by product. One with
// the symbol of a fund draws the fund's own noise: /NQ moves with QQQ as /ES
// moves with SPX, whose track it uses itself. Prices are in points times the
// product's scale, large enough for a cent to be finer than a tick; the yield
// is what holding the thing itself brings: dividends, coupons, the use of oil
// in a tank.
func underlyings() map[string]profile {
	thing := func(symbol market.Symbol, s sector, price, beta, load, idio, drift, yield float64, rating int) profile {
		return profile{symbol: symbol, name: string(symbol), class: index, sector: s, price: price, beta: beta, load: load, idio: idio, drift: drift + yield, yield: yield, rating: rating}
	}
	return map[string]profile{
		"NQ":  thing("QQQ", technology, 24_380, 1.1, 0.8, 0.02, 0.094, 0.006, 5),
		"RTY": thing("IWM", smallCaps, 2410, 1.05, 1, 0.02, 0.048, 0.012, 4),
		"YM":  thing("DIA", industrials, 45_850, 0.92, 0.4, 0.025, 0.06, 0.016, 4),
		"CL":  thing("crude oil", energy, 6420, 0.25, 0.8, 0.26, 0.01, 0.09, 5),
		"NG":  thing("natural gas", energy, 2950, 0.1, 0.35, 0.55, 0, 0, 4),
		"GC":  thing("GLD", metals, 3690, 0.02, 1, 0.02, 0.07, 0, 5),
		"SI":  thing("SLV", metals, 4250, 0.25, 1.5, 0.12, 0.06, 0, 4),
		"HG":  thing("copper", metals, 4650, 0.4, 0.5, 0.18, 0.03, 0.02, 3),
		"ZB":  thing("TLT", bonds, 11_750, -0.11, 0.75, 0.015, 0, 0.045, 5),
		"ZN":  thing("TLT", bonds, 11_290, -0.05, 0.4, 0.01, 0, 0.045, 5),
		"6E":  thing("euro", broad, 11_750, 0.08, 0, 0.07, 0, 0.02, 4),
	}
}

// A future is a product with its history: what its contracts are prices of.
type future struct {
	product
	market    *Market
	key       key
	cell      *cell // of the underlying
	contracts func() []contract
	strip     func() *strip

	made   atomic.Pointer[minuteDay] // minutes of one trade date
	listed atomic.Pointer[futureListing]
}

// addFutures makes the products known; their histories come when asked for.
func (m *Market) addFutures() {
	m.futureDays = sync.OnceValue(func() []market.TradingDay { return market.CMEEquityIndex().Days(span()) })
	things := underlyings()
	cells := map[string]*cell{"ES": m.cells["SPX"]}
	for _, p := range products() {
		origin := p.code
		if p.reference != "" {
			origin = p.reference
		}
		c := cells[origin]
		if c == nil {
			thing := things[origin]
			c = &cell{profile: &thing, reference: true, unhalted: p.ends != thirdFriday}
			cells[origin] = c
		}
		f := &future{product: p, market: m, key: m.key.name("future " + origin), cell: c}
		f.contracts = sync.OnceValue(f.makeContracts)
		f.strip = sync.OnceValue(f.makeStrip)
		m.futures[p.code] = f
		m.codes = append(m.codes, p.code)
	}
}

// from is the product with the full contract of this one's underlying: its
// strip is shared by micros.
func (f *future) from() *future {
	if f.reference != "" {
		return f.market.futures[f.reference]
	}
	return f
}
