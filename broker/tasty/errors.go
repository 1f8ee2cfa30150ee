package tasty

import (
	"context"
	"errors"
	"fmt"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// failure says what was being done and gives err the sentinel that callers of a
// broker or a source branch on. What the caller did wrong stays as it is.
func (a *Adapter) failure(doing string, err error) error {
	var field *FieldError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &field),
		errors.Is(err, broker.ErrUnavailable), errors.Is(err, broker.ErrUnauthorized), errors.Is(err, broker.ErrUnknownAccount):
		return fmt.Errorf("tasty: %s: %w", doing, err)
	case errors.Is(err, tastytrade.ErrUnauthorized), errors.Is(err, tastytrade.ErrForbidden), errors.Is(err, dxlink.ErrUnauthorized):
		return fmt.Errorf("tasty: %s: %w: %w", doing, broker.ErrUnauthorized, err)
	case a.ctx.Err() != nil:
		return fmt.Errorf("tasty: %s: the adapter is closed: %w", doing, broker.ErrUnavailable)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("tasty: %s: %w", doing, err) // the caller's own wish
	case errors.Is(err, tastytrade.ErrInvalid):
		return fmt.Errorf("tasty: %s: %w", doing, err) // the broker's words say why
	}
	// Unreachable, slow, failing, limiting or talking nonsense: nothing to be had now.
	return fmt.Errorf("tasty: %s: %w: %w", doing, broker.ErrUnavailable, err)
}

// accountFailure is failure for routes of one account, where "not found" and
// "not permitted" mean that the credentials do not reach it.
func (a *Adapter) accountFailure(doing string, account broker.AccountID, err error) error {
	if errors.Is(err, tastytrade.ErrNotFound) || errors.Is(err, tastytrade.ErrForbidden) {
		return fmt.Errorf("tasty: %s: account %q: %w: %w", doing, account, broker.ErrUnknownAccount, err)
	}
	return a.failure(doing, err)
}

// symbolFailure is failure for routes of one symbol, where "not found" means
// that there is no such symbol.
func (a *Adapter) symbolFailure(doing string, symbol market.Symbol, err error) error {
	if errors.Is(err, tastytrade.ErrNotFound) {
		return &market.MissingError{Symbols: []market.Symbol{symbol}, Err: fmt.Errorf("%w: %w", market.ErrUnknownSymbol, err)}
	}
	return a.failure(doing, err)
}

// lacking reports whether the sandbox refused what only production has.
func (a *Adapter) lacking(err error) bool {
	return a.opts.Environment == broker.Sandbox &&
		(errors.Is(err, tastytrade.ErrUnavailable) || errors.Is(err, tastytrade.ErrNotFound) || errors.Is(err, tastytrade.ErrForbidden)) &&
		!errors.Is(err, context.DeadlineExceeded)
}

// missing returns a MissingError, nil when there is nothing missing.
func missing(symbols []market.Symbol, why error) error {
	if len(symbols) == 0 {
		return nil
	}
	return &market.MissingError{Symbols: symbols, Err: why}
}
