package tasty

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

// Accounts lists the customer's accounts in the broker's order.
func (a *Adapter) Accounts(ctx context.Context) ([]broker.Account, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	list, err := a.client.Accounts.List(ctx)
	if err != nil {
		return nil, a.failure("listing accounts", err)
	}
	accounts := make([]broker.Account, 0, len(list))
	for _, item := range list {
		account := item.Account
		accounts = append(accounts, broker.Account{
			ID: broker.AccountID(account.Number), Nickname: account.Nickname, Type: account.TypeName,
			Margin: strings.EqualFold(account.MarginOrCash, "Margin"), OptionsLevel: account.SuitableOptionsLevel,
			Futures: account.IsFuturesApproved, Closed: account.IsClosed, OpenedAt: account.OpenedAt,
		})
	}
	return accounts, nil
}

// Balances returns the money of an account in dollars.
func (a *Adapter) Balances(ctx context.Context, account broker.AccountID) (*broker.Balances, error) {
	if err := checkAccount(account); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	b, err := a.client.Balances.Get(ctx, tastytrade.AccountNumber(account))
	if err != nil {
		return nil, a.accountFailure("reading balances", account, err)
	}
	return balancesOf(account, b), nil
}

func balancesOf(account broker.AccountID, b *tastytrade.Balance) *broker.Balances {
	return &broker.Balances{
		Account: account, Time: b.UpdatedAt, Currency: cmp.Or(b.Currency, "USD"),
		Cash: b.CashBalance, NetLiquidatingValue: b.NetLiquidatingValue,
		EquityBuyingPower: b.EquityBuyingPower, DerivativeBuyingPower: b.DerivativeBuyingPower,
		MaintenanceMargin: b.MaintenanceRequirement, MaintenanceExcess: b.MaintenanceExcess,
		PendingCash: b.PendingCash, DayTradeExcess: b.DayTradeExcess,
	}
}

// Positions returns the open positions of an account, marks included. A mark
// that the broker does not send with the position is looked up by quote, and
// nil when there is none either.
func (a *Adapter) Positions(ctx context.Context, account broker.AccountID) ([]broker.Position, error) {
	if err := checkAccount(account); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	list, err := a.client.Positions.List(ctx, tastytrade.AccountNumber(account), &tastytrade.PositionsOptions{IncludeMarks: true})
	if err != nil {
		return nil, a.accountFailure("reading positions", account, err)
	}
	positions := make([]broker.Position, 0, len(list))
	for _, p := range list {
		position := a.positionOf(account, p)
		if position.Quantity.IsZero() {
			continue // closed today
		}
		positions = append(positions, position)
	}
	slices.SortFunc(positions, func(x, y broker.Position) int {
		return cmp.Or(cmp.Compare(x.Underlying, y.Underlying), cmp.Compare(x.Symbol, y.Symbol))
	})
	a.fillMarks(ctx, positions)
	return positions, nil
}

func (a *Adapter) positionOf(account broker.AccountID, p tastytrade.Position) broker.Position {
	position := broker.Position{
		Account: account, Symbol: normal(p.Symbol), Underlying: normal(p.UnderlyingSymbol), Kind: kindOf(p.InstrumentType),
		Quantity: p.SignedQuantity(), AverageOpenPrice: absolute(p.AverageOpenPrice), Mark: p.MarkPrice, PrevClose: p.ClosePrice,
		RealizedDay: a.realizedToday(p), OpenedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt,
	}
	switch {
	case p.Multiplier != nil:
		position.Multiplier = *p.Multiplier
	case position.Kind == market.KindOption:
		position.Multiplier = decimal.NewFromInt(100)
	default:
		position.Multiplier = decimal.NewFromInt(1)
	}
	return position
}

// realizedToday is the day's realised profit. The broker's figure stays from the
// last day on which there was one: on later days nothing was realised.
func (a *Adapter) realizedToday(p tastytrade.Position) *decimal.Decimal {
	if p.RealizedDayGain == nil || p.RealizedDayGainDate.IsZero() || p.RealizedDayGainDate == a.today() {
		return p.RealizedDayGain
	}
	return &decimal.Decimal{}
}

// fillMarks looks up the marks that are nil. What fails stays nil.
func (a *Adapter) fillMarks(ctx context.Context, positions []broker.Position) {
	var wanted []market.Symbol
	for _, p := range positions {
		if p.Mark == nil {
			wanted = append(wanted, p.Symbol)
		}
	}
	if len(wanted) == 0 {
		return
	}
	data, _, err := a.snapshots(ctx, wanted)
	if err != nil {
		a.opts.Logger.Warn("positions without marks", "error", err)
	}
	for i := range positions {
		if d, ok := data[positions[i].Symbol]; ok && positions[i].Mark == nil {
			positions[i].Mark = d.Mark
		}
	}
}

func checkAccount(account broker.AccountID) error {
	if account == "" {
		return invalid.Missing("account", "an account number, as Accounts lists them")
	}
	return nil
}

func absolute(d *decimal.Decimal) *decimal.Decimal {
	if d == nil {
		return nil
	}
	v := d.Abs()
	return &v
}

// normal is the broker's symbol in the form that this module uses, which is the
// same but for spaces that got lost.
func normal(symbol string) market.Symbol {
	if s, err := market.ParseSymbol(symbol); err == nil {
		return s
	}
	return market.Symbol(symbol)
}

func kindOf(t tastytrade.InstrumentType) market.InstrumentKind {
	switch t {
	case tastytrade.TypeEquity, tastytrade.TypeIndex:
		return market.KindEquity
	case tastytrade.TypeEquityOption:
		return market.KindOption
	case tastytrade.TypeFuture:
		return market.KindFuture
	case tastytrade.TypeFutureOption:
		return market.KindFutureOption
	case tastytrade.TypeCryptocurrency:
		return market.KindCrypto
	}
	return market.InstrumentKind(strings.ToLower(string(t)))
}
