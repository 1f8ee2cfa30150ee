package notify

import (
	"context"
	"io"
	"strings"
	"sync"
)

// terminal writes to whoever runs the service.
type terminal struct {
	mu   sync.Mutex
	out  io.Writer
	zone func(Message) string
}

func (t *terminal) Check(_ Channel, secret []byte) error {
	if len(secret) > 0 {
		return secretError("none: a terminal has no secret")
	}
	return nil
}

// Send writes the message at once, so that others do not come between its lines.
// Control characters were taken out: no text moves the cursor or changes a title.
func (t *terminal) Send(_ context.Context, x Delivery) error {
	if t.out == nil {
		return &SendError{Text: "terminal: this program has none", Permanent: true}
	}
	m := x.Message
	head := t.zone(m)
	if u := m.Urgency; u == High || u == Urgent {
		head += " " + strings.ToUpper(string(u))
	}
	body := plain(m, 1<<16, true)
	text := head + "  " + strings.ReplaceAll(body, "\n", "\n    ") + "\n"
	text = strings.ReplaceAll(text, "\n    \n", "\n\n")
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := io.WriteString(t.out, text); err != nil {
		return &SendError{Text: "terminal: " + err.Error(), Permanent: true}
	}
	return nil
}
