package mcp

import (
	"math"
	"strconv"
	"strings"
)

// unknown stands where a value is not known. It is never 0.
const unknown = "unknown"

// fixed is x with so many decimals, groups of thousands and a true minus sign.
func fixed(x float64, decimals int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return unknown
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-") // no minus zero
	}
	return minus(group(text))
}

// priceText is a price: with four decimals below one dollar, else with two.
func priceText(x float64) string {
	if math.Abs(x) < 1 && math.Abs(x*100-math.Round(x*100)) > 1e-9 {
		return fixed(x, 4)
	}
	return fixed(x, 2)
}

func optional(x *float64) string {
	if x == nil {
		return unknown
	}
	return priceText(*x)
}

// money shows a decimal number as it is, with at least two decimals. It stays
// text all the way: no amount passes through a float.
func money(text string) string {
	whole, fraction, _ := strings.Cut(text, ".")
	for len(fraction) < 2 {
		fraction += "0"
	}
	return minus(group(whole + "." + fraction))
}

func moneyOf(text *string) string {
	if text == nil {
		return unknown
	}
	return money(*text)
}

// group separates thousands with commas.
func group(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, found := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if found {
		whole += "." + fraction
	}
	return sign + whole
}

// minus replaces the hyphen, which some screen readers skip.
func minus(text string) string {
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		return "−" + rest
	}
	return text
}

// signed puts a plus before what is above zero, so that colour is not needed
// to tell a gain from a loss.
func signed(text string) string {
	if text == unknown || strings.HasPrefix(text, "−") || strings.Trim(text, "0.,") == "" {
		return text
	}
	return "+" + text
}

func trendOf(x *float64) string {
	switch {
	case x == nil || *x == 0:
		return ""
	case *x < 0:
		return "down"
	}
	return "up"
}

// trendText is trendOf a decimal number.
func trendText(text *string) string {
	switch {
	case text == nil || strings.Trim(*text, "-0.") == "":
		return ""
	case strings.HasPrefix(*text, "-"):
		return "down"
	}
	return "up"
}

// trimZeros drops the decimals that say nothing.
func trimZeros(text string) string {
	if !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
