// Package rss reads news from RSS, Atom and JSON feeds, as a [market.NewsSource].
//
// A feed is asked for with the ETag and date of the last answer, so that one that
// did not change costs nothing. What it says is data from strangers: titles and
// summaries become plain text, an answer has a greatest size, and addresses other
// than http and https are left out.
package rss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mmcdole/gofeed"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A FieldError says which option was refused and what is allowed.
type FieldError = invalid.FieldError

// Options are the settings of a Source; zero values are the defaults.
type Options struct {
	// Name stands in stories as their source; empty means the feed's title.
	Name string
	// Symbols are what every story of the feed is about: of a feed of one company.
	Symbols []market.Symbol
	// Known are symbols that count as named when they stand in a title as a word of
	// at least three capitals. Without it, and for shorter ones, only "$AAPL" and
	// "(NASDAQ: AAPL)" count.
	Known []market.Symbol
	// Categories takes the feed's categories as symbols, where they can be ones.
	Categories bool
	HTTPClient *http.Client // nil: one with a deadline of 20 s
	MaxBytes   int64        // of an answer; 0 means 4 MB
	UserAgent  string       // empty means "ttai/1.0"
}

// A Source is one feed. It is safe for concurrent use.
type Source struct {
	address string
	opts    Options
	client  *http.Client

	mu           sync.Mutex
	etag         string
	lastModified string
	stories      []market.Story // of the last answer
}

// New returns the source of a feed. It does no I/O. Opts may be nil.
func New(address string, opts *Options) (*Source, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, invalid.Field("address", redacted(u), "an http or https address")
	}
	s := &Source{address: address}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.MaxBytes < 0 {
		return nil, invalid.Field("MaxBytes", s.opts.MaxBytes, "0 for 4 MB, or more")
	}
	if s.opts.MaxBytes == 0 {
		s.opts.MaxBytes = 4 << 20
	}
	if s.opts.UserAgent == "" {
		s.opts.UserAgent = "ttai/1.0"
	}
	for _, list := range []*[]market.Symbol{&s.opts.Symbols, &s.opts.Known} {
		parsed := make([]market.Symbol, len(*list))
		for i, x := range *list {
			if parsed[i], err = market.ParseSymbol(string(x)); err != nil {
				return nil, invalid.Field("Symbols", string(x), "symbols such as AAPL")
			}
		}
		*list = parsed
	}
	s.client = s.opts.HTTPClient
	if s.client == nil {
		s.client = &http.Client{Timeout: 20 * time.Second}
	}
	return s, nil
}

// redacted is an address without what may be secret in it.
func redacted(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// News implements [market.NewsSource] with what the feed holds now.
func (s *Source) News(ctx context.Context, req market.NewsRequest) ([]market.Story, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fetch(ctx); err != nil {
		return nil, err
	}
	var out []market.Story
	for _, story := range s.stories {
		if story.Time.Before(req.From) || len(req.Symbols) > 0 && !slices.ContainsFunc(story.Symbols, func(x market.Symbol) bool { return slices.Contains(req.Symbols, x) }) {
			continue
		}
		story.Symbols = slices.Clone(story.Symbols)
		out = append(out, story)
	}
	if req.Limit > 0 && len(out) > req.Limit {
		out = out[len(out)-req.Limit:]
	}
	return out, nil
}

// fetch reads the feed anew unless it is as it was.
func (s *Source) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address, nil)
	if err != nil {
		return errors.New("rss: the feed's address cannot be asked")
	}
	req.Header.Set("User-Agent", s.opts.UserAgent)
	req.Header.Set("Accept", "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5")
	if s.etag != "" {
		req.Header.Set("If-None-Match", s.etag)
	}
	if s.lastModified != "" {
		req.Header.Set("If-Modified-Since", s.lastModified)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err // its text has the whole address
		}
		return fmt.Errorf("rss: %s: %w", req.URL.Host, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified:
		return nil
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("rss: %s answered %s", req.URL.Host, resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, s.opts.MaxBytes+1))
	if err != nil {
		return fmt.Errorf("rss: %s: %w", req.URL.Host, err)
	}
	if int64(len(data)) > s.opts.MaxBytes {
		return fmt.Errorf("rss: %s sent more than %d bytes", req.URL.Host, s.opts.MaxBytes)
	}
	stories, err := parse(data, &s.opts)
	if err != nil {
		return fmt.Errorf("rss: %s: %w", req.URL.Host, err)
	}
	s.stories, s.etag, s.lastModified = stories, resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	return nil
}

// parse reads a feed's stories, oldest first.
func parse(data []byte, opts *Options) (out []market.Story, err error) {
	defer func() {
		if r := recover(); r != nil { // a feed is no reason to die, whatever its parser makes of it
			out, err = nil, errors.New("the feed cannot be read")
		}
	}()
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the feed cannot be read: %w", err)
	}
	name := opts.Name
	if name == "" {
		name = plain(feed.Title, 100)
	}
	for _, item := range feed.Items {
		if item == nil {
			continue
		}
		story := market.Story{ID: item.GUID, Source: name, Headline: plain(item.Title, 500), Summary: plain(item.Description, 2000), URL: webAddress(item.Link)}
		switch {
		case item.PublishedParsed != nil:
			story.Time = item.PublishedParsed.UTC()
		case item.UpdatedParsed != nil:
			story.Time = item.UpdatedParsed.UTC()
		default:
			continue // whether it is new cannot be told
		}
		if story.ID == "" {
			story.ID = story.URL
		}
		if story.ID == "" {
			story.ID = story.Headline
		}
		if story.Headline == "" || len(story.ID) > 2000 {
			continue
		}
		story.Symbols = symbols(&story, item.Categories, opts)
		out = append(out, story)
	}
	slices.SortStableFunc(out, func(a, b market.Story) int { return a.Time.Compare(b.Time) })
	return out, nil
}

var (
	cashtag = regexp.MustCompile(`\$([A-Z]{1,5}(?:[./][A-Z])?)\b`)
	listing = regexp.MustCompile(`(?i:\((?:NASDAQ|NYSE|NYSE American|NYSE Arca|AMEX|CBOE|OTC)[A-Z]*):\s*([A-Z]{1,5}(?:[./][A-Z])?)\)`)
	capital = regexp.MustCompile(`\b[A-Z]{3,5}\b`)
	ticker  = regexp.MustCompile(`^[A-Z]{1,5}(?:[./][A-Z])?$`)
	tags    = regexp.MustCompile(`(?s)<(?:script|style)\b.*?</(?:script|style)\s*>|<[^>]*>`)
)

// symbols finds what a story is about.
func symbols(s *market.Story, categories []string, opts *Options) []market.Symbol {
	var out []market.Symbol
	add := func(text string) {
		if x, err := market.ParseSymbol(strings.ReplaceAll(text, ".", "/")); err == nil && !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	for _, x := range opts.Symbols {
		add(string(x))
	}
	for _, text := range []string{s.Headline, s.Summary} {
		for _, re := range []*regexp.Regexp{cashtag, listing} {
			for _, m := range re.FindAllStringSubmatch(text, -1) {
				add(m[1])
			}
		}
	}
	for _, word := range capital.FindAllString(s.Headline, -1) {
		if slices.Contains(opts.Known, market.Symbol(word)) {
			add(word)
		}
	}
	if opts.Categories {
		for _, c := range categories {
			if c = strings.TrimSpace(c); ticker.MatchString(c) {
				add(c)
			}
		}
	}
	return out
}

// plain makes text of what may be HTML: one line of at most n bytes.
func plain(s string, n int) string {
	s = html.UnescapeString(tags.ReplaceAllString(s, " "))
	s = html.UnescapeString(tags.ReplaceAllString(s, " ")) // feeds escape their markup once more
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(c rune) bool { return c <= ' ' || c == 0x7f || c >= 0x80 && c <= 0xa0 }), " ")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n-3], "") + "…"
	}
	return s
}

// webAddress is an address that a person can open, and empty for any other.
func webAddress(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(s) > 2000 {
		return ""
	}
	return u.String()
}
