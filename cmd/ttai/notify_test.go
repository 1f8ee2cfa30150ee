package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow/notify"
	"github.com/ttai-go/ttai/workflow/notify/notifytest"
)

// runWith runs one command line with something on standard input.
func (k *keeper) runWith(t *testing.T, input string, args ...string) (out, problems string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, app.IO{
		In: strings.NewReader(input), Out: &stdout, Err: &stderr,
		Environment: app.Environment{
			Getenv:    func(name string) string { return k.variables[name] },
			ConfigDir: filepath.Join(k.dir, "config"), DataDir: filepath.Join(k.dir, "data"),
		},
	})
	return stdout.String(), stderr.String(), code
}

func TestNotifyChannelsAreAddedTestedListedAndRemoved(t *testing.T) {
	k := newKeeper(t)
	discord, hook := notifytest.NewDiscord(t), notifytest.NewWebhook(t, nil)
	out, problems, code := k.runWith(t, string(discord.Secret())+"\n", "notify", "add", "team", "--kind", "discord", "--least", "high", "--digest", "12:00,18:00", "--limit", "10/1h")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "ttai notify test team")
	out, problems, code = k.run(t, "notify", "test", "team")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "sent to team")
	require.Len(t, discord.Messages(), 1)
	assert.Equal(t, "ttai: a test", discord.Messages()[0].Title)

	var parts struct{ URL, Key string }
	require.NoError(t, json.Unmarshal(hook.Secret(), &parts))
	out, problems, code = k.runWith(t, parts.URL+" "+parts.Key, "notify", "add", "hook", "--kind", "webhook")
	require.Zero(t, code, problems)
	assert.NotContains(t, out, "whsec_", "a key that was given is not shown")
	_, problems, code = k.run(t, "notify", "test", "hook")
	require.Zero(t, code, problems)
	assert.Len(t, hook.Received(), 1)
	out, problems, code = k.runWith(t, parts.URL, "notify", "add", "hook2", "--kind", "webhook")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "whsec_", "one that was made is shown once")
	_, problems, code = k.run(t, "notify", "test", "hook2")
	assert.Equal(t, 1, code, "the receiver verifies with another key")
	assert.Contains(t, problems, "webhook (401)")

	_, problems, code = k.run(t, "notify", "quiet", "22:00-07:00", "sat,sun@00:00-00:00", "--zone", "Europe/Berlin")
	require.Zero(t, code, problems)
	out, problems, code = k.run(t, "notify", "list")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "team   discord  from high on; together at 12:00, 18:00; at most 10 in 1h0m0s")
	assert.Contains(t, out, "quiet from 22:00 to 07:00 Europe/Berlin")
	assert.Contains(t, out, "quiet from 00:00 to 00:00 Europe/Berlin on Sat, Sun")

	out, problems, code = k.run(t, "notify", "list", "--json")
	require.Zero(t, code, problems)
	var listed struct{ Channels []notify.Channel }
	require.NoError(t, json.Unmarshal([]byte(out), &listed))
	assert.Len(t, listed.Channels, 3)
	for _, secret := range []string{"c2VjcmV0", parts.Key, "whsec_"} {
		assert.NotContains(t, out, secret)
	}
	file, err := os.ReadFile(k.file())
	require.NoError(t, err)
	wal, _ := os.ReadFile(k.file() + "-wal") // there need not be one
	assert.NotContains(t, string(file)+string(wal), "c2VjcmV0", "the secret is encrypted")

	_, problems, code = k.run(t, "notify", "add", "team", "--kind", "discord", "--keep")
	require.Zero(t, code, problems)
	_, problems, code = k.run(t, "notify", "test", "team")
	require.Zero(t, code, problems)
	_, problems, code = k.run(t, "notify", "remove", "team")
	require.Zero(t, code, problems)
	for _, again := range []string{"remove", "test"} {
		_, problems, code = k.run(t, "notify", again, "team")
		assert.Equal(t, 2, code)
		assert.Contains(t, problems, "there is no such channel")
	}
	_, problems, code = k.run(t, "notify", "quiet", "off")
	require.Zero(t, code, problems)
}

func TestNotifyRefusesWhatCannotWork(t *testing.T) {
	k := newKeeper(t)
	for name, row := range map[string]struct {
		input string
		args  []string
		want  string
	}{
		"kind":      {"x", []string{"add", "a", "--kind", "pigeon"}, "kind"},
		"id":        {"x", []string{"add", "A B", "--kind", "slack"}, "id"},
		"no secret": {"", []string{"add", "a", "--kind", "slack"}, "on standard input"},
		"secret":    {"https://evil.example/services/x", []string{"add", "a", "--kind", "slack"}, "secret"},
		"limit":     {"x", []string{"add", "a", "--kind", "slack", "--limit", "many"}, "limit"},
		"chat":      {"x", []string{"add", "a", "--kind", "telegram"}, "settings.chat"},
		"quiet":     {"", []string{"quiet", "at night"}, "hours"},
		"day":       {"", []string{"quiet", "someday@22:00-07:00"}, "hours"},
		"zone":      {"", []string{"quiet", "22:00-07:00", "--zone", "Mars"}, "zone"},
		"dead":      {"", []string{"dead", "nothere"}, "not all of these"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems, code := k.runWith(t, row.input, append([]string{"notify"}, row.args...)...)
			assert.Equal(t, 2, code)
			assert.Contains(t, problems, row.want)
			assert.NotContains(t, problems, "evil.example")
		})
	}
}

func TestNotifyShowsReplaysAndForgetsWhatCouldNotBeSent(t *testing.T) {
	k := newKeeper(t)
	_, problems, code := k.run(t, "notify", "list") // makes the store
	require.Zero(t, code, problems)
	fail := func() {
		store, err := sqlite.Open(t.Context(), k.file(), nil)
		require.NoError(t, err)
		defer store.Close()
		tenant, err := store.For(storage.Local)
		require.NoError(t, err)
		q, err := notify.Queue(tenant)
		require.NoError(t, err)
		_, err = q.Send(t.Context(), storage.NewMessage{Body: []byte(`{"id":"x","channel":"local/team","note":{"user":"local","title":"SPY above 500","time":"2026-03-03T15:00:00Z"}}`)})
		require.NoError(t, err)
		for range 3 {
			var got []storage.Message
			for len(got) == 0 {
				got, err = q.Receive(t.Context(), 1, 3*1e9)
				require.NoError(t, err)
			}
			require.NoError(t, q.Retry(t.Context(), got[0], "down"))
		}
	}
	fail()
	out, problems, code := k.run(t, "notify", "dead")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "SPY above 500")
	assert.Contains(t, out, "down")
	out, _, _ = k.run(t, "notify", "list")
	assert.Contains(t, out, "1 could not be sent")
	out, problems, code = k.run(t, "notify", "dead", "--replay")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "1 sent again")
	out, _, _ = k.run(t, "notify", "dead")
	assert.Equal(t, "none\n", out)
}

func TestNotifyKeyIsMadeOnceAndABrowserCanSubscribeWithIt(t *testing.T) {
	k := newKeeper(t)
	first, problems, code := k.run(t, "notify", "key")
	require.Zero(t, code, problems)
	second, _, _ := k.run(t, "notify", "key")
	assert.Equal(t, first, second)
	push := notifytest.NewPush(t, strings.TrimSpace(first))
	_, problems, code = k.runWith(t, string(push.Secret()), "notify", "add", "phone", "--kind", "webpush")
	require.Zero(t, code, problems)
	_, problems, code = k.run(t, "notify", "test", "phone")
	require.Zero(t, code, problems)
	require.Len(t, push.Messages(), 1)
	assert.Contains(t, string(push.Messages()[0].Payload), "This channel works.")
}
