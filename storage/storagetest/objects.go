package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// TestObjects checks the contract of storage.Objects.
func TestObjects(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"an object is read as it was written", testObjectRoundTrip},
		{"a large object is streamed", testObjectLarge},
		{"metadata and content type are kept", testObjectMetadata},
		{"a range is read", testObjectRange},
		{"a missing object is ErrNotFound", testObjectMissing},
		{"a put that fails changes nothing", testObjectFailed},
		{"conditional puts", testObjectConditions},
		{"of racing puts of a new object one wins", testObjectRace},
		{"a reader sees one object to its end", testObjectReader},
		{"objects are listed in byte order, by prefix and after a key", testObjectList},
		{"ten thousand objects are listed once each", testObjectMany},
		{"buckets and tenants share nothing", testObjectTenants},
		{"bad arguments are refused by name", testObjectRefusals},
		{"a cancelled context ends every method", testObjectCancelled},
		{"two processes see each other's writes", testObjectSecond},
		{"what was written survives", testObjectReopen},
		{"a closed store says so", testObjectClosed},
	})
}

func (r *rig) objects() storage.Objects {
	r.t.Helper()
	return objectsOf(r.t, r.store, "alice", "reports")
}

func objectsOf(t *testing.T, s storage.Store, id storage.TenantID, bucket string) storage.Objects {
	t.Helper()
	o, err := tenantOf(t, s, id).Objects(bucket)
	check(t, err)
	return o
}

func store(t *testing.T, o storage.Objects, key, content string) storage.Object {
	t.Helper()
	got, err := o.Put(t.Context(), key, strings.NewReader(content), nil)
	check(t, err)
	return got
}

func fetch(t *testing.T, o storage.Objects, key string, rng *storage.Range) (storage.Object, string) {
	t.Helper()
	obj, body, err := o.Get(t.Context(), key, rng)
	check(t, err)
	data, err := io.ReadAll(body)
	check(t, err)
	check(t, body.Close())
	return obj, string(data)
}

func wantObject(t *testing.T, o storage.Objects, key, content string) storage.Object {
	t.Helper()
	obj, got := fetch(t, o, key, nil)
	if got != content {
		t.Fatalf("object %q: got %q, want %q", key, cut(got), cut(content))
	}
	want(t, "key", obj.Key, key)
	want(t, "size", obj.Size, int64(len(content)))
	if obj.ETag == "" {
		t.Fatal("no ETag")
	}
	return obj
}

func keysOf(t *testing.T, o storage.Objects, prefix, after string) []string {
	t.Helper()
	var keys []string
	for obj, err := range o.List(t.Context(), prefix, after) {
		check(t, err)
		keys = append(keys, obj.Key)
	}
	return keys
}

// objectKeys come in byte order.
var objectKeys = []string{
	" a", "%2e", "*?[a]", "..", "../up", "./a", "/", "//", "/a", "A", "CON", "a", "a ", "a b", "a+b", "a.", "a/", "a/../b", "a/b", "a/b/c", "a0",
	`back\slash`, "e\u0301", "nul.txt", "quote'\"`", "é", "日本語",
}

func testObjectRoundTrip(r *rig) {
	t, o := r.t, r.objects()
	keys := append([]string{strings.Repeat("k", storage.MaxObjectKey), strings.Repeat("é/", 170)}, objectKeys...)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, key := range keys {
		content := []string{"", string(every), "text " + key}[i%3]
		put := store(t, o, key, content)
		want(t, "size", put.Size, int64(len(content)))
		got := wantObject(t, o, key, content)
		want(t, "ETag", got.ETag, put.ETag)
		want(t, "content type", got.ContentType, "application/octet-stream")
		stat, err := o.Stat(t.Context(), key)
		check(t, err)
		want(t, "ETag of Stat", stat.ETag, put.ETag)
		want(t, "size of Stat", stat.Size, put.Size)
	}
	for i, key := range keys {
		wantObject(t, o, key, []string{"", string(every), "text " + key}[i%3])
	}
	old := store(t, o, "a", "1")
	if again := store(t, o, "a", "2"); again.ETag == old.ETag {
		t.Fatal("other content has the same ETag")
	}
	wantObject(t, o, "a", "2")
}

// patterned is a stream of so many bytes that are never all in memory.
func patterned(n int64) io.Reader { return io.LimitReader(&pattern{}, n) }

type pattern struct{ at int64 }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.at * 31 >> 4)
		p.at++
	}
	return len(b), nil
}

func testObjectLarge(r *rig) {
	t, o := r.t, r.objects()
	const size = 20 << 20
	put, err := o.Put(t.Context(), "large", patterned(size), nil)
	check(t, err)
	want(t, "size", put.Size, int64(size))
	_, body, err := o.Get(t.Context(), "large", nil)
	check(t, err)
	defer body.Close()
	same, err := equal(body, patterned(size))
	check(t, err)
	want(t, "the same content", same, true)
	_, part := fetch(t, o, "large", &storage.Range{Offset: size - 5, Length: 100})
	tail := make([]byte, 5)
	(&pattern{at: size - 5}).Read(tail)
	want(t, "the end", part, string(tail))
}

func equal(a, b io.Reader) (bool, error) {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(a, x)
		m, err2 := io.ReadFull(b, y)
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return false, err
		}
		if ended {
			return err2 != nil, nil
		}
	}
}

func testObjectMetadata(r *rig) {
	t, o := r.t, r.objects()
	metadata := map[string]string{"strategy": "gamma scalping", "run-2": "é 日本 \"quoted\" a=b; c", "empty": "", "x": strings.Repeat("y", 900)}
	opts := &storage.PutOptions{ContentType: "application/x-ndjson", Metadata: metadata}
	before := r.now()
	_, err := o.Put(t.Context(), "a", strings.NewReader("1"), opts)
	check(t, err)
	got := wantObject(t, o, "a", "1")
	stat, err := o.Stat(t.Context(), "a")
	check(t, err)
	for _, obj := range []storage.Object{got, stat} {
		want(t, "content type", obj.ContentType, "application/x-ndjson")
		if !maps.Equal(obj.Metadata, metadata) {
			t.Fatalf("metadata %q, want %q", obj.Metadata, metadata)
		}
		if d := obj.Modified.Sub(before); d < -2*time.Second || d > time.Minute {
			t.Errorf("modified at %v, want about %v", obj.Modified, before)
		}
	}
	store(t, o, "a", "2")
	want(t, "metadata after it was replaced", len(wantObject(t, o, "a", "2").Metadata), 0)
}

func testObjectRange(r *rig) {
	t, o := r.t, r.objects()
	store(t, o, "a", "0123456789")
	store(t, o, "empty", "")
	for _, test := range []struct {
		offset, length int64
		want           string
	}{{0, 0, "0123456789"}, {0, 3, "012"}, {3, 4, "3456"}, {8, 0, "89"}, {9, 1, "9"}, {5, 100, "56789"}} {
		obj, got := fetch(t, o, "a", &storage.Range{Offset: test.offset, Length: test.length})
		want(t, fmt.Sprintf("%d bytes from %d", test.length, test.offset), got, test.want)
		want(t, "size of the whole", obj.Size, 10)
	}
	_, got := fetch(t, o, "empty", &storage.Range{Length: 5})
	want(t, "the beginning of nothing", got, "")
	for _, offset := range []int64{-1, 10, 11} {
		_, _, err := o.Get(t.Context(), "a", &storage.Range{Offset: offset})
		wantField(t, err, "Offset")
	}
	_, _, err := o.Get(t.Context(), "a", &storage.Range{Length: -1})
	wantField(t, err, "Length")
}

func testObjectMissing(r *rig) {
	t, o := r.t, r.objects()
	_, _, err := o.Get(t.Context(), "never", nil)
	wantIs(t, err, storage.ErrNotFound)
	_, err = o.Stat(t.Context(), "never")
	wantIs(t, err, storage.ErrNotFound)
	check(t, o.Delete(t.Context(), "never"))
	store(t, o, "once", "x")
	check(t, o.Delete(t.Context(), "once"))
	_, _, err = o.Get(t.Context(), "once", nil)
	wantIs(t, err, storage.ErrNotFound)
	wantAll(t, "keys", keysOf(t, o, "", ""), nil)
	store(t, o, "a/b", "x") // a name may be both a file and a folder
	store(t, o, "a", "y")
	check(t, o.Delete(t.Context(), "a"))
	wantObject(t, o, "a/b", "x")
}

// failing gives some bytes and then an error.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

func testObjectFailed(r *rig) {
	t, o := r.t, r.objects()
	store(t, o, "a", "old")
	broken := errors.New("the source broke")
	for _, key := range []string{"a", "b"} {
		_, err := o.Put(t.Context(), key, &failing{strings.NewReader("half of it"), broken}, nil)
		wantIs(t, err, broken)
	}
	ctx, cancel := context.WithCancel(t.Context())
	body := io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) { cancel(); return 0, nil }), patterned(1<<20))
	_, err := o.Put(ctx, "a", body, nil)
	wantIs(t, err, context.Canceled)
	wantObject(t, o, "a", "old")
	wantAll(t, "keys", keysOf(t, o, "", ""), []string{"a"})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) {
	if _, err := f(b); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

func testObjectConditions(r *rig) {
	t, o := r.t, r.objects()
	try := func(content string, opts storage.PutOptions) (storage.Object, error) {
		return o.Put(t.Context(), "a", strings.NewReader(content), &opts)
	}
	_, err := try("x", storage.PutOptions{IfMatch: "\"0123456789abcdef0123456789abcdef\""})
	wantIs(t, err, storage.ErrConflict)
	first, err := try("1", storage.PutOptions{IfAbsent: true})
	check(t, err)
	_, err = try("2", storage.PutOptions{IfAbsent: true})
	wantIs(t, err, storage.ErrConflict)
	second, err := try("2", storage.PutOptions{IfMatch: first.ETag})
	check(t, err)
	_, err = try("3", storage.PutOptions{IfMatch: first.ETag})
	wantIs(t, err, storage.ErrConflict)
	want(t, "ETag", wantObject(t, o, "a", "2").ETag, second.ETag)
	check(t, o.Delete(t.Context(), "a"))
	_, err = try("3", storage.PutOptions{IfMatch: second.ETag})
	wantIs(t, err, storage.ErrConflict)
	_, err = try("4", storage.PutOptions{IfAbsent: true})
	check(t, err)
}

func testObjectRace(r *rig) { r.objectRace(r.objects(), r.objects()) }

func (r *rig) objectRace(objects ...storage.Objects) {
	t := r.t
	var wins atomic.Int32
	var winner atomic.Value
	var group sync.WaitGroup
	for i := range 8 {
		o := objects[i%len(objects)]
		group.Go(func() {
			content := strings.Repeat(fmt.Sprint(i), 10_000)
			_, err := o.Put(t.Context(), "raced", strings.NewReader(content), &storage.PutOptions{IfAbsent: true})
			if err == nil {
				wins.Add(1)
				winner.Store(content)
			} else if !errors.Is(err, storage.ErrConflict) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	want(t, "winners", wins.Load(), 1)
	got := wantObject(t, objects[0], "raced", winner.Load().(string))
	wins.Store(0)
	for i := range 8 {
		o := objects[i%len(objects)]
		group.Go(func() {
			_, err := o.Put(t.Context(), "raced", strings.NewReader(fmt.Sprint("new ", i)), &storage.PutOptions{IfMatch: got.ETag})
			if err == nil {
				wins.Add(1)
			} else if !errors.Is(err, storage.ErrConflict) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	want(t, "winners of a replacement", wins.Load(), 1)
}

func testObjectReader(r *rig) {
	t, o := r.t, r.objects()
	const size = 3 << 20
	old := strings.Repeat("o", size)
	store(t, o, "a", old)
	_, body, err := o.Get(t.Context(), "a", nil)
	check(t, err)
	defer body.Close()
	begin := make([]byte, 10)
	_, err = io.ReadFull(body, begin)
	check(t, err)
	store(t, o, "a", strings.Repeat("n", size))
	check(t, o.Delete(t.Context(), "a"))
	rest, err := io.ReadAll(body)
	check(t, err)
	if got := string(begin) + string(rest); got != old {
		t.Fatalf("the reader got %d bytes that are not all of the old object", len(got))
	}
}

func testObjectList(r *rig) {
	t, o := r.t, r.objects()
	wantAll(t, "nothing", keysOf(t, o, "", ""), nil)
	for i := range objectKeys {
		store(t, o, objectKeys[i*7%len(objectKeys)], "x")
	}
	keys := slices.Sorted(slices.Values(objectKeys))
	wantAll(t, "all", keysOf(t, o, "", ""), keys)
	wantAll(t, "in a/", keysOf(t, o, "a/", ""), []string{"a/", "a/../b", "a/b", "a/b/c"})
	wantAll(t, "after a/b", keysOf(t, o, "a/", "a/b"), []string{"a/b/c"})
	wantAll(t, "after what is not there", keysOf(t, o, "a/", "a/a"), []string{"a/b", "a/b/c"})
	wantAll(t, "after an earlier one", keysOf(t, o, "a/b", "A"), []string{"a/b", "a/b/c"})
	wantAll(t, "after a later one", keysOf(t, o, "a/", "z"), nil)
	wantAll(t, "patterns", keysOf(t, o, "*", ""), []string{"*?[a]"})
	wantAll(t, "up", keysOf(t, o, "..", ""), []string{"..", "../up"})
	wantAll(t, "no such", keysOf(t, o, "zz", ""), nil)
	for obj, err := range o.List(t.Context(), "a/b", "") {
		check(t, err)
		want(t, "size", obj.Size, 1)
		if stat, err := o.Stat(t.Context(), obj.Key); err != nil || stat.ETag != obj.ETag || stat.Modified.Sub(obj.Modified).Abs() > 2*time.Second {
			t.Errorf("List and Stat of %q differ: %v", obj.Key, err)
		}
		check(t, o.Delete(t.Context(), obj.Key))
	}
	wantAll(t, "what is left", keysOf(t, o, "a/", ""), []string{"a/", "a/../b"})
}

func testObjectMany(r *rig) {
	t, o := r.t, r.objects()
	const n = 10_000
	wanted := make([]string, n)
	var group sync.WaitGroup
	for i := range n {
		wanted[i] = fmt.Sprintf("k/%05d", i)
	}
	for w := range 8 {
		group.Go(func() {
			for i := w; i < n; i += 8 {
				if _, err := o.Put(t.Context(), wanted[i], strings.NewReader("x"), nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	store(t, o, "other", "x")
	wantAll(t, "keys", keysOf(t, o, "k/", ""), wanted)
	wantAll(t, "the second half", keysOf(t, o, "k/", wanted[n/2-1]), wanted[n/2:])
}

func testObjectTenants(r *rig) {
	t := r.t
	for i, id := range hostile {
		o := objectsOf(t, r.store, id, "reports")
		wantAll(t, "keys of a new tenant", keysOf(t, o, "", ""), nil)
		store(t, o, "../a/reports/k", fmt.Sprint(i))
	}
	for i, id := range hostile {
		o := objectsOf(t, r.store, id, "reports")
		wantAll(t, "keys", keysOf(t, o, "", ""), []string{"../a/reports/k"})
		wantObject(t, o, "../a/reports/k", fmt.Sprint(i))
		wantAll(t, "keys of another bucket", keysOf(t, objectsOf(t, r.store, id, "others"), "", ""), nil)
	}
	check(t, objectsOf(t, r.store, "a", "reports").Delete(t.Context(), "../a/reports/k"))
	wantObject(t, objectsOf(t, r.store, "A", "reports"), "../a/reports/k", "1")
}

func testObjectRefusals(r *rig) {
	t, o := r.t, r.objects()
	for _, key := range []string{"", "a\x00", "a\n", "a\xff", strings.Repeat("k", storage.MaxObjectKey+1)} {
		_, err := o.Put(t.Context(), key, strings.NewReader(""), nil)
		wantField(t, err, "key")
		_, _, err = o.Get(t.Context(), key, nil)
		wantField(t, err, "key")
		_, err = o.Stat(t.Context(), key)
		wantField(t, err, "key")
		wantField(t, o.Delete(t.Context(), key), "key")
	}
	for field, opts := range map[string]storage.PutOptions{
		"IfMatch":     {IfAbsent: true, IfMatch: "x"},
		"ContentType": {ContentType: "a\nb"},
		"Metadata":    {Metadata: map[string]string{"A": "x"}},
	} {
		_, err := o.Put(t.Context(), "a", strings.NewReader(""), &opts)
		wantField(t, err, field)
	}
	_, err := o.Put(t.Context(), "a", strings.NewReader(""), &storage.PutOptions{Metadata: map[string]string{"a": strings.Repeat("x", 1024)}})
	wantField(t, err, "Metadata")
}

func testObjectCancelled(r *rig) {
	t, o, ctx := r.t, r.objects(), cancelled(r.t)
	store(t, o, "a", "x")
	_, err := o.Put(ctx, "b", strings.NewReader("x"), nil)
	wantIs(t, err, context.Canceled)
	_, _, err = o.Get(ctx, "a", nil)
	wantIs(t, err, context.Canceled)
	_, err = o.Stat(ctx, "a")
	wantIs(t, err, context.Canceled)
	wantIs(t, o.Delete(ctx, "a"), context.Canceled)
	n := 0
	for _, err := range o.List(ctx, "", "") {
		wantIs(t, err, context.Canceled)
		n++
	}
	want(t, "errors of List", n, 1)
	wantAll(t, "keys", keysOf(t, o, "", ""), []string{"a"})
}

func testObjectSecond(r *rig) {
	t, o := r.t, r.objects()
	other := objectsOf(t, r.second(), "alice", "reports")
	store(t, o, "a", "here")
	wantObject(t, other, "a", "here")
	store(t, other, "a", "there")
	wantObject(t, o, "a", "there")
	r.objectRace(o, other)
}

func testObjectReopen(r *rig) {
	t, o := r.t, r.objects()
	put := store(t, o, "a", "kept")
	store(t, o, "b", "gone")
	check(t, o.Delete(t.Context(), "b"))
	r.crash()
	o = r.objects()
	want(t, "ETag", wantObject(t, o, "a", "kept").ETag, put.ETag)
	wantAll(t, "keys", keysOf(t, o, "", ""), []string{"a"})
}

func testObjectClosed(r *rig) {
	t, o := r.t, r.objects()
	check(t, r.store.Close())
	_, err := o.Put(t.Context(), "a", strings.NewReader(""), nil)
	wantIs(t, err, storage.ErrClosed)
	_, _, err = o.Get(t.Context(), "a", nil)
	wantIs(t, err, storage.ErrClosed)
	_, err = o.Stat(t.Context(), "a")
	wantIs(t, err, storage.ErrClosed)
	wantIs(t, o.Delete(t.Context(), "a"), storage.ErrClosed)
	for _, err := range o.List(t.Context(), "", "") {
		wantIs(t, err, storage.ErrClosed)
	}
}
