package monitor_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow/monitor"
)

// roleVariable makes the test binary play one of the processes.
const roleVariable = "TTAI_MONITOR_TEST_ROLE"

func openFile(t *testing.T, path string) (storage.Tenant, func()) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path, nil)
	require.NoError(t, err)
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	return tenant, func() { require.NoError(t, store.Close()) }
}

// TestProcess is the other processes: the chat, which calls the tool that a model calls, and the
// scheduler, which watches and hands over.
func TestProcess(t *testing.T) {
	role, path, _ := strings.Cut(os.Getenv(roleVariable), " ")
	switch role {
	case "":
		t.Skip("this is run by other tests")
	case "chat":
		chatProcess(t, path)
	case "scheduler":
		schedulerProcess(t, path)
	}
}

func chatProcess(t *testing.T, path string) {
	tenant, end := openFile(t, path)
	defer end()
	rules, err := monitor.OpenRules(tenant)
	require.NoError(t, err)
	mine, err := rules.Of("local")
	require.NoError(t, err)
	var tool *agents.Tool
	for _, x := range tools.New(tools.Deps{Alerts: mine}) {
		if x.Name == "alerts" {
			tool = &x
		}
	}
	require.NotNil(t, tool)
	out, err := tool.Call(t.Context(), json.RawMessage(`{"do":"add","rule":{"kind":"price","symbol":"spy","op":"above","value":100}}`))
	require.NoError(t, err)
	fmt.Println("ADDED", string(out))
}

func schedulerProcess(t *testing.T, path string) {
	tenant, end := openFile(t, path)
	defer end()
	feed := &fake{bars: map[market.Symbol][]market.Bar{}}
	die := os.Getenv(roleVariable+"_DIES") != ""
	told := make(chan struct{}, 10)
	queue, err := tenant.Queue(monitor.QueueName, nil)
	require.NoError(t, err)
	hand := monitor.QueueNotifier(queue)
	e, err := monitor.New(&monitor.Options{Market: feed, Stream: feed, Notify: func(ctx context.Context, id storage.TenantID, n monitor.Notice) error {
		if err := hand(ctx, id, n); err != nil {
			return err
		}
		if die {
			os.Exit(9) // handed over, and nobody has noted it
		}
		told <- struct{}{}
		return nil
	}})
	require.NoError(t, err)
	require.NoError(t, e.AddTenant(monitor.Member{ID: storage.Local, Store: tenant}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	fmt.Println("READY")
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-ticker.C:
			feed.push("SPY", 101)
		case <-told:
			fmt.Println("TOLD")
			cancel()
			require.NoError(t, <-ended)
			return
		case <-ctx.Done():
			require.NoError(t, <-ended)
			return
		}
	}
}

// child starts the test binary in a role, and returns its lines.
func child(t *testing.T, role, path string, extra ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestProcess$", "-test.v")
	cmd.Env = append(os.Environ(), append([]string{roleVariable + "=" + role + " " + path}, extra...)...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewScanner(out)
}

// until reads lines up to one that begins so.
func until(t *testing.T, lines *bufio.Scanner, begins string) string {
	t.Helper()
	var seen []string
	for lines.Scan() {
		seen = append(seen, lines.Text())
		if i := strings.Index(lines.Text(), begins); i >= 0 {
			return lines.Text()[i:]
		}
	}
	require.Fail(t, "it never said "+begins, strings.Join(seen, "\n"))
	return ""
}

func TestAnAlertMadeInAChatFiresInTheScheduler(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttai.db")
	scheduler, said := child(t, "scheduler", path)
	until(t, said, "READY")
	chat, answered := child(t, "chat", path)
	added := until(t, answered, "ADDED")
	require.NoError(t, chat.Wait())
	until(t, said, "TOLD")
	for said.Scan() {
	}
	require.NoError(t, scheduler.Wait())

	tenant, end := openFile(t, path)
	defer end()
	messages := received(t, tenant)
	require.Len(t, messages, 1)
	rules, err := monitor.OpenRules(tenant)
	require.NoError(t, err)
	all, err := rules.List(t.Context(), "local")
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.False(t, all[0].Active)
	assert.Contains(t, added, all[0].ID, "the chat knows the id")
	assert.Equal(t, "alert/"+all[0].ID+"/1", messages[0].Key)
}

func TestASchedulerKilledBetweenHandingOverAndNotingItTellsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttai.db")
	chat, answered := child(t, "chat", path)
	until(t, answered, "ADDED")
	require.NoError(t, chat.Wait())
	first, said := child(t, "scheduler", path, roleVariable+"_DIES=1")
	until(t, said, "READY")
	for said.Scan() {
	}
	require.Error(t, first.Wait(), "it died")
	second, said := child(t, "scheduler", path)
	until(t, said, "TOLD")
	for said.Scan() {
	}
	require.NoError(t, second.Wait())
	tenant, end := openFile(t, path)
	defer end()
	require.Len(t, received(t, tenant), 1, "both handed it over under one key")
}

func received(t *testing.T, tenant storage.Tenant) []storage.Message {
	t.Helper()
	queue, err := tenant.Queue(monitor.QueueName, nil)
	require.NoError(t, err)
	messages, err := queue.Receive(t.Context(), 10, 100*time.Millisecond)
	require.NoError(t, err)
	return messages
}
