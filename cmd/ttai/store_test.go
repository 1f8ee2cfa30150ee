package main

import (
	"bytes"
	"database/sql"
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
)

// keeper is a user with folders for settings and data.
type keeper struct {
	dir       string
	variables map[string]string
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	return &keeper{t.TempDir(), map[string]string{}}
}

func (k *keeper) file() string { return filepath.Join(k.dir, "data", "simulator", "ttai.db") }

// run runs one command line.
func (k *keeper) run(t *testing.T, args ...string) (out, problems string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, app.IO{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr,
		Environment: app.Environment{
			Getenv:    func(name string) string { return k.variables[name] },
			ConfigDir: filepath.Join(k.dir, "config"), DataDir: filepath.Join(k.dir, "data"),
		},
	})
	return stdout.String(), stderr.String(), code
}

// record writes a journal as a program would.
func (k *keeper) record(t *testing.T, tenant storage.TenantID, entries int) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), k.file(), nil)
	require.NoError(t, err)
	defer s.Close()
	h, err := s.For(tenant)
	require.NoError(t, err)
	j, err := h.Journal("orders")
	require.NoError(t, err)
	for range entries {
		_, err = j.Append(t.Context(), storage.NewEntry{Kind: "order.placed", Data: []byte(`{"symbol":"SPY"}`)})
		require.NoError(t, err)
	}
}

func TestMigrateShowsWhatIsThereAndAsksBeforeItTakesBack(t *testing.T) {
	k := newKeeper(t)
	out, problems, code := k.run(t, "migrate", "status")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "not there yet")
	assert.NoFileExists(t, k.file(), "looking makes nothing")
	out, problems, code = k.run(t, "migrate", "up")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "applied")
	_, problems, code = k.run(t, "migrate", "down")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "ttai backup")
	out, problems, code = k.run(t, "migrate", "down", "--yes", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	var answer []struct {
		Store      string
		Pending    int
		Migrations []struct {
			Version int64
			Applied bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	assert.Equal(t, 1, answer[0].Pending)
	assert.False(t, answer[0].Migrations[len(answer[0].Migrations)-1].Applied)
	out, _, _ = k.run(t, "migrate", "status")
	assert.Contains(t, out, "1 missing")
	_, problems, code = k.run(t, "migrate", "status", "--store", "sqlight:///x")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "sqlite")
	_, problems, code = k.run(t, "migrate")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "status")
}

func TestBackupAndRestoreFromTheCommandLine(t *testing.T) {
	k := newKeeper(t)
	file := filepath.Join(k.dir, "ttai.backup")
	_, problems, code := k.run(t, "backup", file)
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, problems, "nothing yet")
	k.record(t, storage.Local, 2)
	out, problems, code := k.run(t, "backup", file, "--json")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, `"holds":["sqlite"]`)
	_, problems, code = k.run(t, "backup", file)
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "--force")
	k.record(t, storage.Local, 3)
	_, problems, code = k.run(t, "restore", file)
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "--yes")
	out, problems, code = k.run(t, "restore", file, "--yes")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "restored 1 files")
	out, _, _ = k.run(t, "journal", "verify")
	assert.Contains(t, out, "2 entries")
	require.NoError(t, os.WriteFile(file, []byte("no backup"), 0o600))
	_, _, code = k.run(t, "restore", file, "--yes")
	assert.Equal(t, app.ExitError, code)
}

func TestJournalsAreAnchoredAndVerifiedFromTheCommandLine(t *testing.T) {
	k := newKeeper(t)
	out, problems, code := k.run(t, "journal", "verify")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "no journal yet")
	_, problems, code = k.run(t, "journal", "anchor")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "TTAI_ANCHORS")
	k.variables["TTAI_ANCHORS"] = "file://" + filepath.ToSlash(k.dir) + "/kept"
	k.record(t, storage.Local, 3)
	out, problems, code = k.run(t, "journal", "anchor", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	var answer struct {
		Journals []app.JournalReport
		Key      []byte
	}
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	require.Len(t, answer.Journals, 1)
	assert.Equal(t, uint64(3), answer.Journals[0].Anchored)
	assert.Len(t, answer.Key, 32)
	k.tamper(t)
	out, problems, code = k.run(t, "journal", "verify")
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, out, "PROBLEM")
	assert.Contains(t, problems, "a journal has a problem")
}

// tamper changes an entry behind the program's back.
func (k *keeper) tamper(t *testing.T) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(k.file()))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(`DROP TRIGGER journal_no_update`)
	require.NoError(t, err)
	_, err = db.Exec(`UPDATE journal SET data = '{"symbol":"QQQ"}' WHERE seq = 2`)
	require.NoError(t, err)
}

// doctor returns the report's lines by name.
func (k *keeper) doctor(t *testing.T, args ...string) (map[string][]check, string, int) {
	t.Helper()
	out, problems, code := k.run(t, append([]string{"doctor", "--json"}, args...)...)
	var list []check
	require.NoError(t, json.Unmarshal([]byte(out), &list), problems)
	found := map[string][]check{}
	for _, c := range list {
		found[c.Name] = append(found[c.Name], c)
	}
	return found, out + problems, code
}

func TestTheDoctorLooksAtTheStoreAndItsJournalsAndMakesNothing(t *testing.T) {
	k := newKeeper(t)
	found, _, code := k.doctor(t)
	assert.Equal(t, app.ExitOK, code)
	assert.Equal(t, "ok", found["store"][0].Status)
	assert.Contains(t, found["store"][0].Detail, "not there yet")
	assert.NoDirExists(t, filepath.Join(k.dir, "data"))

	k.record(t, storage.Local, 2)
	k.record(t, "ann@example.com", 2)
	found, text, code := k.doctor(t)
	require.Equal(t, app.ExitOK, code, text)
	assert.Equal(t, "ok", found["store"][0].Status)
	assert.Contains(t, found["store"][0].Detail, "layout ")
	assert.Equal(t, "ok", found["journals"][0].Status)
	assert.Contains(t, found["journals"][0].Detail, "2, of 4 entries")
	assert.Contains(t, found["journals"][0].Detail, "no anchor is set")
	assert.NotContains(t, text, "example.com")

	k.variables["TTAI_ANCHORS"] = "file://" + filepath.ToSlash(k.dir) + "/kept"
	_, problems, code := k.run(t, "journal", "anchor")
	require.Equal(t, app.ExitOK, code, problems)
	found, _, _ = k.doctor(t)
	assert.Contains(t, found["journals"][0].Detail, "up to heads kept elsewhere")
	k.record(t, storage.Local, 1)
	found, _, _ = k.doctor(t)
	assert.Contains(t, found["journals"][0].Detail, "1 have entries since")

	k.tamper(t)
	found, text, code = k.doctor(t)
	assert.Equal(t, app.ExitError, code)
	require.Equal(t, "failed", found["journals"][0].Status, text)
	assert.Contains(t, found["journals"][0].Detail, "entry 2: its content does not have its hash")
	assert.NotEmpty(t, found["journals"][0].Remedy)
	assert.Equal(t, "ok", found["quote"][0].Status, "the other checks go on")
	assert.NotContains(t, text, "example.com")

	_, problems, code = k.run(t, "migrate", "down", "--yes")
	require.Equal(t, app.ExitOK, code, problems)
	found, _, code = k.doctor(t)
	assert.Equal(t, app.ExitOK, code)
	assert.Equal(t, "warning", found["store"][0].Status)
	assert.Contains(t, found["store"][0].Remedy, "ttai migrate up")
}

func TestTheDoctorSaysWhatIsWrongWithAStoreAndShowsNoSecret(t *testing.T) {
	k := newKeeper(t)
	const secret = "hunter2hunter2"
	for setting, want := range map[string]string{
		"redys://:" + secret + "@127.0.0.1:1":                "redis:, which is the nearest",
		"mem:// kv=redis://:" + secret + "@127.0.0.1:1":      "storage is unreachable",
		"postgres://ann:" + secret + "@127.0.0.1:1/x":        "storage is unreachable",
		"mem:// queue=nats://ann:" + secret + "@127.0.0.1:1": "storage is unreachable",
	} {
		k.variables["TTAI_STORE"] = setting
		found, text, code := k.doctor(t)
		assert.NotEqual(t, app.ExitOK, code, setting)
		last := found["store"][len(found["store"])-1]
		assert.Equal(t, "failed", last.Status, setting)
		assert.Contains(t, last.Detail, want)
		assert.NotEmpty(t, last.Remedy)
		assert.NotContains(t, text, secret)
	}
}
