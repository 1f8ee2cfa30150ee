package files_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/files"
)

func benchBucket(b *testing.B) storage.Objects {
	s, err := files.Open(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	tenant, _ := s.For(storage.Local)
	o, err := tenant.Objects("reports")
	if err != nil {
		b.Fatal(err)
	}
	return o
}

// An object of 1 KB, synced to the disk before Put returns.
func BenchmarkPut(b *testing.B) {
	o, body := benchBucket(b), make([]byte, 1<<10)
	for b.Loop() {
		if _, err := o.Put(b.Context(), "daily", bytes.NewReader(body), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	o := benchBucket(b)
	if _, err := o.Put(b.Context(), "daily", bytes.NewReader(make([]byte, 1<<10)), nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_, body, err := o.Get(b.Context(), "daily", nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			b.Fatal(err)
		}
		_ = body.Close()
	}
}
