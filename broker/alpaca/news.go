package alpaca

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/market"
)

var (
	_ market.NewsSource   = (*Adapter)(nil)
	_ market.NewsStreamer = (*Adapter)(nil)
)

// newsPage is the most articles of one answer.
const newsPage = 50

// News returns Alpaca's articles in ascending time. Without a limit they are at
// most 1,000, the newest ones.
//
// GET /v1beta1/news
func (a *Adapter) News(ctx context.Context, req market.NewsRequest) ([]market.Story, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	limit := req.Limit
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	q := NewsQuery{Start: req.From, Limit: min(limit, newsPage)}
	for _, s := range req.Symbols {
		if text, ok := newsSymbol(s); ok {
			q.Symbols = append(q.Symbols, text)
		}
	}
	if len(req.Symbols) > 0 && len(q.Symbols) == 0 {
		return nil, nil // there are articles on shares and coins only
	}
	var out []market.Story
	for {
		page, err := a.client.News(ctx, q)
		if err != nil {
			return nil, a.failure("reading news", err)
		}
		for i := range page.News {
			out = append(out, storyOf(&page.News[i]))
		}
		if q.PageToken = page.NextPageToken; q.PageToken == "" || len(out) >= limit {
			break
		}
	}
	out = out[:min(len(out), limit)] // the newest come first
	slices.SortStableFunc(out, func(x, y market.Story) int { return x.Time.Compare(y.Time) })
	return out, nil
}

// newsSymbol is a symbol as Alpaca's news name it: options and futures have none.
func newsSymbol(s market.Symbol) (string, bool) {
	switch s.Kind() {
	case market.KindEquity:
		return wireSymbol(s), true
	case market.KindCrypto:
		return strings.ReplaceAll(wireSymbol(s), "/", ""), true // BTCUSD, in news alone
	}
	return "", false
}

// symbolOfNews is the reverse of newsSymbol: what has six letters or more and ends
// in USD is a coin.
func symbolOfNews(text string) market.Symbol {
	if len(text) >= 6 {
		return symbolOf(text, "crypto")
	}
	return symbolOf(text, "")
}

// storyOf is an article in the words of package market.
func storyOf(n *News) market.Story {
	s := market.Story{
		ID: strconv.FormatInt(n.ID, 10), Source: n.Source, Time: n.CreatedAt.Time, Headline: n.Headline, Summary: n.Summary, URL: n.URL,
	}
	for _, text := range n.Symbols {
		s.Symbols = append(s.Symbols, symbolOfNews(text))
	}
	return s
}

// StreamNews implements [market.NewsStreamer]. Alpaca allows one stream of news
// per account on most plans.
func (a *Adapter) StreamNews(ctx context.Context, symbols ...market.Symbol) (market.NewsStream, error) {
	wanted := []string{}
	for _, s := range symbols {
		if text, ok := newsSymbol(s); ok {
			wanted = append(wanted, text)
		}
	}
	if len(symbols) == 0 {
		wanted = []string{"*"}
	}
	stream, err := a.client.MarketData(ctx, NewsStream, StreamOptions{})
	if err != nil {
		return nil, a.failure("opening the stream of news", err)
	}
	if len(wanted) > 0 {
		if err := stream.Subscribe(ctx, map[Channel][]string{ChannelNews: wanted}); err != nil {
			return nil, errors.Join(a.failure("subscribing to news", err), stream.Close())
		}
	}
	return &newsStream{stream: stream, now: a.now}, nil
}

type newsStream struct {
	stream *MarketStream
	now    func() time.Time
}

// Next waits for an article, or a gap.
func (s *newsStream) Next(ctx context.Context) (market.NewsUpdate, error) {
	for {
		u, err := s.stream.Next(ctx)
		switch {
		case err != nil:
			return market.NewsUpdate{}, err
		case u.News != nil:
			story := storyOf(u.News)
			return market.NewsUpdate{Story: &story}, nil
		case u.Gap != nil:
			return market.NewsUpdate{Gap: &market.StreamGap{From: u.Gap.Since, To: s.now()}}, nil
		}
	}
}

// Close ends the stream.
func (s *newsStream) Close() error { return s.stream.Close() }
