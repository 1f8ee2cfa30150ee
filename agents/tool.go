package agents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A FieldError says which argument was refused and what is allowed. Its field
// is a JSON path such as legs[0].strike.
type FieldError = invalid.FieldError

// A Tool is a function that a model can call: a name, one sentence that says
// when to use it, schemas of what goes in and out, and the function. Agents
// call tools in-process; package mcp exposes them to other programs. Make one
// with [NewTool]. A Tool is a value: changing a copy (to wrap Call, say) leaves
// the original alone.
type Tool struct {
	Name        string // a-z, 0-9 and _
	Title       string // for people; may be empty
	Description string // one sentence for the model
	// Input and Output are JSON schemas of type object. They must not be changed.
	Input, Output *jsonschema.Schema
	Annotations   Annotations
	// Call validates arguments, which are a JSON object or nothing, runs the
	// tool and returns a JSON object. An argument that is not allowed is a
	// *[FieldError]. Call is safe for concurrent use and ends soon after ctx does.
	Call func(ctx context.Context, arguments json.RawMessage) (json.RawMessage, error)
}

// Annotations tell a caller what a tool may do before it is called. The zero
// value claims nothing: a tool that writes, once per call, in a closed world.
type Annotations struct {
	ReadOnly    bool // changes nothing
	Destructive bool // may undo or overwrite; meaningless when ReadOnly
	Idempotent  bool // a second equal call changes nothing more
	OpenWorld   bool // reaches beyond this process, to a broker for one
}

// A Spec is the part of a [Tool] that is not derived from its types.
type Spec struct {
	Name, Title, Description string
	Annotations              Annotations
}

// A PanicError is returned by a tool that panicked. Its message says no more
// than that; the stack is for the log.
type PanicError struct {
	Tool  string
	Value any
	Stack []byte
}

// Error says that the tool failed, and nothing of the inside.
func (e *PanicError) Error() string {
	return fmt.Sprintf("%s failed because of a defect in it; other tools still work", e.Tool)
}

// NewTool makes a Tool of a typed function. The schemas are those of
// [SchemaFor], except that the input allows null nowhere: an argument that is
// null counts as absent.
//
// Arguments are checked before f runs. What models commonly send is understood
// where it can mean only one thing: numbers and booleans in strings, arrays and
// objects as JSON in a string, one string where a list of them is wanted. Names
// that the schema does not have are refused, with the nearest one that it has.
// Defaults of the schema are filled in.
//
// NewTool panics when the name is empty or In or Out have no schema of type
// object, both mistakes of the programmer.
func NewTool[In, Out any](spec Spec, f func(context.Context, In) (Out, error)) Tool {
	input, output := schemaOf[In](true), SchemaFor[Out]()
	if spec.Name == "" || f == nil || input.Type != "object" || output.Type != "object" {
		panic(fmt.Sprintf("agents: tool %q needs a name, a function, and structs going in and out", spec.Name))
	}
	resolve := sync.OnceValues(func() (*jsonschema.Resolved, error) { return input.Resolve(nil) })
	call := func(ctx context.Context, arguments json.RawMessage) (_ json.RawMessage, err error) {
		defer func() {
			if v := recover(); v != nil {
				err = &PanicError{Tool: spec.Name, Value: v, Stack: debug.Stack()}
			}
		}()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var in In
		if err := decodeArguments(arguments, input, resolve, &in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		data, err := encode(out)
		if err != nil {
			return nil, fmt.Errorf("agents: %s: writing the result: %w", spec.Name, err)
		}
		return data, nil
	}
	return Tool{
		Name: spec.Name, Title: spec.Title, Description: spec.Description, Annotations: spec.Annotations,
		Input: input, Output: output, Call: call,
	}
}

// decodeArguments checks raw against the schema and reads it into in, a pointer.
func decodeArguments(raw json.RawMessage, schema *jsonschema.Schema, resolve func() (*jsonschema.Resolved, error), in any) error {
	arguments, err := normalize(raw, schema)
	if err != nil {
		return err
	}
	// The walk above covers the keywords that SchemaFor writes. A type that
	// states its own schema may use others: those are checked here.
	resolved, err := resolve()
	if err != nil {
		return fmt.Errorf("agents: input schema: %w", err)
	}
	if err := resolved.Validate(plain(arguments)); err != nil {
		return invalid.Fieldf("arguments", string(raw), "arguments that fit the input schema (%v)", err)
	}
	data, err := encode(arguments)
	if err != nil {
		return invalid.Field("arguments", string(raw), "a JSON object")
	}
	if err := json.Unmarshal(data, in); err != nil {
		if field, ok := errors.AsType[*FieldError](err); ok {
			return field
		}
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return invalid.Fieldf(wrong.Field, wrong.Value, "a value of type %s", wrong.Type)
		}
		return invalid.Fieldf("arguments", string(data), "values that can be read (%v)", err)
	}
	return nil
}

// encode is json.Marshal without the escapes that HTML needs and models pay for.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
