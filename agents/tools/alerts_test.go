package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/internal/invalid"
)

// fakeAlerts keeps rules as they come.
type fakeAlerts struct {
	rules []json.RawMessage
	many  int
}

func (f *fakeAlerts) Add(_ context.Context, rule json.RawMessage) (json.RawMessage, error) {
	if string(rule) == `{"kind":"bad"}` {
		return nil, invalid.Field("kind", "bad", "price or news")
	}
	f.rules = append(f.rules, rule)
	return rule, nil
}

func (f *fakeAlerts) List(context.Context) ([]json.RawMessage, error) {
	out := f.rules
	for range f.many {
		out = append(out, json.RawMessage(`{"id":"0123456789","rule":{"kind":"price","symbol":"SPY","op":"above","value":700}}`))
	}
	return out, nil
}

func (f *fakeAlerts) Remove(_ context.Context, id string) error {
	if id != "k1" {
		return errors.New("there is no alert " + id)
	}
	f.rules = nil
	return nil
}

func TestAlertsOfAChat(t *testing.T) {
	kept := &fakeAlerts{}
	find := func(d tools.Deps) func(string) (map[string]any, error) {
		for _, x := range tools.New(d) {
			if x.Name == "alerts" {
				return func(args string) (map[string]any, error) {
					out, err := x.Call(t.Context(), json.RawMessage(args))
					var parsed map[string]any
					if err == nil {
						require.NoError(t, json.Unmarshal(out, &parsed))
					}
					return parsed, err
				}
			}
		}
		return nil
	}
	require.Nil(t, find(tools.Deps{}), "nobody would watch them")
	require.True(t, tools.OnRequest(tools.SetOf("alerts")), "it is listed only for who asks for it")
	call := find(tools.Deps{Alerts: kept})
	require.NotNil(t, call)
	out, err := call(`{"do":"add","rule":{"id":"k1","kind":"price"}}`)
	require.NoError(t, err)
	assert.Equal(t, []any{map[string]any{"id": "k1", "kind": "price"}}, out["alerts"])
	out, err = call(`{"do":"list"}`)
	require.NoError(t, err)
	assert.Len(t, out["alerts"], 1)
	out, err = call(`{"do":"remove","id":"k1"}`)
	require.NoError(t, err)
	assert.Equal(t, "k1", out["removed"])
	for args, field := range map[string]string{
		`{"do":"add"}`: "rule", `{"do":"remove"}`: "id", `{"do":"burn"}`: "do", `{}`: "do", `{"do":"add","rule":{"kind":"bad"}}`: "kind",
	} {
		_, err := call(args)
		var fe *tools.FieldError
		require.ErrorAs(t, err, &fe, args)
		assert.Equal(t, field, fe.Field, args)
	}
	_, err = call(`{"do":"remove","id":"other"}`)
	require.ErrorContains(t, err, "no alert")
	kept.many = 2000
	out, err = call(`{"do":"list"}`)
	require.NoError(t, err)
	assert.NotEmpty(t, out["left_out"])
	assert.Less(t, len(out["alerts"].([]any)), 2000)
}
