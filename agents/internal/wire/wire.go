// Package wire is what the providers of models share: one POST whose answer is a
// stream of server-sent events, and errors that say whether to try again.
package wire

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
)

// Options configure a [Client].
type Options struct {
	Model      string // provider/model, for errors
	BaseURL    string
	HTTPClient *http.Client  // nil: one of its own
	Stall      time.Duration // how long nothing may arrive; 0: 90 s
	Header     http.Header   // sent with each request
	// Key returns the key, for each request.
	Key func(context.Context) (string, error)
	// Sign puts the key into the header.
	Sign func(h http.Header, key string)
}

// A Client posts requests to one server.
type Client struct {
	opts Options
	rest *rest.Client
}

// An Event is one server-sent event.
type Event struct{ Name, Data string }

const (
	maxLine  = 4 << 20  // of one event
	maxBody  = 64 << 20 // of one answer
	maxError = 64 << 10 // of a refusal
)

// New checks opts.
func New(opts Options) (*Client, error) {
	if opts.Stall < 0 {
		return nil, invalid.Field("Stall", opts.Stall, "0 for the default, or a positive time")
	}
	if opts.Stall == 0 {
		opts.Stall = 90 * time.Second
	}
	c, err := rest.New(rest.Options{BaseURL: opts.BaseURL, UserAgent: "ttai/1", HTTPClient: opts.HTTPClient, Timeout: opts.Stall, Retries: -1})
	if err != nil {
		return nil, err
	}
	return &Client{opts: opts, rest: c}, nil
}

// patient hides the deadline of a context, not its end, so that a stall is noticed
// before the deadline.
type patient struct{ context.Context }

func (patient) Deadline() (time.Time, bool) { return time.Time{}, false }

func (c *Client) post(ctx context.Context, path []string, body any, key string, read func(Event) error) error {
	data, err := json.Marshal(body)
	if err != nil {
		return &agents.ModelError{Message: "the request cannot be written: " + err.Error(), Err: err}
	}
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}}
	maps.Copy(header, c.opts.Header)
	if key != "" && c.opts.Sign != nil {
		c.opts.Sign(header, key)
	}
	stream, err := c.rest.Open(patient{ctx}, &rest.Request{Method: http.MethodPost, Operation: "POST /" + strings.Join(path, "/"), Path: path, Header: header, Body: data})
	if err != nil {
		return err
	}
	defer stream.Close()
	if stream.Status != http.StatusOK {
		return refusal(stream)
	}
	if kind, _, err := mime.ParseMediaType(stream.Header.Get("Content-Type")); err != nil || kind != "text/event-stream" {
		return &agents.ModelError{Message: "the answer is no event stream: is this the right address?"}
	}
	return events(io.LimitReader(stream, maxBody), read)
}

// events reads server-sent events until the stream ends or read fails.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
func events(r io.Reader, read func(Event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var e Event
	var data []string
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" {
			if len(data) > 0 {
				e.Data = strings.Join(data, "\n")
				if err := read(e); err != nil {
					return err
				}
			}
			e, data = Event{}, nil
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.Name = value
		case "data":
			data = append(data, value)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return &agents.ModelError{Message: fmt.Sprintf("an event of more than %d bytes", maxLine), Err: lines.Err()}
	}
	return lines.Err()
}

// refusal reads an answer that is not 200.
func refusal(s *rest.Stream) error {
	failure := &agents.ModelError{Status: s.Status, Temporary: Temporary(s.Status), RetryAfter: rest.RetryAfter(s.Header, time.Now())}
	body, err := io.ReadAll(io.LimitReader(s, maxError))
	failure.Message, failure.Err = Message(body), err
	if failure.Message == "" {
		failure.Message = http.StatusText(s.Status)
	}
	return failure
}

// Message reads the message of an error in JSON: {"error":{"message":…}}; empty
// when there is none.
func Message(body []byte) string {
	var e struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	return e.Error.Message
}

// Temporary reports whether a request that was refused so may succeed later. 529
// is "overloaded".
func Temporary(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 529:
		return true
	}
	return false
}

// Malformed is the error for an event that cannot be read. The next attempt may be
// luckier.
func Malformed(err error) error {
	return &agents.ModelError{Temporary: true, Message: "an event of the answer cannot be read", Err: err}
}

// fail makes a *ModelError of err, in one line of decent length without the key,
// unless ctx has ended.
func (c *Client) fail(ctx context.Context, key string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failure, ok := errors.AsType[*agents.ModelError](err)
	if !ok {
		failure = &agents.ModelError{Temporary: true, Message: err.Error(), Err: err}
		if errors.Is(err, context.DeadlineExceeded) {
			failure.Message = fmt.Sprintf("nothing arrived for %v", c.opts.Stall)
		}
	}
	out := *failure
	out.Model = c.opts.Model
	if key != "" {
		out.Message = strings.ReplaceAll(out.Message, key, "[redacted]")
	}
	out.Message = strings.Join(strings.Fields(agents.Clean(out.Message)), " ")
	if len(out.Message) > 500 {
		out.Message = strings.ToValidUTF8(out.Message[:500], "") + "…"
	}
	return &out
}

// errEnough ends the reading of a stream whose consumer has left.
var errEnough = errors.New("enough")

// Run posts body as JSON, once, and yields what read makes of each event of the
// answer: deltas, the last of which has a Stop. Events after it are not read. A
// stream that ends before it was cut off. Errors are the context's or a
// *[agents.ModelError] without the key.
func (c *Client) Run(ctx context.Context, path []string, body any, read func(Event) ([]agents.Delta, error)) iter.Seq2[agents.Delta, error] {
	return func(yield func(agents.Delta, error) bool) {
		var key string
		var err error
		if c.opts.Key != nil {
			if key, err = c.opts.Key(ctx); err != nil {
				err = &agents.ModelError{Message: "there is no key: " + err.Error(), Err: err}
			}
		}
		if err == nil {
			err = c.post(ctx, path, body, key, func(e Event) error {
				deltas, err := read(e)
				for _, d := range deltas {
					if !yield(d, nil) || d.Stop != "" {
						return errEnough
					}
				}
				return err
			})
		}
		switch {
		case errors.Is(err, errEnough):
			return
		case err == nil:
			err = &agents.ModelError{Temporary: true, Message: agents.ErrCutOff.Error(), Err: agents.ErrCutOff}
		}
		yield(agents.Delta{}, c.fail(ctx, key, err))
	}
}

// Object returns arguments as a JSON object, which is what servers take back. What
// a model wrote that is none stands in it as text.
func Object(arguments json.RawMessage) json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(arguments, &m) == nil && m != nil {
		return arguments
	}
	if len(strings.TrimSpace(string(arguments))) == 0 {
		return json.RawMessage("{}")
	}
	data, err := json.Marshal(map[string]string{"not_an_object": string(arguments)})
	if err != nil {
		return json.RawMessage("{}") // cannot be: it is text
	}
	return data
}
