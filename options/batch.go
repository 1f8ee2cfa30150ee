package options

import (
	"runtime"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
)

// InParallel splits the indices from 0 to n among workers and calls f with each
// part [from, to), all at once; it returns when all have. Zero workers means one
// per processor. It serves the batch forms, whose slices may be cut anywhere:
//
//	options.InParallel(len(p), 0, func(from, to int) {
//		err := options.PriceBatch(dst[from:to], p[from:to], kinds[from:to])
//		…
//	})
//
// American batches gain most when parts hold whole expiries.
func InParallel(n, workers int, f func(from, to int)) {
	if n <= 0 {
		return
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, n)
	if workers == 1 {
		f(0, n)
		return
	}
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() { f(n*w/workers, n*(w+1)/workers) })
	}
	wait.Wait()
}

// A Columns is a batch of European options as a structure of arrays: every
// slice has the same length. Nil Rate or Yield means zero for all.
type Columns struct {
	Kind                                  []Kind
	Spot, Strike, Years, Rate, Yield, Vol []float64
}

// check compares the lengths once: those of two slices of the call, and those of
// the columns with Kind's.
func (c *Columns) check(dst, given int) error {
	n := len(c.Kind)
	rate, yield := n, n
	if c.Rate != nil {
		rate = len(c.Rate)
	}
	if c.Yield != nil {
		yield = len(c.Yield)
	}
	for _, column := range [...]struct {
		name   string
		length int
	}{
		{"dst", dst}, {"vol or prices", given}, {"spot", len(c.Spot)}, {"strike", len(c.Strike)}, {"years", len(c.Years)},
		{"rate", rate}, {"yield", yield},
	} {
		if column.length != n {
			return invalid.Fieldf(column.name, column.length, "%d values, as many as there are kinds", n)
		}
	}
	return nil
}

func (c *Columns) at(i int) BSM {
	p := BSM{Spot: c.Spot[i], Strike: c.Strike[i], Years: c.Years[i]}
	if c.Rate != nil {
		p.Rate = c.Rate[i]
	}
	if c.Yield != nil {
		p.Yield = c.Yield[i]
	}
	return p
}

// Prices writes the options' prices into dst. Nothing is allocated.
func (c *Columns) Prices(dst []float64) error {
	if err := c.check(len(dst), len(c.Vol)); err != nil {
		return err
	}
	for i, k := range c.Kind {
		p := c.at(i)
		p.Vol = c.Vol[i]
		dst[i] = p.price(k)
	}
	return nil
}

// ImpliedVols writes the volatilities of the prices into dst, NaN where there is
// none; Vol is not used. Nothing is allocated.
func (c *Columns) ImpliedVols(dst, prices []float64) error {
	if err := c.check(len(dst), len(prices)); err != nil {
		return err
	}
	for i, k := range c.Kind {
		p := c.at(i)
		dst[i], _ = p.impliedVol(k, prices[i])
	}
	return nil
}

// Greeks writes the options' values and Greeks into dst. Nothing is allocated.
func (c *Columns) Greeks(dst []Greeks) error {
	if err := c.check(len(dst), len(c.Vol)); err != nil {
		return err
	}
	for i, k := range c.Kind {
		p := c.at(i)
		p.Vol = c.Vol[i]
		p.greeks(k, &dst[i])
	}
	return nil
}
