package alpaca

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The bytes are those of the specification's formats.
func TestMessagePackBecomesJSON(t *testing.T) {
	for packed, want := range map[string]string{
		"c0": "null", "c2": "false", "c3": "true", "00": "0", "7f": "127", "ff": "-1", "e0": "-32",
		"ccff": "255", "cdffff": "65535", "ceffffffff": "4294967295", "cfffffffffffffffff": "18446744073709551615",
		"d080": "-128", "d18000": "-32768", "d280000000": "-2147483648", "d38000000000000000": "-9223372036854775808", "d37fffffffffffffff": "9223372036854775807",
		"ca3fc00000": "1.5", "cb3ff8000000000000": "1.5", "cb40069eb851eb851f": "2.8275", "cb7ff8000000000000": "null", "cafff00000": "null",
		"a0": `""`, "a2c3a9": `"é"`, "d90161": `"a"`, "da000161": `"a"`, "db0000000161": `"a"`, "a122": `"\""`,
		"90": "[]", "920102": "[1,2]", "dc000101": "[1]", "dd0000000101": "[1]",
		"80": "{}", "81a16101": `{"a":1}`, "de0001a16101": `{"a":1}`, "df00000001a16101": `{"a":1}`,
		"c40101": `"AQ=="`, "c5000101": `"AQ=="`,
		"d6ff5e0be100": `"2020-01-01T00:00:00Z"`, "d7ff0ee6b2805e0be100": `"2020-01-01T00:00:00.0625Z"`,
		"c70cff0000000100000000" + "5e0be100": `"2020-01-01T00:00:00.000000001Z"`,
		"d40100":                              "null", "c7000a": "null",
	} {
		data, err := hex.DecodeString(packed)
		require.NoError(t, err)
		got, err := msgpackToJSON(data)
		require.NoError(t, err, packed)
		if packed == "cb40069eb851eb851f" {
			assert.True(t, strings.HasPrefix(string(got), "2.82"), string(got))
			continue
		}
		assert.Equal(t, want, string(got), packed)
	}
}

func TestWhatIsNotMessagePackIsRefused(t *testing.T) {
	for _, packed := range []string{"", "c1", "cd00", "a261", "9201", "dd7fffffff", "df7fffffff", "db7fffffff", "8101" + "01", "a1ff", "0000", "c7", "d6ff00", strings.Repeat("91", 64) + "00"} {
		data, err := hex.DecodeString(packed)
		require.NoError(t, err)
		_, err = msgpackToJSON(data)
		assert.ErrorIs(t, err, errMsgpack, packed)
	}
}

func TestWhatAClientSaysIsTheSameInBothForms(t *testing.T) {
	fields := []field{{name: "action", text: "subscribe"}, {name: "quotes", list: []string{"A", "B"}}, {name: "empty", list: []string{}}}
	got, err := msgpackToJSON(packMessage(fields))
	require.NoError(t, err)
	assert.JSONEq(t, string(jsonMessage(fields)), string(got))
}

func FuzzMessagePack(f *testing.F) {
	f.Add(packMessage([]field{{name: "action", text: "auth"}, {name: "quotes", list: []string{"A"}}}))
	for _, seed := range []string{"91" + "84a154a171a153a141a2627001a2626102", "d7ff0ee6b2805e0be100", "cb7ff8000000000000", "ca7f7fffff", "dd7fffffff"} {
		data, _ := hex.DecodeString(seed)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := msgpackToJSON(data)
		if err == nil && !json.Valid(got) {
			t.Fatalf("%x became %q", data, got)
		}
	})
}

// What arrives from outside never stops the program, and what is decoded keeps its
// raw form.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"stream":"trade_updates","data":{"event":"fill","price":"1","qty":"2","order":{"id":"x","order_class":"mleg","legs":[{"id":"y","symbol":"ACME260821C00100000","filled_qty":"1"}]}}}`,
		`[{"T":"q","S":"A","bp":1.5,"t":"2024-03-11T13:35:35.13312256Z","c":["R"]},{"T":"error","code":402,"msg":"no"}]`,
		`{"id":"x","qty":1e999999999,"limit_price":"1e-99999999","legs":null,"created_at":"yesterday","filled_qty":{}}`,
		`{"code":40310000,"message":"insufficient buying power","buying_power":"1"}`,
	} {
		f.Add([]byte(seed))
	}
	a, err := New(&Options{Client: ClientOptions{Credentials: Static(Credentials{KeyID: "k", Secret: "s"})}})
	if err != nil {
		f.Fatal(err)
	}
	s := &MarketStream{client: a.client, queue: newQueue[Update](1, nil)}
	f.Fuzz(func(t *testing.T, data []byte) {
		if update, ok, err := parseTradeUpdate(data); ok && err == nil {
			for _, state := range a.states("A", &update.Order) {
				_ = state.Order.Validate()
			}
		}
		if items, err := s.split(data); err == nil {
			for _, item := range items {
				parseUpdate(item)
			}
		}
		var o Order
		if json.Unmarshal(data, &o) == nil {
			if o.Raw() != nil && !json.Valid(o.Raw()) {
				t.Fatal("raw is no JSON")
			}
			a.states("A", &o)
		}
		var p Position
		if json.Unmarshal(data, &p) == nil {
			a.position("A", &p)
		}
		var v Activity
		if json.Unmarshal(data, &v) == nil {
			a.transaction("A", &v)
		}
		_ = apiError("GET /x", 500, data, Credentials{KeyID: "k", Secret: "s"}).Error()
	})
}
