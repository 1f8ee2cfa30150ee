package monitor

import (
	"slices"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// Symbols returns the symbols whose quotes rules need, in order.
func (c *Core) Symbols() []market.Symbol {
	var out []market.Symbol
	for s, i := range c.symbols {
		if i.watched > 0 {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// MetricSymbols returns the underlyings whose volatility figures rules need.
func (c *Core) MetricSymbols() []market.Symbol {
	found := map[market.Symbol]bool{}
	kind := kindNumbers[KindVolatility]
	for i := range c.rules {
		if r := &c.rules[i]; r.used && r.kind == kind {
			found[market.Symbol(c.subjects[r.symbol])] = true
		}
	}
	return sortedSymbols(found)
}

// EventSymbols returns the underlyings whose dividends rules need.
func (c *Core) EventSymbols() []market.Symbol {
	found := map[market.Symbol]bool{}
	for _, t := range c.owners {
		if t.book == nil || !slices.ContainsFunc(t.book.rules, func(n uint32) bool {
			k := c.rules[n].spec.Kind
			return k == KindAssignment || k == KindExDividend
		}) {
			continue
		}
		for _, h := range t.book.all {
			if h.option && h.quantity < 0 {
				found[h.pos.Underlying] = true
			}
		}
	}
	return sortedSymbols(found)
}

// NewsSymbols returns the symbols that rules want news about; all tells that some
// rule goes by keywords alone and wants every story. Neither: no rule wants news.
func (c *Core) NewsSymbols() (symbols []market.Symbol, all bool) {
	found := map[market.Symbol]bool{}
	for s := range c.stories.bySymbol {
		found[s] = true
	}
	return sortedSymbols(found), len(c.stories.byWord) > 0
}

// NeedsBook tells whether a tenant has rules about positions or accounts.
func (c *Core) NeedsBook(owner storage.TenantID) bool {
	t, ok := c.tenants[owner]
	return ok && t.book != nil && len(t.book.rules) > 0
}

func sortedSymbols(m map[market.Symbol]bool) []market.Symbol {
	out := make([]market.Symbol, 0, len(m))
	for s := range m {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// symbolsOf returns the symbols of a tenant's rules and positions.
func (c *Core) symbolsOf(owner storage.TenantID) []market.Symbol {
	t, ok := c.tenants[owner]
	if !ok {
		return []market.Symbol{}
	}
	found := map[market.Symbol]bool{}
	for _, n := range t.rules {
		if s := c.subjects[c.rules[n].symbol]; s != "" && c.symbols[market.Symbol(s)] != nil {
			found[market.Symbol(s)] = true
		}
	}
	if t.book != nil {
		for u := range t.book.values {
			found[u] = true
		}
	}
	return sortedSymbols(found)
}

// barSymbolsOf returns the symbols of a tenant's rules about bars.
func (c *Core) barSymbolsOf(owner storage.TenantID) []market.Symbol {
	var out []market.Symbol
	for k, b := range c.barNodes {
		if slices.ContainsFunc(b.rules, func(n uint32) bool { return c.owners[c.rules[n].tenant].id == owner }) {
			out = append(out, k.symbol)
		}
	}
	return out
}
