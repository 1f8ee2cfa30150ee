package analysts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// inputs is what the sources answered. Each part has either a value or the
// reason why there is none.
type inputs struct {
	at   time.Time // in New York's time
	past bool      // at is earlier than what the sources' latest answers are about

	from    time.Time
	bars    []market.Bar // complete and usable
	noBars  string       // why there are none; empty when there are some
	dropped int          // unusable bars that were left out

	benchmark  part[[]market.Bar]
	quote      part[market.Quote]
	metrics    part[market.Metrics]
	events     part[[]market.Event]
	instrument part[market.Instrument]
	portfolio  part[[]holding]
	chain      part[[]market.OptionQuote]
	held       part[[]heldBars]
	news       part[[]market.Story]
	passages   part[[]Passage]
	record     part[Scorecard]

	expirations part[[]market.Expiration]
}

// heldBars are the bars of another underlying that is held.
type heldBars struct {
	symbol   market.Symbol
	exposure float64 // without sign
	bars     []market.Bar
}

type part[T any] struct {
	value  T
	absent string // why; empty when value holds
}

// A holding is what one account holds.
type holding struct {
	account   broker.AccountID
	balances  *broker.Balances // nil: see why
	positions []broker.Position
	why       string // of the nil balances
}

// The reasons that recur.
const (
	onlyNow   = "only available for now, not for a past time"
	noBroker  = "no broker is connected"
	fewBars   = "too few bars"
	noAnswer  = "no answer within the deadline"
	notServed = "not supported by this source"
	noData    = "the source has no data"
	notAsked  = "not asked for"

	isBenchmark = "the symbol is the benchmark itself"
)

// why turns an error into the reason of absent evidence.
func why(err error) string {
	switch {
	case errors.Is(err, market.ErrUnsupported):
		return notServed
	case errors.Is(err, context.DeadlineExceeded):
		return noAnswer
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, market.ErrNoData):
		return noData
	case errors.Is(err, market.ErrUnknownSymbol):
		return "the source does not know the symbol"
	case errors.Is(err, broker.ErrUnauthorized):
		return broker.ErrUnauthorized.Error()
	case errors.Is(err, broker.ErrUnavailable):
		return broker.ErrUnavailable.Error()
	}
	const longest = 120
	text := strings.Join(strings.Fields(agents.Clean(err.Error())), " ")
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return "the source failed: " + text
}

// computing is what is kept of the caller's deadline to compute in.
func computing(left time.Duration) time.Duration { return min(left/10, 250*time.Millisecond) }

// gather asks the sources for everything, side by side; the option chain only when it
// is wanted. It returns an error only for what makes an analysis impossible.
func (a *Analyst) gather(ctx context.Context, req *Request, withChain bool) (*inputs, error) {
	loc := a.deps.Calendar.Location()
	now := a.deps.Clock.Now()
	in := &inputs{at: req.At.In(loc), past: now.Sub(req.At) > PastTolerance}
	in.from = market.DateOf(in.at.AddDate(-req.LookbackYears, 0, 0)).In(loc)

	// The first round may use half of the caller's time, so that a source that
	// hangs on one question leaves time for the chain.
	first := a.deps.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		left -= computing(left)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left)
		defer cancel()
		first = min(first, left/2)
	}

	var quick, all sync.WaitGroup
	ask := func(wg *sync.WaitGroup, timeout time.Duration, f func(ctx context.Context)) {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			f(ctx)
		})
	}

	var barsErr, accountErr error
	ask(&quick, first, func(ctx context.Context) {
		in.bars, in.dropped, barsErr = a.dailyBars(ctx, req.Symbol, in)
	})
	if in.past {
		in.quote.absent, in.expirations.absent = onlyNow, onlyNow
		in.metrics.absent, in.events.absent, in.portfolio.absent = onlyNow, onlyNow, onlyNow
	} else {
		ask(&quick, first, func(ctx context.Context) {
			in.quote = one(a.deps.Market.Quotes(ctx, []market.Symbol{req.Symbol}))
		})
		ask(&quick, first, func(ctx context.Context) {
			in.expirations = some(a.deps.Market.Expirations(ctx, req.Symbol))
		})
		ask(&all, a.deps.Timeout, func(ctx context.Context) {
			in.metrics = one(a.deps.Market.Metrics(ctx, []market.Symbol{req.Symbol}))
		})
		ask(&all, a.deps.Timeout, func(ctx context.Context) {
			in.events = a.nextEvents(ctx, req.Symbol, in.at)
		})
		ask(&all, a.deps.Timeout, func(ctx context.Context) {
			in.portfolio, accountErr = a.holdings(ctx, req.Account)
		})
	}
	ask(&all, a.deps.Timeout, func(ctx context.Context) {
		in.instrument = one(a.deps.Market.Instruments(ctx, []market.Symbol{req.Symbol}))
	})
	if req.Benchmark != req.Symbol {
		ask(&all, a.deps.Timeout, func(ctx context.Context) {
			bars, _, err := a.dailyBars(ctx, req.Benchmark, in)
			in.benchmark = some(bars, err)
		})
	} else {
		in.benchmark.absent = isBenchmark
	}

	a.askTexts(req, in, func(f func(ctx context.Context)) { ask(&all, a.deps.Timeout, f) })

	quick.Wait()
	if in.chain.absent = cmp.Or(in.expirations.absent, notAsked); in.expirations.absent == "" && withChain {
		ask(&all, a.deps.Timeout, func(ctx context.Context) {
			in.chain = a.fetchChain(ctx, req, in, in.expirations.value)
		})
	}
	all.Wait()
	func() { // what is held is known only now
		ctx, cancel := context.WithTimeout(ctx, a.deps.Timeout)
		defer cancel()
		in.held = a.heldBars(ctx, req, in)
	}()

	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, fmt.Errorf("analysing %s: %w", req.Symbol, context.Canceled)
	case barsErr != nil && len(in.chain.value) > 0:
		in.noBars = why(barsErr) // what the options say is worth having
	case barsErr != nil && !withChain && in.expirations.absent == "":
		in.noBars = why(barsErr) // the chain may say enough
	case barsErr != nil:
		return nil, fmt.Errorf("analysing %s: daily bars: %w", req.Symbol, barsErr)
	}
	return in, accountErr
}

// one takes the answer about a single symbol.
func one[T any](values []T, err error) (p part[T]) {
	switch {
	case len(values) > 0:
		p.value = values[0]
	case err != nil:
		p.absent = why(err)
	default:
		p.absent = noData
	}
	return p
}

// some takes an answer that is worthless when empty.
func some[T any](values []T, err error) (p part[[]T]) {
	switch {
	case len(values) > 0:
		p.value = values
	case err != nil:
		p.absent = why(err)
	default:
		p.absent = noData
	}
	return p
}

// dailyBars returns the usable daily bars of the window that were complete at
// the instant of the analysis, and how many were not usable.
func (a *Analyst) dailyBars(ctx context.Context, symbol market.Symbol, in *inputs) (bars []market.Bar, dropped int, err error) {
	all, err := a.deps.Market.Bars(ctx, market.BarsRequest{Symbol: symbol, Interval: market.Day, From: in.from, To: in.at})
	if err != nil && len(all) == 0 {
		return nil, 0, err
	}
	bars = make([]market.Bar, 0, len(all))
	for _, b := range all {
		if b.Time.Before(in.from) || !b.Time.Before(in.at) {
			continue // the window is ours to keep: sources may round it
		}
		if !usable(b) || len(bars) > 0 && !b.Time.After(bars[len(bars)-1].Time) {
			dropped++
			continue
		}
		bars = append(bars, b)
	}
	bars = a.deps.Calendar.Complete(bars, market.Day, in.at)
	if len(bars) == 0 && dropped > 0 {
		return nil, dropped, fmt.Errorf("none of %d bars is usable: %w", dropped, market.ErrNoData)
	}
	if len(bars) == 0 {
		return nil, dropped, fmt.Errorf("no complete bar from %s to %s: %w", market.DateOf(in.from), market.DateOf(in.at), market.ErrNoData)
	}
	return bars, dropped, nil
}

func usable(b market.Bar) bool {
	for _, x := range []float64{b.Open, b.High, b.Low, b.Close} {
		if !(x > 0) || math.IsInf(x, 0) {
			return false
		}
	}
	return b.High >= max(b.Open, b.Close, b.Low) && b.Low <= min(b.Open, b.Close)
}

// eventHorizon is how far ahead announced events are looked for.
const eventHorizon = 120

func (a *Analyst) nextEvents(ctx context.Context, symbol market.Symbol, at time.Time) (p part[[]market.Event]) {
	today := market.DateOf(at)
	events, err := a.deps.Market.Events(ctx, symbol, today, today.AddDays(eventHorizon))
	if err != nil && len(events) == 0 && !errors.Is(err, market.ErrNoData) {
		p.absent = why(err)
	}
	p.value = events // none announced is an answer, too
	return p
}

// holdings reads the accounts. Only an account that does not exist is an error.
func (a *Analyst) holdings(ctx context.Context, only broker.AccountID) (p part[[]holding], err error) {
	if a.deps.Broker == nil {
		if only != "" {
			return p, &FieldError{Field: "account", Value: string(only), Allowed: "no account: " + noBroker}
		}
		p.absent = noBroker
		return p, nil
	}
	accounts, err := a.deps.Broker.Accounts(ctx)
	if err != nil {
		p.absent = why(err)
		return p, nil
	}
	for _, account := range accounts {
		if only == "" && !account.Closed || account.ID == only {
			p.value = append(p.value, holding{account: account.ID})
		}
	}
	if only != "" && len(p.value) == 0 {
		return p, fmt.Errorf("%w: %w", &FieldError{Field: "account", Value: string(only), Allowed: "one of the accounts of these credentials, or none for all"}, broker.ErrUnknownAccount)
	}
	if len(p.value) == 0 {
		p.absent = "there is no open account"
		return p, nil
	}

	var wg sync.WaitGroup
	errs := make([]error, len(p.value))
	slots := make(chan struct{}, 4)
	for i := range p.value {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			h := &p.value[i]
			var balancesErr error
			if h.balances, balancesErr = a.deps.Broker.Balances(ctx, h.account); balancesErr != nil {
				h.balances, h.why = nil, why(balancesErr)
			}
			h.positions, errs[i] = a.deps.Broker.Positions(ctx, h.account)
		})
	}
	wg.Wait()
	// A sum over some of the accounts would be a wrong number.
	if err := errors.Join(errs...); err != nil {
		return part[[]holding]{absent: why(err)}, nil
	}
	return p, nil
}
