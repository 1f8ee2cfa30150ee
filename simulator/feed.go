package simulator

import (
	"bytes"
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/occ"
	"github.com/ttai-go/ttai/market"
)

func nan() float64 { return math.NaN() }

// A feed is one channel of the service FEED. Its fields are guarded by the
// stream's mutex; the state of a single subscription belongs to the pump.
type feed struct {
	channel   int
	contract  string
	period    time.Duration // between updates
	compact   bool
	asked     map[string][]string // acceptEventFields; nil: never said
	layouts   map[string]layout
	configDue bool
	told      bool // the client knows the configuration
	fresh     bool // there are subscriptions without a first event
	due       time.Time
	asOf      time.Time // the market's time at the last look
	version   int       // of the quotes set by hand, at the last look
	subs      map[subKey]*sub
}

type subKey struct{ kind, symbol string }

// A sub is one subscribed series of events.
type sub struct {
	subKey
	market market.Symbol // "" when the symbol names nothing that is served
	last   []byte        // the last event, to send only changes
	seen   bool          // served once

	from    int64 // of candles: milliseconds
	candles candleSymbol
	newest  market.Bar // the last candle sent
	next    time.Time  // not to be asked before, computer's time
	asOf    time.Time  // the market's time when last asked
}

func newFeed(channel int, contract string) *feed {
	f := &feed{channel: channel, contract: contract, period: shortestPeriod, compact: true, subs: map[subKey]*sub{}}
	f.layout()
	return f
}

// layout fixes which fields are sent.
func (f *feed) layout() {
	f.layouts = map[string]layout{}
	for kind := range eventFields {
		f.layouts[kind] = newLayout(kind, f.asked[kind])
	}
}

// configure takes a FEED_SETUP.
func (f *feed) configure(m *request) {
	if p := m.AcceptAggregationPeriod; p != nil && *p >= 0 && *p < 3600 {
		f.period = max(shortestPeriod, time.Duration(*p*float64(time.Second)))
	}
	switch m.AcceptDataFormat {
	case "COMPACT":
		f.compact = true
	case "FULL":
		f.compact = false
	}
	if m.AcceptEventFields != nil {
		f.asked = m.AcceptEventFields
		f.layout()
	}
	f.configDue = true
}

// mostSubscribed is how many series one channel may have.
const mostSubscribed = 25_000

// subscribe takes a FEED_SUBSCRIPTION and returns what is wrong with it.
func (f *feed) subscribe(m *request) (code, problem string) {
	if m.Reset {
		clear(f.subs)
	}
	for _, r := range m.Remove {
		delete(f.subs, subKey{r.Type, r.Symbol})
	}
	for _, a := range m.Add {
		_, served := eventFields[a.Type]
		switch {
		case a.Symbol == "" || strings.ContainsFunc(a.Symbol, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }):
			code, problem = "INVALID_MESSAGE", "A symbol is empty or not printable."
			continue
		case !served && !slices.Contains(silentTypes, a.Type):
			code, problem = "INVALID_MESSAGE", "Unknown event type."
			continue
		case len(f.subs) >= mostSubscribed:
			return "BAD_ACTION", "The subscription size is too big."
		case !served:
			continue // entitled to nothing: such events never come
		}
		s := &sub{subKey: subKey{a.Type, a.Symbol}}
		if a.Type == "Candle" {
			s.candles, _ = parseCandleSymbol(a.Symbol)
			s.market = s.candles.symbol
			if a.FromTime > 0 && a.FromTime < 1e15 {
				s.from = int64(a.FromTime)
			}
		} else {
			s.market = marketSymbol(a.Symbol)
		}
		if _, said := f.asked[a.Type]; f.asked != nil && !said {
			f.configDue = true // the client does not know the fields of this type yet
		}
		f.subs[s.subKey] = s
		f.fresh = true
	}
	return code, problem
}

// streamedFuture is a future as the stream names it: with a year of two digits, of
// which the market's symbol has the last.
var streamedFuture = regexp.MustCompile(`^(/[A-Z0-9]+[FGHJKMNQUVXZ])[0-9]([0-9])$`)

// marketSymbol translates a streamer symbol, ".SPY261218C500", to the market's.
func marketSymbol(streamer string) market.Symbol {
	if strings.HasPrefix(streamer, ".") && !strings.HasPrefix(streamer, "./") {
		o, err := occ.ParseStreamer(streamer)
		if err != nil {
			return ""
		}
		return market.Symbol(o.String())
	}
	if !strings.HasPrefix(streamer, "./") {
		streamer, _, _ = strings.Cut(streamer, ":") // of a future its exchange, of a coin its venue
		streamer = streamedFuture.ReplaceAllString(streamer, "$1$2")
	}
	return market.Symbol(streamer)
}

type wireConfig struct {
	wireMessage
	AggregationPeriod float64             `json:"aggregationPeriod"`
	DataFormat        string              `json:"dataFormat"`
	EventFields       map[string][]string `json:"eventFields,omitempty"`
}

// config is the feed's configuration message.
func (f *feed) config() wireConfig {
	c := wireConfig{wireMessage{"FEED_CONFIG", f.channel}, f.period.Seconds(), "COMPACT", map[string][]string{}}
	if !f.compact {
		c.DataFormat = "FULL"
	}
	for kind, l := range f.layouts {
		_, asked := f.asked[kind]
		subscribed := false
		for key := range f.subs {
			subscribed = subscribed || key.kind == kind
		}
		if asked || subscribed || f.asked == nil {
			c.EventFields[kind] = l.names
		}
	}
	return c
}

// serveFeed sends what is new on one channel.
func (st *stream) serveFeed(f *feed, now time.Time) {
	seen := st.sim.tickNow()
	at := seen.at
	st.mu.Lock()
	subs := make([]*sub, 0, len(f.subs))
	for _, s := range f.subs {
		subs = append(subs, s)
	}
	fresh := f.fresh
	f.fresh = false
	f.due = now.Add(f.period)
	var config *wireConfig
	if f.configDue || len(subs) > 0 && !f.told {
		c := f.config()
		config, f.configDue, f.told = &c, false, true
	}
	standing := at.Equal(f.asOf) && !fresh && seen.version == f.version
	f.asOf, f.version = at, seen.version
	layouts, compact := f.layouts, f.compact
	st.mu.Unlock()
	if config != nil {
		st.sendJSON(config)
	}
	slices.SortFunc(subs, func(a, b *sub) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.symbol, b.symbol)) })
	var events []event
	if !standing { // a clock that stands still shows nothing new
		events = st.tickerEvents(subs, seen)
	}
	for _, s := range subs {
		if s.kind == "Candle" && st.ctx.Err() == nil {
			events = append(events, st.candleEvents(f.contract, s, now, at)...)
		}
	}
	if len(events) > 0 {
		st.send(dataMessages(f.channel, compact, layouts, events)...)
	}
}

// tickerEvents returns the events of all but candles that changed.
func (st *stream) tickerEvents(subs []*sub, seen *tick) []event {
	var wanted []market.Symbol
	for _, s := range subs {
		if strings.HasPrefix(string(s.market), "./") && strings.Contains(string(s.market), ":") {
			s.market = st.sim.futureOption(st.ctx, string(s.market))
		}
		if s.kind != "Candle" && s.market != "" {
			wanted = append(wanted, s.market)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	slices.Sort(wanted)
	tickers := seen.of(st.ctx, st.sim, slices.Compact(wanted))
	var events []event
	for _, s := range subs {
		t := tickers[s.market]
		if s.kind == "Candle" || t == nil {
			continue
		}
		r := seen.recordOf(s.subKey, func() (event, bool) { return st.tickerEvent(s, t, seen.moment) })
		if r == nil || s.seen && bytes.Equal(r.text, s.last) {
			continue
		}
		s.seen, s.last = true, r.text
		events = append(events, r.event)
	}
	return events
}

// A moment is the market's time, and the sessions around it.
type moment struct {
	at          time.Time
	day, before market.Session
	over        bool // the session is
}

// tickerEvent is the event of one subscription; not ok when its kind has none
// for such a symbol.
func (st *stream) tickerEvent(s *sub, t *ticker, now moment) (e event, ok bool) {
	sim := st.sim
	switch option := t.greeks != nil; s.kind {
	case "Quote":
		return quoteEvent(s.symbol, t), true
	case "Trade":
		return tradeEvent("Trade", s.symbol, t, now.day, now.over), true
	case "TradeETH":
		return tradeEvent("TradeETH", s.symbol, t, now.day, true), !option && s.market.Kind() == market.KindEquity && (now.over || now.at.Before(now.day.Open))
	case "Summary":
		closing := nan()
		if now.over && !option {
			closing = sim.closeOn(st.ctx, s.market, now.day.Date)
		}
		return summaryEvent(s.symbol, t, now.day, now.before, closing), true
	case "TimeAndSale":
		return saleEvent(s.symbol, t, now), !math.IsNaN(t.quote.Last)
	case "Profile":
		return sim.profileEvent(st.ctx, s, t), true
	case "Underlying":
		m, known := sim.dailyMetrics(st.ctx, []market.Symbol{s.market})[s.market]
		return underlyingEvent(s.symbol, m, now.at), known && !option
	case "Greeks":
		if option {
			return greeksEvent(s.symbol, t), true
		}
	case "TheoPrice":
		if option {
			return theoEvent(s.symbol, t, sim.riskFree()), true
		}
	}
	return event{}, false
}

// A candleSymbol is what "SPY{=5m,tho=true}" says.
type candleSymbol struct {
	symbol   market.Symbol
	interval market.Interval
	regular  bool // regular trading hours only
}

// parseCandleSymbol reads a candle symbol. Kinds of candles that the market has
// no bars for (ticks, volume, bid prices …) are not ok.
func parseCandleSymbol(text string) (candleSymbol, bool) {
	base, attributes, found := strings.Cut(text, "{")
	if !found || !strings.HasSuffix(attributes, "}") {
		return candleSymbol{}, false
	}
	base, _, _ = strings.Cut(base, "&") // an exchange; all are the same here
	c := candleSymbol{symbol: marketSymbol(base)}
	for attribute := range strings.SplitSeq(strings.TrimSuffix(attributes, "}"), ",") {
		name, value, _ := strings.Cut(attribute, "=")
		switch name {
		case "":
			interval, err := market.ParseInterval(value)
			if err != nil {
				return candleSymbol{}, false
			}
			c.interval = interval
		case "tho":
			c.regular, _ = strconv.ParseBool(value)
		case "a": // alignment: bars begin at the session's open or at midnight as they do
		case "price":
			if value != "last" {
				return candleSymbol{}, false
			}
		default:
			return candleSymbol{}, false
		}
	}
	return c, c.interval != "" && c.symbol != ""
}

// candlePeriod is how often candles are looked at after their snapshot.
const candlePeriod = time.Second

// candleTime is the time of a candle on the wire: the start of an intraday bar,
// midnight UTC of the date of a longer one.
func (s *Simulator) candleTime(b market.Bar, i market.Interval) int64 {
	if i.Intraday() {
		return b.Time.UnixMilli()
	}
	return market.DateOf(b.Time.In(s.calendar.Location())).In(time.UTC).UnixMilli()
}

// candleStart is the first bar time that a client asks for with fromTime.
func (s *Simulator) candleStart(ms int64, i market.Interval) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	t := time.UnixMilli(ms).UTC()
	if i.Intraday() {
		return t
	}
	d := market.DateOf(t)
	if !d.In(time.UTC).Equal(t) {
		d = d.AddDays(1)
	}
	return d.In(s.calendar.Location())
}

// candleEvents returns the snapshot of a new candle subscription, newest first,
// or what changed since. Only the contract HISTORY gets snapshots with candles
// in them: since September 2026 the real server gives AUTO an empty one.
func (st *stream) candleEvents(contract string, s *sub, now, at time.Time) []event {
	if s.seen && (s.market == "" || contract != "HISTORY" || now.Before(s.next) || at.Equal(s.asOf)) {
		return nil
	}
	sim := st.sim
	s.next, s.asOf = now.Add(candlePeriod), at
	if !s.seen {
		s.seen = true
		if s.market == "" || contract != "HISTORY" {
			return []event{emptySnapshot(s.symbol, s.from)}
		}
		return st.candleSnapshot(s)
	}
	if s.newest.Time.IsZero() {
		return nil
	}
	bars, err := sim.market.Bars(st.ctx, market.BarsRequest{
		Symbol: s.market, Interval: s.candles.interval, From: s.newest.Time, Extended: !s.candles.regular})
	if err != nil {
		return nil // it may work the next time
	}
	var events []event
	for _, b := range bars {
		if b.Time.Before(s.newest.Time) || b.Time.Equal(s.newest.Time) && sameBar(b, s.newest) {
			continue
		}
		events = append(events, candleEvent(s.symbol, sim.candleTime(b, s.candles.interval), 0, b))
		s.newest = b
	}
	return events
}

func (st *stream) candleSnapshot(s *sub) []event {
	sim := st.sim
	bars, err := sim.market.Bars(st.ctx, market.BarsRequest{
		Symbol: s.market, Interval: s.candles.interval, From: sim.candleStart(s.from, s.candles.interval),
		Limit: sim.candles + 1, Extended: !s.candles.regular,
	})
	if absence(err) != nil {
		sim.log("bars failed", "symbol", s.symbol, "error", err)
	}
	if err != nil || len(bars) == 0 {
		return []event{emptySnapshot(s.symbol, s.from)}
	}
	last := flagEnd
	if len(bars) > sim.candles {
		bars, last = bars[len(bars)-sim.candles:], flagSnip
	}
	s.newest = bars[len(bars)-1]
	events := make([]event, 0, len(bars))
	for i := len(bars) - 1; i >= 0; i-- {
		flags := 0
		if i == len(bars)-1 {
			flags |= flagBegin
		}
		if i == 0 {
			flags |= last
		}
		events = append(events, candleEvent(s.symbol, sim.candleTime(bars[i], s.candles.interval), flags, bars[i]))
	}
	return events
}

// sameBar compares bars, NaN being equal to NaN.
func sameBar(a, b market.Bar) bool {
	same := func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
	return same(a.Open, b.Open) && same(a.High, b.High) && same(a.Low, b.Low) && same(a.Close, b.Close) && same(a.Volume, b.Volume)
}
