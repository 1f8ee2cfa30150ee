package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow/monitor"
)

// chatFile is the store of the process that adds an alert.
const chatFile = "SCHEDULER_TEST_FILE"

// chat is a process of its own, such as a chat's server: it adds an alert and ends.
func chat() {
	err := func() error {
		ctx := context.Background()
		store, err := sqlite.Open(ctx, os.Getenv(chatFile), nil)
		if err != nil {
			return err
		}
		defer store.Close()
		tenant, err := store.For(storage.Local)
		if err != nil {
			return err
		}
		rules, err := monitor.OpenRules(tenant)
		if err != nil {
			return err
		}
		rule, err := monitor.ParseRule([]byte(`{"name": "said in a chat", "kind": "price", "symbol": "SPY", "op": "above", "value": 1}`))
		if err != nil {
			return err
		}
		_, err = rules.Add(ctx, user, rule)
		return err
	}()
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	os.Exit(0)
}

func TestAnAlertOfAnotherProcessFiresHere(t *testing.T) {
	t.Parallel()
	h := newHome(t, only)
	file := filepath.Join(h.dir, "data", "simulator", "ttai.db")
	stop := h.start("--health", "off")
	h.until("it runs", func() bool { return strings.Contains(h.err.String(), "Jobs:") })
	binary, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), childVariable+"=chat", chatFile+"="+file)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	h.until("it fires and is told in the terminal", func() bool { return strings.Contains(h.out.String(), "said in a chat") })
	assert.Zero(t, stop(), h.err.String())
}

func TestAlertsOfTheSettingsAreAddedOnceAndGoWithThem(t *testing.T) {
	t.Parallel()
	config := func(alerts string) string {
		return strings.Replace(only, `{"defaults"`, `{"alerts": [`+alerts+`], "defaults"`, 1)
	}
	const spy, qqq = `{"name": "spy alarm", "kind": "price", "symbol": "SPY", "op": "above", "value": 1}`, `{"name": "qqq", "kind": "price", "symbol": "QQQ", "op": "above", "value": 100000}`
	h := newHome(t, config(spy+","+qqq))
	stop := h.start("--health", "off")
	h.until("the one that holds fires", func() bool { return strings.Contains(h.out.String(), "spy alarm") })
	require.Zero(t, stop())
	rules := func() []string {
		store, err := sqlite.Open(t.Context(), filepath.Join(h.dir, "data", "simulator", "ttai.db"), nil)
		require.NoError(t, err)
		defer store.Close()
		tenant, err := store.For(storage.Local)
		require.NoError(t, err)
		all, err := monitor.OpenRules(tenant)
		require.NoError(t, err)
		list, err := all.List(t.Context(), user)
		require.NoError(t, err)
		var names []string
		for _, r := range list {
			names = append(names, r.Rule.Name)
		}
		return names
	}
	assert.ElementsMatch(t, []string{"spy alarm", "qqq"}, rules())

	fired := strings.Count(h.out.String(), "spy alarm")
	code, _, errs := h.run("--once", "sync") // the same settings again
	require.Zero(t, code, errs)
	assert.ElementsMatch(t, []string{"spy alarm", "qqq"}, rules())
	assert.Equal(t, fired, strings.Count(h.out.String(), "spy alarm"), "once")

	// A process that died after it had added them, before it had written that down.
	kv, err := h.tenant(t).KV(alertsSpace)
	require.NoError(t, err)
	require.NoError(t, kv.Delete(t.Context(), alertsKey))
	code, _, errs = h.run("--once", "sync")
	require.Zero(t, code, errs)
	assert.ElementsMatch(t, []string{"spy alarm", "qqq"}, rules(), "neither is added twice")

	require.NoError(t, os.WriteFile(filepath.Join(h.dir, "config", "config.json"), []byte(config(qqq)), 0o600))
	code, _, errs = h.run("--once", "sync")
	require.Zero(t, code, errs)
	assert.Equal(t, []string{"qqq"}, rules())

	require.NoError(t, os.WriteFile(filepath.Join(h.dir, "config", "config.json"), []byte(config(`{"kind": "price", "symbl": "SPY"}`)), 0o600))
	code, _, errs = h.run("--once", "sync")
	assert.NotZero(t, code)
	assert.Contains(t, errs, "alerts[0]")
}
