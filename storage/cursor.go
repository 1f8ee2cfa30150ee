package storage

import (
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"

	"github.com/ttai-go/ttai/internal/invalid"
)

// String returns the cursor as [RecordPage] carries it. Adapters call it.
func (c RecordCursor) String() string {
	data, err := json.Marshal(c)
	if err != nil {
		return "" // a finite number and valid text always encode
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func parseCursor(s string) (*RecordCursor, error) {
	var c RecordCursor
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil || c.ID == "" {
		return nil, invalid.Field("Cursor", s, "the Next of an earlier page of the same query")
	}
	return &c, nil
}

// checkUTF8 returns a *FieldError unless text is at most longest bytes of UTF-8
// without NUL, which some engines cannot keep in text.
func checkUTF8(field, text string, longest int) error {
	ok := len(text) <= longest && utf8.ValidString(text)
	for i := 0; ok && i < len(text); i++ {
		ok = text[i] != 0
	}
	if !ok {
		return invalid.Fieldf(field, text, "at most %d bytes of UTF-8 text without NUL", longest)
	}
	return nil
}
