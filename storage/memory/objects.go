package memory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/storage"
)

type bucket struct {
	guard
	now     func() time.Time
	objects map[string]object
}

// An object's data are never changed once they are stored.
type object struct {
	storage.Object
	data []byte
}

// reader reads until its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
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
	b.leave() // reading may take long
	data, err := io.ReadAll(reader{ctx, body})
	if err != nil {
		return storage.Object{}, err
	}
	var o storage.PutOptions
	if opts != nil {
		o = *opts
	}
	sum := sha256.Sum256(data)
	if err := b.enter(ctx); err != nil {
		return storage.Object{}, err
	}
	defer b.leave()
	old, ok := b.objects[key]
	if ok && o.IfAbsent || o.IfMatch != "" && (!ok || old.ETag != o.IfMatch) {
		return storage.Object{}, storage.ErrConflict
	}
	obj := storage.Object{
		Key: key, Size: int64(len(data)), ETag: hex.EncodeToString(sum[:16]), ContentType: o.ContentType,
		Modified: b.now(), Metadata: maps.Clone(o.Metadata),
	}
	if obj.ContentType == "" {
		obj.ContentType = "application/octet-stream"
	}
	if b.objects == nil {
		b.objects = map[string]object{}
	}
	b.objects[key] = object{obj, data}
	return object{Object: obj}.clone(), nil
}

// clone is what is handed out: the caller may change its Metadata.
func (o object) clone() storage.Object {
	c := o.Object
	c.Metadata = maps.Clone(c.Metadata)
	return c
}

func (b *bucket) get(ctx context.Context, key string) (object, error) {
	if err := storage.CheckText("key", key, storage.MaxObjectKey); err != nil {
		return object{}, err
	}
	if err := b.enter(ctx); err != nil {
		return object{}, err
	}
	defer b.leave()
	o, ok := b.objects[key]
	if !ok {
		return object{}, storage.ErrNotFound
	}
	return o, nil
}

func (b *bucket) Get(ctx context.Context, key string, r *storage.Range) (storage.Object, io.ReadCloser, error) {
	o, err := b.get(ctx, key)
	if err != nil {
		return storage.Object{}, nil, err
	}
	offset, length, err := r.Bounds(o.Size)
	if err != nil {
		return storage.Object{}, nil, err
	}
	return o.clone(), io.NopCloser(bytes.NewReader(o.data[offset : offset+length])), nil
}

func (b *bucket) Stat(ctx context.Context, key string) (storage.Object, error) {
	o, err := b.get(ctx, key)
	if err != nil {
		return storage.Object{}, err
	}
	return o.clone(), nil
}

func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := storage.CheckText("key", key, storage.MaxObjectKey); err != nil {
		return err
	}
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.leave()
	delete(b.objects, key)
	return nil
}

// List yields a snapshot taken when the loop begins.
func (b *bucket) List(ctx context.Context, prefix, after string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		if err := b.enter(ctx); err != nil {
			yield(storage.Object{}, err)
			return
		}
		var found []storage.Object
		for key, o := range b.objects {
			if strings.HasPrefix(key, prefix) && key > after {
				found = append(found, o.clone())
			}
		}
		b.leave()
		slices.SortFunc(found, func(x, y storage.Object) int { return strings.Compare(x.Key, y.Key) })
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
