package backtest

import (
	"fmt"
	"math"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// BacktestingPyOptions are arguments of backtesting.py's Backtest. The zero value
// has its defaults.
type BacktestingPyOptions struct {
	Commission      float64 // of the value traded, at entry and exit: 0.002 is 0.2 %
	Fixed           float64 // commission in dollars, for each entry and exit beside the relative one
	Spread          float64 // of the price, paid at entry alone
	Margin          float64 // 0.1 lets ten times the equity be held; zero: 1
	TradeOnClose    bool    // market orders fill at the close of the bar that they are given at
	ExclusiveOrders bool    // each order first closes what is held
	KeepOpen        bool    // finalize_trades=False: what is open at the end stays so
}

// BacktestingPy are the rules of backtesting.py (as of 2025):
//
//   - An order given after a bar fills at the next bar's open, or with TradeOnClose
//     at the close that is over. Prices have no ticks and there are no sessions.
//   - A stop that the bar reaches fills at its price, or at the open beyond it;
//     then limits do. Stop before target when a bar holds both. Exits of an entry at
//     the open can fill in the same bar.
//   - An order for all of the account is for
//     ⌊available × share / (price ± spread + commission)⌋ units at its fill, where
//     available is equity / margin less what is held, the commission is that of the
//     share of one unit, and a share of 1 is the next smaller number.
//   - An order that can then not be paid is cancelled. Cash from short sales counts
//     as equity; nothing else is asked for.
//   - The point of the curve is taken after the fills of a bar and before the
//     strategy decides.
//   - At the end everything is closed by a second run of the last bar: at its open,
//     or with TradeOnClose at the close before it.
//   - An account that is worth nothing ends.
//
// Long and short trades of one symbol side by side (hedging) are not possible: an
// account has one position in a symbol. While trades are open backtesting.py
// counts what is available with the close of the bar at whose open it fills, which
// nobody can know then; here it is the open.
func BacktestingPy(o BacktestingPyOptions) Rules {
	if o.Margin <= 0 {
		o.Margin = 1
	}
	r := Rules{
		Name: "backtesting.py", Path: paper.Pessimistic, FreePrices: true, Continuous: true, Lasting: true, CheckAtFill: true, IgnoreSizes: true,
		CheatOnClose: o.TradeOnClose, PointFirst: true, Exclusive: o.ExclusiveOrders, Ruin: true, Adjusted: true,
		Margin: ratioMargin{decimal.NewFromFloat(o.Margin)},
		Fees:   valueFees{decimal.NewFromFloat(o.Commission), decimal.NewFromFloat(o.Fixed)},
		Finish: CloseAtLastOpen,
	}
	if o.Spread != 0 {
		r.Slippage = entrySpread{o.Spread}
	}
	switch {
	case o.KeepOpen:
		r.Finish = KeepOpen
	case o.TradeOnClose:
		r.Finish = CloseAtPreviousClose
	}
	r.Size = func(s SizeInput) float64 {
		share := min(s.Share, math.Nextafter(1, 0))
		available := max(0, s.Equity-s.Used*o.Margin) / o.Margin
		price := s.Price * (1 + o.Spread)
		if !s.Buy {
			price = s.Price * (1 - o.Spread)
		}
		return math.Floor(available * share / (price + o.Fixed + share*s.Price*o.Commission))
	}
	r.Settings = settingsText("commission", o.Commission, "fixed", o.Fixed, "spread", o.Spread, "margin", o.Margin,
		"trade_on_close", o.TradeOnClose, "exclusive_orders", o.ExclusiveOrders, "finalize_trades", !o.KeepOpen)
	return r
}

// BacktraderOptions are settings of backtrader's broker. The zero value has its
// defaults.
type BacktraderOptions struct {
	Commission float64 // of the value traded; with Margin: dollars per contract
	// Margin is what a contract of a future binds, in dollars. Its multiplier is that
	// of Market.Instruments. Zero: stock-like, paid in full.
	Margin        float64
	SlipPercent   float64 // of the price, as a decimal: 0.0005 is five basis points
	SlipFixed     float64 // in the price's units
	SlipNotAtOpen bool    // slip_open=False
	SlipOut       bool    // slipped prices may leave the bar
	CheatOnClose  bool    // coc: market orders fill at the close of the bar they are given at
}

// Backtrader are the rules of backtrader (1.9.78):
//
//   - A market order fills at the next bar's open, or with CheatOnClose at the close
//     that is over; limits and stops at their price where the bar reaches them, and
//     at the open beyond it. Orders wait until they fill. Slippage stays within the
//     bar unless SlipOut.
//   - What is bought must be paid with cash; what is sold short brings cash and
//     binds none. An order that the cash does not suffice for when it fills is
//     cancelled; backtrader also asks when it is given, at the last close.
//   - Contracts with Margin bind that much each and change cash by their profit.
//   - The value of a bar is taken before the strategy decides.
func Backtrader(o BacktraderOptions) Rules {
	r := Rules{
		Name: "backtrader", Path: paper.Pessimistic, FreePrices: true, Continuous: true, Lasting: true, CheckAtFill: true, IgnoreSizes: true,
		CheatOnClose: o.CheatOnClose, PointFirst: true, Adjusted: true, Margin: cashMargin{decimal.NewFromFloat(o.Margin)},
	}
	if o.Commission != 0 {
		r.Fees = valueFees{rate: decimal.NewFromFloat(o.Commission)}
		if o.Margin != 0 {
			r.Fees = broker.UnitFees(decimal.NewFromFloat(o.Commission))
		}
	}
	switch {
	case o.SlipPercent != 0:
		r.Slippage = paper.BasisPoints{Points: o.SlipPercent * 10_000, Within: !o.SlipOut, NotAtOpen: o.SlipNotAtOpen}
	case o.SlipFixed != 0:
		r.Slippage = fixedSlip{o.SlipFixed, !o.SlipOut, o.SlipNotAtOpen}
	}
	r.Settings = settingsText("commission", o.Commission, "margin", o.Margin, "slip_perc", o.SlipPercent, "slip_fixed", o.SlipFixed,
		"slip_open", !o.SlipNotAtOpen, "slip_out", o.SlipOut, "coc", o.CheatOnClose)
	return r
}

// FastquantOptions are arguments of fastquant's backtest. The zero value has its
// defaults.
type FastquantOptions struct {
	Commission float64 // of the value traded: 0.0075 is 0.75 %
}

// Fastquant are the rules of fastquant (as of 2023), which are backtrader's with
// cheat-on-close: an order fills at the close of the bar that it is given at, and
// one given at the last bar never does. Its slippage makes orders smaller and does
// not change prices: that is the strategy's business, as is the short cap.
func Fastquant(o FastquantOptions) Rules {
	r := Backtrader(BacktraderOptions{Commission: o.Commission, CheatOnClose: true})
	r.Name = "fastquant"
	r.Settings = settingsText("commission", o.Commission)
	return r
}

// ZiplineOptions are settings of zipline's blotter.
type ZiplineOptions struct {
	PerShare    float64 // commission; zero: 0.0075
	MinCost     float64 // least commission of an order; zero: 1
	VolumeLimit float64 // of a bar's volume; zero: 0.025
	Impact      float64 // of the square of the part taken; zero: 0.1
	NoCosts     bool    // no commission
	NoSlippage  bool    // fills at the close, whatever the volume
}

// Zipline are the rules of zipline's daily simulation (1.x):
//
//   - An order given at a bar's end fills at the next bar's close, moved by
//     price × impact × (quantity / volume)², up to a part of the volume; the rest
//     waits.
//   - Commission is per share, with a least amount for an order.
//   - A split multiplies positions and the orders that wait.
//   - Buying power is not asked for.
func Zipline(o ZiplineOptions) Rules {
	orDefault := func(x *float64, d float64) {
		if *x == 0 {
			*x = d
		}
	}
	orDefault(&o.PerShare, 0.0075)
	orDefault(&o.MinCost, 1)
	orDefault(&o.VolumeLimit, 0.025)
	orDefault(&o.Impact, 0.1)
	r := Rules{Name: "zipline", Path: paper.CloseOnly, FreePrices: true, Unchecked: true, Lasting: true, SplitOrders: true}
	if !o.NoCosts {
		r.Fees = shareFees{decimal.NewFromFloat(o.PerShare), decimal.NewFromFloat(o.MinCost)}
	}
	if !o.NoSlippage {
		r.Slippage = paper.VolumeShare{Limit: o.VolumeLimit, Impact: o.Impact}
	}
	r.Settings = settingsText("per_share", o.PerShare, "min_cost", o.MinCost, "volume_limit", o.VolumeLimit, "impact", o.Impact, "costs", !o.NoCosts, "slippage", !o.NoSlippage)
	return r
}

// LEANOptions are settings of LEAN's brokerage model.
type LEANOptions struct {
	// Fees are charged on fills; nil: none, as in its tests of index options. See
	// [LEANBrokerFees].
	Fees paper.FeeSchedule
	// Settlement knows official settlement values; nil: the last price of the
	// underlying, as LEAN takes it.
	Settlement func(option market.Symbol, expiration market.Date) (float64, bool)
}

// LEAN are the rules of QuantConnect's LEAN for options at quotes:
//
//   - A market order fills at once at the ask to buy and at the bid to sell, whole,
//     whatever the sizes; bars of quotes count when they end.
//   - Options in the money are exercised and assigned when they expire, against the
//     underlying's last price; those on indices in cash.
//   - Margin is that of Regulation T by strategies.
func LEAN(o LEANOptions) Rules {
	r := Rules{Name: "lean", FreePrices: true, IgnoreSizes: true, Fees: o.Fees}
	r.Lifecycle.Early = paper.EarlyNever
	r.Lifecycle.Settlement = o.Settlement
	r.Settings = settingsText("fees", o.Fees != nil)
	return r
}

// OptionOracle are the rules of the plain arithmetic that options are checked
// with: buys at the ask and sells at the bid of the closing quotes, shares at the
// close; 1.00 a contract, at most 10 a leg, and 0.10, to open, and nothing to close;
// settlement against the close of the last day. Positions are valued at the middle
// of the quotes, and not at all when one is missing.
func OptionOracle() Rules {
	products := []broker.FeeProduct{broker.EquityOptionProduct}
	return Rules{
		Name: "option oracle", FreePrices: true, IgnoreSizes: true, Missing: MissingQuotes{Policy: LeaveAbsent},
		Fees: &broker.FeeSchedule{Rules: []broker.FeeRule{
			{Name: "brokerage", Part: broker.CommissionPart, Products: products, Side: broker.OpenSide, PerUnit: decimal.NewFromInt(1), Cap: decimal.NewFromInt(10)},
			{Name: "clearing", Part: broker.ClearingPart, Products: products, Side: broker.OpenSide, PerUnit: decimal.New(1, -1)},
		}},
	}
}

// Tastytrade are this project's own rules with tastytrade's fees by date, and its
// margin rates on borrowed cash.
func Tastytrade() Rules {
	r := Rules{Name: "tastytrade", Fees: broker.TastytradeFees()}
	r.Lifecycle.Interest = paper.TastytradeInterest()
	return r
}

// settingsText writes names and values, those that are zero left out.
func settingsText(pairs ...any) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := pairs[i+1]; v != 0.0 && v != false {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%s=%v", pairs[i], v)
		}
	}
	return b.String()
}

// describe names rules and their settings.
func (r *Rules) describe() string {
	name := r.Name
	if name == "" {
		name = "ttai"
	}
	if r.Settings != "" {
		return name + " " + r.Settings
	}
	text := settingsText("path", pathNames[r.Path], "fees", r.Fees != nil, "margin", r.Margin != nil, "slippage", r.Slippage != nil,
		"cheat_on_close", r.CheatOnClose, "ignore_sizes", r.IgnoreSizes, "no_improvement", r.NoImprovement, "free_prices", r.FreePrices,
		"continuous", r.Continuous, "recheck_at_fill", r.RecheckAtFill, "check_at_fill", r.CheckAtFill, "unchecked", r.Unchecked, "adjusted", r.Adjusted)
	if r.Slippage != nil {
		text += fmt.Sprintf(" slippage=%+v", r.Slippage)
	}
	return name + " " + text
}

// ratioMargin asks for a part of the value of everything held. Cash from short
// sales counts.
type ratioMargin struct{ part decimal.Decimal }

func (m ratioMargin) Requirement(in broker.MarginInput) (*broker.Margin, error) {
	out := &broker.Margin{Exact: true}
	for i := range in.Positions {
		value := valueOf(&in.Positions[i])
		out.ShareValue = out.ShareValue.Add(value)
		out.Initial = out.Initial.Add(value.Abs().Mul(m.part))
	}
	out.Maintenance = decimal.Zero
	return out, nil
}

// cashMargin asks that what is bought be paid with cash, and for an amount per
// contract of futures.
type cashMargin struct{ contract decimal.Decimal }

func (m cashMargin) Requirement(in broker.MarginInput) (*broker.Margin, error) {
	out := &broker.Margin{Exact: true}
	for i := range in.Positions {
		p := &in.Positions[i]
		if p.Symbol.Kind() == market.KindFuture {
			out.Initial = out.Initial.Add(p.Quantity.Abs().Mul(m.contract))
			continue
		}
		value := valueOf(p)
		out.ShareValue = out.ShareValue.Add(value)
		out.Initial = out.Initial.Add(value)
	}
	return out, nil
}

func valueOf(p *broker.MarginPosition) decimal.Decimal {
	multiplier := p.Multiplier
	if multiplier.IsZero() {
		multiplier = decimal.NewFromInt(1)
		if p.Symbol.Kind() == market.KindOption {
			multiplier = decimal.NewFromInt(100)
		}
	}
	return p.Quantity.Mul(p.Price).Mul(multiplier)
}

// valueFees are a part of the value traded and a fixed amount.
type valueFees struct{ rate, fixed decimal.Decimal }

func (f valueFees) Fees(_ market.Date, e broker.FeeEvent) (broker.Fees, error) {
	multiplier := e.Multiplier
	if multiplier.IsZero() {
		multiplier = decimal.NewFromInt(1)
	}
	return broker.Fees{Commission: e.Quantity.Mul(e.Price).Mul(multiplier).Mul(f.rate).Add(f.fixed).Neg()}, nil
}

// shareFees are an amount per share, and at least so much for an order.
type shareFees struct{ each, least decimal.Decimal }

func (f shareFees) Fees(_ market.Date, e broker.FeeEvent) (broker.Fees, error) {
	until := func(quantity decimal.Decimal) decimal.Decimal {
		if quantity.Sign() <= 0 {
			return decimal.Zero
		}
		return decimal.Max(f.least, quantity.Mul(f.each))
	}
	return broker.Fees{Commission: until(e.Before).Sub(until(e.Before.Add(e.Quantity)))}, nil
}

// LEANBrokerFees are the fees of LEAN's default brokerage, Interactive Brokers, for
// shares (0.005 each, at least 1 and then at most 1 % of the value an order) and
// options (0.65 a contract, 0.50 below a price of 0.10 and 0.25 below 0.05, at least
// 1 an order). Exercise and assignment are free. LEAN takes the price of the other
// side of the quote to tell cheap options; here it is that of the fill.
func LEANBrokerFees() paper.FeeSchedule { return leanFees{} }

type leanFees struct{}

func (leanFees) Fees(_ market.Date, e broker.FeeEvent) (broker.Fees, error) {
	if e.Cause != broker.ForTrade {
		return broker.Fees{}, nil
	}
	each, one := decimal.New(5, -3), decimal.NewFromInt(1)
	option := e.Symbol.Kind() == market.KindOption
	if option {
		switch {
		case e.Price.GreaterThanOrEqual(decimal.New(1, -1)):
			each = decimal.New(65, -2)
		case e.Price.GreaterThanOrEqual(decimal.New(5, -2)):
			each = decimal.New(5, -1)
		default:
			each = decimal.New(25, -2)
		}
	}
	until := func(quantity decimal.Decimal) decimal.Decimal {
		fee := quantity.Mul(each)
		switch most := quantity.Mul(e.Price).Mul(decimal.New(1, -2)); {
		case quantity.Sign() <= 0:
			return decimal.Zero
		case fee.LessThan(one):
			return one
		case !option && fee.GreaterThan(most):
			return most
		}
		return fee
	}
	return broker.Fees{Commission: until(e.Before).Sub(until(e.Before.Add(e.Quantity)))}, nil
}

// entrySpread worsens entries by a part of the price.
type entrySpread struct{ part float64 }

func (s entrySpread) Slip(in paper.SlipInput) float64 {
	if !in.Opens {
		return 0
	}
	return in.Price * s.part
}

// fixedSlip worsens prices by an amount.
type fixedSlip struct {
	amount            float64
	within, notAtOpen bool
}

func (s fixedSlip) Slip(in paper.SlipInput) float64 {
	switch {
	case s.notAtOpen && in.AtOpen:
		return 0
	case !s.within || !in.Bar:
		return s.amount
	case in.Buy:
		return min(s.amount, in.High-in.Price)
	}
	return min(s.amount, in.Price-in.Low)
}
