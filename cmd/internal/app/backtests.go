package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// Backtests are the runs of each tenant of a server. They are safe for concurrent
// use.
type Backtests struct {
	mu   sync.Mutex
	jobs map[storage.TenantID]*backtest.Jobs
}

// For returns the runs of a tenant, the same ones each time.
func (b *Backtests) For(tenant storage.TenantID) *backtest.Jobs {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.jobs == nil {
		b.jobs = map[storage.TenantID]*backtest.Jobs{}
	}
	if b.jobs[tenant] == nil {
		b.jobs[tenant] = backtest.NewJobs(nil)
	}
	return b.jobs[tenant]
}

// Close cancels all runs and waits for them.
func (b *Backtests) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	for _, j := range b.jobs {
		err = errors.Join(err, j.Close())
	}
	return err
}

// History returns what a strategy is to be run over: bars of the market, and the
// option chains of the embedded simulator.
func (o *Opened) History(ctx context.Context, needs strategy.Needs, from, to time.Time) (*backtest.Market, error) {
	options := backtest.SourceOptions{From: from, To: to, Calendar: o.Calendar}
	if o.Chains != nil {
		options.Chains = o.Chains
	}
	return backtest.FromSource(ctx, o.Market, needs, options)
}
