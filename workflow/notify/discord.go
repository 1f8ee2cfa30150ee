package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

func secretError(allowed string) error { return invalid.Secret("secret", allowed) }

// Discord's bounds, in characters. Source: Discord's API documentation, message
// resource, embed limits; execute webhook.
const (
	discordTitle       = 256
	discordDescription = 4096
	discordFields      = 25
	discordFieldName   = 256
	discordFieldValue  = 1024
	discordTotal       = 6000
	discordFiles       = 10
	discordFileBytes   = 8 << 20
)

type discord struct {
	http *HTTP
	now  func() time.Time
}

func (d *discord) Check(_ Channel, secret []byte) error {
	_, err := hosted("Discord", secret, "/api/webhooks/", "discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com")
	if err != nil {
		return secretError("a Discord webhook's whole address, such as https://discord.com/api/webhooks/…")
	}
	return nil
}

type discordField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline"`
}

type discordEmbed struct {
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	URL         string         `json:"url,omitempty"`
	Color       int            `json:"color"`
	Timestamp   string         `json:"timestamp,omitempty"`
	Fields      []discordField `json:"fields,omitempty"`
}

type discordMessage struct {
	Embeds []discordEmbed `json:"embeds"`
	// AllowedMentions with an empty list: nothing in the message pings anybody.
	AllowedMentions struct {
		Parse []string `json:"parse"`
	} `json:"allowed_mentions"`
	Attachments []discordFile `json:"attachments,omitempty"`
}

type discordFile struct {
	ID       int    `json:"id"`
	Filename string `json:"filename"`
}

func discordColor(u Urgency) int {
	switch u {
	case Urgent:
		return 0xd64545
	case High:
		return 0xe0a030
	case Low:
		return 0x8a94a6
	}
	return 0x3b82c4
}

// discordEscape keeps Discord from reading markup. A backslash before any sign
// that is neither letter, digit nor space shows the sign.
func discordEscape(r rune, start bool, next rune) string {
	switch r {
	case '\\', '*', '_', '~', '`', '|', '<', '>', '@', '[', ']':
		return `\` + string(r)
	case '#', '-', '+':
		if start {
			return `\` + string(r)
		}
	case '.':
		if next == ' ' { // "1. " begins a list
			return `\.`
		}
	}
	return string(r)
}

func newDiscordMessage(m Message) discordMessage {
	e := discordEmbed{
		Title: fit(line(m.Title), discordTitle, discordEscape, countEscaped), URL: m.Link, Color: discordColor(m.Urgency),
	}
	if !m.Time.IsZero() {
		e.Timestamp = m.Time.UTC().Format(time.RFC3339)
	}
	left := discordTotal - units(e.Title)
	for i, f := range m.Facts {
		if i == discordFields {
			break
		}
		name, value := line(f.Name), line(f.Value)
		if name == "" || value == "" {
			continue
		}
		field := discordField{
			Name:   fit(name, discordFieldName, discordEscape, countEscaped),
			Value:  fit(value, discordFieldValue, discordEscape, countEscaped),
			Inline: len(value) < 40,
		}
		if n := units(field.Name) + units(field.Value); n <= left {
			left -= n
			e.Fields = append(e.Fields, field)
		}
	}
	e.Description = fit(strings.TrimSpace(clean(m.Text)), min(discordDescription, left), discordEscape, countEscaped)
	var out discordMessage
	out.AllowedMentions.Parse = []string{}
	out.Embeds = []discordEmbed{e}
	return out
}

func (d *discord) Send(ctx context.Context, x Delivery) error {
	u, err := hosted("Discord", x.Secret, "/api/webhooks/", "discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com")
	if err != nil {
		return err
	}
	q := u.Query()
	q.Set("wait", "true") // the answer then says whether the message was stored
	u.RawQuery = q.Encode()
	message := newDiscordMessage(x.Message)
	header := http.Header{}
	body, err := discordBody(message, x.Message.Attachments, header)
	if err != nil {
		return err
	}
	r, err := d.http.Do(ctx, "Discord webhook", http.MethodPost, u, header, body)
	if err != nil {
		return transport("discord", err)
	}
	if r.Status >= 200 && r.Status < 300 {
		return nil
	}
	var answer struct {
		Message    string  `json:"message"`
		Code       int     `json:"code"`
		RetryAfter float64 `json:"retry_after"` // seconds
	}
	_ = json.Unmarshal(r.Body, &answer) // an answer that is not JSON says nothing more
	e := refused("discord", r, d.now(), answer.Message, secretParts(u.Path)...)
	e.After = max(e.After, seconds(answer.RetryAfter))
	e.Gone = r.Status == 404 && answer.Code == 10015 || r.Status == 401 // unknown webhook
	return e
}

// seconds is a duration that a service says as a number, at most a day.
func seconds(s float64) time.Duration {
	if !(s > 0) {
		return 0
	}
	return time.Duration(min(s, 86400) * float64(time.Second))
}

// secretParts are the parts of a webhook's path that must not be shown.
func secretParts(path string) []string {
	var out []string
	for _, p := range strings.Split(path, "/") {
		if len(p) > 12 {
			out = append(out, p)
		}
	}
	return out
}

// discordBody is the message as JSON, or with its files as a form.
func discordBody(message discordMessage, files []Attachment, header http.Header) ([]byte, error) {
	total := 0
	var taken []Attachment
	for _, a := range files {
		total += len(a.Data)
		if len(a.Data) == 0 || len(taken) == discordFiles || total > discordFileBytes {
			continue
		}
		message.Attachments = append(message.Attachments, discordFile{len(taken), a.Name})
		taken = append(taken, a)
	}
	data, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	if len(taken) == 0 {
		header.Set("Content-Type", "application/json")
		return data, nil
	}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="payload_json"`}, "Content-Type": {"application/json"},
	})
	if err == nil {
		_, err = part.Write(data)
	}
	for i, a := range taken {
		if err != nil {
			break
		}
		err = formFile(form, fmt.Sprintf("files[%d]", i), a)
	}
	if err == nil {
		err = form.Close()
	}
	header.Set("Content-Type", form.FormDataContentType())
	return b.Bytes(), err
}

// formFile writes an attachment, whose name was checked, as a part of a form.
func formFile(form *multipart.Writer, field string, a Attachment) error {
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, field, a.Name)}, "Content-Type": {a.ContentType},
	})
	if err == nil {
		_, err = part.Write(a.Data)
	}
	return err
}
