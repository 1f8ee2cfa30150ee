package broker_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func feesOf(t *testing.T, s *broker.FeeSchedule, date string, e broker.FeeEvent) broker.Fees {
	t.Helper()
	d, err := market.ParseDate(date)
	require.NoError(t, err)
	f, err := s.Fees(d, e)
	require.NoError(t, err)
	return f
}

func TestTastytradeChargesWhatWasRecorded(t *testing.T) {
	s := broker.TastytradeFees()
	require.NoError(t, s.Validate())

	// rest/tt_mcp_transactions.json: one SMCI 45 call bought at 0.75 cost 76.12.
	smci := feesOf(t, s, "2026-06-05", broker.FeeEvent{Symbol: "SMCI  260618C00045000", Action: broker.BuyToOpen, Quantity: num("1"), Price: num("0.75")})
	same(t, "-1", smci.Commission)
	same(t, "-0.1", smci.Clearing)
	same(t, "-0.02", smci.Regulatory)
	same(t, "-76.12", num("-75").Add(smci.Total()))

	// payloads/rest/order_dry_run.json: a spread of two legs, 2.00 + 0.20 + 0.102.
	// The answer does not say at what the sold leg was priced; 5 to 9.66 fits.
	order := broker.Order{Legs: []broker.Leg{
		{Symbol: "SPY   191018C00298000", Action: broker.BuyToOpen, Quantity: num("1")},
		{Symbol: "SPY   191018C00295000", Action: broker.SellToOpen, Quantity: num("1")},
	}}
	spread, err := s.OrderFees(market.Date{Year: 2019, Month: 9, Day: 20}, order, map[market.Symbol]decimal.Decimal{
		"SPY   191018C00298000": num("4"), "SPY   191018C00295000": num("6"),
	})
	require.NoError(t, err)
	same(t, "-2", spread.Commission)
	same(t, "-0.2", spread.Clearing)
	same(t, "-0.102", spread.Regulatory)

	// Dry runs of June 2023: one share bought costs 0.001, one GOOGL sold for about
	// 124 costs 0.011145, of which 0.010145 to regulators.
	same(t, "-0.001", feesOf(t, s, "2023-06-12", broker.FeeEvent{Symbol: "AAPL", Action: broker.BuyToOpen, Quantity: num("1"), Price: num("183.08")}).Total())
	googl := feesOf(t, s, "2023-06-12", broker.FeeEvent{Symbol: "GOOGL", Action: broker.SellToClose, Quantity: num("1"), Price: num("124.55")})
	same(t, "-0.010145", googl.Regulatory)
	same(t, "-0.011145", googl.Total())

	// A recorded order of 2023-06-13 to buy back a call at 0.04 costs 0.13; the
	// sale of one call at 0.47 the day before cost 0.042 to regulators.
	rivn := market.Symbol("RIVN  230623C00015000")
	buyback := feesOf(t, s, "2023-06-13", broker.FeeEvent{Symbol: rivn, Action: broker.BuyToClose, Quantity: num("1"), Price: num("0.04")})
	same(t, "0", buyback.Commission)
	same(t, "-0.13", buyback.Total())
	same(t, "-0.042", feesOf(t, s, "2023-06-12", broker.FeeEvent{Symbol: rivn, Action: broker.SellToOpen, Quantity: num("1"), Price: num("0.47")}).Regulatory)
}

func TestTheCapIsPerLegHoweverItFills(t *testing.T) {
	s := broker.TastytradeFees()
	fill := func(symbol market.Symbol, before, quantity string) broker.Fees {
		return feesOf(t, s, "2026-06-05", broker.FeeEvent{Symbol: symbol, Action: broker.BuyToOpen, Before: num(before), Quantity: num(quantity), Price: num("1")})
	}
	spy, spx := market.Symbol("SPY   260618C00600000"), market.Symbol("SPXW  260618C06000000")
	same(t, "-10", fill(spy, "0", "25").Commission)
	same(t, "-8", fill(spy, "0", "8").Commission)
	same(t, "-2", fill(spy, "8", "8").Commission)
	same(t, "0", fill(spy, "16", "9").Commission)
	same(t, "-25", fill(spx, "0", "25").Commission, "index options have no cap")
	same(t, "-16.5", fill(spx, "0", "25").Exchange, "0.66 a contract")
	same(t, "-2.5", fill(spy, "0", "25").Clearing)
}

func TestEveryProductHasItsRate(t *testing.T) {
	s := broker.TastytradeFees()
	for _, c := range []struct {
		symbol, quantity, price string
		action                  broker.Action
		commission, clearing    string
	}{
		{"/ESZ6", "2", "6000", broker.BuyToOpen, "-2.5", "-0.6"},
		{"/ESZ6", "2", "6000", broker.SellToClose, "-2.5", "-0.6"},
		{"/MESZ6", "2", "6000", broker.BuyToOpen, "-1.7", "-0.6"},
		{"./ESZ6 EW4U6 260927P4975", "1", "10", broker.SellToOpen, "-2.5", "-0.3"},
		{"./ESZ6 EW4U6 260927P4975", "1", "10", broker.BuyToClose, "0", "-0.3"},
		{"BTC/USD", "0.1", "90000", broker.BuyToOpen, "-31.5", "0"},
		{"SPY", "100", "600", broker.BuyToOpen, "0", "-0.1"},
		{"SPY", "0.5", "600", broker.BuyToOpen, "0", "-0.1"},
		{"SPY   260618C00600000", "3", "1", broker.SellToClose, "0", "-0.3"},
	} {
		f := feesOf(t, s, "2026-06-05", broker.FeeEvent{Symbol: market.Symbol(c.symbol), Action: c.action, Quantity: num(c.quantity), Price: num(c.price)})
		same(t, c.commission, f.Commission, c)
		same(t, c.clearing, f.Clearing, c)
	}
	for price, want := range map[string]string{"0.05": "-0.1", "0.5": "-0.25", "1.5": "-0.4", "3": "-0.45"} {
		same(t, want, feesOf(t, s, "2026-06-05", broker.FeeEvent{Symbol: "VIX   260617C00020000", Action: broker.BuyToOpen, Quantity: num("1"), Price: num(price)}).Exchange)
	}
	xsp := broker.FeeEvent{Symbol: "XSP   260618C00600000", Action: broker.BuyToOpen, Quantity: num("2"), Price: num("1"), Leg: num("12")}
	same(t, "-0.14", feesOf(t, s, "2026-06-05", xsp).Exchange)
	xsp.Leg = num("9")
	same(t, "0", feesOf(t, s, "2026-06-05", xsp).Exchange)

	assigned := broker.FeeEvent{Cause: broker.ForAssignment, Symbol: "SPY   260618C00600000", Quantity: num("7")}
	same(t, "-5", feesOf(t, s, "2026-06-05", assigned).Total())
	assigned.Symbol = "SPXW  260618C06000000"
	same(t, "0", feesOf(t, s, "2026-06-05", assigned).Total(), "index options settle without a fee")
}

func TestRatesChangeOnTheirDay(t *testing.T) {
	sale := broker.FeeEvent{Symbol: "SPY", Action: broker.SellToClose, Quantity: num("1000"), Price: num("500")}
	for date, want := range map[string]string{
		"2021-02-24": "-11.05", "2021-02-25": "-2.55", "2024-05-21": "-4", "2024-05-22": "-13.9", "2025-05-13": "-13.9", "2025-05-14": "0",
	} {
		d, err := market.ParseDate(date)
		require.NoError(t, err)
		items, err := broker.TastytradeFees().Itemize(d, sale)
		require.NoError(t, err)
		got := decimal.Zero
		for _, item := range items {
			if item.Name == "sec" {
				got = got.Add(item.Amount)
			}
		}
		same(t, want, got, date)
	}
	sale.Quantity = num("100000")
	same(t, "-9.79", feesOf(t, broker.TastytradeFees(), "2026-02-01", sale).Regulatory, "the trading activity fee has a cap")
}

func TestAlpacaPassesOnWhatOthersCharge(t *testing.T) {
	s := broker.AlpacaFees()
	require.NoError(t, s.Validate())
	buy := feesOf(t, s, "2024-10-01", broker.FeeEvent{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: num("100"), Price: num("500")})
	same(t, "0", buy.Commission)
	same(t, "-0.01", buy.Regulatory, "100 × 0.000046, rounded up")
	sell := feesOf(t, s, "2024-10-01", broker.FeeEvent{Symbol: "SPY", Action: broker.SellToClose, Quantity: num("100"), Price: num("500")})
	same(t, "-1.42", sell.Regulatory, "0.01 + 50,000 × 27.80 / M + 100 × 0.000166, each rounded up")
	option := feesOf(t, s, "2024-10-01", broker.FeeEvent{Symbol: "SPY   241018C00600000", Action: broker.SellToOpen, Quantity: num("10"), Price: num("1")})
	same(t, "0", option.Commission)
	same(t, "-0.2", option.Clearing)
	same(t, "-0.38", option.Regulatory, "0.05 cat + 0.27 orf + 0.03 sec + 0.03 taf")
	same(t, "-55", feesOf(t, s, "2024-10-01", broker.FeeEvent{Symbol: "SPY   241018C00600000", Action: broker.BuyToOpen, Quantity: num("5000"), Price: num("1")}).Clearing)
	same(t, "-22.5", feesOf(t, s, "2024-10-01", broker.FeeEvent{Symbol: "BTC/USD", Action: broker.BuyToOpen, Quantity: num("0.1"), Price: num("90000")}).Commission)
}

func TestChosenSchedules(t *testing.T) {
	e := broker.FeeEvent{Symbol: "GOOG", Action: broker.BuyToOpen, Quantity: num("10"), Price: num("250")}
	same(t, "-4.95", feesOf(t, broker.FixedFees(num("4.95")), "2010-01-04", e).Total())
	e.Before = num("5")
	same(t, "0", feesOf(t, broker.FixedFees(num("4.95")), "2010-01-04", e).Total(), "once for a leg")
	same(t, "-0.05", feesOf(t, broker.UnitFees(num("0.005")), "2010-01-04", e).Total())
	same(t, "-2.5", feesOf(t, broker.ValueFees(num("0.001")), "2010-01-04", e).Total())
	same(t, "0", feesOf(t, nil, "2010-01-04", e).Total())
	same(t, "0", feesOf(t, &broker.FeeSchedule{}, "2010-01-04", e).Total())

	// Interactive Brokers' fixed plan: 0.005 a share, at least 1, at most 1 % of
	// the value, is one rule for the minimum and its cap as an amount.
	least := &broker.FeeSchedule{Rules: []broker.FeeRule{{Name: "brokerage", Part: broker.CommissionPart, PerUnit: num("0.005"), Least: num("1")}}}
	e.Before, e.Quantity = num("0"), num("150")
	same(t, "-1", feesOf(t, least, "2010-01-04", e).Total())
	e.Before, e.Quantity = num("150"), num("150")
	same(t, "-0.5", feesOf(t, least, "2010-01-04", e).Total(), "1.50 for the whole leg")
}

func TestFeesRefuseWhatMakesNoSense(t *testing.T) {
	good := broker.FeeEvent{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: num("1"), Price: num("1")}
	for field, change := range map[string]func(e *broker.FeeEvent){
		"Action":     func(e *broker.FeeEvent) { e.Action = "buy" },
		"Cause":      func(e *broker.FeeEvent) { e.Cause = "gift" },
		"Quantity":   func(e *broker.FeeEvent) { e.Quantity = num("-1") },
		"Before":     func(e *broker.FeeEvent) { e.Before = num("-1") },
		"Price":      func(e *broker.FeeEvent) { e.Price = num("-1") },
		"Multiplier": func(e *broker.FeeEvent) { e.Multiplier = num("-1") },
	} {
		e := good
		change(&e)
		_, err := broker.TastytradeFees().Fees(market.Date{Year: 2026, Month: 1, Day: 2}, e)
		var fe *broker.FieldError
		require.ErrorAs(t, err, &fe, field)
		assert.Equal(t, field, fe.Field)
	}
	for field, rule := range map[string]broker.FeeRule{
		"Rules[0].Name":  {Part: broker.CommissionPart},
		"Rules[0].Part":  {Name: "x", Part: "tip"},
		"Rules[0].Side":  {Name: "x", Part: broker.CommissionPart, Side: "left"},
		"Rules[0].Cause": {Name: "x", Part: broker.CommissionPart, Cause: "gift"},
		"Rules[0].Cap":   {Name: "x", Part: broker.CommissionPart, Cap: num("-1")},
		"Rules[0].Step":  {Name: "x", Part: broker.CommissionPart, Step: num("-1")},
		"Rules[0].Until": {Name: "x", Part: broker.CommissionPart, From: market.Date{Year: 2026, Month: 1, Day: 2}, Until: market.Date{Year: 2026, Month: 1, Day: 2}},
	} {
		var fe *broker.FieldError
		require.ErrorAs(t, (&broker.FeeSchedule{Rules: []broker.FeeRule{rule}}).Validate(), &fe, field)
		assert.Equal(t, field, fe.Field)
	}
}

func TestEachRateNamesItsSource(t *testing.T) {
	for _, s := range []*broker.FeeSchedule{broker.TastytradeFees(), broker.AlpacaFees()} {
		unverified := 0
		for _, r := range s.Rules {
			assert.NotEmpty(t, r.Source, r.Name)
			if r.Unverified {
				unverified++
			}
		}
		assert.Positive(t, unverified)
	}
}
