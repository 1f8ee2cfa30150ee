package alpaca_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/market"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"broker", "internal/conflate", "internal/invalid", "internal/occ", "internal/rest", "internal/wsconn", "market"},
		Modules: []string{"github.com/shopspring/decimal", "golang.org/x/time"},
	})
}

var creds = alpaca.Credentials{KeyID: alpacatest.KeyID, Secret: alpacatest.Secret}

// A fakeClock is the fake's time as a clock whose timers are real.
type fakeClock struct{ fake *alpacatest.Server }

func (c fakeClock) Now() time.Time                        { return c.fake.Now() }
func (c fakeClock) NewTimer(d time.Duration) market.Timer { return market.SystemClock().NewTimer(d) }

// A quick limiter lets everything through at once.
type quick struct{}

func (quick) Wait(ctx context.Context) error { return ctx.Err() }
func (quick) Observe(int, http.Header)       {}

func newFake(t *testing.T, opts *alpacatest.Options) *alpacatest.Server {
	t.Helper()
	fake, err := alpacatest.New(opts)
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	return fake
}

func options(fake *alpacatest.Server) alpaca.Options {
	return alpaca.Options{
		Client: alpaca.ClientOptions{
			Credentials: alpaca.Static(creds), TradingURL: fake.URL(), DataURL: fake.URL(), StreamURL: fake.StreamURL(),
			TradingLimiter: quick{}, DataLimiter: quick{},
		},
		Clock:     fakeClock{fake},
		Reconcile: 400 * time.Millisecond, // three looks with 20 ms between
		Stream:    alpaca.StreamOptions{MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond},
	}
}

func newAdapter(t *testing.T, fake *alpacatest.Server, change func(*alpaca.Options)) *alpaca.Adapter {
	t.Helper()
	opts := options(fake)
	if change != nil {
		change(&opts)
	}
	a, err := alpaca.New(&opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

const account = broker.AccountID(alpacatest.AccountNumber)

// How long tests wait for what comes by itself, and how often they look.
const (
	deadline = 5 * time.Second
	tick     = time.Millisecond
)

func dec(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

// limit is an order for shares: a positive quantity buys to open, a negative one
// sells to close. The price is a magnitude.
func limit(tag string, symbol market.Symbol, quantity int64, price string) broker.Order {
	o := broker.Order{Tag: tag, Type: broker.Limit, Legs: []broker.Leg{{Symbol: symbol, Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(quantity).Abs()}}}
	p := decimal.RequireFromString(price).Neg()
	if quantity < 0 {
		o.Legs[0].Action, p = broker.SellToClose, p.Neg()
	}
	o.Limit = &p
	return o
}
