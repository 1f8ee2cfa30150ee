package alpaca

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// What callers of a [Client] branch on.
var (
	// ErrUnauthorized: the credentials were refused.
	ErrUnauthorized = errors.New("alpaca: credentials refused")
	// ErrNotFound: there is no such thing.
	ErrNotFound = errors.New("alpaca: not found")
	// ErrRateLimited: too many requests; nothing was done.
	ErrRateLimited = errors.New("alpaca: too many requests")
	// ErrAnswer: the answer to a request could not be read.
	ErrAnswer = errors.New("alpaca: answer not understood")
	// ErrClosed: the client or the stream was closed.
	ErrClosed = errors.New("alpaca: closed")
)

// An APIError is an answer that is not a success.
type APIError struct {
	Operation string // "POST /v2/orders"
	Status    int    // HTTP
	// Code is Alpaca's own, whose first three digits are an HTTP status: 40310000
	// is "not allowed", 42210000 "not valid". 0 when the answer has none.
	Code    int
	Message string
	// Fields are the other members of the answer, such as buying_power, as JSON.
	Fields map[string]json.RawMessage
}

// Error names the operation, the status and what Alpaca says, never a credential.
func (e *APIError) Error() string {
	text := fmt.Sprintf("alpaca: %s: %d", e.Operation, e.Status)
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Code != 0 {
		text += " (" + strconv.Itoa(e.Code) + ")"
	}
	return text
}

// Is matches the sentinels of this package by status.
func (e *APIError) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden && e.Code == 0
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrRateLimited:
		return e.Status == http.StatusTooManyRequests
	}
	return false
}

// Field returns one of Fields as text, without quotes; empty when absent.
func (e *APIError) Field(name string) string {
	raw := e.Fields[name]
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// longestMessage is how much of an answer that is no JSON an error repeats.
const longestMessage = 200

// apiError reads the body of an answer that is not a success. The credentials
// are taken out first: a proxy may have put them there.
func apiError(op string, status int, body []byte, creds Credentials) *APIError {
	body = creds.redact(body)
	e := &APIError{Operation: op, Status: status}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "")), " ")
		if strings.HasPrefix(text, "<") {
			text = "" // a gateway's page
		}
		e.Message = cmp.Or(text[:min(len(text), longestMessage)], http.StatusText(status))
		return e
	}
	var code Number
	if code.UnmarshalJSON(fields["code"]) == nil && code.Known() && code.Decimal().IsInteger() {
		e.Code = int(code.Decimal().IntPart())
	}
	_ = json.Unmarshal(fields["message"], &e.Message)
	delete(fields, "code")
	delete(fields, "message")
	if e.Message == "" {
		e.Message = http.StatusText(status)
	}
	if len(fields) > 0 {
		e.Fields = fields
	}
	return e
}
