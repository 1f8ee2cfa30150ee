package backtest

import "context"

// RunSlow is Run, and can be told to show every bar to the exchange.
func RunSlow(ctx context.Context, opts Options, slow bool) (*Result, error) {
	e, err := newEngine(ctx, opts)
	if err != nil {
		return nil, err
	}
	if slow {
		e.slow, e.busy = true, true
	}
	err = e.replay()
	return newResult(e.record(err)), err
}
