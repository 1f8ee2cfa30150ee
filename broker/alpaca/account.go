package alpaca

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

var (
	one     = decimal.NewFromInt(1)
	hundred = decimal.NewFromInt(100)
)

// accountID is how the adapter names an account: by its number, or by its id
// where Alpaca says no number.
func accountID(account *Account) broker.AccountID {
	return broker.AccountID(cmp.Or(account.Number, account.ID))
}

// Accounts returns the one account that the credentials reach.
func (a *Adapter) Accounts(ctx context.Context) ([]broker.Account, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	account, err := a.client.Account(ctx)
	if err != nil {
		return nil, a.failure("reading the account", err)
	}
	level := ""
	if account.OptionsTradingLevel.Known() {
		level = account.OptionsTradingLevel.String()
	}
	margin := account.Multiplier.Decimal().GreaterThan(one)
	kind := "Cash"
	if margin {
		kind = "Margin"
	}
	return []broker.Account{{
		ID: accountID(account), Type: kind, Margin: margin, OptionsLevel: level,
		Closed: account.Status == "ACCOUNT_CLOSED", OpenedAt: account.CreatedAt.Time,
	}}, nil
}

// check returns nil when the credentials reach an account. What was found is kept
// as long as the credentials are the same.
func (a *Adapter) check(ctx context.Context, account broker.AccountID) error {
	if account == "" {
		return invalid.Missing("account", "an account number, as Accounts lists them")
	}
	creds, err := a.client.credentials(ctx)
	if err != nil {
		return a.failure("reading the account", err)
	}
	sum := sha256.Sum256([]byte(creds.KeyID + "\x00" + creds.Token))
	key := string(sum[:])
	a.mu.Lock()
	known, ok := a.account[key]
	a.mu.Unlock()
	if !ok {
		found, err := a.client.Account(ctx)
		if err != nil {
			return a.failure("reading the account", err)
		}
		known = accountID(found)
		a.mu.Lock()
		clear(a.account) // rotated credentials are not used again
		a.account[key] = known
		a.mu.Unlock()
	}
	if known != account {
		return fmt.Errorf("alpaca: account %q: %w", account, broker.ErrUnknownAccount)
	}
	return nil
}

// Balances returns the money of the account.
func (a *Adapter) Balances(ctx context.Context, account broker.AccountID) (*broker.Balances, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if err := a.check(ctx, account); err != nil {
		return nil, err
	}
	b, err := a.client.Account(ctx)
	if err != nil {
		return nil, a.failure("reading balances", err)
	}
	if accountID(b) != account {
		return nil, fmt.Errorf("alpaca: account %q: %w", account, broker.ErrUnknownAccount)
	}
	balances := &broker.Balances{
		Account: account, Time: a.now(), Currency: cmp.Or(b.Currency, "USD"),
		Cash: b.Cash.Pointer(), NetLiquidatingValue: b.Equity.Pointer(),
		EquityBuyingPower: b.BuyingPower.Pointer(), DerivativeBuyingPower: b.OptionsBuyingPower.Pointer(),
		MaintenanceMargin: b.MaintenanceMargin.Pointer(),
	}
	if balances.NetLiquidatingValue == nil {
		balances.NetLiquidatingValue = b.PortfolioValue.Pointer()
	}
	if balances.NetLiquidatingValue != nil && b.MaintenanceMargin.Known() {
		excess := balances.NetLiquidatingValue.Sub(b.MaintenanceMargin.Decimal())
		balances.MaintenanceExcess = &excess
	}
	if b.PendingTransferIn.Known() || b.PendingTransferOut.Known() {
		pending := b.PendingTransferIn.Decimal().Sub(b.PendingTransferOut.Decimal().Abs())
		balances.PendingCash = &pending
	}
	return balances, nil
}

// Positions returns the open positions of the account.
func (a *Adapter) Positions(ctx context.Context, account broker.AccountID) ([]broker.Position, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if err := a.check(ctx, account); err != nil {
		return nil, err
	}
	list, err := a.client.Positions(ctx)
	if err != nil {
		return nil, a.failure("reading positions", err)
	}
	positions := make([]broker.Position, 0, len(list))
	for i := range list {
		positions = append(positions, a.position(account, &list[i]))
	}
	slices.SortFunc(positions, func(x, y broker.Position) int {
		return cmp.Or(cmp.Compare(x.Underlying, y.Underlying), cmp.Compare(x.Symbol, y.Symbol))
	})
	return positions, nil
}

func (a *Adapter) position(account broker.AccountID, p *Position) broker.Position {
	symbol := symbolOf(p.Symbol, p.AssetClass)
	out := broker.Position{
		Account: account, Symbol: symbol, Underlying: underlyingOf(symbol), Kind: symbol.Kind(), Quantity: p.Qty.Decimal(),
		Multiplier: multiplier(symbol), Mark: p.CurrentPrice.Pointer(), PrevClose: p.LastDayPrice.Pointer(),
	}
	if strings.EqualFold(p.Side, "short") && out.Quantity.IsPositive() {
		out.Quantity = out.Quantity.Neg()
	}
	if out.Mark == nil {
		out.Mark = p.LastPrice.Pointer()
	}
	if p.AvgEntryPrice.Known() || p.EntryPrice.Known() {
		price := p.AvgEntryPrice.Decimal()
		if !p.AvgEntryPrice.Known() {
			price = p.EntryPrice.Decimal()
		}
		price = price.Abs()
		out.AverageOpenPrice = &price
	}
	if c, ok := symbol.Contract(); ok {
		if session, open := a.opts.Calendar.Session(c.Expiration); open {
			out.ExpiresAt = session.Close
		} else {
			out.ExpiresAt = c.Expiration.In(a.opts.Calendar.Location())
		}
	}
	return out
}

// multiplier is what a price of one is worth. Adjusted contracts can differ.
func multiplier(s market.Symbol) decimal.Decimal {
	if s.Kind() == market.KindOption {
		return hundred
	}
	return one
}
