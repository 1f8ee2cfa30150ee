package paper_test

import (
	"errors"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

const (
	call510 = market.Symbol("SPY   260320C00510000")
	put480  = market.Symbol("SPY   260320P00480000")
	put470  = market.Symbol("SPY   260320P00470000")
)

func asCash(cash string) func(*paper.Options) {
	return func(o *paper.Options) { o.Accounts[0].Margin, o.Accounts[0].Cash = false, *dec(cash) }
}

// refusals are the codes with which a ticket is refused, by Preview and Place alike.
func (d *desk) refusals(o broker.Order) []string {
	d.t.Helper()
	p, err := d.Preview(d.t.Context(), account, broker.NewTicket(o))
	require.NoError(d.t, err)
	codes := []string{}
	for _, n := range p.Refusals {
		codes = append(codes, n.Code)
		assert.NotEmpty(d.t, n.Message)
	}
	if len(codes) == 0 {
		return codes
	}
	_, err = d.Place(d.t.Context(), account, broker.NewTicket(o))
	rejected, ok := errors.AsType[*broker.RejectedError](err)
	require.True(d.t, ok, "what Preview refuses, Place rejects: %v", err)
	assert.Equal(d.t, p.Refusals, rejected.Notices)
	return codes
}

func TestOrdersThatCannotBeAreRefused(t *testing.T) {
	d := newDesk(t, tuesday, func(o *paper.Options) {
		o.Accounts[0].Futures = false
		o.Shortable = func(s market.Symbol) bool { return s != "HARD" }
		o.Instrument = func(s market.Symbol) (market.Instrument, bool) {
			return market.Instrument{Symbol: s, Kind: market.KindFuture, Multiplier: 50}, s == "/ESM6"
		}
	})
	for _, s := range []market.Symbol{"SPY", "HARD", call510, "/ESM6"} {
		d.quote(s, 10, 10.01)
	}
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
	past := d.order(broker.Limit, "9", leg("SPY", buyOpen, "1"))
	past.TimeInForce, past.GoodTill = broker.GTD, market.Date{Year: 2026, Month: 3, Day: 2}
	for _, c := range []struct {
		order broker.Order
		code  string
	}{
		{d.order(broker.Limit, "9.001", leg("SPY", buyOpen, "1")), "price_increment"},
		{d.order(broker.Stop, "9.001", leg("SPY", sellClose, "1")), "price_increment"},
		{d.order(broker.Market, "", leg("SPY", sellClose, "11")), "closes_more_than_held"},
		{d.order(broker.Market, "", leg("SPY", buyClose, "1")), "closes_more_than_held"},
		{d.order(broker.Market, "", leg("SPY", sellOpen, "1")), "opens_against_position"},
		{d.order(broker.Market, "", leg("HARD", sellOpen, "1")), "not_shortable"},
		{d.order(broker.Market, "", leg("/ESM6", buyOpen, "1")), "futures_not_approved"},
		{d.order(broker.Market, "", leg("SPY   260220C00010000", buyOpen, "1")), "expired"},
		{d.order(broker.Limit, "10", leg("SPY", buyOpen, "100000")), "insufficient_buying_power"},
		{past, "good_till_past"},
	} {
		assert.Contains(t, d.refusals(c.order), c.code, "%+v", c.order)
	}
	small := d.order(broker.Limit, "0.9999", leg("SPY", buyOpen, "1"))
	assert.Empty(t, d.refusals(small), "below a dollar, a hundredth of a cent")

	_, err := d.Preview(t.Context(), account, broker.NewTicket(broker.Order{}))
	var fe *broker.FieldError
	require.ErrorAs(t, err, &fe)
	huge := d.order(broker.Limit, "1", leg("SPY", buyOpen, "1"))
	limit := decimal.New(-1, 900_000_000)
	huge.Limit = &limit
	_, err = d.Place(t.Context(), account, broker.NewTicket(huge))
	require.ErrorAs(t, err, &fe)
	assert.Equal(t, "Orders[0].Limit", fe.Field)
	unknown := d.order(broker.Market, "", leg("/NQM6", buyOpen, "1"))
	_, err = d.Place(t.Context(), account, broker.NewTicket(unknown))
	require.ErrorAs(t, err, &fe)
	assert.Equal(t, "Orders[0].Legs[0].Symbol", fe.Field)
	_, err = d.Place(t.Context(), "NOBODY", broker.NewTicket(small))
	require.ErrorIs(t, err, broker.ErrUnknownAccount)
}

func TestWhatWorksAlreadyIsCounted(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
	s := d.place(d.order(broker.Limit, "510", leg("SPY", sellClose, "10")))
	assert.Equal(t, []string{"closes_more_than_held"}, d.refusals(d.order(broker.Stop, "490", leg("SPY", sellClose, "1"))))
	_, err := d.Cancel(t.Context(), account, s.ID)
	require.NoError(t, err)
	closing := d.order(broker.Market, "", leg("SPY", sellClose, "10"))
	closing.TimeInForce = broker.OnClose
	d.place(closing)
	reverse := d.order(broker.Market, "", leg("SPY", sellOpen, "5"))
	reverse.TimeInForce = broker.OnClose
	assert.Empty(t, d.refusals(reverse), "what is held is going to be closed")
}

func TestACashAccountPaysInFull(t *testing.T) {
	d := newDesk(t, tuesday, asCash("10000"))
	d.quote("SPY", 50, 50.01)
	d.quote("SPY   260320P00048000", 1, 1.1)
	d.quote("SPY   260320C00052000", 1, 1.1)
	assert.Equal(t, []string{"insufficient_buying_power"}, d.refusals(d.order(broker.Limit, "50", leg("SPY", buyOpen, "201"))))
	waiting := d.place(d.order(broker.Limit, "49", leg("SPY", buyOpen, "100")))
	p, err := d.Preview(t.Context(), account, broker.NewTicket(d.order(broker.Limit, "50", leg("SPY", buyOpen, "100"))))
	require.NoError(t, err)
	assert.Empty(t, p.Refusals)
	assert.Equal(t, "-5000", p.Cash.String())
	b, err := d.Balances(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, "5100", b.DerivativeBuyingPower.String(), "4900 are bound by the order that waits")
	assert.Equal(t, []string{"insufficient_buying_power"}, d.refusals(d.order(broker.Limit, "50", leg("SPY", buyOpen, "110"))), "5,500 of 5,100")
	_, err = d.Cancel(t.Context(), account, waiting.ID)
	require.NoError(t, err)

	assert.NotEmpty(t, d.refusals(d.order(broker.Market, "", leg("SPY", sellOpen, "1"))), "no short shares")
	assert.NotEmpty(t, d.refusals(d.order(broker.Market, "", leg("SPY   260320C00052000", sellOpen, "1"))), "no naked call")
	put := d.order(broker.Market, "", leg("SPY   260320P00048000", sellOpen, "3"))
	assert.Contains(t, d.refusals(put), "insufficient_buying_power", "3 × 4,800 is more than there is")
	put.Legs[0].Quantity = *dec("2")
	assert.Empty(t, d.refusals(put), "secured by cash")
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "100")))
	assert.Empty(t, d.refusals(d.order(broker.Market, "", leg("SPY   260320C00052000", sellOpen, "1"))), "covered")
}

// Half of the shares' value is lent (Regulation T), and the excess buys twice as
// much.
func TestAMarginAccountBorrowsHalf(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500)
	assert.Empty(t, d.refusals(d.order(broker.Limit, "500", leg("SPY", buyOpen, "400"))))
	assert.Equal(t, []string{"insufficient_buying_power"}, d.refusals(d.order(broker.Limit, "500", leg("SPY", buyOpen, "401"))))
	d.place(d.order(broker.Limit, "500", leg("SPY", buyOpen, "200")))
	b, err := d.Balances(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, "0", b.Cash.String())
	assert.Equal(t, "100000", b.NetLiquidatingValue.String())
	assert.Equal(t, "50000", b.DerivativeBuyingPower.String())
	assert.Equal(t, "100000", b.EquityBuyingPower.String())
	assert.Equal(t, "25000", b.MaintenanceMargin.String(), "a quarter of the shares")
	d.quote(put480, 3, 3)
	d.quote(put470, 2, 2)
	spread := d.order(broker.Limit, "1", leg(put480, sellOpen, "10"), leg(put470, buyOpen, "10"))
	p, err := d.Preview(t.Context(), account, broker.NewTicket(spread))
	require.NoError(t, err)
	assert.Equal(t, "1000", p.Cash.String())
	assert.Equal(t, "10000", p.Margin.String(), "the width of ten spreads")
	assert.Equal(t, "-9000", p.BuyingPower.String())
	assert.Equal(t, "41000", p.BuyingPowerAfter.String())
}

func TestAPreviewCountsFees(t *testing.T) {
	d := newDesk(t, tuesday, func(o *paper.Options) { o.Fees = broker.TastytradeFees() })
	d.quote(call510, 3, 3)
	d.quote("SPY", 500, 500)
	o := d.order(broker.Limit, "3", leg(call510, buyOpen, "20"))
	p, err := d.Preview(t.Context(), account, broker.NewTicket(o))
	require.NoError(t, err)
	assert.Equal(t, "-10", p.Fees.Commission.String(), "capped at ten a leg")
	assert.Equal(t, "-2", p.Fees.Clearing.String())
	s := d.place(o)
	assert.Equal(t, p.Fees.Total().String(), s.Fills[0].Fees.Total().String())
}

func TestTheCapOfALegHoldsOverItsFills(t *testing.T) {
	d := newDesk(t, tuesday, func(o *paper.Options) { o.Fees = broker.TastytradeFees() })
	d.quote("SPY", 500, 500)
	s := d.place(d.order(broker.Limit, "3", leg(call510, buyOpen, "20")))
	for range 3 {
		d.quote(call510, 2.9, 3, 8, 8)
	}
	var commission []string
	for _, f := range d.now(s).Fills {
		commission = append(commission, f.Fees.Commission.String())
	}
	assert.Equal(t, []string{"-8", "-2", "0"}, commission)
}

func TestProfitIsRealisedToTheCent(t *testing.T) {
	d := newDesk(t, tuesday)
	position := func() broker.Position {
		p, err := d.Positions(t.Context(), account)
		require.NoError(t, err)
		require.Len(t, p, 1)
		return p[0]
	}
	d.quote("SPY", 9.99, 10)
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "1")))
	d.quote("SPY", 10.99, 11)
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "2")))
	p := position()
	assert.Equal(t, "10.6666666666666667", p.AverageOpenPrice.String())
	assert.InDelta(t, 0.985, p.OpenProfit().InexactFloat64(), 1e-9, "3 × 10.995 − 32")
	d.place(d.order(broker.Market, "", leg("SPY", sellClose, "1")))
	assert.Equal(t, "0.32", position().RealizedDay.StringFixed(2), "10.99 − 32/3")
	part := paper.LedgerOf(d.Exchange, account)
	assert.True(t, part.Transactions.Equal(part.Realized.Sub(part.Cost)), "to the last digit while a part is open")
	d.place(d.order(broker.Market, "", leg("SPY", sellClose, "2")))
	l := paper.LedgerOf(d.Exchange, account)
	assert.Equal(t, "0.97", l.Realized.String(), "3 × 10.99 − 32, exactly")
	d.place(d.order(broker.Market, "", leg("SPY", sellOpen, "4")))
	p = position()
	assert.Equal(t, "-4", p.Quantity.String())
	assert.Equal(t, "10.99", p.AverageOpenPrice.String(), "positive for a short position")
	d.to("2026-03-04 10:00")
	assert.Equal(t, "0", position().RealizedDay.String(), "another day")
	assert.Equal(t, "10.995", position().PrevClose.String())
}

func TestFuturesChangeCashByTheirProfitAlone(t *testing.T) {
	d := newDesk(t, tuesday, func(o *paper.Options) {
		o.Instrument = func(s market.Symbol) (market.Instrument, bool) {
			return market.Instrument{Symbol: s, Kind: market.KindFuture, Multiplier: 50}, s == "/ESM6"
		}
		o.Margin = &broker.MarginRules{Futures: map[string]broker.FutureMargin{"ES": {Initial: *dec("20000"), Maintenance: *dec("18000")}}}
	})
	d.quote("/ESM6", 5000, 5000.25)
	assert.Equal(t, []string{"insufficient_buying_power"}, d.refusals(d.order(broker.Market, "", leg("/ESM6", buyOpen, "6"))))
	d.place(d.order(broker.Market, "", leg("/ESM6", buyOpen, "2")))
	assert.Equal(t, "100000", d.cash())
	d.quote("/ESM6", 5010, 5010.50)
	b, err := d.Balances(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, "101000", b.NetLiquidatingValue.String(), "2 × 50 × (5010.25 − 5000.25)")
	assert.Equal(t, "61000", b.DerivativeBuyingPower.String())
	d.place(d.order(broker.Market, "", leg("/ESM6", sellClose, "2")))
	assert.Equal(t, "100975", d.cash(), "2 × 50 × (5010 − 5000.25)")
}

func TestARiseInPriceCanCancelAnOrderThatIsCheckedAgain(t *testing.T) {
	for _, again := range []bool{false, true} {
		d := newDesk(t, "2026-03-02 20:00", asCash("1000"), func(o *paper.Options) { o.RecheckAtFill = again })
		d.bars(d.daily("SPY", "2026-03-03", 100, 100, 100, 100))
		s := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
		d.bars(d.daily("SPY", "2026-03-04", 101, 101, 101, 101))
		if s = d.now(s); again {
			assert.Equal(t, broker.Cancelled, s.Status)
			assert.Contains(t, s.Reason, "buying power")
			assert.Equal(t, "1000", d.cash())
		} else {
			assert.Equal(t, broker.Filled, s.Status)
			assert.Equal(t, "-10", d.cash())
		}
	}
}

func TestAnOrderWithoutAPriceIsCheckedWhenItFills(t *testing.T) {
	d := newDesk(t, "2026-03-02 20:00", asCash("1000"))
	o := d.order(broker.Market, "", leg("SPY", buyOpen, "11"))
	p, err := d.Preview(t.Context(), account, broker.NewTicket(o))
	require.NoError(t, err)
	assert.Nil(t, p.BuyingPower)
	assert.Len(t, p.Warnings, 2, "the market is closed, and there is no price")
	s := d.place(o)
	d.bars(d.daily("SPY", "2026-03-03", 100, 100, 100, 100))
	assert.Equal(t, broker.Cancelled, d.now(s).Status)
}

func TestTransactionsTellWhatHappened(t *testing.T) {
	d := newDesk(t, tuesday)
	require.NoError(t, d.Transfer(account, *dec("-500.50"), "withdrawal"))
	d.quote("SPY", 500, 500.1)
	s := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "2")))
	require.NoError(t, d.Advance(d.Now().AddDate(0, 0, 1)))
	all, err := d.Transactions(t.Context(), account, clockAt(t, tuesday), d.Now())
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, broker.Transfer, all[0].Kind)
	assert.Equal(t, "-500.5", all[0].Amount.String())
	assert.Equal(t, broker.Trade, all[1].Kind)
	assert.Equal(t, s.ID, all[1].Order)
	assert.Equal(t, "-1000.2", all[1].Amount.String())
	none, err := d.Transactions(t.Context(), account, d.Now(), d.Now())
	require.NoError(t, err)
	assert.Empty(t, none)
	require.ErrorIs(t, d.Transfer("NOBODY", *dec("1"), ""), broker.ErrUnknownAccount)
}

func TestAViewReachesItsAccountsAlone(t *testing.T) {
	d := newDesk(t, tuesday)
	require.NoError(t, d.OpenAccount(paper.Account{Account: broker.Account{ID: "OTHER"}, Cash: *dec("5"), Positions: []paper.Position{
		{Symbol: "QQQ", Quantity: *dec("-3"), AverageOpenPrice: *dec("400")}, {Symbol: "SPY", Quantity: *dec("2"), AverageOpenPrice: *dec("500")}}}))
	require.Error(t, d.OpenAccount(paper.Account{Account: broker.Account{ID: "OTHER"}}))
	mine := d.Exchange.Broker(account)
	accounts, err := mine.Accounts(t.Context())
	require.NoError(t, err)
	assert.Len(t, accounts, 1)
	_, err = mine.Positions(t.Context(), "OTHER")
	require.ErrorIs(t, err, broker.ErrUnknownAccount)
	_, err = mine.Events(t.Context(), "OTHER")
	require.ErrorIs(t, err, broker.ErrUnknownAccount)
	positions, err := d.Positions(t.Context(), "OTHER")
	require.NoError(t, err)
	require.Len(t, positions, 2)
	assert.Equal(t, market.Symbol("QQQ"), positions[0].Symbol)
	assert.Equal(t, "400", positions[0].AverageOpenPrice.String())
	assert.Nil(t, positions[0].Mark)
	b, err := d.Balances(t.Context(), "OTHER")
	require.NoError(t, err)
	assert.Nil(t, b.NetLiquidatingValue, "a price is not known")
}
