package strategy_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// The market of these tests: XYZ at 100, options by Black-Scholes-Merton at 25 %,
// a strike at each dollar, expiries on four Fridays.
var fridays = []market.Date{day("2026-01-16"), day("2026-01-23"), day("2026-02-06"), day("2026-03-06")}

func plain() smile { return smile{Vol: 0.25, Step: 1, Strikes: 30, Expiries: fridays} }

// condor is a configuration of four legs that are known: strikes 95, 90, 105, 110.
func condor(changes map[string]any) map[string]any {
	p := map[string]any{"symbol": "XYZ", "dte": 30, "min_dte": 20, "max_dte": 40, "contracts": 1, "put_moneyness": 0.95, "call_moneyness": 1.05,
		"wing_put_moneyness": 0.90, "wing_call_moneyness": 1.10, "take_profit": 0, "stop_loss": 0, "close_dte": -1, "strike_range": 0}
	for k, v := range changes {
		p[k] = v
	}
	return p
}

func TestAPositionIsOpenedByOneLimitAtTheMiddleThatConcedesOnATimer(t *testing.T) {
	b := newOptionBench(t, build(t, "iron-condor", condor(nil)), ny("2026-01-06", 9, 0), benchOptions{}).start()
	b.chain(ny("2026-01-06", 10, 0), 100, plain().at(ny("2026-01-06", 10, 0), 100))
	require.Len(t, b.sent, 1)
	first := b.sent[0]
	assert.Contains(t, first, "STO 1 0206 105C")
	assert.Contains(t, first, "BTO 1 0206 110C")
	assert.Contains(t, first, "STO 1 0206 95P")
	assert.Contains(t, first, "BTO 1 0206 90P")
	// Half the spread is 2 cents a leg: the middle is 8 cents better than what fills,
	// and each step gives up a quarter of that.
	limits := []float64{limitOf(t, first)}
	for i := 1; i <= 4; i++ {
		b.until(ny("2026-01-06", 10, i))
		limits = append(limits, limitOf(t, b.sent[len(b.sent)-1]))
		if i < 4 {
			assert.Empty(t, b.held(), "nothing fills above the bid")
		}
	}
	for i := 1; i < len(limits); i++ {
		assert.InDelta(t, limits[0]-0.02*float64(i), limits[i], 1e-9)
	}
	assert.Len(t, b.sent, 5)
	assert.Equal(t, []string{"-1 0206 105C", "-1 0206 95P", "1 0206 110C", "1 0206 90P"}, b.held())
	b.chain(ny("2026-01-06", 10, 30), 100, plain().at(ny("2026-01-06", 10, 30), 100))
	assert.Len(t, b.sent, 5, "what is open is not opened again")
}

func limitOf(t *testing.T, sent string) float64 {
	t.Helper()
	var limit float64
	for i := len(sent) - 1; i >= 0; i-- {
		if sent[i] == '@' {
			_, err := fmt.Sscanf(sent[i:], "@ %f", &limit)
			require.NoError(t, err)
			return limit
		}
	}
	t.Fatal("no limit in " + sent)
	return 0
}

func TestAnEntryIsGivenUpAfterItsSteps(t *testing.T) {
	b := newOptionBench(t, build(t, "iron-condor", condor(map[string]any{"steps": 2, "concession": 0.1})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	b.chain(ny("2026-01-06", 10, 0), 100, plain().at(ny("2026-01-06", 10, 0), 100))
	b.until(ny("2026-01-06", 10, 5))
	assert.Len(t, b.sent, 3, "the first and two concessions")
	assert.True(t, b.said("given up"), b.notes)
	assert.False(t, b.s.Busy(), "nothing is left working")
	for i := 6; i <= 17; i++ {
		b.chain(ny("2026-01-06", 10, i), 100, plain().at(ny("2026-01-06", 10, i), 100))
	}
	assert.Len(t, b.sent, 3, "a quarter of an hour passes")
	b.chain(ny("2026-01-06", 10, 20), 100, plain().at(ny("2026-01-06", 10, 20), 100))
	assert.Len(t, b.sent, 4, "then it begins anew")
}

func TestNothingIsSentTwiceWhileAnOrderIsPending(t *testing.T) {
	b := newOptionBench(t, build(t, "iron-condor", condor(map[string]any{"reprice": "0s"})), ny("2026-01-06", 9, 0), benchOptions{
		Paper: func(o *paper.Options) { o.Latency = paper.Latency{Live: 30 * time.Minute} }}).start()
	for i := range 10 {
		at := ny("2026-01-06", 10, i)
		b.chain(at, 100, plain().at(at, 100))
	}
	assert.Len(t, b.sent, 1)
}

func TestNothingIsSentWhileTheMarketIsClosed(t *testing.T) {
	for _, at := range []time.Time{ny("2026-01-06", 9, 15), ny("2026-01-06", 16, 0), ny("2026-01-10", 12, 0), ny("2026-01-19", 12, 0)} {
		for _, name := range []string{"iron-condor", "gamma-scalping", "covered-call"} {
			b := newOptionBench(t, build(t, name, map[string]any{"symbol": "XYZ"}), at.Add(-time.Hour), benchOptions{}).start()
			b.chain(at, 100, plain().at(at, 100))
			assert.Empty(t, b.sent, "%s at %s", name, at)
		}
	}
}

func TestUnsoundQuotesAreSkippedWithANote(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	tests := map[string]func(q *market.OptionQuote){
		"crossed": func(q *market.OptionQuote) { q.Bid = q.Ask + 0.05 },
		"missing": func(q *market.OptionQuote) { q.Ask = math.NaN() },
		"stale":   func(q *market.OptionQuote) { q.Time = at.Add(-2 * time.Hour) },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			b := newOptionBench(t, build(t, "iron-condor", condor(nil)), ny("2026-01-06", 9, 0), benchOptions{}).start()
			quotes := plain().at(at, 100)
			for i := range quotes {
				spoil(&quotes[i])
			}
			b.chain(at, 100, quotes)
			assert.Empty(t, b.sent)
			assert.True(t, b.said("nothing to open"), b.notes)
			// One bad quote among good ones moves the choice to the next strike.
			quotes = plain().at(at.Add(time.Minute), 100)
			for i := range quotes {
				if short(quotes[i].Symbol) == "0206 95P" {
					spoil(&quotes[i])
					if name == "stale" {
						quotes[i].Time = at.Add(-2 * time.Hour)
					}
				}
			}
			b.chain(at.Add(time.Minute), 100, quotes)
			require.NotEmpty(t, b.sent)
			assert.Contains(t, b.sent[0], "STO 1 0206 94P")
		})
	}
}

func TestSizeGoesByTheCapitalAtRisk(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	tests := []struct {
		name, strategy string
		params         map[string]any
		want           string
	}{
		// The condor risks 5 dollars less its credit of 1.57 (at middle prices): 343 dollars a contract.
		{"a part of the value", "iron-condor", condor(map[string]any{"contracts": 0, "capital": 0.02, "pricing": "natural"}), "STO 5 0206 105C"},
		{"at most so many", "iron-condor", condor(map[string]any{"contracts": 0, "capital": 0.02, "max_contracts": 3, "pricing": "natural"}), "STO 3 0206 105C"},
		{"at most so many dollars", "iron-condor", condor(map[string]any{"contracts": 0, "capital": 1, "max_risk": 700, "pricing": "natural"}), "STO 2 0206 105C"},
		// A put on 95 ties up 95 × 100 less its credit of about 119.
		{"cash for the shares", "cash-secured-put", map[string]any{"symbol": "XYZ", "moneyness": 0.95, "band_days": 0, "dte": 30, "capital": 0.30, "pricing": "natural"}, "STO 3 0206 95P"},
		// A short strangle has no bound: Regulation T asks for 20 % of the price less what
		// the larger side is out of the money, and the credits: some 1,900 dollars.
		{"what margin asks for", "short-strangle", map[string]any{"symbol": "XYZ", "put_moneyness": 0.95, "call_moneyness": 1.05, "dte": 30, "min_dte": 20, "capital": 0.05, "pricing": "natural"}, "STO 3 0206 95P"},
		{"not enough for one", "iron-condor", condor(map[string]any{"contracts": 0, "capital": 0.001}), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newOptionBench(t, build(t, tt.strategy, tt.params), ny("2026-01-06", 9, 0), benchOptions{}).start()
			b.chain(at, 100, plain().at(at, 100))
			if tt.want == "" {
				assert.Empty(t, b.sent)
				assert.True(t, b.said("capital does not suffice"), b.notes)
				return
			}
			require.NotEmpty(t, b.sent, b.notes)
			assert.Contains(t, b.sent[0], tt.want)
		})
	}
}

func TestARefusedOrderIsNotTriedAtOnce(t *testing.T) {
	b := newOptionBench(t, build(t, "iron-condor", condor(nil)), ny("2026-01-06", 9, 0), benchOptions{
		Broker: func(inner broker.Broker) broker.Broker { return &refusing{inner} }}).start()
	for i := range 10 {
		at := ny("2026-01-06", 10, i)
		b.chain(at, 100, plain().at(at, 100))
	}
	assert.True(t, b.said("refused to open"), b.notes)
	count := 0
	for _, n := range b.notes {
		if n == "open: 1 × iron condor" {
			count++
		}
	}
	assert.Equal(t, 1, count, "one attempt in ten minutes")
}

type refusing struct{ broker.Broker }

func (r *refusing) Place(context.Context, broker.AccountID, broker.Ticket) ([]broker.OrderState, error) {
	return nil, &broker.RejectedError{}
}

func TestLegsThatOneOrderCannotTakeGoInSafeOrder(t *testing.T) {
	can := func(change func(*broker.Capabilities)) func(broker.Broker) broker.Broker {
		return func(inner broker.Broker) broker.Broker {
			c := inner.Capabilities()
			change(&c)
			return &limited{inner, c}
		}
	}
	at := ny("2026-01-06", 10, 0)
	b := newOptionBench(t, build(t, "iron-condor", condor(map[string]any{"pricing": "natural"})), ny("2026-01-06", 9, 0), benchOptions{
		Broker: can(func(c *broker.Capabilities) { c.MaxLegs = 2 })}).start()
	b.chain(at, 100, plain().at(at, 100))
	require.Len(t, b.sent, 2, b.notes)
	assert.Contains(t, b.sent[0], "BTO 1 0206 110C")
	assert.Contains(t, b.sent[0], "BTO 1 0206 90P", "the wings first")
	assert.Contains(t, b.sent[1], "STO 1 0206 105C")
	assert.Len(t, b.held(), 4)

	b = newOptionBench(t, build(t, "covered-call", map[string]any{"symbol": "XYZ", "moneyness": 1.05, "dte": 30, "min_dte": 20, "pricing": "natural"}), ny("2026-01-06", 9, 0), benchOptions{
		Broker: can(func(c *broker.Capabilities) { c.Mixed = false })}).start()
	b.chain(at, 100, plain().at(at, 100))
	require.Len(t, b.sent, 2, b.notes)
	assert.Equal(t, "BTO 100 XYZ @ -100.00", b.sent[0], "the shares first")
	assert.Contains(t, b.sent[1], "STO 1 0206 105C")
}

type limited struct {
	broker.Broker
	can broker.Capabilities
}

func (l *limited) Capabilities() broker.Capabilities { return l.can }

// days are a month of sessions with a price that wanders, the same for the same
// seed.
func wander(seed uint64, sessions int) (times []time.Time, spots []float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	spot := 100.0
	at := ny("2026-01-05", 10, 0)
	for range sessions {
		for hour := range 3 {
			times = append(times, at.Add(time.Duration(2*hour)*time.Hour))
			spot *= 1 + 0.008*r.NormFloat64()
			spots = append(spots, float64(int(spot*100))/100)
		}
		at = market.NYSE().Next(at.Add(12 * time.Hour)).Open.Add(30 * time.Minute)
	}
	return times, spots
}

// month has an expiry on each Friday of the months that tests run in.
func month() smile {
	m := smile{Vol: 0.25, Step: 1, Strikes: 20}
	for d := day("2026-01-09"); d.Before(day("2026-05-01")); d = d.AddDays(7) {
		if d.Day%2 == 0 || d.Before(day("2026-02-01")) { // fewer are faster
			m.Expiries = append(m.Expiries, d)
		}
	}
	return m
}

// live keeps the expiries that have not passed.
func (m smile) live(now time.Time) smile {
	var left []market.Date
	today := market.DateOf(now.In(market.NYSE().Location()))
	for _, d := range m.Expiries {
		if days := today.DaysUntil(d); days >= 0 && days < 70 {
			left = append(left, d)
		}
	}
	m.Expiries = left
	return m
}

// optionStrategies are the built-in strategies with options, with what each needs
// to find something in the market of these tests.
var optionStrategies = map[string]map[string]any{
	"gamma-scalping": {"hedge_every": "0s"}, "wheel": {"max_risk": 30000, "min_yield": 0}, "cash-secured-put": {"capital": 0.3}, "covered-call": {},
	"bull-put-spread": {}, "bear-call-spread": {}, "bull-call-spread": {}, "bear-put-spread": {}, "iron-condor": {}, "iron-butterfly": {},
	"long-straddle": {}, "short-straddle": {"capital": 0.2}, "long-strangle": {}, "short-strangle": {"capital": 0.2}, "calendar": {},
	"zero-dte-put-spread": {"min_credit": 0, "within": 0.3, "far_delta": 0, "width": 1}, "collar": {},
}

func runMonth(t *testing.T, name string, changes map[string]any, sessions int, stop func(i int) bool, again func(b *optionBench, made strategy.Strategy)) *optionBench {
	t.Helper()
	params := map[string]any{"symbol": "XYZ", "pricing": "natural"}
	for k, v := range changes {
		params[k] = v
	}
	b := newOptionBench(t, build(t, name, params), ny("2026-01-05", 9, 0), benchOptions{}).start()
	times, spots := wander(7, sessions)
	for i, at := range times {
		if stop != nil && stop(i) {
			b.until(at)
			again(b, build(t, name, params))
		}
		b.chain(at, spots[i], month().live(at).at(at, spots[i]))
	}
	b.until(times[len(times)-1].Add(10 * time.Hour))
	return b
}

const wholeSessions = 14

var wholeRuns = map[string]*optionBench{}

// wholeRun is an uninterrupted run, made once for all tests.
func wholeRun(t *testing.T, name string, changes map[string]any) *optionBench {
	t.Helper()
	if wholeRuns[name] == nil {
		wholeRuns[name] = runMonth(t, name, changes, wholeSessions, nil, nil)
	}
	return wholeRuns[name]
}

func TestEveryStrategyRunsForWeeks(t *testing.T) {
	all := map[string]bool{}
	for _, d := range strategy.All() {
		all[d.Name] = true
	}
	for name, changes := range optionStrategies {
		assert.True(t, all[name], name)
		t.Run(name, func(t *testing.T) {
			b := wholeRun(t, name, changes)
			assert.NotEmpty(t, b.sent, b.notes)
			for _, n := range b.notes {
				assert.NotContains(t, n, "refused", "%v", b.sent)
			}
		})
	}
}

func TestARestartAtAnyPointChangesNothing(t *testing.T) {
	for name, changes := range optionStrategies {
		t.Run(name, func(t *testing.T) {
			whole := wholeRun(t, name, changes)
			r := rand.New(rand.NewPCG(3, uint64(len(name))))
			broken := runMonth(t, name, changes, wholeSessions, func(int) bool { return r.IntN(4) == 0 },
				func(b *optionBench, made strategy.Strategy) { b.again(made, true) })
			assert.Equal(t, whole.sent, broken.sent)
			assert.Equal(t, whole.notes, broken.notes)
			assert.Equal(t, whole.worth(), broken.worth())
		})
	}
}

func TestARestartBetweenAnOrderAndItsFillDoesNotDoubleIt(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	b := newOptionBench(t, build(t, "iron-condor", condor(nil)), ny("2026-01-06", 9, 0), benchOptions{}).start()
	b.chain(at, 100, plain().at(at, 100))
	require.Len(t, b.sent, 1)
	b.again(build(t, "iron-condor", condor(nil)), true)
	b.chain(at.Add(10*time.Second), 100, plain().at(at.Add(10*time.Second), 100))
	assert.Len(t, b.sent, 1, "its order still works")
	b.until(at.Add(10 * time.Minute))
	assert.Len(t, b.held(), 4)
}

func TestARestartWithoutASnapshotTakesUpWhatIsInTheAccount(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	params := condor(map[string]any{"pricing": "natural", "take_profit": 0.5})
	b := newOptionBench(t, build(t, "iron-condor", params), ny("2026-01-06", 9, 0), benchOptions{}).start()
	b.chain(at, 100, plain().at(at, 100))
	require.Len(t, b.held(), 4)
	b.again(build(t, "iron-condor", params), false)
	assert.True(t, b.said("takes up a position"), b.notes)
	calm := plain()
	calm.Vol = 0.12
	b.chain(at.Add(time.Hour), 100, calm.at(at.Add(time.Hour), 100))
	assert.True(t, b.said("close: profit"), b.notes)
	assert.Equal(t, []string{"1 0206 110C", "1 0206 90P"}, b.held(), "what is sold is bought back; nobody bids for the wings any more")
	assert.Contains(t, b.sent[1], "BTC 1 0206 105C, BTC 1 0206 95P @ ")
}

func TestWhatIsNotItsOwnIsLeftAlone(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	b := newOptionBench(t, build(t, "iron-condor", condor(map[string]any{"pricing": "natural"})), ny("2026-01-06", 9, 0), benchOptions{
		Positions: []paper.Position{{Symbol: "XYZ", Quantity: decimal.NewFromInt(250), AverageOpenPrice: decimal.NewFromInt(90)}}}).start()
	assert.True(t, b.said("leaves alone"), b.notes)
	b.chain(at, 100, plain().at(at, 100))
	b.chain(at.Add(time.Hour), 100, plain().at(at.Add(time.Hour), 100))
	assert.Contains(t, b.held(), "250 XYZ")
	assert.Len(t, b.held(), 5)
	assert.Len(t, b.sent, 1)
}

func TestOrdersDoNotDependOnWhatComesLater(t *testing.T) {
	for name, changes := range optionStrategies {
		t.Run(name, func(t *testing.T) {
			long, cut := wholeRun(t, name, changes), runMonth(t, name, changes, wholeSessions/2, nil, nil)
			require.LessOrEqual(t, len(cut.sent), len(long.sent))
			assert.Equal(t, long.sent[:len(cut.sent)], cut.sent)
		})
	}
}
