package tastytrade

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ttai-go/ttai/internal/rest"
)

// What callers branch on with errors.Is.
var (
	// ErrUnauthorized: the credentials or the token were refused (401, invalid_grant).
	ErrUnauthorized = errors.New("unauthorized")
	// ErrForbidden: the credentials do not reach this (403).
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: there is no such thing (404).
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the broker refused the request as it is (400, 406, 415, 422).
	ErrInvalid = errors.New("invalid request")
	// ErrRateLimited: too many requests (429), or no turn within the deadline.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: the broker could not be reached, failed (5xx) or answered nonsense.
	ErrUnavailable = errors.New("unavailable")
	// ErrTooLarge: the answer is larger than ClientOptions.MaxResponseBytes.
	ErrTooLarge = rest.ErrTooLarge
)

// An APIError is an answer that is not what was asked for. It never holds a
// token or a URL.
type APIError struct {
	Operation string // "GET /accounts/{account}/positions"
	Status    int    // HTTP status
	Code      string // the broker's: "record_not_found"; "html", "malformed" or "redirect" for what is not an answer of the API
	Message   string
	Errors    []ErrorDetail // one per failed check
	// Hint is what this package makes of it, such as a grant of another
	// environment; empty when it has no idea.
	Hint string
	// SupportID is the identifier that customer support asks for, when the
	// message has one.
	SupportID string
	RequestID string // of the answer's header, when it has one
	// RetryAfter is how long the broker asks to wait; 0 when it does not say.
	RetryAfter time.Duration
	// MayHaveHappened is true when the request was a write whose effect is not
	// known: look before doing it again.
	MayHaveHappened bool
}

// An ErrorDetail is one of several reasons.
type ErrorDetail struct {
	Code        string
	Message     string
	Field       string // of a validation error
	PreflightID string // which order of a complex order
}

// Error returns one line.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tastytrade: %s: ", e.Operation)
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	b.WriteString(e.Code)
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	for i, d := range e.Errors {
		if i == 5 {
			fmt.Fprintf(&b, "; and %d more", len(e.Errors)-i)
			break
		}
		b.WriteString("; ")
		for _, part := range []string{d.Field, d.Code, d.Message} {
			if part != "" {
				b.WriteString(part + " ")
			}
		}
	}
	if e.MayHaveHappened {
		b.WriteString(" (it may have happened)")
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return strings.TrimSpace(b.String())
}

// redact takes secrets out of everything that the broker said.
func (e *APIError) redact(secrets ...string) {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue // too short to be one, and part of any text
		}
		for _, s := range []*string{&e.Code, &e.Message, &e.SupportID, &e.RequestID} {
			*s = strings.ReplaceAll(*s, secret, redacted)
		}
		for i := range e.Errors {
			d := &e.Errors[i]
			for _, s := range []*string{&d.Code, &d.Message, &d.Field, &d.PreflightID} {
				*s = strings.ReplaceAll(*s, secret, redacted)
			}
		}
	}
}

const redacted = "[redacted]"

// Is reports whether target is the sentinel of this answer's kind.
func (e *APIError) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized || e.Code == "invalid_grant" || e.Code == "invalid_client" || e.Code == "invalid_credentials"
	case ErrForbidden:
		return e.Status == http.StatusForbidden
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrRateLimited:
		return e.Status == http.StatusTooManyRequests
	case ErrUnavailable:
		return e.Status >= 500 || e.Status < 400
	case ErrInvalid:
		switch e.Status {
		case http.StatusBadRequest, http.StatusNotAcceptable, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
			return true
		}
	}
	return false
}

// A TransportError says that no whole answer arrived.
type TransportError struct {
	Operation string
	Err       error
	// MayHaveHappened is true when the request was a write that may have
	// reached the broker.
	MayHaveHappened bool
}

// Error names the operation and the cause, never the URL.
func (e *TransportError) Error() string {
	text := "tastytrade: " + e.Operation + ": " + e.Err.Error()
	if e.MayHaveHappened {
		text += " (it may have happened)"
	}
	return text
}

// Unwrap returns the cause, such as context.DeadlineExceeded.
func (e *TransportError) Unwrap() error { return e.Err }

// Is reports ErrUnavailable, or ErrRateLimited when the request never had its turn.
func (e *TransportError) Is(target error) bool {
	limited := errors.Is(e.Err, rest.ErrBudget)
	return target == ErrRateLimited && limited ||
		target == ErrUnavailable && !limited && !errors.Is(e.Err, ErrTooLarge)
}

func transportError(err error, method string) error {
	var t *rest.TransportError
	if !errors.As(err, &t) {
		return err
	}
	return &TransportError{Operation: t.Operation, Err: t.Err, MayHaveHappened: t.Dispatched && method != http.MethodGet}
}

// answerError reads every known shape of a refused request.
func answerError(op, method string, resp *rest.Response, now time.Time) *APIError {
	e := &APIError{
		Operation:       op,
		Status:          resp.Status,
		RequestID:       clean(resp.Header.Get("X-Request-Id")),
		RetryAfter:      rest.RetryAfter(resp.Header, now),
		MayHaveHappened: method != http.MethodGet && resp.Status >= 500,
	}
	var body struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
		Message     string          `json:"message"`
	}
	switch trimmed := bytes.TrimSpace(resp.Body); {
	case resp.Status >= 300 && resp.Status < 400:
		e.Code, e.Message = "redirect", "the answer points elsewhere; credentials are not sent there"
	case len(trimmed) > 0 && trimmed[0] == '{' && json.Unmarshal(trimmed, &body) == nil:
		e.read(body.Error, body.Description, body.Message)
	case resp.Status == http.StatusUnauthorized || resp.Status == http.StatusForbidden:
		e.Code, e.Message = "html", "the gateway refused the request, not the API; check the User-Agent and the base URL"
	case len(trimmed) > 0 && trimmed[0] == '<':
		e.Code, e.Message = "html", "a web page came instead of an answer"
	case len(trimmed) > 0 && utf8.Valid(trimmed):
		e.Message = clean(string(trimmed)) // the backtesting host answers in plain text
	default:
		e.Code = "malformed"
	}
	if e.Code == "" {
		e.Code = strings.ToLower(strings.ReplaceAll(http.StatusText(resp.Status), " ", "_"))
	}
	return e
}

func (e *APIError) read(raw json.RawMessage, description, message string) {
	e.Message = clean(message)
	if len(raw) == 0 || string(raw) == "null" {
		return
	}
	if raw[0] == '"' { // OAuth
		e.Code, _ = unquote(raw)
		e.Code = clean(e.Code)
		if description != "" {
			e.Message = clean(description)
		}
		return
	}
	var inner struct {
		Code    json.RawMessage   `json:"code"`
		Message json.RawMessage   `json:"message"`
		Errors  []json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(raw, &inner) != nil {
		return
	}
	e.Code = text(inner.Code)
	if m := text(inner.Message); m != "" {
		e.Message = m
	}
	e.SupportID = supportID(e.Message)
	for _, d := range inner.Errors {
		members, err := splitObject(bytes.TrimSpace(d))
		if err != nil {
			if t := text(d); t != "" {
				e.Errors = append(e.Errors, ErrorDetail{Message: t})
			}
			continue
		}
		detail := ErrorDetail{
			Code:        text(lookup(members, "code")),
			Message:     text(lookup(members, "message")),
			Field:       text(lookup(members, "domain")),
			PreflightID: text(lookup(members, "preflight-id")),
		}
		if reason := text(lookup(members, "reason")); reason != "" {
			detail.Message = strings.TrimSpace(detail.Message + " " + reason)
		}
		e.Errors = append(e.Errors, detail)
	}
}

// text returns a scalar, made safe to print.
func text(raw []byte) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	s, _ := scalar(raw)
	return clean(s)
}

// longestText is how much of a broker's message an error repeats.
const longestText = 500

// clean makes one printable line of at most longestText bytes.
func clean(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > longestText {
		s = strings.ToValidUTF8(s[:longestText], "") + "…"
	}
	return bearer.ReplaceAllString(s, redacted)
}

// bearer finds what looks like a token: a JWT, or a Bearer value echoed back.
var bearer = regexp.MustCompile(`(?i)bearer\s+[\w.\-+/=]+|eyJ[\w\-]+\.[\w\-]+(\.[\w\-]*)?`)

var supportPattern = regexp.MustCompile(`(?i)(?:identifier|support id|reference)[^0-9a-z]{1,4}(?:is )?([0-9a-f][0-9a-f-]{7,})`)

func supportID(message string) string {
	if m := supportPattern.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}
