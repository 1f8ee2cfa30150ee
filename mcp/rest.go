package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/broker"
)

// restOperations are what the HTTP interface has: a name and the tool behind it.
// None of them places an order, stops trading or approves anything.
func restOperations() []struct{ name, tool string } {
	return []struct{ name, tool string }{
		{"quote", "quote"}, {"analyse", "analyst"}, {"preview", "preview_order"}, {"backtest", "backtest"}, {"find_trades", "find_trades"},
		{"candles", "candles"}, {"option_chain", "option_chain"}, {"metrics", "metrics"}, {"price_option", "price_option"}, {"portfolio", "portfolio"},
	}
}

// API returns a plain HTTP interface to the same tools, for programs that do not
// speak the Model Context Protocol. Callers are authenticated, limited and given
// their tools as by [Server.Handler]; a call counts against the same limit. Mount
// it under a path of its own with http.StripPrefix.
//
//	GET    /                    the operations that this caller has, with their schemas
//	GET    /quote?symbols=SPY   quotes, as POST with the same arguments
//	POST   /quote               also analyse, preview, backtest, find_trades, candles,
//	                            option_chain, metrics, price_option, portfolio: a JSON
//	                            object of arguments, answered by the tool's JSON
//	GET    /backtest/HANDLE     what happens in a backtest as application/x-ndjson, one
//	                            JSON object a line, until it ends; ?after=N goes on
//	                            after line N
//	DELETE /backtest/HANDLE     cancel it; what was done is kept
//
// Orders are only previewed here: there is no operation that places one. Errors are
// {"error": …}, with "field" when an argument is to blame, and the status 400, 401,
// 403, 404, 405, 413, 415, 429, 500, 502, 503 or 504.
func (s *Server) API() http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	for _, origin := range s.opts.AllowedOrigins {
		if err := crossOrigin.AddTrustedOrigin(origin); err != nil {
			panic(err) // New has checked them
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler {
					panic(v)
				}
				s.opts.Logger.ErrorContext(r.Context(), "request panicked", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
				restError(w, http.StatusInternalServerError, "", "internal error")
			}
		}()
		if err := s.checkHost(r); err != nil {
			restError(w, http.StatusForbidden, "", err.Error())
			return
		}
		if err := s.checkOrigin(w, r); err != nil {
			restError(w, http.StatusForbidden, "", err.Error())
			return
		}
		if r.Method == http.MethodOptions {
			w.Header().Set("Allow", "GET, POST, DELETE, OPTIONS")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if err := crossOrigin.Check(r); err != nil {
			restError(w, http.StatusForbidden, "", "requests from other websites are refused")
			return
		}
		principal, err := s.authenticate(r)
		if err != nil {
			s.challenge(w, err)
			restError(w, http.StatusUnauthorized, "", err.Error())
			return
		}
		_, b, err := s.open(r.Context(), principal)
		if err != nil {
			s.opts.Logger.ErrorContext(r.Context(), "no server for a caller", "error", err)
			// What is wrong with this server's means is for its log: it may name them.
			w.Header().Set("Retry-After", "5")
			restError(w, http.StatusServiceUnavailable, "", notReady)
			return
		}
		if b.limiter != nil && !b.limiter.AllowN(s.opts.Now(), 1) {
			w.Header().Set("Retry-After", "5")
			restError(w, http.StatusTooManyRequests, "", fmt.Sprintf("too many calls: at most %d a minute are served", s.opts.Limits.CallsPerMinute))
			return
		}
		// Calls end with the request, and with the server.
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.life, cancel)()
		b.rest(w, r.WithContext(ctx))
	})
}

// rest answers a request of an authenticated caller.
func (b *builder) rest(w http.ResponseWriter, r *http.Request) {
	name, handle, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	if name == "" {
		b.restIndex(w, r)
		return
	}
	t, ok := b.restTool(name)
	if !ok {
		restError(w, http.StatusNotFound, "", fmt.Sprintf("there is no operation %q here: GET / lists them", name[:min(len(name), 60)]))
		return
	}
	switch {
	case name == "backtest" && handle != "":
		b.restStream(w, r, handle)
	case handle != "":
		restError(w, http.StatusNotFound, "", "no such path")
	case r.Method == http.MethodPost:
		b.restCall(w, r, t, nil)
	case r.Method == http.MethodGet && name == "quote":
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			restError(w, http.StatusBadRequest, "symbols", "the query is not well formed")
			return
		}
		var symbols []string
		for _, list := range query["symbols"] {
			symbols = append(symbols, strings.Split(list, ",")...)
		}
		arguments, err := json.Marshal(map[string][]string{"symbols": symbols})
		if err != nil {
			restError(w, http.StatusBadRequest, "symbols", err.Error())
			return
		}
		b.restCall(w, r, t, arguments)
	default:
		allowed := "POST"
		if name == "quote" {
			allowed = "GET, POST"
		}
		w.Header().Set("Allow", allowed)
		restError(w, http.StatusMethodNotAllowed, "", name+" takes POST with a JSON object of arguments")
	}
}

// restTool finds the tool of an operation among those that the caller has.
func (b *builder) restTool(operation string) (agents.Tool, bool) {
	for _, o := range restOperations() {
		if o.name != operation {
			continue
		}
		i := slices.IndexFunc(b.callable, func(t agents.Tool) bool { return t.Name == o.tool })
		if i >= 0 {
			return b.callable[i], true
		}
	}
	return agents.Tool{}, false
}

// restIndex lists the operations.
func (b *builder) restIndex(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		restError(w, http.StatusMethodNotAllowed, "", "the list takes GET")
		return
	}
	type operation struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Input       any    `json:"input"`
		Output      any    `json:"output"`
	}
	out := struct {
		Environment broker.Environment `json:"environment"`
		Notice      string             `json:"notice,omitempty"`
		Operations  []operation        `json:"operations"`
	}{Environment: b.environment, Notice: b.deps.Notice, Operations: []operation{}}
	for _, o := range restOperations() {
		if t, ok := b.restTool(o.name); ok {
			out.Operations = append(out.Operations, operation{o.name, t.Description, t.Input, t.Output})
		}
	}
	data, err := json.Marshal(out)
	if err != nil {
		restError(w, http.StatusInternalServerError, "", "internal error")
		return
	}
	restAnswer(w, data)
}

// restCall calls a tool. Nil arguments are read from the body.
func (b *builder) restCall(w http.ResponseWriter, r *http.Request, t agents.Tool, arguments json.RawMessage) {
	if arguments == nil {
		if !plainJSON(r.Header) {
			restError(w, http.StatusUnsupportedMediaType, "", "arguments are a JSON object, application/json, and not compressed")
			return
		}
		// A body that trickles in is given up, where the server can.
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(restPatience))
		defer func() { _ = control.SetReadDeadline(time.Time{}) }() // the connection may serve others
		body := r.Body
		if limit := b.opts.Limits.MaxBody; limit > 0 {
			body = http.MaxBytesReader(w, r.Body, limit)
		}
		data, err := io.ReadAll(body)
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			restError(w, http.StatusRequestEntityTooLarge, "", fmt.Sprintf("the body is larger than %d bytes", b.opts.Limits.MaxBody))
			return
		}
		if err != nil {
			restError(w, http.StatusBadRequest, "", "the body could not be read")
			return
		}
		if arguments = data; len(strings.TrimSpace(string(data))) == 0 {
			arguments = json.RawMessage("{}")
		}
	}
	raw, err := b.call(r.Context(), t, arguments)
	if err != nil {
		b.restFailure(w, err)
		return
	}
	restAnswer(w, raw)
}

// plainJSON tells whether a body is what it should be. What says nothing, plain text
// and what curl -d calls a form are taken for JSON, and read as that alone.
func plainJSON(h http.Header) bool {
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return false
	}
	content := h.Get("Content-Type")
	if content == "" {
		return true
	}
	kind, params, err := mime.ParseMediaType(content)
	if err != nil {
		return false
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return false
	}
	return kind == "application/json" || strings.HasSuffix(kind, "+json") || kind == "text/plain" || kind == "application/x-www-form-urlencoded"
}

// restPatience is how long a caller may take to send a body, or to take a line of a
// stream.
const restPatience = 30 * time.Second

// A patientWriter gives up on a reader that does not take a line in time, which would
// hold a stream of its caller's for good.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write sets the deadline anew, which servers that have none leave out.
func (w *patientWriter) Write(line []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(restPatience))
	return w.ResponseWriter.Write(line)
}

// done lifts the deadline: the connection may serve other requests.
func (w *patientWriter) done() { _ = w.control.SetWriteDeadline(time.Time{}) }

func (w *patientWriter) Flush() { _ = w.control.Flush() }

// restStream sends the lines of a backtest, or cancels it.
func (b *builder) restStream(w http.ResponseWriter, r *http.Request, handle string) {
	if b.deps.Backtests == nil {
		restError(w, http.StatusNotFound, "", "there are no backtests here")
		return
	}
	job, err := b.deps.Backtests.Get(handle)
	if err != nil {
		restError(w, http.StatusNotFound, "handle", err.Error())
		return
	}
	switch r.Method {
	case http.MethodDelete:
		job.Cancel()
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet:
	default:
		w.Header().Set("Allow", "GET, DELETE")
		restError(w, http.StatusMethodNotAllowed, "", "a backtest takes GET or DELETE")
		return
	}
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			restError(w, http.StatusBadRequest, "after", "after is the number of the last line that was seen")
			return
		}
	}
	if most := b.opts.Limits.MaxSessions; b.streams.Add(1) > int64(most) && most > 0 {
		b.streams.Add(-1)
		w.Header().Set("Retry-After", "30")
		restError(w, http.StatusTooManyRequests, "", fmt.Sprintf("%d streams are open, and more are not allowed", most))
		return
	}
	defer b.streams.Add(-1)
	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	patient := &patientWriter{w, http.NewResponseController(w)}
	defer patient.done()
	if err := job.Log().CopyTo(r.Context(), patient, after); err != nil {
		b.opts.Logger.DebugContext(r.Context(), "a stream of a backtest ended early", "error", err)
	}
}

// restFailure tells what went wrong with a call.
func (b *builder) restFailure(w http.ResponseWriter, err error) {
	var defect *agents.PanicError
	field, refused := errors.AsType[*FieldError](err)
	switch {
	case refused:
		restError(w, http.StatusBadRequest, field.Field, message(err))
	case errors.As(err, &defect):
		restError(w, http.StatusInternalServerError, "", message(err))
	case errors.Is(err, context.DeadlineExceeded):
		restError(w, http.StatusGatewayTimeout, "", message(err))
	case errors.Is(err, context.Canceled):
		restError(w, http.StatusServiceUnavailable, "", message(err))
	default:
		restError(w, http.StatusBadGateway, "", message(err))
	}
}

func restAnswer(w http.ResponseWriter, data []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(append(data, '\n')) // a caller that has gone reads nothing
}

func restError(w http.ResponseWriter, status int, field, text string) {
	data, err := json.Marshal(struct {
		Error string `json:"error"`
		Field string `json:"field,omitempty"`
	}{text, field})
	if err != nil {
		data = []byte(`{"error":"internal error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}
