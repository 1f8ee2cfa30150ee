// Package knowledge finds passages of documents that answer a question: notes,
// articles, books and a starter library that is part of the program.
//
// A document is Markdown, text, HTML or PDF ([Parse]). It is cut into chunks along
// its structure, and the chunks are found by their words (BM25), by their vectors
// (an [Embedder]), or by both, which is the default. Without an embedder of a
// provider a [Hashing] one serves, which needs no network, no key and no model.
//
// A [Base] is opened for a tenant. It reads the tenant's own documents and those
// that are shared by all, and writes its own only: [OpenShared] opens the shared
// ones for an operator. No search sees another tenant's.
//
// What documents say is the word of strangers. [Parse] and [Base.Add] drop what a
// reader cannot see (see agents.Clean), bound every length, and keep nothing that
// could act; who shows a passage to a model puts it between the marks of
// agents.Data, as [Passage.Data] does, and never follows it.
package knowledge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/internal/civil"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// A Date is a day without time or zone. The zero Date is an unknown one.
type Date = civil.Date

// A Format is what a document was made of.
type Format string

// The formats.
const (
	Markdown Format = "markdown"
	Text     Format = "text"
	HTML     Format = "html"
	PDF      Format = "pdf"
)

// Bounds of a document.
const (
	MaxText    = 4 << 20 // bytes of Text
	MaxTitle   = 300     // bytes of Title
	MaxSource  = 500     // bytes of Source
	MaxTags    = 32
	MaxAliases = 32
	MaxID      = 180 // bytes of ID
)

// DefaultCollection is where documents are that name no other.
const DefaultCollection = "notes"

// A Document is a text with what is known of it.
type Document struct {
	// ID names the document within its base, such as notes/put-spreads: up to
	// [MaxID] letters, digits, '.', '_', '-' and '/'. Empty: it is made of
	// Collection and Source, or Title, so that adding the same file again replaces
	// it.
	ID         string `json:"id"`
	Collection string `json:"collection"`       // 1 to 64 of a-z, 0-9, '.', '_' and '-'; empty: [DefaultCollection]
	Title      string `json:"title"`            // empty: the first heading, or the source
	Source     string `json:"source,omitempty"` // a path or URL; shown, never opened
	// Tags select documents in a search: a-z, 0-9, '.', '_' and '-', up to 48
	// bytes each. Other characters become '-'.
	Tags []string `json:"tags,omitempty"`
	// Date is when the text is from; zero: unknown.
	Date Date `json:"date,omitzero"`
	// Aliases are other names of the subject and questions that the document
	// answers. They are searched and not shown.
	Aliases []string `json:"aliases,omitempty"`
	Format  Format   `json:"format"`
	// Attributes are what else the front matter says, kept as it is.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Text is Markdown, whatever the document was made of.
	Text string `json:"text"`
}

// An Entry is what a base knows of a document besides its text.
type Entry struct {
	Document           // Text is empty: see [Base.Document]
	Shared   bool      `json:"shared"`
	Bytes    int       `json:"bytes"`  // of the text
	Chunks   int       `json:"chunks"` // that it was cut into
	Added    time.Time `json:"added"`
	Updated  time.Time `json:"updated"` // when it last changed
}

// Options are the optional parts of a base. The zero value works.
type Options struct {
	// Embedder makes vectors of texts. Nil: [Hashing] of 256 dimensions. All who
	// open a base must give one of the same model: see [ModelError].
	Embedder Embedder
	// Chunking says how documents are cut; zero fields mean the defaults.
	Chunking Chunking
	// Starter puts the starter library among the shared documents at the first
	// use, and brings it up to date, unless the embedder costs money: then
	// [Base.AddStarter] does. It is in the collection [StarterCollection].
	Starter bool
	// WithoutShared leaves shared documents unread.
	WithoutShared bool
	Now           func() time.Time // nil: time.Now
}

// Shared is the tenant under which documents for all tenants are kept. No customer
// may have that name: [Open] refuses it.
const Shared storage.TenantID = "shared/knowledge"

// ErrNotFound: there is no such document.
var ErrNotFound = storage.ErrNotFound

// ErrModel: the index was made with another embedder. See [ModelError].
var ErrModel = errors.New("the knowledge base was indexed with another embedder")

// A ModelError is what writes and searches by vector return when the index was
// made by another model, whose vectors cannot be compared: [Base.Reindex] makes it
// anew. It is an ErrModel.
type ModelError struct {
	Stored, Given string // the names of the models
	Shared        bool   // it is the index of the shared documents
}

func (e *ModelError) Error() string {
	whose := "the knowledge base"
	if e.Shared {
		whose = "the shared knowledge base"
	}
	return fmt.Sprintf("%s was indexed with the embedder %s, and this program uses %s: reindex it, or go back to the embedder", whose, e.Stored, e.Given)
}

// Unwrap returns ErrModel.
func (e *ModelError) Unwrap() error { return ErrModel }

// A Base is one tenant's knowledge. It is safe for concurrent use, also by several
// processes on one store: writes take a lock of the tenant, searches none.
type Base struct {
	own, shared *space // shared: nil when it is not read
	embedder    Embedder
	chunking    Chunking
	starter     bool
	now         func() time.Time
	tokens      tokenCache
}

// Open returns the knowledge of a tenant. It does no I/O. Opts may be nil.
func Open(store storage.Store, tenant storage.TenantID, opts *Options) (*Base, error) {
	if tenant == Shared {
		return nil, invalid.Field("tenant", string(tenant), "a customer's name: this one is for what all share")
	}
	return open(store, tenant, opts)
}

// OpenShared returns the documents that all tenants read, for writing. It is for
// operators.
func OpenShared(store storage.Store, opts *Options) (*Base, error) {
	return open(store, Shared, opts)
}

func open(store storage.Store, tenant storage.TenantID, opts *Options) (*Base, error) {
	if store == nil {
		return nil, invalid.Missing("store", "a store")
	}
	var o Options
	if opts != nil {
		o = *opts
	}
	chunking, err := o.Chunking.validated()
	if err != nil {
		return nil, err
	}
	b := &Base{embedder: o.Embedder, chunking: chunking, starter: o.Starter, now: o.Now}
	if b.embedder == nil {
		if b.embedder, err = NewHashing(0); err != nil {
			return nil, err
		}
	}
	if err := checkEmbedder(b.embedder); err != nil {
		return nil, err
	}
	if b.now == nil {
		b.now = time.Now
	}
	if b.own, err = newSpace(store, tenant); err != nil {
		return nil, err
	}
	if tenant != Shared && !o.WithoutShared {
		b.shared, err = newSpace(store, Shared)
	}
	return b, err
}

// Embedder returns the embedder that the base uses.
func (b *Base) Embedder() Embedder { return b.embedder }

// spaces are those that a search reads.
func (b *Base) spaces() []*space {
	if b.shared == nil {
		return []*space{b.own}
	}
	return []*space{b.own, b.shared}
}

// normalized returns the document with its defaults, cleaned, or a *FieldError.
func (d Document) normalized() (Document, error) {
	line := func(s string) string { return strings.Join(strings.Fields(agents.Clean(s)), " ") }
	d.Text = strings.TrimSpace(agents.Clean(d.Text))
	d.Title, d.Source, d.ID = line(d.Title), line(d.Source), line(d.ID)
	if d.Collection == "" {
		d.Collection = DefaultCollection
	}
	if err := storage.CheckName("collection", d.Collection); err != nil {
		return d, err
	}
	switch d.Format {
	case "":
		d.Format = Markdown
	case Markdown, Text, HTML, PDF:
	default:
		return d, invalid.Field("format", string(d.Format), "markdown, text, html or pdf")
	}
	if d.Text == "" {
		return d, invalid.Missing("text", "a document with text in it")
	}
	if len(d.Text) > MaxText {
		return d, invalid.Fieldf("text", len(d.Text), "at most %d bytes; split the document", MaxText)
	}
	if d.Title == "" {
		d.Title = firstHeading(d.Text)
	}
	if d.Title == "" {
		d.Title = d.Source
	}
	if d.Title == "" {
		d.Title = firstWords(d.Text)
	}
	d.Title = shorten(d.Title, MaxTitle)
	if len(d.Source) > MaxSource {
		return d, invalid.Fieldf("source", d.Source, "at most %d bytes", MaxSource)
	}
	var err error
	if d.Tags, err = normalTags(d.Tags); err != nil {
		return d, err
	}
	if d.Aliases, err = lines("aliases", d.Aliases, MaxAliases, line); err != nil {
		return d, err
	}
	if len(d.Attributes) > 64 {
		return d, invalid.Field("attributes", len(d.Attributes), "at most 64")
	}
	attributes := map[string]string{}
	for k, v := range d.Attributes {
		k, v = line(k), strings.TrimSpace(agents.Clean(v))
		if k == "" || len(k) > 64 || len(v) > 4096 {
			return d, invalid.Field("attributes", k, "names of 1 to 64 bytes, values of at most 4096")
		}
		attributes[k] = v
	}
	d.Attributes = nil
	if len(attributes) > 0 {
		d.Attributes = attributes
	}
	if d.ID == "" {
		d.ID = d.Collection + "/" + nameOf(d)
	}
	return d, checkID(d.ID)
}

var wellNamed = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

// checkID keeps ids to characters that no reader can take for anything else: they
// stand in answers, addresses and names of files.
func checkID(id string) error {
	if len(id) > MaxID || !wellNamed.MatchString(id) || strings.Contains(id, "..") {
		return invalid.Fieldf("id", shorten(id, MaxID), "1 to %d letters, digits, '.', '_', '-' and '/', such as notes/put-spreads", MaxID)
	}
	return nil
}

func lines(field string, given []string, most int, clean func(string) string) ([]string, error) {
	var out []string
	for _, s := range given {
		s = clean(s)
		if s == "" || slices.Contains(out, s) {
			continue
		}
		if len(s) > MaxTitle {
			return nil, invalid.Fieldf(field, s, "at most %d bytes each", MaxTitle)
		}
		out = append(out, s)
	}
	if len(out) > most {
		return nil, invalid.Fieldf(field, len(out), "at most %d", most)
	}
	return out, nil
}

var notInTag = regexp.MustCompile(`[^a-z0-9._-]+`)

// normalTag is a tag in the one way of writing it.
func normalTag(s string) string {
	return strings.Trim(notInTag.ReplaceAllString(strings.ToLower(agents.Clean(s)), "-"), "-")
}

func normalTags(given []string) ([]string, error) {
	var out []string
	for _, t := range given {
		tag := normalTag(t)
		if tag == "" {
			continue
		}
		if len(tag) > 48 {
			return nil, invalid.Field("tags", t, "at most 48 bytes each")
		}
		out = append(out, tag)
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) > MaxTags {
		return nil, invalid.Fieldf("tags", len(out), "at most %d", MaxTags)
	}
	return out, nil
}

var (
	scheme  = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*://`)
	dots    = regexp.MustCompile(`\.{2,}`)
	slashes = regexp.MustCompile(`/{2,}`)
)

var notInName = regexp.MustCompile(`[^a-z0-9._/-]+`)

// nameOf makes the name in an id of where the document is from. What the name
// cannot show is told apart by a hash.
func nameOf(d Document) string {
	from := d.Source
	if from == "" {
		from = d.Title
	}
	plain := strings.TrimSuffix(strings.TrimPrefix(from, "./"), ".md")
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(scheme.ReplaceAllString(plain, "")), "-"), "-/")
	name = slashes.ReplaceAllString(dots.ReplaceAllString(name, "."), "/")
	if name == plain && len(name) <= 100 {
		return name
	}
	sum := sha256.Sum256([]byte(from))
	return strings.TrimLeft(shorten(name, 90)+"-"+hex.EncodeToString(sum[:4]), "-/.")
}

// shorten cuts s to n bytes at a character.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}

// hash is equal for documents that a search cannot tell apart.
func (d Document) hash() string {
	data, err := json.Marshal(d)
	if err != nil {
		return "" // cannot be: it is text; and nothing equals an empty hash
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Document returns a document with its text: the tenant's own, else a shared one.
// ErrNotFound: there is none of that id.
func (b *Base) Document(ctx context.Context, id string) (Document, error) {
	if err := checkID(id); err != nil {
		return Document{}, err
	}
	if err := b.ready(ctx); err != nil {
		return Document{}, err
	}
	for _, s := range b.spaces() {
		d, err := s.document(ctx, id)
		if !errors.Is(err, ErrNotFound) {
			return d, err
		}
	}
	return Document{}, fmt.Errorf("knowledge: document %q: %w", shorten(id, MaxID), ErrNotFound)
}
