package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

var soak = flag.Duration("soak", 2*time.Second, "how long TestFiveServersAndASchedulerShareOneFile runs")

// What the processes share.
const (
	dailyLimit = 200
	leaseTime  = 500 * time.Millisecond
)

var shared = storage.Limit{Rate: 300, Per: time.Second, Burst: 25}

// A worker is one process on the shared file. It says on stdout what it was told,
// and ends when stdin does, as a server does whose client is gone.
type worker struct {
	name  string
	e     everything
	h     storage.Tenant
	tasks storage.Queue
	limit storage.Limiter
	out   *bufio.Writer
	n     int
}

func work(role, path string) {
	if role == "holder" {
		if err := hold(path); err != nil {
			fmt.Println("error", err)
		}
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is closed, however
		cancel()
	}()
	w := &worker{name: role, out: bufio.NewWriter(os.Stdout)}
	err := w.open(path)
	for err == nil && ctx.Err() == nil {
		switch {
		case role == "idle":
			err = w.idle(ctx)
		case role == "scheduler":
			err = w.schedule()
		default:
			err = w.serve()
		}
		w.out.Flush()
	}
	if err == nil {
		err = w.e.store.Close()
	}
	if err != nil {
		w.say("error", err)
	}
	w.out.Flush()
}

func (w *worker) say(words ...any) { fmt.Fprintln(w.out, words...) }

func (w *worker) open(path string) (err error) {
	if w.e, err = openAll(context.Background(), path); err != nil {
		return err
	}
	if w.h, err = w.e.store.For("alice"); err != nil {
		return err
	}
	if w.tasks, err = w.h.Queue("shared", &storage.QueueOptions{Lease: leaseTime, Attempts: 100}); err != nil {
		return err
	}
	w.limit, err = w.h.Limiter()
	return err
}

// idle waits for what never comes.
func (w *worker) idle(ctx context.Context) error {
	w.say("waiting")
	w.out.Flush()
	nothing, err := w.h.Queue("nothing", nil)
	if err == nil {
		_, err = nothing.Receive(ctx, 10, time.Hour)
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (w *worker) schedule() error {
	batch := make([]storage.NewMessage, 10)
	for i := range batch {
		key := fmt.Sprintf("m%06d", w.n)
		batch[i] = storage.NewMessage{Body: []byte(key), Key: key}
		w.n++
	}
	for range 2 { // as after an answer that got lost
		if _, err := w.tasks.Send(context.Background(), batch...); err != nil {
			return err
		}
	}
	for _, m := range batch {
		w.say("sent", m.Key)
	}
	return nil
}

// serve does one of everything that servers compete for.
func (w *worker) serve() error {
	w.n++
	for _, f := range []func(context.Context) error{w.claim, w.order, w.spend, w.journal, w.ask, w.consume} {
		if err := f(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// claim takes the next of a row of claims that all go through.
func (w *worker) claim(ctx context.Context) error {
	key := fmt.Sprintf("c%06d", w.n)
	_, err := w.e.kv.CompareAndSet(ctx, key, storage.NoVersion, []byte(w.name), 0)
	if errors.Is(err, storage.ErrConflict) {
		return nil
	}
	if err == nil {
		w.say("claimed", key, w.name)
	}
	return err
}

// order is written only while the switch is not thrown.
func (w *worker) order(ctx context.Context) error {
	begun := time.Now().UnixNano()
	_, err := w.e.records.Get(ctx, "switch", "off")
	if err == nil {
		return nil // it is thrown
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	w.say("open", begun)
	begun = time.Now().UnixNano()
	_, err = w.e.records.Write(ctx, storage.RecordWrite{Op: storage.OpCheck, Collection: "switch", ID: "off"},
		storage.RecordWrite{Op: storage.OpCreate, Collection: "orders", ID: fmt.Sprint(w.name, "-", w.n), Data: []byte("1")})
	if errors.Is(err, storage.ErrConflict) {
		return nil // it was thrown in between
	}
	if err == nil {
		w.say("order", begun)
	}
	return err
}

// spend counts one towards the limit of the day.
func (w *worker) spend(ctx context.Context) error {
	for {
		r, err := w.e.records.Get(ctx, "limits", "today")
		write := storage.RecordWrite{Op: storage.OpUpdate, Collection: "limits", ID: "today", Version: r.Version}
		spent := 0
		switch {
		case errors.Is(err, storage.ErrNotFound):
			write.Op = storage.OpCreate
		case err != nil:
			return err
		default:
			if spent, err = strconv.Atoi(string(r.Data)); err != nil || spent >= dailyLimit {
				return err
			}
		}
		write.Data = strconv.AppendInt(nil, int64(spent+1), 10)
		_, err = w.e.records.Write(ctx, write)
		if errors.Is(err, storage.ErrConflict) {
			continue
		}
		if err == nil {
			w.say("spent", w.name)
		}
		return err
	}
}

func (w *worker) journal(ctx context.Context) error {
	data := fmt.Appendf(nil, "%s-%d", w.name, w.n)
	entries, err := w.e.journal.Append(ctx, storage.NewEntry{Kind: "first", Data: data}, storage.NewEntry{Kind: "second", Data: data})
	if err == nil {
		w.say("entry", entries[0].Seq, string(data))
	}
	return err
}

func (w *worker) ask(ctx context.Context) error {
	before := time.Now()
	d, err := w.limit.Take(ctx, "broker", shared, 3)
	if err == nil && d.Allowed {
		w.say("allowed", before.UnixNano(), time.Now().UnixNano())
	}
	return err
}

func (w *worker) consume(ctx context.Context) error {
	messages, err := w.tasks.Receive(ctx, 10, 0)
	if err != nil {
		return err
	}
	for _, m := range messages {
		w.say("got", string(m.Body))
	}
	w.out.Flush() // what is leased must be known, should the process die
	err = w.tasks.Ack(ctx, messages...)
	if errors.Is(err, storage.ErrLeaseLost) {
		w.say("late")
		return nil // the machine stood still; somebody else does it
	}
	if err == nil {
		for _, m := range messages {
			w.say("acked", string(m.Body))
		}
	}
	return err
}

// A process is a worker as its parent sees it.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string
	said  map[string][][]string
	read  sync.WaitGroup
}

func start(t *testing.T, role, path string) *process {
	t.Helper()
	p := &process{name: role, cmd: exec.Command(os.Args[0], "-test.run=^$"), said: map[string][][]string{}, lines: make(chan string, 1)}
	p.cmd.Env = append(os.Environ(), "TTAI_TEST_PROCESS="+role, "TTAI_TEST_FILE="+path)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdin = in
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // when the test failed before it ended
	p.read.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			select {
			case p.lines <- lines.Text():
			default:
			}
			words := strings.SplitN(lines.Text(), " ", 2)
			if words[0] != "error" {
				words = strings.Fields(lines.Text())
			}
			p.said[words[0]] = append(p.said[words[0]], words[1:])
		}
	})
	return p
}

// leave closes a process's stdin, after which it must end by itself.
func (p *process) leave(t *testing.T) {
	t.Helper()
	require.NoError(t, p.stdin.Close())
	p.read.Wait()
	require.NoError(t, p.cmd.Wait())
}

// kill ends a process without warning.
func (p *process) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	p.read.Wait()
	_ = p.cmd.Wait() // it was killed
}

// all returns what the processes said of a kind, and requires that no two said the
// same when each may be said once.
func all(t *testing.T, processes []*process, kind string, once bool) (out []string) {
	t.Helper()
	seen := map[string]string{}
	for _, p := range processes {
		for _, words := range p.said[kind] {
			if once {
				if by, ok := seen[words[0]]; ok {
					require.Fail(t, "done twice", "%s %s by %s and %s", kind, words[0], by, p.name)
				}
				seen[words[0]] = p.name
			}
			out = append(out, strings.Join(words, " "))
		}
	}
	return out
}

func nanos(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	require.NoError(t, err)
	return n
}

func TestFiveServersAndASchedulerShareOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ttai.db")
	var processes []*process
	// All find no file, and race to make it.
	for _, role := range []string{"server1", "server2", "server3", "server4", "server5", "scheduler", "idle"} {
		processes = append(processes, start(t, role, path))
	}
	idle, killed := processes[6], processes[4]

	time.Sleep(*soak / 4)
	idle.leave(t)
	time.Sleep(*soak / 4)
	killed.kill(t)
	time.Sleep(*soak / 4)
	var w worker
	require.NoError(t, w.open(path))
	defer w.e.store.Close()
	_, err := w.e.records.Write(t.Context(), storage.RecordWrite{Op: storage.OpCreate, Collection: "switch", ID: "off", Data: []byte("1")})
	require.NoError(t, err)
	thrown := time.Now().UnixNano()
	time.Sleep(*soak / 4)
	for _, p := range processes[:6] {
		if p != killed {
			p.leave(t)
		}
	}

	require.Empty(t, all(t, processes, "error", false), "nobody was locked out or failed")
	t.Run("claims are used once", func(t *testing.T) {
		claimed := all(t, processes, "claimed", true)
		for _, line := range claimed {
			key, by, _ := strings.Cut(line, " ")
			v, err := w.e.kv.Get(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, by, string(v.Data), key)
		}
		stored := 0
		for _, err := range w.e.kv.Keys(t.Context(), "") {
			require.NoError(t, err)
			stored++
		}
		assert.GreaterOrEqual(t, stored, len(claimed))
		assert.LessOrEqual(t, stored, len(claimed)+unsaid, "but for what the killed one could not say")
		t.Logf("%d claims", stored)
	})
	t.Run("the limit of the day holds", func(t *testing.T) {
		r, err := w.e.records.Get(t.Context(), "limits", "today")
		require.NoError(t, err)
		spent, said := string(r.Data), len(all(t, processes, "spent", false))
		n, err := strconv.Atoi(spent)
		require.NoError(t, err)
		assert.LessOrEqual(t, n, dailyLimit)
		assert.LessOrEqual(t, said, n)
		assert.GreaterOrEqual(t, said, n-unsaid)
		t.Logf("%d of %d", n, dailyLimit)
	})
	t.Run("the switch is seen by all at once", func(t *testing.T) {
		for _, kind := range []string{"open", "order"} {
			said := all(t, processes, kind, false)
			require.NotEmpty(t, said)
			for _, begun := range said {
				require.LessOrEqual(t, nanos(t, begun), thrown, "%s after the switch was thrown", kind)
			}
			t.Logf("%d %s", len(said), kind)
		}
	})
	t.Run("the journal is one chain", func(t *testing.T) {
		head, err := storage.VerifyJournal(t.Context(), storage.JournalID{Tenant: "alice", Name: "orders"}, w.e.journal)
		require.NoError(t, err)
		said := all(t, processes, "entry", true)
		assert.LessOrEqual(t, 2*len(said), int(head.Seq))
		assert.GreaterOrEqual(t, 2*(len(said)+unsaid), int(head.Seq))
		at := map[string]string{}
		for e, err := range w.e.journal.Read(t.Context(), 0) {
			require.NoError(t, err)
			if e.Kind == "first" {
				at[fmt.Sprint(e.Seq)] = string(e.Data)
			}
		}
		for _, line := range said {
			seq, data, _ := strings.Cut(line, " ")
			require.Equal(t, data, at[seq])
		}
		t.Logf("%d entries", head.Seq)
	})
	t.Run("the shared rate is kept over every span", func(t *testing.T) {
		type span struct{ before, after int64 }
		var asked []span
		for _, line := range all(t, processes, "allowed", false) {
			before, after, _ := strings.Cut(line, " ")
			asked = append(asked, span{nanos(t, before), nanos(t, after)})
		}
		slices.SortFunc(asked, func(a, b span) int { return int(a.before - b.before) })
		for i, a := range asked {
			last := a.after
			for j := i; j < len(asked); j++ {
				last = max(last, asked[j].after)
				seconds := time.Duration(last - a.before).Seconds()
				require.LessOrEqual(t, float64(3*(j-i+1)), float64(shared.Burst)+float64(shared.Rate)*seconds+1e-6)
			}
		}
		t.Logf("%d allowed", 3*len(asked))
	})
	t.Run("no message is lost or done twice", func(t *testing.T) {
		all(t, processes, "sent", true)
		acked := map[string]bool{}
		for _, body := range all(t, processes, "acked", true) {
			acked[body] = true
		}
		// What nobody got to, and what the killed one had, is still there.
		for {
			got, err := w.tasks.Receive(t.Context(), 1000, leaseTime+200*time.Millisecond)
			require.NoError(t, err)
			if len(got) == 0 {
				break
			}
			require.NoError(t, w.tasks.Ack(t.Context(), got...))
			for _, m := range got {
				require.False(t, acked[string(m.Body)], "%s came again", m.Body)
				acked[string(m.Body)] = true
			}
		}
		unknown := map[string]bool{} // it may have died after it acknowledged
		for _, words := range killed.said["got"] {
			unknown[words[0]] = true
		}
		sent := all(t, processes, "sent", true)
		for _, body := range sent {
			require.True(t, acked[body] || unknown[body], "%s was lost", body)
		}
		t.Logf("%d sent, %d acknowledged, %d late", len(sent), len(acked), len(all(t, processes, "late", false)))
	})
}

// unsaid is how much a process may have done since it last said what it did.
const unsaid = 1

// A process that is killed while it writes must not keep others from writing.
func TestAProcessKilledInAWriteHoldsNobodyUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttai.db")
	r := notes(t, openAt(t, path, nil))
	holder := start(t, "holder", path)
	require.Equal(t, "held", <-holder.lines)
	_, err := notes(t, openAt(t, path, &sqlite.Options{Busy: 10 * time.Millisecond})).Write(t.Context(), note("b", "x"))
	require.ErrorIs(t, err, storage.ErrBusy, "it has the lock")
	done := make(chan error)
	go func() {
		_, err := r.Write(t.Context(), note("a", "x"))
		done <- err
	}()
	holder.kill(t)
	require.NoError(t, <-done)
	_, err = r.Get(t.Context(), "notes", "half")
	require.ErrorIs(t, err, storage.ErrNotFound, "what it had begun is gone")
}

// hold begins a write and never ends it.
func hold(path string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // it never comes to this
	if _, err := tx.Exec(`INSERT INTO record (tenant, collection, id, version, created, updated, data)
		VALUES (CAST('alice' AS BLOB), 'notes', 'half', 1, 1, 1, CAST('1' AS BLOB))`); err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin) // until it is killed
	return err
}
