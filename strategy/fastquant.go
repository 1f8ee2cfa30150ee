package strategy

import (
	"math"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// The nine rules of fastquant, with its names and its defaults. They look at the
// close of each bar and go by the definitions of backtrader, on which fastquant
// stands: exponential averages begin with the plain average of their first
// values, deviations divide by n, and lines cross when they differ the other way
// than the last time that they differed at all.

// SMACParams are those of "smac" and "emac".
type SMACParams struct {
	SignalParams
	Fast int `json:"fast_period" min:"1" max:"10000" doc:"bars of the faster average"`
	Slow int `json:"slow_period" min:"2" max:"10000" doc:"bars of the slower average"`
}

// RSIParams are those of "rsi".
type RSIParams struct {
	SignalParams
	Period int     `json:"rsi_period" min:"1" max:"10000" doc:"bars of the index"`
	Upper  float64 `json:"rsi_upper" min:"0" max:"100" doc:"it sells above this"`
	Lower  float64 `json:"rsi_lower" min:"0" max:"100" doc:"it buys below this"`
}

// MACDParams are those of "macd".
type MACDParams struct {
	SignalParams
	Fast      int `json:"fast_period" min:"1" max:"10000" doc:"bars of the faster average"`
	Slow      int `json:"slow_period" min:"2" max:"10000" doc:"bars of the slower average"`
	Signal    int `json:"signal_period" min:"1" max:"10000" doc:"bars of the signal line"`
	SMA       int `json:"sma_period" min:"1" max:"10000" doc:"bars of the average that tells the trend"`
	Direction int `json:"dir_period" min:"1" max:"10000" doc:"bars back that the trend is compared with"`
}

// BandsParams are those of "bbands".
type BandsParams struct {
	SignalParams
	Period int     `json:"period" min:"1" max:"10000" doc:"bars of the bands"`
	Width  float64 `json:"devfactor" min:"0" max:"1000" doc:"deviations between the average and a band"`
}

// HoldParams are those of "buynhold".
type HoldParams struct {
	SignalParams
	Until string `json:"until" optional:"true" doc:"day, YYYY-MM-DD, from which on it sells instead; empty: never"`
}

// SentimentParams are those of "sentiment".
type SentimentParams struct {
	SignalParams
	Column    string  `json:"column" doc:"name of the data's column with the score"`
	Threshold float64 `json:"senti" min:"0" doc:"it buys at this score or above, and sells at its negative or below"`
}

// CustomParams are those of "custom".
type CustomParams struct {
	SignalParams
	Column string  `json:"custom_column" doc:"name of the data's column"`
	Upper  float64 `json:"upper_limit" doc:"it sells above this"`
	Lower  float64 `json:"lower_limit" doc:"it buys below this"`
}

// TernaryParams are those of "ternary".
type TernaryParams struct {
	SignalParams
	Column string  `json:"custom_column" doc:"name of the data's column"`
	Buy    float64 `json:"buy_int" doc:"it buys at exactly this value"`
	Sell   float64 `json:"sell_int" doc:"it sells at exactly this value"`
}

func fastquantDefinitions() []Definition {
	common := SignalParams{Interval: market.Interval("1d"), BuyProp: 1, SellProp: 1, Slippage: 0.001, ShortMax: 1.5}
	cross := SMACParams{common, 10, 30}
	return []Definition{
		Define("smac", "Simple moving average cross", "Buys when the faster simple average of the closes crosses above the slower, sells when it crosses below.",
			cross, func(p SMACParams) (Strategy, error) { return newCross(p, "sma") }),
		Define("emac", "Exponential moving average cross", "Buys when the faster exponential average of the closes crosses above the slower, sells when it crosses below.",
			cross, func(p SMACParams) (Strategy, error) { return newCross(p, "ema") }),
		Define("rsi", "Relative strength", "Buys when Wilder's relative strength index is low, sells when it is high.",
			RSIParams{common, 14, 70, 30}, newRSIRule),
		Define("macd", "MACD against the trend", "Buys when the MACD crosses above its signal line while a longer average has fallen, sells on the mirror image.",
			MACDParams{common, 12, 26, 9, 30, 10}, newMACDRule),
		Define("bbands", "Bollinger bands", "Buys below the lower Bollinger band, sells above the upper.",
			BandsParams{common, 20, 2}, newBandsRule),
		Define("buynhold", "Buy and hold", "Buys on every bar as long as the cash lasts, and holds.",
			HoldParams{common, ""}, newHoldRule),
		Define("sentiment", "Sentiment", "Buys when the score of a column of the data is high, sells when it is low.",
			SentimentParams{common, "sentiment_score", 0.2}, func(p SentimentParams) (Strategy, error) {
				r := &columnRule{sign: func(x float64) signal {
					switch {
					case x >= p.Threshold:
						return buy
					case x <= -p.Threshold:
						return sell
					}
					return nothing
				}}
				return newSignalTrader(p.SignalParams, r, p.Column), nil
			}),
		Define("custom", "Custom column", "Buys when a column of the data is below a limit, sells when it is above another.",
			CustomParams{common, "custom", 95, 5}, func(p CustomParams) (Strategy, error) {
				if p.Lower > p.Upper {
					return nil, invalid.Fieldf("lower_limit", p.Lower, "a number of at most upper_limit, which is %v", p.Upper)
				}
				r := &columnRule{sign: func(x float64) signal {
					switch {
					case x < p.Lower:
						return buy
					case x > p.Upper:
						return sell
					}
					return nothing
				}}
				return newSignalTrader(p.SignalParams, r, p.Column), nil
			}),
		Define("ternary", "Ternary column", "Buys when a column of the data has one value, sells when it has another.",
			TernaryParams{common, "custom", 1, -1}, func(p TernaryParams) (Strategy, error) {
				if p.Buy == p.Sell {
					return nil, invalid.Field("sell_int", p.Sell, "another number than buy_int")
				}
				r := &columnRule{sign: func(x float64) signal {
					switch x {
					case p.Buy:
						return buy
					case p.Sell:
						return sell
					}
					return nothing
				}}
				return newSignalTrader(p.SignalParams, r, p.Column), nil
			}),
	}
}

// A crossRule goes by two averages.
type crossRule struct {
	fast, slow line
	slower     int
	cross      crossing
}

func newCross(p SMACParams, average string) (Strategy, error) {
	r, err := newCrossRule("fast_period", p.Fast, p.Slow, average)
	if err != nil {
		return nil, err
	}
	return newSignalTrader(p.SignalParams, r, ""), nil
}

func newCrossRule(name string, fast, slow int, average string) (*crossRule, error) {
	if fast >= slow {
		return nil, invalid.Fieldf(name, fast, "fewer bars than the slower average has, %d", slow)
	}
	r := &crossRule{slower: slow}
	var err error
	if r.fast, err = newAverage(average, fast); err != nil {
		return nil, err
	}
	if r.slow, err = newAverage(average, slow); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *crossRule) update(b *market.Bar, _ float64) signal {
	return r.cross.update(r.fast.Update(b.Close) - r.slow.Update(b.Close))
}

func (r *crossRule) warmup() int         { return r.slower + 1 }
func (r *crossRule) streams() []any      { return []any{r.fast, r.slow} }
func (r *crossRule) numbers() []*float64 { return []*float64{&r.cross.last} }

type rsiRule struct {
	index        *indicators.RSIStream
	upper, lower float64
}

func newRSIRule(p RSIParams) (Strategy, error) {
	if p.Lower > p.Upper {
		return nil, invalid.Fieldf("rsi_lower", p.Lower, "a number of at most rsi_upper, which is %v", p.Upper)
	}
	index, err := indicators.NewRSI(p.Period)
	if err != nil {
		return nil, err
	}
	return newSignalTrader(p.SignalParams, &rsiRule{index, p.Upper, p.Lower}, ""), nil
}

func (r *rsiRule) update(b *market.Bar, _ float64) signal {
	switch x := r.index.Update(b.Close); {
	case x < r.lower:
		return buy
	case x > r.upper:
		return sell
	}
	return nothing
}

func (r *rsiRule) warmup() int         { return r.index.Warmup() + 1 }
func (r *rsiRule) streams() []any      { return []any{r.index} }
func (r *rsiRule) numbers() []*float64 { return nil }

type macdRule struct {
	macd   *indicators.MACDStream
	sma    *indicators.SMAStream
	cross  crossing
	past   []float64 // the average of the last bars, a ring
	next   float64   // in past
	needed int
}

func newMACDRule(p MACDParams) (Strategy, error) {
	if p.Fast >= p.Slow {
		return nil, invalid.Fieldf("fast_period", p.Fast, "fewer bars than slow_period, which is %d", p.Slow)
	}
	macd, err := indicators.NewMACD(p.Fast, p.Slow, p.Signal)
	if err != nil {
		return nil, err
	}
	sma, err := indicators.NewSMA(p.SMA)
	if err != nil {
		return nil, err
	}
	r := &macdRule{macd: macd, sma: sma, past: make([]float64, p.Direction), needed: max(p.Slow+p.Signal, p.SMA+p.Direction)}
	for i := range r.past {
		r.past[i] = math.NaN()
	}
	return newSignalTrader(p.SignalParams, r, ""), nil
}

func (r *macdRule) update(b *market.Bar, _ float64) signal {
	crossed := r.cross.update(r.macd.Update(b.Close).Histogram)
	average := r.sma.Update(b.Close)
	at := 0
	if r.next >= 0 && r.next < float64(len(r.past)) {
		at = int(r.next)
	}
	direction := average - r.past[at]
	r.past[at] = average
	r.next = float64((at + 1) % len(r.past))
	if crossed == buy && direction < 0 || crossed == sell && direction > 0 {
		return crossed
	}
	return nothing
}

func (r *macdRule) warmup() int    { return r.needed }
func (r *macdRule) streams() []any { return []any{r.macd, r.sma} }
func (r *macdRule) numbers() []*float64 {
	out := []*float64{&r.cross.last, &r.next}
	for i := range r.past {
		out = append(out, &r.past[i])
	}
	return out
}

type bandsRule struct{ bands *indicators.BollingerStream }

func newBandsRule(p BandsParams) (Strategy, error) {
	bands, err := indicators.NewBollinger(p.Period, p.Width)
	if err != nil {
		return nil, err
	}
	return newSignalTrader(p.SignalParams, &bandsRule{bands}, ""), nil
}

func (r *bandsRule) update(b *market.Bar, _ float64) signal {
	switch bands := r.bands.Update(b.Close); {
	case b.Close < bands.Lower:
		return buy
	case b.Close > bands.Upper:
		return sell
	}
	return nothing
}

func (r *bandsRule) warmup() int         { return r.bands.Warmup() + 1 }
func (r *bandsRule) streams() []any      { return []any{r.bands} }
func (r *bandsRule) numbers() []*float64 { return nil }

// A holdRule buys whenever it can: what is left of the cash buys more when a
// later price lets it.
type holdRule struct{ until market.Date }

func newHoldRule(p HoldParams) (Strategy, error) {
	r := &holdRule{}
	if p.Until != "" {
		day, err := market.ParseDate(p.Until)
		if err != nil {
			return nil, invalid.Field("until", p.Until, "a day as YYYY-MM-DD, or nothing")
		}
		r.until = day
	}
	return newSignalTrader(p.SignalParams, r, ""), nil
}

func (r *holdRule) update(b *market.Bar, _ float64) signal {
	if !r.until.IsZero() && !market.DateOf(b.Time).Before(r.until) {
		return sell
	}
	return buy
}

func (r *holdRule) warmup() int         { return 1 }
func (r *holdRule) streams() []any      { return nil }
func (r *holdRule) numbers() []*float64 { return nil }

// A columnRule goes by a column of the data.
type columnRule struct{ sign func(x float64) signal }

func (r *columnRule) update(_ *market.Bar, column float64) signal { return r.sign(column) }
func (r *columnRule) warmup() int                                 { return 1 }
func (r *columnRule) streams() []any                              { return nil }
func (r *columnRule) numbers() []*float64                         { return nil }
