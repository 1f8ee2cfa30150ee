package knowledge

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
)

// StarterCollection is where the starter library is.
const StarterCollection = "starter"

//go:embed starter/*.md
var starterFiles embed.FS

// Starter returns the starter library: short documents on strategies, Greeks,
// volatility, risk, order types, levels and indicators, written for this program.
// The numbers of their examples are computed by its tests.
func Starter() ([]Document, error) {
	library, _, err := starterLibrary()
	return append([]Document(nil), library...), err
}

type library struct {
	documents []Document
	version   string
	err       error
}

var readStarter = sync.OnceValue(func() (l library) {
	sum := sha256.New()
	entries, err := starterFiles.ReadDir("starter")
	if err != nil {
		return library{err: err}
	}
	for _, e := range entries {
		data, err := starterFiles.ReadFile("starter/" + e.Name())
		if err != nil {
			return library{err: err}
		}
		fmt.Fprintf(sum, "%s\x00%s\x00", e.Name(), data)
		d := Document{Source: "ttai starter library", Format: Markdown, Collection: StarterCollection}
		if err := d.readMarkdown(string(data)); err != nil {
			return library{err: fmt.Errorf("knowledge: starter/%s: %w", e.Name(), err)}
		}
		d.ID = StarterCollection + "/" + strings.TrimSuffix(e.Name(), ".md")
		if d, err = d.normalized(); err != nil {
			return library{err: fmt.Errorf("knowledge: starter/%s: %w", e.Name(), err)}
		}
		l.documents = append(l.documents, d)
	}
	l.version = hex.EncodeToString(sum.Sum(nil)[:8])
	return l
})

func starterLibrary() ([]Document, string, error) {
	l := readStarter()
	return l.documents, l.version, l.err
}
