package knowledge_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/knowledge"
)

func cut(t *testing.T, text string, c knowledge.Chunking) []knowledge.Chunk {
	t.Helper()
	chunks, err := knowledge.Cut(knowledge.Document{ID: "n/x", Title: "Title", Text: text}, c)
	require.NoError(t, err)
	return chunks
}

// prose makes n sentences of about fifty characters.
func prose(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Sentence number %d says something about strikes. ", i)
	}
	return strings.TrimSpace(b.String())
}

func TestChunksKeepThePathOfTheirHeadings(t *testing.T) {
	chunks := cut(t, "# Title\n\n"+prose(10)+"\n\n## A *bold* part\n\n"+prose(10)+"\n\n### Below\n\n"+prose(10)+"\n\nSetext\n------\n\n"+prose(10), knowledge.Chunking{})
	var paths [][]string
	for _, c := range chunks {
		paths = append(paths, c.Path)
	}
	assert.Equal(t, [][]string{nil, {"A bold part"}, {"A bold part", "Below"}, {"Setext"}}, paths)
}

func TestChunksAreBoundedAndOverlap(t *testing.T) {
	c := knowledge.Chunking{Target: 300, Max: 400, Min: 50, Overlap: 60}
	text := prose(40)
	chunks := cut(t, text, c)
	require.Greater(t, len(chunks), 6)
	for i, chunk := range chunks {
		assert.LessOrEqual(t, utf8.RuneCountInString(chunk.Text), 400)
		assert.True(t, strings.HasPrefix(chunk.Text, "Sentence") && strings.HasSuffix(chunk.Text, "."), "cut between sentences: %q", chunk.Text)
		if i > 0 {
			first, _, _ := strings.Cut(chunk.Text, "\n\n")
			assert.True(t, strings.HasSuffix(chunks[i-1].Text, first), "%q begins with the end of %q", chunk.Text, chunks[i-1].Text)
		}
	}
	for i := range 40 {
		assert.Contains(t, fmt.Sprint(chunks), fmt.Sprintf("number %d says", i), "nothing is lost")
	}
	for _, chunk := range cut(t, text, knowledge.Chunking{Target: 300, Overlap: -1}) {
		assert.Equal(t, 1, strings.Count(fmt.Sprint(cut(t, text, knowledge.Chunking{Target: 300, Overlap: -1})), strings.SplitAfter(chunk.Text, ".")[0]), "without overlap everything stands once")
	}
	long := cut(t, strings.Repeat("x", 5000)+" "+strings.Repeat("字", 5000), knowledge.Chunking{})
	for _, chunk := range long {
		assert.LessOrEqual(t, utf8.RuneCountInString(chunk.Text), 1500)
	}
}

func TestTablesAndCodeAreNotCut(t *testing.T) {
	table := "| strike | price |\n| --- | --- |\n" + strings.Repeat("| 100 | 3.02 |\n", 150)
	code := "```go\n" + strings.Repeat("x := price(call)\n\n", 120) + "```"
	chunks := cut(t, prose(5)+"\n\n"+table+"\n\n"+code+"\n\n"+prose(5), knowledge.Chunking{})
	var tables, codes int
	for _, c := range chunks {
		if strings.Contains(c.Text, "| strike |") {
			tables++
			assert.Contains(t, c.Text, strings.TrimSpace(table))
		}
		if strings.Contains(c.Text, "```go") {
			codes++
			assert.Contains(t, c.Text, code)
		}
	}
	assert.Equal(t, []int{1, 1}, []int{tables, codes})
}

func TestMonstrousTablesAndCodeAreCutIntoWholeOnes(t *testing.T) {
	c := knowledge.Chunking{Whole: 1500}
	for _, chunk := range cut(t, "| strike | price |\n| --- | --- |\n"+strings.Repeat("| 100 | 3.02 |\n", 500), c) {
		assert.True(t, strings.HasPrefix(chunk.Text, "| strike | price |\n| --- | --- |\n| 100"), "the head is repeated")
		assert.LessOrEqual(t, len(chunk.Text), 1500)
	}
	for _, chunk := range cut(t, "~~~\n"+strings.Repeat("line of code\n", 500)+"~~~", c) {
		assert.True(t, strings.HasPrefix(chunk.Text, "~~~\n") && strings.HasSuffix(chunk.Text, "\n~~~"))
		assert.LessOrEqual(t, len(chunk.Text), 1500)
	}
}

func TestShortSectionsJoinTheirNeighbours(t *testing.T) {
	chunks := cut(t, "# Title\n\n## One\n\nShort.\n\n## Two\n\nAlso short.\n\n## Three\n\n"+prose(18), knowledge.Chunking{})
	require.Len(t, chunks, 2)
	assert.Empty(t, chunks[0].Path)
	assert.Equal(t, "One\n\nShort.\n\nTwo\n\nAlso short.", chunks[0].Text)
	assert.Equal(t, []string{"Three"}, chunks[1].Path)
}

func TestAChangeLeavesTheOtherChunksAlone(t *testing.T) {
	text := "## One\n\n" + prose(20) + "\n\n## Two\n\n" + prose(10) + "\n\n## Three\n\n" + prose(30)
	before := map[string]bool{}
	for _, c := range cut(t, text, knowledge.Chunking{}) {
		before[c.ID] = true
	}
	fresh := 0
	for _, c := range cut(t, strings.Replace(text, "## Two\n\n", "## Two\n\nNew words. ", 1), knowledge.Chunking{}) {
		if !before[c.ID] {
			fresh++
		}
	}
	assert.Equal(t, 1, fresh)
	same := cut(t, "## A\n\n"+prose(12)+"\n\n## A\n\n"+prose(12), knowledge.Chunking{})
	require.Len(t, same, 2)
	assert.NotEqual(t, same[0].ID, same[1].ID, "equal passages have ids of their own")
}

func TestListsAreCutBetweenItems(t *testing.T) {
	for _, c := range cut(t, strings.Repeat("- an item about the wheel that goes on for a while\n", 60), knowledge.Chunking{Overlap: -1}) {
		for line := range strings.SplitSeq(c.Text, "\n") {
			assert.Equal(t, "- an item about the wheel that goes on for a while", line)
		}
	}
}

func TestTextHasNoHeadings(t *testing.T) {
	chunks, err := knowledge.Cut(knowledge.Document{ID: "n/x", Title: "T", Format: knowledge.Text, Text: "# 1 idea\n\n    indented\n\n<b>kept</b>"}, knowledge.Chunking{})
	require.NoError(t, err)
	require.Len(t, chunks, 1)
	assert.Equal(t, "# 1 idea\n\nindented\n\n<b>kept</b>", chunks[0].Text)
}

func TestImpossibleChunkingIsRefused(t *testing.T) {
	for name, c := range map[string]knowledge.Chunking{
		"Chunking.Target": {Target: 10}, "Chunking.Max": {Target: 900, Max: 901}, "Chunking.Overlap": {Overlap: 800}, "Chunking.Min": {Min: 5000}, "Chunking.Whole": {Whole: 100},
	} {
		_, err := knowledge.Cut(knowledge.Document{Text: "x"}, c)
		assert.ErrorContains(t, err, name)
	}
}
