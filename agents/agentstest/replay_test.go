package agentstest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/agentstest"
	"github.com/ttai-go/ttai/agents/openai"
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stream is what a chat completions server sends for the text "ok".
const stream = `data: {"choices":[{"delta":{"content":"ok"},"finish_reason":null}]}

data: {"choices":[{"delta":{},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1}}

data: [DONE]

`

func TestWhatWasRecordedIsReplayedWithoutAKey(t *testing.T) {
	sends := 0
	server := transport(func(r *http.Request) (*http.Response, error) {
		sends++
		if sends == 1 {
			return &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"1"}, "X-Request-Id": {"1"}}, Body: http.NoBody, Request: r}, nil
		}
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(stream)), Request: r}, nil
	})
	run := func(next http.RoundTripper, key, input string) (*agents.Result, error) {
		model, err := openai.New("openai/gpt-5", func(context.Context) (string, error) { return key, nil }, &openai.Options{HTTPClient: &http.Client{Transport: next}})
		require.NoError(t, err)
		agent := agents.Agent{Model: model, Wait: func(context.Context, time.Duration) error { return nil }}
		return agent.Run(t.Context(), input)
	}
	recorder := &agentstest.Recorder{Next: server}
	first, err := run(recorder, "sk-secret-key-1", "hello")
	require.NoError(t, err)
	data, err := json.Marshal(recorder.Cassette())
	require.NoError(t, err)
	assert.NotContains(t, string(data), "sk-secret")
	var cassette agentstest.Cassette
	require.NoError(t, json.Unmarshal(data, &cassette))
	require.Len(t, cassette.Exchanges, 2)

	replayer := agentstest.NewReplayer(cassette)
	again, err := run(replayer, "none", "hello")
	require.NoError(t, err)
	assert.Equal(t, first.Text, again.Text)
	assert.Equal(t, first.Usage, again.Usage)
	assert.Zero(t, replayer.Left())
	assert.Equal(t, 2, sends)

	_, err = run(agentstest.NewReplayer(cassette), "none", "something else")
	require.Error(t, err)
	assert.ErrorIs(t, err, agentstest.ErrNotRecorded)
}

func TestRequestsAreEqualWhenTheirMeaningIs(t *testing.T) {
	key := agentstest.RequestKey("POST", "/v1/x", []byte(`{"a":1,"b":[1,2]}`))
	assert.Equal(t, key, agentstest.RequestKey("POST", "/v1/x", []byte("{\"b\": [1,2],\n\"a\":1}")))
	for _, other := range []string{
		agentstest.RequestKey("GET", "/v1/x", []byte(`{"a":1,"b":[1,2]}`)),
		agentstest.RequestKey("POST", "/v1/y", []byte(`{"a":1,"b":[1,2]}`)),
		agentstest.RequestKey("POST", "/v1/x", []byte(`{"a":1,"b":[2,1]}`)),
		agentstest.RequestKey("POST", "/v1/x", []byte(`not JSON`)),
	} {
		assert.NotEqual(t, key, other)
	}
}

func ExampleNewModel() {
	model := agentstest.NewModel("fake/one", agentstest.Say("Nothing to do."))
	agent := agents.Agent{Model: model}
	result, err := agent.Run(context.Background(), "What now?")
	fmt.Println(result.Text, err, len(model.Requests()))
	// Output: Nothing to do. <nil> 1
}
