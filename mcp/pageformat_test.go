package mcp

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAmountsStayAsTheyAreAndGetGroups(t *testing.T) {
	for given, want := range map[string]string{
		"0": "0.00", "1234.5": "1,234.50", "-1234567.891": "−1,234,567.891", "999": "999.00", "-0.5": "−0.50",
		"9007199254740993.01": "9,007,199,254,740,993.01", // more than a float64 holds
	} {
		assert.Equal(t, want, money(given), given)
	}
	assert.Equal(t, "unknown", moneyOf(nil))
}

func TestPricesAreShownWithTheirDecimals(t *testing.T) {
	for given, want := range map[float64]string{
		657.92: "657.92", 0.05: "0.05", 0.0525: "0.0525", -0.0525: "−0.0525", 1234567: "1,234,567.00", -0.001: "−0.0010", 0: "0.00",
	} {
		assert.Equal(t, want, priceText(given))
	}
	assert.Equal(t, "0.00", fixed(-0.001, 2), "no minus zero")
	assert.Equal(t, "unknown", fixed(math.NaN(), 2))
}

func TestGainsAndLossesDifferWithoutColour(t *testing.T) {
	gain, loss, none := "2610", "-107.5", "0"
	assert.Equal(t, cell{Text: "+2,610.00", Trend: "up", Numeric: true}, profitCell(gain))
	assert.Equal(t, cell{Text: "−107.50", Trend: "down", Numeric: true}, profitCell(loss))
	assert.Equal(t, cell{Text: "0.00", Numeric: true}, profitCell(none))
	assert.Equal(t, cell{Text: "unknown", Numeric: true}, profitCell(nil))
	assert.Equal(t, "−2", quantityCell("-2").Text)
	assert.Equal(t, "unknown", greekCell(nil).Text)
}

func TestOptionsAreNamedInWords(t *testing.T) {
	assert.Equal(t, "AAPL 2026-10-16 240 call", symbolCell("AAPL  261016C00240000").Text)
	assert.Equal(t, "KO 2026-10-16 64.5 put", symbolCell("KO    261016P00064500").Text)
	assert.Equal(t, "/ESZ6", symbolCell("/ESZ6").Text)
}
