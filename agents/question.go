package agents

import (
	"context"
	"errors"

	"github.com/google/jsonschema-go/jsonschema"
)

// ErrQuestion: a tool cannot go on before a person has answered. The error is a
// *[QuestionError].
var ErrQuestion = errors.New("a person has to answer first")

// A Question is what a tool asks a person in the middle of a call. The model that
// called sees neither the question nor the answer.
type Question struct {
	// Message is the question, with all that is needed to answer it.
	Message string
	// Schema is the form of the answer: an object whose members are text, numbers
	// or booleans.
	Schema *jsonschema.Schema
}

// A QuestionError carries a question out of a tool to whoever can reach a person:
// the program that calls the tool asks, and calls the tool again with the same
// arguments and the answer in its [Person]. A tool returns it only when
// [PersonOf] says that somebody can be asked, and changes nothing before the
// answer.
type QuestionError struct{ Question Question }

func (e *QuestionError) Error() string { return ErrQuestion.Error() + ": " + e.Question.Message }

// Unwrap returns ErrQuestion.
func (e *QuestionError) Unwrap() error { return ErrQuestion }

// A Person stands behind a call: the one who uses the program that the model
// works in. The zero value is nobody.
type Person struct {
	// CanAnswer: a [QuestionError] would be put to this person.
	CanAnswer bool
	// Answer is the answer to the question that this very call has asked before;
	// nil when it has not.
	Answer *Answer
	// Client names the program that asks, for records: "claude-code 2.1". It is what
	// the program says of itself.
	Client string
}

// An Answer is what a person did with a question.
type Answer struct {
	// Accepted is false when the person declined, or closed the form.
	Accepted bool
	// Values are the members of the form; empty when it was not accepted.
	Values map[string]any
}

type personKey struct{}

// WithPerson returns a context for calls that this person stands behind. What
// calls tools for a model must take the answer from the person's own channel, never
// from what the model wrote.
func WithPerson(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// PersonOf returns who stands behind a call; nobody when nothing was said.
func PersonOf(ctx context.Context) Person {
	p, _ := ctx.Value(personKey{}).(Person)
	return p
}
