package knowledge_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// An example of the starter library is a fenced block of lines
//
//	name = expression
//	name = expression => result
//
// where expressions are numbers, earlier names, + - * / and the functions below,
// which call the packages that programs use. A line that computes something has a
// result, as many digits as are claimed.

// A sheet is an example that has been worked through.
type sheet struct {
	values map[string]float64
	stated map[string]float64
	order  []string
	err    error
}

var statement = regexp.MustCompile(`^([a-z][A-Za-z0-9]*) = (.+?)(?: => (-?[0-9.]+))?$`)

// work evaluates the lines of an example and checks its results.
func work(block string) sheet {
	s := sheet{values: map[string]float64{}, stated: map[string]float64{}}
	for line := range strings.SplitSeq(strings.TrimSpace(block), "\n") {
		m := statement.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			s.err = fmt.Errorf("%q is no line of an example", line)
			return s
		}
		e, err := parser.ParseExpr(m[2])
		if err != nil {
			s.err = fmt.Errorf("%q: %w", line, err)
			return s
		}
		v, err := s.eval(e)
		if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
			err = fmt.Errorf("it is %v", v)
		}
		_, literal := e.(*ast.BasicLit)
		if u, ok := e.(*ast.UnaryExpr); ok {
			_, literal = u.X.(*ast.BasicLit)
		}
		switch {
		case err != nil:
		case m[3] == "" && !literal:
			err = fmt.Errorf("what is computed, %.6f, is not stated", v)
		case m[3] != "":
			stated, failed := strconv.ParseFloat(m[3], 64)
			if failed != nil {
				err = failed
				break
			}
			_, after, _ := strings.Cut(m[3], ".")
			if half := 0.5 * math.Pow10(-len(after)); math.Abs(stated-v) > half*(1+1e-9) {
				err = fmt.Errorf("it is %.6f", v)
			}
			s.stated[m[1]] = stated
		}
		if err != nil {
			s.err = fmt.Errorf("%s: %w", line, err)
			return s
		}
		s.values[m[1]] = v
		s.order = append(s.order, m[1])
	}
	return s
}

func (s *sheet) eval(e ast.Expr) (float64, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return s.eval(e.X)
	case *ast.BasicLit:
		return strconv.ParseFloat(e.Value, 64)
	case *ast.Ident:
		switch e.Name {
		case "call":
			return 1, nil
		case "put":
			return -1, nil
		case "shares":
			return 0, nil
		}
		if v, ok := s.values[e.Name]; ok {
			return v, nil
		}
		return 0, fmt.Errorf("nothing is called %s", e.Name)
	case *ast.UnaryExpr:
		v, err := s.eval(e.X)
		return -v, err
	case *ast.BinaryExpr:
		a, err := s.eval(e.X)
		if err != nil {
			return 0, err
		}
		b, err := s.eval(e.Y)
		if err != nil {
			return 0, err
		}
		switch e.Op {
		case token.ADD:
			return a + b, nil
		case token.SUB:
			return a - b, nil
		case token.MUL:
			return a * b, nil
		case token.QUO:
			return a / b, nil
		}
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.Ident)
		if !ok {
			break
		}
		args := make([]float64, len(e.Args))
		for i, a := range e.Args {
			var err error
			if args[i], err = s.eval(a); err != nil {
				return 0, err
			}
		}
		known, ok := functions[f.Name]
		if !ok {
			return 0, fmt.Errorf("there is no function %s", f.Name)
		}
		if len(args) < known.least {
			return 0, fmt.Errorf("%s takes %d arguments or more", f.Name, known.least)
		}
		return known.f(args)
	}
	return 0, fmt.Errorf("an expression that examples do not have")
}

type function struct {
	least int
	f     func(a []float64) (float64, error)
}

func simple(least int, f func(a []float64) float64) function {
	return function{least, func(a []float64) (float64, error) { return f(a), nil }}
}

// model reads spot, strike, days, rate, vol.
func model(a []float64) options.BSM {
	return options.BSM{Spot: a[0], Strike: a[1], Years: a[2] / 365, Rate: a[3], Vol: a[4]}
}

// greek reads kind, spot, strike, days, rate, vol.
func greek(f func(options.Greeks) float64) function {
	return simple(6, func(a []float64) float64 { return f(model(a[1:]).Greeks(options.Kind(a[0]))) })
}

// legs reads kind, quantity, strike, price, … with prices per share.
func legs(a []float64) (options.Payoff, error) {
	var out []options.Leg
	for ; len(a) >= 4; a = a[4:] {
		out = append(out, options.Leg{Kind: options.Kind(a[0]), Quantity: a[1], Strike: a[2], Price: a[3], Years: 0.1, Multiplier: 1})
	}
	s, err := options.NewStructure(out...)
	if err != nil {
		return options.Payoff{}, err
	}
	return s.Payoff()
}

func payoff(skip int, f func(p options.Payoff, a []float64) float64) function {
	return function{skip + 4, func(a []float64) (float64, error) {
		p, err := legs(a[skip:])
		if err != nil {
			return 0, err
		}
		return f(p, a), nil
	}}
}

func last(x []float64) float64 { return x[len(x)-1] }

// columns parts rows of n values into n columns.
func columns(n int, a []float64) [][]float64 {
	out := make([][]float64, n)
	for i, v := range a {
		out[i%n] = append(out[i%n], v)
	}
	return out
}

func pivot(name string) function {
	return function{3, func(a []float64) (float64, error) {
		p, err := levels.Pivots(market.Bar{Open: a[2], High: a[0], Low: a[1], Close: a[2], Volume: 1}, levels.PivotStandard, math.NaN())
		if err != nil {
			return 0, err
		}
		for _, n := range p.Prices() {
			if n.Name == name {
				return n.Price, nil
			}
		}
		return 0, fmt.Errorf("no %s", name)
	}}
}

// margin is the requirement under Regulation T of options on X: spot, then kind,
// quantity, strike, price, …
func margin(a []float64) (float64, error) {
	in := broker.MarginInput{Underlyings: map[market.Symbol]decimal.Decimal{"X": decimal.NewFromFloat(a[0])}}
	for a = a[1:]; len(a) >= 4; a = a[4:] {
		symbol := market.Symbol("X")
		if a[0] != 0 {
			symbol = market.Symbol(fmt.Sprintf("%-6s261218%s%08.0f", "X", map[float64]string{1: "C", -1: "P"}[a[0]], 1000*a[2]))
		}
		in.Positions = append(in.Positions, broker.MarginPosition{Symbol: symbol, Quantity: decimal.NewFromFloat(a[1]), Price: decimal.NewFromFloat(a[3])})
	}
	m, err := (&broker.MarginRules{}).Requirement(in)
	if err != nil {
		return 0, err
	}
	v, _ := m.Initial.Float64()
	return v, nil
}

var functions = map[string]function{
	"price":    simple(6, func(a []float64) float64 { return model(a[1:]).Price(options.Kind(a[0])) }),
	"american": simple(6, func(a []float64) float64 { return model(a[1:]).American(options.Kind(a[0]), options.Accuracy1e6) }),
	"delta":    greek(func(g options.Greeks) float64 { return g.Delta }),
	"gamma":    greek(func(g options.Greeks) float64 { return g.Gamma }),
	"theta":    greek(func(g options.Greeks) float64 { return g.ThetaPerDay() }),
	"vega":     greek(func(g options.Greeks) float64 { return g.VegaPerPoint() }),
	"rho":      greek(func(g options.Greeks) float64 { return g.RhoPerPoint() }),
	"vanna":    greek(func(g options.Greeks) float64 { return g.VannaPerPoint() }),
	"charm":    greek(func(g options.Greeks) float64 { return g.CharmPerDay() }),
	"itm":      greek(func(g options.Greeks) float64 { return g.ProbITM }),
	"touch":    greek(func(g options.Greeks) float64 { return g.ProbTouch }),
	"iv": {6, func(a []float64) (float64, error) {
		return model(append(append([]float64{}, a[2:6]...), 0)).ImpliedVol(options.Kind(a[0]), a[1])
	}},
	"dividend": {8, func(a []float64) (float64, error) {
		return model(a[1:6]).AmericanDividends(options.Kind(a[0]), []options.Dividend{{Years: a[6] / 365, Cash: a[7]}}, 0)
	}},
	"below": simple(5, func(a []float64) float64 {
		return options.Lognormal{Forward: model([]float64{a[1], 1, a[2], a[3], a[4]}).Forward(), Vol: a[4], Years: a[2] / 365}.Below(a[0])
	}),
	"profit":    payoff(1, func(p options.Payoff, a []float64) float64 { return p.At(a[0]) }),
	"most":      payoff(0, func(p options.Payoff, _ []float64) float64 { return p.Max() }),
	"least":     payoff(0, func(p options.Payoff, _ []float64) float64 { return p.Min() }),
	"breakeven": payoff(1, func(p options.Payoff, a []float64) float64 { return p.Breakevens()[int(a[0])-1] }),
	// chance of a profit: spot, days, rate, vol, legs
	"chance": payoff(4, func(p options.Payoff, a []float64) float64 {
		return p.ProbProfit(options.Lognormal{Forward: a[0] * math.Exp(a[2]*a[1]/365), Vol: a[3], Years: a[1] / 365})
	}),
	"expected": payoff(4, func(p options.Payoff, a []float64) float64 {
		return p.Expected(options.Lognormal{Forward: a[0] * math.Exp(a[2]*a[1]/365), Vol: a[3], Years: a[1] / 365})
	}),
	"margin": {5, margin},

	"sma": simple(2, func(a []float64) float64 { return last(indicators.SMA(nil, a[1:], int(a[0]))) }),
	"ema": simple(2, func(a []float64) float64 { return last(indicators.EMA(nil, a[1:], int(a[0]))) }),
	"rsi": simple(2, func(a []float64) float64 { return last(indicators.RSI(nil, a[1:], int(a[0]))) }),
	"hv":  simple(3, func(a []float64) float64 { return last(indicators.HistoricalVolatility(nil, a[1:], int(a[0]), 252)) }),
	"macd": simple(4, func(a []float64) float64 {
		return last(indicators.MACD(indicators.MACDValues{}, a[3:], int(a[0]), int(a[1]), int(a[2])).MACD)
	}),
	"signal": simple(4, func(a []float64) float64 {
		return last(indicators.MACD(indicators.MACDValues{}, a[3:], int(a[0]), int(a[1]), int(a[2])).Signal)
	}),
	"upper": simple(3, func(a []float64) float64 {
		return last(indicators.Bollinger(indicators.BollingerValues{}, a[2:], int(a[0]), a[1]).Upper)
	}),
	"lower": simple(3, func(a []float64) float64 {
		return last(indicators.Bollinger(indicators.BollingerValues{}, a[2:], int(a[0]), a[1]).Lower)
	}),
	// rows of high, low, close
	"atr": simple(4, func(a []float64) float64 {
		c := columns(3, a[1:])
		return last(indicators.ATR(nil, c[0], c[1], c[2], int(a[0])))
	}),
	"adx": simple(4, func(a []float64) float64 {
		c := columns(3, a[1:])
		return last(indicators.ADX(indicators.ADXValues{}, c[0], c[1], c[2], int(a[0])).ADX)
	}),
	"plusdi": simple(4, func(a []float64) float64 {
		c := columns(3, a[1:])
		return last(indicators.ADX(indicators.ADXValues{}, c[0], c[1], c[2], int(a[0])).PlusDI)
	}),
	"minusdi": simple(4, func(a []float64) float64 {
		c := columns(3, a[1:])
		return last(indicators.ADX(indicators.ADXValues{}, c[0], c[1], c[2], int(a[0])).MinusDI)
	}),
	"stochastic": simple(4, func(a []float64) float64 {
		c := columns(3, a[1:])
		return last(indicators.Stochastic(indicators.StochasticValues{}, c[0], c[1], c[2], int(a[0]), 1, 1).K)
	}),
	"channelhigh": simple(3, func(a []float64) float64 {
		c := columns(2, a[1:])
		return last(indicators.Donchian(indicators.DonchianValues{}, c[0], c[1], int(a[0]), 0).Upper)
	}),
	"channellow": simple(3, func(a []float64) float64 {
		c := columns(2, a[1:])
		return last(indicators.Donchian(indicators.DonchianValues{}, c[0], c[1], int(a[0]), 0).Lower)
	}),
	// rows of close, volume
	"obv": simple(2, func(a []float64) float64 {
		c := columns(2, a)
		return last(indicators.OBV(nil, c[0], c[1]))
	}),
	// rows of high, low, close, volume
	"vwap": simple(4, func(a []float64) float64 {
		c := columns(4, a)
		return last(indicators.VWAP(indicators.VWAPValues{}, c[0], c[1], c[2], c[3], 1).VWAP)
	}),
	"pivotP": pivot("P"), "pivotR1": pivot("R1"), "pivotS1": pivot("S1"), "pivotR2": pivot("R2"), "pivotS2": pivot("S2"),

	"sqrt":  simple(1, func(a []float64) float64 { return math.Sqrt(a[0]) }),
	"exp":   simple(1, func(a []float64) float64 { return math.Exp(a[0]) }),
	"ln":    simple(1, func(a []float64) float64 { return math.Log(a[0]) }),
	"pow":   simple(2, func(a []float64) float64 { return math.Pow(a[0], a[1]) }),
	"min":   simple(2, func(a []float64) float64 { return min(a[0], a[1]) }),
	"max":   simple(2, func(a []float64) float64 { return max(a[0], a[1]) }),
	"floor": simple(1, func(a []float64) float64 { return math.Floor(a[0]) }),
}
