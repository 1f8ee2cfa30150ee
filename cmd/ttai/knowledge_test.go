package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/knowledge"
)

// write writes files below a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
}

func TestKnowledgeAnswersWithoutAnySettingUp(t *testing.T) {
	k := newKeeper(t)
	out, problems, code := k.run(t, "knowledge", "search", "how", "much", "does", "an", "option", "lose", "every", "day")
	assert.Zero(t, code, problems)
	assert.Contains(t, out, "Theta (time decay)")
	assert.Contains(t, out, "starter/theta")
	out, _, code = k.run(t, "knowledge", "search", "--json", "--limit", "2", "relative strength index")
	assert.Zero(t, code)
	var found knowledge.Results
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	require.Len(t, found.Passages, 2)
	assert.Equal(t, "starter/rsi", found.Passages[0].Document)
}

func TestKnowledgeFilesComeAndGo(t *testing.T) {
	k := newKeeper(t)
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, map[string]string{
		"notes/a.md": "---\ntags: [rules]\ndate: 2026-01-02\n---\n# Rules\n\nI sell the zebra spread on Mondays.", "notes/b.html": "<title>Page</title><p>Zebra on Tuesdays",
		"notes/c.txt": "zebra on Wednesdays\x1b[31m", "notes/.hidden/d.md": "zebra hidden", "notes/e.bin": "zebra", "notes/bad.md": "---\ntitle: {\n---\nx",
	})
	out, problems, code := k.run(t, "knowledge", "add", "notes", "--tag", "zoo")
	assert.Equal(t, 1, code, "one file could not be read")
	assert.Contains(t, problems, "bad.md")
	for _, id := range []string{"added  notes/notes/a ", "added  notes/notes/b.html ", "added  notes/notes/c.txt "} {
		assert.Contains(t, out, id)
	}
	assert.NotContains(t, out, "hidden")
	out, _, code = k.run(t, "knowledge", "add", filepath.Join("notes", "a.md"), "--tag", "zoo", "--json")
	assert.Zero(t, code)
	assert.Contains(t, out, `"status":"unchanged"`)

	out, _, code = k.run(t, "knowledge", "search", "zebra", "--tag", "zoo", "--mode", "words")
	assert.Zero(t, code)
	assert.Contains(t, out, "Mondays")
	assert.Contains(t, out, "Tuesdays")
	assert.NotContains(t, out, "\x1b", "nothing that a terminal would obey")
	out, _, _ = k.run(t, "knowledge", "search", "zebra", "--tag", "zoo", "--from", "2026-01-02", "--to", "2026-01-02", "--source", "notes/*")
	assert.Contains(t, out, "Mondays")
	assert.NotContains(t, out, "Tuesdays")
	_, problems, code = k.run(t, "knowledge", "search", "zebra", "--collection", "none")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "nothing was found")
	_, _, code = k.run(t, "knowledge", "search", "zebra", "--from", "soon")
	assert.Equal(t, 2, code)

	exported, _, code := k.run(t, "knowledge", "export")
	assert.Zero(t, code)
	assert.Equal(t, 3, strings.Count(exported, "\n"))
	write(t, dir, map[string]string{"all.jsonl": exported})
	_, _, code = k.run(t, "knowledge", "export", "--dir", "out")
	assert.Zero(t, code)
	text, err := os.ReadFile(filepath.Join(dir, "out", "notes", "notes", "a.md"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "zebra spread")
	_, _, code = k.run(t, "knowledge", "export", "--dir", "out")
	assert.Equal(t, 2, code, "the folder is not empty")

	out, _, code = k.run(t, "knowledge", "remove", "notes/notes/a")
	assert.Zero(t, code)
	assert.Contains(t, out, "removed")
	_, problems, code = k.run(t, "knowledge", "remove", "notes/notes/a")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "not found")
	_, _, code = k.run(t, "knowledge", "remove", "--collection", "notes")
	assert.Zero(t, code)
	out, _, _ = k.run(t, "knowledge", "list", "--collection", "notes")
	assert.Contains(t, out, "no document")
	_, _, code = k.run(t, "knowledge", "remove")
	assert.Equal(t, 2, code)

	_, problems, code = k.run(t, "knowledge", "add", "all.jsonl")
	assert.Zero(t, code, problems)
	again, _, _ := k.run(t, "knowledge", "export")
	assert.Equal(t, exported, again)
	_, _, code = k.run(t, "knowledge", "add", "nowhere")
	assert.Equal(t, 2, code)
}

func TestKnowledgeOfAllUsersIsWrittenWithShared(t *testing.T) {
	k := newKeeper(t)
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, map[string]string{"house.md": "The house closes zebra spreads early."})
	_, problems, code := k.run(t, "knowledge", "add", "house.md", "--shared", "--collection", "house")
	assert.Zero(t, code, problems)
	out, _, code := k.run(t, "knowledge", "search", "zebra", "--collection", "house", "--json")
	assert.Zero(t, code)
	assert.Contains(t, out, `"shared":true`)
	_, _, code = k.run(t, "knowledge", "remove", "house/house")
	assert.Equal(t, 1, code, "it is not one's own")
	_, _, code = k.run(t, "knowledge", "remove", "house/house", "--shared")
	assert.Zero(t, code)
}

func TestKnowledgeAsksTheEmbedderThatSettingsName(t *testing.T) {
	k := newKeeper(t)
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, map[string]string{"a.md": "Zebra spreads."})
	_, _, code := k.run(t, "knowledge", "add", "a.md")
	require.Zero(t, code)
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		assert.Equal(t, "Bearer sk-secret", r.Header.Get("Authorization"))
		var in struct{ Input []string }
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&in))
		var data []string
		for i := range in.Input {
			data = append(data, fmt.Sprintf(`{"index":%d,"embedding":[1,2,3]}`, i))
		}
		fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(data, ","))
	}))
	t.Cleanup(server.Close)
	k.variables["TTAI_EMBEDDER"], k.variables["TTAI_EMBEDDER_URL"], k.variables["TTAI_EMBEDDER_KEY"] = "test/model:latest@3", server.URL, "sk-secret"
	_, problems, code := k.run(t, "knowledge", "search", "zebra")
	assert.Equal(t, 1, code)
	assert.Contains(t, problems, "ttai knowledge reindex")
	out, problems, code := k.run(t, "knowledge", "reindex")
	assert.Zero(t, code, problems)
	assert.Contains(t, out, "1 embedded with test/model:latest")
	assert.Positive(t, asked)
	_, problems, code = k.run(t, "knowledge", "reindex", "--shared")
	assert.Zero(t, code, problems)
	out, problems, code = k.run(t, "knowledge", "search", "zebra")
	assert.Zero(t, code, problems)
	assert.Contains(t, out, "Zebra spreads.")
	k.variables["TTAI_EMBEDDER"] = "nonsense"
	_, problems, code = k.run(t, "knowledge", "list")
	assert.Equal(t, 2, code)
	assert.Contains(t, problems, "embedder")
}
