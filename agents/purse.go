package agents

import (
	"context"
	"fmt"
	"sync"

	"github.com/shopspring/decimal"
)

// A purse holds what a run may spend, and what it and the runs inside its tools have
// spent. It is safe for concurrent use.
type purse struct {
	limits Limits
	up     *purse // of the run whose tool this run is in; nil: none

	mu        sync.Mutex
	usage     Usage
	cost      decimal.Decimal
	unpriced  bool
	estimated bool
	held      reserve // by requests under way
}

// A reserve is the most that a request may come to.
type reserve struct {
	tokens int
	money  decimal.Decimal
}

// priced tells whether somebody bounds the money.
func (p *purse) priced() bool {
	for ; p != nil; p = p.up {
		if p.limits.Money.IsPositive() {
			return true
		}
	}
	return false
}

// hold sets aside what a request of so many tokens needs, here and in all purses
// above, and returns how long its answer may be.
func (p *purse) hold(request int, price Price) (room int, held reserve, err error) {
	for q := p; q != nil; q = q.up {
		q.mu.Lock()
		defer q.mu.Unlock()
	}
	room = p.limits.AnswerTokens
	least := min(leastAnswer, room)
	read := decimal.Max(price.Input, price.CacheWrite, price.CacheRead).Mul(decimal.NewFromInt(int64(request))).Shift(-6)
	for q := p; q != nil; q = q.up {
		spent := q.usage.Total() + q.held.tokens
		if room = min(room, q.limits.Tokens-spent-request); room < least {
			return 0, held, &BudgetError{Budget: "tokens", Limit: fmt.Sprint(q.limits.Tokens), Spent: fmt.Sprintf("%d, and the next request needs about %d,", spent, request+least)}
		}
		if !q.limits.Money.IsPositive() {
			continue
		}
		left := q.limits.Money.Sub(q.cost).Sub(q.held.money).Sub(read)
		if price.Output.IsPositive() {
			if most := left.Shift(6).Div(price.Output).Floor(); most.LessThan(decimal.NewFromInt(int64(room))) {
				room = int(most.IntPart())
			}
		}
		if left.IsNegative() || room < least {
			return 0, held, &BudgetError{Budget: "money", Limit: "$" + q.limits.Money.String(), Spent: "$" + q.cost.String()}
		}
	}
	held = reserve{request + room, read.Add(price.Output.Mul(decimal.NewFromInt(int64(room))).Shift(-6))}
	for q := p; q != nil; q = q.up {
		q.held = reserve{q.held.tokens + held.tokens, q.held.money.Add(held.money)}
	}
	return room, held, nil
}

// settle gives back what was set aside and charges what it came to.
func (p *purse) settle(held reserve, usage Usage, cost *decimal.Decimal, estimated bool) {
	for q := p; q != nil; q = q.up {
		q.mu.Lock()
		q.held = reserve{q.held.tokens - held.tokens, q.held.money.Sub(held.money)}
		q.usage = q.usage.plus(usage)
		q.estimated = q.estimated || estimated
		if cost != nil {
			q.cost = q.cost.Add(*cost)
		} else if usage != (Usage{}) {
			q.unpriced = true
		}
		q.mu.Unlock()
	}
}

// spent returns what the run and those inside its tools have spent.
func (p *purse) spent() (usage Usage, cost decimal.Decimal, unpriced, estimated bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.usage, p.cost, p.unpriced, p.estimated
}

// A task is one call of a tool: runs inside it spend from the caller's purse and
// leave their transcripts here.
type task struct {
	purse *purse

	mu      sync.Mutex
	entries []Entry
}

type taskKey struct{}

func (t *task) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, taskKey{}, t)
}

// taskOf returns the call that ctx belongs to; nil: none.
func taskOf(ctx context.Context) *task {
	t, _ := ctx.Value(taskKey{}).(*task)
	return t
}

func (t *task) add(entries []Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries = append(t.entries, entries...)
}

func (t *task) all() []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.entries
}
