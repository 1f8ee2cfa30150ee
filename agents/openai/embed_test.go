package openai_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/openai"
)

type embedding struct {
	Model      string
	Input      []string
	Dimensions int
	Format     string `json:"encoding_format"`
}

func embedder(t *testing.T, opts openai.EmbedderOptions, answer func(w http.ResponseWriter, r *http.Request, asked embedding)) *openai.Embedder {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked embedding
		assert.Equal(t, "/v1/embeddings", r.URL.Path)
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&asked))
		answer(w, r, asked)
	}))
	t.Cleanup(server.Close)
	opts.BaseURL, opts.HTTPClient = server.URL+"/v1", server.Client()
	e, err := openai.NewEmbedder("openai/small", 2, func(context.Context) (string, error) { return "sk-secret", nil }, &opts)
	require.NoError(t, err)
	return e
}

// lengths answers with vectors of the lengths of texts, in reverse order.
func lengths(w http.ResponseWriter, _ *http.Request, asked embedding) {
	var data []string
	for i := len(asked.Input) - 1; i >= 0; i-- {
		data = append(data, fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":[%d,1]}`, i, len(asked.Input[i])))
	}
	fmt.Fprintf(w, `{"object":"list","data":[%s],"usage":{"prompt_tokens":%d,"total_tokens":%d}}`, strings.Join(data, ","), len(data), len(data))
}

func TestTextsAreEmbeddedInBatchesAndInOrder(t *testing.T) {
	var used, requests atomic.Int64
	e := embedder(t, openai.EmbedderOptions{Batch: 2, Used: func(n int) { used.Add(int64(n)) }}, func(w http.ResponseWriter, r *http.Request, asked embedding) {
		requests.Add(1)
		assert.Equal(t, "Bearer sk-secret", r.Header.Get("Authorization"))
		assert.Equal(t, "small", asked.Model)
		assert.Equal(t, "float", asked.Format)
		assert.Zero(t, asked.Dimensions)
		assert.LessOrEqual(t, len(asked.Input), 2)
		lengths(w, r, asked)
	})
	got, err := e.Embed(t.Context(), []string{"a", "  ", "bb", strings.Repeat("é", 20_000)})
	require.NoError(t, err)
	assert.Equal(t, [][]float32{{1, 1}, nil, {2, 1}, {24 << 10, 1}}, got)
	assert.EqualValues(t, 3, used.Load())
	assert.EqualValues(t, 2, requests.Load())
	assert.Equal(t, "openai/small", e.Model())
	assert.Equal(t, 2, e.Dims())
}

func TestShortenedVectorsHaveANameOfTheirOwn(t *testing.T) {
	e := embedder(t, openai.EmbedderOptions{Shorten: true, KeyHeader: "api-key"}, func(w http.ResponseWriter, r *http.Request, asked embedding) {
		assert.Equal(t, "sk-secret", r.Header.Get("api-key"))
		assert.Empty(t, r.Header.Get("Authorization"))
		assert.Equal(t, 2, asked.Dimensions)
		lengths(w, r, asked)
	})
	_, err := e.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	assert.Equal(t, "openai/small@2", e.Model())
}

func TestEmbeddingIsTriedAgainWhenTheServerAsksForPatience(t *testing.T) {
	n := 0
	e := embedder(t, openai.EmbedderOptions{}, func(w http.ResponseWriter, r *http.Request, asked embedding) {
		if n++; n == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		lengths(w, r, asked)
	})
	_, err := e.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	assert.Equal(t, 2, n)
}

func TestEmbeddingErrorsSayWhatWasWrongAndNoSecret(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		says   string
	}{
		"refused": {func(w http.ResponseWriter) {
			http.Error(w, `{"error":{"message":"bad key sk-secret"}}`, http.StatusUnauthorized)
		}, "bad key [redacted]"},
		"no JSON":     {func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") }, "cannot be read"},
		"too few":     {func(w http.ResponseWriter) { fmt.Fprint(w, `{"data":[]}`) }, "0 vectors for 1 texts"},
		"other texts": {func(w http.ResponseWriter) { fmt.Fprint(w, `{"data":[{"index":7,"embedding":[1,2]}]}`) }, "not sent"},
		"twice": {func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}`)
		}, "not sent"},
		"dimensions": {func(w http.ResponseWriter) { fmt.Fprint(w, `{"data":[{"index":0,"embedding":[1,2,3]}]}`) }, "3 dimensions, and 2"},
	} {
		e := embedder(t, openai.EmbedderOptions{Retries: -1}, func(w http.ResponseWriter, _ *http.Request, _ embedding) { c.answer(w) })
		_, err := e.Embed(t.Context(), []string{"a"})
		var failure *agents.ModelError
		require.ErrorAs(t, err, &failure, name)
		assert.ErrorContains(t, err, c.says, name)
		assert.NotContains(t, err.Error(), "sk-secret", name)
	}
}

func TestEmbeddingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	e := embedder(t, openai.EmbedderOptions{}, func(w http.ResponseWriter, r *http.Request, _ embedding) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := e.Embed(ctx, []string{"a"})
	assert.True(t, errors.Is(err, context.DeadlineExceeded), "%v", err)
}

func TestEmbedderArgumentsAreChecked(t *testing.T) {
	for name, f := range map[string]func() error{
		"name": func() error { _, err := openai.NewEmbedder("small", 2, nil, nil); return err },
		"dims": func() error { _, err := openai.NewEmbedder("a/b", 0, nil, nil); return err },
		"KeyHeader": func() error {
			_, err := openai.NewEmbedder("a/b", 2, nil, &openai.EmbedderOptions{KeyHeader: "a b"})
			return err
		},
		"Batch": func() error {
			_, err := openai.NewEmbedder("a/b", 2, nil, &openai.EmbedderOptions{Batch: -1})
			return err
		},
		"Timeout": func() error {
			_, err := openai.NewEmbedder("a/b", 2, nil, &openai.EmbedderOptions{Timeout: -1})
			return err
		},
		"BaseURL": func() error {
			_, err := openai.NewEmbedder("a/b", 2, nil, &openai.EmbedderOptions{BaseURL: "http://example.com"})
			return err
		},
	} {
		assert.Error(t, f(), name)
	}
}
