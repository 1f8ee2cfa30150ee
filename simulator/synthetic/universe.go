package synthetic

import (
	"time"

	"github.com/ttai-go/ttai/market"
)

// A profile is what makes a symbol what it is. Prices and shares are those of
// the anchor day, the session before the default day.
type profile struct {
	symbol   market.Symbol
	name     string
	exchange string
	class    class
	sector   sector

	price  float64 // close of the anchor day
	beta   float64 // loading of the market factor
	load   float64 // loading of the sector factor
	idio   float64 // the symbol's own volatility per year
	drift  float64 // growth of the log price per year, dividends included
	yield  float64 // dividends per year over price
	jump   float64 // standard deviation of the return at an earnings report
	pe     float64 // price over yearly earnings
	shares float64 // millions outstanding
	volume float64 // millions traded a day
	rating int     // liquidity, 1 to 5

	splits []split
}

type split struct {
	date  market.Date // first day at the new price
	ratio float64     // new shares per old share
}

// A class says what kind of instrument a profile is and which options it has.
type class int

const (
	share      class = iota // weekly, monthly and long-dated options
	smallShare              // monthly options
	fund                    // as share
	bigFund                 // options that expire every session
	index                   // as bigFund, European, settled in cash, the monthly one in the morning
)

// optionRoot is the root of a symbol's contracts: its letters and digits, at
// most six of them.
func optionRoot(s market.Symbol) string {
	root := make([]byte, 0, len(s))
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			root = append(root, c)
		}
	}
	return string(root[:min(6, len(root))])
}

func (p *profile) etf() bool { return p.class == fund || p.class == bigFund }

// daily reports whether options expire every session.
func (p *profile) daily() bool { return p.class == bigFund || p.class == index }

type sector string

const (
	broad         sector = "" // the market factor alone
	technology    sector = "technology"
	communication sector = "communication"
	discretionary sector = "discretionary"
	staples       sector = "staples"
	health        sector = "health"
	financials    sector = "financials"
	energy        sector = "energy"
	industrials   sector = "industrials"
	utilities     sector = "utilities"
	smallCaps     sector = "small caps"
	bonds         sector = "bonds"
	metals        sector = "metals"
)

// sectorVol is the volatility per year of a sector's factor beside the market's.
var sectorVol = map[sector]float64{
	technology: 0.11, communication: 0.10, discretionary: 0.10, staples: 0.08, health: 0.09, financials: 0.11,
	energy: 0.20, industrials: 0.08, utilities: 0.12, smallCaps: 0.10, bonds: 0.14, metals: 0.15,
}

// marketVol is the volatility per year of the market factor.
const marketVol = 0.15

// universe lists every symbol; the numbers are invented, in the order of size
// of what the names suggest.
func universe() []profile {
	on := func(y, m, d int) market.Date { return market.Date{Year: y, Month: time.Month(m), Day: d} }
	return []profile{
		{"SPX", "S&P 500 Index", "XCBO", index, broad, 6600, 1, 0, 0, 0.08, 0.013, 0, 0, 0, 0, 5, nil},
		{"SPY", "S&P 500 ETF", "ARCX", bigFund, broad, 658, 1, 0, 0.002, 0.08, 0.013, 0, 0, 980, 72, 5, nil},
		{"QQQ", "Nasdaq 100 ETF", "XNAS", bigFund, technology, 592, 1.1, 0.8, 0.02, 0.10, 0.006, 0, 0, 650, 46, 5, nil},
		{"IWM", "Russell 2000 ETF", "ARCX", bigFund, smallCaps, 241, 1.05, 1, 0.02, 0.06, 0.012, 0, 0, 290, 34, 5, nil},
		{"DIA", "Dow Jones Industrial Average ETF", "ARCX", fund, industrials, 458, 0.92, 0.4, 0.025, 0.075, 0.016, 0, 0, 90, 3.6, 4, nil},
		{"GLD", "Gold ETF", "ARCX", fund, metals, 338, 0.02, 1, 0.02, 0.07, 0, 0, 0, 340, 9.8, 4, nil},
		{"SLV", "Silver ETF", "ARCX", fund, metals, 38.5, 0.25, 1.5, 0.12, 0.06, 0, 0, 0, 510, 21, 4, nil},
		{"TLT", "20+ Year Treasury Bond ETF", "XNAS", fund, bonds, 89.2, -0.15, 1, 0.015, 0.03, 0.042, 0, 0, 540, 38, 5, nil},
		{"XLE", "Energy Sector ETF", "ARCX", fund, energy, 89.8, 0.8, 1, 0.03, 0.06, 0.033, 0, 0, 310, 15, 4, nil},
		{"XLF", "Financial Sector ETF", "ARCX", fund, financials, 53.6, 1, 1, 0.025, 0.08, 0.015, 0, 0, 970, 41, 4, nil},
		{"XLK", "Technology Sector ETF", "ARCX", fund, technology, 271, 1.15, 1, 0.03, 0.12, 0.007, 0, 0, 320, 5.9, 4, nil},
		{"XLV", "Health Care Sector ETF", "ARCX", fund, health, 138, 0.7, 1, 0.025, 0.07, 0.016, 0, 0, 270, 9.1, 3, nil},
		{"XLU", "Utilities Sector ETF", "ARCX", fund, utilities, 86.4, 0.5, 1, 0.02, 0.07, 0.029, 0, 0, 230, 11, 3, nil},
		{"XLI", "Industrial Sector ETF", "ARCX", fund, industrials, 152, 1, 1, 0.025, 0.08, 0.014, 0, 0, 150, 8.8, 3, nil},

		{"AAPL", "Apple Inc.", "XNAS", share, technology, 234, 1.1, 0.8, 0.17, 0.13, 0.0044, 0.036, 33, 14900, 52, 5, []split{{on(2014, 6, 9), 7}, {on(2020, 8, 31), 4}}},
		{"MSFT", "Microsoft Corporation", "XNAS", share, technology, 509, 1.05, 0.9, 0.15, 0.13, 0.0066, 0.038, 35, 7430, 21, 5, nil},
		{"NVDA", "NVIDIA Corporation", "XNAS", share, technology, 177, 1.55, 1.5, 0.32, 0.22, 0.0003, 0.065, 48, 24400, 195, 5, []split{{on(2021, 7, 20), 4}, {on(2024, 6, 10), 10}}},
		{"AMD", "Advanced Micro Devices, Inc.", "XNAS", share, technology, 159, 1.6, 1.4, 0.36, 0.15, 0, 0.075, 62, 1620, 47, 5, nil},
		{"INTC", "Intel Corporation", "XNAS", share, technology, 24.8, 1.15, 1, 0.3, 0.02, 0, 0.08, 28, 4380, 92, 4, nil},
		{"PLTR", "Palantir Technologies Inc.", "XNAS", share, technology, 168, 1.7, 1.2, 0.5, 0.15, 0, 0.12, 190, 2370, 78, 5, nil},
		{"GOOGL", "Alphabet Inc. Class A", "XNAS", share, communication, 239, 1.08, 1, 0.19, 0.13, 0.0035, 0.048, 25, 5820, 35, 5, []split{{on(2022, 7, 18), 20}}},
		{"META", "Meta Platforms, Inc.", "XNAS", share, communication, 762, 1.2, 1.1, 0.26, 0.15, 0.0028, 0.085, 27, 2180, 13.5, 5, []split{{on(2027, 3, 15), 5}}},
		{"NFLX", "Netflix, Inc.", "XNAS", share, communication, 1206, 1.1, 0.9, 0.3, 0.14, 0, 0.085, 51, 425, 3.4, 4, nil},
		{"DIS", "The Walt Disney Company", "XNYS", share, communication, 115, 1, 0.8, 0.2, 0.05, 0.0087, 0.055, 21, 1800, 9.6, 4, nil},
		{"T", "AT&T Inc.", "XNYS", share, communication, 29.1, 0.55, 0.6, 0.16, 0.05, 0.038, 0.035, 13, 7150, 34, 4, nil},
		{"VZ", "Verizon Communications Inc.", "XNYS", share, communication, 43.7, 0.5, 0.6, 0.15, 0.04, 0.062, 0.03, 10, 4220, 18, 4, nil},
		{"AMZN", "Amazon.com, Inc.", "XNAS", share, discretionary, 231, 1.15, 1.1, 0.21, 0.14, 0, 0.062, 35, 10650, 42, 5, []split{{on(2022, 6, 6), 20}}},
		{"TSLA", "Tesla, Inc.", "XNAS", share, discretionary, 395, 1.7, 1.3, 0.48, 0.18, 0, 0.09, 150, 3220, 98, 5, []split{{on(2020, 8, 31), 5}, {on(2022, 8, 25), 3}}},
		{"HD", "The Home Depot, Inc.", "XNYS", share, discretionary, 417, 0.95, 0.9, 0.15, 0.09, 0.022, 0.03, 28, 995, 3.5, 4, nil},
		{"MCD", "McDonald's Corporation", "XNYS", share, discretionary, 304, 0.6, 0.5, 0.14, 0.09, 0.023, 0.027, 26, 714, 3.2, 3, nil},
		{"NKE", "NIKE, Inc. Class B", "XNYS", share, discretionary, 73.4, 1, 0.9, 0.24, 0.03, 0.022, 0.075, 34, 1480, 13, 4, nil},
		{"WMT", "Walmart Inc.", "XNYS", share, staples, 103, 0.6, 0.8, 0.16, 0.1, 0.0091, 0.045, 38, 7980, 16, 4, []split{{on(2024, 2, 26), 3}}},
		{"COST", "Costco Wholesale Corporation", "XNAS", share, staples, 962, 0.75, 0.8, 0.16, 0.12, 0.0054, 0.032, 53, 443, 2.1, 4, nil},
		{"KO", "The Coca-Cola Company", "XNYS", share, staples, 66.3, 0.45, 1, 0.11, 0.07, 0.031, 0.022, 24, 4300, 14, 4, nil},
		{"PG", "The Procter & Gamble Company", "XNYS", share, staples, 158, 0.45, 1, 0.11, 0.07, 0.027, 0.025, 24, 2340, 7.4, 3, nil},
		{"PEP", "PepsiCo, Inc.", "XNAS", share, staples, 142, 0.5, 1, 0.12, 0.05, 0.04, 0.028, 25, 1370, 7.2, 3, nil},
		{"JNJ", "Johnson & Johnson", "XNYS", share, health, 177, 0.45, 0.9, 0.12, 0.06, 0.029, 0.025, 19, 2410, 8, 3, nil},
		{"PFE", "Pfizer Inc.", "XNYS", share, health, 24.1, 0.55, 1, 0.19, 0, 0.071, 0.03, 13, 5690, 39, 4, nil},
		{"UNH", "UnitedHealth Group Incorporated", "XNYS", share, health, 346, 0.6, 1, 0.23, 0.06, 0.026, 0.06, 15, 906, 11, 4, nil},
		{"LLY", "Eli Lilly and Company", "XNYS", share, health, 751, 0.6, 1.1, 0.27, 0.15, 0.008, 0.065, 49, 897, 3.8, 4, nil},
		{"JPM", "JPMorgan Chase & Co.", "XNYS", share, financials, 309, 1.05, 1, 0.14, 0.11, 0.019, 0.032, 16, 2750, 8.9, 4, nil},
		{"BAC", "Bank of America Corporation", "XNYS", share, financials, 50.6, 1.2, 1.2, 0.16, 0.08, 0.022, 0.038, 15, 7410, 36, 4, nil},
		{"GS", "The Goldman Sachs Group, Inc.", "XNYS", share, financials, 785, 1.25, 1.1, 0.17, 0.11, 0.02, 0.037, 17, 303, 2.1, 4, nil},
		{"V", "Visa Inc. Class A", "XNYS", share, financials, 339, 0.9, 0.7, 0.13, 0.11, 0.007, 0.03, 33, 1930, 6.1, 4, nil},
		{"BRK/B", "Berkshire Hathaway Inc. Class B", "XNYS", share, financials, 493, 0.75, 0.7, 0.1, 0.1, 0, 0.018, 17, 2160, 4.5, 3, nil},
		{"SOFI", "SoFi Technologies, Inc.", "XNAS", share, financials, 27.2, 1.8, 1.2, 0.5, 0.08, 0, 0.11, 56, 1190, 68, 4, nil},
		{"XOM", "Exxon Mobil Corporation", "XNYS", share, energy, 113, 0.75, 1, 0.11, 0.07, 0.035, 0.026, 16, 4260, 15, 4, nil},
		{"CVX", "Chevron Corporation", "XNYS", share, energy, 158, 0.8, 1, 0.12, 0.06, 0.043, 0.025, 18, 2050, 8.2, 4, nil},
		{"CAT", "Caterpillar Inc.", "XNYS", share, industrials, 432, 1.15, 1.4, 0.2, 0.11, 0.014, 0.045, 22, 468, 3.1, 4, nil},
		{"BA", "The Boeing Company", "XNYS", share, industrials, 216, 1.25, 1.3, 0.28, 0.04, 0, 0.05, 80, 756, 7.3, 5, nil},
		{"GE", "GE Aerospace", "XNYS", share, industrials, 288, 1.1, 1.3, 0.21, 0.13, 0.005, 0.045, 39, 1060, 4.9, 4, nil},
		{"UPS", "United Parcel Service, Inc. Class B", "XNYS", share, industrials, 84.5, 0.95, 1, 0.2, 0.01, 0.078, 0.065, 13, 735, 6.4, 4, nil},
		{"F", "Ford Motor Company", "XNYS", share, discretionary, 11.6, 1.2, 1, 0.26, 0.02, 0.052, 0.055, 12, 3930, 76, 4, nil},
		{"NEE", "NextEra Energy, Inc.", "XNYS", share, utilities, 71.2, 0.5, 1.1, 0.17, 0.07, 0.032, 0.035, 25, 2060, 9.7, 4, nil},
		{"CALM", "Cal-Maine Foods, Inc.", "XNAS", smallShare, staples, 104, 0.3, 0.7, 0.33, 0.06, 0.025, 0.055, 5, 49, 0.9, 2, nil},
		{"WDFC", "WD-40 Company", "XNAS", smallShare, smallCaps, 206, 0.7, 0.6, 0.25, 0.06, 0.018, 0.055, 34, 13.5, 0.12, 1, nil},
	}
}
