package tastytrade

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
)

// A call is one request of a service. Its operation is the route as
// endpoints.md lists it, with the names of the path's parameters.
type call struct {
	method string
	route  string   // "/accounts/{account}/positions"
	args   []string // for the parameters of route, in order
	query  url.Values
	body   any // written as JSON; nil: no body

	public  bool         // sent without a token
	host    *rest.Client // nil: the client's own
	flat    bool         // the answer has no envelope
	noPin   bool         // sent without Accept-Version
	invalid error        // found while the call was made; nothing is sent
	token   string       // what it was sent with, to be kept out of errors
}

func get(route string, args ...string) *call {
	return &call{method: http.MethodGet, route: route, args: args}
}

func post(route string, args ...string) *call {
	return &call{method: http.MethodPost, route: route, args: args}
}

func put(route string, args ...string) *call {
	return &call{method: http.MethodPut, route: route, args: args}
}

func patch(route string, args ...string) *call {
	return &call{method: http.MethodPatch, route: route, args: args}
}

func del(route string, args ...string) *call {
	return &call{method: http.MethodDelete, route: route, args: args}
}

func (r *call) with(query url.Values) *call { r.query = query; return r }

// sending gives the call a body.
func (r *call) sending(body any) *call { r.body = body; return r }

func (r *call) operation() string { return r.method + " " + r.route }

func (r *call) path() []string {
	segments := strings.Split(strings.Trim(r.route, "/"), "/")
	args := r.args
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i], args = args[0], args[1:]
		}
	}
	return segments
}

// longestSegment is how much text a parameter of a path may have.
const longestSegment = 100

// check refuses parameters that would make another path of the call.
func (r *call) check() error {
	path := r.path()
	for i, s := range strings.Split(strings.Trim(r.route, "/"), "/") {
		name, ok := strings.CutPrefix(s, "{")
		if !ok {
			continue
		}
		if seg := path[i]; strings.TrimSpace(seg) == "" || seg == "." || seg == ".." || len(seg) > longestSegment || strings.ContainsFunc(seg, isControl) {
			return invalid.Field(strings.TrimSuffix(name, "}"), seg, "1 to 100 printable characters, not \".\" or \"..\"")
		}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// request makes what the wire sees of a call, with a token when it needs one.
func (c *Client) request(r *call, token string) (*rest.Request, error) {
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	if c.opts.AcceptVersion != "" && !r.noPin && !(c.environment() == Sandbox && r.isOrder()) {
		header.Set("Accept-Version", c.opts.AcceptVersion)
	}
	req := &rest.Request{Method: r.method, Operation: r.operation(), Path: r.path(), Query: r.query, Header: header}
	if r.body != nil {
		body, err := json.Marshal(r.body)
		if err != nil {
			return nil, invalid.Field("body", err.Error(), "values that JSON can hold")
		}
		req.Body = body
		header.Set("Content-Type", "application/json")
	}
	return req, nil
}

func (r *call) isOrder() bool {
	return strings.Contains(r.route, "/orders") || strings.Contains(r.route, "/complex-orders")
}

// do sends a call and returns the answer's data: the envelope is taken off. An
// answer without content has nil data.
func (c *Client) do(ctx context.Context, r *call) (data []byte, page *Pagination, err error) {
	resp, err := c.attempt(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	return c.unwrap(r, resp)
}

// attempt sends a call with a token, and a read that the token is refused for
// once more with a new one. An answer outside 2xx is an error.
func (c *Client) attempt(ctx context.Context, r *call) (*rest.Response, error) {
	host := r.host
	if host == nil {
		host = c.rest
	}
	var out *rest.Response
	err := c.authorized(ctx, r, func(req *rest.Request) (resp *rest.Response, err error) {
		out, err = host.Do(ctx, req)
		return out, err
	})
	return out, err
}

// authorized calls send with a request that has a token.
func (c *Client) authorized(ctx context.Context, r *call, send func(*rest.Request) (*rest.Response, error)) error {
	if r.invalid != nil {
		return r.invalid
	}
	if err := r.check(); err != nil {
		return err
	}
	for again := false; ; again = true {
		var secret string
		if !r.public {
			token, err := c.tokens.Token(ctx)
			if err != nil {
				return err
			}
			secret = token.AccessToken
		}
		r.token = secret
		req, err := c.request(r, secret)
		if err != nil {
			return err
		}
		resp, err := send(req)
		if err != nil {
			return transportError(err, r.method)
		}
		if resp.Status >= 200 && resp.Status <= 299 {
			return nil
		}
		refused := resp.Status == http.StatusUnauthorized && !bytes.HasPrefix(bytes.TrimSpace(resp.Body), []byte("<"))
		forget, can := c.tokens.(invalidator)
		if refused && can && !r.public {
			forget.Invalidate(secret)
			if !again && r.method == http.MethodGet {
				continue
			}
		}
		e := answerError(r.operation(), r.method, resp, c.opts.Now())
		e.redact(secret)
		if e.Hint == "" && refused {
			e.Hint = c.mixUp()
		}
		return e
	}
}

// unwrap checks an answer and takes off its envelope.
func (c *Client) unwrap(r *call, resp *rest.Response) ([]byte, *Pagination, error) {
	body := bytes.TrimSpace(resp.Body)
	unreadable := malformed(r, nil)
	unreadable.Status, unreadable.Message = resp.Status, "the answer is not the JSON that the route gives"
	switch {
	case len(body) == 0 && resp.Status == http.StatusNoContent:
		return nil, nil, nil
	case len(body) > 0 && body[0] == '<':
		unreadable.Code, unreadable.Message = "html", "a web page came instead of an answer"
		return nil, nil, unreadable
	case !json.Valid(body) || body[0] != '{' && body[0] != '[':
		return nil, nil, unreadable
	case body[0] == '[' || r.flat:
		return body, nil, nil
	}
	members, err := splitObject(body)
	if err != nil {
		return nil, nil, unreadable
	}
	var page *Pagination
	if raw := lookup(members, "pagination"); raw != nil && raw[0] == '{' {
		page = new(Pagination)
		if paginationCodec.decode(raw, reflect.ValueOf(page).Elem()) != nil {
			page = nil
		}
	}
	switch data := lookup(members, "data"); {
	case data != nil && string(data) != "null":
		return data, page, nil
	case lookup(members, "error") != nil:
		e := answerError(r.operation(), r.method, resp, c.opts.Now())
		e.redact(r.token)
		e.MayHaveHappened = r.method != http.MethodGet
		return nil, nil, e
	case isEnvelope(members):
		return nil, nil, unreadable
	}
	return body, page, nil // a few routes and versions answer without an envelope
}

// isEnvelope reports whether an object has nothing but the envelope's own members.
func isEnvelope(members []member) bool {
	for _, m := range members {
		switch m.name {
		case "data", "context", "api-version", "pagination", "message":
		default:
			return false
		}
	}
	return true
}

// one decodes a single object. A list of one is that one: some routes that are
// declared to give an object give such a list.
func one[T any](ctx context.Context, c *Client, r *call, codec *codec) (*T, error) {
	data, _, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	out := new(T)
	if err := codec.decode(only(data), reflect.ValueOf(out).Elem()); err != nil || reflect.ValueOf(out).Elem().IsZero() {
		return nil, malformed(r, err)
	}
	return out, nil
}

// only takes the one object out of a list of one, and returns any other data
// as it is.
func only(data []byte) []byte {
	list := data
	if len(data) > 0 && data[0] == '{' {
		members, err := splitObject(data)
		if err != nil {
			return data
		}
		if list = lookup(members, "items"); list == nil || len(members) > 1 {
			return data
		}
	}
	if elems, err := splitArray(list); err == nil && len(elems) == 1 {
		return elems[0]
	}
	return data
}

// many decodes the items of a list. An object where a list was expected is a
// list of one: older versions of some routes answer so.
func many[T any](ctx context.Context, c *Client, r *call, codec *codec) ([]T, *Pagination, error) {
	data, page, err := c.do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	elems, err := items(data)
	if err != nil {
		return nil, nil, malformed(r, err)
	}
	out := make([]T, len(elems))
	for i, e := range elems {
		if err := codec.decode(e, reflect.ValueOf(&out[i]).Elem()); err != nil {
			return nil, nil, malformed(r, err)
		}
	}
	return out, page, nil
}

// items returns the elements of a list's data.
func items(data []byte) ([][]byte, error) {
	if len(data) == 0 {
		return nil, errShape
	}
	if data[0] == '{' {
		members, err := splitObject(data)
		if err != nil {
			return nil, err
		}
		list := lookup(members, "items")
		if list == nil {
			return [][]byte{data}, nil
		}
		data = list
	}
	if string(data) == "null" {
		return nil, nil
	}
	return splitArray(data)
}

// paged decodes one page of a list.
func paged[T any](ctx context.Context, c *Client, r *call, codec *codec) (*Page[T], error) {
	out, page, err := many[T](ctx, c, r, codec)
	if err != nil {
		return nil, err
	}
	return &Page[T]{Items: out, Pagination: page}, nil
}

// exec sends a call whose answer has nothing to read.
func (c *Client) exec(ctx context.Context, r *call) error {
	_, err := c.attempt(ctx, r)
	return err
}

// malformed is the error of a 2xx answer that cannot be read. A write has
// happened then, in a way that is not known.
func malformed(r *call, err error) *APIError {
	e := &APIError{
		Operation: r.operation(), Status: http.StatusOK, Code: "malformed", Message: "the answer cannot be read",
		MayHaveHappened: r.method != http.MethodGet,
	}
	if err != nil {
		e.Message += ": " + clean(err.Error())
	}
	return e
}
