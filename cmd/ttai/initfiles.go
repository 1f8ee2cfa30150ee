package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
)

// configFile is config.json, with what init does not know about kept.
type configFile struct {
	path   string
	values members
}

// readConfigFile reads config.json, which may be absent.
func readConfigFile(env app.Environment) (*configFile, error) {
	if env.ConfigDir == "" {
		return nil, errors.New("this system names no folder for a user's configuration: is HOME set?")
	}
	c := &configFile{path: filepath.Join(env.ConfigDir, "config.json")}
	text, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	c.values, err = parseMembers(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.path, err)
	}
	return c, nil
}

// text returns a setting that is a string, "" when it is absent.
func (c *configFile) text(key string) string {
	var text string
	if raw := c.values.get(key); raw == nil || json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

// apply puts the answers in and returns what the user should know about it.
func (c *configFile) apply(a answers) (notes []string) {
	c.values.set("env", a.env)
	if a.env == string(broker.Simulator) {
		if c.text("refresh_token") != "" || c.text("client_secret") != "" {
			notes = append(notes, "config.json still holds a grant; remove client_secret and refresh_token from it if you do not want it there.")
		}
	} else {
		if c.values.get("url") != nil {
			c.values.remove("url")
			notes = append(notes, "removed url from config.json: credentials go to tastytrade's own hosts only.")
		}
		if a.clientID != "" {
			c.values.set("client_id", a.clientID)
		}
		c.values.set("client_secret", a.secret)
		c.values.set("refresh_token", a.token)
	}
	if len(a.accounts) == 0 {
		c.values.remove("accounts")
	} else {
		c.values.set("accounts", a.accounts)
	}
	return notes
}

// planned is the file as it will be, and as it may be shown.
func (c *configFile) planned() plannedFile {
	shown := slices.Clone(c.values)
	for _, flag := range []string{"client-secret", "refresh-token", "http-token", "alpaca-secret"} {
		if setting, _ := app.SettingOf(flag); shown.get(setting.Key) != nil {
			shown.set(setting.Key, "…")
		}
	}
	return plannedFile{path: c.path, text: c.values.format(), shown: string(shown.format()), mode: 0o600, private: true}
}

// A plannedFile is one that init is about to write.
type plannedFile struct {
	path    string
	text    []byte
	shown   string // text without secrets
	mode    fs.FileMode
	private bool // its folder is for the user alone when it has to be made
}

// write replaces the file at once or not at all, and leaves it alone when it
// says the same already. A link is followed, so that it stays one.
func (p plannedFile) write() (changed bool, err error) {
	path := p.path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, p.text) {
		if info, err := os.Stat(path); err == nil && (runtime.GOOS == "windows" || info.Mode().Perm() == p.mode) {
			return false, nil // Windows has no such permissions to compare
		}
	}
	folder := fs.FileMode(0o755)
	if p.private {
		folder = 0o700
	}
	if err := os.MkdirAll(filepath.Dir(path), folder); err != nil {
		return false, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".ttai-init-*") // 0600 from the start
	if err != nil {
		return false, err
	}
	_, err = file.Write(p.text)
	err = errors.Join(err, file.Chmod(p.mode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
		return false, err
	}
	return true, nil
}

// members is a JSON object whose order is kept.
type members []member

type member struct {
	name  string
	value json.RawMessage
}

// parseMembers reads an object; nothing at all counts as an empty one.
func parseMembers(text []byte) (members, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	if !json.Valid(text) {
		return nil, errors.New("it is not plain JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("it is not a JSON object")
	}
	var found members
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		found = append(found, member{name.(string), value})
	}
	return found, nil
}

func (m members) index(name string) int {
	return slices.IndexFunc(m, func(one member) bool { return one.name == name })
}

func (m members) get(name string) json.RawMessage {
	if i := m.index(name); i >= 0 {
		return m[i].value
	}
	return nil
}

// set writes a value in its place, or at the end.
func (m *members) set(name string, value any) {
	raw := encode(value)
	if i := m.index(name); i >= 0 {
		(*m)[i].value = raw
		return
	}
	*m = append(*m, member{name, raw})
}

func (m *members) remove(name string) {
	*m = slices.DeleteFunc(*m, func(one member) bool { return one.name == name })
}

// raw is the object on one line.
func (m members) raw() json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(encode(one.name))
		b.WriteByte(':')
		b.Write(one.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// format is the object as a file.
func (m members) format() []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, m.raw(), "", "  "); err != nil {
		panic(err) // every value came out of a JSON decoder or encoder
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// encode is json.Marshal for strings, lists and objects that always encode,
// with <, > and & as they are.
func encode(value any) json.RawMessage {
	if raw, ok := value.(json.RawMessage); ok {
		return raw
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(b.Bytes())
}
