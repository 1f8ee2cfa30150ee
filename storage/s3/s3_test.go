package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/s3"
	"github.com/ttai-go/ttai/storage/storagetest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own: []string{"internal/invalid", "storage"},
		Modules: []string{
			"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/credentials", "github.com/aws/aws-sdk-go-v2/service/s3", "github.com/aws/smithy-go",
		},
	})
}

// A server is a service in this process.
type server struct {
	*httptest.Server
	// before sees each request first, and answers it by returning true.
	before atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

type clock func() time.Time

func (c clock) Now() time.Time                                         { return c() }
func (c clock) Since(t time.Time) time.Duration                        { return c().Sub(t) }
func (s *server) hook(f func(http.ResponseWriter, *http.Request) bool) { s.before.Store(&f) }

func serve(t testing.TB, now func() time.Time) *server {
	t.Helper()
	backend := s3mem.New(s3mem.WithTimeSource(clock(now)))
	require.NoError(t, backend.CreateBucket("ttai"))
	fake := gofakes3.New(backend, gofakes3.WithTimeSource(clock(now)), gofakes3.WithTimeSkewLimit(0), gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.before.Load(); f != nil && (*f)(w, r) {
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func options(s *server) s3.Options {
	return s3.Options{Bucket: "ttai", Prefix: "p/", Endpoint: s.URL, PathStyle: true, AccessKey: "key", SecretKey: "secret", HTTPClient: s.Client()}
}

func openAt(t testing.TB, opts s3.Options) *s3.Store {
	t.Helper()
	s, err := s3.Open(opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func objects(t testing.TB, s storage.Store) storage.Objects {
	t.Helper()
	tenant, err := s.For("alice")
	require.NoError(t, err)
	o, err := tenant.Objects("reports")
	require.NoError(t, err)
	return o
}

func TestStore(t *testing.T) {
	servers := map[storage.Store]s3.Options{}
	again := func(t *testing.T, s storage.Store) storage.Store {
		opened := openAt(t, servers[s])
		servers[opened] = servers[s]
		return opened
	}
	storagetest.TestStore(t, storagetest.Harness{
		Open: func(t *testing.T, now func() time.Time) storage.Store {
			opts := options(serve(t, now))
			opts.Now = now
			s := openAt(t, opts)
			servers[s] = opts
			return s
		},
		Second: again,
		Reopen: func(t *testing.T, s storage.Store) storage.Store {
			require.NoError(t, s.Close())
			return again(t, s)
		},
	})
}

func TestOnlyObjectsAreSupported(t *testing.T) {
	s := openAt(t, options(serve(t, time.Now)))
	tenant, err := s.For("alice")
	require.NoError(t, err)
	_, err = tenant.KV("x")
	assert.ErrorIs(t, err, storage.ErrUnsupported)
	_, err = tenant.Records()
	assert.ErrorIs(t, err, storage.ErrUnsupported)
	_, err = s.Directory()
	assert.ErrorIs(t, err, storage.ErrUnsupported)
}

func TestBadOptionsAreNamed(t *testing.T) {
	good := options(serve(t, time.Now))
	for field, change := range map[string]func(*s3.Options){
		"Bucket":    func(o *s3.Options) { o.Bucket = "" },
		"Prefix":    func(o *s3.Options) { o.Prefix = "É" },
		"PartSize":  func(o *s3.Options) { o.PartSize = 1 },
		"AccessKey": func(o *s3.Options) { o.SecretKey = "" },
		"Endpoint":  func(o *s3.Options) { o.Endpoint = "localhost" },
	} {
		opts := good
		change(&opts)
		_, err := s3.Open(opts)
		var invalid *storage.FieldError
		require.ErrorAs(t, err, &invalid, field)
		assert.Equal(t, field, invalid.Field)
		assert.NotContains(t, err.Error(), "secret key=")
	}
}

// counted reads zeros, and tells how much memory was in use at most.
type counted struct {
	left    int64
	peak    uint64
	samples int
	n       int
}

func (c *counted) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if c.n++; c.n%256 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		c.peak = max(c.peak, m.HeapAlloc)
		c.samples++
	}
	n := int(min(int64(len(b)), c.left, 64<<10))
	clear(b[:n])
	c.left -= int64(n)
	return n, nil
}

func TestALargeUploadHoldsOnePartInMemory(t *testing.T) {
	s := serve(t, time.Now)
	var parts, aborted int
	s.hook(func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.Method == http.MethodPost && r.URL.Query().Has("uploads"):
			fmt.Fprint(w, `<InitiateMultipartUploadResult><Bucket>ttai</Bucket><Key>k</Key><UploadId>1</UploadId></InitiateMultipartUploadResult>`)
		case r.Method == http.MethodPut && r.URL.Query().Has("partNumber"):
			parts++
			_, _ = io.Copy(io.Discard, r.Body) // the service keeps nothing, so that only the client's memory counts
			w.Header().Set("ETag", fmt.Sprintf(`"%d"`, parts))
		case r.Method == http.MethodPost && r.URL.Query().Has("uploadId"):
			fmt.Fprint(w, `<CompleteMultipartUploadResult><ETag>"whole-1"</ETag></CompleteMultipartUploadResult>`)
		case r.Method == http.MethodDelete:
			aborted++
			w.WriteHeader(http.StatusNoContent)
		default:
			return false
		}
		return true
	})
	opts := options(s)
	opts.PartSize = 5 << 20
	o := objects(t, openAt(t, opts))
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const size = 64 << 20
	source := &counted{left: size}
	got, err := o.Put(t.Context(), "large", source, nil)
	require.NoError(t, err)
	assert.Equal(t, int64(size), got.Size)
	assert.Equal(t, `"whole-1"`, got.ETag)
	assert.Equal(t, 13, parts, "64 MiB in parts of 5")
	assert.Zero(t, aborted)
	assert.Positive(t, source.samples)
	assert.Less(t, source.peak, before.HeapAlloc+20<<20, "one part, and what the client needs")

	broken := errors.New("the source broke")
	_, err = o.Put(t.Context(), "large", io.MultiReader(&counted{left: 12 << 20}, failing{broken}), nil)
	assert.ErrorIs(t, err, broken)
	assert.Equal(t, 1, aborted, "the parts were removed")
	ctx, cancel := context.WithCancel(t.Context())
	_, err = o.Put(ctx, "large", io.MultiReader(&counted{left: 12 << 20}, cancelling{cancel}), nil)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 2, aborted, "also when the context has ended")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type cancelling struct{ cancel func() }

func (c cancelling) Read([]byte) (int, error) { c.cancel(); return 0, nil }

func TestAnObjectOfExactlyOnePartIsWhole(t *testing.T) {
	opts := options(serve(t, time.Now))
	opts.PartSize = 5 << 20
	o := objects(t, openAt(t, opts))
	for _, size := range []int{5<<20 - 1, 5 << 20, 5<<20 + 1, 10 << 20} {
		content := bytes.Repeat([]byte("x"), size)
		put, err := o.Put(t.Context(), "k", bytes.NewReader(content), &storage.PutOptions{Metadata: map[string]string{"size": fmt.Sprint(size)}})
		require.NoError(t, err)
		got, body, err := o.Get(t.Context(), "k", nil)
		require.NoError(t, err)
		data, err := io.ReadAll(body)
		require.NoError(t, errors.Join(err, body.Close()))
		assert.True(t, bytes.Equal(content, data), size)
		if size < 5<<20 { // the fake gives objects of several parts another ETag when they are read
			assert.Equal(t, put.ETag, got.ETag, size)
		}
		assert.Equal(t, map[string]string{"size": fmt.Sprint(size)}, got.Metadata)
	}
}

func TestALostConnectionIsUnavailableUntilItIsBack(t *testing.T) {
	s := serve(t, time.Now)
	opts := options(s)
	opts.Attempts = 2
	// On a connection used before, net/http sends a read a second time by itself;
	// on new ones only the client's own attempts are counted.
	transport := s.Client().Transport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	opts.HTTPClient = &http.Client{Transport: transport}
	o := objects(t, openAt(t, opts))
	_, err := o.Put(t.Context(), "k", strings.NewReader("kept"), nil)
	require.NoError(t, err)
	var requests atomic.Int64
	s.hook(func(w http.ResponseWriter, r *http.Request) bool { requests.Add(1); panic(http.ErrAbortHandler) })
	for name, call := range map[string]func() error{
		"conditional put": func() error {
			_, err := o.Put(t.Context(), "k", strings.NewReader("x"), &storage.PutOptions{IfAbsent: true})
			return err
		},
		"stat": func() error { _, err := o.Stat(t.Context(), "k"); return err },
	} {
		requests.Store(0)
		err := call()
		assert.ErrorIs(t, err, storage.ErrUnavailable, name)
		assert.NotErrorIs(t, err, storage.ErrConflict, name)
		assert.NotContains(t, err.Error(), "secret", name)
		assert.Equal(t, map[string]int64{"conditional put": 1, "stat": 2}[name], requests.Load(), "only what is safe is repeated")
	}
	s.hook(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			return false
		}
		w.Header().Set("Content-Length", "4")
		_, _ = w.Write([]byte("ke"))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	_, body, err := o.Get(t.Context(), "k", nil)
	require.NoError(t, err)
	_, err = io.ReadAll(body)
	assert.ErrorIs(t, err, storage.ErrUnavailable, "half an object is not taken for a whole one")
	_ = body.Close()

	s.hook(func(http.ResponseWriter, *http.Request) bool { return false })
	_, body, err = o.Get(t.Context(), "k", nil)
	require.NoError(t, err)
	data, err := io.ReadAll(body)
	require.NoError(t, errors.Join(err, body.Close()))
	assert.Equal(t, "kept", string(data))
}

func TestAFullOrForbiddingServiceIsSaidToBe(t *testing.T) {
	s := serve(t, time.Now)
	o := objects(t, openAt(t, options(s)))
	answer := func(status int, code string) {
		s.hook(func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(status)
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>m</Message></Error>", code)
			return true
		})
	}
	answer(http.StatusInsufficientStorage, "XMinioStorageFull")
	_, err := o.Put(t.Context(), "k", strings.NewReader("x"), &storage.PutOptions{IfAbsent: true})
	assert.ErrorIs(t, err, storage.ErrFull)
	answer(http.StatusForbidden, "AccessDenied")
	_, err = o.Put(t.Context(), "k", strings.NewReader("x"), nil)
	require.Error(t, err)
	assert.ErrorContains(t, err, "AccessDenied")
	assert.NotErrorIs(t, err, storage.ErrUnavailable, "trying again does not help")
}

func TestStoredNamesKeepTheOrderAndAreSafe(t *testing.T) {
	s := serve(t, time.Now)
	var paths []string
	s.hook(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			paths = append(paths, strings.TrimPrefix(r.URL.EscapedPath(), "/ttai/p/"))
		}
		return false
	})
	tenant, err := openAt(t, options(s)).For(storage.TenantID(strings.Repeat("\u20ac", 42)))
	require.NoError(t, err)
	o, err := tenant.Objects(strings.Repeat("b", 64))
	require.NoError(t, err)
	keys := []string{"..", "../x", "//", "a", "a/", "a/b", "é", strings.Repeat("\U0010FFFD", 128)}
	slices.Sort(keys)
	for _, key := range keys {
		_, err := o.Put(t.Context(), key, strings.NewReader(""), nil)
		require.NoError(t, err)
	}
	assert.True(t, slices.IsSorted(paths), "in the order of the keys")
	for _, path := range paths {
		assert.LessOrEqual(t, len(path), 1024-64)
		assert.NotContains(t, path, "%")
		for _, part := range strings.Split(path, "/") {
			assert.NotEmpty(t, part)
			assert.LessOrEqual(t, len(part), 255)
			assert.NotEqual(t, "..", part)
		}
	}
}

func BenchmarkPut1KB(b *testing.B) {
	o := objects(b, openAt(b, options(serve(b, time.Now))))
	content := strings.Repeat("x", 1<<10)
	for b.Loop() {
		if _, err := o.Put(b.Context(), "k", strings.NewReader(content), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet1KB(b *testing.B) {
	o := objects(b, openAt(b, options(serve(b, time.Now))))
	_, err := o.Put(b.Context(), "k", strings.NewReader(strings.Repeat("x", 1<<10)), nil)
	require.NoError(b, err)
	for b.Loop() {
		_, body, err := o.Get(b.Context(), "k", nil)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, body)
		_ = body.Close()
	}
}

func BenchmarkPut16MB(b *testing.B) {
	o := objects(b, openAt(b, options(serve(b, time.Now))))
	content := make([]byte, 16<<20)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if _, err := o.Put(b.Context(), "k", bytes.NewReader(content), nil); err != nil {
			b.Fatal(err)
		}
	}
}
