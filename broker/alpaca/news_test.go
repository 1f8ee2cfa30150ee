package alpaca_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/market"
)

// article has the fields of Alpaca's documented example of a news article.
const article = `{"id":24843171,"headline":"Apple Leader in Phone Sales","author":"Charles Gross","created_at":"2021-12-31T11:08:42Z","updated_at":"2021-12-31T11:08:43Z",
	"summary":"says a consultancy","content":"","url":"https://www.benzinga.com/news/21/12/24843171/x","images":[],"symbols":["AAPL","BRK.B","BTCUSD"],"source":"benzinga"}`

var articleStory = market.Story{
	ID: "24843171", Source: "benzinga", Time: time.Date(2021, 12, 31, 11, 8, 42, 0, time.UTC), Headline: "Apple Leader in Phone Sales",
	Summary: "says a consultancy", URL: "https://www.benzinga.com/news/21/12/24843171/x", Symbols: []market.Symbol{"AAPL", "BRK/B", "BTC/USD"},
}

func TestArticlesBecomeStories(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("symbols")+" "+r.URL.Query().Get("start"))
		older := strings.ReplaceAll(strings.ReplaceAll(article, "24843171", "1"), "2021-12-31T11:08:42Z", "2021-12-30T11:08:42Z")
		page := `{"news":[` + article + `],"next_page_token":"n"}`
		if r.URL.Query().Get("page_token") == "n" {
			page = `{"news":[` + older + `],"next_page_token":null}`
		}
		_, _ = io.WriteString(w, page)
	}))
	defer server.Close()
	a, err := alpaca.New(&alpaca.Options{Client: alpaca.ClientOptions{Credentials: alpaca.Static(creds), DataURL: server.URL}})
	require.NoError(t, err)
	defer a.Close()
	from := time.Date(2021, 12, 1, 0, 0, 0, 0, time.UTC)
	got, err := a.News(t.Context(), market.NewsRequest{Symbols: []market.Symbol{"BRK/B", "BTC/USD", "/ESZ6"}, From: from})
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "1", got[0].ID, "ascending in time")
	assert.Equal(t, articleStory, got[1])
	assert.Equal(t, "BRK.B,BTCUSD 2021-12-01T00:00:00Z", asked[0])
	require.Len(t, asked, 2)

	got, err = a.News(t.Context(), market.NewsRequest{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []market.Story{articleStory}, got, "the newest")
	got, err = a.News(t.Context(), market.NewsRequest{Symbols: []market.Symbol{"/ESZ6"}})
	require.NoError(t, err)
	require.Empty(t, got)
	require.Len(t, asked, 3, "there are no articles on futures to ask for")
}

func TestArticlesAreStreamed(t *testing.T) {
	subscribed := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		write := func(text string) { _ = conn.Write(r.Context(), websocket.MessageText, []byte(text)) }
		write(`[{"T":"success","msg":"connected"}]`)
		if _, _, err := conn.Read(r.Context()); err != nil {
			return
		}
		write(`[{"T":"success","msg":"authenticated"}]`)
		_, data, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		subscribed <- r.URL.Path + " " + string(data)
		write(`[{"T":"subscription","news":["AAPL"]}]`)
		write(`[{"T":"n",` + article[1:] + `]`)
		_, _, _ = conn.Read(r.Context())
	}))
	defer server.Close()
	a, err := alpaca.New(&alpaca.Options{Client: alpaca.ClientOptions{Credentials: alpaca.Static(creds), StreamURL: "ws" + strings.TrimPrefix(server.URL, "http")}})
	require.NoError(t, err)
	defer a.Close()
	stream, err := a.StreamNews(within(t), "AAPL")
	require.NoError(t, err)
	defer stream.Close()
	asked := <-subscribed
	assert.Contains(t, asked, "/v1beta1/news ")
	assert.Contains(t, asked, `"news":["AAPL"]`)
	u, err := stream.Next(within(t))
	require.NoError(t, err)
	require.NotNil(t, u.Story)
	assert.Equal(t, articleStory, *u.Story)
}
