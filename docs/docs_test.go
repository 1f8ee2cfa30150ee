// Package docs_test keeps the pages of this folder true: their links lead
// somewhere, the messages they quote exist, and the diagram is that of the code.
package docs_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	message = regexp.MustCompile("(?m)^### `(.+)`$")
)

func pages(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*.md")
	require.NoError(t, err)
	names = append(names, filepath.Join("..", "README.md"), filepath.Join("..", "CONTRIBUTING.md"))
	texts := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		texts[name] = string(text)
	}
	return texts
}

// anchor is what a heading is called in a link, as GitHub makes it.
func anchor(heading string) string {
	text := strings.ToLower(strings.NewReplacer("`", "", "*", "").Replace(heading))
	text = regexp.MustCompile(`[^\p{L}\p{N}\- _]`).ReplaceAllString(text, "")
	return strings.ReplaceAll(text, " ", "-")
}

func TestLinksWithinTheRepositoryLeadSomewhere(t *testing.T) {
	all := pages(t)
	checked := 0
	for page, text := range all {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, err := url.Parse(match[1])
			require.NoError(t, err, page)
			if target.Scheme != "" {
				continue
			}
			checked++
			path := page
			if target.Path != "" {
				path = filepath.Join(filepath.Dir(page), filepath.FromSlash(target.Path))
				_, err := os.Stat(path)
				assert.NoError(t, err, "%s links to %s", page, match[1])
			}
			if target.Fragment == "" || !strings.HasSuffix(path, ".md") {
				continue
			}
			there, err := os.ReadFile(path)
			require.NoError(t, err)
			var anchors []string
			for _, h := range heading.FindAllStringSubmatch(string(there), -1) {
				anchors = append(anchors, anchor(h[1]))
			}
			assert.Contains(t, anchors, target.Fragment, "%s links to %s", page, match[1])
		}
	}
	assert.Greater(t, checked, 20)
}

// A message that the troubleshooting page explains is one that the code has:
// its headings quote messages, with … where a value stands.
func TestEveryExplainedMessageIsOneOfOurs(t *testing.T) {
	page, err := os.ReadFile("troubleshooting.md")
	require.NoError(t, err)
	quoted := message.FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(quoted), 10)
	code := source(t)
	for _, match := range quoted {
		for part := range strings.SplitSeq(match[1], "…") {
			if part = strings.TrimSpace(part); part != "" {
				assert.True(t, strings.Contains(code, part), "no code says %q, which troubleshooting.md explains", part)
			}
		}
	}
}

// source is all code but tests.
func source(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != ".." && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		b.Write(text)
		return err
	})
	require.NoError(t, err)
	return strings.NewReplacer(`\"`, `"`, "%q", "").Replace(b.String())
}

func TestEveryPageIsReachedFromTheReadme(t *testing.T) {
	all := pages(t)
	reached := map[string]bool{}
	var follow func(page string)
	follow = func(page string) {
		if reached[page] {
			return
		}
		reached[page] = true
		for _, match := range link.FindAllStringSubmatch(all[page], -1) {
			target, _, _ := strings.Cut(match[1], "#")
			target = filepath.Join(filepath.Dir(page), filepath.FromSlash(target))
			follow(strings.TrimPrefix(target, filepath.Join("..", "docs")+string(filepath.Separator)))
		}
	}
	follow(filepath.Join("..", "README.md"))
	for page := range all {
		assert.True(t, reached[page], "no way of links leads from the README to %s", page)
	}
}
