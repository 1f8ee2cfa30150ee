package agents

import (
	"bytes"
	"encoding/json"
)

// A Role says who wrote a [Message].
type Role string

// The roles. Instructions are no message: see [Request].
const (
	User      Role = "user"      // the program, a person, or the tools
	Assistant Role = "assistant" // the model
)

// A Message is one turn of a conversation.
type Message struct {
	Role  Role   `json:"role"`
	Parts []Part `json:"parts"`
}

// A Part is a piece of a [Message]: exactly one of its members is set. Calls
// stand only in messages of the model, results only in those of the user.
type Part struct {
	Text   string      `json:"text,omitempty"`
	Call   *Call       `json:"call,omitempty"`
	Result *CallResult `json:"result,omitempty"`
}

// A Call is a model's wish to call a tool.
type Call struct {
	ID   string `json:"id"` // pairs the call with its result
	Name string `json:"name"`
	// Arguments are what the model wrote, which need not be JSON.
	Arguments json.RawMessage `json:"-"`
}

// MarshalJSON writes arguments that are not JSON as text.
func (c Call) MarshalJSON() ([]byte, error) {
	var arguments any = c.Arguments
	if !json.Valid(c.Arguments) {
		arguments = string(c.Arguments)
	}
	return encode(struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		Arguments any    `json:"arguments"`
	}{c.ID, c.Name, arguments})
}

// UnmarshalJSON reads what MarshalJSON wrote: text that is no JSON is the arguments as
// they were.
func (c *Call) UnmarshalJSON(data []byte) error {
	var written struct {
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	if err := json.Unmarshal(data, &written); err != nil {
		return err
	}
	c.ID, c.Name, c.Arguments = written.ID, written.Name, written.Arguments
	var text string
	if bytes.HasPrefix(written.Arguments, []byte{'"'}) && json.Unmarshal(written.Arguments, &text) == nil && !json.Valid([]byte(text)) {
		c.Arguments = json.RawMessage(text)
	}
	return nil
}

// A CallResult is what became of a [Call].
type CallResult struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Content string `json:"content"` // JSON of the tool, or a message
	Failed  bool   `json:"failed,omitempty"`
}

// UserText returns a message of the user.
func UserText(text string) Message {
	return Message{Role: User, Parts: []Part{{Text: text}}}
}

// AssistantText returns a message of the model.
func AssistantText(text string) Message {
	return Message{Role: Assistant, Parts: []Part{{Text: text}}}
}

// Text returns the text of a message without its calls and results.
func (m Message) Text() string {
	var s string
	for _, p := range m.Parts {
		s += p.Text
	}
	return s
}

// Calls returns the calls of a message.
func (m Message) Calls() []Call {
	var calls []Call
	for _, p := range m.Parts {
		if p.Call != nil {
			calls = append(calls, *p.Call)
		}
	}
	return calls
}
