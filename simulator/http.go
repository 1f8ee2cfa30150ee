package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/market"
)

// oldestVersion is the first Accept-Version that is still served.
const oldestVersion = 20240501

// outer is what every request passes: faults, the edge's rules and the log.
func (s *Simulator) outer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.gate.enter() {
			panic(http.ErrAbortHandler)
		}
		defer s.gate.leave()
		s.log("request", "method", r.Method, "path", r.URL.Path)
		w.Header().Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
		var fault Fault
		if s.fault != nil {
			fault = s.fault(r)
		}
		if fault == (Fault{}) && !strings.HasPrefix(r.URL.Path, "/simulator/") { // what sets the rules is above them
			fault = s.faults.fault(r)
		}
		if fault.Delay > 0 && !s.pause(r, fault.Delay) {
			return
		}
		switch {
		case fault.Drop:
			panic(http.ErrAbortHandler)
		case fault.Status != 0:
			writeFault(w, fault)
			return
		case !strings.Contains(r.Header.Get("User-Agent"), "/"):
			// The real edge answers before the API is reached, in HTML.
			writeFault(w, Fault{Status: http.StatusUnauthorized})
			return
		case fault.Lose || fault.Half:
			cut(next, w, r, fault.Half)
		}
		if fault.DropAfter > 0 {
			r = r.WithContext(withDropAfter(r.Context(), fault.DropAfter))
		}
		next.ServeHTTP(w, r)
	})
}

// pause waits and reports whether the request is still wanted.
func (s *Simulator) pause(r *http.Request, d time.Duration) bool {
	timer := s.wall.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-r.Context().Done():
	case <-s.ctx.Done():
	}
	return false
}

// guarded is what every request of a customer passes.
func (s *Simulator) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, ok := s.authorize(w, r)
		if !ok {
			return
		}
		if text := r.Header.Get("Accept-Version"); text != "" {
			if version, err := strconv.Atoi(text); err != nil || len(text) != 8 || version < oldestVersion {
				writeJSON(w, http.StatusNotAcceptable, map[string]any{"error": map[string]any{
					"code": http.StatusNotAcceptable, "message": "No acceptable version found"}})
				return
			}
		}
		if family, ok := s.limits.refused(from.id, r, s.wall.Now()); !ok {
			s.log("rate limit exceeded", "family", family)
			w.Header().Set("Retry-After", "1")
			s.refuse(w, http.StatusTooManyRequests, "too_many_requests", "Too many requests")
			return
		}
		next.ServeHTTP(w, asCustomer(r, from))
	})
}

// beforehand lets Options.Before answer first.
func (s *Simulator) beforehand(next http.Handler) http.Handler {
	if s.before == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.before(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

func (s *Simulator) notFound(w http.ResponseWriter, r *http.Request) {
	s.refuse(w, http.StatusNotFound, "record_not_found", "Not found")
}

// An envelope surrounds every answer but OAuth's.
type envelope struct {
	Data       any         `json:"data"`
	Context    string      `json:"context,omitempty"`
	Pagination *pagination `json:"pagination,omitempty"`
}

type items[T any] struct {
	Items []T `json:"items"`
}

// A pagination counts pages from 0. Its links are null in the real service.
type pagination struct {
	PerPage          int     `json:"per-page"`
	PageOffset       int     `json:"page-offset"`
	ItemOffset       int     `json:"item-offset"`
	TotalItems       int     `json:"total-items"`
	TotalPages       int     `json:"total-pages"`
	CurrentItemCount int     `json:"current-item-count"`
	PreviousLink     *string `json:"previous-link"`
	NextLink         *string `json:"next-link"`
	LinkTemplate     *string `json:"paging-link-template"`
}

// page cuts list to the page that the request asks for.
func page[T any](r *http.Request, list []T, perPage int) ([]T, *pagination) {
	query := r.URL.Query()
	if n, err := strconv.Atoi(query.Get("per-page")); err == nil && n > 0 {
		perPage = min(n, perPage)
	}
	offset, err := strconv.Atoi(query.Get("page-offset"))
	if err != nil || offset < 0 {
		offset = 0
	}
	p := &pagination{PerPage: perPage, PageOffset: offset, TotalItems: len(list), TotalPages: (len(list) + perPage - 1) / perPage}
	from := len(list)
	if offset < p.TotalPages { // also keeps the product from overflowing
		from = offset * perPage
	}
	to := min(from+perPage, len(list))
	p.ItemOffset, p.CurrentItemCount = from, to-from
	return list[from:to], p
}

func writeData(w http.ResponseWriter, r *http.Request, data any) {
	writeJSON(w, http.StatusOK, envelope{Data: data, Context: r.URL.EscapedPath()})
}

func writeItems[T any](w http.ResponseWriter, r *http.Request, list []T, p *pagination) {
	if list == nil {
		list = []T{}
	}
	writeJSON(w, http.StatusOK, envelope{Data: items[T]{list}, Context: r.URL.EscapedPath(), Pagination: p})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		http.Error(w, "the simulator could not encode its answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client may be gone; there is no one to tell
}

type errorBody struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Errors  []errorItem `json:"errors,omitempty"`
}

type errorItem struct {
	Domain string `json:"domain"`
	Reason string `json:"reason"`
}

// refuse answers with the API's error object.
func (s *Simulator) refuse(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]errorBody{"error": {Code: code, Message: message}})
}

// invalidParameter answers 400 naming the parameter.
func (s *Simulator) invalidParameter(w http.ResponseWriter, name, reason string) {
	writeJSON(w, http.StatusBadRequest, map[string]errorBody{"error": {
		Code: "validation_error", Message: "Request validation failed", Errors: []errorItem{{Domain: name, Reason: reason}}}})
}

// internalError answers 500: the market behind the simulator failed.
func (s *Simulator) internalError(w http.ResponseWriter, r *http.Request, err error) {
	s.log("failed", "path", r.URL.Path, "error", err)
	s.refuse(w, http.StatusInternalServerError, "internal_error", "The simulator's market failed: "+err.Error())
}

func writeFault(w http.ResponseWriter, f Fault) {
	body, kind := f.Body, f.ContentType
	if body == "" && kind == "" {
		text := fmt.Sprintf("%d %s", f.Status, http.StatusText(f.Status))
		body = "<html>\r\n<head><title>" + text + "</title></head>\r\n<body>\r\n<center><h1>" + text +
			"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
		kind = "text/html"
	}
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(body)) // the client may be gone; there is no one to tell
}

func (s *Simulator) log(message string, args ...any) {
	if s.logger != nil {
		s.logger.Debug(message, args...)
	}
}

// today is the market's date.
func (s *Simulator) today() market.Date {
	return market.DateOf(s.clock.Now().In(s.calendar.Location()))
}
