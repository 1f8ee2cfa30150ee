// Package notify tells people what happened: in Discord, Slack and Telegram, by
// e-mail, web push and signed webhooks, and in the terminal.
//
// A [Service] belongs to one tenant. [Service.Notify] looks up the channels of the
// user, decides for each whether to send now, at the end of the user's quiet hours
// or with the next digest, and puts one message per channel into the tenant's
// notifications queue; [Service.Run] works that queue off. Both may be in different
// processes and in several. What was accepted is kept until it was sent or is a
// dead letter.
//
// A channel that fails holds no other: each has its own pauses between attempts,
// during which its messages go back into the queue. What the service asks for with
// Retry-After is kept. After the last attempt a message is a dead letter, which
// [Service.DeadLetters] lists and [Service.Replay] sends again.
//
// All texts are plain: nothing in a title, text or fact is markup, and no data can
// mention ("ping") anybody. Each channel escapes them in its own way and shortens
// what is longer than it takes.
//
// # Once or more than once
//
// A send whose answer did not come may have arrived. It is sent again, so that an
// alert arrives at least once, unless [Channel].Once asks for at most once. Whether
// the receiver can tell the second from the first:
//
//	webhook     yes: both have the same webhook-id
//	e-mail      mostly: both have the same Message-ID, by which many mailboxes keep one
//	web push    while it waits: both have the same Topic, and the later replaces the earlier
//	Discord, Slack, Telegram    no
//	terminal    a write that failed is not repeated
package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// Urgency says how soon something should be read. Empty means Normal.
type Urgency string

// The urgencies, ascending.
const (
	Low    Urgency = "low"
	Normal Urgency = "normal"
	High   Urgency = "high"
	// Urgent passes quiet hours, digests and the user's own rate limits.
	Urgent Urgency = "urgent"
)

var urgencies = []Urgency{Low, Normal, High, Urgent}

// rank is the place of an urgency, from 0; -1 for an unknown one.
func (u Urgency) rank() int {
	if u == "" {
		u = Normal
	}
	return slices.Index(urgencies, u)
}

// A Notification is something a user is to be told.
type Notification struct {
	// User is whom it is for: 1 to 128 bytes.
	User string `json:"user"`
	// Key makes it happen once: of notifications to one user with one key within
	// Window the first is sent. A workflow step gives its [workflow.Call].Key, an
	// alert its id and when it triggered. Empty means that it is always sent;
	// otherwise at most 256 bytes.
	Key string `json:"key,omitempty"`
	// Window is how long the key is remembered; 0 means Options.Window.
	Window time.Duration `json:"-"`
	// Topic is what it is about, such as "alerts", "orders" or "reports"; channels
	// may take some topics only. Empty, or of [storage.CheckName]'s form.
	Topic   string  `json:"topic,omitempty"`
	Urgency Urgency `json:"urgency,omitempty"`
	// Channels are the ids of the user's channels to use; nil means all that want it.
	Channels []string `json:"-"`
	// Expires is when it is not worth sending any more; zero means Options.MaxAge.
	Expires time.Time `json:"expires,omitzero"`
	// Time is when it happened; zero means now.
	Time time.Time `json:"time"`
	// Template names one of Options.Templates, which makes Title, Text and Facts out
	// of Data. Empty means that they are given.
	Template string `json:"-"`
	Data     any    `json:"-"`

	Title string `json:"title"` // one line, at most 512 bytes; required
	Text  string `json:"text,omitempty"`
	// Facts are short values with a name, at most 40.
	Facts []Fact `json:"facts,omitempty"`
	// Link is an https address where there is more.
	Link string `json:"link,omitempty"`
	// Attachments are files, at most 8 and together at most MaxAttachments bytes.
	Attachments []Attachment `json:"-"`
}

// A Fact is a short value with a name.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// An Attachment is a file that goes with a notification.
type Attachment struct {
	// Name is a file name such as "spy.svg": 1 to 64 of A-Z, a-z, 0-9, '.', '_' and
	// '-', not beginning with '.'.
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Data        []byte `json:"data"`
	// Text stands for the file where a channel takes no files, in letters of equal
	// width. Empty: the file is left out there, and its name said.
	Text string `json:"text,omitempty"`
}

// Bounds of a notification in bytes.
const (
	MaxTitle       = 512
	MaxText        = 64 << 10
	MaxAttachments = 6 << 20
)

// Validate returns a *FieldError unless the notification can be sent.
func (n *Notification) Validate() error {
	if err := storage.CheckText("User", n.User, 128); err != nil {
		return err
	}
	if n.Key != "" {
		if err := storage.CheckText("Key", n.Key, 256); err != nil {
			return err
		}
	}
	if n.Topic != "" {
		if err := storage.CheckName("Topic", n.Topic); err != nil {
			return err
		}
	}
	if n.Urgency.rank() < 0 {
		return invalid.Field("Urgency", string(n.Urgency), "low, normal, high or urgent")
	}
	if n.Window < 0 || n.Window > 366*24*time.Hour {
		return invalid.Field("Window", n.Window, "0 to a year")
	}
	if err := text("Title", n.Title, MaxTitle); err != nil {
		return err
	}
	if strings.TrimSpace(clean(n.Title)) == "" {
		return invalid.Missing("Title", "what happened, in one line")
	}
	if err := text("Text", n.Text, MaxText); err != nil {
		return err
	}
	if len(n.Facts) > 40 {
		return invalid.Field("Facts", len(n.Facts), "at most 40")
	}
	for i, f := range n.Facts {
		if err := text(fmt.Sprintf("Facts[%d].Name", i), f.Name, 256); err != nil {
			return err
		}
		if err := text(fmt.Sprintf("Facts[%d].Value", i), f.Value, 1024); err != nil {
			return err
		}
	}
	if n.Link != "" {
		if _, err := secureURL("Link", n.Link); err != nil {
			return err
		}
	}
	if len(n.Attachments) > 8 {
		return invalid.Field("Attachments", len(n.Attachments), "at most 8")
	}
	total := 0
	for i, a := range n.Attachments {
		if err := a.validate(fmt.Sprintf("Attachments[%d].", i)); err != nil {
			return err
		}
		total += len(a.Data) + len(a.Text)
	}
	if total > MaxAttachments {
		return invalid.Fieldf("Attachments", total, "at most %d bytes together", MaxAttachments)
	}
	return nil
}

func (a Attachment) validate(at string) error {
	ok := a.Name != "" && len(a.Name) <= 64 && a.Name[0] != '.'
	for i := range len(a.Name) {
		c := a.Name[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return invalid.Field(at+"Name", a.Name, "a file name: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', not beginning with '.'")
	}
	for _, r := range a.ContentType {
		if r <= ' ' || r > '~' || r == ';' || r == '"' || r == ',' {
			return invalid.Field(at+"ContentType", a.ContentType, "a media type without parameters, such as image/svg+xml")
		}
	}
	if !strings.Contains(a.ContentType, "/") || len(a.ContentType) > 100 {
		return invalid.Field(at+"ContentType", a.ContentType, "a media type without parameters, such as image/svg+xml")
	}
	return text(at+"Text", a.Text, MaxText)
}

// text checks a text of at most longest bytes, which may be empty.
func text(field, s string, longest int) error {
	if len(s) > longest {
		return invalid.Fieldf(field, len(s), "at most %d bytes", longest)
	}
	if !utf8.ValidString(s) {
		return invalid.Missing(field, "UTF-8 text")
	}
	return nil
}
