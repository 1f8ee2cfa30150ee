package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/postgres"
)

// The test binary starts itself again with these set.
const (
	actVariable    = "TTAI_TEST_POSTGRES_ACT"
	schemaVariable = "TTAI_TEST_POSTGRES_SCHEMA"
)

// another returns a command that is another process doing act.
func another(t *testing.T, act, schema string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = append(os.Environ(), actVariable+"="+act, schemaVariable+"="+schema)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewScanner(out)
}

// child is what the other process does. It says what it did on its output.
func child(act string) {
	ctx := context.Background()
	s, err := postgres.Open(ctx, os.Getenv("TTAI_TEST_POSTGRES"), &postgres.Options{Schema: os.Getenv(schemaVariable), Connections: 4})
	if err == nil {
		err = map[string]func(context.Context, *postgres.Store) error{"write": write, "share": share}[act](ctx, s)
		err = errors.Join(err, s.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

// A kit is what the acts use.
type kit struct {
	records storage.Records
	journal storage.Journal
	queue   storage.Queue
	kv      storage.KV
	locks   storage.Locks
	limiter storage.Limiter
}

func kitOf(s storage.Store) (k kit, err error) {
	t, err := s.For("alice")
	if err != nil {
		return k, err
	}
	var errs [6]error
	k.records, errs[0] = t.Records()
	k.journal, errs[1] = t.Journal("orders")
	k.queue, errs[2] = t.Queue("tasks", nil)
	k.kv, errs[3] = t.KV("space")
	k.locks, errs[4] = t.Locks()
	k.limiter, errs[5] = t.Limiter()
	return k, errors.Join(errs[:]...)
}

// write goes on from where an earlier one was killed: two records that belong
// together, two entries of the journal and a message, and then it says the number.
func write(ctx context.Context, s *postgres.Store) error {
	k, err := kitOf(s)
	if err != nil {
		return err
	}
	n, err := stored(ctx, k.records)
	if err != nil {
		return err
	}
	for {
		n++
		data := strconv.AppendInt(nil, int64(n), 10)
		both := []storage.RecordWrite{
			{Collection: "things", ID: "a", Data: data, Fields: []storage.Field{storage.Unique("n", string(data))}},
			{Collection: "things", ID: "b", Data: data, Fields: []storage.Field{storage.Number("n", float64(n))}},
		}
		if _, err := k.journal.Append(ctx, storage.NewEntry{Kind: "begin", Data: data}, storage.NewEntry{Kind: "end", Data: data}); err != nil {
			return err
		}
		if _, err := k.queue.Send(ctx, storage.NewMessage{Body: data, Key: string(data)}); err != nil {
			return err
		}
		if _, err := k.records.Write(ctx, both...); err != nil {
			return err
		}
		if _, err := fmt.Println(n); err != nil {
			return err
		}
	}
}

// stored reads the two records in one view and returns their number, 0 when they
// are not there.
func stored(ctx context.Context, r storage.Records) (int, error) {
	page, err := r.List(ctx, "things", storage.RecordQuery{})
	if err != nil || len(page.Records) == 0 {
		return 0, err
	}
	if len(page.Records) != 2 || string(page.Records[0].Data) != string(page.Records[1].Data) {
		return 0, fmt.Errorf("half of a write is there: %+v", page.Records)
	}
	return strconv.Atoi(string(page.Records[0].Data))
}

func TestEveryAcknowledgedWriteSurvivesKilledWriters(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	s := open(t, url, postgres.Options{Schema: name})
	k, err := kitOf(s)
	require.NoError(t, err)
	kills := 100
	if testing.Short() {
		kills = 10
	}
	random := rand.New(rand.NewPCG(1, 2))
	said := 0
	for i := range kills {
		cmd, out := another(t, "write", name)
		// It dies at some instant after its first acknowledgement, or before it.
		wait := 1 + random.IntN(12)
		if i%5 == 0 {
			wait = 0
		}
		for ; wait > 0 && out.Scan(); wait-- {
			said, err = strconv.Atoi(out.Text())
			require.NoError(t, err)
		}
		time.Sleep(time.Duration(random.IntN(5000)) * time.Microsecond) // anywhere within the next write
		require.NoError(t, cmd.Process.Kill())
		for out.Scan() {
			if n, err := strconv.Atoi(out.Text()); err == nil {
				said = max(said, n)
			}
		}
		_ = cmd.Wait() // it was killed
		n, err := stored(t.Context(), k.records)
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, said, "an acknowledged write is gone after kill %d", i+1)
	}
	require.Greater(t, said, kills/2, "the writers hardly wrote")

	_, err = storage.VerifyJournal(t.Context(), storage.JournalID{Tenant: "alice", Name: "orders"}, k.journal)
	require.NoError(t, err)
	begun, ended := map[string]bool{}, map[string]bool{}
	last := ""
	for e, err := range k.journal.Read(t.Context(), 0) {
		require.NoError(t, err)
		if e.Kind == "begin" {
			begun[string(e.Data)], last = true, string(e.Data)
		} else {
			ended[string(e.Data)] = true
			require.Equal(t, last, string(e.Data), "half of an append is there")
		}
	}
	sent := map[string]int{}
	for {
		got, err := k.queue.Receive(t.Context(), 1000, 0)
		require.NoError(t, err)
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			sent[string(m.Body)]++
		}
		require.NoError(t, k.queue.Ack(t.Context(), got...))
	}
	for n := 1; n <= said; n++ {
		key := strconv.Itoa(n)
		require.True(t, begun[key] && ended[key], "the journal lacks write %d of %d", n, said)
		require.Equal(t, 1, sent[key], "message %d of %d", n, said)
	}
	t.Logf("%d kills, %d acknowledged writes, none lost and none half", kills, said)
}

// share works beside another process that does the same.
func share(ctx context.Context, s *postgres.Store) error {
	k, err := kitOf(s)
	if err != nil {
		return err
	}
	allowed := 0
	for range 200 {
		d, err := k.limiter.Take(ctx, "shared", storage.Limit{Rate: 100, Per: 24 * time.Hour}, 1)
		if err != nil {
			return err
		}
		if d.Allowed {
			allowed++
		}
	}
	fmt.Println("allowed", allowed)
	for range 25 {
		// Reading, adding and writing would lose some if two led at once.
		err := storage.Hold(ctx, k.locks, "leader", 30*time.Second, func(ctx context.Context, _ storage.Lease) error {
			v, err := k.kv.Get(ctx, "count")
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			n, _ := strconv.Atoi(string(v.Data)) // nothing there is 0
			return k.kv.Put(ctx, "count", strconv.AppendInt(nil, int64(n+1), 10), 0)
		})
		if err != nil {
			return err
		}
	}
	for {
		got, err := k.queue.Receive(ctx, 10, 300*time.Millisecond)
		if err != nil {
			return err
		}
		if len(got) == 0 {
			return nil
		}
		if err := k.queue.Ack(ctx, got...); err != nil {
			return err
		}
		for _, m := range got {
			fmt.Println("done", string(m.Body))
		}
	}
}

func TestTwoProcessesLoseAndDoubleNothing(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	s := open(t, url, postgres.Options{Schema: name})
	k, err := kitOf(s)
	require.NoError(t, err)
	const messages = 1000
	var want []string
	for i := range messages {
		body := fmt.Sprintf("%04d", i)
		want = append(want, body)
		_, err := k.queue.Send(t.Context(), storage.NewMessage{Body: []byte(body)})
		require.NoError(t, err)
		if i == 0 {
			require.NoError(t, k.kv.Delete(t.Context(), "count"))
		}
	}
	allowed := 0
	var done []string
	var children []*exec.Cmd
	var outs []*bufio.Scanner
	for range 2 {
		cmd, out := another(t, "share", name)
		children, outs = append(children, cmd), append(outs, out)
	}
	each := make([]int, 2)
	for i, out := range outs {
		for out.Scan() {
			what, value, _ := strings.Cut(out.Text(), " ")
			if what == "done" {
				done = append(done, value)
				each[i]++
				continue
			}
			n, err := strconv.Atoi(value)
			require.NoError(t, err)
			allowed += n
		}
		require.NoError(t, children[i].Wait())
	}
	assert.Equal(t, 100, allowed, "allowed by one limit in two processes")
	slices.Sort(done)
	assert.Equal(t, want, done, "each message is done once")
	v, err := k.kv.Get(t.Context(), "count")
	require.NoError(t, err)
	assert.Equal(t, "50", string(v.Data), "turns of the leader")
	t.Logf("messages by process: %v", each)
}
