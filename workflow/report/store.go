package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// Bucket is the bucket that reports are kept in. Keys begin with the report's date,
// so that they list in its order:
//
//	2026/03/03/daily-PAPER1.html
//	2026/03/03/briefing.md
//	2026/03/06/weekly-PAPER1.json
const Bucket = "reports"

func dated(d market.Date, rest string) string {
	return fmt.Sprintf("%04d/%02d/%02d/%s", d.Year, d.Month, d.Day, rest)
}

// plainID is an account's name as a part of a key: letters, digits and '-' stay,
// other bytes become "_" and their hexadecimal digits, so that no two share one.
func plainID(a broker.AccountID) string {
	var b strings.Builder
	for _, c := range []byte(a) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

// Save keeps a document as Markdown, HTML and JSON, in place of an earlier one of
// the same day, and returns the keys in that order.
func (r *Reporter) Save(ctx context.Context, d Document) ([]string, error) {
	var keys []string
	for _, f := range []Format{Markdown, HTML, JSON} {
		data, err := Render(d, f)
		if err != nil {
			return keys, err
		}
		key := d.kept() + "." + string(f)
		if _, err := r.objects.Put(ctx, key, bytes.NewReader(data), &storage.PutOptions{ContentType: f.ContentType()}); err != nil {
			return keys, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Open reads a kept report in one of its forms. ErrNotFound: there is none.
func (r *Reporter) Open(ctx context.Context, key string) ([]byte, error) {
	_, body, err := r.objects.Get(ctx, key, nil)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(body)
	return data, errors.Join(err, body.Close())
}

// Load reads a kept document again. The key is that of its JSON.
func (r *Reporter) Load(ctx context.Context, key string) (Document, error) {
	data, err := r.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	file := key[strings.LastIndexByte(key, '/')+1:]
	var d Document
	switch {
	case !strings.HasSuffix(file, ".json"):
	case strings.HasPrefix(file, "daily-"):
		d = &Daily{}
	case strings.HasPrefix(file, "weekly-"):
		d = &Weekly{}
	case file == "briefing.json":
		d = &Briefing{}
	}
	if d == nil {
		return nil, &FieldError{Field: "key", Value: key, Allowed: "the key of a report's JSON"}
	}
	return d, json.Unmarshal(data, d)
}

// List yields the keys of what is kept of [from, to], in the order of their dates.
func (r *Reporter) List(ctx context.Context, from, to market.Date) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last := dated(to, "\U0010ffff")
		for o, err := range r.objects.List(ctx, "", dated(from, "")) {
			if err != nil {
				yield("", err)
				return
			}
			if o.Key > last || !yield(o.Key, nil) {
				return
			}
		}
	}
}
