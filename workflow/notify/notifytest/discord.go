package notifytest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// Discord is a fake of Discord's webhooks.
type Discord struct {
	server
	messages []DiscordMessage
}

// A DiscordMessage is one that the webhook took. Texts are as they came, with
// Discord's escapes.
type DiscordMessage struct {
	Title, Description, URL string
	Fields                  map[string]string
	Files                   []File
	Pings                   bool // something in it may mention people
}

const discordPath = "/api/webhooks/123456789012345678/c2VjcmV0LXRva2VuLW9mLWEtd2ViaG9vaw"

// NewDiscord starts a fake that stops with the test.
func NewDiscord(t testing.TB) *Discord {
	d := &Discord{}
	d.start(t, d.handle)
	return d
}

// Secret is the secret of a channel of this webhook.
func (d *Discord) Secret() []byte { return []byte(d.http.URL + discordPath) }

// Messages returns what came, oldest first.
func (d *Discord) Messages() []DiscordMessage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]DiscordMessage(nil), d.messages...)
}

func (d *Discord) handle(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Method != http.MethodPost || r.URL.Path != discordPath {
		d.refuse(w, 404, "path "+r.URL.Path, `{"message":"Unknown Webhook","code":10015}`)
		return
	}
	var message DiscordMessage
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		body, message.Files, err = discordForm(body, params["boundary"])
	}
	var m struct {
		Content string `json:"content"`
		Embeds  []struct {
			Title, Description, URL string
			Fields                  []struct{ Name, Value string }
		} `json:"embeds"`
		AllowedMentions *struct {
			Parse []string `json:"parse"`
		} `json:"allowed_mentions"`
		Attachments []struct {
			Filename string `json:"filename"`
		} `json:"attachments"`
	}
	if err != nil || json.Unmarshal(body, &m) != nil {
		d.refuse(w, 400, "the body cannot be read", `{"message":"The request body contains invalid JSON.","code":50109}`)
		return
	}
	problem := ""
	total := 0
	check := func(name, s string, limit int, required bool) {
		if units(s) > limit || required && strings.TrimSpace(s) == "" {
			problem = name
		}
		total += units(s)
	}
	if len(m.Embeds) != 1 || m.Content != "" || len(m.Attachments) != len(message.Files) || len(message.Files) > 10 {
		problem = "shape"
	}
	for _, e := range m.Embeds {
		check("title", e.Title, 256, true)
		check("description", e.Description, 4096, false)
		if len(e.Fields) > 25 {
			problem = "fields"
		}
		message.Title, message.Description, message.URL, message.Fields = e.Title, e.Description, e.URL, map[string]string{}
		for _, f := range e.Fields {
			check("field name", f.Name, 256, true)
			check("field value", f.Value, 1024, true)
			message.Fields[f.Name] = f.Value
		}
	}
	if total > 6000 {
		problem = "total"
	}
	if problem != "" {
		d.refuse(w, 400, problem, `{"message":"Invalid Form Body","code":50035}`)
		return
	}
	message.Pings = m.AllowedMentions == nil || m.AllowedMentions.Parse == nil || len(m.AllowedMentions.Parse) > 0
	d.mu.Lock()
	d.messages = append(d.messages, message)
	d.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"id":"1","type":0}`)
}

// discordForm takes the JSON and the files out of a form.
func discordForm(body []byte, boundary string) (payload []byte, files []File, err error) {
	form := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return payload, files, nil
		}
		if err != nil {
			return nil, nil, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, err
		}
		if part.FormName() == "payload_json" {
			payload = data
		} else {
			files = append(files, File{part.FileName(), part.Header.Get("Content-Type"), data})
		}
	}
}
