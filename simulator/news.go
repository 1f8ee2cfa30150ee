package simulator

import (
	"context"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// mostNews is how many stories of one's own are kept, and how many a feed shows.
const mostNews = 500

// newsBook has the stories that were published by hand.
type newsBook struct {
	mu      sync.Mutex
	stories []market.Story
	number  int
}

// PublishNews publishes a story at the simulator's time, beside those that the
// market makes up: for trying what watches news. Headline is required; ID, Source
// and Time are set when they are empty.
func (s *Simulator) PublishNews(story market.Story) (market.Story, error) {
	if strings.TrimSpace(story.Headline) == "" || len(story.Headline) > 500 || !utf8.ValidString(story.Headline) {
		return market.Story{}, invalid.Field("headline", story.Headline, "1 to 500 bytes of text")
	}
	if len(story.Summary) > 10_000 || len(story.Symbols) > 100 {
		return market.Story{}, invalid.Field("summary", len(story.Summary), "at most 10,000 bytes, and at most 100 symbols")
	}
	story.Symbols = slices.Clone(story.Symbols)
	for i, x := range story.Symbols {
		parsed, err := market.ParseSymbol(string(x))
		if err != nil {
			return market.Story{}, invalid.Field("symbols", string(x), "symbols such as AAPL")
		}
		story.Symbols[i] = parsed
	}
	s.news.mu.Lock()
	defer s.news.mu.Unlock()
	s.news.number++
	if story.ID == "" {
		story.ID = "published-" + strconv.Itoa(s.news.number)
	}
	if story.Source == "" {
		story.Source = "simulated news"
	}
	if story.Time.IsZero() {
		story.Time = s.clock.Now().UTC()
	}
	s.news.stories = append(s.news.stories, story)
	if n := len(s.news.stories) - mostNews; n > 0 {
		s.news.stories = slices.Delete(s.news.stories, 0, n)
	}
	return story, nil
}

// News returns the stories of the market, when it has any, and those published by
// hand. It implements market.NewsSource.
func (s *Simulator) News(ctx context.Context, req market.NewsRequest) ([]market.Story, error) {
	var out []market.Story
	if source, ok := s.base.(market.NewsSource); ok {
		made, err := source.News(ctx, req)
		if err != nil {
			return nil, err
		}
		out = made
	}
	now := s.clock.Now()
	s.news.mu.Lock()
	for _, story := range s.news.stories {
		about := len(req.Symbols) == 0 || slices.ContainsFunc(story.Symbols, func(x market.Symbol) bool { return slices.Contains(req.Symbols, x) })
		if about && !story.Time.Before(req.From) && !story.Time.After(now) {
			out = append(out, story)
		}
	}
	s.news.mu.Unlock()
	slices.SortStableFunc(out, func(a, b market.Story) int { return a.Time.Compare(b.Time) })
	if req.Limit > 0 && len(out) > req.Limit {
		out = out[len(out)-req.Limit:]
	}
	return out, nil
}

// newsRequest reads what a request asks for: symbols separated by commas, from as
// RFC 3339, limit.
func newsRequest(r *http.Request) (market.NewsRequest, error) {
	q := r.URL.Query()
	out := market.NewsRequest{Limit: mostNews}
	for text := range strings.SplitSeq(q.Get("symbols"), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		symbol, err := market.ParseSymbol(text)
		if err != nil {
			return out, invalid.Field("symbols", text, "symbols separated by commas")
		}
		out.Symbols = append(out.Symbols, symbol)
	}
	if text := q.Get("from"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return out, invalid.Field("from", text, "an instant such as 2026-06-03T14:00:00Z")
		}
		out.From = at
	}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostNews {
			return out, invalid.Fieldf("limit", text, "1 to %d", mostNews)
		}
		out.Limit = n
	}
	return out, nil
}

// getNews serves GET /simulator/news: stories as JSON, oldest first.
func (s *Simulator) getNews(w http.ResponseWriter, r *http.Request) {
	req, err := newsRequest(r)
	if err != nil {
		s.refuseField(w, err)
		return
	}
	stories, err := s.News(r.Context(), req)
	if err != nil {
		s.refuseField(w, err)
		return
	}
	if stories == nil {
		stories = []market.Story{}
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": map[string]any{"items": stories}})
}

// postNews serves POST /simulator/news: a story with headline, and if wanted
// summary, symbols, source, url and id.
func (s *Simulator) postNews(w http.ResponseWriter, r *http.Request) {
	var sent market.Story
	if !s.body(w, r, &sent) {
		return
	}
	story, err := s.PublishNews(sent)
	if err != nil {
		s.refuseField(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, map[string]any{"data": story})
}

type rssFeed struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Description string    `xml:"description"`
	Items       []rssItem `xml:"item"`
}

type rssItem struct {
	Title       string   `xml:"title"`
	Link        string   `xml:"link,omitempty"`
	Description string   `xml:"description,omitempty"`
	GUID        string   `xml:"guid"`
	Date        string   `xml:"pubDate"`
	Categories  []string `xml:"category"`
}

// getNewsFeed serves GET /simulator/news.rss: the stories as an RSS 2.0 feed whose
// categories are the symbols, newest first. It needs no token, as feeds have none.
func (s *Simulator) getNewsFeed(w http.ResponseWriter, r *http.Request) {
	req, err := newsRequest(r)
	if err != nil {
		s.refuseField(w, err)
		return
	}
	stories, err := s.News(r.Context(), req)
	if err != nil {
		s.refuseField(w, err)
		return
	}
	feed := rssFeed{Version: "2.0", Channel: rssChannel{Title: "simulated news", Link: "https://github.com/ttai-go/ttai", Description: "Made up. Nothing in it has happened."}}
	for _, story := range slices.Backward(stories) {
		item := rssItem{Title: story.Headline, Link: story.URL, Description: story.Summary, GUID: story.ID, Date: story.Time.Format(time.RFC1123Z)}
		for _, x := range story.Symbols {
			item.Categories = append(item.Categories, strings.ReplaceAll(string(x), "/", "."))
		}
		feed.Channel.Items = append(feed.Channel.Items, item)
	}
	data, err := xml.MarshalIndent(feed, "", " ")
	if err != nil {
		http.Error(w, "the simulator could not encode its answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/rss+xml; charset=UTF-8")
	_, _ = w.Write(append([]byte(xml.Header), data...)) // the reader has gone
}
