package notifytest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Slack is a fake of Slack's incoming webhooks.
type Slack struct {
	server
	messages []SlackMessage
}

// A SlackMessage is one that the webhook took, as a person sees it: entities are
// characters again.
type SlackMessage struct {
	Notice string // of the pop-up
	Header string
	// Sections are the texts and fields below the header, in order.
	Sections []string
	// Controls are sequences such as <!channel> that Slack would act on; links apart.
	Controls []string
}

const slackPath = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"

// NewSlack starts a fake that stops with the test.
func NewSlack(t testing.TB) *Slack {
	s := &Slack{}
	s.start(t, s.handle)
	return s
}

// Secret is the secret of a channel of this webhook.
func (s *Slack) Secret() []byte { return []byte(s.http.URL + slackPath) }

// Messages returns what came, oldest first.
func (s *Slack) Messages() []SlackMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]SlackMessage(nil), s.messages...)
}

type slackText struct{ Type, Text string }

func (s *Slack) handle(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Method != http.MethodPost || r.URL.Path != slackPath {
		s.refuse(w, 404, "path "+r.URL.Path, "no_service")
		return
	}
	var m struct {
		Text   string
		Blocks []struct {
			Type   string
			Text   *slackText
			Fields []slackText
		}
	}
	if json.Unmarshal(body, &m) != nil {
		s.refuse(w, 400, "the body cannot be read", "invalid_payload")
		return
	}
	out := SlackMessage{Notice: unescaped(m.Text), Controls: controls(m.Text)}
	problem := ""
	read := func(t slackText, limit int) string {
		if n := units(t.Text); n < 1 || n > limit || t.Type != "plain_text" && t.Type != "mrkdwn" {
			problem = "text of " + t.Type
		}
		out.Controls = append(out.Controls, controls(t.Text)...)
		return unescaped(t.Text)
	}
	if m.Text == "" || len(m.Blocks) > 50 {
		problem = "shape"
	}
	for _, b := range m.Blocks {
		switch {
		case b.Type == "header" && b.Text != nil && b.Text.Type == "plain_text":
			out.Header = read(*b.Text, 150)
		case b.Type == "section" && (b.Text != nil || len(b.Fields) > 0) && len(b.Fields) <= 10:
			if b.Text != nil {
				out.Sections = append(out.Sections, read(*b.Text, 3000))
			}
			for _, f := range b.Fields {
				out.Sections = append(out.Sections, read(f, 2000))
			}
		default:
			problem = "block " + b.Type
		}
	}
	if problem != "" {
		s.refuse(w, 400, problem, "invalid_blocks")
		return
	}
	s.mu.Lock()
	s.messages = append(s.messages, out)
	s.mu.Unlock()
	_, _ = io.WriteString(w, "ok")
}

func unescaped(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// controls finds <…> sequences that are not links.
func controls(s string) []string {
	var out []string
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			return out
		}
		end := strings.IndexByte(s[i:], '>')
		if end < 0 {
			return append(out, s[i:])
		}
		if c := s[i : i+end+1]; !strings.HasPrefix(c, "<https://") {
			out = append(out, c)
		}
		s = s[i+end+1:]
	}
}
