package tools_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
)

// learned are the dependencies with a knowledge base and a store.
func learned(t *testing.T, change func(*tools.Deps)) tools.Deps {
	t.Helper()
	store, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	base, err := knowledge.Open(store, "ann", &knowledge.Options{Starter: true})
	require.NoError(t, err)
	_, err = base.Add(t.Context(), knowledge.Document{
		ID: "notes/own", Title: "My rules", Source: "rules.md", Date: knowledge.Date{Year: 2026, Month: 2, Day: 1}, Text: "I never sell strangles in June.",
	})
	require.NoError(t, err)
	tenant, err := store.For("ann")
	require.NoError(t, err)
	d := deps(func(d *tools.Deps, _ *fakeMarket, _ *fakeBroker) { d.Knowledge, d.Store = base, tenant })
	if change != nil {
		change(&d)
	}
	return d
}

func TestKnowledgeFindsPassagesWithTheirPlace(t *testing.T) {
	out := call(t, learned(t, nil), "knowledge", `{"query":"may I sell strangles in June","limit":3}`)
	passages := list(t, out["passages"])
	require.Len(t, passages, 3)
	first := object(t, passages[0])
	assert.Equal(t, "notes/own", first["document"])
	assert.Equal(t, "2026-02-01", first["date"])
	assert.Equal(t, "<data>\nMy rules\n(rules.md)\n\nI never sell strangles in June.\n</data>", first["text"])
	assert.Positive(t, first["score"])
	assert.Equal(t, "simulator", out["environment"])
}

func TestKnowledgeRefusesNothingAndTooMuch(t *testing.T) {
	for _, arguments := range []string{`{}`, `{"query":"  "}`, `{"query":"x","limit":11}`, fmt.Sprintf(`{"query":%q}`, strings.Repeat("x", 1001)), `{"symbol":"???"}`} {
		_, err := find(t, learned(t, nil), "knowledge").Call(t.Context(), []byte(arguments))
		var field *tools.FieldError
		assert.ErrorAs(t, err, &field, arguments)
	}
}

// has tells whether there is a tool of that name.
func has(d tools.Deps, name string) (found bool) {
	for _, t := range tools.New(d) {
		found = found || t.Name == name
	}
	return found
}

// answer calls a tool at whatever time the clock shows.
func answer(t *testing.T, d tools.Deps, name, arguments string) map[string]any {
	t.Helper()
	raw, err := find(t, d, name).Call(t.Context(), []byte(arguments))
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

func TestPastAnalysesAreKeptAndFoundAgain(t *testing.T) {
	clock := market.NewManualClock(now)
	d := learned(t, func(d *tools.Deps) { d.Clock = clock })
	assert.True(t, has(d, "knowledge"))
	assert.NotContains(t, answer(t, d, "knowledge", `{"symbol":"SPY"}`), "past_analyses")
	for range 3 {
		answer(t, d, "analyst", `{"symbol":"SPY"}`)
		clock.Advance(time.Minute)
	}
	answer(t, d, "analyst", `{"symbol":"SPY","at":"2026-01-30"}`)
	past := list(t, answer(t, d, "knowledge", `{"symbol":"spy"}`)["past_analyses"])
	require.Len(t, past, 3, "what was looked at in hindsight is no analysis of its day")
	first, second := object(t, past[0]), object(t, past[1])
	assert.Equal(t, "2026-09-16T10:32:00-04:00", first["time"], "the newest first")
	assert.Equal(t, "2026-09-16T10:31:00-04:00", second["time"])
	assert.Contains(t, []any{"select", "neutral", "reject"}, first["verdict"])
	assert.True(t, strings.HasPrefix(fmt.Sprint(first["summary"]), "<data"), "a summary may be a model's words")
	assert.NotContains(t, answer(t, d, "knowledge", `{"symbol":"QQQ"}`), "past_analyses")

	d.Knowledge = nil
	assert.False(t, has(d, "knowledge"))
}

func TestOnlyTheLastAnalysesOfASymbolAreKept(t *testing.T) {
	d := learned(t, nil)
	kept, err := storage.Open(d.Store)
	require.NoError(t, err)
	for i := range 24 {
		for _, symbol := range []string{"SPY", "QQQ"} {
			_, err := kept.Analyses.Put(t.Context(), storage.Analysis{ID: fmt.Sprint(symbol, i), Symbol: symbol, Time: now.Add(time.Duration(i-30) * time.Hour), Document: []byte(`{}`)})
			require.NoError(t, err)
		}
	}
	answer(t, d, "analyst", `{"symbol":"SPY"}`)
	left := map[string]int{}
	for a, err := range kept.Analyses.All(t.Context(), storage.RecordQuery{}) {
		require.NoError(t, err)
		left[a.Value.Symbol]++
	}
	assert.Equal(t, map[string]int{"SPY": 20, "QQQ": 24}, left)
	list, _, err := kept.Analyses.List(t.Context(), storage.RecordQuery{Where: []storage.Field{storage.Text("symbol", "SPY")}, Order: "time", Kind: storage.NumberField, Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, "SPY5", list[0].Value.ID, "the oldest went")
}

// broken is a store that keeps no records.
type broken struct{ storage.Unsupported }

func TestAnalysesGoOnWithoutAPlaceForThem(t *testing.T) {
	d := learned(t, func(d *tools.Deps) { d.Store = broken{storage.Unsupported{Tenant: "ann", Engine: "none"}} })
	assert.Contains(t, call(t, d, "analyst", `{"symbol":"SPY"}`), "analysis")
	out := call(t, d, "knowledge", `{"symbol":"SPY","query":"theta"}`)
	assert.Contains(t, fmt.Sprint(out["left_out"]), "past analyses")
	assert.NotEmpty(t, list(t, out["passages"]))
}

func TestAnIndexOfAnotherEmbedderSaysWhatToDo(t *testing.T) {
	store, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	small, err := knowledge.NewHashing(32)
	require.NoError(t, err)
	old, err := knowledge.Open(store, "ann", &knowledge.Options{Embedder: small})
	require.NoError(t, err)
	_, err = old.Add(t.Context(), knowledge.Document{Text: "x"})
	require.NoError(t, err)
	base, err := knowledge.Open(store, "ann", nil)
	require.NoError(t, err)
	_, err = find(t, tools.Deps{Knowledge: base}, "knowledge").Call(t.Context(), []byte(`{"query":"x"}`))
	assert.ErrorContains(t, err, "ttai knowledge reindex")
	assert.True(t, errors.Is(err, knowledge.ErrModel))
}
