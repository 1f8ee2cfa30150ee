package vault_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage/vault"
)

// hidden is the secret that no output may hold, in any form.
const hidden = "hunter2-hunter2"

func assertHidden(t *testing.T, text, by string) {
	t.Helper()
	for _, form := range []string{
		hidden, hidden[:7],
		fmt.Sprintf("%x", hidden[:4]), fmt.Sprintf("%X", hidden[:4]), fmt.Sprintf("% x", hidden[:4]),
		strings.Trim(fmt.Sprint([]byte(hidden[:4])), "[]"),          // 104 117 …
		strings.Trim(fmt.Sprintf("%#v", []byte(hidden[:2])), "[]b"), // 0x68, 0x75
		"aHVudGVy", // base64 of "hunter"
		fmt.Sprintf("%b", hidden[0]) + " ", fmt.Sprintf("%o", []byte(hidden[:3])),
	} {
		if strings.Contains(text, form) {
			t.Errorf("%s: shows %q", by, form)
		}
	}
}

// A recorder is a test that may fail.
type recorder struct{ text string }

func (r *recorder) Errorf(format string, args ...any) { r.text += fmt.Sprintf(format, args...) }

func TestNoVerbShowsASecret(t *testing.T) {
	s := vault.SecretString(hidden)
	type inside struct {
		Exported   vault.Secret
		unexported vault.Secret
		list       []vault.Secret
		any        any
		pointer    *vault.Secret
	}
	values := map[string]any{
		"value": s, "pointer": &s, "slice": []vault.Secret{s}, "map": map[string]vault.Secret{"k": s},
		"struct": inside{s, s, []vault.Secret{s}, s, &s}, "struct pointer": &inside{s, s, []vault.Secret{s}, s, &s},
		"error": fmt.Errorf("with %v: %w", s, errors.New("x")),
	}
	keys, err := vault.ParseMasterKeys([]byte(strings.Repeat("68756e74", 8)))
	require.NoError(t, err)
	values["master keys"] = keys
	local, err := vault.NewLocalKeys(keys)
	require.NoError(t, err)
	values["local keys"] = local
	for name, value := range values {
		for verb := rune('A'); verb <= 'z'; verb++ {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "5.2", "#+ 020.3"} {
				format := "%" + flags + string(verb)
				assertHidden(t, fmt.Sprintf(format, value), name+" by "+format)
			}
		}
		assertHidden(t, fmt.Sprint(value), name+" by Sprint")
		assertHidden(t, fmt.Sprintln(value), name+" by Sprintln")
		// A failed assertion shows values by walking through every pointer and
		// unexported field.
		var failed recorder
		assert.Equal(&failed, value, "something else")
		assert.Equal(&failed, &value, struct{ any }{value})
		assert.NotEmpty(t, failed.text)
		assertHidden(t, failed.text, name+" by a failed assertion")
	}
}

func TestVerbsOfASecretSayRedacted(t *testing.T) {
	s := vault.SecretString(hidden)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.2f"} {
		assert.Equal(t, "[redacted]", fmt.Sprintf(verb, s), verb)
		assert.Equal(t, "[redacted]", fmt.Sprintf(verb, &s), verb)
	}
	assert.Equal(t, "[redacted]", s.String())
	assert.Equal(t, "[redacted]", s.GoString())
	assert.Equal(t, "[redacted]", fmt.Sprint(vault.Secret{}), "the zero secret is safe to print")
}

func TestNoLoggerShowsASecret(t *testing.T) {
	s := vault.SecretString(hidden)
	type account struct {
		User  string
		Token vault.Secret
	}
	var out bytes.Buffer
	for name, handler := range map[string]slog.Handler{"text": slog.NewTextHandler(&out, nil), "json": slog.NewJSONHandler(&out, nil)} {
		out.Reset()
		l := slog.New(handler)
		l.Info("m", "secret", s, "pointer", &s, "inside", account{"ann", s}, slog.Any("list", []vault.Secret{s}))
		l.With("secret", s).WithGroup("g").Info(fmt.Sprint(s))
		assertHidden(t, out.String(), name)
		assert.Contains(t, out.String(), "[redacted]", name)
	}
	out.Reset()
	log.New(&out, "", 0).Println(s, &s, account{"ann", s})
	assertHidden(t, out.String(), "log")
}

func TestNoEncoderShowsASecret(t *testing.T) {
	s := vault.SecretString(hidden)
	type account struct {
		User  string
		Token vault.Secret
		Maybe *vault.Secret `json:",omitempty"`
	}
	a := account{"ann", s, &s}
	text, err := json.Marshal(a)
	require.NoError(t, err)
	assert.Equal(t, `{"User":"ann","Token":"[redacted]","Maybe":"[redacted]"}`, string(text))

	text, err = xml.Marshal(a)
	require.NoError(t, err)
	assert.Equal(t, `<account><User>ann</User><Token>[redacted]</Token><Maybe>[redacted]</Maybe></account>`, string(text))

	text, err = s.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, "[redacted]", string(text))

	var out bytes.Buffer
	assert.Error(t, gob.NewEncoder(&out).Encode(a))
	assertHidden(t, out.String(), "gob")

	out.Reset()
	require.NoError(t, template.Must(template.New("").Parse(`{{.}} {{.Token}} <script>{{.Token}}</script>`)).Execute(&out, a))
	assertHidden(t, out.String(), "template")
}

// bytesOf returns a copy of what a secret holds.
func bytesOf(t testing.TB, s vault.Secret) string {
	t.Helper()
	var text string
	require.NoError(t, s.Use(func(b []byte) error { text = string(b); return nil }))
	return text
}

func TestASecretIsLentAsACopyThatIsCleared(t *testing.T) {
	source := []byte(hidden)
	s := vault.NewSecret(source)
	assert.Equal(t, make([]byte, len(hidden)), source, "NewSecret clears what it was given")
	var kept []byte
	require.NoError(t, s.Use(func(b []byte) error {
		assert.Equal(t, hidden, string(b))
		b[0] = 'X'
		kept = b
		return nil
	}))
	assert.Equal(t, make([]byte, len(hidden)), kept, "the copy is cleared after use")
	assert.Equal(t, hidden, bytesOf(t, s), "changing the copy changes nothing")
	assert.EqualError(t, s.Use(func([]byte) error { return errors.New("mine") }), "mine")
}

func TestADestroyedSecretIsGoneFromAllItsCopies(t *testing.T) {
	s := vault.SecretString(hidden)
	other := s
	require.NoError(t, s.Use(func(b []byte) error {
		s.Destroy() // also during use
		assert.Equal(t, hidden, string(b))
		return nil
	}))
	s.Destroy()
	assert.ErrorIs(t, other.Use(func([]byte) error { t.Error("was called"); return nil }), vault.ErrDestroyed)
	assert.ErrorIs(t, vault.Secret{}.Use(func([]byte) error { t.Error("was called"); return nil }), vault.ErrDestroyed)
	vault.Secret{}.Destroy()
}

func TestSecretsAreComparedByWhatTheyHold(t *testing.T) {
	a := vault.SecretString(hidden)
	assert.True(t, a.Equal(vault.SecretString(hidden)))
	assert.True(t, a.Equal(a))
	assert.False(t, a.Equal(vault.SecretString("other")))
	gone := vault.SecretString(hidden)
	gone.Destroy()
	assert.False(t, a.Equal(gone))
	assert.False(t, gone.Equal(a))
	assert.False(t, gone.Equal(gone), "what is gone equals nothing")
}
