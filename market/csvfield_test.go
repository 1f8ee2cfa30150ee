package market

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestParseStampReadsWhatFilesWrite(t *testing.T) {
	ny := newYork()
	noon := time.Date(2026, 9, 16, 12, 0, 0, 0, ny) // 16:00 UTC, Unix 1789574400
	for text, want := range map[string]time.Time{
		"2026-09-16 12:00":              noon,
		"2026-09-16T12:00:00":           noon,
		"2026-09-16 12:00:00.000":       noon,
		"2026/9/16 12:00":               noon,
		"9/16/2026 12:00":               noon,
		"9-16-2026 12:00":               noon,
		"9/16/2026 12:00 PM":            noon,
		"20260916 12:00:00":             noon,
		"20260916120000":                noon,
		"2026-09-16T16:00:00Z":          noon,
		"2026-09-16 16:00:00 UTC":       noon,
		"2026-09-16 12:00:00-04:00":     noon,
		"2026-09-16T12:00:00.0-0400":    noon,
		"2026-09-16 21:30:00+05:30":     noon,
		"2026-09-16 12-04":              {},
		"1789574400":                    noon,
		"1789574400.0":                  noon,
		"1789574400000":                 noon,
		"1789574400000000":              noon,
		"1789574400000000000":           noon,
		"1789574400.5":                  noon.Add(500 * time.Millisecond),
		"2026-09-16 12:00:00.123456789": noon.Add(123456789),
		"2026-09-16 12:30 AM":           noon.Add(-11*time.Hour - 30*time.Minute),
		"2026-09-16":                    noon.Add(-12 * time.Hour),
		"20260916":                      noon.Add(-12 * time.Hour),
		"20260916.0":                    noon.Add(-12 * time.Hour),
		"9/16/2026":                     noon.Add(-12 * time.Hour),
	} {
		got, ok := parseStamp(text, ny)
		assert.Equal(t, !want.IsZero(), ok, text)
		if ok {
			assert.True(t, want.Equal(got.t), "%s: %s", text, got.t)
			assert.Equal(t, Date{Year: 2026, Month: 9, Day: 16}, got.date, text)
		}
	}
}

func TestParseStampRefusesWhatIsNoTime(t *testing.T) {
	for _, text := range []string{
		"", " ", "x", "2026", "12345", "123456789012345678901", "16.9.2026", "16/9/2026", "2026-13-01", "2026-02-30", "2026-09", "2026-09-16x", "2026-09/16",
		"2026-09-16 24:00", "2026-09-16 12:60", "2026-09-16 12:00:60", "2026-09-16 12", "2026-09-16 12:0", "2026-09-16 12:00:00.", "2026-09-16 12:00 XX",
		"2026-09-16 12:00+", "2026-09-16 12:00+99:00", "2026-09-16 12:00+1", "9999-01-01", "1/2/26", "-5", "1e9",
	} {
		got, ok := parseStamp(text, time.UTC)
		assert.False(t, ok, "%q: %v", text, got)
	}
}

// A Unix time for a day is UTC midnight of it, or an instant of its session.
func TestParseStampTakesTheDayOfAUnixTime(t *testing.T) {
	for text, want := range map[string]string{"1789516800": "2026-09-16", "1789565400": "2026-09-16", "1789531200": "2026-09-16", "1789603140": "2026-09-16"} {
		got, ok := parseStamp(text, time.UTC)
		assert.True(t, ok)
		assert.Equal(t, want, got.date.String(), text)
	}
}

func TestParseNumberKeepsUnknownApartFromWrong(t *testing.T) {
	for text, want := range map[string]float64{"1.5": 1.5, "-2": -2, "+3": 3, "$1,234.50": 1234.5, ".5": 0.5, "1e3": 1000, "0": 0} {
		got, ok := parseNumber(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "null", "NaN", "N/A", "-", "None"} {
		got, ok := parseNumber(text)
		assert.True(t, ok && math.IsNaN(got), text)
	}
	for _, text := range []string{"x", "1.2.3", "Inf", "-inf", "1e999", "0x10", "1 2", "12%"} {
		_, ok := parseNumber(text)
		assert.False(t, ok, text)
	}
}
