package river_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/river"
	"github.com/ttai-go/ttai/workflow/workflowtest"
)

const variable = "TTAI_TEST_POSTGRES"

func server(t *testing.T) string {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		t.Skip(variable + " names no PostgreSQL server")
	}
	return address
}

var schemas atomic.Int64

// schema returns a name that no other test has, and drops it when the test ends.
func schema(t *testing.T, address string) string {
	name := fmt.Sprintf("river_test_%d_%d", os.Getpid(), schemas.Add(1))
	t.Cleanup(func() { drop(t, address, name) })
	return name
}

func drop(t *testing.T, address, name string) {
	conn, err := pgx.Connect(context.Background(), address)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), `DROP SCHEMA IF EXISTS `+pgx.Identifier{name}.Sanitize()+` CASCADE`)
	require.NoError(t, err)
}

func harness(t *testing.T, clock workflow.Clock) workflowtest.Open {
	address := server(t)
	name := schema(t, address)
	return func(workflows ...workflow.Workflow) workflow.Engine {
		e, err := river.Open(t.Context(), address, storage.Local, workflows, &river.Options{Schema: name, Clock: clock, Lease: 500 * time.Millisecond, Poll: 50 * time.Millisecond})
		require.NoError(t, err)
		return e
	}
}

func TestCore(t *testing.T)       { workflowtest.TestCoreLive(t, harness) }
func TestDurability(t *testing.T) { workflowtest.TestDurabilityLive(t, harness) }

var kills = flag.Int("kills", 20, "how often TestKilledProcesses kills the process")

func TestKilledProcesses(t *testing.T) {
	server(t)
	workflowtest.TestKills(t, *kills)
}

func TestMain(m *testing.M) {
	workflowtest.KillMain(func(ctx context.Context, folder string, workflows ...workflow.Workflow) (workflow.Engine, func() error, error) {
		sum := sha256.Sum256([]byte(folder))
		e, err := river.Open(ctx, os.Getenv(variable), storage.Local, workflows,
			&river.Options{Schema: "river_kill_" + hex.EncodeToString(sum[:8]), Lease: 150 * time.Millisecond, Poll: 20 * time.Millisecond})
		if err != nil {
			return nil, nil, err
		}
		return e, e.Close, nil
	})
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, address, name string, tenant storage.TenantID, workflows ...workflow.Workflow) *river.Engine {
	e, err := river.Open(t.Context(), address, tenant, workflows, &river.Options{Schema: name, Lease: 500 * time.Millisecond, Poll: 50 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func TestTenantsOfOneSchemaDoNotMeet(t *testing.T) {
	address := server(t)
	name := schema(t, address)
	who := func(tenant string) workflow.Workflow {
		return workflow.Of(workflow.Definition[int, string]{Name: "who", Version: 1, Run: func(ctx *workflow.Ctx, _ int) (string, error) {
			return workflow.Step(ctx, "who", workflow.Policy{}, func(context.Context, workflow.Call) (string, error) { return tenant, nil })
		}})
	}
	a, b := open(t, address, name, "a", who("a")), open(t, address, name, "b", who("b"))
	for range 20 {
		for tenant, e := range map[string]*river.Engine{"a": a, "b": b} {
			_, err := e.Start(t.Context(), "same", "who", 0)
			require.NoError(t, err)
			got, err := workflow.Result[string](t.Context(), e, "same")
			require.NoError(t, err)
			assert.Equal(t, tenant, got)
			require.NoError(t, e.Forget(t.Context(), "same"))
			_, err = e.Status(t.Context(), "same")
			assert.ErrorIs(t, err, workflow.ErrNoRun)
		}
	}
	_, err := a.Start(t.Context(), "only-a", "who", 0)
	require.NoError(t, err)
	_, err = b.Status(t.Context(), "only-a")
	assert.ErrorIs(t, err, workflow.ErrNoRun)
	list, err := b.List(t.Context(), "", "", 10)
	require.NoError(t, err)
	assert.Empty(t, list)
}

// An engine whose process hangs longer than its lease must not write for its runs.
func TestAnOwnerWhoseLeaseEndedCannotWriteForItsRun(t *testing.T) {
	address := server(t)
	name := schema(t, address)
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	who := func(me string, hangs bool) workflow.Workflow {
		return workflow.Of(workflow.Definition[int, string]{Name: "who", Version: 1, Run: func(ctx *workflow.Ctx, _ int) (string, error) {
			return workflow.Step(ctx, "who", workflow.Policy{}, func(context.Context, workflow.Call) (string, error) {
				if hangs {
					entered <- struct{}{}
					<-leave // it does not look at its context
				}
				return me, nil
			})
		}})
	}
	slow := open(t, address, name, storage.Local, who("slow", true))
	_, err := slow.Start(t.Context(), "r", "who", 0)
	require.NoError(t, err)
	<-entered
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var owner string
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT owner FROM `+name+`.run WHERE id = 'r'`).Scan(&owner))
	quick := open(t, address, name, storage.Local, who("quick", false))
	// Until it says again that it lives, the slow one counts as dead.
	for {
		_, err = conn.Exec(t.Context(), `UPDATE `+name+`.owner SET until = now() - interval '1 minute' WHERE id = $1`, owner)
		require.NoError(t, err)
		s, err := quick.Status(t.Context(), "r")
		require.NoError(t, err)
		if s.State.Final() || s.Epoch > 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	got, err := workflow.Result[string](t.Context(), quick, "r")
	require.NoError(t, err)
	assert.Equal(t, "quick", got)
	close(leave)
	require.NoError(t, slow.Close())
	history, err := quick.History(t.Context(), "r")
	require.NoError(t, err)
	require.Len(t, history, 1)
	assert.JSONEq(t, `"quick"`, string(history[0].Result))
}

func TestARunWhoseJobIsLostIsExecuted(t *testing.T) {
	address := server(t)
	name := schema(t, address)
	quick := workflow.Of(workflow.Definition[int, int]{Name: "quick", Version: 1, Run: func(*workflow.Ctx, int) (int, error) { return 7, nil }})
	first := open(t, address, name, storage.Local, quick)
	require.NoError(t, first.Close())
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), `INSERT INTO `+name+`.run (tenant, id, name, version, state, input, started) VALUES ('local', 'r', 'quick', 1, 'running', '0', now())`)
	require.NoError(t, err)
	got, err := workflow.Result[int](t.Context(), open(t, address, name, storage.Local, quick), "r")
	require.NoError(t, err)
	assert.Equal(t, 7, got)
}

func TestArgumentsAreRefusedByName(t *testing.T) {
	for field, opts := range map[string]*river.Options{
		"Schema": {Schema: "No Schema"}, "Lease": {Lease: time.Millisecond}, "Poll": {Poll: time.Millisecond}, "Runs": {Runs: -1},
	} {
		_, err := river.Open(t.Context(), "postgres://u:secret@127.0.0.1:1/d", storage.Local, nil, opts)
		refused, ok := errors.AsType[*workflow.FieldError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, field, refused.Field)
	}
	_, err := river.Open(t.Context(), "postgres://u:secret@[", storage.Local, nil, nil)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
	unreachable := (&url.URL{Scheme: "postgres", User: url.UserPassword("u", "secret"), Host: "127.0.0.1:1", Path: "d"}).String()
	_, err = river.Open(t.Context(), unreachable, storage.Local, nil, nil)
	assert.ErrorIs(t, err, storage.ErrUnavailable)
	assert.NotContains(t, err.Error(), "secret")
}
