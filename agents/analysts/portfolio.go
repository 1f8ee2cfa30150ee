package analysts

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// addPortfolio records what the accounts hold in the symbol and what they could
// still do.
func (f *findings) addPortfolio() {
	p := f.in.portfolio
	if p.absent != "" {
		f.lackAll(GroupPortfolio, p.absent)
		return
	}
	accounts := plural(len(p.value), "account", "accounts")

	var shares, coverable, contracts, exposure decimal.Decimal
	marked := ""
	for _, h := range p.value {
		own, short := decimal.Zero, decimal.Zero
		for _, position := range h.positions {
			underlying := position.Underlying == f.series.Symbol || position.Symbol == f.series.Symbol
			if !underlying {
				continue
			}
			if v := position.Value(); v != nil {
				exposure = exposure.Add(*v)
			} else {
				marked = "the broker gives no price for " + string(position.Symbol)
			}
			switch c, option := position.Symbol.Contract(); {
			case option:
				contracts = contracts.Add(position.Quantity)
				if c.Kind == market.Call && position.Quantity.IsNegative() {
					short = short.Sub(position.Quantity.Mul(position.Multiplier))
				}
			case position.Symbol == f.series.Symbol:
				own = own.Add(position.Quantity)
			}
		}
		shares = shares.Add(own)
		coverable = decimal.Max(coverable, own.Sub(short))
	}
	at := f.in.at
	f.put("portfolio.shares", shares.InexactFloat64(), at, shares.String()+" in "+accounts, "")
	f.put("portfolio.coverable", coverable.InexactFloat64(), at, coverable.String(), "")
	f.put("portfolio.options", contracts.InexactFloat64(), at, contracts.String(), "")
	if marked != "" {
		f.lack("portfolio.exposure", marked)
	} else {
		f.money("portfolio.exposure", &exposure, at, exposure.StringFixed(2), "")
	}
	f.addBalances(p.value, accounts)

	if netLiq := f.value("portfolio.net_liq"); f.known("portfolio.exposure") && netLiq > 0 {
		part := exposure.Abs().InexactFloat64() / netLiq
		f.put("portfolio.share", part, at, share(part), "")
	}
	f.lack("portfolio.share", "needs portfolio.exposure and a portfolio.net_liq above 0")
}

func (f *findings) addBalances(holdings []holding, accounts string) {
	at := f.in.at
	var unknown string
	var cash *decimal.Decimal
	netLiq, power := new(decimal.Decimal), new(decimal.Decimal)
	add := func(sum, x *decimal.Decimal) *decimal.Decimal {
		if sum == nil || x == nil {
			return nil // a sum over some of the accounts would be a wrong number
		}
		total := sum.Add(*x)
		return &total
	}
	for _, h := range holdings {
		b := h.balances
		if b == nil {
			unknown, b = h.why, &broker.Balances{}
		}
		at = earliest(at, b.Time)
		netLiq, power = add(netLiq, b.NetLiquidatingValue), add(power, b.DerivativeBuyingPower)
		if b.Cash != nil && (cash == nil || b.Cash.GreaterThan(*cash)) {
			cash = b.Cash
		}
	}
	if unknown == "" {
		unknown = "the broker does not say"
	}
	at = f.local(at)
	put := func(id string, amount *decimal.Decimal, note string) {
		text := ""
		if amount != nil {
			text = fmt.Sprintf("%s%s", amount.StringFixed(2), note)
		}
		f.money(id, amount, at, text, unknown)
	}
	put("portfolio.cash", cash, "")
	put("portfolio.net_liq", netLiq, " in "+accounts)
	put("portfolio.buying_power", power, "")
}

func earliest(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
