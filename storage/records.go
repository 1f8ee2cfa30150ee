package storage

import (
	"context"
	"encoding/json"
	"math"
	"time"
	"unicode/utf8"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Records keeps JSON documents by collection and id, with indexed fields and
// optimistic concurrency. Implementations are safe for concurrent use and pass
// storagetest.TestRecords. A [Collection] makes them typed.
//
// Collections are names of [CheckName]'s form and need not be made. Ids are 1 to
// 256 bytes of UTF-8 text without control characters. A read after a completed
// write sees it. Records are durable: once Write has returned, they survive the
// death of any process.
type Records interface {
	// Get returns a record, or ErrNotFound.
	Get(ctx context.Context, collection, id string) (Record, error)
	// List returns one page of a collection's records. The zero query lists all by
	// id. Each page is a consistent view; records that are not changed between
	// pages come exactly once.
	List(ctx context.Context, collection string, q RecordQuery) (RecordPage, error)
	// Write does all writes or none, as one step that others see whole or not at
	// all, and returns the records' new versions in order, NoVersion for deletes.
	// Writes are judged in order, each against what those before it left. One that
	// meets something unexpected is a *ConflictError, and nothing was done. At
	// most 1000 writes, of at most 8 MB each.
	Write(ctx context.Context, writes ...RecordWrite) ([]Version, error)
}

// A Record is a stored document.
type Record struct {
	ID      string
	Version Version
	Data    []byte // the JSON as it was written, byte for byte
	Created time.Time
	Updated time.Time
}

// An Op is what a [RecordWrite] does.
type Op int8

const (
	// OpPut stores the record whether or not it is there.
	OpPut Op = iota
	// OpCreate stores it only when there is none.
	OpCreate
	// OpUpdate stores it only when the stored one has the given Version.
	OpUpdate
	// OpDelete removes it, when it has the given Version; NoVersion means any,
	// and then that there is none is no conflict.
	OpDelete
	// OpCheck changes nothing, and conflicts unless the stored record has the
	// given Version; NoVersion means that there must be none. It makes a batch
	// depend on records that it read but does not change.
	OpCheck
)

// A RecordWrite is one step of [Records.Write].
type RecordWrite struct {
	Op         Op
	Collection string
	ID         string
	Version    Version // what is expected: see Op
	Data       []byte  // one JSON value of at most 8 MB; ignored by OpDelete and OpCheck
	// Fields are the record's indexed values; they replace all earlier ones. A
	// name may stand once.
	Fields []Field
}

// A Field is an indexed value of a record: text or a number.
type Field struct {
	Name   string // of CheckName's form
	Text   string // at most 512 bytes of UTF-8 without NUL
	Number float64
	Kind   FieldKind
	// Unique demands that no other record of the collection has the same value in
	// a field of this name that is unique.
	Unique bool
}

// FieldKind tells what a [Field] holds.
type FieldKind int8

const (
	// TextField is ordered by its bytes.
	TextField FieldKind = iota
	// NumberField is ordered by value. NaN is refused, and -0 is 0.
	NumberField
)

// Text returns a text field.
func Text(name, value string) Field { return Field{Name: name, Text: value} }

// Unique returns a text field whose value only one record may have.
func Unique(name, value string) Field { return Field{Name: name, Text: value, Unique: true} }

// Number returns a number field.
func Number(name string, value float64) Field {
	return Field{Name: name, Number: value, Kind: NumberField}
}

// Time returns a number field of t in seconds since 1970, exact to about a
// microsecond.
func Time(name string, t time.Time) Field {
	return Number(name, float64(t.UnixMicro())/1e6)
}

// A RecordQuery says which records to list, and how.
type RecordQuery struct {
	// Where are fields with the values that a record must have, all of them.
	Where []Field
	// Order is the field to order by; records of equal value, and all when it is
	// empty, come by id. Records that lack the field are not listed.
	Order string
	// Kind tells which values of the Order field are listed: texts or numbers.
	Kind FieldKind
	// From and To bound the Order field's values: From ≤ value < To. Nil is no
	// bound. Their Name is ignored and their Kind is that of the query. Without
	// Order they bound the id, as texts.
	From, To *Field
	// Desc lists from the greatest to the smallest, ids too.
	Desc bool
	// Limit is the most records of a page, 1 to 1000; 0 means 100.
	Limit int
	// Cursor is the Next of the page before; empty means the first page. It is
	// valid for the same query only, and belongs to this tenant.
	Cursor string
}

// A RecordPage is one page of records.
type RecordPage struct {
	Records []Record
	Next    string // the cursor of the page that follows; empty when there is none
}

// MaxRecord is the longest document in bytes.
const MaxRecord = 8 << 20

// CheckRecord returns a *FieldError unless a record can have that name. Adapters
// call it.
func CheckRecord(collection, id string) error {
	if err := CheckName("collection", collection); err != nil {
		return err
	}
	return CheckText("id", id, 256)
}

// CheckWrites returns a *FieldError unless writes can be done, whatever is
// stored. Adapters call it.
func CheckWrites(writes []RecordWrite) error {
	if len(writes) > 1000 {
		return invalid.Field("writes", len(writes), "at most 1000")
	}
	for _, w := range writes {
		if err := CheckRecord(w.Collection, w.ID); err != nil {
			return err
		}
		switch w.Op {
		case OpPut, OpCreate, OpUpdate:
			if len(w.Data) > MaxRecord {
				return invalid.Fieldf("Data", len(w.Data), "at most %d bytes", MaxRecord)
			}
			if !json.Valid(w.Data) || !utf8.Valid(w.Data) {
				return invalid.Missing("Data", "one JSON value")
			}
			seen := map[string]bool{}
			for _, f := range w.Fields {
				if err := f.validate(); err != nil {
					return err
				}
				if seen[f.Name] {
					return invalid.Field("Fields", f.Name, "each name once")
				}
				seen[f.Name] = true
			}
		case OpDelete, OpCheck:
		default:
			return invalid.Field("Op", int(w.Op), "OpPut, OpCreate, OpUpdate, OpDelete or OpCheck")
		}
	}
	return nil
}

func (f Field) validate() error {
	if err := CheckName("Fields", f.Name); err != nil {
		return err
	}
	switch f.Kind {
	case TextField:
		return checkUTF8(f.Name, f.Text, 512)
	case NumberField:
		if math.IsNaN(f.Number) || math.IsInf(f.Number, 0) {
			return invalid.Field(f.Name, f.Number, "a finite number")
		}
		return nil
	}
	return invalid.Field("Kind", int(f.Kind), "TextField or NumberField")
}

// Validated returns the query with its defaults and its cursor taken apart, or a
// *FieldError. Adapters call it.
func (q RecordQuery) Validated() (RecordQuery, *RecordCursor, error) {
	for _, f := range q.Where {
		if err := f.validate(); err != nil {
			return q, nil, err
		}
	}
	if q.Order != "" {
		if err := CheckName("Order", q.Order); err != nil {
			return q, nil, err
		}
	} else if q.Kind != TextField {
		return q, nil, invalid.Field("Kind", int(q.Kind), "TextField when there is no Order")
	}
	for _, bound := range []*Field{q.From, q.To} {
		if bound != nil {
			b := *bound
			b.Name, b.Kind = "bound", q.Kind
			if err := b.validate(); err != nil {
				return q, nil, err
			}
		}
	}
	if q.Limit < 0 || q.Limit > 1000 {
		return q, nil, invalid.Field("Limit", q.Limit, "1 to 1000, or 0 for 100")
	}
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.Cursor == "" {
		return q, nil, nil
	}
	c, err := parseCursor(q.Cursor)
	return q, c, err
}

// A RecordCursor is the place between two pages: the last record of the first.
type RecordCursor struct {
	Text   string  `json:"t,omitempty"` // the Order field's text
	Number float64 `json:"n,omitempty"` // or number
	ID     string  `json:"i"`
}
