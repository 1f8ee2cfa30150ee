package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/storage"
)

const alpacaNews = `{"jobs": {"news": [{"kind": "alpaca"}], "alerts": [{"kind": "news", "symbols": ["AAPL"], "keywords": ["platypus"]}], "defaults": false}}`

// Alpaca's articles come by its stream, with the key that lies in the vault.
func TestAlpacasNewsReachThePerson(t *testing.T) {
	t.Parallel()
	fake, err := alpacatest.New(&alpacatest.Options{Start: synthetic.DefaultStart()})
	require.NoError(t, err)
	defer fake.Close()
	h := newHome(t, alpacaNews)
	std := h.io(&h.out, &h.err)
	sources, err := std.Environment.Sources()
	require.NoError(t, err)
	store, err := app.StoreFlags{}.OpenStore("", sources, std)
	require.NoError(t, err)
	require.NoError(t, store.SaveGrant(t.Context(), storage.Local, app.Alpaca, app.Grant{ID: alpacatest.KeyID, Secret: alpacatest.Secret}))
	require.NoError(t, store.Close())

	cli := flags{Health: "off", Takeover: time.Second, Config: app.Config{Seed: 1, Clock: "day"}, Alpaca: alpaca.ClientOptions{DataURL: fake.URL(), StreamURL: fake.StreamURL()}}
	house, err := open(t.Context(), cli, sources, std, time.Now())
	require.NoError(t, err)
	defer house.close()
	found, err := house.newsSources()
	require.NoError(t, err)
	_, streams := found[len(found)-1].(market.NewsStreamer)
	require.True(t, streams)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- house.serve(ctx) }()
	h.until("it subscribed to what the rules want", func() bool { return len(fake.Subscribed("news")) > 0 })
	fake.Advance(time.Minute) // later than the rule
	fake.PublishNews("A walrus buys the exchange", "AAPL")
	fake.PublishNews("A platypus buys another exchange", "KO")
	fake.PublishNews("A platypus buys the exchange", "AAPL")
	h.until("the story is told", func() bool { return strings.Contains(h.out.String(), "platypus buys the exchange") })
	assert.NotContains(t, h.out.String(), "walrus")
	assert.NotContains(t, h.out.String(), "another exchange")
	stop()
	require.NoError(t, <-ended)
	assert.NotContains(t, h.err.String()+h.out.String(), alpacatest.Secret)
}

func TestNewsSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for config, says := range map[string]string{
		`[{"kind": "alpaca"}]`: "ttai login --alpaca",
		`[{"kind": "alpaca", "url": "https://example.com/news"}]`: "Alpaca's own hosts",
		`[{"kind": "pigeon"}]`:                                "feed or alpaca",
		`[{"kind": "feed", "url": "ftp://example.com/feed"}]`: "news[0]",
		`[{"kind": "alpaca"}, {"kind": "alpaca"}]`:            "alpaca once",
	} {
		code, _, errs := newHome(t, `{"jobs": {"news": `+config+`}}`).run("--list")
		assert.Equal(t, app.ExitUsage, code, config)
		assert.Contains(t, errs, says, config)
	}
	h := newHome(t, alpacaNews)
	h.env["TTAI_ALPACA_KEY_ID"], h.env["TTAI_ALPACA_SECRET"] = "id", "a-secret"
	code, out, errs := h.run("--list")
	assert.Zero(t, code, errs)
	assert.NotContains(t, out+errs, "a-secret")
}
