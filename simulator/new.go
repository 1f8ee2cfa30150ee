package simulator

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// New returns a simulator. Nothing is computed yet: the market and the demo
// accounts come into being when they are first asked for. Opts may be nil.
func New(opts *Options) (*Simulator, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	s := &Simulator{
		calendar: o.Calendar, clock: o.Clock, base: o.Market, wall: o.Wall, random: o.Rand, logger: o.Logger, fault: o.Fault, before: o.Before,
		speed: o.Speed, start: o.Start, seed: o.Seed, candles: o.Candles,
		servers: map[*Server]struct{}{}, sockets: map[socket]struct{}{},
	}
	if err := s.setTime(&o); err != nil {
		return nil, err
	}
	if err := s.setMarket(&o); err != nil {
		return nil, err
	}
	switch {
	case o.Candles < 0 || o.Candles > 1_000_000:
		return nil, invalid.Field("Candles", o.Candles, "1 to 1000000, or 0 for 8000")
	case o.Candles == 0:
		s.candles = 8000
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	if err := s.setRules(&o); err != nil {
		return nil, err
	}
	if err := s.setCustomers(&o); err != nil {
		return nil, err
	}
	s.trade.sim = s
	s.trade.init()
	s.heart.at = s.start
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.handler = s.routes()
	return s, nil
}

// setRules makes the rules of limits, tokens and faults.
func (s *Simulator) setRules(o *Options) error {
	list := slices.Clone(o.RateLimits)
	switch {
	case !(o.RequestsPerSecond >= 0) || math.IsInf(o.RequestsPerSecond, 0):
		return invalid.Field("RequestsPerSecond", o.RequestsPerSecond, "a number above 0, or 0 for no limit")
	case o.RequestsPerSecond > 0:
		list = append(list, RateLimit{Family: "everything", Routes: []string{""}, PerSecond: o.RequestsPerSecond})
	}
	var err error
	if s.limits, err = newLimits(list); err != nil {
		return err
	}
	schedule := o.Fees
	if schedule == nil {
		schedule = broker.TastytradeFees()
	}
	if err := schedule.Validate(); err != nil {
		return err
	}
	s.fees, s.latency = schedule, o.Latency
	for _, life := range []struct {
		name         string
		given, usual time.Duration
		to           *time.Duration
	}{{"AccessTokenLife", o.AccessTokenLife, accessLife, &s.accessLife}, {"QuoteTokenLife", o.QuoteTokenLife, quoteLife, &s.quoteLife}} {
		if life.given < 0 {
			return invalid.Field(life.name, life.given.String(), "above 0, or 0 for the usual")
		}
		if *life.to = life.given; life.given == 0 {
			*life.to = life.usual
		}
	}
	s.faults = newFaultBook(o.FaultSeed)
	return s.faults.set(o.Faults)
}

// setTime makes the clocks.
func (s *Simulator) setTime(o *Options) error {
	if s.calendar == nil {
		s.calendar = market.NYSE()
	}
	if s.wall == nil {
		s.wall = market.SystemClock()
	}
	if s.speed == 0 {
		s.speed = 1
	}
	switch {
	case o.Stopped && (o.Clock != nil || o.RealClock):
		return invalid.Field("Stopped", true, "false with a Clock of your own or RealClock")
	case o.RealClock && (o.Clock != nil || !o.Start.IsZero() || s.speed != 1):
		return invalid.Field("RealClock", true, "RealClock alone, without Clock, Start and Speed")
	case o.Clock != nil && (!o.Start.IsZero() || s.speed != 1):
		return invalid.Field("Clock", o.Clock, "a Clock of your own, or Start and Speed, not both")
	case o.Clock != nil:
	case o.RealClock:
		s.clock = s.wall
	case o.Market != nil:
		return invalid.Missing("Clock", "the clock of Market, when a Market is given")
	default:
		if s.start.IsZero() {
			s.start = synthetic.DefaultStart()
		}
		clock, err := NewClock(s.wall, s.start, s.speed)
		if err != nil {
			return err
		}
		if o.Stopped {
			clock.Stop()
			clock.set(s.start)
		}
		s.clock = clock
	}
	switch c := s.clock.(type) {
	case *Clock:
		s.start = c.Start()
	case *market.ScaledClock:
		s.start, s.speed = c.Start(), c.Speed()
	case *market.ManualClock:
		s.start, s.speed = c.Now(), 0
	default:
		s.start = s.clock.Now()
	}
	return nil
}

// setMarket makes the synthetic market when none is given.
func (s *Simulator) setMarket(o *Options) error {
	source := "The market is simulated: no number is real."
	if o.Market == nil {
		if s.seed == 0 {
			s.seed = synthetic.DefaultSeed
		}
		made, err := synthetic.New(s.seed, &synthetic.Options{Clock: s.clock, Scenarios: o.Scenarios})
		if err != nil {
			return fmt.Errorf("simulator: %w", err)
		}
		s.base = made
		source = fmt.Sprintf("The market is synthetic (seed %d): no number is real.", s.seed)
	}
	s.market = &overlay{Source: s.base, clock: s.clock}
	if o.Note != "" {
		source = o.Note
	}
	if o.RealClock {
		s.note = source
		return nil
	}
	s.note = fmt.Sprintf("%s It runs on a clock of its own, which began at %s.", source,
		s.start.In(s.calendar.Location()).Format("15:04 MST on Monday, January 2, 2006"))
	return nil
}

// quoteToken serves GET /api-quote-tokens: the key to the websocket. Its times
// are the computer's, as the connection's are.
func (s *Simulator) quoteToken(w http.ResponseWriter, r *http.Request) {
	token, err := newSecret(s.random, 32)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	now := s.wall.Now()
	s.tokens.add(&s.tokens.quote, token, now, s.quoteLife, caller(r))
	scheme := "ws"
	if r.TLS != nil {
		scheme = "wss"
	}
	url := scheme + "://" + r.Host
	writeData(w, r, wireQuoteToken{
		Token: token, DXLinkURL: url + "/dxlink", WebsocketURL: url + "/dxlink", Level: "api",
		IssuedAt: wireTime(now), ExpiresAt: wireTime(now.Add(s.quoteLife)),
	})
}

type wireQuoteToken struct {
	Token        string `json:"token"`
	DXLinkURL    string `json:"dxlink-url"`
	WebsocketURL string `json:"websocket-url"`
	Level        string `json:"level"`
	IssuedAt     string `json:"issued-at"`
	ExpiresAt    string `json:"expires-at"`
}

// wireTime writes an instant as the service does, in UTC to the millisecond;
// "" for the zero time.
func wireTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000+00:00")
}
