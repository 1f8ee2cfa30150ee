package mcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/mcp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is 10:30 in New York on a Wednesday with a session.
var now = time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)

// A fakeMarket answers quotes and searches, and has nothing else. One symbol
// hangs until the context ends, one panics.
type fakeMarket struct {
	hung chan struct{} // receives when a call hangs, when not nil
}

func (f *fakeMarket) Quotes(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	var out []market.Quote
	for _, s := range symbols {
		switch s {
		case "HANG":
			if f.hung != nil {
				f.hung <- struct{}{}
			}
			<-ctx.Done()
			return nil, ctx.Err()
		case "PANIC":
			panic("the secret inside")
		case "NOPE":
			return nil, market.ErrUnknownSymbol
		}
		q := market.NewQuote(s)
		q.Bid, q.Ask, q.Last, q.PrevClose, q.Time = 99, 101, 100, 98, now
		out = append(out, q)
	}
	return out, nil
}

func (f *fakeMarket) Bars(context.Context, market.BarsRequest) ([]market.Bar, error) {
	var bars []market.Bar
	cal := market.NYSE()
	for i, s := range cal.Sessions(market.Date{Year: 2025, Month: 1, Day: 2}, market.Date{Year: 2026, Month: 9, Day: 15}) {
		c := 80 + float64(i)/20 + 2*math.Sin(float64(i)/7)
		bars = append(bars, market.Bar{Time: s.Date.In(cal.Location()), Open: c, High: c + 1, Low: c - 1, Close: c, Volume: 1000})
	}
	return bars, nil
}

func (f *fakeMarket) Expirations(context.Context, market.Symbol) ([]market.Expiration, error) {
	return nil, market.ErrUnsupported
}

func (f *fakeMarket) Chain(context.Context, market.ChainRequest) ([]market.OptionQuote, error) {
	return nil, market.ErrUnsupported
}

func (f *fakeMarket) Metrics(context.Context, []market.Symbol) ([]market.Metrics, error) {
	return nil, market.ErrUnsupported
}

func (f *fakeMarket) Events(context.Context, market.Symbol, market.Date, market.Date) ([]market.Event, error) {
	return nil, market.ErrUnsupported
}

func (f *fakeMarket) Instruments(context.Context, []market.Symbol) ([]market.Instrument, error) {
	return nil, market.ErrUnsupported
}

func (f *fakeMarket) Search(_ context.Context, text string, limit int) ([]market.Instrument, error) {
	var out []market.Instrument
	for _, s := range []market.Symbol{"SPY", "SPX", "QQQ"} {
		if strings.HasPrefix(string(s), strings.ToUpper(text)) {
			out = append(out, market.Instrument{Symbol: s})
		}
	}
	return out, nil
}

type fakeBroker struct{ account broker.AccountID }

func (fakeBroker) Environment() broker.Environment { return broker.Sandbox }

func (f fakeBroker) Accounts(context.Context) ([]broker.Account, error) {
	return []broker.Account{{ID: f.account, Type: "Individual"}}, nil
}

func (f fakeBroker) Balances(context.Context, broker.AccountID) (*broker.Balances, error) {
	cash := decimal.RequireFromString("1234.50")
	return &broker.Balances{Account: f.account, Currency: "USD", Cash: &cash}, nil
}

func (f fakeBroker) Positions(context.Context, broker.AccountID) ([]broker.Position, error) {
	return nil, nil
}

// deps gives every principal an account named for its tenant.
func deps(_ context.Context, p mcp.Principal) (tools.Deps, error) {
	if p.Subject == "broken" {
		return tools.Deps{}, errors.New("vault is locked")
	}
	return tools.Deps{
		Market: &fakeMarket{}, Broker: broker.ReadOnly(fakeBroker{broker.AccountID("ACCOUNT-" + string(p.Tenant))}),
		Clock: market.NewManualClock(now), Environment: broker.Simulator, Notice: "Simulated data.", Rate: 0.04,
	}, nil
}

func newServer(t testing.TB, opts *mcp.Options) *mcp.Server {
	t.Helper()
	s, err := mcp.New(deps, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// serve puts a server on loopback and returns its URL.
func serve(t testing.TB, s *mcp.Server) string {
	t.Helper()
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		s.Close() // ends open streams, which ts.Close waits for
		ts.Close()
	})
	return ts.URL
}

// withBearer sends a token with every request.
type withBearer struct {
	token string
	next  http.RoundTripper
}

func (w withBearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	return w.next.RoundTrip(r)
}

// The revisions that clients are tested with; "" is the SDK's newest.
const (
	oldRevision = "2025-06-18"
	newRevision = "2026-07-28"
)

// dial connects a client of a revision of the protocol over HTTP.
func dial(t testing.TB, url, token, revision string) (*sdk.ClientSession, error) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint: url, HTTPClient: &http.Client{Transport: withBearer{token, transport}}, MaxRetries: -1,
	}, &sdk.ClientSessionOptions{ProtocolVersion: revision})
	if err == nil {
		t.Cleanup(func() { session.Close() })
	}
	return session, err
}

// callTool calls a tool and returns its text and whether it is an error.
func callTool(t testing.TB, session *sdk.ClientSession, name string, arguments any) (string, bool) {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: name, Arguments: arguments})
	require.NoError(t, err)
	require.Len(t, result.Content, 1)
	text, ok := result.Content[0].(*sdk.TextContent)
	require.True(t, ok)
	if !result.IsError {
		structured, err := json.Marshal(result.StructuredContent)
		require.NoError(t, err)
		require.JSONEq(t, text.Text, string(structured), "the text repeats the structured result")
	}
	return text.Text, result.IsError
}
