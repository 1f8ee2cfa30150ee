package alpacatest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// PublishNews publishes an article at the fake's time: it is in the answers about news
// from then on, and is sent to those who subscribed to one of its symbols, or to all.
func (s *Server) PublishNews(headline string, symbols ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	article := map[string]any{
		"id": s.serial, "headline": headline, "author": "alpacatest", "created_at": stamp(s.now), "updated_at": stamp(s.now), "summary": "", "content": "",
		"url": fmt.Sprintf("https://example.com/news/%d", s.serial), "images": []any{}, "symbols": append([]string{}, symbols...), "source": "alpacatest",
	}
	s.news = slices.Insert(s.news, 0, article)
	sent := maps.Clone(article)
	sent["T"] = "n"
	for each := range s.streams {
		wanted := each.channels["news"]
		if wanted["*"] || slices.ContainsFunc(symbols, func(one string) bool { return wanted[one] }) {
			each.tell([]any{sent})
		}
	}
}

// articles are those about one of the symbols (none named: all), from a time on.
func (s *Server) articles(symbols string, start time.Time) []any {
	out := []any{}
	for _, article := range s.news {
		about, _ := article["symbols"].([]string)
		created, _ := article["created_at"].(string)
		if !start.IsZero() && parseTime(created).Before(start) {
			continue
		}
		if symbols == "" || slices.ContainsFunc(strings.Split(symbols, ","), func(one string) bool { return slices.Contains(about, one) }) {
			out = append(out, article)
		}
	}
	return out
}
