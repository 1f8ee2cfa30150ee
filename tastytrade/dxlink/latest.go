package dxlink

import (
	"context"
	"errors"
)

// Latest returns the latest event of each symbol: what has arrived when the
// last one has, or when the deadline of ctx comes (Options.Snapshot when it has
// none), and in missing the symbols without an answer, in the order asked.
// Running out of time is not an error, unless the server has refused something
// meanwhile, which is then a *[ProtocolError]; otherwise the error says that ctx
// was cancelled or the connection ended for good.
func Latest[T Event](ctx context.Context, conn *Conn, symbols ...string) (got map[string]T, missing []string, err error) {
	ctx, cancel := conn.withDeadline(ctx)
	defer cancel()
	got = make(map[string]T, len(symbols))
	waiting := make(map[string]string, len(symbols)) // the symbols as asked, by what is the same
	for _, symbol := range symbols {
		waiting[canonical(symbol)] = symbol
	}
	if len(waiting) == 0 {
		return got, nil, nil
	}
	s, err := Subscribe[T](ctx, conn, symbols...)
	if err != nil {
		return got, symbols, err
	}
	defer s.Close()
	for event, failed := range s.Events() {
		if failed != nil {
			if err = failed; errors.Is(failed, context.DeadlineExceeded) {
				err = s.Refused() // nil, mostly
			}
			break
		}
		key := canonical(symbolOf(event))
		if symbol, ok := waiting[key]; ok {
			got[symbol] = event
			if delete(waiting, key); len(waiting) == 0 {
				break
			}
		}
	}
	for _, symbol := range symbols {
		if _, ok := waiting[canonical(symbol)]; ok {
			missing = append(missing, symbol)
			delete(waiting, canonical(symbol)) // named once
		}
	}
	return got, missing, err
}

// Greeks is [Latest] for the greeks of options.
func (c *Conn) Greeks(ctx context.Context, options ...string) (got map[string]Greeks, missing []string, err error) {
	return Latest[Greeks](ctx, c, options...)
}

// withDeadline gives a context without a deadline that of Options.Snapshot.
func (c *Conn) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.opts.Snapshot)
}
