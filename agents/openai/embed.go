package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/internal/wire"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
)

// EmbedderOptions configure an [Embedder]. The zero value works for OpenAI.
type EmbedderOptions struct {
	BaseURL    string        // https, or http to this machine; empty: [BaseURL]
	HTTPClient *http.Client  // nil: one of its own
	Timeout    time.Duration // of one request; 0: 60 s
	KeyHeader  string        // in place of "Authorization: Bearer": "api-key" on Azure
	// Batch is how many texts one request carries, 1 to 2048; 0: 64.
	Batch int
	// Shorten asks the server for vectors of the given number of dimensions, which
	// models that can be shortened offer. Otherwise the number must be the model's
	// own, and the server is not told.
	Shorten bool
	// Retries is how often a request that was refused for the moment is sent
	// again; 0: 3, negative: never. Embedding changes nothing, so that is safe.
	Retries int
	// Used is told what the server counted, after each request. Nil: nobody is.
	// It must be safe for concurrent use.
	Used func(tokens int)
}

// An Embedder makes vectors of texts with a model of a server. It is safe for
// concurrent use, and is a knowledge.Embedder.
type Embedder struct {
	name, id string
	dims     int
	opts     EmbedderOptions
	key      func(context.Context) (string, error)
	rest     *rest.Client
}

// maxInput is how many bytes of a text are embedded: about what the models read.
const maxInput = 24 << 10

// NewEmbedder returns the embedder of the model called name, provider/model, whose
// vectors have dims numbers: 1536 for openai/text-embedding-3-small. The key is
// asked for before each request and kept nowhere; nil: the server wants none. Opts
// may be nil.
func NewEmbedder(name string, dims int, key func(context.Context) (string, error), opts *EmbedderOptions) (*Embedder, error) {
	e := &Embedder{name: name, dims: dims, key: key}
	var err error
	if _, e.id, err = agents.SplitName(name); err != nil {
		return nil, err
	}
	if dims < 1 || dims > 4096 {
		return nil, invalid.Field("dims", dims, "1 to 4096")
	}
	if opts != nil {
		e.opts = *opts
	}
	o := &e.opts
	if strings.ContainsAny(o.KeyHeader, " \t\r\n:") {
		return nil, invalid.Field("KeyHeader", o.KeyHeader, "the name of a header")
	}
	if o.Batch < 0 || o.Batch > 2048 {
		return nil, invalid.Field("Batch", o.Batch, "1 to 2048, or 0 for 64")
	}
	if o.Batch == 0 {
		o.Batch = 64
	}
	if o.Timeout < 0 {
		return nil, invalid.Field("Timeout", o.Timeout, "0 for the default, or a positive time")
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Retries == 0 {
		o.Retries = 3
	}
	if o.BaseURL == "" {
		o.BaseURL = BaseURL
	}
	e.rest, err = rest.New(rest.Options{BaseURL: o.BaseURL, UserAgent: "ttai/1", HTTPClient: o.HTTPClient, Timeout: o.Timeout, Retries: -1})
	return e, err
}

// Model returns provider/model with the number of dimensions when it was shortened.
func (e *Embedder) Model() string {
	if e.opts.Shorten {
		return fmt.Sprintf("%s@%d", e.name, e.dims)
	}
	return e.name
}

// Dims returns how many numbers a vector has.
func (e *Embedder) Dims() int { return e.dims }

type embedRequest struct {
	Model      string   `json:"model"`
	Input      []string `json:"input"`
	Format     string   `json:"encoding_format"`
	Dimensions int      `json:"dimensions,omitempty"`
}

type embedAnswer struct {
	Data []struct {
		Index  *int      `json:"index"`
		Vector []float32 `json:"embedding"`
	} `json:"data"`
	Usage struct {
		Tokens int `json:"total_tokens"`
	} `json:"usage"`
}

// Embed returns one vector for each text, in order, and nil for a text of nothing
// but space. Texts are cut at 24 KB. Errors are the context's or a
// *[agents.ModelError] without the key and without the texts.
//
// POST /embeddings
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	var places []int
	for i, t := range texts {
		if strings.TrimSpace(t) != "" {
			places = append(places, i)
		}
	}
	for part := range slices.Chunk(places, e.opts.Batch) {
		input := make([]string, len(part))
		for i, place := range part {
			input[i] = texts[place]
			if len(input[i]) > maxInput {
				input[i] = strings.ToValidUTF8(input[i][:maxInput], "")
			}
		}
		vectors, err := e.patiently(ctx, input)
		if err != nil {
			return nil, err
		}
		for i, place := range part {
			out[place] = vectors[i]
		}
	}
	return out, nil
}

// patiently sends a request again when the server asks for patience, waiting as
// long as it says.
func (e *Embedder) patiently(ctx context.Context, input []string) ([][]float32, error) {
	for attempt := 0; ; attempt++ {
		vectors, err := e.post(ctx, input)
		failure, ok := errors.AsType[*agents.ModelError](err)
		if err == nil || ctx.Err() != nil || !ok || !failure.Temporary || attempt >= e.opts.Retries {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return vectors, err
		}
		wait := min(max(failure.RetryAfter, 250*time.Millisecond<<attempt), time.Minute)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

func (e *Embedder) post(ctx context.Context, input []string) ([][]float32, error) {
	var key string
	if e.key != nil {
		var err error
		if key, err = e.key(ctx); err != nil {
			return nil, &agents.ModelError{Model: e.name, Message: "there is no key: " + err.Error(), Err: err}
		}
	}
	body := embedRequest{Model: e.id, Input: input, Format: "float"}
	if e.opts.Shorten {
		body.Dimensions = e.dims
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	switch {
	case key == "":
	case e.opts.KeyHeader != "":
		header.Set(e.opts.KeyHeader, key)
	default:
		header.Set("Authorization", "Bearer "+key)
	}
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout)
	defer cancel()
	answer, err := e.rest.Do(ctx, &rest.Request{Method: http.MethodPost, Operation: "POST /embeddings", Path: []string{"embeddings"}, Header: header, Body: data})
	if err != nil {
		return nil, &agents.ModelError{Model: e.name, Temporary: true, Message: redacted(err.Error(), key), Err: err}
	}
	if answer.Status != http.StatusOK {
		message := wire.Message(answer.Body)
		if message == "" {
			message = http.StatusText(answer.Status)
		}
		return nil, &agents.ModelError{
			Model: e.name, Status: answer.Status, Temporary: wire.Temporary(answer.Status),
			RetryAfter: rest.RetryAfter(answer.Header, time.Now()), Message: redacted(message, key),
		}
	}
	var got embedAnswer
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		return nil, &agents.ModelError{Model: e.name, Temporary: true, Message: "the answer of the embeddings cannot be read"}
	}
	if e.opts.Used != nil {
		e.opts.Used(got.Usage.Tokens)
	}
	out := make([][]float32, len(input))
	for i, d := range got.Data {
		at := i
		if d.Index != nil {
			at = *d.Index
		}
		if at < 0 || at >= len(out) || out[at] != nil {
			return nil, &agents.ModelError{Model: e.name, Message: "the answer has vectors for texts that were not sent"}
		}
		if len(d.Vector) != e.dims {
			return nil, &agents.ModelError{Model: e.name, Message: fmt.Sprintf("the vectors have %d dimensions, and %d were expected", len(d.Vector), e.dims)}
		}
		out[at] = d.Vector
	}
	if slices.ContainsFunc(out, func(v []float32) bool { return v == nil }) {
		return nil, &agents.ModelError{Model: e.name, Temporary: true, Message: fmt.Sprintf("the answer has %d vectors for %d texts", len(got.Data), len(input))}
	}
	return out, nil
}

// redacted is one line of decent length without the key.
func redacted(message, key string) string {
	if key != "" {
		message = strings.ReplaceAll(message, key, "[redacted]")
	}
	message = strings.Join(strings.Fields(agents.Clean(message)), " ")
	if len(message) > 500 {
		message = strings.ToValidUTF8(message[:500], "") + "…"
	}
	return message
}
