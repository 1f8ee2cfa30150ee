package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ttai-go/ttai/internal/rest"
)

// Telegram's bounds, in characters after markup is taken out. Source: Telegram's
// Bot API, sendMessage and sendDocument.
const (
	telegramText    = 4096
	telegramCaption = 1024
	telegramFile    = 10 << 20
)

type telegram struct {
	http *HTTP
	now  func() time.Time
	base *url.URL
}

func (t *telegram) Check(_ Channel, secret []byte) error {
	_, err := telegramToken(secret)
	return err
}

// telegramToken checks a bot's token, which becomes a part of a path.
func telegramToken(secret []byte) (string, error) {
	token := strings.TrimSpace(string(secret))
	id, rest, ok := strings.Cut(token, ":")
	ok = ok && id != "" && len(rest) >= 20 && len(token) <= 128
	for _, r := range token {
		ok = ok && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '-' || r == ':')
	}
	if _, err := strconv.ParseUint(id, 10, 64); err != nil || !ok {
		return "", secretError("a bot's token as BotFather gives it: digits, a colon, and at least 20 letters")
	}
	return token, nil
}

// telegramEscape is for HTML. Telegram makes mentions out of plain text too: a
// joiner that nobody sees after the at sign keeps it from that.
func telegramEscape(r rune, _ bool, next rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&quot;"
	case '@':
		if next == '_' || unicode.IsLetter(next) || unicode.IsDigit(next) {
			return "@\u2060"
		}
	}
	return string(r)
}

// countTelegram counts what is shown: entities count as their character.
func countTelegram(raw, escaped string) int {
	if raw == "@" {
		return units(escaped)
	}
	return units(raw)
}

// telegramHTML is the message in Telegram's HTML, of at most limit characters as
// they are shown. Drawn adds the texts of attachments that fit.
func telegramHTML(m Message, limit int, drawn bool) string {
	var b strings.Builder
	title := line(m.Title)
	b.WriteString("<b>" + fit(title, min(256, limit), telegramEscape, countTelegram) + "</b>")
	left := limit - min(units(title)+strings.Count(title, "@"), 256)
	var tail strings.Builder
	if m.Link != "" && units(m.Link)+2 <= left {
		u := fit(m.Link, len(m.Link), telegramEscape, countRaw)
		tail.WriteString("\n\n" + `<a href="` + strings.ReplaceAll(u, "\u2060", "") + `">` + u + "</a>")
		left -= units(m.Link) + strings.Count(m.Link, "@") + 2
	}
	var facts strings.Builder
	for i, f := range m.Facts {
		name := fit(line(f.Name), 64, telegramEscape, countTelegram)
		value := fit(line(f.Value), 256, telegramEscape, countTelegram)
		n := units(name) + units(value) + 4
		if n > left-200 {
			break
		}
		if i == 0 {
			facts.WriteString("\n")
		}
		facts.WriteString("\n" + name + ": <b>" + value + "</b>")
		left -= n
	}
	if body := strings.TrimSpace(clean(m.Text)); body != "" && left > 20 {
		s := fit(body, left-2, telegramEscape, countTelegram)
		left -= min(left, units(body)+strings.Count(body, "@")+2)
		b.WriteString("\n\n" + s)
	}
	b.WriteString(facts.String())
	if drawn {
		for _, a := range m.Attachments {
			s := strings.Trim(clean(a.Text), "\n")
			if s != "" && units(s)+3 <= left {
				b.WriteString("\n\n<pre>" + fit(s, len(s), telegramEscape, countRaw) + "</pre>")
				left -= units(s) + 3
			}
		}
	}
	return b.String() + tail.String()
}

func (t *telegram) Send(ctx context.Context, x Delivery) error {
	token, err := telegramToken(x.Secret)
	if err != nil {
		return err
	}
	var file *Attachment
	for i, a := range x.Message.Attachments {
		if len(a.Data) > 0 && len(a.Data) <= telegramFile {
			file = &x.Message.Attachments[i]
			break
		}
	}
	// What fits into a caption goes with the first file as one message, which is
	// there whole or not at all. Otherwise the texts stand for the files.
	if file != nil && units(plain(x.Message, 1<<20, false)) <= telegramCaption-64 {
		return t.document(ctx, token, x, *file)
	}
	quiet := x.Message.Urgency == Low
	body, err := json.Marshal(map[string]any{
		"chat_id": x.Channel.Settings.Chat, "message_thread_id": omitZero(x.Channel.Settings.Thread),
		"text": telegramHTML(x.Message, telegramText, true), "parse_mode": "HTML",
		"link_preview_options": map[string]bool{"is_disabled": true}, "disable_notification": quiet,
	})
	if err != nil {
		return err
	}
	return t.call(ctx, token, "sendMessage", http.Header{"Content-Type": {"application/json"}}, body)
}

func omitZero(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func (t *telegram) document(ctx context.Context, token string, x Delivery, file Attachment) error {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	err := form.WriteField("chat_id", x.Channel.Settings.Chat)
	fields := [][2]string{{"caption", telegramHTML(x.Message, telegramCaption, false)}, {"parse_mode", "HTML"}}
	if x.Channel.Settings.Thread != 0 {
		fields = append(fields, [2]string{"message_thread_id", strconv.FormatInt(x.Channel.Settings.Thread, 10)})
	}
	if x.Message.Urgency == Low {
		fields = append(fields, [2]string{"disable_notification", "true"})
	}
	for _, f := range fields {
		if err == nil {
			err = form.WriteField(f[0], f[1])
		}
	}
	if err == nil {
		err = formFile(form, "document", file)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return err
	}
	return t.call(ctx, token, "sendDocument", http.Header{"Content-Type": {form.FormDataContentType()}}, b.Bytes())
}

func (t *telegram) call(ctx context.Context, token, method string, header http.Header, body []byte) error {
	r, err := t.http.Do(ctx, "Telegram "+method, http.MethodPost, t.base.JoinPath("bot"+token, method), header, body)
	if err != nil {
		return transport("telegram", err)
	}
	var answer struct {
		OK          bool   `json:"ok"`
		Description string `json:"description"`
		Parameters  struct {
			RetryAfter float64 `json:"retry_after"` // seconds
		} `json:"parameters"`
	}
	unreadable := json.Unmarshal(r.Body, &answer)
	if r.Status >= 200 && r.Status < 300 && answer.OK {
		return nil
	}
	if r.Status >= 200 && r.Status < 300 {
		return &SendError{Text: "telegram: the answer does not say that it was sent", Status: r.Status, Uncertain: unreadable != nil, Permanent: unreadable == nil}
	}
	e := refused("telegram", r, t.now(), answer.Description, token)
	e.After = max(e.After, seconds(answer.Parameters.RetryAfter))
	// 403: the bot was blocked or removed. 401 and 404: there is no such bot.
	e.Gone = r.Status == 401 || r.Status == 403 || r.Status == 404
	return e
}

// telegramBase is where the bot API is.
func telegramBase(s string) (*url.URL, error) {
	if s == "" {
		s = "https://api.telegram.org"
	}
	return rest.ParseBase(s, false)
}
