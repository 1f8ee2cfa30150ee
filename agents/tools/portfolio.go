package tools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

type portfolioArgs struct {
	Account string `json:"account,omitempty" jsonschema:"account number; default all open accounts" schema:"maxLength=64"`
	Greeks  bool   `json:"greeks,omitempty" schema:"default=true"`
}

type portfolioResult struct {
	stamp
	Accounts []accountRow `json:"accounts"`
	// Columns name the values of each position's row.
	Columns []string `json:"columns"`
	Units   string   `json:"units"`
	Greeks  string   `json:"greeks_method,omitempty"`
}

type accountRow struct {
	Account      broker.AccountID `json:"account"`
	Nickname     string           `json:"nickname,omitempty"`
	Type         string           `json:"type,omitempty"`
	Margin       bool             `json:"margin"`
	OptionsLevel string           `json:"options_level,omitempty"`
	Balances     *balancesRow     `json:"balances"`
	Totals       *totalsRow       `json:"totals"`
	Positions    [][]any          `json:"positions"`
	Problem      string           `json:"problem,omitempty"` // why something of it is missing
}

type balancesRow struct {
	Time                  time.Time        `json:"time,omitzero"`
	Currency              string           `json:"currency,omitempty"`
	Cash                  *decimal.Decimal `json:"cash"`
	NetLiquidatingValue   *decimal.Decimal `json:"net_liquidating_value"`
	EquityBuyingPower     *decimal.Decimal `json:"equity_buying_power"`
	DerivativeBuyingPower *decimal.Decimal `json:"derivative_buying_power"`
	MaintenanceMargin     *decimal.Decimal `json:"maintenance_margin"`
	MaintenanceExcess     *decimal.Decimal `json:"maintenance_excess"`
	PendingCash           *decimal.Decimal `json:"pending_cash"`
}

// totalsRow sums over all positions of an account; null when one of them is unknown.
type totalsRow struct {
	Positions   int              `json:"positions"`
	Value       *decimal.Decimal `json:"value"`
	OpenProfit  *decimal.Decimal `json:"open_profit"`
	DayProfit   *decimal.Decimal `json:"day_profit"`
	DollarDelta *market.Float    `json:"dollar_delta,omitempty"`
	Theta       *market.Float    `json:"theta_per_day,omitempty"`
	Vega        *market.Float    `json:"vega_per_point,omitempty"`
}

// A holding is what one account answered.
type holding struct {
	account   broker.Account
	balances  *broker.Balances
	positions []broker.Position
	err       error
}

func (k *kit) portfolio() agents.Tool {
	return tool(k, agents.Spec{
		Name: "portfolio", Title: "Portfolio", Annotations: reads,
		Description: "Accounts with balances, buying power and positions with profit and Greeks, totals per account.",
	}, func(ctx context.Context, in portfolioArgs) (portfolioResult, error) {
		accounts, err := k.accounts(ctx, in.Account)
		if err != nil {
			return portfolioResult{}, err
		}
		holdings := k.holdings(ctx, accounts)
		if err := allFailed(holdings); err != nil {
			return portfolioResult{}, err
		}
		out := portfolioResult{
			stamp: k.stamp(), Accounts: []accountRow{},
			Columns: []string{"symbol", "underlying", "quantity", "average_price", "mark", "value", "open_profit", "day_profit"},
			Units:   "dollars; quantity, value and profit are signed, short negative; prices per unit",
		}
		var greeks greeker
		if in.Greeks && k.Market != nil {
			greeks = k.greeks(ctx, holdings)
			out.Columns = append(out.Columns, "delta", "gamma", "theta", "vega")
			out.Units += "; delta in shares of the underlying, gamma its change per dollar, theta dollars per calendar day, vega dollars per volatility point"
			out.Greeks = "implied from the mid price (else the mark) as European options without dividends; an approximation for American ones"
		}
		budget := rowBudget
		for _, h := range holdings {
			out.Accounts = append(out.Accounts, k.accountRow(h, greeks, &budget, &out.stamp))
		}
		return out, nil
	})
}

// mostAccounts is how many accounts one call reads.
const mostAccounts = 20

func (k *kit) accounts(ctx context.Context, only string) ([]broker.Account, error) {
	all, err := k.Broker.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	only = strings.TrimSpace(only)
	if only == "" {
		all = slices.DeleteFunc(slices.Clone(all), func(a broker.Account) bool { return a.Closed })
		return all, nil
	}
	var ids []string
	for _, a := range all {
		if strings.EqualFold(string(a.ID), only) {
			return []broker.Account{a}, nil
		}
		ids = append(ids, string(a.ID))
	}
	return nil, invalid.Field("account", only, "one of "+strings.Join(ids, ", "))
}

// holdings asks all accounts at the same time.
func (k *kit) holdings(ctx context.Context, accounts []broker.Account) []holding {
	out := make([]holding, len(accounts))
	slots := make(chan struct{}, 4) // so many accounts at once
	var group sync.WaitGroup
	for i, a := range accounts {
		out[i].account = a
		if i >= mostAccounts {
			out[i].err = fmt.Errorf("not read: %d accounts are read at once, ask for this one by its number", mostAccounts)
			continue
		}
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			h := &out[i]
			var balances, positions error
			h.balances, balances = k.Broker.Balances(ctx, a.ID)
			h.positions, positions = k.Broker.Positions(ctx, a.ID)
			if balances != nil {
				h.balances, h.err = nil, fmt.Errorf("balances: %w", balances)
			}
			if positions != nil {
				h.positions, h.err = nil, fmt.Errorf("positions: %w", positions)
			}
		})
	}
	group.Wait()
	return out
}

// allFailed returns the error when there is nothing at all to show.
func allFailed(holdings []holding) error {
	var first error
	for _, h := range holdings {
		if h.err == nil || h.balances != nil || h.positions != nil {
			return nil
		}
		first = cmp.Or(first, h.err)
	}
	return first
}

func (k *kit) accountRow(h holding, greeks greeker, budget *int, s *stamp) accountRow {
	row := accountRow{
		Account: h.account.ID, Nickname: clip(h.account.Nickname, 60), Type: h.account.Type, Margin: h.account.Margin,
		OptionsLevel: h.account.OptionsLevel, Positions: [][]any{},
	}
	if h.err != nil {
		row.Problem = k.explain(h.err).Error()
	}
	if b := h.balances; b != nil {
		row.Balances = &balancesRow{
			Time: k.local(b.Time), Currency: b.Currency, Cash: b.Cash, NetLiquidatingValue: b.NetLiquidatingValue,
			EquityBuyingPower: b.EquityBuyingPower, DerivativeBuyingPower: b.DerivativeBuyingPower,
			MaintenanceMargin: b.MaintenanceMargin, MaintenanceExcess: b.MaintenanceExcess, PendingCash: b.PendingCash,
		}
	}
	if h.positions == nil && h.err != nil {
		return row
	}
	row.Totals = k.totals(h.positions, greeks)
	for _, p := range h.positions {
		row.Positions = append(row.Positions, k.positionRow(p, greeks))
	}
	// The largest are shown when not all can be.
	if n := fit(row.Positions, *budget); n < len(row.Positions) {
		order := slices.Clone(h.positions)
		slices.SortStableFunc(order, func(a, b broker.Position) int { return magnitude(b).Cmp(magnitude(a)) })
		row.Positions = row.Positions[:0]
		for _, p := range order {
			row.Positions = append(row.Positions, k.positionRow(p, greeks))
		}
		n = fit(row.Positions, *budget)
		s.omit("%d smaller positions of %s, which are in its totals", len(row.Positions)-n, h.account.ID)
		row.Positions = row.Positions[:n]
	}
	for _, p := range row.Positions {
		*budget -= size(p)
	}
	return row
}

func magnitude(p broker.Position) decimal.Decimal {
	if v := p.Value(); v != nil {
		return v.Abs()
	}
	return decimal.Zero
}

func (k *kit) positionRow(p broker.Position, greeks greeker) []any {
	row := []any{
		p.Symbol, p.Underlying, p.Quantity, p.AverageOpenPrice, p.Mark, cents(p.Value()), cents(p.OpenProfit()), cents(k.dayProfit(p)),
	}
	if greeks != nil {
		g := greeks(p)
		row = append(row, num(g.Delta, 2), num(g.Gamma, 4), num(g.Theta, 2), num(g.Vega, 2))
	}
	return row
}

// dayProfit is what the position has earned today: since the previous close,
// or since it was opened when that was today, with what was realised.
func (k *kit) dayProfit(p broker.Position) *decimal.Decimal {
	base := p.PrevClose
	if !p.OpenedAt.IsZero() && market.DateOf(p.OpenedAt.In(k.Calendar.Location())) == k.today() {
		base = p.AverageOpenPrice
	}
	if p.Mark == nil || base == nil {
		return nil
	}
	v := p.Mark.Sub(*base).Mul(p.Quantity).Mul(p.Multiplier)
	if p.RealizedDay != nil {
		v = v.Add(*p.RealizedDay)
	}
	return &v
}

func (k *kit) totals(positions []broker.Position, greeks greeker) *totalsRow {
	t := &totalsRow{Positions: len(positions), Value: &decimal.Zero, OpenProfit: &decimal.Zero, DayProfit: &decimal.Zero}
	var dollars, theta, vega float64
	for _, p := range positions {
		t.Value, t.OpenProfit, t.DayProfit = plus(t.Value, p.Value()), plus(t.OpenProfit, p.OpenProfit()), plus(t.DayProfit, k.dayProfit(p))
		if greeks != nil {
			g := greeks(p)
			dollars += g.Delta * g.Spot
			theta += g.Theta
			vega += g.Vega
		}
	}
	t.Value, t.OpenProfit, t.DayProfit = cents(t.Value), cents(t.OpenProfit), cents(t.DayProfit)
	if greeks != nil {
		t.DollarDelta, t.Theta, t.Vega = ptr(num(dollars, 2)), ptr(num(theta, 2)), ptr(num(vega, 2))
	}
	return t
}

// plus adds money; unknown plus anything is unknown.
func plus(a, b *decimal.Decimal) *decimal.Decimal {
	if a == nil || b == nil {
		return nil
	}
	sum := a.Add(*b)
	return &sum
}

func cents(d *decimal.Decimal) *decimal.Decimal {
	if d == nil {
		return nil
	}
	r := d.Round(2)
	return &r
}
