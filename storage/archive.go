package storage

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"time"
)

// Archive writes all that a tenant would want to take along as a tar file:
//
//	records/COLLECTION/0001.jsonl    lines of ExportedRecord
//	journals/NAME/0001.jsonl         entries, with hashes that can be verified
//	documents/COLLECTION/0001.jsonl  documents with their vectors
//	objects/BUCKET/KEY               files, keys escaped as in URLs
//
// Files end at about 4 MB and go on in the next number. Tokens and credentials
// stay out: they are ciphertext that is worth nothing elsewhere. Key-value spaces
// and queues do too: they hold caches, claims and work under way. The tenant must
// be a [Custodian]; otherwise it is an ErrUnsupported. What changes meanwhile may
// be in it before or after the change.
func Archive(ctx context.Context, tenant Tenant, w io.Writer) error {
	c, ok := tenant.(Custodian)
	if !ok {
		return fmt.Errorf("an archive: %w", ErrUnsupported)
	}
	has, err := c.Inventory(ctx)
	if err != nil {
		return err
	}
	a := &archive{ctx: ctx, tenant: tenant, tar: tar.NewWriter(w)}
	for _, part := range []struct {
		names []string
		add   func(name string) error
	}{
		{has.Records, a.records},
		{has.Journals, a.journal},
		{slices.Sorted(maps.Keys(has.Collections)), func(name string) error { return a.documents(name, has.Collections[name]) }},
		{has.Buckets, a.objects},
	} {
		for _, name := range part.names {
			if err := part.add(name); err != nil {
				return err
			}
		}
	}
	return a.tar.Close()
}

type archive struct {
	ctx    context.Context
	tenant Tenant
	tar    *tar.Writer
}

// lines writes what add is given, a line each, below a folder.
func (a *archive) lines(folder string, all func(add func(any) error) error) error {
	var b bytes.Buffer
	n := 0
	flush := func() error {
		n++
		data := b.Bytes()
		err := a.file(fmt.Sprintf("%s/%04d.jsonl", folder, n), int64(len(data)), time.Time{}, bytes.NewReader(data))
		b.Reset()
		return err
	}
	err := all(func(v any) error {
		if err := json.NewEncoder(&b).Encode(v); err != nil || b.Len() < 4<<20 {
			return err
		}
		return flush()
	})
	if err != nil || b.Len() == 0 {
		return err
	}
	return flush()
}

func (a *archive) file(name string, size int64, at time.Time, r io.Reader) error {
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: at, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := io.Copy(a.tar, r)
	return err
}

func (a *archive) records(name string) error {
	if secret(name) {
		return nil
	}
	r, err := a.tenant.Records()
	if err != nil {
		return err
	}
	return a.lines("records/"+name, func(add func(any) error) error {
		for record, err := range allRecords(a.ctx, r, name) {
			if err != nil {
				return err
			}
			if err := add(ExportedRecord{name, record.ID, record.Data}); err != nil {
				return err
			}
		}
		return nil
	})
}

// secret tells whether a collection holds ciphertext that is not exported.
func secret(collection string) bool { return collection == "tokens" || collection == "credentials" }

func (a *archive) journal(name string) error {
	j, err := a.tenant.Journal(name)
	if err != nil {
		return err
	}
	return a.lines("journals/"+name, func(add func(any) error) error {
		for e, err := range j.Read(a.ctx, 0) {
			if err != nil {
				return err
			}
			if err := add(e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *archive) documents(name string, dims int) error {
	v, err := a.tenant.Vectors(name, dims)
	if err != nil {
		return err
	}
	return a.lines("documents/"+name, func(add func(any) error) error {
		for d, err := range v.Documents(a.ctx, nil) {
			if err != nil {
				return err
			}
			if err := add(d); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *archive) objects(name string) error {
	b, err := a.tenant.Objects(name)
	if err != nil {
		return err
	}
	for listed, err := range b.List(a.ctx, "", "") {
		if err != nil {
			return err
		}
		if err := a.object(name, b, listed.Key); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) object(bucket string, b Objects, key string) error {
	o, r, err := b.Get(a.ctx, key, nil)
	if errors.Is(err, ErrNotFound) {
		return nil // removed since it was listed
	}
	if err != nil {
		return err
	}
	return errors.Join(a.file("objects/"+bucket+"/"+url.PathEscape(key), o.Size, o.Modified, r), r.Close())
}
