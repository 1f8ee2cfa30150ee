package simulator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// The numbers of the demo accounts.
const (
	DemoMargin = "5WS00001"
	DemoIRA    = "5WS00002"
)

func demoAccounts() []AccountState {
	return []AccountState{
		{Number: DemoMargin, Nickname: "Demo margin", Margin: true, Cash: decimal.New(85_000_00, -2)},
		{Number: DemoIRA, Nickname: "Demo IRA", Type: "Roth IRA", OptionsLevel: "Covered And Cash Secured", Cash: decimal.New(60_000_00, -2)},
	}
}

// What the demo accounts hold, by preference: the first symbol that the market
// has is taken.
var (
	demoShares    = [...]market.Symbol{"AAPL", "MSFT", "JPM", "SPY"}
	demoFunds     = [...]market.Symbol{"SPY", "QQQ", "IWM", "AAPL"}
	demoDividends = [...]market.Symbol{"KO", "PFE", "F", "T", "XOM"}
)

// The demo positions' past: shares were bought this many sessions before the
// clock began, options sold that many.
const (
	sharesHeld  = 60
	optionsHeld = 6
)

// fillDemo makes the positions of the demo accounts. What the market cannot
// give (history, options) is left out.
func (s *Simulator) fillDemo(ctx context.Context, accounts []AccountState) error {
	var margin, ira []PositionState
	if symbol, ok, err := s.firstKnown(ctx, demoShares[:]); err != nil {
		return err
	} else if ok {
		if err := s.addShares(ctx, &margin, symbol, 200); err != nil {
			return err
		}
		if err := s.addOption(ctx, &margin, symbol, market.Call, 0.30, 30, -2); err != nil {
			return err
		}
	}
	if symbol, ok, err := s.firstKnown(ctx, demoFunds[:]); err != nil {
		return err
	} else if ok {
		if err := s.addOption(ctx, &margin, symbol, market.Put, 0.20, 40, -1); err != nil {
			return err
		}
		if err := s.addShares(ctx, &ira, symbol, 40); err != nil {
			return err
		}
	}
	if symbol, ok, err := s.firstKnown(ctx, demoDividends[:]); err != nil {
		return err
	} else if ok {
		if err := s.addShares(ctx, &ira, symbol, 150); err != nil {
			return err
		}
		if err := s.addOption(ctx, &ira, symbol, market.Put, 0.25, 30, -2); err != nil {
			return err
		}
	}
	accounts[0].Positions, accounts[1].Positions = margin, ira
	return nil
}

// firstKnown returns the first of symbols that the market describes.
func (s *Simulator) firstKnown(ctx context.Context, symbols []market.Symbol) (market.Symbol, bool, error) {
	found, err := s.market.Instruments(ctx, symbols)
	if err = absence(err); err != nil {
		return "", false, err
	}
	if len(found) == 0 {
		return "", false, nil
	}
	return found[0].Symbol, true, nil
}

// absence turns errors that mean "there is none" into nil.
func absence(err error) error {
	var missing *market.MissingError
	if errors.Is(err, market.ErrNoData) || errors.Is(err, market.ErrUnknownSymbol) || errors.Is(err, market.ErrUnsupported) {
		return nil
	}
	if errors.As(err, &missing) {
		return missing.Err
	}
	return err
}

// past returns the daily bars of symbol that were complete when the clock began.
func (s *Simulator) past(ctx context.Context, symbol market.Symbol, sessions int) ([]market.Bar, error) {
	bars, err := s.market.Bars(ctx, market.BarsRequest{Symbol: symbol, Interval: market.Day, To: s.start, Limit: sessions + 2})
	if err = absence(err); err != nil {
		return nil, err
	}
	return s.calendar.Complete(bars, market.Day, s.start), nil
}

// addShares adds a long position opened at a past close.
func (s *Simulator) addShares(ctx context.Context, to *[]PositionState, symbol market.Symbol, quantity int64) error {
	bars, err := s.past(ctx, symbol, sharesHeld)
	if err != nil || len(bars) == 0 {
		return err
	}
	bar := bars[max(0, len(bars)-sharesHeld)]
	*to = append(*to, PositionState{
		Symbol: symbol, Quantity: decimal.NewFromInt(quantity),
		AverageOpenPrice: decimal.NewFromFloat(bar.Close).Round(2), OpenedAt: s.closeOf(bar),
	})
	return nil
}

func (s *Simulator) closeOf(bar market.Bar) time.Time {
	return s.calendar.BarEnd(bar.Time, market.Day).Add(-5 * time.Minute)
}

// chainAt returns quotes as of the time at which the clock began, when the
// market can look back, so that the demo accounts do not depend on when they
// are first asked for.
func (s *Simulator) chainAt(ctx context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	if past, ok := s.base.(interface {
		ChainAt(market.ChainRequest, time.Time) ([]market.OptionQuote, error)
	}); ok {
		return past.ChainAt(req, s.start)
	}
	return s.market.Chain(ctx, req)
}

// addOption adds an option sold some sessions ago: of the first expiration at
// least days after the clock's beginning the contract with the delta nearest to
// the one given, at the price that it had then with today's volatility.
func (s *Simulator) addOption(ctx context.Context, to *[]PositionState, underlying market.Symbol, kind market.OptionKind, delta float64, days int, quantity int64) error {
	expirations, err := s.market.Expirations(ctx, underlying)
	if err = absence(err); err != nil {
		return fmt.Errorf("expirations of %s: %w", underlying, err)
	}
	began := market.DateOf(s.start.In(s.calendar.Location()))
	var expiration market.Date
	for _, e := range expirations {
		if began.DaysUntil(e.Date) >= days {
			expiration = e.Date
			break
		}
	}
	bars, err := s.past(ctx, underlying, optionsHeld)
	if err != nil || len(bars) == 0 || expiration.IsZero() {
		return err
	}
	quotes, err := s.chainAt(ctx, market.ChainRequest{Underlying: underlying, Expirations: []market.Date{expiration}})
	if err = absence(err); err != nil {
		return fmt.Errorf("chain of %s: %w", underlying, err)
	}
	best, distance := -1, math.Inf(1)
	for i, q := range quotes {
		d := math.Abs(math.Abs(q.Delta) - delta)
		if q.Kind == kind && q.IV > 0 && d < distance {
			best, distance = i, d
		}
	}
	if best < 0 {
		return nil // quotes without volatilities: nothing to price a past sale by
	}
	q := quotes[best]
	bar := bars[max(0, len(bars)-optionsHeld)]
	opened := s.closeOf(bar)
	years := options.YearsToExpiry(opened, options.ExpiryTime(q.Expiration, q.Settlement, s.calendar))
	price := options.BSM{Spot: bar.Close, Strike: q.Strike, Years: years, Rate: s.riskFree(), Vol: q.IV}.Price(kind)
	premium := decimal.NewFromFloat(math.Max(price, 0.05)).Round(2)
	*to = append(*to, PositionState{Symbol: q.Symbol, Quantity: decimal.NewFromInt(quantity), AverageOpenPrice: premium, OpenedAt: opened})
	return nil
}

// riskFree is the market's own rate, or 4 % a year.
func (s *Simulator) riskFree() float64 {
	if m, ok := s.base.(interface{ Rate() float64 }); ok {
		return m.Rate()
	}
	return 0.04
}
