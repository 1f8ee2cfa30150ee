package app

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
)

// home is a user's folders and variables, for the tests of stores.
type home struct {
	variables map[string]string
	std       IO
}

func newHome(t *testing.T, variables map[string]string) home {
	t.Helper()
	dir := t.TempDir()
	if variables == nil {
		variables = map[string]string{}
	}
	env := Environment{
		Getenv:    func(name string) string { return variables[name] },
		ConfigDir: filepath.Join(dir, "config"), DataDir: filepath.Join(dir, "data"),
	}
	return home{variables, IO{Environment: env}}
}

func (p home) store(t *testing.T, flag, env string) (*Store, error) {
	t.Helper()
	sources, err := p.std.Environment.Sources()
	require.NoError(t, err)
	s, err := StoreFlags{Store: flag}.OpenStore(env, sources, p.std)
	if err == nil {
		t.Cleanup(func() { assert.NoError(t, s.Close()) })
	}
	return s, err
}

func (p home) open(t *testing.T, setting string) *Store {
	t.Helper()
	s, err := p.store(t, setting, "")
	require.NoError(t, err)
	return s
}

func (s *Store) local(t *testing.T) storage.Tenant {
	t.Helper()
	h, err := s.For(storage.Local)
	require.NoError(t, err)
	return h
}

func TestNothingNamedMeansAFileOfTheEnvironmentMadeAtTheFirstUse(t *testing.T) {
	p := newHome(t, nil)
	for _, env := range []string{"simulator", "production"} {
		s, err := p.store(t, "", env)
		require.NoError(t, err)
		file := filepath.Join(p.std.Environment.DataDir, env, "ttai.db")
		h := s.local(t)
		assert.NoFileExists(t, file, "nothing was used yet")
		r, err := storage.Open(h)
		require.NoError(t, err)
		_, err = r.Preferences.Put(t.Context(), storage.Preferences{User: "ann", TimeZone: env})
		require.NoError(t, err)
		assert.FileExists(t, file)
		assert.NoDirExists(t, filepath.Join(filepath.Dir(file), "ttai.objects"), "no object was stored yet")
		objects, err := h.Objects("reports")
		require.NoError(t, err)
		_, err = objects.Put(t.Context(), "one", strings.NewReader("body"), nil)
		require.NoError(t, err)
		assert.DirExists(t, filepath.Join(filepath.Dir(file), "ttai.objects"))
	}
	s := p.open(t, "") // the simulator's
	r, err := storage.Open(s.local(t))
	require.NoError(t, err)
	got, err := r.Preferences.Get(t.Context(), "ann")
	require.NoError(t, err)
	assert.Equal(t, "simulator", got.Value.TimeZone)
}

func TestEachPartGoesToTheEngineThatIsNamedForIt(t *testing.T) {
	p := newHome(t, nil)
	dir := t.TempDir()
	s := p.open(t, "mem:// kv,limiter=sqlite://"+filepath.ToSlash(filepath.Join(dir, "kv.db"))+" objects=file://"+filepath.ToSlash(dir)+"/objects")
	h := s.local(t)
	kv, err := h.KV("x")
	require.NoError(t, err)
	require.NoError(t, kv.Put(t.Context(), "k", []byte("v"), 0))
	_, err = h.Limiter()
	require.NoError(t, err)
	_, err = h.Records()
	require.NoError(t, err)
	_, err = s.Directory()
	require.NoError(t, err)
	objects, err := h.Objects("x")
	require.NoError(t, err)
	_, err = objects.Put(t.Context(), "k", strings.NewReader("v"), nil)
	require.NoError(t, err)

	again := p.open(t, "mem:// kv=sqlite://"+filepath.ToSlash(filepath.Join(dir, "kv.db"))+" objects=file://"+filepath.ToSlash(dir)+"/objects")
	kv, err = again.local(t).KV("x")
	require.NoError(t, err)
	got, err := kv.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, "v", string(got.Data))
	objects, err = again.local(t).Objects("x")
	require.NoError(t, err)
	_, err = objects.Stat(t.Context(), "k")
	require.NoError(t, err)
	list, err := s.Engines(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 3)
	assert.Equal(t, []string{"kv", "limiter"}, list[1].Parts)
	assert.Positive(t, list[1].Version)
	assert.Equal(t, []string{"objects"}, list[2].Parts)
}

func TestSettingsOfAStoreAreRefusedWithTheNearestThatIsAllowedAndWithoutSecrets(t *testing.T) {
	const secret = "hunter2hunter2"
	for want, setting := range map[string]string{
		"postgres:, which is the nearest": "postgre://ann:" + secret + "@db/x",
		"beginning with its scheme":       secret + "@db:5432/x",
		"with its scheme and a colon":     secret,
		"limiter, which is the nearest":   "mem:// limit=redis://:" + secret + "@db",
		"an engine that has records":      "mem:// records=redis://:" + secret + "@db",
		"one URL alone":                   "mem:// redis://:" + secret + "@db",
		"each part once":                  "mem:// kv=redis://:" + secret + "@db kv=redis://:" + secret + "@db2",
		"busy, which is the nearest":      "sqlite:///x?bussy=" + secret,
		"three slashes":                   "sqlite://x.db",
		"a duration such as":              "sqlite:///x?busy=long",
		"a whole number":                  "nats://ann:" + secret + "@h?replicas=two",
		"one of prefix, replicas":         "nats://ann:" + secret + "@h?token=" + secret,
		"true or false":                   "s3://key:" + secret + "@b?path_style=maybe",
		"AWS_SECRET_ACCESS_KEY set":       "s3://key@b",
		"name=value":                      "redis://:" + secret + "@h?%zz",
	} {
		_, err := newHome(t, map[string]string{"TTAI_STORE": setting}).store(t, "", "")
		require.Error(t, err, want)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), secret, want)
		assert.True(t, IsUsage(err), want)
	}
	_, err := newHome(t, nil).store(t, "", "live")
	assert.ErrorContains(t, err, "simulator, sandbox or production")
}

func TestAPasswordIsNotTakenFromTheCommandLine(t *testing.T) {
	const setting = "mem:// kv=redis://:hunter2@127.0.0.1"
	_, err := newHome(t, nil).store(t, setting, "")
	require.ErrorContains(t, err, "TTAI_STORE")
	assert.NotContains(t, err.Error(), "hunter2")
	p := newHome(t, map[string]string{"TTAI_STORE": setting})
	_, err = p.store(t, setting, "") // as the flag's value comes out of the variable
	require.NoError(t, err)
}

func TestWhatIsShownOfAURLHoldsNoSecret(t *testing.T) {
	for raw, want := range map[string]string{
		"postgres://ann:pass@db:5432/ttai?password=pass":      "postgres://db:5432/ttai",
		"postgres://ann:pass@db1,db2:5433/ttai":               "postgres://db1,db2:5433/ttai",
		"redis://:p@ss@db:6379/0":                             "redis://db:6379/0",
		"rediss://u:pa/ss@db:6379/0":                          "rediss://…",
		"nats://ann:pass@h1:4222,nats://bob:pass@h2:4222":     "nats://h1:4222,nats://h2:4222",
		"s3://key:pass@bucket/prefix?endpoint=https://pass@x": "s3://bucket/prefix",
		"s3://key:pa,ss@bucket":                               "s3://…",
		"sqlite:///srv/ttai.db?busy=5s":                       "sqlite:///srv/ttai.db",
	} {
		assert.Equal(t, want, redactURL(raw))
	}
}

func TestAPathIsReadFromItsURLOnEverySystem(t *testing.T) {
	for raw, want := range map[string]string{
		"sqlite:///srv/My%20Data/ttai.db": "/srv/My Data/ttai.db",
		"sqlite:///C:/Users/ann/ttai.db":  "C:/Users/ann/ttai.db",
		"sqlite:here.db":                  "here.db",
		"file:///srv/objects":             "/srv/objects",
	} {
		u, err := parseStoreURL(raw)
		require.NoError(t, err)
		got, err := u.path()
		require.NoError(t, err)
		assert.Equal(t, want, filepath.ToSlash(got))
	}
	u, err := parseStoreURL(fileURL("sqlite", "/srv/a b?c#d%.db"))
	require.NoError(t, err)
	got, err := u.path()
	require.NoError(t, err)
	assert.Equal(t, "/srv/a b?c#d%.db", filepath.ToSlash(got))
}

func TestAStoreThatCannotBeOpenedSaysWhatToDoAndIsTriedAgain(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ttai.db")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("this is no database ", 100)), 0o600))
	s := newHome(t, nil).open(t, "sqlite://"+filepath.ToSlash(file))
	h := s.local(t)
	_, err := h.Records()
	require.ErrorIs(t, err, storage.ErrCorrupt)
	assert.Contains(t, err.Error(), "ttai restore")
	require.NoError(t, os.Remove(file))
	_, err = h.Records()
	require.NoError(t, err, "the cause is gone")

	const secret = "hunter2hunter2"
	for _, setting := range []string{"redis://:" + secret + "@127.0.0.1:1/0", "nats://ann:" + secret + "@127.0.0.1:1", "postgres://ann:" + secret + "@127.0.0.1:1/x"} {
		s := newHome(t, map[string]string{"TTAI_STORE": setting}).open(t, "")
		_, err := s.local(t).KV("x")
		require.ErrorIs(t, err, storage.ErrUnavailable)
		assert.Contains(t, err.Error(), "see that the server runs")
		assert.NotContains(t, err.Error(), secret)
		_, err = s.local(t).Objects("x")
		assert.Error(t, err)
	}
}

func TestAClosedStoreIsClosedAlsoWhenItWasNeverOpened(t *testing.T) {
	p := newHome(t, nil)
	sources, err := p.std.Environment.Sources()
	require.NoError(t, err)
	s, err := StoreFlags{}.OpenStore("", sources, p.std)
	require.NoError(t, err)
	h := s.local(t)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = h.Records()
	require.ErrorIs(t, err, storage.ErrClosed)
	_, err = s.For(storage.Local)
	require.ErrorIs(t, err, storage.ErrClosed)
}

func TestAnObjectStoreTakesItsCredentialsFromTheURLOrTheVariables(t *testing.T) {
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("results"))
	service := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(service.Close)
	for setting, variables := range map[string]map[string]string{
		"mem:// objects=s3://key:se%2Fcret@results/one?endpoint=" + service.URL: {},
		"mem:// objects=s3://results/two?region=eu&endpoint=" + service.URL:     {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"},
	} {
		variables["TTAI_STORE"] = setting
		objects, err := newHome(t, variables).open(t, "").local(t).Objects("x")
		require.NoError(t, err)
		_, err = objects.Put(t.Context(), "k", strings.NewReader("v"), nil)
		require.NoError(t, err)
	}
	list, err := backend.ListBucket("results", &gofakes3.Prefix{}, gofakes3.ListBucketPage{})
	require.NoError(t, err)
	require.Len(t, list.Contents, 2)
	assert.True(t, strings.HasPrefix(list.Contents[0].Key, "one/"))
	assert.True(t, strings.HasPrefix(list.Contents[1].Key, "two/"))
}

func TestAListOfURLsInTheFileMayHoldCommas(t *testing.T) {
	p := newHome(t, nil)
	require.NoError(t, os.MkdirAll(p.std.Environment.ConfigDir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(p.std.Environment.ConfigDir, "config.json"),
		[]byte(`{"store": ["mem://", "queue=nats://a:4222,nats://b:4222", "kv=redis://h?prefix={env}"]}`), 0o600))
	s, err := p.store(t, "", "sandbox")
	require.NoError(t, err)
	list, err := s.Engines(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 3)
	assert.Equal(t, "nats://a:4222,nats://b:4222", list[1].Store)
	assert.Equal(t, []string{"queue"}, list[1].Parts)
	assert.Equal(t, "redis://h?prefix=sandbox", s.parts["kv"].url.raw)
}

func TestAServerRemembersAnswersInItsOwnMemoryUnlessAnEngineIsNamedForIt(t *testing.T) {
	cache, err := memory.New(nil)
	require.NoError(t, err)
	defer cache.Close()
	dir := t.TempDir()
	setting := "mem:// kv=sqlite://" + filepath.ToSlash(filepath.Join(dir, "kv.db"))
	put := func(setting, env, value string) {
		s, err := newHome(t, nil).store(t, setting, env)
		require.NoError(t, err)
		h, err := s.Serving(cache).For(storage.Local)
		require.NoError(t, err)
		kv, err := h.KV("tools.cache")
		require.NoError(t, err)
		require.NoError(t, kv.Put(t.Context(), "k", []byte(value), time.Hour))
		other, err := h.KV("other")
		require.NoError(t, err)
		require.NoError(t, other.Put(t.Context(), "k", []byte(value), 0))
	}
	remembered := func(s storage.Store, space string) string {
		h, err := s.For(storage.Local)
		require.NoError(t, err)
		kv, err := h.KV(space)
		require.NoError(t, err)
		got, err := kv.Get(t.Context(), "k")
		if errors.Is(err, storage.ErrNotFound) {
			return "nothing"
		}
		require.NoError(t, err)
		return string(got.Data)
	}
	put("mem://", "production", "not shared")
	assert.Equal(t, "not shared", remembered(cache, "tools.cache"))
	put(setting, "simulator", "simulated")
	assert.Equal(t, "simulated", remembered(cache, "tools.cache"))
	shared := newHome(t, nil).open(t, setting)
	assert.Equal(t, "simulated", remembered(shared, "other"), "all else is the store's")
	put(setting, "production", "real")
	put(setting, "sandbox", "of the sandbox")
	assert.Equal(t, "real", remembered(shared, "tools.cache.production"))
	assert.Equal(t, "of the sandbox", remembered(shared, "tools.cache.sandbox"))
	assert.Equal(t, "simulated", remembered(cache, "tools.cache"))
}

func TestTheDataFolderIsWhereTheSystemWantsIt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the table has paths of Unix")
	}
	for _, row := range []struct {
		system string
		vars   map[string]string
		want   string
	}{
		{"linux", map[string]string{"HOME": "/home/ann"}, "/home/ann/.local/share/ttai"},
		{"linux", map[string]string{"HOME": "/home/ann", "XDG_DATA_HOME": "/data"}, "/data/ttai"},
		{"linux", map[string]string{"HOME": "/home/ann", "XDG_DATA_HOME": "relative"}, "/home/ann/.local/share/ttai"},
		{"linux", nil, "/config/ttai"},
		{"darwin", map[string]string{"HOME": "/Users/ann"}, "/config/ttai"},
		{"windows", map[string]string{"LocalAppData": "/Local"}, "/Local/ttai"},
		{"windows", nil, "/config/ttai"},
	} {
		assert.Equal(t, row.want, dataDir(row.system, func(name string) string { return row.vars[name] }, "/config/ttai"), row)
	}
}

// The engines that are servers, with URLs as people write them.
func TestServersAreOpenedByTheirURLs(t *testing.T) {
	for part, variable := range map[string]string{"records": "TTAI_TEST_POSTGRES", "kv": "TTAI_TEST_REDIS", "queue": "TTAI_TEST_NATS"} {
		t.Run(part, func(t *testing.T) {
			raw := os.Getenv(variable)
			if raw == "" {
				t.Skip("set " + variable + " to a server's URL to run this")
			}
			separator := "?"
			if strings.Contains(raw, "?") {
				separator = "&"
			}
			option := map[string]string{"records": "search_path=" + ownSchema(t, part, raw), "kv": "prefix=ttai-app-test", "queue": "prefix=ttai-app-test"}[part]
			s := newHome(t, map[string]string{"TTAI_STORE": "mem:// " + strings.Replace(part, "records", "records,journal", 1) + "=" + raw + separator + option}).open(t, "")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			require.NoError(t, s.Ready(ctx))
			list, err := s.Engines(ctx)
			require.NoError(t, err)
			require.Len(t, list, 2)
			assert.Contains(t, list[1].Parts, part)
			if part != "records" {
				return
			}
			assert.Positive(t, list[1].Version)
			assert.Zero(t, list[1].Pending)
			record(t, s, "one", "two")
			reports, err := s.VerifyJournals(ctx)
			require.NoError(t, err)
			require.Len(t, reports, 1)
			assert.Equal(t, uint64(2), reports[0].Entries)
			assert.Empty(t, reports[0].Problem)
		})
	}
}

// ownSchema names a schema of a PostgreSQL that is dropped after the test.
func ownSchema(t *testing.T, part, url string) string {
	t.Helper()
	if part != "records" {
		return ""
	}
	schema := "ttai_app_" + strings.ToLower(rand.Text()[:8])
	t.Cleanup(func() {
		ctx := context.Background()
		c, err := pgx.Connect(ctx, url)
		require.NoError(t, err)
		_, err = c.Exec(ctx, "DROP SCHEMA IF EXISTS "+schema+" CASCADE")
		assert.NoError(t, err)
		assert.NoError(t, c.Close(ctx))
	})
	return schema
}
