package invalid_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/invalid"
)

func TestErrorNamesFieldValueAndWhatIsAllowed(t *testing.T) {
	for want, err := range map[string]error{
		`n: 0 is not allowed; want a whole number from 1 to 10`: invalid.Fieldf("n", 0, "a whole number from %d to %d", 1, 10),
		`kind: "x\n" is not allowed; want call or put`:          invalid.Field("kind", "x\n", "call or put"),
		`symbol: want a symbol`:                                 invalid.Missing("symbol", "a symbol"),
		`token: want a token of 32 characters`:                  invalid.Secret("token", "a token of 32 characters"),
	} {
		assert.EqualError(t, err, want)
		field, ok := errors.AsType[*invalid.FieldError](err)
		require.True(t, ok)
		assert.NotEmpty(t, field.Field)
	}
}

func TestErrorShortensALongValueWithoutBreakingText(t *testing.T) {
	for _, value := range []any{strings.Repeat("é", 500), strings.Repeat("a\xff", 500), []int{5: 1, 400: 2}} {
		text := invalid.Field("x", value, "less").Error()
		assert.Less(t, len(text), 150)
		assert.True(t, utf8.ValidString(text))
		assert.Contains(t, text, "…")
	}
}
