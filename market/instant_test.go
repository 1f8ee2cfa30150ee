package market_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

func TestADateAloneMeansItsCloseOrTheOneBefore(t *testing.T) {
	calendar := market.NYSE()
	for text, want := range map[string]string{
		"2021-03-31":                "2021-03-31T16:00:00-04:00",
		"2021-11-26":                "2021-11-26T13:00:00-05:00", // the half day after Thanksgiving
		"2021-04-03":                "2021-04-01T16:00:00-04:00", // a Saturday after Good Friday
		"2021-03-31 15:30":          "2021-03-31T15:30:00-04:00",
		" 2021-03-31T15:30:01 ":     "2021-03-31T15:30:01-04:00",
		"2021-03-31T15:30:00+02:00": "2021-03-31T15:30:00+02:00",
	} {
		got, err := calendar.ParseInstant("at", text, nil)
		require.NoError(t, err, text)
		assert.Equal(t, want, got.Format(time.RFC3339), text)
	}
	chicago, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	got, err := calendar.ParseInstant("at", "2021-03-31 15:30", chicago)
	require.NoError(t, err)
	assert.Equal(t, "2021-03-31T15:30:00-05:00", got.Format(time.RFC3339))
}

func TestAnInstantThatIsNoneIsAFieldError(t *testing.T) {
	for _, text := range []string{"", "yesterday", "2021-02-30", "15:30"} {
		_, err := market.NYSE().ParseInstant("at", text, nil)
		var field *market.FieldError
		require.ErrorAs(t, err, &field, text)
		assert.Equal(t, "at", field.Field)
	}
}
