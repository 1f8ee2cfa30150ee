package synthetic

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

var (
	_ market.NewsSource   = (*Market)(nil)
	_ market.NewsStreamer = (*Market)(nil)
)

// streamNews keeps the draws of news apart from all others; it is a name, so that
// the numbers of the streams stay what they are.
const streamNews = "news"

// How far back stories are told when nothing is said, how many at most, and from
// which to which hour of New York there are some.
const (
	newsBack         = 24 * time.Hour
	mostStories      = 1000
	newsFrom, newsTo = 6, 20
	storyChance      = 0.5 // of a symbol in an hour
)

// What stories say of a symbol; %s is its name.
var headlines = []string{
	"%s announces a new product line for next year",
	"Analyst raises the rating of %s to buy",
	"Analyst lowers the price target of %s",
	"%s plans to buy back shares",
	"%s names a new chief financial officer",
	"%s is said to explore a merger",
	"Regulator opens an inquiry into %s",
	"%s recalls a part of its products",
	"%s wins a large contract",
	"Options traders bet on a move of %s",
	"%s expands its business in Europe",
	"Fund discloses a larger position in %s",
}

// What stories say of the whole market.
var marketHeadlines = []string{
	"Federal Reserve official speaks about a rate cut",
	"Federal Reserve minutes show a divided committee",
	"Consumer prices rise less than expected",
	"Treasury yields climb as traders await data",
	"Oil prices fall on rising inventories",
	"Stocks drift as investors await earnings",
	"Jobless claims come in below estimates",
}

// News returns made-up stories, the same for the same seed: of each symbol about
// one in two hours from 06:00 to 20:00 New York of every session, one of the whole
// market in each of these hours, and the reports of earnings at their time. Only
// what is published by the clock's time is told. Without From they are those of
// the last 24 hours, and never more than the newest 1,000.
func (m *Market) News(ctx context.Context, req market.NewsRequest) ([]market.Story, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if req.Limit < 0 {
		return nil, invalid.Field("Limit", req.Limit, "0 or more")
	}
	now := m.clock.Now()
	from := req.From
	if from.IsZero() {
		from = now.Add(-newsBack)
	}
	if earliest := now.AddDate(0, 0, -31); from.Before(earliest) {
		from = earliest // more than a thousand stories anyhow
	}
	out := m.stories(req.Symbols, from, now.Add(1))
	limit := mostStories
	if req.Limit > 0 {
		limit = min(limit, req.Limit)
	}
	if len(out) > limit {
		out = out[len(out)-limit:]
	}
	return out, nil
}

// stories returns what is published in [from, to), ascending.
func (m *Market) stories(symbols []market.Symbol, from, to time.Time) []market.Story {
	wanted := func(s market.Symbol) bool { return len(symbols) == 0 || slices.Contains(symbols, s) }
	loc := m.calendar.Location()
	var out []market.Story
	add := func(s market.Story) {
		if !s.Time.Before(from) && s.Time.Before(to) {
			out = append(out, s)
		}
	}
	first, last := market.DateOf(from.In(loc)), market.DateOf(to.In(loc))
	for d := first; !d.After(last); d = d.AddDays(1) {
		if _, open := m.calendar.Session(d); !open {
			continue
		}
		for hour := newsFrom; hour < newsTo; hour++ {
			start := d.At(hour, 0, loc)
			if !start.Before(to) || !start.Add(time.Hour).After(from) {
				continue
			}
			step := dayNumber(d)*24 + uint64(hour)
			if wanted("SPY") && m.listed["SPY"] {
				k := m.key.name(streamNews).with(step)
				add(story(k, start, marketHeadlines[k.with(2).below(len(marketHeadlines))], "SPY"))
			}
			for _, s := range m.symbols {
				k := m.key.name(streamNews).name(string(s)).with(step)
				if !wanted(s) || k.with(1).uniform() >= storyChance {
					continue
				}
				add(story(k, start, fmt.Sprintf(headlines[k.with(2).below(len(headlines))], m.nameOf(s)), s))
			}
		}
	}
	for _, s := range m.symbols {
		if !wanted(s) {
			continue
		}
		for _, r := range m.cells[s].get(m).earnings {
			if r.at.Before(from) || !r.at.Before(to) {
				continue
			}
			add(market.Story{
				ID: fmt.Sprintf("earnings-%s-%s", s, r.at.In(loc).Format(time.DateOnly)), Source: newsSource, Time: r.at.UTC(), Symbols: []market.Symbol{s},
				Headline: fmt.Sprintf("%s reports quarterly earnings of $%.2f per share", m.nameOf(s), r.eps), Summary: newsSummary,
			})
		}
	}
	slices.SortStableFunc(out, func(a, b market.Story) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// What every story carries, so that nobody takes it for news.
const (
	newsSource  = "simulated news"
	newsSummary = "Made up by the simulator from its seed."
)

// story is a made-up story at a random second of the hour that begins at start.
func story(k key, start time.Time, headline string, s market.Symbol) market.Story {
	at := start.Add(time.Duration(k.with(3).below(3600)) * time.Second).UTC()
	return market.Story{
		ID: strconv.FormatUint(uint64(k.with(4))>>1, 36), Source: newsSource, Time: at, Headline: headline, Summary: newsSummary, Symbols: []market.Symbol{s},
	}
}

// nameOf is what stories call a symbol: its company's name with the symbol.
func (m *Market) nameOf(s market.Symbol) string {
	if p := m.cells[s].profile; p != nil && p.name != "" {
		return p.name + " (" + string(s) + ")"
	}
	return string(s)
}

// StreamNews implements [market.NewsStreamer] by the market's clock: each story
// comes when the clock reaches its time. It never ends by itself and has no gaps;
// a clock that is set forward brings all that is between.
func (m *Market) StreamNews(ctx context.Context, symbols ...market.Symbol) (market.NewsStream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &newsStream{market: m, symbols: slices.Clone(symbols), from: m.clock.Now(), closed: make(chan struct{}), ctx: ctx}, nil
}

type newsStream struct {
	market  *Market
	symbols []market.Symbol
	from    time.Time
	due     []market.Story
	ctx     context.Context // the stream's life
	closed  chan struct{}
	ended   error
}

// newsAhead is how far ahead a stream looks for its next story.
const newsAhead = 2 * time.Hour

// Next waits for the clock to reach the next story. It is for one reader.
func (s *newsStream) Next(ctx context.Context) (market.NewsUpdate, error) {
	for {
		if s.ended != nil {
			return market.NewsUpdate{}, s.ended
		}
		now := s.market.clock.Now()
		if len(s.due) == 0 && now.After(s.from) {
			s.due = s.market.stories(s.symbols, s.from, now)
			s.from = now
		}
		if len(s.due) > 0 {
			next := s.due[0]
			s.due = s.due[1:]
			return market.NewsUpdate{Story: &next}, nil
		}
		wait := newsAhead
		if ahead := s.market.stories(s.symbols, s.from, s.from.Add(newsAhead)); len(ahead) > 0 {
			wait = ahead[0].Time.Sub(now) + time.Nanosecond
		}
		timer := s.market.clock.NewTimer(wait)
		select {
		case <-timer.C():
		case <-s.closed:
			s.ended = context.Canceled
		case <-s.ctx.Done():
			s.ended = s.ctx.Err()
		case <-ctx.Done():
			timer.Stop()
			return market.NewsUpdate{}, ctx.Err()
		}
		timer.Stop()
	}
}

// Close ends the stream.
func (s *newsStream) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}
