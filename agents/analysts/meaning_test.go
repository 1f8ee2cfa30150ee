package analysts_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/market"
)

// piece is a piece of evidence with a value and a text.
func piece(id string, value float64, text string) analysts.Evidence {
	return analysts.Evidence{ID: id, Name: id, Value: market.Float(value), Text: text}
}

// levelAt is one with a distance from the last close.
func levelAt(id, name string, value, atr float64) analysts.Evidence {
	e, distance := piece(id, value, fmt.Sprintf("%.2f", value)), market.Float(atr)
	e.Name, e.DistanceATR = name, &distance
	return e
}

// A row is a sentence that is true of the evidence and its inversion.
type inversion struct {
	of          []analysts.Evidence
	right, says string
}

func inversions() []inversion {
	one := func(e ...analysts.Evidence) []analysts.Evidence { return e }
	sma200 := one(piece("trend.sma200_distance", 0.0523, "5.2% above its 200-day average"))
	sma50 := one(piece("trend.sma50_distance", -0.012, "1.2% below its 50-day average"))
	support := one(levelAt("levels.support.1", "Nearest support", 656.45, -0.4))
	resistance := one(levelAt("levels.resistance.1", "Nearest resistance", 671.2, 0.8))
	walls := one(levelAt("options.put_wall", "Put wall", 640, -2), levelAt("options.call_wall", "Call wall", 690, 3))
	rsi := func(x float64) []analysts.Evidence { return one(piece("momentum.rsi", x, fmt.Sprintf("%.1f", x))) }
	dear := one(piece("options.iv_hv", 1.21, "1.21"))
	return []inversion{
		// Price against averages and bands.
		{sma200, "The price is 5.2% above its 200-day average.", "The price is 5.2% below its 200-day average."},
		{sma200, "It trades above the SMA 200", "It trades below the SMA 200"},
		{sma200, "It holds above the rising 200-day moving average, which helps.", "It holds under the rising 200-day moving average, which helps."},
		{sma200, "The 200-day average lies well below the price.", "The 200-day average lies well above the price."},
		{sma200, "Price is above its long-term average and calm", "Price is below its long-term average and calm"},
		{sma50, "It closed below its 50-day average.", "It closed above its 50-day average."},
		{sma50, "Shares sit lower than the 50 DMA", "Shares sit higher than the 50 DMA"},
		{one(piece("volatility.percent_b", 1.08, "1.08, above the upper band")), "It closed above the upper band", "It closed below the lower band"},
		// Price against levels, and levels against the price.
		{support, "The price is 0.4 ATR above the nearest support.", "The price is 0.4 ATR below the nearest support."},
		{support, "Support lies 0.4 ATR below the close", "Support lies 0.4 ATR above the close"},
		{support, "The nearest support at 656.45 is just below.", "The nearest support at 656.45 is just above."},
		{resistance, "It trades below the nearest resistance at 671.20", "It trades above the nearest resistance at 671.20"},
		{resistance, "Resistance 0.8 ATR above, little room", "Resistance 0.8 ATR below, little room"},
		{walls, "The put wall at 640.00 is below the spot", "The put wall at 640.00 is above the spot"},
		{walls, "The call wall sits above the price", "The call wall sits below the price"},
		{walls, "The price stands above the put wall", "The price stands below the put wall"},
		{one(piece("levels.position52", 0.91, "91.0% of the way from low to high")), "It is close to its 52-week high", "It is close to its 52-week low"},
		// RSI.
		{rsi(75.1), "An RSI of 75.1 is overbought", "An RSI of 75.1 is oversold"},
		{rsi(24.9), "RSI 14: 24.9, oversold", "RSI 14: 24.9, overbought"},
		{rsi(75.1), "The RSI, at 75.1, is above 70", "The RSI, at 75.1, is below 70"},
		{rsi(24.9), "RSI is under 30", "RSI is above 30"},
		{rsi(55), "RSI stays above 50", "RSI stays below 50"},
		{rsi(55), "RSI is neutral at 55.0", "RSI is overbought at 55.0"},
		// Implied against historical volatility.
		{dear, "Implied volatility is above historical volatility", "Implied volatility is below historical volatility"},
		{dear, "IV exceeds realised volatility", "IV is lower than realised volatility"},
		{dear, "Historical volatility is lower than implied", "Historical volatility is higher than implied"},
		{one(piece("options.iv_rank", 0.82, "82.0%")), "IV rank of 82.0% is high", "IV rank of 82.0% is low"},
		// Signs and directions.
		{one(piece("options.skew25", -0.031, "-3.1 points")), "The skew is negative", "The skew is positive"},
		{one(piece("options.skew25", 0.031, "+3.1 points")), "A positive skew of 3.1 points", "A negative skew of 3.1 points"},
		{one(piece("momentum.macd_histogram", 0.12, "+0.12 ATR")), "The MACD histogram is positive", "The MACD histogram is negative"},
		{one(piece("momentum.macd_histogram", -0.12, "-0.12 ATR")), "MACD is below zero", "MACD is above zero"},
		{one(piece("trend.sma50_slope", 0.021, "+2.1% in 20 days")), "The 50-day average is rising", "The 50-day average is falling"},
		{one(piece("options.term_slope", -0.04, "-4.0%, falling with time")), "The term structure is inverted", "The term structure is in contango"},
		{one(piece("risk.correlation", 0.8, "+0.80")), "A positive correlation with the benchmark", "A negative correlation with the benchmark"},
		{one(piece("trend.di_difference", 8, "+8.0")), "upward movement dominates", "downward movement dominates"},
		{one(piece("trend.structure", 1, "higher highs and higher lows")), "It makes higher highs", "It makes lower highs"},
		{one(piece("momentum.roc21", 0.043, "+4.3%")), "It gained 4.3% over 21 bars", "It lost 4.3% over 21 bars"},
		{one(piece("momentum.roc63", -0.111, "-11.1%")), "The shares are 11.1% lower", "The shares are 11.1% higher"},
		{one(piece("momentum.roc21", 0.043, "+4.3%")), "The price rose over the last month", "The price fell over the last month"},
		{one(piece("market.roc21", -0.02, "SPY -2.0%")), "SPY fell by 2.0%", "SPY rose by 2.0%"},
		// Two numbers.
		{one(piece("quote.price", 660, "660.00"), piece("levels.low52", 610, "610.00")), "660.00 is above the low of 610.00", "At 610.00 is above the price of 660.00"},
		{one(piece("options.iv30", 0.2, "20.0% a year"), piece("volatility.hv20", 0.15, "15.0% a year")), "20.0% is over the historical 15.0%", "20.0% is under the historical 15.0%"},
	}
}

func TestTheCommonestInversionsAreCaught(t *testing.T) {
	for _, i := range inversions() {
		assert.Empty(t, analysts.Contradicted(i.right, i.of), i.right)
		assert.NotEmpty(t, analysts.Contradicted(i.says, i.of), i.says)
		if len(i.of) == 1 {
			assert.Empty(t, analysts.Contradicted(i.says, nil), "nothing is said without evidence of the kind: %s", i.says)
		}
	}
}

// Sentences that hold the words of a claim and claim something else.
func TestWhatIsNoClaimIsNoContradiction(t *testing.T) {
	evidence := []analysts.Evidence{
		piece("trend.sma200_distance", 0.0523, "5.2% above its 200-day average"), piece("trend.sma50_distance", 0.02, "2.0% above its 50-day average"),
		levelAt("levels.support.1", "Nearest support", 656.45, -0.4), levelAt("levels.resistance.1", "Nearest resistance", 671.2, 0.8),
		piece("momentum.rsi", 55, "55.0"), piece("options.iv_hv", 1.21, "1.21"), piece("momentum.roc21", 0.043, "+4.3%"),
		piece("trend.sma50_slope", 0.021, "+2.1%"), piece("options.term_slope", 0.1, "+10.0%"), piece("risk.drawdown", 0.043, "4.3%"),
	}
	for _, text := range []string{
		"The price is not below its 200-day average.",
		"If it fell below its 200-day average, the view would change.",
		"A close below support would end it.",
		"It could drop below the nearest support.",
		"It is no longer overbought.",
		"The RSI is neither overbought nor oversold.",
		"RSI has room before it is overbought, not oversold",
		"The 200-day average is below the 50-day average.",
		"The strike is below its 200-day average.",
		"The put strike lies below support.",
		"Volume is below its average.",
		"Support is 1.2 ATR below resistance.",
		"support 0.4 ATR below, resistance 0.8 ATR above",
		"Implied over historical volatility: 1.21.",
		"It was below its 200-day average in spring.",
		"It nearly fell 4.3%.",
		"The largest drawdown: 4.3%.",
		"Breaks below 656.45 are bought.",
		"10 days above 640 and 5.2% above the 200-day average",
		"12 of 20 sessions closed above 600.00",
		"over 30 sessions under 70 dollars",
		"3 strikes below 20-day lows",
		"SPY 1.0% below its 200-day average",
	} {
		if strings.HasPrefix(text, "SPY") {
			evidence = append(evidence, piece("market.trend", -0.01, "SPY 1.0% below its 200-day average"))
		}
		assert.Empty(t, analysts.Contradicted(text, evidence), text)
	}
	// The price has crossed the level since the close that it was measured from.
	crossed := append(evidence, piece("quote.price", 650, "650.00"))
	assert.Empty(t, analysts.Contradicted("The price is below the nearest support at 656.45", crossed))
	// What third parties wrote bears nothing out, and refutes nothing.
	assert.Empty(t, analysts.Contradicted("It is overbought", []analysts.Evidence{piece("news.1", 1, "oversold")}))
}

// turned swaps the words that the check is about.
var turned = strings.NewReplacer("above", "below", "below", "above", "higher highs", "lower highs", "lower highs", "higher highs", "upward", "downward", "downward", "upward",
	"overbought", "oversold", "oversold", "overbought", "rising", "falling", "falling", "rising")

// What the rules say of any market, with its words turned round, is caught wherever
// the check knows the subject.
func TestTheRulesOwnReasonsTurnedRoundAreCaught(t *testing.T) {
	caught, missed := 0, []string{}
	cited := func(a *analysts.Analysis, ids []string) (list []analysts.Evidence) {
		for _, id := range ids {
			e, _ := a.Find(id)
			list = append(list, e)
		}
		return list
	}
	for _, drift := range []float64{0.003, -0.003, 0.0008} {
		source := rising()
		source.bars["TEST"] = trend(320, drift, 0.02)
		a, err := analyst(t, source, nil).Analyze(t.Context(), analysts.Request{Symbol: "TEST"})
		require.NoError(t, err)
		for _, e := range a.Evidence {
			assert.Empty(t, analysts.Contradicted(e.Name+": "+e.Text, a.Evidence), e.ID)
		}
		for _, v := range a.Views {
			for _, r := range v.Reasons {
				if other := turned.Replace(r.Text); other != r.Text {
					if len(analysts.Contradicted(other, cited(a, r.Evidence))) > 0 {
						caught++
					} else {
						missed = append(missed, other)
					}
				}
			}
		}
	}
	assert.Greater(t, caught, 15)
	assert.Empty(t, missed)
}

func TestAModelThatTurnsEvidenceRoundIsSentBack(t *testing.T) {
	asked := 0
	a := withMind(t, rising(), &analysts.Mind{Model: script(func(who, input string, turn int) string {
		if who == "chart" {
			asked++
			return `{"stance":"bearish","score":-0.4,"reasons":[{"text":"The price is below its 200-day average.","weight":-0.4,"evidence":["trend.sma200_distance"]}]}`
		}
		return obedient(who, input, turn)
	})}, nil)
	assert.Equal(t, 2, asked)
	assert.Empty(t, view(a, analysts.ViewChart).By, "the rules' view stands")
	assert.Contains(t, a.Fallback, "against trend.sma200_distance")

	a = withMind(t, rising(), &analysts.Mind{Model: script(func(who, input string, turn int) string {
		if who == "panel" {
			return strings.Replace(goodPanel, "above its average", "below its average", 1)
		}
		return obedient(who, input, turn)
	})}, nil)
	assert.Empty(t, a.Verdict.By)
	assert.Contains(t, a.Fallback, "below its average")
}

func FuzzContradicted(f *testing.F) {
	var evidence []analysts.Evidence
	for _, i := range inversions() {
		f.Add(i.says)
		evidence = append(evidence, i.of...)
	}
	f.Fuzz(func(t *testing.T, s string) {
		analysts.Contradicted(s, evidence)
	})
}
