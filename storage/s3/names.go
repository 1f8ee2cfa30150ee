package s3

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
)

// Keys are stored in base 64 with digits in the order of ASCII, which keeps
// their order and lets no service take "..", "//" or a control sequence for
// something of its own. Services on file systems bound the parts between
// slashes to 255 bytes, so there is a slash after each 160 digits. The longest
// key, 512 bytes, has 687 bytes stored, and with a tenant's 128, a bucket's 64
// and the prefix stays below the 1024 that S3 allows.
var digits = base64.NewEncoding("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz").WithPadding(base64.NoPadding)

const line = 160

func encode(s string) string { return fold(digits.EncodeToString([]byte(s))) }

func fold(s string) string {
	if len(s) <= line {
		return s
	}
	var b strings.Builder
	for ; len(s) > line; s = s[line:] {
		b.WriteString(s[:line])
		b.WriteByte('/')
	}
	b.WriteString(s)
	return b.String()
}

// encodePrefix is what the stored forms of all keys with that prefix begin
// with, and some others' too: a digit has six bits, so the last may be shared.
func encodePrefix(s string) string {
	return fold(digits.EncodeToString([]byte(s))[:len(s)*8/6])
}

func decode(s string) (string, error) {
	b, err := digits.DecodeString(strings.ReplaceAll(s, "/", ""))
	return string(b), err
}

// metadataName is the one entry that holds all metadata. Headers carry neither
// every character nor an empty value through every service.
const (
	metadataName = "ttai"
	metadataForm = "1."
)

func encodeMetadata(m map[string]string) map[string]string {
	// No metadata is said too: some services keep a replaced object's otherwise.
	var b []byte
	for k, v := range m {
		for _, s := range []string{k, v} {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
	}
	return map[string]string{metadataName: metadataForm + base64.RawURLEncoding.EncodeToString(b)}
}

var errMetadata = errors.New("metadata is not in its stored form")

func decodeMetadata(stored map[string]string) (map[string]string, error) {
	var text string
	for k, v := range stored {
		if strings.EqualFold(k, metadataName) {
			text = v
		}
	}
	if text == "" {
		return nil, nil
	}
	encoded, ok := strings.CutPrefix(text, metadataForm)
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !ok {
		return nil, errMetadata
	}
	if len(b) == 0 {
		return nil, nil
	}
	m := map[string]string{}
	for len(b) > 0 {
		var pair [2]string
		for i := range pair {
			n, size := binary.Uvarint(b)
			if size <= 0 || n > uint64(len(b)-size) {
				return nil, errMetadata
			}
			pair[i] = string(b[size : size+int(n)])
			b = b[size+int(n):]
		}
		m[pair[0]] = pair[1]
	}
	return m, nil
}
