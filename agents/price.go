package agents

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// A Price is what a model costs from a day on, in US dollars per million tokens.
type Price struct {
	Model                                string // provider/model, without the date of a snapshot
	From                                 string // first day, YYYY-MM-DD
	Input, CacheRead, CacheWrite, Output decimal.Decimal
}

// Cost returns what usage costs, in US dollars.
func (p Price) Cost(u Usage) decimal.Decimal {
	sum := p.Input.Mul(decimal.NewFromInt(int64(u.Input))).
		Add(p.CacheRead.Mul(decimal.NewFromInt(int64(u.CacheRead)))).
		Add(p.CacheWrite.Mul(decimal.NewFromInt(int64(u.CacheWrite)))).
		Add(p.Output.Mul(decimal.NewFromInt(int64(u.Output))))
	return sum.Shift(-6)
}

// Prices is a cost table.
type Prices []Price

// At returns the price of a model on a day: the latest row of that model that had
// begun. A name that ends in a snapshot's date, such as
// claude-sonnet-4-5-20250929, is looked up without it too.
func (ps Prices) At(model string, at time.Time) (Price, bool) {
	day := at.UTC().Format(time.DateOnly)
	for _, name := range []string{model, withoutDate(model)} {
		var found Price
		for _, p := range ps {
			if p.Model == name && p.From <= day && p.From >= found.From {
				found = p
			}
		}
		if found.Model != "" {
			return found, true
		}
	}
	return Price{}, false
}

// withoutDate cuts -YYYYMMDD or -YYYY-MM-DD off the end of a model's name.
func withoutDate(model string) string {
	for _, layout := range []string{"-20060102", "-2006-01-02"} {
		if at := len(model) - len(layout); at > 0 {
			if _, err := time.Parse(layout, model[at:]); err == nil {
				return model[:at]
			}
		}
	}
	return model
}

// PublishedPrices returns list prices as two providers stated them by June 2026:
// Anthropic (docs.anthropic.com, Pricing, standard tier, cache writes of five
// minutes) and OpenAI (openai.com/api/pricing, standard tier; a write into the cache
// costs what input costs). Lists change: a program that must not spend more than it
// says gives its own rows, appended to these or instead of them.
//
// Rows begin with the model's publication.
func PublishedPrices() Prices {
	const table = `
anthropic/claude-opus-4-1    2025-08-05 15   1.50  18.75 75
anthropic/claude-sonnet-4-5  2025-09-29 3    0.30  3.75  15
anthropic/claude-haiku-4-5   2025-10-15 1    0.10  1.25  5
anthropic/claude-opus-4-5    2025-11-24 5    0.50  6.25  25
anthropic/claude-opus-4-6    2026-02-05 5    0.50  6.25  25
anthropic/claude-sonnet-4-6  2026-02-17 3    0.30  3.75  15
openai/gpt-4o                2024-10-01 2.50 1.25  2.50  10
openai/gpt-4o-mini           2024-10-01 0.15 0.075 0.15  0.60
openai/gpt-4.1               2025-04-14 2    0.50  2     8
openai/gpt-4.1-mini          2025-04-14 0.40 0.10  0.40  1.60
openai/gpt-4.1-nano          2025-04-14 0.10 0.025 0.10  0.40
openai/gpt-5                 2025-08-07 1.25 0.125 1.25  10
openai/gpt-5-mini            2025-08-07 0.25 0.025 0.25  2
openai/gpt-5-nano            2025-08-07 0.05 0.005 0.05  0.40`
	var prices Prices
	for line := range strings.Lines(strings.TrimSpace(table)) {
		f := strings.Fields(line)
		prices = append(prices, Price{
			Model: f[0], From: f[1],
			Input: decimal.RequireFromString(f[2]), CacheRead: decimal.RequireFromString(f[3]),
			CacheWrite: decimal.RequireFromString(f[4]), Output: decimal.RequireFromString(f[5]),
		})
	}
	return prices
}
