// Package cassette keeps what a broker answered, without saying whose account it
// was: REST answers and stream frames in one file of JSON lines.
//
// A [Recorder] sits in an HTTP client and takes down what passes. [Redact]
// replaces account numbers, names, tokens, identifiers and free text, each value
// by the same one everywhere, so that answers still fit together. A [Player]
// answers with what was recorded. [ShapeOf] and [Shape.Compare] tell how the
// answers of two sources differ in form.
//
// Amounts, quantities, dates and symbols are kept: they are what a cassette is
// for. Who hands one on tells what was held and traded, but not by whom.
package cassette

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// Format is the version of the file's form.
const Format = 1

// A Cassette is a recording. The zero value is an empty one.
type Cassette struct {
	Header  Header
	Entries []Entry // in the order in which they happened
}

// A Header says what a recording is of.
type Header struct {
	Format int `json:"cassette"`
	// Environment is where it was recorded: "simulator", "sandbox", "production".
	Environment string    `json:"environment"`
	Recorded    time.Time `json:"recorded"`
	// Redacted: Redact has been over it. What is written by [Cassette.Write] always is.
	Redacted bool   `json:"redacted"`
	Note     string `json:"note,omitempty"`
}

// An Entry is one thing that happened: exactly one of its parts is set.
type Entry struct {
	Exchange *Exchange `json:"exchange,omitempty"`
	Frame    *Frame    `json:"frame,omitempty"`
}

// An Exchange is one request and its answer. Headers are not kept.
type Exchange struct {
	// Call is what the request was for, as the recorder was told: the name of a
	// method, say. Answers of one call are compared with each other.
	Call   string `json:"call,omitempty"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query,omitempty"`
	Status int    `json:"status"`
	// Body is the answer when it was JSON, and nil otherwise.
	Body json.RawMessage `json:"body,omitempty"`
	// Other says what the body was when it was no JSON: its content type.
	Other string `json:"other,omitempty"`
}

// A Frame is one message of a websocket.
type Frame struct {
	Stream string          `json:"stream"` // the path of the websocket's address
	Sent   bool            `json:"sent"`   // by the client
	Data   json.RawMessage `json:"data"`
}

// maxLine bounds one line of a file: a whole option chain fits.
const maxLine = 128 << 20

// Read reads a cassette. The error names the line that cannot be read.
func Read(r io.Reader) (*Cassette, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	c := &Cassette{}
	n := 0
	for lines.Scan() {
		n++
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		if c.Header.Format == 0 {
			if err := json.Unmarshal(lines.Bytes(), &c.Header); err != nil || c.Header.Format == 0 {
				return nil, invalid.Field(fmt.Sprintf("line %d", n), "", "the header of a cassette, as 'ttai record' writes it")
			}
			if c.Header.Format > Format {
				return nil, invalid.Fieldf("cassette", c.Header.Format, "at most %d: update this program", Format)
			}
			continue
		}
		var e Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("cassette: line %d: %w", n, err)
		}
		if (e.Exchange == nil) == (e.Frame == nil) {
			return nil, invalid.Field(fmt.Sprintf("line %d", n), "", "an exchange or a frame")
		}
		c.Entries = append(c.Entries, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("cassette: line %d: %w", n+1, err)
	}
	if c.Header.Format == 0 {
		return nil, invalid.Field("cassette", "an empty file", "a file that 'ttai record' wrote")
	}
	return c, nil
}

// ReadFile reads a cassette from a file, whose name ends in .gz when it is
// compressed.
func ReadFile(path string) (*Cassette, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !strings.HasSuffix(path, ".gz") {
		return Read(f)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("cassette: %s: %w", path, err)
	}
	return Read(z)
}

// ErrNotRedacted: a recording that names its owner is not written.
var ErrNotRedacted = errors.New("cassette: the recording has not been redacted")

// Write writes the cassette, or ErrNotRedacted.
func (c *Cassette) Write(w io.Writer) error {
	if !c.Header.Redacted {
		return ErrNotRedacted
	}
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	header := c.Header
	header.Format = Format
	if err := encoder.Encode(header); err != nil {
		return err
	}
	for _, e := range c.Entries {
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	return out.Flush()
}

// Calls returns the answers of each call that were JSON with a status of 2xx, in
// the order in which they came, and the calls in the order of their first answer.
func (c *Cassette) Calls() (names []string, answers map[string][]json.RawMessage) {
	answers = map[string][]json.RawMessage{}
	for _, e := range c.Entries {
		x := e.Exchange
		if x == nil || x.Body == nil || x.Status/100 != 2 {
			continue
		}
		if answers[x.Call] == nil {
			names = append(names, x.Call)
		}
		answers[x.Call] = append(answers[x.Call], x.Body)
	}
	return names, answers
}
