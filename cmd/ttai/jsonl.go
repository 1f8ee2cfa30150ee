package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ttai-go/ttai/internal/invalid"
)

// longestLine bounds one JSONL request.
const longestLine = 1 << 20

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
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	for number := 1; lines.Scan(); number++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		request := defaults
		var reply any
		err := decodeStrict(line, &request)
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
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading requests: %w", err)
	}
	return w.Flush()
}

// decodeStrict decodes one object and refuses unknown fields and trailing text.
func decodeStrict(line []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return invalid.Fieldf(wrong.Field, wrong.Value, "a %s", wrong.Type)
		}
		return fmt.Errorf("not a request object: %w", err)
	}
	if decoder.More() {
		return errors.New("not a request object: more than one value on the line")
	}
	return nil
}
