package app

import (
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zalando/go-keyring"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
)

var (
	grant = vault.Ref{User: "ann", Provider: "tastytrade", Name: "refresh-token"}
	noon  = time.Date(2026, 11, 20, 17, 0, 0, 0, time.UTC)
)

func (s *Store) openVault(t *testing.T, tenant storage.TenantID) *vault.Vault {
	t.Helper()
	v, err := s.Vault(tenant)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	return v
}

func reveal(t *testing.T, v *vault.Vault) (string, error) {
	t.Helper()
	s, err := v.Get(t.Context(), grant)
	if err != nil {
		return "", err
	}
	defer s.Destroy()
	var plain string
	err = s.Use(func(b []byte) error { plain = string(b); return nil })
	return plain, err
}

func TestTheVaultsKeyIsMadeWithTheFirstSecretAndNeverAnew(t *testing.T) {
	keyring.MockInit()
	hexKey := strings.Repeat("0badc0de", 8)
	for setting, lose := range map[string]func(h home){
		"":        func(h home) { require.NoError(t, os.Remove(filepath.Join(h.std.Environment.ConfigDir, "vault.key"))) },
		"keyring": func(home) { require.NoError(t, keyring.Delete("ttai", "vault")) },
		hexKey:    func(h home) { h.variables["TTAI_VAULT_KEY"] = strings.Repeat("0badf00d", 8) },
	} {
		h := newHome(t, map[string]string{"TTAI_VAULT_KEY": setting})
		v := h.open(t, "").openVault(t, "alice")
		_, err := reveal(t, v)
		require.ErrorIs(t, err, storage.ErrNotFound)
		secret := vault.SecretString("very secret")
		require.NoError(t, v.Put(t.Context(), grant, secret, 0))
		got, err := reveal(t, h.open(t, "").openVault(t, "alice"))
		require.NoError(t, err)
		assert.Equal(t, "very secret", got)
		_, err = reveal(t, h.open(t, "").openVault(t, "bob"))
		require.ErrorIs(t, err, storage.ErrNotFound, "another tenant's vault is another")

		lose(h)
		_, err = reveal(t, h.open(t, "").openVault(t, "alice"))
		require.ErrorIs(t, err, vault.ErrNoKey, setting)
		if setting == "" {
			assert.Contains(t, err.Error(), "put the master keys back")
			assert.NoFileExists(t, filepath.Join(h.std.Environment.ConfigDir, "vault.key"))
		}
	}
}

func TestAVaultKeyThatIsNoneIsRefusedWithoutShowingIt(t *testing.T) {
	for _, setting := range []string{"hunter2hunter2", "file:", strings.Repeat("0", 64)} {
		_, err := newHome(t, map[string]string{"TTAI_VAULT_KEY": setting}).open(t, "").Vault(storage.Local)
		require.ErrorContains(t, err, "TTAI_VAULT_KEY")
		assert.NotContains(t, err.Error(), "hunter2")
		assert.True(t, IsUsage(err))
	}
	h := newHome(t, nil)
	require.NoError(t, os.MkdirAll(h.std.Environment.ConfigDir, 0o700))
	require.NoError(t, vault.CreateKeyFile(filepath.Join(h.std.Environment.ConfigDir, "vault.key")))
	if runtime.GOOS != "windows" {
		require.NoError(t, os.Chmod(filepath.Join(h.std.Environment.ConfigDir, "vault.key"), 0o644))
		v := h.open(t, "").openVault(t, storage.Local)
		require.ErrorIs(t, v.Put(t.Context(), grant, vault.SecretString("x"), 0), vault.ErrExposed)
	}
}

// fill stores a record, an object and journal entries, and returns the file.
func fill(t *testing.T, s *Store, value string) string {
	t.Helper()
	h := s.local(t)
	r, err := storage.Open(h)
	require.NoError(t, err)
	_, err = r.Preferences.Put(t.Context(), storage.Preferences{User: "ann", TimeZone: value})
	require.NoError(t, err)
	objects, err := h.Objects("reports")
	require.NoError(t, err)
	_, err = objects.Put(t.Context(), "report", strings.NewReader(value), nil)
	require.NoError(t, err)
	_, err = objects.Put(t.Context(), "only in "+value, strings.NewReader(value), nil)
	require.NoError(t, err)
	record(t, s, value)
	at, err := s.base.url.path()
	require.NoError(t, err)
	return at
}

func record(t *testing.T, s *Store, values ...string) {
	t.Helper()
	j, err := s.local(t).Journal("orders")
	require.NoError(t, err)
	for _, value := range values {
		_, err = j.Append(t.Context(), storage.NewEntry{Kind: "order.placed", Data: []byte(value)})
		require.NoError(t, err)
	}
}

// contents tells what fill stored.
func contents(t *testing.T, s *Store) (zone, report string, keys []string) {
	t.Helper()
	h := s.local(t)
	r, err := storage.Open(h)
	require.NoError(t, err)
	got, err := r.Preferences.Get(t.Context(), "ann")
	require.NoError(t, err)
	objects, err := h.Objects("reports")
	require.NoError(t, err)
	_, body, err := objects.Get(t.Context(), "report", nil)
	require.NoError(t, err)
	defer body.Close()
	text, err := io.ReadAll(body)
	require.NoError(t, err)
	for o, err := range objects.List(t.Context(), "", "") {
		require.NoError(t, err)
		keys = append(keys, o.Key)
	}
	return got.Value.TimeZone, string(text), keys
}

func TestABackupBringsRecordsAndObjectsBackWhileTheStoreIsOpen(t *testing.T) {
	h := newHome(t, nil)
	s := h.open(t, "")
	file := filepath.Join(t.TempDir(), "ttai.backup")
	_, err := s.Backup(t.Context(), file, false, noon)
	require.ErrorContains(t, err, "nothing yet")
	fill(t, s, "before")
	b, err := s.Backup(t.Context(), file, false, noon)
	require.NoError(t, err)
	assert.Equal(t, []string{"sqlite", "file"}, b.Holds)
	assert.Equal(t, 3, b.Files)
	if runtime.GOOS != "windows" {
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	_, err = s.Backup(t.Context(), file, false, noon)
	require.ErrorContains(t, err, "--force")
	_, err = s.Backup(t.Context(), file, true, noon)
	require.NoError(t, err)

	fill(t, s, "after")
	other := h.open(t, "") // as another process would have it
	zone, _, _ := contents(t, other)
	require.Equal(t, "after", zone)
	restored, err := s.Restore(t.Context(), file)
	require.NoError(t, err)
	assert.Equal(t, noon, restored.Made)
	for _, store := range []*Store{s, other} {
		zone, report, keys := contents(t, store)
		assert.Equal(t, "before", zone)
		assert.Equal(t, "before", report)
		assert.Equal(t, []string{"only in before", "report"}, keys)
	}
	// Into a place where nothing was.
	fresh := newHome(t, nil).open(t, "")
	_, err = fresh.Restore(t.Context(), file)
	require.NoError(t, err)
	zone, report, _ := contents(t, fresh)
	assert.Equal(t, "before before", zone+" "+report)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".ttai*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestADamagedBackupChangesNothing(t *testing.T) {
	s := newHome(t, nil).open(t, "")
	file := filepath.Join(t.TempDir(), "ttai.backup")
	fill(t, s, "old")
	_, err := s.Backup(t.Context(), file, false, noon)
	require.NoError(t, err)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	fill(t, s, "present")
	try := func(text []byte) {
		require.NoError(t, os.WriteFile(file, text, 0o600))
		_, err := s.Restore(t.Context(), file)
		require.ErrorIs(t, err, storage.ErrCorrupt, len(text))
		zone, report, _ := contents(t, s)
		require.Equal(t, "present present", zone+" "+report)
	}
	try(nil)
	try([]byte("this is no backup"))
	for cut := 1; cut < len(whole); cut += len(whole) / 7 {
		try(whole[:cut])
	}
	try(whole[:len(whole)-1])
	for at := 20; at < len(whole); at += len(whole) / 7 {
		changed := append([]byte{}, whole...)
		changed[at] ^= 0x10
		try(changed)
	}
	_, err = s.Restore(t.Context(), file+".missing")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestABackupNamesWhatItCannotHold(t *testing.T) {
	h := newHome(t, map[string]string{"TTAI_STORE": "kv=redis://:hunter2@127.0.0.1:1"})
	s := h.open(t, "")
	file := filepath.Join(t.TempDir(), "ttai.backup")
	r, err := storage.Open(s.local(t))
	require.NoError(t, err)
	_, err = r.Preferences.Put(t.Context(), storage.Preferences{User: "ann"})
	require.NoError(t, err)
	b, err := s.Backup(t.Context(), file, false, noon)
	require.NoError(t, err)
	require.Len(t, b.LeftOut, 1)
	assert.Contains(t, b.LeftOut[0], "redis://127.0.0.1:1")

	remote := newHome(t, map[string]string{"TTAI_STORE": "postgres://ann:hunter2@127.0.0.1:1/x"}).open(t, "")
	_, err = remote.Backup(t.Context(), file, true, noon)
	require.ErrorContains(t, err, "pg_dump")
	assert.NotContains(t, err.Error(), "hunter2")
	_, err = remote.Restore(t.Context(), file)
	require.ErrorContains(t, err, "its own tools")
}

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	s := newHome(t, nil).open(t, "")
	list, err := s.Engines(t.Context())
	require.NoError(t, err)
	require.True(t, list[0].Absent)
	list, err = s.Migrate(t.Context(), false)
	require.NoError(t, err)
	newest := list[0].Version
	require.Positive(t, newest)
	list, err = s.Migrate(t.Context(), true)
	require.NoError(t, err)
	assert.Equal(t, newest-1, list[0].Version)
	assert.Equal(t, 1, list[0].Pending)
	list, err = s.Migrate(t.Context(), false)
	require.NoError(t, err)
	assert.Equal(t, newest, list[0].Version)
	assert.Zero(t, list[0].Pending)
}

// rewrite gives a journal another past, with a chain that is whole in itself:
// what somebody can do who owns the file.
func rewrite(t *testing.T, file string, values ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(file))
	require.NoError(t, err)
	defer db.Close()
	triggers, err := db.Query(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'journal'`)
	require.NoError(t, err)
	var names []string
	for triggers.Next() {
		var name string
		require.NoError(t, triggers.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, triggers.Err())
	for _, name := range names {
		_, err = db.Exec(`DROP TRIGGER ` + name)
		require.NoError(t, err)
	}
	_, err = db.Exec(`DELETE FROM journal`)
	require.NoError(t, err)
	var entries []storage.NewEntry
	for _, value := range values {
		entries = append(entries, storage.NewEntry{Kind: "order.placed", Data: []byte(value)})
	}
	for _, e := range storage.Chain(storage.JournalGenesis(storage.JournalID{Tenant: storage.Local, Name: "orders"}), noon, entries) {
		_, err = db.Exec(`INSERT INTO journal (tenant, name, seq, time, kind, data, prev, hash) VALUES (?, 'orders', ?, ?, ?, ?, ?, ?)`,
			[]byte(storage.Local), int64(e.Seq), e.Time.UnixMicro(), e.Kind, e.Data, e.Prev[:], e.Hash[:])
		require.NoError(t, err)
	}
}

func TestAJournalThatWasWrittenAnewIsFoundByTheHeadsKeptElsewhere(t *testing.T) {
	kept := t.TempDir()
	h := newHome(t, map[string]string{"TTAI_ANCHORS": "file://" + filepath.ToSlash(kept)})
	s := h.open(t, "")
	reports, err := s.VerifyJournals(t.Context())
	require.NoError(t, err)
	assert.Empty(t, reports)
	file := fill(t, s, "one")
	record(t, s, "two", "three")

	reports, err = s.VerifyJournals(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 1)
	assert.Equal(t, "orders", reports[0].Journal)
	assert.Equal(t, uint64(3), reports[0].Entries)
	assert.Zero(t, reports[0].Anchored)
	reports, public, err := s.AnchorJournals(t.Context(), noon)
	require.NoError(t, err)
	assert.Len(t, public, ed25519.PublicKeySize)
	assert.Equal(t, uint64(3), reports[0].Anchored)
	record(t, s, "four")
	reports, err = s.VerifyJournals(t.Context())
	require.NoError(t, err)
	assert.Empty(t, reports[0].Problem)

	for what, values := range map[string][]string{
		"it is not the entry whose head was kept": {"one", "another", "three", "four"},
		"a head was kept of entry 3":              {"one"},
		"it is missing":                           nil,
	} {
		require.NoError(t, s.Close())
		rewrite(t, file, values...)
		s = h.open(t, "")
		reports, err = s.VerifyJournals(t.Context())
		require.NoError(t, err)
		require.Len(t, reports, 1, what)
		assert.Contains(t, reports[0].Problem, what)
		reports, _, err = s.AnchorJournals(t.Context(), noon)
		require.NoError(t, err)
		assert.NotEmpty(t, reports[0].Problem, "what is wrong is not signed")
	}
	require.NoError(t, os.Remove(s.JournalKeyFile()))
	reports, err = s.VerifyJournals(t.Context())
	require.NoError(t, err)
	assert.Contains(t, reports[0].Problem, "put it back")
}

func TestJournalsOfOtherTenantsAreVerifiedWithoutNamingThem(t *testing.T) {
	s := newHome(t, nil).open(t, "")
	for _, tenant := range []storage.TenantID{"ann@example.com", "bob\x00'; DROP TABLE journal", storage.Local} {
		h, err := s.For(tenant)
		require.NoError(t, err)
		for _, name := range []string{"approvals", "orders"} {
			j, err := h.Journal(name)
			require.NoError(t, err)
			_, err = j.Append(t.Context(), storage.NewEntry{Kind: "x"}, storage.NewEntry{Kind: "x"})
			require.NoError(t, err)
		}
	}
	reports, err := s.VerifyJournals(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 6)
	text, err := json.Marshal(reports)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "example.com")
	assert.Contains(t, string(text), `"local"`)
}

func TestAWebhookGetsTheSignedHeadAndACheckableHeader(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	id := storage.JournalID{Tenant: storage.Local, Name: "orders"}
	head, err := storage.SignHead(key, id, storage.JournalHead{Seq: 7, Hash: storage.Hash{1}}, noon)
	require.NoError(t, err)
	statuses := []int{http.StatusServiceUnavailable, http.StatusNoContent}
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, http.MethodPost, r.Method)
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		signature, err := base64.StdEncoding.DecodeString(r.Header.Get(SignatureHeader))
		assert.NoError(t, err)
		assert.True(t, ed25519.Verify(public, body, signature))
		var got storage.SignedHead
		assert.NoError(t, json.Unmarshal(body, &got))
		assert.NoError(t, storage.VerifyHead(public, got))
		assert.Equal(t, head, got)
		w.WriteHeader(statuses[min(calls, len(statuses)-1)])
		calls++
	}))
	defer server.Close()
	hook, err := WebhookAnchor(server.URL+"/hooks/hunter2", key, server.Client())
	require.NoError(t, err)
	require.NoError(t, hook(t.Context(), head))
	assert.Equal(t, 2, calls, "a busy receiver is asked again")

	calls, statuses = 0, []int{http.StatusForbidden}
	err = hook(t.Context(), head)
	require.ErrorContains(t, err, "403")
	assert.Equal(t, 1, calls, "a refusal is not")
	assert.NotContains(t, err.Error(), "hunter2")
	calls, statuses = 0, []int{http.StatusFound}
	require.ErrorContains(t, hook(t.Context(), head), "302")
	server.Close()
	err = hook(t.Context(), head)
	require.ErrorContains(t, err, "cannot be reached")
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestAnchorsThatAreNoneAreRefused(t *testing.T) {
	for _, setting := range []string{"http://example.com/hunter2", "https:///hunter2", "redis://:hunter2@h", "hunter2", "sqlite:///x"} {
		_, err := newHome(t, map[string]string{"TTAI_ANCHORS": setting}).open(t, "").Anchors()
		require.ErrorContains(t, err, "TTAI_ANCHORS")
		assert.NotContains(t, err.Error(), "hunter2")
		assert.True(t, IsUsage(err))
	}
	_, _, err := newHome(t, nil).open(t, "").AnchorJournals(t.Context(), noon)
	require.ErrorContains(t, err, "no anchor is set")
}

func TestATenantIsErasedFromAllEnginesOrFromNone(t *testing.T) {
	s := newHome(t, nil).open(t, "")
	fill(t, s, "value")
	c, ok := s.local(t).(storage.Custodian)
	require.True(t, ok)
	inventory, err := c.Inventory(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"reports"}, inventory.Buckets)
	assert.Equal(t, []string{"preferences"}, inventory.Records)
	require.NoError(t, c.Erase(t.Context()))
	inventory, err = c.Inventory(t.Context())
	require.NoError(t, err)
	assert.Equal(t, storage.Inventory{Journals: []string{"orders"}, Collections: map[string]int{}}, inventory)

	mixed := newHome(t, map[string]string{"TTAI_STORE": "queue=nats://127.0.0.1:1"}).open(t, "")
	fill(t, mixed, "value")
	c, ok = mixed.local(t).(storage.Custodian)
	require.True(t, ok)
	require.Error(t, c.Erase(t.Context()))
	zone, _, _ := contents(t, mixed)
	assert.Equal(t, "value", zone)
}
