package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEventsAreReadAsTheStandardSays(t *testing.T) {
	var got []Event
	err := events(strings.NewReader(": note\nevent: a\ndata: 1\ndata:2\nid: 7\n\nevent: none\n\ndata\n\ndata: last, not ended"), func(e Event) error {
		got = append(got, e)
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []Event{{"a", "1\n2"}, {"", ""}}, got)
	assert.ErrorIs(t, events(strings.NewReader("data: 1\n\n"), func(Event) error { return errEnough }), errEnough)
}

func TestArgumentsAreSentAsAnObject(t *testing.T) {
	for given, want := range map[string]string{
		`{"a":1}`: `{"a":1}`, "": "{}", " ": "{}", `{"a":`: `{"not_an_object":"{\"a\":"}`, "[1]": `{"not_an_object":"[1]"}`, "null": `{"not_an_object":"null"}`,
	} {
		assert.Equal(t, want, string(Object([]byte(given))), given)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add("data: x\n\n", 1)
	f.Add("event: a\r\ndata: {}\r\n\r\n", 3)
	f.Add(":\n\n\ndata\n", 0)
	f.Fuzz(func(t *testing.T, s string, most int) {
		n := 0
		stop := errors.New("stop")
		err := events(strings.NewReader(s), func(e Event) error {
			if n++; strings.Contains(e.Name, "\n") {
				t.Fatalf("%q", e.Name)
			}
			if n == most {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			t.Fatal(err)
		}
	})
}
