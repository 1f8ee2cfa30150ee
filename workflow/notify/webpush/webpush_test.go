package webpush_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/vault"
	"github.com/ttai-go/ttai/workflow/notify"
	"github.com/ttai-go/ttai/workflow/notify/notifytest"
	"github.com/ttai-go/ttai/workflow/notify/webpush"
)

func sender(t *testing.T) (*webpush.Sender, *notifytest.Push) {
	t.Helper()
	keys, err := webpush.NewKeys()
	require.NoError(t, err)
	s, err := webpush.New(webpush.Options{Keys: keys, Subject: "ops@example.com"})
	require.NoError(t, err)
	return s, notifytest.NewPush(t, keys.Public)
}

func delivery(p *notifytest.Push, m notify.Message) notify.Delivery {
	return notify.Delivery{Key: "k", Channel: notify.Channel{ID: "browser", User: "ann", Kind: notify.WebPush}, Secret: p.Secret(), Message: m}
}

func TestTheBrowserGetsWhatWasSentAndKnowsWhoSentIt(t *testing.T) {
	s, p := sender(t)
	at := time.Date(2026, 3, 3, 15, 4, 5, 0, time.UTC)
	d := delivery(p, notify.Message{
		Title: "SPY above 500", Text: "It crossed.", Facts: []notify.Fact{{Name: "Price", Value: "500.05"}}, Link: "https://example.com/", Urgency: notify.Urgent, Time: at,
	})
	require.NoError(t, s.Check(d.Channel, d.Secret))
	require.NoError(t, s.Send(t.Context(), d))
	require.NoError(t, s.Send(t.Context(), d))
	require.Empty(t, p.Problems())
	got := p.Messages()
	require.Len(t, got, 2)
	var payload webpush.Payload
	require.NoError(t, json.Unmarshal(got[0].Payload, &payload))
	assert.Equal(t, webpush.Payload{
		Title: "SPY above 500", Body: "It crossed.\nPrice: 500.05", URL: "https://example.com/", Tag: got[0].Topic, Urgency: "urgent", Time: at,
	}, payload)
	assert.Equal(t, "high", got[0].Urgency)
	assert.Equal(t, "86400", got[0].TTL)
	assert.Equal(t, "mailto:ops@example.com", got[0].Subject)
	assert.Equal(t, got[0].Topic, got[1].Topic, "a message that waits is replaced by its repetition")
	assert.NotEmpty(t, got[0].Topic)
}

func TestLongMessagesFitIntoOneRecord(t *testing.T) {
	s, p := sender(t)
	for _, unit := range []string{"x", "é", "🧑🏽‍💻", `"\`, "\n", "<"} {
		long := strings.Repeat(unit, 10000)
		require.NoError(t, s.Send(t.Context(), delivery(p, notify.Message{Title: "t" + long, Text: long, Link: "https://example.com/" + long})), unit)
	}
	assert.Empty(t, p.Problems())
	assert.Len(t, p.Messages(), 6)
}

func TestFaultsOfThePushServiceAreTold(t *testing.T) {
	for name, row := range map[string]struct {
		fault notifytest.Fault
		want  notify.SendError
	}{
		"429":  {notifytest.Fault{Status: 429, RetryAfter: 5 * time.Second}, notify.SendError{Status: 429, Limited: true, After: 5 * time.Second}},
		"503":  {notifytest.Fault{Status: 503}, notify.SendError{Status: 503, Uncertain: true}},
		"410":  {notifytest.Fault{Status: 410}, notify.SendError{Status: 410, Gone: true, Permanent: true}},
		"413":  {notifytest.Fault{Status: 413}, notify.SendError{Status: 413, Permanent: true}},
		"lost": {notifytest.Fault{Lost: true}, notify.SendError{Uncertain: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := sender(t)
			p.Fail(row.fault)
			err, ok := s.Send(t.Context(), delivery(p, notify.Message{Title: "x"})).(*notify.SendError)
			require.True(t, ok)
			assert.NotContains(t, err.Error(), "DEF-ghi")
			err.Text = ""
			assert.Equal(t, row.want, *err)
			assert.Equal(t, 1, p.Requests())
		})
	}
}

func TestABrowserThatSubscribedWithAnotherKeyRefuses(t *testing.T) {
	s, _ := sender(t)
	_, other := sender(t)
	err, ok := s.Send(t.Context(), delivery(other, notify.Message{Title: "x"})).(*notify.SendError)
	require.True(t, ok)
	assert.Equal(t, 403, err.Status)
	assert.Empty(t, other.Messages())
}

func TestBadKeysAndSubscriptionsAreRefused(t *testing.T) {
	keys, err := webpush.NewKeys()
	require.NoError(t, err)
	others, err := webpush.NewKeys()
	require.NoError(t, err)
	for name, o := range map[string]webpush.Options{
		"Keys.Public":  {Subject: "a@b.de"},
		"Keys.Private": {Keys: webpush.Keys{Public: keys.Public, Private: others.Private}, Subject: "a@b.de"},
		"Subject":      {Keys: keys},
		"TTL":          {Keys: keys, Subject: "a@b.de", TTL: -1},
	} {
		_, err := webpush.New(o)
		require.ErrorContains(t, err, name)
	}
	_, err = webpush.New(webpush.Options{Keys: webpush.Keys{Public: keys.Public, Private: vault.SecretString("secret!")}, Subject: "a@b.de"})
	assert.NotContains(t, err.Error(), "secret!")
	s, p := sender(t)
	good := string(p.Secret())
	for name, secret := range map[string]string{
		"no JSON": "x", "plain http": strings.Replace(good, "http://127.0.0.1", "http://push.example.com", 1), "no key": `{"endpoint":"https://a.b/c"}`,
		"auth": strings.Replace(good, `"auth":"`, `"auth":"x`, 1), "point": strings.Replace(good, `"p256dh":"B`, `"p256dh":"C`, 1),
	} {
		err := s.Check(notify.Channel{}, []byte(secret))
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "a.b")
	}
}

func TestKeysLieInTheVaultAndAreMadeOnce(t *testing.T) {
	store, err := memory.New(nil)
	require.NoError(t, err)
	defer store.Close()
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	master, err := vault.NewLocalKeys(vault.NewMasterKeys())
	require.NoError(t, err)
	v, err := vault.Open(tenant, master, nil)
	require.NoError(t, err)
	defer v.Close()
	lazy, err := webpush.FromVault(v, webpush.Options{Subject: "https://example.com"})
	require.NoError(t, err)
	other := notifytest.NewPush(t, "nobody's")
	early, ok := lazy.Send(t.Context(), delivery(other, notify.Message{Title: "x"})).(*notify.SendError)
	require.True(t, ok)
	assert.True(t, early.Permanent)
	assert.Contains(t, early.Text, "no VAPID keys")

	first, err := webpush.VaultKeys(t.Context(), v)
	require.NoError(t, err)
	second, err := webpush.VaultKeys(t.Context(), v)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	p := notifytest.NewPush(t, first)
	require.NoError(t, lazy.Check(notify.Channel{}, p.Secret()))
	require.NoError(t, lazy.Send(t.Context(), delivery(p, notify.Message{Title: "x"})))
	assert.Len(t, p.Messages(), 1)
	assert.Equal(t, "https://example.com", p.Messages()[0].Subject)
	_, err = webpush.FromVault(v, webpush.Options{})
	assert.ErrorContains(t, err, "Subject")
	_, err = webpush.FromVault(nil, webpush.Options{Subject: "a@b.de"})
	assert.ErrorContains(t, err, "vault")
}
