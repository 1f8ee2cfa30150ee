package tastytrade

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"reflect"

	"github.com/ttai-go/ttai/internal/rest"
)

// stream decodes the items of a list as they arrive and holds one at a time. It
// ends at the first error.
func stream[T any](ctx context.Context, c *Client, r *call, codec *codec) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		body, err := c.open(ctx, r)
		if err != nil {
			yield(none, err)
			return
		}
		defer body.Close()
		list := newItemReader(body, c.maxItem())
		for {
			raw, err := list.next()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(none, streamError(r, err))
				return
			}
			var item T
			if err := codec.decode(raw, reflect.ValueOf(&item).Elem()); err != nil {
				yield(none, malformed(r, err))
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// maxItem is how large one item of a streamed answer may be.
func (c *Client) maxItem() int64 {
	if c.opts.MaxResponseBytes > 0 {
		return c.opts.MaxResponseBytes
	}
	return 32 << 20
}

// open sends a read and returns the body of its answer.
func (c *Client) open(ctx context.Context, r *call) (*rest.Stream, error) {
	var body *rest.Stream
	err := c.authorized(ctx, r, func(req *rest.Request) (*rest.Response, error) {
		s, err := c.rest.Open(ctx, req)
		if err != nil {
			return nil, err
		}
		if s.Status >= 200 && s.Status <= 299 {
			body = s
			return &rest.Response{Status: s.Status, Header: s.Header}, nil
		}
		defer s.Close()
		text, err := io.ReadAll(io.LimitReader(s, 1<<20))
		return &rest.Response{Status: s.Status, Header: s.Header, Body: text}, err
	})
	return body, err
}

func streamError(r *call, err error) error {
	var lost *rest.TransportError
	switch {
	case errors.As(err, &lost):
		return transportError(err, r.method)
	case errors.Is(err, ErrTooLarge), errors.Is(err, io.ErrUnexpectedEOF):
		return &TransportError{Operation: r.operation(), Err: err}
	case errors.Is(err, errPage):
		return &APIError{Operation: r.operation(), Status: http.StatusOK, Code: "html", Message: "a web page came instead of an answer"}
	}
	e := malformed(r, nil)
	if !errors.Is(err, errShape) {
		e.Message += ": " + clean(err.Error())
	}
	return e
}

var errPage = errors.New("a web page")

// An itemReader finds the items of a list in an answer that it reads piece by
// piece: those of {"data":{"items":[…]}}, {"items":[…]} and […].
type itemReader struct {
	source *bufio.Reader
	meter  *meter
	dec    *json.Decoder
	inside bool // the list has begun
}

func newItemReader(body io.Reader, largest int64) *itemReader {
	source := bufio.NewReaderSize(body, 32<<10)
	m := &meter{source: source, largest: largest}
	m.dec = json.NewDecoder(m)
	return &itemReader{source: source, meter: m, dec: m.dec}
}

// A meter stops a reader that goes further ahead than one item may be large.
type meter struct {
	source  io.Reader
	dec     *json.Decoder
	read    int64
	largest int64
}

func (m *meter) Read(p []byte) (int, error) {
	if m.read-m.dec.InputOffset() > m.largest {
		return 0, fmt.Errorf("%w: one item has more than %d bytes", ErrTooLarge, m.largest)
	}
	n, err := m.source.Read(p)
	m.read += int64(n)
	return n, err
}

// next returns the JSON of the next item, and io.EOF behind the last.
func (r *itemReader) next() ([]byte, error) {
	if !r.inside {
		if err := r.begin(); err != nil {
			return nil, whole(err)
		}
		r.inside = true
	}
	if !r.dec.More() {
		// The end of the list, or of what arrived of it.
		if _, err := r.dec.Token(); err != nil {
			return nil, whole(err)
		}
		// The little that follows is read so that the connection can be used again.
		_, _ = io.CopyN(io.Discard, r.source, 4096)
		return nil, io.EOF
	}
	var raw json.RawMessage
	if err := r.dec.Decode(&raw); err != nil {
		return nil, whole(err)
	}
	return bytes.TrimSpace(raw), nil
}

// whole says that an answer which ends here has been cut.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// begin reads up to the first item.
func (r *itemReader) begin() error {
	if first, err := r.source.Peek(1); err == nil && first[0] == '<' {
		return errPage
	}
	for {
		token, err := r.dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('['):
			return nil
		case json.Delim('{'):
			if err := r.member(); err != nil {
				return err
			}
		default:
			return errShape
		}
	}
}

// member goes to the value of the member that leads to the items.
func (r *itemReader) member() error {
	for r.dec.More() {
		name, err := r.dec.Token()
		if err != nil {
			return err
		}
		if name == "data" || name == "items" {
			return nil
		}
		var skipped json.RawMessage
		if err := r.dec.Decode(&skipped); err != nil {
			return err
		}
	}
	return errShape
}
