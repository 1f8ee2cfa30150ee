package tastytrade

import (
	"context"
	"net/url"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Session is one trading day of a market. Times are instants; a day that ends
// early has an earlier CloseAt.
type Session struct {
	Object
	InstrumentCollection InstrumentCollection `json:"instrument-collection"`
	SessionDate          Date                 `json:"session-date"` // zero where the broker leaves it out
	StartAt              time.Time            `json:"start-at"`     // pre-market
	OpenAt               time.Time            `json:"open-at"`
	CloseAt              time.Time            `json:"close-at"`
	CloseAtExt           time.Time            `json:"close-at-ext"` // end of extended trading
}

var sessionCodec = codecFor[Session]()

// UnmarshalJSON keeps the JSON; see [Object].
func (s *Session) UnmarshalJSON(data []byte) error { return sessionCodec.unmarshal(data, s) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (s Session) MarshalJSON() ([]byte, error) { return sessionCodec.marshal(s) }

// A CurrentSession is the state of a market and the sessions around it.
type CurrentSession struct {
	Object
	InstrumentCollection InstrumentCollection `json:"instrument-collection"`
	State                SessionState         `json:"state"`
	StartAt              time.Time            `json:"start-at"`
	OpenAt               time.Time            `json:"open-at"`
	CloseAt              time.Time            `json:"close-at"`
	CloseAtExt           time.Time            `json:"close-at-ext"`
	Next                 *Session             `json:"next-session"`
	Previous             *Session             `json:"previous-session"`
}

var currentSessionCodec = codecFor[CurrentSession]()

// UnmarshalJSON keeps the JSON; see [Object].
func (c *CurrentSession) UnmarshalJSON(data []byte) error {
	return currentSessionCodec.unmarshal(data, c)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (c CurrentSession) MarshalJSON() ([]byte, error) { return currentSessionCodec.marshal(c) }

// A MarketCalendar lists the days without trading and those that end early.
type MarketCalendar struct {
	Object
	Holidays []Date `json:"market-holidays"`
	HalfDays []Date `json:"market-half-days"`
}

var marketCalendarCodec = codecFor[MarketCalendar]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarketCalendar) UnmarshalJSON(data []byte) error {
	return marketCalendarCodec.unmarshal(data, m)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarketCalendar) MarshalJSON() ([]byte, error) { return marketCalendarCodec.marshal(m) }

// MarketSessionsService reads when markets trade.
type MarketSessionsService struct{ client *Client }

// Current returns the state of one or more markets.
//
// GET /market-time/sessions/current
func (s *MarketSessionsService) Current(ctx context.Context, collections ...InstrumentCollection) ([]CurrentSession, error) {
	if len(collections) == 0 {
		return nil, invalid.Missing("collections", "at least one instrument collection")
	}
	q := url.Values{}
	list(q, "instrument-collections", collections)
	out, _, err := many[CurrentSession](ctx, s.client, get("/market-time/sessions/current").with(q), currentSessionCodec)
	return out, err
}

// List returns the sessions of a market from one day to another, at most nine
// months. A zero from is today, an empty collection is equities.
//
// GET /market-time/sessions
func (s *MarketSessionsService) List(ctx context.Context, collection InstrumentCollection, from, to Date) ([]Session, error) {
	if to.IsZero() {
		return nil, invalid.Missing("to", "the last day to look at")
	}
	q := url.Values{"to-date": {to.String()}}
	set(q, "from-date", from.String())
	set(q, "instrument-collection", string(collection))
	out, _, err := many[Session](ctx, s.client, get("/market-time/sessions").with(q), sessionCodec)
	return out, err
}

// EquitiesCurrent returns the state of the equity market at a time; zero is now.
//
// GET /market-time/equities/sessions/current
func (s *MarketSessionsService) EquitiesCurrent(ctx context.Context, at time.Time) (*CurrentSession, error) {
	q := url.Values{}
	instant(q, "current-time", at)
	return one[CurrentSession](ctx, s.client, get("/market-time/equities/sessions/current").with(q), currentSessionCodec)
}

// EquitiesNext returns the equity session on or after a day; zero is today.
//
// GET /market-time/equities/sessions/next
func (s *MarketSessionsService) EquitiesNext(ctx context.Context, day Date) (*Session, error) {
	return s.on(ctx, get("/market-time/equities/sessions/next"), day)
}

// EquitiesPrevious returns the equity session before a day; zero is today.
//
// GET /market-time/equities/sessions/previous
func (s *MarketSessionsService) EquitiesPrevious(ctx context.Context, day Date) (*Session, error) {
	return s.on(ctx, get("/market-time/equities/sessions/previous"), day)
}

// on asks for the session of a day.
func (s *MarketSessionsService) on(ctx context.Context, r *call, day Date) (*Session, error) {
	q := url.Values{}
	set(q, "date", day.String())
	return one[Session](ctx, s.client, r.with(q), sessionCodec)
}

// EquitiesHolidays returns the holidays and half days of the equity market.
//
// GET /market-time/equities/holidays
func (s *MarketSessionsService) EquitiesHolidays(ctx context.Context) (*MarketCalendar, error) {
	return s.calendar(ctx, get("/market-time/equities/holidays"))
}

// calendar reads the only calendar of an answer that is declared to be a list.
func (s *MarketSessionsService) calendar(ctx context.Context, r *call) (*MarketCalendar, error) {
	all, _, err := many[MarketCalendar](ctx, s.client, r, marketCalendarCodec)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, malformed(r, nil)
	}
	return &all[0], nil
}

// FuturesCurrent returns the state of every futures market.
//
// GET /market-time/futures/sessions/current
func (s *MarketSessionsService) FuturesCurrent(ctx context.Context) ([]CurrentSession, error) {
	out, _, err := many[CurrentSession](ctx, s.client, get("/market-time/futures/sessions/current"), currentSessionCodec)
	return out, err
}

// FuturesCurrentOf returns the state of one futures market, such as
// [CollectionCME].
//
// GET /market-time/futures/sessions/current/{collection}
func (s *MarketSessionsService) FuturesCurrentOf(ctx context.Context, collection InstrumentCollection) (*CurrentSession, error) {
	return one[CurrentSession](ctx, s.client, get("/market-time/futures/sessions/current/{collection}", string(collection)), currentSessionCodec)
}

// FuturesNext returns the session of a futures market on or after a day; zero is
// today.
//
// GET /market-time/futures/sessions/next/{collection}
func (s *MarketSessionsService) FuturesNext(ctx context.Context, collection InstrumentCollection, day Date) (*Session, error) {
	return s.on(ctx, get("/market-time/futures/sessions/next/{collection}", string(collection)), day)
}

// FuturesPrevious returns the session of a futures market before a day; zero is
// today.
//
// GET /market-time/futures/sessions/previous/{collection}
func (s *MarketSessionsService) FuturesPrevious(ctx context.Context, collection InstrumentCollection, day Date) (*Session, error) {
	return s.on(ctx, get("/market-time/futures/sessions/previous/{collection}", string(collection)), day)
}

// FuturesHolidays returns the holidays and half days of a futures market.
//
// GET /market-time/futures/holidays/{collection}
func (s *MarketSessionsService) FuturesHolidays(ctx context.Context, collection InstrumentCollection) (*MarketCalendar, error) {
	return s.calendar(ctx, get("/market-time/futures/holidays/{collection}", string(collection)))
}
