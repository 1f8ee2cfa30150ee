package storage

import (
	"context"
	"io"
	"iter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Objects is a bucket of files: results of backtests, reports, documents,
// recordings. Implementations are safe for concurrent use and pass
// storagetest.TestObjects.
//
// Keys are 1 to 512 bytes of UTF-8 text without control characters; '/' has no
// meaning, and ".." none either. A put appears whole or not at all: a reader sees
// the old object or the new one to its end, also while the key is being replaced
// or deleted. A read after a completed write sees it. Of conditional puts that
// race, one wins.
type Objects interface {
	// Put stores all of body under key and returns what it became. Opts may be
	// nil. When body ends with an error, or the context does, nothing changes. An
	// unmet condition of opts is ErrConflict, and body may have been read then.
	Put(ctx context.Context, key string, body io.Reader, opts *PutOptions) (Object, error)
	// Get opens an object, or the part that r names; nil is all of it. The caller
	// closes the reader. ErrNotFound: there is none. An offset at or past the end
	// is a *FieldError of Offset, unless it is 0.
	Get(ctx context.Context, key string, r *Range) (Object, io.ReadCloser, error)
	// Stat returns an object without its content, or ErrNotFound.
	Stat(ctx context.Context, key string) (Object, error)
	// Delete removes an object. Deleting what is not there is no error.
	Delete(ctx context.Context, key string) error
	// List yields the objects whose keys start with prefix and come after the key
	// after, in byte order of their keys. Metadata and ContentType may be missing
	// from what it yields. Objects written or deleted meanwhile may or may not be
	// seen; no other is missed or repeated. The loop may use the store.
	List(ctx context.Context, prefix, after string) iter.Seq2[Object, error]
}

// An Object is what is known of a stored file.
type Object struct {
	Key  string
	Size int64
	// ETag identifies the content: it changes whenever the object is put with
	// other bytes. It is compared for equality only.
	ETag        string
	ContentType string // as it was put; "application/octet-stream" when nothing was said
	Modified    time.Time
	Metadata    map[string]string // nil when there is none
}

// PutOptions are the optional parts of [Objects.Put].
type PutOptions struct {
	// ContentType is a media type; empty means application/octet-stream.
	ContentType string
	// Metadata is kept beside the content. Keys are 1 to 64 of a-z, 0-9 and '-';
	// values are UTF-8 text without control characters; all together have at most
	// 1 KB.
	Metadata map[string]string
	// IfAbsent puts only when there is no object of that key.
	IfAbsent bool
	// IfMatch puts only when there is an object and it has this ETag.
	IfMatch string
}

// A Range is a part of an object.
type Range struct {
	Offset int64 // of the first byte, from 0
	Length int64 // 0 means to the end; more than there is means to the end too
}

// MaxObjectKey is the longest object key in bytes.
const MaxObjectKey = 512

// Validate returns a *FieldError unless the options are as their comments say.
// Adapters call it; o may be nil.
func (o *PutOptions) Validate() error {
	if o == nil {
		return nil
	}
	if o.IfAbsent && o.IfMatch != "" {
		return invalid.Field("IfMatch", o.IfMatch, "no ETag together with IfAbsent")
	}
	if o.ContentType != "" {
		if err := CheckText("ContentType", o.ContentType, 128); err != nil {
			return err
		}
	}
	total := 0
	for k, v := range o.Metadata {
		ok := k != "" && len(k) <= 64
		for i := range len(k) {
			c := k[i]
			ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
		}
		if !ok {
			return invalid.Field("Metadata", k, "keys of 1 to 64 of a-z, 0-9 and '-'")
		}
		ok = utf8.ValidString(v)
		for _, r := range v {
			ok = ok && !unicode.IsControl(r)
		}
		if !ok {
			return invalid.Field("Metadata", k, "values of UTF-8 text without control characters")
		}
		total += len(k) + len(v)
	}
	if total > 1<<10 {
		return invalid.Field("Metadata", total, "at most 1024 bytes of keys and values")
	}
	return nil
}

// Bounds returns the first byte of r in an object of that size and how many
// follow, or a *FieldError. Adapters call it; r may be nil.
func (r *Range) Bounds(size int64) (offset, length int64, err error) {
	if r == nil {
		return 0, size, nil
	}
	if r.Offset < 0 || r.Offset > 0 && r.Offset >= size {
		return 0, 0, invalid.Fieldf("Offset", r.Offset, "0 to less than the object's %d bytes", size)
	}
	if r.Length < 0 {
		return 0, 0, invalid.Field("Length", r.Length, "0 for all that follows, or a positive number of bytes")
	}
	length = size - r.Offset
	if r.Length > 0 {
		length = min(length, r.Length)
	}
	return r.Offset, length, nil
}
