package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/tastytrade"
)

// DemoCredentials are what 'ttai sim' accepts unless it is told otherwise, and
// what a command sends to a simulator elsewhere when it has none. They guard
// nothing but made-up money.
var DemoCredentials = simulator.Credentials{ClientID: "simulator", ClientSecret: "simulator-client-secret", RefreshToken: "simulator-refresh-token"}

// DefaultRate is the risk-free rate used for option maths when no better one is
// known: continuous, per year.
const DefaultRate = 0.04

// Opened is the market and the broker that a configuration stands for.
type Opened struct {
	Market market.Source
	Broker broker.Broker
	Client *tastytrade.Client
	// AccountStreamer is the address of the account streamer when it is not one of
	// the broker's own.
	AccountStreamer string
	Tokens          tastytrade.TokenSource
	Clock           market.Clock
	Calendar        *market.Calendar
	Environment     broker.Environment
	Notice          string // what every result has to say about simulated data; empty for real data
	Rate            float64
	// News are the stories of the embedded simulator; nil elsewhere.
	News market.NewsSource
	// Chains knows option chains of the past: those of the embedded simulator. Nil
	// elsewhere.
	Chains interface {
		ChainAt(req market.ChainRequest, t time.Time) ([]market.OptionQuote, error)
	}

	closers []func() error
}

// OpenOptions are what [Open] can do without.
type OpenOptions struct {
	// Store is where the broker's rates are kept together with the other processes
	// that use it. Nil: they are kept by this process alone.
	Store *Store
	// Transport sends the requests and opens the streams; nil: the network's.
	Transport http.RoundTripper
}

// Close ends connections and the embedded simulator, in that order.
func (o *Opened) Close() error {
	var first error
	for _, end := range slices.Backward(o.closers) {
		if err := end(); err != nil && first == nil {
			first = err
		}
	}
	o.closers = nil
	return first
}

// Open connects to what config names. Nothing is sent yet, except that a
// simulator elsewhere is asked for its time. opts may be nil.
func Open(config Config, opts *OpenOptions) (*Opened, error) {
	if opts == nil {
		opts = &OpenOptions{}
	}
	o := &Opened{Calendar: market.NYSE(), Clock: market.SystemClock(), Environment: broker.Environment(config.Env), Rate: DefaultRate}
	err := o.open(config, opts)
	if err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

func (o *Opened) open(config Config, opts *OpenOptions) error {
	options := &tastytrade.ClientOptions{UserAgent: "ttai/" + Version(), Now: func() time.Time { return time.Now() }}
	oauth := tastytrade.OAuthConfig{ClientID: config.ClientID, ClientSecret: config.ClientSecret, RefreshToken: config.RefreshToken}
	switch {
	case o.Environment == broker.Production:
		options.BaseURL = tastytrade.Production
	case o.Environment == broker.Sandbox:
		options.BaseURL = tastytrade.Sandbox
	case config.URL != "":
		if err := o.followSimulator(config.URL); err != nil {
			return err
		}
		options.BaseURL = config.URL
		if oauth.RefreshToken == "" {
			useCredentials(&oauth, DemoCredentials)
		}
	default:
		sim, err := simulator.New(&simulator.Options{Seed: config.Seed, RealClock: config.Clock == "real"})
		if err != nil {
			return err
		}
		o.closers = append(o.closers, sim.Close)
		server, err := sim.Listen()
		if err != nil {
			return err
		}
		o.Clock, o.Notice, o.News = sim.Clock(), sim.Note(), sim
		if o.Chains, err = synthetic.New(config.Seed, &synthetic.Options{Clock: sim.Clock()}); err != nil {
			return err
		}
		options.BaseURL, options.Dial = server.URL(), server.DialContext
		if opts.Transport != nil { // which can't be given a dialer
			if server, err = sim.Start("127.0.0.1:0"); err != nil {
				return err
			}
			options.BaseURL, options.Dial = server.URL(), nil
		}
		useCredentials(&oauth, sim.Credentials())
	}
	if options.Limiter = tastytrade.NoLimit(); o.Environment != broker.Simulator {
		options.Limiter = opts.Store.limiter(oauth.RefreshToken)
	}
	if opts.Transport != nil {
		options.HTTPClient = &http.Client{Transport: opts.Transport}
	}
	oauth.BaseURL, oauth.Dial = options.BaseURL, options.Dial
	tokens, err := tastytrade.RefreshTokenSource(oauth)
	if err != nil {
		return err
	}
	if o.Environment == broker.Simulator {
		o.AccountStreamer = "ws" + strings.TrimPrefix(options.BaseURL, "http") + "/streamer"
	}
	client, err := tastytrade.NewClient(tokens, options)
	if err != nil {
		return err
	}
	adapter, err := tasty.New(client, &tasty.Options{Environment: o.Environment, Clock: o.Clock, Calendar: o.Calendar, AccountStreamer: o.AccountStreamer})
	if err != nil {
		return err
	}
	o.closers = append(o.closers, adapter.Close)
	o.Client, o.Tokens, o.Market, o.Broker = client, tokens, adapter, adapter.Broker()
	if len(config.Accounts) > 0 {
		o.Broker = onlyAccounts{o.Broker, config.Accounts}
	}
	return nil
}

func useCredentials(oauth *tastytrade.OAuthConfig, c simulator.Credentials) {
	oauth.ClientID, oauth.ClientSecret, oauth.RefreshToken = c.ClientID, c.ClientSecret, c.RefreshToken
}

// followSimulator makes the clock and the notice those of a simulator elsewhere.
func (o *Opened) followSimulator(base string) error {
	address, err := url.Parse(base)
	if err != nil || (address.Scheme != "http" && address.Scheme != "https") || address.Host == "" {
		return invalid.Field("url", base, "the base URL that 'ttai sim' printed, such as http://127.0.0.1:8766")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/simulator/clock", nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "ttai/"+Version())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no simulator answers at %s: start one with 'ttai sim': %w", base, err)
	}
	defer resp.Body.Close()
	var answer struct {
		Now   time.Time `json:"now"`
		Speed float64   `json:"speed"`
		Note  string    `json:"note"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK || answer.Now.IsZero() {
		return fmt.Errorf("%s is not a ttai simulator: it does not tell its time at /simulator/clock", base)
	}
	if answer.Speed == 0 {
		o.Clock = market.NewManualClock(answer.Now)
	} else if o.Clock, err = market.NewScaledClock(nil, answer.Now, answer.Speed); err != nil {
		return err
	}
	o.Notice = answer.Note
	return nil
}

// Version returns the module's version as the Go tool recorded it, or "devel".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "devel"
}
