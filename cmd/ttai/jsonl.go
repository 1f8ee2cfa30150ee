package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
)

// longestLine bounds one JSONL request: a chain of 20,000 quotes has a few MB.
const longestLine = 32 << 20

var errLongLine = fmt.Errorf("a line of more than %d MB", longestLine>>20)

// failure is the answer to a line that could not be served.
type failure struct {
	Error struct {
		Line    int    `json:"line"`
		Field   string `json:"field,omitempty"`
		Message string `json:"message"`
	} `json:"error"`
}

// answerLines reads one request object a line and writes one answer object a
// line, in order. A bad line is answered by an error object, and the rest go on.
func answerLines[Request, Answer any](in io.Reader, out io.Writer, defaults Request, answer func(Request) (Answer, error)) error {
	w := bufio.NewWriter(out)
	defer w.Flush()
	encoder := json.NewEncoder(w)
	lines := bufio.NewReader(in)
	for number := 1; ; number++ {
		line, err := nextLine(lines, longestLine)
		if err != nil && !errors.Is(err, errLongLine) {
			if errors.Is(err, io.EOF) {
				return w.Flush()
			}
			return fmt.Errorf("reading requests: %w", err)
		}
		if line = bytes.TrimSpace(line); len(line) == 0 && err == nil {
			continue
		}
		request := defaults
		var reply any
		if err == nil {
			err = decodeStrict(line, &request)
		}
		if err == nil {
			reply, err = answer(request)
		}
		if err != nil {
			var f failure
			f.Error.Line, f.Error.Message = number, err.Error()
			if bad, ok := errors.AsType[*invalid.FieldError](err); ok {
				f.Error.Field = bad.Field
			}
			reply = f
		}
		if err := encoder.Encode(reply); err != nil {
			return fmt.Errorf("writing the answer to line %d: %w", number, err)
		}
	}
}

// nextLine returns the next line; the last may lack its end. Of a line above the
// limit the rest is skipped, and the error is errLongLine.
func nextLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > limit; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && (len(line) == 0 && !long || !errors.Is(err, io.EOF)):
			return nil, err
		case long:
			return nil, errLongLine
		}
		return line, nil
	}
}

// decodeStrict decodes one object and refuses unknown fields and trailing text.
func decodeStrict(line []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			if wrong.Field == "" {
				return fmt.Errorf("not a request object: a JSON %s", wrong.Value)
			}
			// Only what the request calls it: fields of embedded structures have the name
			// of the Go type before theirs.
			return invalid.Fieldf(strings.TrimPrefix(wrong.Field, "contractFlags."), wrong.Value, "a %s", jsonKind(wrong.Type))
		}
		return fmt.Errorf("not a request object: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("not a request object: more than one value on the line")
	}
	return nil
}

// jsonKind is what JSON calls the values of a Go type.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Float64, reflect.Float32, reflect.Int, reflect.Int64, reflect.Int8:
		return "number"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Struct, reflect.Map:
		return "JSON object"
	case reflect.Bool:
		return "bool: true or false"
	}
	return t.Kind().String()
}
