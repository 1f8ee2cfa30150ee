package agentstest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
)

// A Provider is what [TestProvider] has to know of one.
type Provider struct {
	// New returns a model for a server at baseURL (scheme and host), that sends with
	// client, gives up a silent server after stall, and has its key from key.
	New func(baseURL string, client *http.Client, stall time.Duration, key func(context.Context) (string, error)) (agents.Model, error)
	// Answer writes a step as the server streams it, event by event, each with the
	// blank line that ends it. The request says whether an answer is structured.
	Answer func(step Step, req *agents.Request) []string
	// Asked reads the body of a request.
	Asked func(body []byte) (Asked, error)
}

// Asked is what a server read in a request.
type Asked struct {
	Instructions string
	Tools        []string // names
	User         []string // texts of the user
	Calls        []string // ids of calls in the history
	Results      []string // contents of results
	MaxTokens    int
	Structured   bool // an answer by schema is demanded
	Streams      bool
}

const suiteKey = "sk-test-0123456789abcdef"

func question() *agents.Request {
	return &agents.Request{Instructions: "Be brief.", Messages: []agents.Message{agents.UserText("SPY?")}, MaxTokens: 321, Cache: true}
}

func suiteTool() agents.Tool {
	type args struct {
		Symbol string `json:"symbol"`
	}
	return agents.NewTool(agents.Spec{Name: "quote", Description: "A price."}, func(context.Context, args) (args, error) { return args{}, nil })
}

// TestProvider checks that a provider's models ask what they should, understand
// answers however they arrive, and fail as [agents.Model] says.
func TestProvider(t *testing.T, p Provider) {
	usage := &agents.Usage{Input: 12, Output: 34}
	model := func(t *testing.T, s http.RoundTripper) agents.Model {
		t.Helper()
		m, err := p.New("https://model.test", &http.Client{Transport: s}, time.Minute, func(context.Context) (string, error) { return suiteKey, nil })
		require.NoError(t, err)
		return m
	}
	wire := func(step Step, req *agents.Request) string { return strings.Join(p.Answer(step, req), "") }
	ask := func(t *testing.T, req *agents.Request, a answer) (*agents.Response, *server, error) {
		t.Helper()
		s := &server{answers: []answer{a}}
		r, err := agents.Generate(t.Context(), model(t, s), req)
		return r, s, err
	}
	failure := func(t *testing.T, err error) *agents.ModelError {
		t.Helper()
		var f *agents.ModelError
		require.ErrorAs(t, err, &f)
		assert.Contains(t, f.Model, "/")
		assert.NotContains(t, err.Error(), suiteKey)
		assert.NotContains(t, err.Error(), "\n")
		return f
	}

	t.Run("text, however it is cut into pieces", func(t *testing.T) {
		for _, piece := range []int{0, 1, 7} {
			r, _, err := ask(t, question(), answer{body: wire(Step{Text: "Ünïcode 日本 \"quoted\"\n\nand lines", Usage: usage}, question()), piece: piece})
			require.NoError(t, err)
			assert.Equal(t, "Ünïcode 日本 \"quoted\"\n\nand lines", r.Message.Text())
			assert.Equal(t, agents.StopEnd, r.Stop)
			assert.Equal(t, usage, r.Usage)
		}
	})
	t.Run("text arrives before the answer is over", func(t *testing.T) {
		events := p.Answer(Step{Text: "early"}, question())
		s := &server{answers: []answer{{body: strings.Join(events[:len(events)-1], ""), stall: true}}}
		for d, err := range model(t, s).Stream(t.Context(), question()) {
			require.NoError(t, err)
			if d.Text != "" {
				return
			}
		}
		t.Error("no text")
	})
	t.Run("lines that end in CR LF, and comments", func(t *testing.T) {
		body := ": hello\r\n\r\n" + strings.ReplaceAll(wire(Say("ok"), question()), "\n", "\r\n")
		r, _, err := ask(t, question(), answer{body: body, piece: 3})
		require.NoError(t, err)
		assert.Equal(t, "ok", r.Message.Text())
	})
	t.Run("calls, of unknown tools too", func(t *testing.T) {
		req := question()
		req.Tools = []agents.Tool{suiteTool()}
		step := Calls([2]string{"quote", `{"symbol":"SPY"}`}, [2]string{"no_such_tool", `{"a":[1,2]}`})
		r, s, err := ask(t, req, answer{body: wire(step, req), piece: 2})
		require.NoError(t, err)
		assert.Equal(t, agents.StopCalls, r.Stop)
		assert.Equal(t, step.Calls, r.Message.Calls())
		asked, err := p.Asked(s.bodies[0])
		require.NoError(t, err)
		assert.Contains(t, asked.Tools, "quote")
	})
	t.Run("a call whose arguments are cut off is handed over as it is", func(t *testing.T) {
		step := Calls([2]string{"quote", `{"symbol":"S`})
		step.Stop = agents.StopLength
		r, _, err := ask(t, question(), answer{body: wire(step, question())})
		require.NoError(t, err)
		assert.Equal(t, agents.StopLength, r.Stop)
		assert.Equal(t, `{"symbol":"S`, string(r.Message.Calls()[0].Arguments))
	})
	t.Run("a structured answer", func(t *testing.T) {
		req := question()
		req.Output = agents.SchemaFor[struct {
			Side string `json:"side"`
		}]()
		r, s, err := ask(t, req, answer{body: wire(Say(`{"side":"long"}`), req), piece: 4})
		require.NoError(t, err)
		assert.JSONEq(t, `{"side":"long"}`, r.Message.Text())
		assert.Empty(t, r.Message.Calls())
		assert.Equal(t, agents.StopEnd, r.Stop)
		asked, err := p.Asked(s.bodies[0])
		require.NoError(t, err)
		assert.True(t, asked.Structured)
	})
	t.Run("other ends", func(t *testing.T) {
		for _, stop := range []agents.StopReason{agents.StopLength, agents.StopRefused} {
			r, _, err := ask(t, question(), answer{body: wire(Step{Text: "x", Stop: stop}, question())})
			require.NoError(t, err)
			assert.Equal(t, stop, r.Stop)
		}
	})
	t.Run("the whole conversation is sent", func(t *testing.T) {
		req := question()
		req.Tools = []agents.Tool{suiteTool()}
		req.Messages = append(req.Messages,
			agents.Message{Role: agents.Assistant, Parts: []agents.Part{{Text: "let me see"}, {Call: &agents.Call{ID: "c1", Name: "quote", Arguments: json.RawMessage(`{"symbol":`)}}}},
			agents.Message{Role: agents.User, Parts: []agents.Part{{Result: &agents.CallResult{ID: "c1", Name: "quote", Content: "not JSON", Failed: true}}}},
			agents.UserText("and now?"))
		_, s, err := ask(t, req, answer{body: wire(Say("ok"), req)})
		require.NoError(t, err)
		asked, err := p.Asked(s.bodies[0])
		require.NoError(t, err)
		assert.Equal(t, "Be brief.", asked.Instructions)
		assert.Equal(t, []string{"SPY?", "and now?"}, asked.User)
		assert.Equal(t, []string{"c1"}, asked.Calls)
		require.Len(t, asked.Results, 1)
		assert.Contains(t, asked.Results[0], "not JSON")
		assert.Equal(t, 321, asked.MaxTokens)
		assert.True(t, asked.Streams)
		assert.NotContains(t, string(s.bodies[0]), suiteKey)
		assert.Contains(t, strings.Join(flat(s.headers[0]), " "), suiteKey)
	})
	t.Run("refusals say whether and when to come back", func(t *testing.T) {
		for _, row := range []struct {
			status    int
			temporary bool
		}{{400, false}, {401, false}, {403, false}, {404, false}, {413, false}, {429, true}, {500, true}, {503, true}, {529, true}} {
			a := answer{status: row.status, kind: "application/json", body: `{"type":"error","error":{"message":"no:\n` + suiteKey + `"}}`, header: http.Header{"Retry-After": {"11"}}}
			_, s, err := ask(t, question(), a)
			f := failure(t, err)
			assert.Equal(t, row.status, f.Status)
			assert.Equal(t, row.temporary, f.Temporary, "%d", row.status)
			assert.Equal(t, 11*time.Second, f.RetryAfter)
			assert.Contains(t, f.Message, "no:")
			assert.Len(t, s.bodies, 1, "one attempt: the loop decides on others")
		}
		_, _, err := ask(t, question(), answer{status: 502, kind: "text/html", body: "<html>bad gateway"})
		assert.NotContains(t, failure(t, err).Message, "<html>")
	})
	t.Run("an answer that is cut off, wherever, is a failure for a while", func(t *testing.T) {
		body := wire(Step{Text: "hello", Calls: Calls([2]string{"quote", `{"symbol":"SPY"}`}).Calls, Usage: usage}, question())
		end := strings.LastIndex(strings.TrimSpace(body), "\n\n")
		for at := 0; at <= end; at += max(1, end/40) {
			for _, cut := range []bool{true, false} {
				_, _, err := ask(t, question(), answer{body: body[:at], cut: cut})
				assert.True(t, failure(t, err).Temporary)
			}
		}
	})
	t.Run("a server that falls silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			events := p.Answer(Say("hello"), question())
			s := &server{answers: []answer{{body: strings.Join(events[:len(events)-1], ""), stall: true}}}
			r, err := agents.Generate(ctx, model(t, s), question())
			assert.True(t, failure(t, err).Temporary)
			assert.Equal(t, time.Minute, time.Since(start))
			assert.Equal(t, "hello", r.Message.Text())
		})
	})
	t.Run("events that are no JSON", func(t *testing.T) {
		_, _, err := ask(t, question(), answer{body: "event: message_start\ndata: {\"oops\n\n"})
		assert.True(t, failure(t, err).Temporary)
		_, _, err = ask(t, question(), answer{body: "data: " + strings.Repeat("x", 5<<20) + "\n\n"})
		failure(t, err)
		_, _, err = ask(t, question(), answer{kind: "text/html", body: "<html>log in"})
		assert.False(t, failure(t, err).Temporary)
	})
	t.Run("an error in the middle of an answer", func(t *testing.T) {
		first := p.Answer(Say("hello"), question())[0]
		_, _, err := ask(t, question(), answer{body: first + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"overloaded " + suiteKey + "\"}}\n\n"})
		f := failure(t, err)
		assert.True(t, f.Temporary)
		assert.Contains(t, f.Message, "overloaded")
	})
	t.Run("the end of the context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &server{answers: []answer{{body: p.Answer(Say("hello"), question())[0], stall: true}}}
		time.AfterFunc(0, cancel)
		_, err := agents.Generate(ctx, model(t, s), question())
		assert.ErrorIs(t, err, context.Canceled)
	})
	t.Run("a key that cannot be had", func(t *testing.T) {
		s := &server{answers: []answer{{}}}
		gone := errors.New("the keyring is locked")
		m, err := p.New("https://model.test", &http.Client{Transport: s}, 0, func(context.Context) (string, error) { return "", gone })
		require.NoError(t, err)
		_, err = agents.Generate(t.Context(), m, question())
		require.ErrorIs(t, err, gone)
		assert.False(t, failure(t, err).Temporary)
		assert.Empty(t, s.bodies)
	})
	t.Run("keys go to https or this machine only", func(t *testing.T) {
		_, err := p.New("http://model.test", nil, 0, nil)
		var field *agents.FieldError
		assert.ErrorAs(t, err, &field)
	})
	t.Run("over a real connection", func(t *testing.T) {
		s := &server{answers: []answer{{body: wire(Step{Text: "hello", Usage: usage}, question())}}}
		real := httptest.NewServer(s)
		defer real.Close()
		m, err := p.New(real.URL, nil, time.Minute, nil)
		require.NoError(t, err)
		r, err := agents.Generate(t.Context(), m, question())
		require.NoError(t, err)
		assert.Equal(t, "hello", r.Message.Text())
	})
	t.Run("a run through the loop: busy, then a forged tool, then an answer", func(t *testing.T) {
		s := &server{answers: []answer{
			{status: 429, header: http.Header{"Retry-After": {"3"}}},
			{body: wire(Calls([2]string{"quotes", `{`}, [2]string{"quote", `{"symbol":"SPY"}`}), question()), piece: 1},
			{body: wire(Say("done"), question())},
		}}
		var waited []time.Duration
		agent := agents.Agent{Model: model(t, s), Tools: []agents.Tool{suiteTool()}, Wait: func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }}
		result, err := agent.Run(t.Context(), "SPY?")
		require.NoError(t, err)
		assert.Equal(t, "done", result.Text)
		assert.Equal(t, []time.Duration{3 * time.Second}, waited)
		asked, err := p.Asked(s.bodies[2])
		require.NoError(t, err)
		require.Len(t, asked.Results, 2)
		assert.Contains(t, asked.Results[0], "did you mean quote?")
	})
}

func flat(h http.Header) []string {
	var all []string
	for _, values := range h {
		all = append(all, values...)
	}
	return all
}
