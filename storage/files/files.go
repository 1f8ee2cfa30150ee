// Package files keeps objects in a folder of the local disk. It has objects only;
// storage.Combine puts it beside a database.
//
// The folder belongs to this package: what is in it is named by hashes, so that no
// key of any tenant can name a file, whatever it contains and whatever the file
// system thinks of letter case, dots or reserved names. Each file begins with a
// header that has the key, the metadata and the ETag. Everything goes through an
// os.Root: a link that leads out of the folder is not followed.
//
// A put is on disk before it returns. It is written beside its place and renamed,
// so that a reader, or a process that dies, never sees half of it. Several
// processes may use one folder; conditional puts of different processes exclude
// each other by a lock file that is taken over after a minute, should its owner
// have died.
package files

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

var (
	_ storage.Store   = (*Store)(nil)
	_ storage.Objects = (*bucket)(nil)
)

// Options are the settings of a [Store]. The zero value works.
type Options struct {
	// Now is the clock for times of modification; nil means time.Now.
	Now func() time.Time
}

// A Store is a storage.Store in a folder. It is safe for concurrent use.
type Store struct {
	root *os.Root
	now  func() time.Time

	mu     sync.RWMutex // held for reading while a method runs, for writing by Close
	closed bool
}

// Open opens the folder, made when it is not there, for its owner alone. Opts may
// be nil.
func Open(folder string, opts *Options) (*Store, error) {
	if folder == "" || strings.ContainsRune(folder, 0) {
		return nil, invalid.Field("folder", folder, "the name of a folder")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fault(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fault(err)
	}
	s := &Store{root: root, now: time.Now}
	if opts != nil && opts.Now != nil {
		s.now = opts.Now
	}
	return s, nil
}

// For returns the handle of a tenant.
func (s *Store) For(id storage.TenantID) (storage.Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	if err := s.enter(context.Background()); err != nil {
		return nil, err
	}
	defer s.mu.RUnlock()
	return &tenant{storage.Unsupported{Tenant: id, Engine: "files"}, s}, nil
}

// Directory returns an error that wraps storage.ErrUnsupported.
func (s *Store) Directory() (storage.Directory, error) {
	return storage.Unsupported{Engine: "files"}.Directory()
}

// Close waits for calls that are under way. Readers that were handed out can be
// read to their end.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.root.Close()
}

// enter keeps the store open until the lock is released, or returns why there is
// nothing to do.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return storage.ErrClosed
	}
	return nil
}

func fault(err error) error {
	var kind error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		kind = storage.ErrFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		kind = storage.ErrReadOnly
	default:
		return fmt.Errorf("files: %w", err)
	}
	return fmt.Errorf("files: %w (%w)", kind, err)
}

type tenant struct {
	storage.Unsupported
	store *Store
}

func (t *tenant) Objects(name string) (storage.Objects, error) {
	if err := storage.CheckName("bucket", name); err != nil {
		return nil, err
	}
	if err := t.store.enter(context.Background()); err != nil {
		return nil, err
	}
	defer t.store.mu.RUnlock()
	return &bucket{t.store, path.Join(hashed(string(t.Tenant)), name+".bucket")}, nil
}

func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

type bucket struct {
	*Store
	folder string
}

// place is the file of a key, in one of 256 folders.
func (b *bucket) place(key string) string {
	h := hashed(key)
	return path.Join(b.folder, h[:2], h)
}

// header is the beginning of a file, after the length of its JSON as 4 bytes. It
// is of a fixed length, since the ETag is known only when the content has been
// written behind it.
type header struct {
	Key         string            `json:"key"`
	Size        int64             `json:"size"`
	ETag        string            `json:"etag"`
	ContentType string            `json:"type"`
	Modified    time.Time         `json:"modified"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

// headerSize has room for the longest key, type and metadata, escaped as JSON.
const headerSize = 16 << 10

func (h header) object() storage.Object {
	return storage.Object{Key: h.Key, Size: h.Size, ETag: h.ETag, ContentType: h.ContentType, Modified: h.Modified, Metadata: h.Metadata}
}

// reader reads until its context ends, and hashes what it reads.
type reader struct {
	ctx context.Context
	r   io.Reader
	sum hash.Hash
}

func (r *reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(b)
	r.sum.Write(b[:n]) // never fails
	return n, err
}

// A source is a reader whose errors are the caller's, not the disk's.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (b *bucket) Put(ctx context.Context, key string, body io.Reader, opts *storage.PutOptions) (storage.Object, error) {
	if err := storage.CheckText("key", key, storage.MaxObjectKey); err != nil {
		return storage.Object{}, err
	}
	if err := opts.Validate(); err != nil {
		return storage.Object{}, err
	}
	if err := b.enter(ctx); err != nil {
		return storage.Object{}, err
	}
	defer b.mu.RUnlock()
	var o storage.PutOptions
	if opts != nil {
		o = *opts
	}
	at := b.place(key)
	if err := b.root.MkdirAll(path.Dir(at), 0o700); err != nil {
		return storage.Object{}, fault(err)
	}
	h := header{Key: key, ContentType: o.ContentType, Modified: b.now().UTC(), Metadata: maps.Clone(o.Metadata)}
	if h.ContentType == "" {
		h.ContentType = "application/octet-stream"
	}
	draft := at + "." + rand.Text()
	if err := b.draft(ctx, draft, &h, body); err != nil {
		return storage.Object{}, errors.Join(err, ignoreMissing(b.root.Remove(draft)))
	}
	if err := b.publish(ctx, draft, at, o); err != nil {
		return storage.Object{}, errors.Join(err, ignoreMissing(b.root.Remove(draft)))
	}
	return h.object(), nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// draft writes a whole file and brings it to disk.
func (b *bucket) draft(ctx context.Context, name string, h *header, body io.Reader) (err error) {
	f, err := b.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fault(err)
	}
	defer func() { err = errors.Join(err, fault(f.Close())) }()
	if _, err := f.Seek(headerSize, io.SeekStart); err != nil {
		return fault(err)
	}
	src := &source{r: body}
	r := &reader{ctx, src, sha256.New()}
	h.Size, err = io.CopyBuffer(struct{ io.Writer }{f}, r, make([]byte, 128<<10))
	if src.err != nil {
		return src.err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fault(err)
	}
	h.ETag = hex.EncodeToString(r.sum.Sum(nil)[:16])
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if len(data)+4 > headerSize {
		return invalid.Field("Metadata", len(data), "less, together with the key")
	}
	if _, err := f.WriteAt(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...), 0); err != nil {
		return fault(err)
	}
	return fault(f.Sync())
}

// publish gives a draft its name, under the lock of the key when that depends on
// what is there.
func (b *bucket) publish(ctx context.Context, draft, at string, o storage.PutOptions) error {
	unlock, err := b.lock(ctx, at)
	if err != nil {
		return err
	}
	defer unlock()
	if o.IfAbsent || o.IfMatch != "" {
		h, err := b.header(at)
		there := err == nil
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if o.IfAbsent && there || o.IfMatch != "" && (!there || h.ETag != o.IfMatch) {
			return storage.ErrConflict
		}
	}
	if err := b.root.Rename(draft, at); err != nil {
		return fault(err)
	}
	return b.sync(path.Dir(at))
}

// sync brings a folder's names to disk, on systems where that is possible.
func (b *bucket) sync(folder string) error {
	d, err := b.root.Open(folder)
	if err != nil {
		return fault(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
		return fault(err)
	}
	return nil
}

// abandoned is the age at which a lock's owner is taken for dead: what happens
// under it takes milliseconds.
const abandoned = time.Minute

// lock excludes others, in any process, from changing one object.
func (b *bucket) lock(ctx context.Context, at string) (func(), error) {
	name := at + ".lock"
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		f, err := b.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			f.Close() // it is empty: its being there is the lock
			return func() { b.root.Remove(name) }, nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, fault(err)
		}
		info, statErr := b.root.Stat(name)
		if statErr != nil && !errors.Is(statErr, fs.ErrNotExist) || statErr != nil && errors.Is(err, fs.ErrPermission) {
			return nil, fault(err)
		}
		if statErr == nil && time.Since(info.ModTime()) > abandoned {
			// Renaming first: of several who find it, one takes it away.
			old := name + "." + rand.Text()
			if b.root.Rename(name, old) == nil {
				b.root.Remove(old)
			}
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// open opens an object's file and reads its header.
func (b *bucket) open(at string) (*os.File, header, error) {
	var h header
	f, err := b.root.Open(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, h, storage.ErrNotFound
	}
	if err != nil {
		return nil, h, fault(err)
	}
	if h, err = readHeader(f); err == nil {
		err = h.fits(f, at)
	}
	if err != nil {
		f.Close() // the header's error says more
		return nil, h, err
	}
	return f, h, nil
}

// fits tells whether a header is that of the file it stands in: a file that was cut
// off, or put into another's place, is not served.
func (h header) fits(f *os.File, at string) error {
	info, err := f.Stat()
	if err != nil {
		return fault(err)
	}
	whole := info.Size() == headerSize+h.Size || h.Size == 0 && info.Size() < headerSize // nothing was written behind it
	if h.Size < 0 || !whole || hashed(h.Key) != path.Base(at) {
		return fmt.Errorf("files: an object: %w (it is not what its header says)", storage.ErrCorrupt)
	}
	return nil
}

func readHeader(f io.Reader) (header, error) {
	var h header
	r := bufio.NewReaderSize(io.LimitReader(f, headerSize), 1<<10)
	var size [4]byte
	_, err := io.ReadFull(r, size[:])
	n := binary.BigEndian.Uint32(size[:])
	if err == nil && n > headerSize-4 {
		err = errors.New("its header is too long")
	}
	if err == nil {
		data := make([]byte, n)
		if _, err = io.ReadFull(r, data); err == nil {
			err = json.Unmarshal(data, &h)
		}
	}
	if err != nil {
		return h, fmt.Errorf("files: an object: %w (%w)", storage.ErrCorrupt, err)
	}
	return h, nil
}

func (b *bucket) header(at string) (header, error) {
	f, h, err := b.open(at)
	if err != nil {
		return h, err
	}
	return h, f.Close()
}

// part is what Get hands out.
type part struct {
	io.Reader
	f *os.File
}

func (p *part) Close() error { return p.f.Close() }

func (b *bucket) Get(ctx context.Context, key string, r *storage.Range) (storage.Object, io.ReadCloser, error) {
	if err := storage.CheckText("key", key, storage.MaxObjectKey); err != nil {
		return storage.Object{}, nil, err
	}
	if err := b.enter(ctx); err != nil {
		return storage.Object{}, nil, err
	}
	defer b.mu.RUnlock()
	f, h, err := b.open(b.place(key))
	if err != nil {
		return storage.Object{}, nil, err
	}
	offset, length, err := r.Bounds(h.Size)
	if err != nil {
		f.Close() // nothing was read
		return storage.Object{}, nil, err
	}
	return h.object(), &part{io.NewSectionReader(f, headerSize+offset, length), f}, nil
}

func (b *bucket) Stat(ctx context.Context, key string) (storage.Object, error) {
	if err := storage.CheckText("key", key, storage.MaxObjectKey); err != nil {
		return storage.Object{}, err
	}
	if err := b.enter(ctx); err != nil {
		return storage.Object{}, err
	}
	defer b.mu.RUnlock()
	h, err := b.header(b.place(key))
	if err != nil {
		return storage.Object{}, err
	}
	return h.object(), nil
}

func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := storage.CheckText("key", key, storage.MaxObjectKey); err != nil {
		return err
	}
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.mu.RUnlock()
	at := b.place(key)
	if _, err := b.root.Stat(at); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := b.lock(ctx, at)
	if err != nil {
		return err
	}
	defer unlock()
	if err := b.root.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault(err)
	}
	return b.sync(path.Dir(at))
}

// List reads the headers of the whole bucket when the loop begins, since names on
// disk have no order: a million objects take seconds.
func (b *bucket) List(ctx context.Context, prefix, after string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		found, err := b.list(ctx, prefix, after)
		if err != nil {
			yield(storage.Object{}, err)
			return
		}
		for _, o := range found {
			if err := ctx.Err(); err != nil {
				yield(storage.Object{}, err)
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

func (b *bucket) list(ctx context.Context, prefix, after string) ([]storage.Object, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	defer b.mu.RUnlock()
	var found []storage.Object
	err := fs.WalkDir(b.root.FS(), b.folder, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // the bucket is empty, or the object is gone by now
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() || len(path.Base(name)) != hex.EncodedLen(sha256.Size):
			return nil // drafts and locks have longer names
		}
		h, err := b.header(name)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err == nil && strings.HasPrefix(h.Key, prefix) && h.Key > after {
			found = append(found, h.object())
		}
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fault(err)
	}
	slices.SortFunc(found, func(a, b storage.Object) int { return strings.Compare(a.Key, b.Key) })
	return found, nil
}
