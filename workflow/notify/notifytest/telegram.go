package notifytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Telegram is a fake of Telegram's Bot API.
type Telegram struct {
	server
	messages []TelegramMessage
}

// A TelegramMessage is one that the bot sent.
type TelegramMessage struct {
	Chat string
	Text string // as it is shown, without markup; of a document its caption
	HTML string // as it came
	File *File
	// Mentions are those that Telegram would make of the text.
	Mentions []string
}

const telegramToken = "123456789:AAF4kE-t0ken_of_a_bot_that_is_not"

// NewTelegram starts a fake that stops with the test.
func NewTelegram(t testing.TB) *Telegram {
	f := &Telegram{}
	f.start(t, f.handle)
	return f
}

// URL is for notify.Options.Telegram.
func (f *Telegram) URL() string { return f.http.URL }

// Secret is the token of the bot.
func (f *Telegram) Secret() []byte { return []byte(telegramToken) }

// Messages returns what came, oldest first.
func (f *Telegram) Messages() []TelegramMessage {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]TelegramMessage(nil), f.messages...)
}

func (f *Telegram) say(w http.ResponseWriter, status int, text string) {
	f.refuse(w, status, text, fmt.Sprintf(`{"ok":false,"error_code":%d,"description":%q}`, status, text))
}

func (f *Telegram) handle(w http.ResponseWriter, r *http.Request, body []byte) {
	method, ok := strings.CutPrefix(r.URL.Path, "/bot"+telegramToken+"/")
	if !ok {
		f.say(w, 401, "Unauthorized")
		return
	}
	var m TelegramMessage
	limit := 4096
	switch method {
	case "sendMessage":
		var in struct {
			Chat  string `json:"chat_id"`
			Text  string `json:"text"`
			Parse string `json:"parse_mode"`
		}
		if json.Unmarshal(body, &in) != nil || in.Parse != "HTML" {
			f.say(w, 400, "Bad Request: can't parse JSON")
			return
		}
		m.Chat, m.HTML = in.Chat, in.Text
	case "sendDocument":
		limit = 1024
		if !f.document(r, body, &m) {
			f.say(w, 400, "Bad Request: there is no document in the request")
			return
		}
	default:
		f.say(w, 404, "Not Found")
		return
	}
	text, problem := telegramShown(m.HTML)
	switch {
	case m.Chat == "":
		problem = "chat not found"
	case text == "" && problem == "":
		problem = "message text is empty"
	case units(text) > limit && problem == "":
		problem = "message is too long"
	}
	if problem != "" {
		f.say(w, 400, "Bad Request: "+problem)
		return
	}
	m.Text, m.Mentions = text, regexp.MustCompile(`@\w+`).FindAllString(text, -1)
	f.mu.Lock()
	f.messages = append(f.messages, m)
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":1}}`)
}

func (f *Telegram) document(r *http.Request, body []byte, m *TelegramMessage) bool {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return false
	}
	form := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return err == io.EOF && m.File != nil
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return false
		}
		switch part.FormName() {
		case "chat_id":
			m.Chat = string(data)
		case "caption":
			m.HTML = string(data)
		case "document":
			m.File = &File{part.FileName(), part.Header.Get("Content-Type"), data}
		}
	}
}

// telegramShown takes the markup out of Telegram's HTML, and says what is wrong
// with it: tags that it does not know or that do not close, bare signs.
func telegramShown(s string) (text, problem string) {
	var out strings.Builder
	var open []string
	for len(s) > 0 {
		i := strings.IndexAny(s, "<>&")
		if i < 0 {
			out.WriteString(s)
			break
		}
		out.WriteString(s[:i])
		s = s[i:]
		switch s[0] {
		case '>':
			return "", "can't parse entities: bare >"
		case '&':
			end := strings.IndexByte(s, ';')
			if end < 0 || !strings.Contains(" &lt; &gt; &amp; &quot; ", " "+s[:end+1]+" ") {
				return "", "can't parse entities: bare &"
			}
			out.WriteString(html.UnescapeString(s[:end+1]))
			s = s[end+1:]
		case '<':
			end := strings.IndexByte(s, '>')
			if end < 0 {
				return "", "can't parse entities: unclosed tag"
			}
			tag := s[1:end]
			s = s[end+1:]
			if name, closing := strings.CutPrefix(tag, "/"); closing {
				if len(open) == 0 || open[len(open)-1] != name {
					return "", "can't parse entities: unmatched </" + name + ">"
				}
				open = open[:len(open)-1]
				continue
			}
			name, _, _ := strings.Cut(tag, " ")
			if name != "b" && name != "i" && name != "pre" && name != "code" && name != "a" {
				return "", "can't parse entities: unsupported tag " + name
			}
			open = append(open, name)
		}
	}
	if len(open) > 0 {
		return "", "can't parse entities: unclosed " + open[0]
	}
	return out.String(), ""
}
