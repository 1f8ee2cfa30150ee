package storage_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
)

// A cursor comes from outside: it is refused or it is a place.
func FuzzCursor(f *testing.F) {
	for _, c := range []storage.RecordCursor{{ID: "a"}, {ID: "é", Text: "\"", Number: -1e300}, {ID: "x", Number: math.SmallestNonzeroFloat64}} {
		f.Add(c.String())
	}
	for _, s := range []string{"", "x", "e30", "eyJpIjoiIn0", "bnVsbA", "W10", "eyJpIjoxfQ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, c, err := storage.RecordQuery{Cursor: s}.Validated()
		if err != nil {
			field, ok := errors.AsType[*storage.FieldError](err)
			require.True(t, ok)
			require.Equal(t, "Cursor", field.Field)
			return
		}
		if s == "" {
			require.Nil(t, c)
			return
		}
		require.NotEmpty(t, c.ID)
		_, again, err := storage.RecordQuery{Cursor: c.String()}.Validated()
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
