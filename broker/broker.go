// Package broker has the broker-neutral words for accounts, balances and
// positions, and the interfaces that adapters implement. Callers above it
// (tools, analysts, strategies, workflows) know no particular broker.
//
// # Money
//
// Amounts are decimal.Decimal in the account's currency and signed: what is
// received or owned is positive, what is paid or owed is negative. A nil
// pointer means "not known"; zero means zero.
package broker

import (
	"context"
	"errors"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// What callers branch on. Adapters wrap them.
var (
	// ErrUnknownAccount: the credentials do not reach such an account.
	ErrUnknownAccount = errors.New("unknown account")
	// ErrUnavailable: the broker could not be reached or answered nonsense.
	ErrUnavailable = errors.New("broker unavailable")
	// ErrUnauthorized: the broker refused the credentials.
	ErrUnauthorized = errors.New("broker refused the credentials")
)

// An Environment says whose money an account holds. It is named in every
// result about an account.
type Environment string

// The environments.
const (
	Simulator  Environment = "simulator"  // ttai's own, no account needed
	Paper      Environment = "paper"      // simulated fills on live quotes
	Sandbox    Environment = "sandbox"    // the broker's test system
	Production Environment = "production" // real money
	Files      Environment = "files"      // recorded bars and chains; there is no account
)

// Real reports whether orders in this environment move real money. An unknown
// environment counts as real.
func (e Environment) Real() bool {
	return e != Simulator && e != Paper && e != Sandbox && e != Files
}

// An AccountID is the broker's account number.
type AccountID string

// A Reader is the reading half of a broker. Implementations are safe for
// concurrent use, respect the deadline of ctx and never return data of another
// customer.
type Reader interface {
	// Environment tells whether this is real money.
	Environment() Environment
	// Accounts lists the accounts that the credentials reach, in a stable order.
	Accounts(ctx context.Context) ([]Account, error)
	// Balances returns the cash and buying power of one account.
	Balances(ctx context.Context, account AccountID) (*Balances, error)
	// Positions returns the open positions of one account, ordered by
	// underlying, then symbol.
	Positions(ctx context.Context, account AccountID) ([]Position, error)
}

// A Broker is what an adapter implements: accounts to read, and orders to trade.
// What only reads is made one by [ReadOnly]; what trades is kept within limits
// and behind an approval by [Guard].
type Broker interface {
	Reader
	Trader
}

// An Account is one account of a customer.
type Account struct {
	ID           AccountID
	Nickname     string
	Type         string // as the broker names it: "Individual", "Roth IRA" …
	Margin       bool   // margin account; false is a cash account
	OptionsLevel string // as the broker names it; empty when unknown
	Futures      bool   // approved for futures
	Closed       bool
	OpenedAt     time.Time // zero when unknown
}

// Balances are the money of an account. Nil amounts are not known.
type Balances struct {
	Account               AccountID
	Time                  time.Time // as of; zero when unknown
	Currency              string    // "USD"
	Cash                  *decimal.Decimal
	NetLiquidatingValue   *decimal.Decimal
	EquityBuyingPower     *decimal.Decimal
	DerivativeBuyingPower *decimal.Decimal
	MaintenanceMargin     *decimal.Decimal // requirement, positive
	MaintenanceExcess     *decimal.Decimal
	PendingCash           *decimal.Decimal
	DayTradeExcess        *decimal.Decimal
}

// A Position is a holding of one instrument.
type Position struct {
	Account    AccountID
	Symbol     market.Symbol
	Underlying market.Symbol
	Kind       market.InstrumentKind
	// Quantity is signed: long positive, short negative. It can be fractional.
	Quantity   decimal.Decimal
	Multiplier decimal.Decimal // 1 for shares, 100 for standard options
	// AverageOpenPrice is per unit and positive, for short positions too.
	AverageOpenPrice *decimal.Decimal
	// Mark is the price per unit that the broker values the position at.
	Mark *decimal.Decimal
	// PrevClose is the price per unit at the previous close.
	PrevClose   *decimal.Decimal
	RealizedDay *decimal.Decimal // realised profit of the day, signed
	OpenedAt    time.Time        // zero when unknown
	ExpiresAt   time.Time        // zero for what does not expire
}

// Value returns quantity × multiplier × mark, negative for short positions;
// nil when the mark is not known.
func (p Position) Value() *decimal.Decimal {
	if p.Mark == nil {
		return nil
	}
	v := p.Quantity.Mul(p.Multiplier).Mul(*p.Mark)
	return &v
}

// OpenProfit returns the unrealised profit, signed; nil when the mark or the
// opening price is not known.
func (p Position) OpenProfit() *decimal.Decimal {
	if p.Mark == nil || p.AverageOpenPrice == nil {
		return nil
	}
	v := p.Mark.Sub(*p.AverageOpenPrice).Mul(p.Quantity).Mul(p.Multiplier)
	return &v
}
