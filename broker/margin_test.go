package broker_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

func num(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// held writes positions like "+100 XYZ @ 415" and "-2 XYZ 300C @ 115.75"; the
// expiry is in July unless a letter after the right says another month: "300C9"
// is in September.
func held(t testing.TB, lines ...string) []broker.MarginPosition {
	t.Helper()
	var all []broker.MarginPosition
	for _, line := range lines {
		words := strings.Fields(line)
		p := broker.MarginPosition{Quantity: num(strings.TrimPrefix(words[0], "+")), Symbol: market.Symbol(words[1])}
		if at := len(words) - 2; words[at] == "@" {
			p.Price = num(words[at+1])
			words = words[:at]
		}
		if len(words) > 2 {
			p.Symbol = option(t, words[1], words[2])
		}
		all = append(all, p)
	}
	return all
}

func option(t testing.TB, root, text string) market.Symbol {
	t.Helper()
	month := 7
	at := strings.IndexAny(text, "CP")
	require.Positive(t, at, text)
	if rest := text[at+1:]; rest != "" {
		_, err := fmt.Sscan(rest, &month)
		require.NoError(t, err)
	}
	kind := market.Call
	if text[at] == 'P' {
		kind = market.Put
	}
	symbol, err := market.NewOptionSymbol(market.Contract{Root: root, Expiration: market.Date{Year: 2026, Month: 0 + 1, Day: 16}.AddDays(31 * (month - 1)), Kind: kind, Strike: num(text[:at]).InexactFloat64()})
	require.NoError(t, err)
	return symbol
}

func requirement(t testing.TB, rules *broker.MarginRules, spot string, lines ...string) *broker.Margin {
	t.Helper()
	m, err := rules.Requirement(broker.MarginInput{Positions: held(t, lines...), Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": num(spot), "SPX": num(spot), "VIX": num(spot)}})
	require.NoError(t, err)
	return m
}

func same(t testing.TB, want string, got decimal.Decimal, what ...any) {
	t.Helper()
	assert.True(t, num(want).Equal(got), "want %s, got %s %v", want, got, what)
}

func names(m *broker.Margin) []string {
	var all []string
	for _, g := range m.Groups {
		all = append(all, g.Strategy)
	}
	return all
}

func TestEachStrategyAsksForWhatTheRulesSay(t *testing.T) {
	// The formulas are those of the Cboe margin manual and FINRA rule 4210(f)(2).
	for _, c := range []struct {
		spot                 string
		held                 []string
		initial, maintenance string
		strategies           string
	}{
		{"100", []string{"+100 XYZ @ 100"}, "5000", "2500", "long stock"},
		{"100", []string{"-100 XYZ @ 100"}, "5000", "3000", "short stock"},
		{"10", []string{"-100 XYZ @ 10"}, "500", "500", "short stock"},       // 5 a share
		{"4", []string{"-100 XYZ @ 4"}, "400", "400", "short stock"},         // all of the price
		{"2", []string{"-100 XYZ @ 2"}, "250", "250", "short stock"},         // 2.50 a share
		{"100", []string{"+1 XYZ 100C @ 5"}, "0", "0", "long call"},          // paid in full
		{"100", []string{"-1 XYZ 110C @ 2"}, "1200", "1200", "short call"},   // 2 + max(20 - 10, 10)
		{"100", []string{"-1 XYZ 150C @ 0.1"}, "1010", "1010", "short call"}, // 0.1 + max(20 - 50, 10)
		{"100", []string{"-1 XYZ 80P @ 0.5"}, "850", "850", "short put"},     // 0.5 + max(20 - 20, 8)
		{"4000", []string{"-1 SPX 4000C @ 50"}, "65000", "65000", "short call"},
		{"100", []string{"-1 XYZ 100P @ 5", "+1 XYZ 95P @ 3"}, "500", "500", "bull put spread"},
		{"100", []string{"+1 XYZ 100P @ 5", "-1 XYZ 95P @ 3"}, "0", "0", "bear put spread"},
		{"100", []string{"-1 XYZ 100C @ 5", "+1 XYZ 110C @ 2"}, "1000", "1000", "bear call spread"},
		{"100", []string{"+1 XYZ 100C @ 5", "-1 XYZ 110C @ 2"}, "0", "0", "bull call spread"},
		{"100", []string{"-1 XYZ 95P @ 2", "+1 XYZ 90P @ 1", "-1 XYZ 105C @ 2", "+1 XYZ 115C @ 1"}, "1000", "1000", "iron condor"},
		{"100", []string{"-1 XYZ 100P @ 2", "+1 XYZ 90P @ 1", "-1 XYZ 100C @ 2", "+1 XYZ 105C @ 1"}, "1000", "1000", "iron butterfly"},
		{"100", []string{"+1 XYZ 90C @ 12", "-2 XYZ 100C @ 5", "+1 XYZ 110C @ 1"}, "0", "0", "long call butterfly"},
		{"100", []string{"-1 XYZ 90C @ 12", "+2 XYZ 100C @ 5", "-1 XYZ 110C @ 1"}, "1000", "1000", "short call butterfly"},
		{"100", []string{"+1 XYZ 90C @ 12", "-2 XYZ 100C @ 5", "+1 XYZ 115C @ 1"}, "500", "500", "broken wing call butterfly"},
		{"100", []string{"+1 XYZ 85P", "-1 XYZ 90P", "-1 XYZ 100P", "+1 XYZ 105P"}, "0", "0", "long put condor"},
		{"100", []string{"-1 XYZ 85P", "+1 XYZ 90P", "+1 XYZ 100P", "-1 XYZ 105P"}, "500", "500", "short put condor"},
		{"100", []string{"-1 XYZ 100C @ 3", "+1 XYZ 100C9 @ 5"}, "0", "0", "call calendar"},
		{"100", []string{"+1 XYZ 100C @ 3", "-1 XYZ 100C9 @ 5"}, "2500", "2500", "long call, short call"}, // the short one lives longer
		{"100", []string{"-1 XYZ 95C @ 7", "+1 XYZ 105C9 @ 4"}, "1000", "1000", "call diagonal, short lower"},
		{"100", []string{"-1 XYZ 100C @ 5", "-1 XYZ 100P @ 4"}, "2900", "2900", "short straddle"},  // 5 + 20, + 4
		{"100", []string{"-1 XYZ 105C @ 2", "-1 XYZ 90P @ 1.5"}, "1850", "1850", "short strangle"}, // 2 + 15, + 1.5
		{"100", []string{"+100 XYZ @ 100", "-1 XYZ 110C @ 2"}, "5000", "2500", "covered call"},
		{"120", []string{"+100 XYZ @ 120", "-1 XYZ 110C @ 12"}, "6500", "3750", "covered call"}, // half and a quarter of 110, + 10
		{"100", []string{"-100 XYZ @ 100", "-1 XYZ 90P @ 2"}, "5000", "3000", "covered put"},
		{"80", []string{"-100 XYZ @ 80", "-1 XYZ 90P @ 11"}, "5000", "3400", "covered put"},     // + 10
		{"100", []string{"+100 XYZ @ 100", "+1 XYZ 95P @ 2"}, "5000", "1450", "protective put"}, // 9.5 + 5
		{"100", []string{"+100 XYZ @ 100", "+1 XYZ 50P @ 2"}, "5000", "2500", "protective put"}, // 5 + 50 is more
		{"100", []string{"-100 XYZ @ 100", "+1 XYZ 105C @ 2"}, "5000", "1550", "protective call"},
		{"100", []string{"+100 XYZ @ 100", "+1 XYZ 95P @ 2", "-1 XYZ 105C @ 2"}, "5000", "1450", "collar"},
		{"100", []string{"+100 XYZ @ 100", "+1 XYZ 100P @ 4", "-1 XYZ 100C @ 4"}, "5000", "1000", "conversion"},
		{"100", []string{"-100 XYZ @ 100", "-1 XYZ 100P @ 4", "+1 XYZ 100C @ 4"}, "5000", "1000", "reversal"},
		{"100", []string{"+1 XYZ 90C", "-1 XYZ 90P", "-1 XYZ 110C", "+1 XYZ 110P"}, "0", "0", "long box"},
		{"100", []string{"-1 XYZ 90C @ 12", "+1 XYZ 90P @ 1", "+1 XYZ 110C @ 1", "-1 XYZ 110P @ 12"}, "2000", "2000", "short box"},
		{"4000", []string{"-1 SPX 3900C @ 150", "+1 SPX 3900P @ 50", "+1 SPX 4000C @ 70", "-1 SPX 4000P @ 69.5"}, "10149", "10149", "short box"}, // 1.02 × 99.5
	} {
		m := requirement(t, nil, c.spot, c.held...)
		same(t, c.initial, m.Initial, c.held, m.Groups)
		same(t, c.maintenance, m.Maintenance, c.held, m.Groups)
		assert.Equal(t, c.strategies, strings.Join(names(m), ", "), c.held)
		assert.True(t, m.Exact)
		for _, g := range m.Groups {
			assert.NotEmpty(t, g.Formula)
		}
	}
}

func TestReferenceMarginNumbers(t *testing.T) {
	raw, err := os.ReadFile(sharedtest.Path(t, "data", "reference", "expected_public.json"))
	require.NoError(t, err)
	var file struct {
		Naked struct {
			Rows []struct {
				Right        string
				K, S, Px     decimal.Decimal
				Margin       string
				MarginNumber json.Number `json:"-"`
			} `json:"-"`
			Cases []map[string]any `json:"x100_contracts_2"`
		} `json:"margin_naked_equity_formula"`
		Equity struct {
			S    decimal.Decimal
			Rows [][]any
		} `json:"margin_ib_observed_equity_per_contract"`
		Index struct {
			S    decimal.Decimal
			Rows [][]any
		} `json:"margin_ib_observed_index_per_contract"`
		Units map[string]json.RawMessage `json:"margin_lean_strategy_units"`
	}
	require.NoError(t, json.Unmarshal(raw, &file))

	require.Len(t, file.Naked.Cases, 5)
	for _, c := range file.Naked.Cases {
		m := requirement(t, nil, fmt.Sprint(c["S"]), fmt.Sprintf("-2 XYZ %v%v @ %v", c["K"], c["right"], c["px"]))
		same(t, fmt.Sprint(c["margin"]), m.Initial, c)
	}

	// Interactive Brokers' own requirements; LEAN accepts 5 % for its model.
	near := func(want any, got decimal.Decimal) {
		assert.InEpsilon(t, want, got.InexactFloat64(), 0.005)
	}
	for _, row := range file.Equity.Rows {
		near(row[3], requirement(t, nil, file.Equity.S.String(), fmt.Sprintf("-1 XYZ %v%v @ %v", row[1], row[0], row[2])).Initial)
	}
	for _, row := range file.Index.Rows {
		near(row[3], requirement(t, nil, file.Index.S.String(), fmt.Sprintf("-1 SPX %v%v @ %v", row[1], row[0], row[2])).Initial)
	}

	// LEAN's units: S = 410, strikes 300 and 310, the 300 call at 112, the put at
	// 0.02; it names margin and premium.
	units := func(name string) (margin, premium float64) {
		var pair [2]float64
		require.NoError(t, json.Unmarshal(file.Units[name], &pair), name)
		return pair[0], pair[1]
	}
	spread := func(name string, lines ...string) {
		margin, premium := units(name)
		m := requirement(t, nil, "410", lines...)
		assert.Equal(t, margin, m.Initial.InexactFloat64(), name)
		if premium > 0 {
			assert.Equal(t, premium, m.OptionValue.InexactFloat64(), name)
		}
	}
	spread("bull_put_spread_10_wide", "+1 XYZ 300P @ 0.02", "-1 XYZ 310P @ 0.03")
	spread("bear_call_spread_10_wide_credit", "-1 XYZ 300C @ 112", "+1 XYZ 310C @ 100")
	spread("bull_call_spread", "+1 XYZ 300C @ 112", "-1 XYZ 310C @ 100")
	spread("long_straddle", "+1 XYZ 300C @ 112", "+1 XYZ 300P @ 0.02")
	margin, _ := units("protective_put")
	assert.Equal(t, margin, requirement(t, nil, "410", "+100 XYZ @ 410", "+1 XYZ 300P @ 0.02").Maintenance.InexactFloat64())
	margin, _ = units("covered_call")
	house := &broker.MarginRules{CoveredCallCharge: num("0.8")}
	assert.Equal(t, margin, requirement(t, house, "410", "+100 XYZ @ 410", "-1 XYZ 300C @ 112").Maintenance.InexactFloat64())
}

func TestRecordedRequirements(t *testing.T) {
	// payloads/rest/order_dry_run.json: a call spread of 3 for a credit of 2 changes
	// the requirement by 300 and buying power by -100 before fees of 2.302.
	limit := num("2")
	ticket := broker.NewTicket(broker.Order{Tag: "a", Type: broker.Limit, Limit: &limit, Legs: []broker.Leg{
		{Symbol: "SPY   191018C00298000", Action: broker.BuyToOpen, Quantity: num("1")},
		{Symbol: "SPY   191018C00295000", Action: broker.SellToOpen, Quantity: num("1")},
	}})
	var rules broker.MarginRules
	o, err := rules.OrderMargin(broker.MarginInput{Underlyings: map[market.Symbol]decimal.Decimal{"SPY": num("296")}}, ticket,
		map[market.Symbol]decimal.Decimal{"SPY   191018C00298000": num("4"), "SPY   191018C00295000": num("6")})
	require.NoError(t, err)
	same(t, "300", o.Change())
	same(t, "300", o.Isolated)
	same(t, "200", o.Cash)
	same(t, "-100", o.BuyingPower)
	same(t, "6520", o.Worst, "the short call without the long one: 6 + 20% of 296")

	// payloads/rest/margin_dry_run.json: shares worth 2464.628282839 ask for
	// 1232.31414142 and 616.15707071.
	shares, err := rules.Requirement(broker.MarginInput{Positions: []broker.MarginPosition{{Symbol: "AAPL", Quantity: num("1"), Price: num("2464.628282839")}}})
	require.NoError(t, err)
	assert.Equal(t, "1232.31414142", shares.Initial.Round(8).String())
	assert.Equal(t, "616.15707071", shares.Maintenance.Round(8).String())

	// payloads/rest/get_margin_requirements.json, the sandbox's rates: everything
	// at its whole value, and 251 a contract at least.
	sandbox := &broker.MarginRules{Symbols: map[market.Symbol]broker.SymbolMargin{"XYZ": {
		LongInitial: num("1"), LongMaintenance: num("1"), ShortInitial: num("1"), ShortMaintenance: num("1"),
		NakedStandard: num("1"), NakedMinimum: num("1"), NakedFloor: num("251"),
	}}}
	same(t, "100", requirement(t, sandbox, "100", "+1 XYZ @ 100").Initial)
	same(t, "10200", requirement(t, sandbox, "100", "-1 XYZ 110C @ 2").Initial)
	same(t, "252", requirement(t, sandbox, "1", "-1 XYZ 2C @ 0.01").Initial)
}

func TestLeverageRaisesRates(t *testing.T) {
	// A fund of three times: 60 % for naked calls, 75 % for shares.
	triple := &broker.MarginRules{Symbols: map[market.Symbol]broker.SymbolMargin{"XYZ": {Leverage: num("3")}}}
	same(t, "6200", requirement(t, triple, "100", "-1 XYZ 100C @ 2").Initial)
	m := requirement(t, triple, "100", "+100 XYZ @ 100")
	same(t, "7500", m.Initial)
	same(t, "7500", m.Maintenance)
}

func TestAccountsWithoutMarginPayInFull(t *testing.T) {
	cash := &broker.MarginRules{Account: broker.CashAccount}
	same(t, "10000", requirement(t, cash, "100", "+100 XYZ @ 100").Initial)
	put := requirement(t, cash, "100", "-1 XYZ 95P @ 2")
	same(t, "9500", put.Initial)
	assert.Equal(t, []string{"cash-secured put"}, names(put))
	assert.Empty(t, put.Violations)
	covered := requirement(t, cash, "120", "+100 XYZ @ 120", "-1 XYZ 110C @ 12")
	same(t, "12000", covered.Initial)
	assert.Empty(t, covered.Violations)
	naked := requirement(t, cash, "100", "-1 XYZ 110C @ 2", "-50 XYZ @ 100")
	require.Len(t, naked.Violations, 2)
	assert.Equal(t, "short_shares", naked.Violations[0].Code)
	assert.Equal(t, "uncovered_call", naked.Violations[1].Code)
	require.Len(t, requirement(t, cash, "100", "-1 XYZ 100C @ 5", "+1 XYZ 110C @ 2").Violations, 1, "a cash account holds no spreads")

	limited := &broker.MarginRules{Account: broker.RetirementAccount}
	spread := requirement(t, limited, "100", "-1 XYZ 100C @ 5", "+1 XYZ 110C @ 2")
	same(t, "1000", spread.Initial)
	assert.Empty(t, spread.Violations)
	same(t, "500", requirement(t, limited, "100", "-1 XYZ 100P @ 5", "+1 XYZ 95P @ 2").Initial)
	same(t, "10000", requirement(t, limited, "100", "-1 XYZ 100P @ 5").Initial)
	require.Len(t, requirement(t, limited, "100", "-1 XYZ 100P @ 5", "-1 XYZ 100C @ 5").Violations, 1)
}

func TestWhatCannotCoverDoesNot(t *testing.T) {
	for name, lines := range map[string][]string{
		"shares do not cover adjusted contracts":      {"+100 XYZ @ 100", "-1 XYZ1 110C @ 2"},
		"each expiry of VIX has its own forward":      {"-1 VIX 20C @ 2", "+1 VIX 20C9 @ 3"},
		"fewer shares than a contract":                {"+99 XYZ @ 100", "-1 XYZ 110C @ 2"},
		"a long option that dies first":               {"+1 XYZ 100P @ 2", "-1 XYZ 100P9 @ 3"},
		"contracts of another underlying":             {"+1 SPX 100C @ 2", "-1 XYZ 100C @ 3"},
		"adjusted contracts do not cover the plain":   {"+1 XYZ1 110C @ 1", "-1 XYZ 110C @ 2"},
		"a call does not cover a put":                 {"+1 XYZ 110C @ 1", "-1 XYZ 110P @ 12"},
		"long shares do not cover puts":               {"+100 XYZ @ 100", "-1 XYZ 90P @ 2"},
		"short shares do not cover calls":             {"-100 XYZ @ 100", "-1 XYZ 110C @ 2"},
		"two contracts are not covered by one, twice": {"+1 XYZ 100C @ 2", "-1 XYZ 100C9 @ 2"},
	} {
		assert.Len(t, requirement(t, nil, "100", lines...).Groups, 2, name)
	}
}

func TestMarginCalls(t *testing.T) {
	m := requirement(t, nil, "100", "+100 XYZ @ 100")
	same(t, "5000", m.Equity(num("-5000")))
	same(t, "0", m.BuyingPower(num("-5000")))
	same(t, "2500", m.Excess(num("-5000")))
	assert.Nil(t, m.Call(num("-5000")))
	assert.Equal(t, broker.MaintenanceCall, m.Call(num("-7600")).Kind)
	same(t, "100", m.Call(num("-7600")).Amount)

	small := requirement(t, nil, "10", "+100 XYZ @ 10")
	assert.Nil(t, small.Call(num("0")), "nothing is lent")
	assert.Equal(t, broker.MinimumEquityCall, small.Call(num("-400")).Kind)
	same(t, "1400", small.Call(num("-400")).Amount)

	cash := requirement(t, &broker.MarginRules{Account: broker.CashAccount}, "100", "+1 XYZ 100C @ 2")
	assert.Nil(t, cash.Call(num("0")))
	assert.Equal(t, broker.MaintenanceCall, cash.Call(num("-1")).Kind)
}

func TestLongDatedOptionsCanBeLentAgainst(t *testing.T) {
	rules := &broker.MarginRules{LongDatedLoan: num("0.25")}
	in := broker.MarginInput{Positions: held(t, "+1 XYZ 100C @ 20"), Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": num("100")}, Date: market.Date{Year: 2025, Month: 9, Day: 1}}
	m, err := rules.Requirement(in)
	require.NoError(t, err)
	same(t, "500", m.LoanValue)
	in.Date = market.Date{Year: 2025, Month: 12, Day: 1}
	m, err = rules.Requirement(in)
	require.NoError(t, err)
	same(t, "0", m.LoanValue)
}

func TestOrdersOfAGroupCountAsTheirWorst(t *testing.T) {
	order := func(tag, strike string) broker.Order {
		return broker.Order{Tag: tag, Type: broker.Market, Legs: []broker.Leg{{Symbol: option(t, "XYZ", strike), Action: broker.SellToOpen, Quantity: num("1")}}}
	}
	prices := map[market.Symbol]decimal.Decimal{option(t, "XYZ", "110C"): num("2"), option(t, "XYZ", "100C"): num("5")}
	in := broker.MarginInput{Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": num("100")}}
	var rules broker.MarginRules
	o, err := rules.OrderMargin(in, broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{order("a", "110C"), order("b", "100C")}}, prices)
	require.NoError(t, err)
	same(t, "-2000", o.BuyingPower)
	o, err = rules.OrderMargin(in, broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{order("a", "110C"), order("b", "100C")}}, prices)
	require.NoError(t, err)
	same(t, "-1000", o.BuyingPower)

	closing := broker.NewTicket(broker.Order{Tag: "c", Type: broker.Market, Legs: []broker.Leg{{Symbol: option(t, "XYZ", "100C"), Action: broker.BuyToClose, Quantity: num("1")}}})
	in.Positions = held(t, "-1 XYZ 100C @ 5")
	o, err = rules.OrderMargin(in, closing, nil)
	require.NoError(t, err)
	same(t, "-2500", o.Change())
	same(t, "2000", o.BuyingPower)
	same(t, "2500", o.Worst)

	debit := num("-48.5")
	buyWrite := broker.NewTicket(broker.Order{Tag: "d", Type: broker.Limit, Limit: &debit, Legs: []broker.Leg{
		{Symbol: "XYZ", Action: broker.BuyToOpen, Quantity: num("200")},
		{Symbol: option(t, "XYZ", "55C"), Action: broker.SellToOpen, Quantity: num("2")},
	}})
	o, err = rules.OrderMargin(broker.MarginInput{Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": num("50")}}, buyWrite,
		map[market.Symbol]decimal.Decimal{"XYZ": num("50"), option(t, "XYZ", "55C"): num("1.5")})
	require.NoError(t, err)
	same(t, "-9700", o.Cash)
	same(t, "5000", o.After.Initial)
	same(t, "-4700", o.BuyingPower)
}

func TestMarginRefusesWhatItCannotCount(t *testing.T) {
	field := func(err error) string {
		var fe *broker.FieldError
		require.ErrorAs(t, err, &fe)
		return fe.Field
	}
	var rules broker.MarginRules
	for want, p := range map[string]broker.MarginPosition{
		"Underlyings[XYZ]":        held(t, "-1 XYZ 100C @ 2")[0],
		"Positions[0].Price":      {Symbol: "SPY", Quantity: num("1"), Price: num("-1")},
		"Positions[0].Symbol":     {Quantity: num("1")},
		"Quantity":                {Symbol: option(t, "XYZ", "100C"), Quantity: num("0.5")},
		"Futures[ES]":             {Symbol: "/ESZ6", Quantity: num("1"), Price: num("5000")},
		"Symbol":                  {Symbol: "./ESZ6 EW4U6 260927P4975", Quantity: num("1"), Price: num("5")},
		"Positions[0].Multiplier": {Symbol: "SPY", Quantity: num("1"), Multiplier: num("-1")},
	} {
		_, err := rules.Requirement(broker.MarginInput{Positions: []broker.MarginPosition{p}})
		assert.Equal(t, want, field(err))
	}
	for want, rules := range map[string]*broker.MarginRules{
		"Account":             {Account: "ira"},
		"Default.LongInitial": {Default: broker.SymbolMargin{LongInitial: num("-1")}},
		"Symbols[X].Leverage": {Symbols: map[market.Symbol]broker.SymbolMargin{"X": {Leverage: num("-2")}}},
		"LongDatedLoan":       {LongDatedLoan: num("2")},
		"Futures[ES]":         {Futures: map[string]broker.FutureMargin{"ES": {Initial: num("-1")}}},
		"MinimumEquity":       {MinimumEquity: num("-1")},
	} {
		assert.Equal(t, want, field(rules.Validate()))
	}
	m, err := (&broker.MarginRules{Futures: map[string]broker.FutureMargin{"ES": {Initial: num("15000"), Maintenance: num("13000")}}}).
		Requirement(broker.MarginInput{Positions: []broker.MarginPosition{{Symbol: "/ESZ6", Quantity: num("-2"), Price: num("5000"), Multiplier: num("50")}, {Symbol: "BTC/USD", Quantity: num("0.5"), Price: num("90000")}}})
	require.NoError(t, err)
	same(t, "75000", m.Initial)
	same(t, "71000", m.Maintenance)
	same(t, "45000", m.ShareValue, "a future's profit is in cash already")
}

func TestErrorsNameTheOrderOfATicket(t *testing.T) {
	var rules broker.MarginRules
	_, err := rules.OrderMargin(broker.MarginInput{}, broker.NewTicket(broker.Order{Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: num("1")}}}), nil)
	var fe *broker.FieldError
	require.ErrorAs(t, err, &fe)
	assert.Equal(t, "Orders[0].prices[SPY]", fe.Field)
}
