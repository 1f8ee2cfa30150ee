package analysts_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/market"
)

func TestANumberStandsInTheEvidenceOrIsNamed(t *testing.T) {
	atr := market.Float(-1.4)
	amount := decimal.RequireFromString("52340.55")
	evidence := []analysts.Evidence{
		{ID: "trend.sma200_distance", Name: "Distance to SMA 200", Value: 0.0523, Text: "5.2% above its 200-day average", Method: "close / SMA(close, 200) − 1", At: time.Date(2026, 9, 15, 16, 0, 0, 0, time.UTC)},
		{ID: "momentum.rsi", Name: "RSI 14", Value: 42.46, Text: "42.5"},
		{ID: "options.skew25", Name: "25-delta skew", Value: -0.031, Text: "-3.1 points"},
		{ID: "levels.support.1", Value: 656.45, Text: "656.45, 0.2 ATR below", DistanceATR: &atr},
		{ID: "options.open_interest", Value: 12345, Text: "12,345"},
		{ID: "portfolio.cash", Value: market.Float(amount.InexactFloat64()), Amount: &amount, Text: "52340.55"},
		{ID: "fundamentals.pe", Value: market.Float(math.NaN()), Absent: "not known: 31"},
	}
	for text, missing := range map[string][]string{
		"the price is well above its average":                       nil,
		"5.2% above the 200-day average, 5% roughly, 5.23% exactly": nil,
		"5.3% above":                             {"5.3"},
		"the distance is 0.0523":                 nil,
		"an RSI of 42.46, or 42.5, or 42":        nil,
		"an RSI of 44":                           {"44"},
		"skew of -3.1 points":                    nil,
		"skew of +3.1 points":                    {"+3.1"},
		"skew of 3.1 points to the puts":         nil,
		"support at 656.45, 1.4 ATR below":       nil,
		"support at $656.45 and 656.46":          {"656.46"},
		"12,345 contracts, 12345 of them":        nil,
		"12k contracts, 12.3k of them, and 13k":  {"13k"},
		"52,340.55 in cash, that is 52,341":      nil,
		"on 2026-09-15":                          nil,
		"on 2026-09-16":                          {"2026-09-16"},
		"a P/E of 31":                            {"31"},
		"one of two reasons":                     nil,
		"two percent more":                       {"two"},
		"twenty-five delta, fourteen days":       nil,
		"thirty days":                            {"thirty"},
		"a hundred shares":                       {"hundred"},
		"５０ dollars and ½":                       {"５", "０", "½"},
		"4.2e1":                                  {"4.2e1"},
		"from 5.2 to 9":                          {"9"},
		"SMA200 and H7":                          {"7"},
		"it doubles; .5 of it":                   {".5"},
		"99999999999999999999999999999999999999": {"99999999999999999999999999999999999999"},
	} {
		assert.Equal(t, missing, analysts.Unsupported(text, evidence), text)
	}
	assert.Empty(t, analysts.Unsupported("sell the 634 put for 568.00", nil, "sell the 2026-10-23 634 put for 568.00"))
}

func TestWhatTheEvidenceSaysItselfAlwaysHasSupport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(-1e6, 1e6).Draw(t, "value")
		places := rapid.IntRange(0, 6).Draw(t, "places")
		e := analysts.Evidence{ID: "x.y", Value: market.Float(value)}
		if 0.5*math.Pow(10, -float64(places)) > 0.5*math.Abs(value) {
			return // nothing is left of it: see below
		}
		if got := analysts.Unsupported(fmt.Sprintf("it is %.*f now", places, math.Abs(value)), []analysts.Evidence{e}); len(got) > 0 {
			t.Fatalf("%v of %v", got, value)
		}
		if got := analysts.Unsupported(fmt.Sprintf("it is %.*f%% now", places, math.Abs(100*value)), []analysts.Evidence{e}); len(got) > 0 {
			t.Fatalf("%v of %v in percent", got, value)
		}
		other := math.Abs(value)*1.5 + 1000
		if got := analysts.Unsupported(fmt.Sprintf("it is %.2f now", other), []analysts.Evidence{e}); len(got) != 1 && math.Abs(100*math.Abs(value)-other) > 0.01 {
			t.Fatalf("%v beside %v has support", other, value)
		}
	})
}

// Forms in which a number can be hidden, or taken from where it does not belong.
func TestNumbersCannotBeHidden(t *testing.T) {
	evidence := []analysts.Evidence{
		{ID: "trend.sma200_distance", Name: "Distance to SMA 200", Value: 0.0523, Unit: analysts.UnitFraction, Text: "5.2% above", Method: "close / SMA(close, 200) − 1, 777 bars", At: time.Date(2026, 9, 15, 16, 0, 0, 0, time.UTC)},
		{ID: "levels.support.1", Name: "Nearest support", Value: 5, Unit: analysts.UnitDollars, Text: "5.00"},
		{ID: "portfolio.cash", Name: "Cash", Value: 1234.5, Unit: analysts.UnitDollars, Text: "1,234.50"},
		{ID: "risk.gap", Name: "Largest gap", Value: 0.2, Unit: analysts.UnitFraction, Text: "20.0%"},
	}
	for text, missing := range map[string][]string{
		// A fraction as percent of itself, dollars as cents, constants of methods, hours.
		"a distance of 0.05%":           {"0.05"},
		"support at 500":                {"500"},
		"over 777 bars":                 {"777"},
		"16 contracts":                  {"16"},
		"it closed at 16:00, not 16:30": {"16:30"},
		"a change of 0":                 {"0"},
		"a gap of 0%":                   {"0"},
		// Signs.
		"-$5 of support":        {"-$5"},
		"minus 5 dollars":       {"minus 5"},
		"−5.2% away":            {"−5.2"},
		"a negative 20 percent": {"negative 20"},
		// Ranges and separators.
		"from 5–7%":                       {"7"},
		"5-9 dollars":                     {"9"},
		"1.234,56":                        {"1.234,56"},
		"5,2%":                            {"5,2"},
		"5 200 shares":                    {"5 200"},
		"5\u00a0200 shares, 5'200, 5_200": {"5\u00a0200", "5'200", "5_200"},
		"1,234.5 or $1234.50":             nil,
		// Powers, fractions, other notations.
		"5^20 and 5**20":            {"5^20", "5**20"},
		"5/20 of it":                {"5/20"},
		"10⁶":                       {"10", "⁶"},
		"5e20":                      {"5e20"},
		"٥ and Ⅳ and ⑤ and ²":       {"٥", "Ⅳ", "⑤", "²"},
		"5 million, 5m, 5 thousand": {"5 million", "5m", "5 thousand"},
		"a 5fold gain":              {"5fold"},
		"XX percent, XIV contracts": {"XX", "XIV"},
		"an IV of CC, I think":      nil,
		// Words.
		"twenty-seven percent":            {"twenty-seven"},
		"twenty seven percent":            {"twenty seven"},
		"twenty percent":                  nil,
		"two thirds, two-thirds, tenfold": {"two", "two-thirds", "tenfold"},
		"five point two":                  {"five"},
		"it doubled, then halved":         {"doubled", "halved"},
		"sell ten puts":                   {"ten"},
		"three hundred":                   {"three", "hundred"},
		"thousands of them":               {"thousands"},
		"one of the reasons, one put":     nil,
		// Dates.
		"on September 15":               nil,
		"on 15 September 2026":          nil,
		"on September 15th, 2025":       {"September 15th, 2025"},
		"on October 20":                 {"October 20"},
		"the 20th of October":           {"20th of October"},
		"by 5 May":                      {"5 May"},
		"it may 5 times":                nil,
		"2026-09-15 but not 2026-09-16": {"2026-09-16"},
		"9/15/2026":                     {"9/15/2026"},
		// Numbers in ids are not numbers, if they are ids.
		"see levels.support.1.": nil,
		"see levels.support.12": {".12"},
		"x9 and 9x":             {"9", "9"},
	} {
		assert.Equal(t, missing, analysts.Unsupported(text, evidence), text)
	}
}

func FuzzUnsupported(f *testing.F) {
	for _, s := range []string{"", "5.2%", "1,234.5 and -3", "½ ５ 1e9 12k", "twenty-five percent", "…−"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		analysts.Unsupported(s, nil)
		if missing := analysts.Unsupported(s, nil, s); len(missing) > 0 {
			// What a text says has support in itself, but for forms that never have.
			for _, n := range missing {
				plain := true
				for _, c := range n {
					plain = plain && (c >= '0' && c <= '9' || c == '.' || c == ',')
				}
				if plain && len(n) <= 30 {
					t.Fatalf("%q in %q", n, s)
				}
			}
		}
	})
}
