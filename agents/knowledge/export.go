package knowledge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Documents yields the tenant's own documents with their texts, by id; those of one
// collection when it is not empty. It is a backup: [Base.Add] takes them back.
// Documents that are removed meanwhile are left out.
func (b *Base) Documents(ctx context.Context, collection string) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for k, err := range b.own.all(ctx, collection) {
			if err != nil {
				yield(Document{}, err)
				return
			}
			d, err := b.own.document(ctx, k.Value.ID)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// Export writes the tenant's own documents, one JSON object a line, and returns how
// many there were; those of one collection when it is not empty. [ReadExport] reads
// them. Vectors are not part of it: they are made again.
func (b *Base) Export(ctx context.Context, w io.Writer, collection string) (int, error) {
	n := 0
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	for d, err := range b.Documents(ctx, collection) {
		if err != nil {
			return n, err
		}
		if err := encoder.Encode(d); err != nil {
			return n, err
		}
		n++
	}
	return n, out.Flush()
}

// ReadExport yields the documents of an export. A line that is none is a
// *FieldError, and ends it.
func ReadExport(r io.Reader) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 8*MaxText)
		for n := 1; lines.Scan(); n++ {
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue
			}
			var d Document
			decoder := json.NewDecoder(bytes.NewReader(line))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&d); err != nil {
				yield(d, invalid.Fieldf("line", n, "a document as an export has it (%v)", err))
				return
			}
			if !yield(d, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Document{}, err)
		}
	}
}
