package postgres

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
)

func TestBeyondIsTheLeastKeyAfterEveryKeyOfAPrefix(t *testing.T) {
	for prefix, want := range map[string]string{
		"a": "b", "a/": "a0", "a\xff": "b", "a\xff\xff": "b", "a\xfe": "a\xff", "\xfe\xff": "\xff", "\x00": "\x01",
		"": strings.Repeat("\xff", 1025), "\xff": strings.Repeat("\xff", 1025),
	} {
		assert.Equal(t, []byte(want), beyond(prefix), "%q", prefix)
	}
}

func TestSplitLeavesWordsAndNothingElse(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                 nil,
		"Iron condor: 0DTE!":               {"iron", "condor", "0dte"},
		"a:b & !c <-> 'd'* | (e)":          {"a", "b", "c", "d", "e"},
		"Prämie e\u0301 日本":                {"prämie", "e\u0301", "日本"},
		"\x00a\xffb\\":                     {"a", "b"},
		strings.Repeat("x", 129) + " kept": {"kept"},
	} {
		got := split(text)
		if len(got) == 0 {
			got = nil
		}
		assert.Equal(t, want, got, "%q", text)
	}
}

func TestAStatementNumbersItsArguments(t *testing.T) {
	var s statement
	s.add("a = ?", 1)
	s.add(" AND (b, c) > (?, ?)", "x", "$1")
	assert.Equal(t, "a = $1 AND (b, c) > ($2, $3)", s.text)
	assert.Equal(t, []any{1, "x", "$1"}, s.args)
}

func TestBellsWakeWhoWaitsForThem(t *testing.T) {
	var b bells
	one, done := b.wait("a/q")
	other, done2 := b.wait("b/q")
	b.ring("a/q")
	<-one
	select {
	case <-other:
		t.Fatal("another queue's bell rang")
	default:
	}
	again, done3 := b.wait("a/q")
	done()
	done2()
	b.ring("")
	<-again
	done3()
	assert.Empty(t, b.waiting)
}

// sent is an array of reals as the server sends it.
func sent(v []float32) []byte {
	b := binary.BigEndian.AppendUint32(nil, 1) // dimensions
	b = binary.BigEndian.AppendUint32(b, 0)    // no NULL
	b = binary.BigEndian.AppendUint32(b, 700)  // float4's type
	b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
	b = binary.BigEndian.AppendUint32(b, 1)
	for _, x := range v {
		b = binary.BigEndian.AppendUint32(b, 4)
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func FuzzFloatsReadsWhatTheServerSends(f *testing.F) {
	f.Add(sent([]float32{1, -2.5, 3e30}), 3)
	f.Add([]byte{}, 0)
	f.Add(sent(nil), 0)
	f.Fuzz(func(t *testing.T, b []byte, dims int) {
		if dims < 0 || dims > 4096 {
			return
		}
		v, err := floats(b, dims)
		if err != nil {
			require.ErrorIs(t, err, storage.ErrCorrupt)
			return
		}
		require.Len(t, v, dims)
		again, err := floats(sent(v), dims)
		require.NoError(t, err)
		require.True(t, slices.EqualFunc(v, again, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }))
	})
}

// Anybody who may connect may write to the channel.
func FuzzAListenerHearsAnything(f *testing.F) {
	f.Add(`{"k":"event","t":"YQ==","n":"a","d":"eA=="}`)
	f.Add(`{"k":"mark","n":""}`)
	f.Add(`{"k":"message","e":-1}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, payload string) {
		s := &Store{}
		s.listener.store = s
		s.listener.hear(t.Context(), payload)
	})
}
