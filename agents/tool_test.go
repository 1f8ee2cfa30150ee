package agents_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/market"
)

type leg struct {
	Symbol string  `json:"symbol"`
	Strike float64 `json:"strike" schema:"min=0"`
}

type orderArgs struct {
	Symbols []string          `json:"symbols" jsonschema:"what to look up" schema:"minItems=1,maxItems=3,maxLength=10"`
	Legs    []leg             `json:"legs,omitempty"`
	Count   int               `json:"count,omitempty" schema:"min=1,max=500,default=20"`
	Price   *float64          `json:"price,omitempty"`
	Kind    string            `json:"kind,omitempty" schema:"enum=call|put"`
	On      string            `json:"on,omitempty" schema:"format=date"`
	At      *time.Time        `json:"at,omitempty"`
	Account string            `json:"account,omitempty"`
	Deep    bool              `json:"deep,omitempty"`
	Filter  *leg              `json:"filter,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	Right   market.OptionKind `json:"right,omitempty"`
}

type echo struct {
	Got orderArgs `json:"got"`
}

func echoTool() agents.Tool {
	return agents.NewTool(agents.Spec{Name: "echo", Description: "Says what it was given."},
		func(_ context.Context, in orderArgs) (echo, error) { return echo{in}, nil })
}

func TestArgumentsAreUnderstoodInTheFormsThatModelsSend(t *testing.T) {
	price := 1.5
	at := time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
	spy := orderArgs{Symbols: []string{"SPY"}, Count: 20}
	with := func(change func(*orderArgs)) orderArgs { a := spy; change(&a); return a }
	tests := []struct {
		name, arguments string
		want            orderArgs
	}{
		{"plain", `{"symbols":["SPY"]}`, spy},
		{"the whole as a string", `"{\"symbols\":[\"SPY\"]}"`, spy},
		{"a list as a JSON string", `{"symbols":"[\"SPY\",\"QQQ\"]"}`, with(func(a *orderArgs) { a.Symbols = []string{"SPY", "QQQ"} })},
		{"one string for a list", `{"symbols":"SPY"}`, spy},
		{"objects in a list as a JSON string", `{"symbols":["SPY"],"legs":"[{\"symbol\":\"X\",\"strike\":\"1.5\"}]"}`, with(func(a *orderArgs) { a.Legs = []leg{{"X", 1.5}} })},
		{"one object for a list", `{"symbols":["SPY"],"legs":{"symbol":"X","strike":1}}`, with(func(a *orderArgs) { a.Legs = []leg{{"X", 1}} })},
		{"an object as a JSON string", `{"symbols":["SPY"],"filter":"{\"symbol\":\"X\",\"strike\":2}"}`, with(func(a *orderArgs) { a.Filter = &leg{"X", 2} })},
		{"a number as a string", `{"symbols":["SPY"],"count":"30","price":" 1.5 "}`, with(func(a *orderArgs) { a.Count, a.Price = 30, &price })},
		{"a whole number with a fraction of zero", `{"symbols":["SPY"],"count":3e1}`, with(func(a *orderArgs) { a.Count = 30 })},
		{"a number where text is wanted", `{"symbols":["SPY"],"account":12345678}`, with(func(a *orderArgs) { a.Account = "12345678" })},
		{"a boolean as a string", `{"symbols":["SPY"],"deep":"True"}`, with(func(a *orderArgs) { a.Deep = true })},
		{"null is absent", `{"symbols":["SPY"],"count":null,"legs":null}`, spy},
		{"an enumerated word in another case", `{"symbols":["SPY"],"kind":"PUT"}`, with(func(a *orderArgs) { a.Kind = "put" })},
		{"dates, times, maps and types that read text", `{"symbols":["SPY"],"on":"2026-09-16","at":"2026-09-16T10:30:00-04:00","labels":{"a":"b"},"right":"C"}`,
			with(func(a *orderArgs) {
				a.On, a.At, a.Labels, a.Right = "2026-09-16", &at, map[string]string{"a": "b"}, market.Call
			})},
	}
	tool := echoTool()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			raw, err := tool.Call(t.Context(), json.RawMessage(test.arguments))
			require.NoError(t, err)
			var got echo
			if test.want.Right == 0 { // has no text form, so the echo of it cannot be read
				raw = json.RawMessage(strings.ReplaceAll(string(raw), `"right":0`, `"right":null`))
			}
			require.NoError(t, json.Unmarshal(raw, &got))
			if got.Got.At != nil {
				utc := got.Got.At.UTC()
				got.Got.At = &utc
			}
			assert.Equal(t, test.want, got.Got)
		})
	}
}

func TestBadArgumentsNameThePathAndTheRemedy(t *testing.T) {
	tests := []struct{ name, arguments, field, says string }{
		{"missing", `{}`, "symbols", "a list, each text of at most 10 characters (what to look up)"},
		{"nothing at all", ``, "symbols", "a list"},
		{"null when required", `{"symbols":null}`, "symbols", "a list"},
		{"unknown, near", `{"symbol":"SPY"}`, "symbol", "did you mean symbols?"},
		{"unknown, far", `{"symbols":["SPY"],"zzzzzz":1}`, "zzzzzz", "only symbols, legs, count"},
		{"unknown, inside", `{"symbols":["SPY"],"legs":[{"symbol":"X","stirke":1}]}`, "legs[0].stirke", "did you mean strike?"},
		{"missing inside", `{"symbols":["SPY"],"legs":[{"symbol":"X"}]}`, "legs[0].strike", "a number of at least 0"},
		{"too small inside", `{"symbols":["SPY"],"legs":[{"symbol":"X","strike":-1}]}`, "legs[0].strike", "a number of at least 0"},
		{"null inside", `{"symbols":["SPY",null]}`, "symbols[1]", "text"},
		{"not text", `{"symbols":["SPY",{"a":1}]}`, "symbols[1]", "text"},
		{"too long", `{"symbols":["ABCDEFGHIJK"]}`, "symbols[0]", "at most 10 characters"},
		{"too few", `{"symbols":[]}`, "symbols", "at least 1"},
		{"too many", `{"symbols":["A","B","C","D"]}`, "symbols", "at most 3"},
		{"out of range", `{"symbols":["SPY"],"count":501}`, "count", "a whole number from 1 to 500"},
		{"not whole", `{"symbols":["SPY"],"count":1.5}`, "count", "a whole number from 1 to 500"},
		{"huge exponent", `{"symbols":["SPY"],"count":1e999999999}`, "count", "a whole number"},
		{"not a number", `{"symbols":["SPY"],"price":"cheap"}`, "price", "a number"},
		{"NaN", `{"symbols":["SPY"],"price":"NaN"}`, "price", "a number"},
		{"a list for a number", `{"symbols":["SPY"],"price":[1]}`, "price", "a number"},
		{"not listed", `{"symbols":["SPY"],"kind":"straddle"}`, "kind", "one of call, put"},
		{"no such date", `{"symbols":["SPY"],"on":"2026-02-30"}`, "on", "YYYY-MM-DD"},
		{"no zone", `{"symbols":["SPY"],"at":"2026-09-16T10:30:00"}`, "at", "2026-09-16T10:30:00-04:00"},
		{"text a type cannot read", `{"symbols":["SPY"],"right":"middle"}`, "kind", "call or put"},
		{"neither true nor false", `{"symbols":["SPY"],"deep":"maybe"}`, "deep", "true or false"},
		{"not an object", `[1]`, "arguments", "a JSON object"},
		{"not JSON", `{"symbols":`, "arguments", "a JSON object"},
		{"two values", `{} {}`, "arguments", "a JSON object"},
	}
	tool := echoTool()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := tool.Call(t.Context(), json.RawMessage(test.arguments))
			var field *agents.FieldError
			require.ErrorAs(t, err, &field)
			assert.Equal(t, test.field, field.Field)
			assert.Contains(t, err.Error(), test.says)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error()), 600)
		})
	}
}

func FuzzArguments(f *testing.F) {
	for _, seed := range []string{`{"symbols":["SPY"]}`, `{"symbols":"[\"A\"]","count":"5"}`, `"{}"`, `{"legs":[[[]]]}`, `{"count":1e400}`, "\xff", `{"a":`, `{"symbols":"\u0000"}`} {
		f.Add([]byte(seed))
	}
	tool := echoTool()
	f.Fuzz(func(t *testing.T, arguments []byte) {
		_, err := tool.Call(t.Context(), arguments)
		if err == nil {
			return
		}
		if _, ok := errors.AsType[*agents.FieldError](err); !ok && !strings.Contains(err.Error(), "writing the result") {
			t.Fatalf("%q: %T %v", arguments, err, err)
		}
	})
}

func TestAPanicIsContainedAndItsMessageSaysNothingOfTheInside(t *testing.T) {
	tool := agents.NewTool(agents.Spec{Name: "broken"}, func(context.Context, struct{}) (echo, error) { panic("secret") })
	_, err := tool.Call(t.Context(), nil)
	var p *agents.PanicError
	require.ErrorAs(t, err, &p)
	assert.NotContains(t, err.Error(), "secret")
	assert.Equal(t, "secret", p.Value)
	assert.Contains(t, string(p.Stack), "tool_test.go")
}

func TestACancelledCallDoesNotRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tool := agents.NewTool(agents.Spec{Name: "never"}, func(context.Context, struct{}) (echo, error) {
		t.Error("ran")
		return echo{}, nil
	})
	_, err := tool.Call(ctx, nil)
	assert.ErrorIs(t, err, context.Canceled)
}

type stated struct{}

func (stated) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: "^x"}
}

type inner struct {
	AsOf time.Time `json:"as_of"`
	Note string    `json:"note,omitempty"`
}

type result struct {
	inner
	Price   market.Float     `json:"price"`
	Money   decimal.Decimal  `json:"money"`
	Maybe   *decimal.Decimal `json:"maybe"`
	Day     market.Date      `json:"day"`
	Symbol  market.Symbol    `json:"symbol"`
	Rows    [][]any          `json:"rows"`
	Names   []string         `json:"names,omitempty"`
	Far     *market.Float    `json:"far,omitempty"`
	Near    *inner           `json:"near,omitempty"`
	By      map[string]int   `json:"by,omitempty"`
	Own     stated           `json:"own"`
	Hidden  int              `json:"-"`
	private int
}

func TestSchemaForSaysWhatJSONWillBe(t *testing.T) {
	_ = result{private: 1}.private
	got, err := json.Marshal(agents.SchemaFor[result]())
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"type": "object",
		"properties": {
			"as_of": {"type": "string", "format": "date-time"},
			"note": {"type": "string"},
			"price": {"type": ["number", "null"]},
			"money": {"type": "string"},
			"maybe": {"type": ["string", "null"]},
			"day": {"type": "string"},
			"symbol": {"type": "string"},
			"rows": {"type": ["array", "null"], "items": {"type": ["array", "null"], "items": true}},
			"names": {"type": "array", "items": {"type": "string"}},
			"far": {"type": ["number", "null"]},
			"near": {"type": "object", "properties": {"as_of": {"type": "string", "format": "date-time"}, "note": {"type": "string"}}, "required": ["as_of"], "additionalProperties": false},
			"by": {"type": "object", "additionalProperties": {"type": "integer"}},
			"own": {"type": "string", "pattern": "^x"}
		},
		"required": ["as_of", "price", "money", "maybe", "day", "symbol", "rows", "own"],
		"additionalProperties": false
	}`, string(got))
}

func TestWhatIsWrittenFitsTheSchema(t *testing.T) {
	schema, err := agents.SchemaFor[result]().Resolve(nil)
	require.NoError(t, err)
	money := decimal.RequireFromString("-12.340")
	unknown := market.Float(math.NaN())
	for _, r := range []result{
		{},
		{Far: &unknown, Near: &inner{}},
		{Price: market.Float(math.NaN()), Money: money, Maybe: &money, Rows: [][]any{{1, "a", nil}, nil}, Names: []string{"x"}, By: map[string]int{"x": 1}},
	} {
		data, err := json.Marshal(r)
		require.NoError(t, err)
		var v map[string]any
		require.NoError(t, json.Unmarshal(data, &v))
		v["own"] = "x" // stated has no MarshalJSON of its own
		assert.NoError(t, schema.Validate(v), "%s", data)
	}
}

func TestASchemaOfItsOwnIsEnforced(t *testing.T) {
	type args struct {
		Code patterned `json:"code"`
	}
	tool := agents.NewTool(agents.Spec{Name: "t"}, func(_ context.Context, in args) (echo, error) { return echo{}, nil })
	_, err := tool.Call(t.Context(), json.RawMessage(`{"code":"yes"}`))
	var field *agents.FieldError
	require.ErrorAs(t, err, &field)
	_, err = tool.Call(t.Context(), json.RawMessage(`{"code":"xes"}`))
	require.NotErrorAs(t, err, &field)
}

type patterned string

func (patterned) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: "^x"}
}

type recursive struct {
	Next *recursive `json:"next"`
}

func TestProgrammingMistakesPanicAtConstruction(t *testing.T) {
	assert.Panics(t, func() { agents.SchemaFor[recursive]() })
	assert.Panics(t, func() { agents.SchemaFor[func()]() })
	assert.Panics(t, func() {
		agents.SchemaFor[struct {
			A int `schema:"mni=1"`
		}]()
	})
	assert.Panics(t, func() {
		agents.NewTool(agents.Spec{Name: "t"}, func(context.Context, string) (echo, error) { return echo{}, nil })
	})
	assert.Panics(t, func() {
		agents.NewTool(agents.Spec{}, func(context.Context, struct{}) (echo, error) { return echo{}, nil })
	})
}

func ExampleNewTool() {
	type args struct {
		Spot   float64 `json:"spot" jsonschema:"price of the share" schema:"min=0"`
		Strike float64 `json:"strike" schema:"min=0"`
	}
	type answer struct {
		Moneyness market.Float `json:"moneyness"`
	}
	tool := agents.NewTool(agents.Spec{Name: "moneyness", Description: "Spot over strike.", Annotations: agents.Annotations{ReadOnly: true}},
		func(_ context.Context, in args) (answer, error) {
			return answer{market.Float(in.Spot / in.Strike)}, nil
		})

	result, err := tool.Call(context.Background(), json.RawMessage(`{"spot": 550, "strike": "500"}`))
	fmt.Println(string(result), err)
	_, err = tool.Call(context.Background(), json.RawMessage(`{"spot": 550, "srike": 500}`))
	fmt.Println(err)
	// Output:
	// {"moneyness":1.1} <nil>
	// srike: want no argument of this name, only spot, strike; did you mean strike?
}
