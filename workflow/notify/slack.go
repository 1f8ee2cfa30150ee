package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Slack's bounds, in characters. Source: Slack's Block Kit reference (header,
// section, text object) and "truncating content" of chat.postMessage.
const (
	slackHeader = 150
	slackText   = 3000
	slackFields = 10 // of a section
	slackField  = 2000
	slackBlocks = 50
	slackNotice = 3000 // the text of the pop-up; Slack advises 4000
)

type slack struct {
	http *HTTP
	now  func() time.Time
}

func (s *slack) Check(_ Channel, secret []byte) error {
	if _, err := hosted("Slack", secret, "/services/", "hooks.slack.com", "hooks.slack-gov.com"); err != nil {
		return secretError("a Slack webhook's whole address, such as https://hooks.slack.com/services/…")
	}
	return nil
}

// slackEscape replaces the three signs that begin Slack's control sequences, and
// with them every mention, channel and link. Texts are plain_text otherwise, in
// which nothing else is markup.
func slackEscape(r rune, _ bool, _ rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	}
	return string(r)
}

// slackCode is slackEscape inside of a block of code, which a back quote would end.
func slackCode(r rune, start bool, next rune) string {
	if r == '`' {
		return "'"
	}
	return slackEscape(r, start, next)
}

type slackObject struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Emoji    *bool  `json:"emoji,omitempty"`
	Verbatim bool   `json:"verbatim,omitempty"`
}

type slackBlock struct {
	Type     string        `json:"type"`
	Text     *slackObject  `json:"text,omitempty"`
	Fields   []slackObject `json:"fields,omitempty"`
	Elements []slackObject `json:"elements,omitempty"`
}

type slackMessage struct {
	Text   string       `json:"text"` // the pop-up, and what old clients show
	Mrkdwn bool         `json:"mrkdwn"`
	Blocks []slackBlock `json:"blocks"`
	// Links in the text load nothing.
	UnfurlLinks bool `json:"unfurl_links"`
	UnfurlMedia bool `json:"unfurl_media"`
}

func slackPlain(text string, limit int) slackObject {
	no := false
	return slackObject{Type: "plain_text", Text: fit(text, limit, slackEscape, countEscaped), Emoji: &no}
}

func newSlackMessage(m Message) slackMessage {
	title := line(m.Title)
	header := slackPlain(title, slackHeader)
	out := slackMessage{Text: fit(title, slackNotice, slackEscape, countEscaped), Blocks: []slackBlock{{Type: "header", Text: &header}}}
	add := func(b slackBlock) {
		if len(out.Blocks) < slackBlocks {
			out.Blocks = append(out.Blocks, b)
		}
	}
	if body := strings.TrimSpace(clean(m.Text)); body != "" {
		t := slackPlain(body, slackText)
		add(slackBlock{Type: "section", Text: &t})
	}
	var fields []slackObject
	for _, f := range m.Facts {
		fields = append(fields, slackPlain(line(f.Name)+"\n"+line(f.Value), slackField))
	}
	for len(fields) > 0 {
		n := min(slackFields, len(fields))
		add(slackBlock{Type: "section", Fields: fields[:n]})
		fields = fields[n:]
	}
	for _, a := range m.Attachments {
		// A webhook takes no files: the text stands for them, whole or not at all.
		drawn := fit(strings.Trim(clean(a.Text), "\n"), 1<<20, slackCode, countEscaped)
		if drawn != "" && units(drawn) <= slackText-8 {
			add(slackBlock{Type: "section", Text: &slackObject{Type: "mrkdwn", Text: "```\n" + drawn + "\n```", Verbatim: true}})
		} else {
			t := slackPlain("("+a.Name+" is not shown here)", slackText)
			add(slackBlock{Type: "section", Text: &t})
		}
	}
	if m.Link != "" {
		link := strings.NewReplacer("|", "%7C", "&", "&amp;").Replace(m.Link)
		if units(link) < slackText-2 {
			add(slackBlock{Type: "section", Text: &slackObject{Type: "mrkdwn", Text: "<" + link + ">", Verbatim: true}})
		}
	}
	return out
}

func (s *slack) Send(ctx context.Context, x Delivery) error {
	u, err := hosted("Slack", x.Secret, "/services/", "hooks.slack.com", "hooks.slack-gov.com")
	if err != nil {
		return err
	}
	body, err := json.Marshal(newSlackMessage(x.Message))
	if err != nil {
		return err
	}
	r, err := s.http.Do(ctx, "Slack webhook", http.MethodPost, u, http.Header{"Content-Type": {"application/json"}}, body)
	if err != nil {
		return transport("slack", err)
	}
	if r.Status >= 200 && r.Status < 300 {
		return nil
	}
	said := string(r.Body) // a word such as no_service
	e := refused("slack", r, s.now(), said, secretParts(u.Path)...)
	switch strings.TrimSpace(said) {
	case "no_service", "no_team", "team_disabled", "channel_is_archived", "channel_not_found", "invalid_token", "no_active_hooks":
		e.Gone = true
	}
	return e
}
