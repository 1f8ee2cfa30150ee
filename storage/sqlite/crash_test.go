package sqlite_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

var torn = flag.Int("torn", 100, "how many torn files TestALogTornAnywhereRecoversToAWholePrefix recovers")

// everything is one store's capabilities that must survive.
type everything struct {
	store   *sqlite.Store
	records storage.Records
	journal storage.Journal
	queue   storage.Queue
	kv      storage.KV
}

var killed = storage.JournalID{Tenant: "alice", Name: "orders"}

func openAll(ctx context.Context, path string) (everything, error) {
	s, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		return everything{}, err
	}
	e := everything{store: s}
	h, err := s.For("alice")
	if err == nil {
		e.records, err = h.Records()
	}
	if err == nil {
		e.journal, err = h.Journal("orders")
	}
	if err == nil {
		e.queue, err = h.Queue("tasks", nil)
	}
	if err == nil {
		e.kv, err = h.KV("claims")
	}
	return e, err
}

// step does number n: two records in one batch, two entries, a message, a claim.
func (e everything) step(ctx context.Context, n int) error {
	id, data := fmt.Sprintf("%08d", n), strconv.AppendInt(nil, int64(n), 10)
	if _, err := e.records.Write(ctx,
		storage.RecordWrite{Op: storage.OpCreate, Collection: "left", ID: id, Data: data, Fields: []storage.Field{storage.Unique("n", id)}},
		storage.RecordWrite{Op: storage.OpCreate, Collection: "right", ID: id, Data: data},
		storage.RecordWrite{Collection: "last", ID: "last", Data: data}); err != nil {
		return err
	}
	if _, err := e.journal.Append(ctx, storage.NewEntry{Kind: "first", Data: data}, storage.NewEntry{Kind: "second", Data: data}); err != nil {
		return err
	}
	if _, err := e.queue.Send(ctx, storage.NewMessage{Body: data, Key: id}); err != nil {
		return err
	}
	_, err := e.kv.CompareAndSet(ctx, id, storage.NoVersion, data, 0)
	return err
}

// state is how many steps of each kind are there; the counts fall off by at most
// the one step that was under way.
func (e everything) state(t *testing.T) (records, entries, messages, claims int) {
	t.Helper()
	ctx := t.Context()
	ids := func(collection string) (out []string) {
		q := storage.RecordQuery{Limit: 1000}
		for {
			page, err := e.records.List(ctx, collection, q)
			require.NoError(t, err)
			for _, r := range page.Records {
				out = append(out, r.ID)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return out
			}
		}
	}
	left := ids("left")
	require.Equal(t, left, ids("right"), "no half of a batch")
	for i, id := range left {
		require.Equal(t, fmt.Sprintf("%08d", i), id, "none is missing between others")
	}
	if len(left) > 0 {
		last, err := e.records.Get(ctx, "last", "last")
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(len(left)-1), string(last.Data))
	}
	head, err := storage.VerifyJournal(ctx, killed, e.journal)
	require.NoError(t, err)
	require.Zero(t, head.Seq%2, "no half of an append")
	for range e.kv.Keys(ctx, "") {
		claims++
	}
	for {
		got, err := e.queue.Receive(ctx, 1000, 0)
		require.NoError(t, err)
		if len(got) == 0 {
			return len(left), int(head.Seq / 2), messages, claims
		}
		messages += len(got)
	}
}

// writeUntilKilled is the process that the test kills.
func writeUntilKilled(path string) {
	ctx := context.Background()
	e, err := openAll(ctx, path)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	n := 0
	if r, err := e.records.Get(ctx, "last", "last"); err == nil {
		n, _ = strconv.Atoi(string(r.Data))
		n++
	}
	// What the last process left undone of its last step is done now.
	if n > 0 {
		id, data := fmt.Sprintf("%08d", n-1), strconv.AppendInt(nil, int64(n-1), 10)
		head, err := e.journal.Head(ctx)
		if err == nil && head.Seq < uint64(2*n) {
			_, err = e.journal.Append(ctx, storage.NewEntry{Kind: "first", Data: data}, storage.NewEntry{Kind: "second", Data: data})
		}
		if err == nil {
			_, err = e.queue.Send(ctx, storage.NewMessage{Body: data, Key: id})
		}
		if err == nil {
			_ = e.kv.Put(ctx, id, data, 0)
		}
		if err != nil {
			fmt.Println("error", err)
			return
		}
	}
	for ; ; n++ {
		if err := e.step(ctx, n); err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println("done", n)
	}
}

func TestEveryAcknowledgedWriteSurvivesAKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(scratch(t), "ttai.db")
	random := rand.New(rand.NewPCG(1, 2))
	acknowledged := -1
	const kills = 100
	for range kills {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "TTAI_TEST_WRITER="+path)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		stop := 1 + random.IntN(12)
		for i := 0; i < stop && lines.Scan(); i++ {
			_, err := fmt.Sscanf(lines.Text(), "done %d", &acknowledged)
			require.NoError(t, err, lines.Text())
		}
		time.Sleep(time.Duration(random.IntN(1500)) * time.Microsecond) // at any instant of a step
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() { // what was acknowledged before it died
			if n := -1; acknowledged >= 0 {
				if _, err := fmt.Sscanf(lines.Text(), "done %d", &n); err == nil {
					acknowledged = n
				}
			}
		}
		_ = cmd.Wait() // it was killed
	}
	e, err := openAll(t.Context(), path)
	require.NoError(t, err)
	defer e.store.Close()
	records, entries, messages, claims := e.state(t)
	steps := acknowledged + 1
	t.Logf("%d kills, %d acknowledged steps; found %d records, %d entries, %d messages, %d claims", kills, steps, records, entries, messages, claims)
	for what, n := range map[string]int{"records": records, "entries": entries, "messages": messages, "claims": claims} {
		require.GreaterOrEqual(t, n, steps, what)
		require.LessOrEqual(t, n, steps+1, what)
	}
}

// The loss of power may leave any part of what was not yet synced. The log of a
// store is cut, or its end is overwritten, at a place of the seed's choice, and the
// store must come back as it was after one of the steps: the last one that was
// synced, or a later one.
func TestALogTornAnywhereRecoversToAWholePrefix(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "ttai.db")
	e, err := openAll(t.Context(), source)
	require.NoError(t, err)
	defer e.store.Close()
	const steps = 12
	sizes := make([]int64, 0, steps+1) // of the log after each step
	size := func() int64 {
		info, err := os.Stat(source + "-wal")
		if os.IsNotExist(err) {
			return 0 // nothing was written yet
		}
		require.NoError(t, err)
		return info.Size()
	}
	base := size()
	for n := range steps {
		require.NoError(t, e.step(t.Context(), n))
		sizes = append(sizes, size())
	}
	database, err := os.ReadFile(source)
	require.NoError(t, err)
	log, err := os.ReadFile(source + "-wal")
	require.NoError(t, err)
	folder := scratch(t)
	for seed := range *torn {
		random := rand.New(rand.NewPCG(uint64(seed), 3))
		cut := base + random.Int64N(int64(len(log))-base+1)
		damaged := append([]byte{}, log...)
		switch seed % 3 {
		case 0:
			damaged = damaged[:cut]
		case 1: // the file has its length, and its end never reached the disk
			clear(damaged[cut:])
		case 2: // blocks were written out of order
			for i := cut; i < int64(len(damaged)); i += 512 {
				if random.IntN(2) == 0 {
					clear(damaged[i:min(i+512, int64(len(damaged)))])
				}
			}
		}
		path := filepath.Join(folder, strconv.Itoa(seed)+".db")
		require.NoError(t, os.WriteFile(path, database, 0o600))
		require.NoError(t, os.WriteFile(path+"-wal", damaged, 0o600))
		recovered, err := openAll(t.Context(), path)
		require.NoError(t, err, "seed %d", seed)
		records, entries, messages, claims := recovered.state(t)
		synced := 0
		for synced < steps && sizes[synced] <= cut {
			synced++
		}
		for _, n := range []int{records, entries, messages, claims} {
			require.GreaterOrEqual(t, n, synced, "seed %d", seed)
		}
		require.GreaterOrEqual(t, records, entries)
		require.GreaterOrEqual(t, entries, messages)
		require.GreaterOrEqual(t, messages, claims)
		require.LessOrEqual(t, records-claims, 1)
		require.NoError(t, recovered.store.Close())
		for _, end := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(path + end)
		}
	}
}
