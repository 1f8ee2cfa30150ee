package rss_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow/monitor/rss"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{Own: []string{"market", "internal/invalid"}, Modules: []string{"github.com/mmcdole/gofeed"}})
}

const rss2 = `<?xml version="1.0"?><rss version="2.0"><channel><title>Wire &amp; Co</title>
<item><title>Second: Acme (NASDAQ: ACME) beats</title><link>https://x.test/2</link><guid>g2</guid><pubDate>Wed, 03 Jun 2026 10:05:00 -0400</pubDate>
<description>&lt;p&gt;Shares of $BRK.B &lt;b&gt;rose&lt;/b&gt;.&lt;script&gt;alert(1)&lt;/script&gt;&lt;/p&gt;</description><category>TECH</category></item>
<item><title>First: TSLA and the FED</title><link>javascript:alert(1)</link><guid>g1</guid><pubDate>Wed, 03 Jun 2026 14:00:00 GMT</pubDate></item>
<item><title>Without a date</title><guid>g0</guid></item>
</channel></rss>`

const atom = `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Atom wire</title>
<entry><id>urn:1</id><title type="html">Plain &lt;i&gt;text&lt;/i&gt;</title><link href="https://x.test/a"/><updated>2026-06-03T14:00:00Z</updated><summary>s</summary></entry></feed>`

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
}

func open(t *testing.T, address string, opts *rss.Options) *rss.Source {
	t.Helper()
	s, err := rss.New(address, opts)
	require.NoError(t, err)
	return s
}

func TestStoriesOfAnRSSFeed(t *testing.T) {
	s := open(t, serve(t, text(rss2)), &rss.Options{Known: []market.Symbol{"TSLA"}})
	got, err := s.News(t.Context(), market.NewsRequest{})
	require.NoError(t, err)
	require.Equal(t, []market.Story{
		{ID: "g1", Source: "Wire & Co", Time: time.Date(2026, 6, 3, 14, 0, 0, 0, time.UTC), Headline: "First: TSLA and the FED", Symbols: []market.Symbol{"TSLA"}},
		{ID: "g2", Source: "Wire & Co", Time: time.Date(2026, 6, 3, 14, 5, 0, 0, time.UTC), Headline: "Second: Acme (NASDAQ: ACME) beats", Summary: "Shares of $BRK.B rose .", URL: "https://x.test/2", Symbols: []market.Symbol{"ACME", "BRK/B"}},
	}, got, "oldest first, markup and scripts gone, and what has no date left out")

	got, err = s.News(t.Context(), market.NewsRequest{Symbols: []market.Symbol{"ACME"}})
	require.NoError(t, err)
	require.Len(t, got, 1)
	got, err = s.News(t.Context(), market.NewsRequest{From: time.Date(2026, 6, 3, 14, 1, 0, 0, time.UTC)})
	require.NoError(t, err)
	require.Len(t, got, 1)
	got, err = s.News(t.Context(), market.NewsRequest{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "g2", got[0].ID, "the newest")

	s = open(t, serve(t, text(rss2)), &rss.Options{Name: "mine", Symbols: []market.Symbol{"spy"}, Categories: true})
	got, err = s.News(t.Context(), market.NewsRequest{Symbols: []market.Symbol{"SPY"}})
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "mine", got[0].Source)
	assert.Equal(t, []market.Symbol{"SPY", "ACME", "BRK/B", "TECH"}, got[1].Symbols)
}

func TestStoriesOfAnAtomFeed(t *testing.T) {
	got, err := open(t, serve(t, text(atom)), nil).News(t.Context(), market.NewsRequest{})
	require.NoError(t, err)
	require.Equal(t, []market.Story{{ID: "urn:1", Source: "Atom wire", Time: time.Date(2026, 6, 3, 14, 0, 0, 0, time.UTC), Headline: "Plain text", Summary: "s", URL: "https://x.test/a"}}, got)
}

func TestAnUnchangedFeedIsNotSentAgain(t *testing.T) {
	full := 0
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"v1"` && r.Header.Get("If-Modified-Since") == "Wed, 03 Jun 2026 14:00:00 GMT" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		full++
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Wed, 03 Jun 2026 14:00:00 GMT")
		fmt.Fprint(w, rss2)
	})
	s := open(t, address, nil)
	for range 3 {
		got, err := s.News(t.Context(), market.NewsRequest{})
		require.NoError(t, err)
		require.Len(t, got, 2)
	}
	require.Equal(t, 1, full)
}

func TestWhatAFeedDoesWrongIsAnError(t *testing.T) {
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"no feed":    {text("<html>not a feed</html>"), "cannot be read"},
		"not found":  {http.NotFound, "404"},
		"too large":  {text(rss2 + strings.Repeat(" ", 3000)), "more than 2000 bytes"},
		"no address": {nil, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			address := "http://127.0.0.1:1/feed?token=secret"
			if tt.handler != nil {
				address = serve(t, tt.handler) + "/feed?token=secret"
			}
			_, err := open(t, address, &rss.Options{MaxBytes: 2000}).News(t.Context(), market.NewsRequest{})
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := open(t, serve(t, text(rss2)), nil).News(ctx, market.NewsRequest{})
	require.ErrorIs(t, err, context.Canceled)
	for _, address := range []string{"", "ftp://x.test", "https://", "file:///etc/passwd"} {
		_, err := rss.New(address, nil)
		var fe *rss.FieldError
		require.ErrorAs(t, err, &fe, address)
	}
}

func FuzzFeed(f *testing.F) {
	f.Add(rss2)
	f.Add(atom)
	f.Add(`{"version":"https://jsonfeed.org/version/1","title":"t","items":[{"id":"1","title":"x","date_published":"2026-06-03T14:00:00Z"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		client := &http.Client{Transport: answer(body)}
		s, err := rss.New("https://x.test/", &rss.Options{HTTPClient: client, Categories: true})
		require.NoError(t, err)
		stories, err := s.News(t.Context(), market.NewsRequest{})
		if err != nil {
			return
		}
		for i, story := range stories {
			require.NotEmpty(t, story.ID)
			require.NotEmpty(t, story.Headline)
			require.False(t, story.Time.IsZero())
			require.NotContains(t, story.Headline+story.Summary, "\n")
			require.True(t, story.URL == "" || strings.HasPrefix(story.URL, "http"))
			require.True(t, i == 0 || !story.Time.Before(stories[i-1].Time))
		}
	})
}

type answer string

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	fmt.Fprint(w, string(a))
	return w.Result(), nil
}
