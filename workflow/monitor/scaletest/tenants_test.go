package scaletest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/postgres"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow/monitor"
)

const (
	positions   = 50 // of each tenant
	inOptions   = 10 // of them
	perPosition = 10 // rules
	perTenant   = positions * perPosition
)

func tenantName(i int) storage.TenantID { return storage.TenantID(fmt.Sprintf("tenant-%05d", i)) }

// A holding is a position, and what the rules on it start from.
type holding struct {
	symbol market.Symbol
	share  int // of it, or of its underlying
	price  float64
	short  bool
	option bool
}

// holdings are the positions of a tenant: forty shares of its own choice and ten
// contracts, of which each second is short.
func holdings(tenant, shares int) []holding {
	var out []holding
	taken := map[int]bool{}
	for j := 0; len(out) < positions-inOptions; j++ {
		n := int(hash(int64(tenant), int64(100+j)) * float64(shares))
		if !taken[n] {
			taken[n] = true
			out = append(out, holding{symbol: share(n), share: n, price: base(n)})
		}
	}
	for j := range inOptions {
		n, k := (tenant+2*j)%optioned, (tenant*3+j)%contracts
		symbol, kind, strike := contract(n, k)
		price := options.BSM{Spot: base(n), Strike: strike, Years: 30.0 / 365, Rate: 0.04, Vol: 0.3}.Price(kind)
		out = append(out, holding{symbol: symbol, share: n, price: price, short: j%2 == 1, option: true})
	}
	return out
}

// rulesOf are a tenant's rules, with their ids: ten on each position. Thresholds lie
// so far away that in an hour of the market a few of a hundred are reached.
func rulesOf(tenant, shares int) (ids []string, rules []monitor.Rule) {
	for j, h := range holdings(tenant, shares) {
		for k := range perPosition {
			r := ruleOf(h, k, hash(int64(tenant), int64(1000+j*perPosition+k)))
			r.Symbol = h.symbol
			ids, rules = append(ids, fmt.Sprintf("p%02dr%d", j, k)), append(rules, r)
		}
	}
	return ids, rules
}

func ruleOf(h holding, k int, u float64) monitor.Rule {
	away := 0.006 + 0.03*u // a share of the price
	if h.option {
		away *= 8
	}
	cents := func(x float64) *float64 { x = math.Round(x*100) / 100; return &x }
	up, down := cents(h.price*(1+away)), cents(h.price*(1-away))
	if h.option && *down < 0.01 {
		*down = 0.01
	}
	percent := 100 * away
	switch k {
	case 0:
		return monitor.Rule{Kind: monitor.KindPrice, Op: monitor.Above, Value: up, Mode: monitor.Once}
	case 1:
		return monitor.Rule{Kind: monitor.KindPrice, Op: monitor.Below, Value: down, Mode: monitor.Once}
	case 2:
		return monitor.Rule{Kind: monitor.KindPrice, Op: monitor.Cross, Value: up, Mode: monitor.Repeat, HysteresisPercent: 0.2}
	case 3:
		return monitor.Rule{Kind: monitor.KindPrice, Op: monitor.CrossUp, Value: up, Mode: monitor.Repeat, HysteresisPercent: 0.3}
	case 4:
		return monitor.Rule{Kind: monitor.KindPrice, Op: monitor.CrossDown, Value: down, Mode: monitor.Repeat, HysteresisPercent: 0.3}
	case 5:
		return monitor.Rule{Kind: monitor.KindTrailing, Percent: percent, Side: "high", Mode: monitor.Once}
	case 6:
		return monitor.Rule{Kind: monitor.KindTrailing, Percent: percent, Side: "low", Mode: monitor.Once}
	}
	if h.option {
		switch k {
		case 7:
			return monitor.Rule{Kind: monitor.KindPosition, Metric: "theta", Op: monitor.Below, Value: cents(-100 * away * 100)}
		case 8:
			return monitor.Rule{Kind: monitor.KindPosition, Metric: "delta", Op: monitor.Above, Value: cents(100 * (1 + away))}
		}
		return monitor.Rule{Kind: monitor.KindDTE, Days: 21}
	}
	switch k {
	case 7:
		return monitor.Rule{Kind: monitor.KindMove, Percent: percent, Mode: monitor.Once}
	case 8:
		return monitor.Rule{Kind: monitor.KindLevel, Value: up, Band: 0.05, Mode: monitor.Once}
	}
	return monitor.Rule{Kind: monitor.KindPosition, Metric: "pnl", Op: monitor.Below, Value: cents(-100 * h.price * away)}
}

// An account is the broker of a tenant: fifty positions that do not change. What
// reading them over the wire costs is not measured here.
type account []broker.Position

func accountOf(tenant, shares int) account {
	var a account
	for _, h := range holdings(tenant, shares) {
		cost := decimal.NewFromFloat(h.price).Round(2)
		p := broker.Position{
			Account: "A", Symbol: h.symbol, Underlying: share(h.share), Kind: h.symbol.Kind(), Quantity: decimal.NewFromInt(100), Multiplier: decimal.NewFromInt(1), AverageOpenPrice: &cost,
		}
		if h.option {
			p.Quantity, p.Multiplier, p.ExpiresAt = decimal.NewFromInt(1), decimal.NewFromInt(100), expiration.In(time.UTC).Add(20*time.Hour)
		}
		if h.short {
			p.Quantity = p.Quantity.Neg()
		}
		a = append(a, p)
	}
	return a
}

func (a account) Environment() broker.Environment { return broker.Simulator }
func (a account) Accounts(context.Context) ([]broker.Account, error) {
	return []broker.Account{{ID: "A", Type: "Individual", Margin: true}}, nil
}
func (a account) Balances(context.Context, broker.AccountID) (*broker.Balances, error) {
	return &broker.Balances{Account: "A", Currency: "USD"}, nil
}
func (a account) Positions(context.Context, broker.AccountID) ([]broker.Position, error) {
	return a, nil
}

// openStore opens a file, or a schema of a PostgreSQL server.
func openStore(ctx context.Context, s setup) (storage.Store, error) {
	if strings.HasPrefix(s.Store, "postgres://") {
		if _, err := url.Parse(s.Store); err != nil {
			return nil, err
		}
		return postgres.Open(ctx, s.Store, &postgres.Options{Schema: s.Schema, Connections: 8})
	}
	return sqlite.Open(ctx, s.Store, nil)
}

// fill keeps the rules of all tenants, those of a tenant in one step.
func fill(ctx context.Context, store storage.Store, s setup) error {
	for i := range s.Tenants {
		tenant, err := store.For(tenantName(i))
		if err != nil {
			return err
		}
		all, err := storage.Open(tenant)
		if err != nil {
			return err
		}
		var writes []storage.RecordWrite
		ids, rules := rulesOf(i, s.Shares)
		for k, r := range rules {
			if r, err = r.Validated(); err != nil {
				return fmt.Errorf("%s: %w", ids[k], err)
			}
			data, err := json.Marshal(r)
			if err != nil {
				return err
			}
			w, err := all.Alerts.Write(storage.OpCreate, &storage.Alert{ID: ids[k], User: "u", Symbol: string(r.Symbol), Rule: data, Active: true}, storage.NoVersion)
			if err != nil {
				return err
			}
			writes = append(writes, w)
		}
		if _, err := all.Records.Write(ctx, writes...); err != nil {
			return err
		}
	}
	return nil
}
