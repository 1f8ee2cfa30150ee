package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

// ttai runs one command line with no settings but those in env.
func ttai(t *testing.T, in string, env map[string]string, args ...string) (out, problems string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, app.IO{
		In: strings.NewReader(in), Out: &stdout, Err: &stderr,
		Environment: app.Environment{Getenv: func(name string) string { return env[name] }},
	})
	return stdout.String(), stderr.String(), code
}

func TestPriceAgreesWithAKnownValue(t *testing.T) {
	// Haug, The Complete Guide to Option Pricing Formulas, 2nd ed., 1.1.1: c = 2.1334.
	out, _, code := ttai(t, "", nil, "price", "--spot", "60", "--strike", "65", "--years", "0.25", "--rate", "0.08", "--vol", "0.30", "--json")
	require.Equal(t, app.ExitOK, code)
	var answer struct{ Price, Delta float64 }
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	assert.InDelta(t, 2.1334, answer.Price, 5e-5)
}

func TestAnAmericanPutCostsWhatThePaperSays(t *testing.T) {
	// Longstaff and Schwartz 2001, table 1: 4.478 by finite differences, 3.844 when European.
	put := []string{"--kind", "put", "--spot", "36", "--strike", "40", "--years", "1", "--rate", "0.06"}
	for style, want := range map[string]float64{"american": 4.478, "european": 3.844} {
		out, problems, code := ttai(t, "", nil, append([]string{"price", "--style", style, "--vol", "0.2", "--json"}, put...)...)
		require.Equal(t, app.ExitOK, code, problems)
		var answer struct{ Price float64 }
		require.NoError(t, json.Unmarshal([]byte(out), &answer))
		assert.InDelta(t, want, answer.Price, 0.01, style)

		out, problems, code = ttai(t, "", nil, append([]string{"iv", "--style", style, "--price", fmt.Sprint(answer.Price), "--json"}, put...)...)
		require.Equal(t, app.ExitOK, code, problems)
		var implied struct{ IV float64 }
		require.NoError(t, json.Unmarshal([]byte(out), &implied))
		assert.InDelta(t, 0.2, implied.IV, 1e-7, style)
	}
}

func TestImpliedVolatilityGivesThePriceBack(t *testing.T) {
	out, _, code := ttai(t, "", nil, "iv", "--spot", "60", "--strike", "65", "--years", "0.25", "--rate", "0.08", "--price", "2.13337", "--json")
	require.Equal(t, app.ExitOK, code)
	var answer struct{ IV float64 }
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	assert.InDelta(t, 0.30, answer.IV, 1e-5)
}

func TestJSONLinesKeepTheirOrderAndABadOneIsAnswered(t *testing.T) {
	requests := `{"kind":"put","spot":450,"strike":440,"days":30,"vol":0.18}
{"kind":"put","spot":-1,"strike":440,"days":30,"vol":0.18}
not JSON

{"spot":450,"strike":440,"days":30,"vol":0.18,"colour":"red"}
{"kind":"call","spot":450,"strike":440,"days":30,"vol":0.18}
`
	out, _, code := ttai(t, requests, nil, "price", "--jsonl")
	require.Equal(t, app.ExitOK, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 5)
	assert.Contains(t, lines[0], `"kind":"put"`)
	assert.Contains(t, lines[1], `"field":"spot"`)
	assert.Contains(t, lines[1], `"line":2`)
	assert.Contains(t, lines[2], `"line":3`)
	assert.Contains(t, lines[3], "colour")
	assert.Contains(t, lines[4], `"kind":"call"`)
}

func TestWrongArgumentsExitWithTwoAndNameTheField(t *testing.T) {
	for name, args := range map[string][]string{
		"spot":                {"price", "--spot", "0", "--strike", "1", "--years", "1", "--vol", "0.2"},
		"kind":                {"price", "--kind", "straddle", "--spot", "1", "--strike", "1", "--years", "1", "--vol", "0.2"},
		"either years":        {"iv", "--spot", "1", "--strike", "1", "--years", "1", "--days", "3", "--price", "0.2"},
		"unexpected argument": {"frobnicate"},
		"unknown flag":        {"price", "--colour", "red"},
		"sandbox":             {"doctor", "--env", "moon"},
		"symbol":              {"analyze", "SP;Y"},
	} {
		_, problems, code := ttai(t, "", nil, args...)
		assert.Equal(t, app.ExitUsage, code, "%v: %s", args, problems)
		assert.Contains(t, problems, name, "%v", args)
	}
}

func TestHelpIsPrintedForEveryCommand(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"analyze", "--help"}, {"price", "--help"}, {"iv", "--help"}, {"indicators", "--help"}, {"levels", "--help"}, {"sim", "--help"}, {"doctor", "--help"}, {"init", "--help"}} {
		out, problems, code := ttai(t, "", nil, args...)
		assert.Equal(t, app.ExitOK, code, "%v: %s", args, problems)
		assert.Contains(t, out, "Usage: ttai", "%v", args)
		if len(args) == 2 {
			assert.Regexp(t, "Example|Each check", out, "%v", args)
		}
	}
}

func TestCredentialsWithoutAnEnvironmentAreRefusedWithTheRemedy(t *testing.T) {
	secret := "do-not-print-me"
	_, problems, code := ttai(t, "", map[string]string{"TTAI_CLIENT_SECRET": secret, "TTAI_REFRESH_TOKEN": secret}, "analyze", "SPY")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "TTAI_ENV")
	assert.NotContains(t, problems, secret)
}

func TestDoctorFindsTheSimulatorHealthy(t *testing.T) {
	out, problems, code := ttai(t, "", nil, "doctor", "--json")
	require.Equal(t, app.ExitOK, code, out+problems)
	var report []check
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	for _, r := range report {
		if r.Name == "calendar" { // some table may end within a year
			assert.NotEqual(t, "failed", r.Status)
			continue
		}
		assert.Equal(t, "ok", r.Status, r.Name)
	}
	assert.Len(t, report, 9)
}

func TestDoctorSaysThatNoSimulatorAnswers(t *testing.T) {
	out, _, code := ttai(t, "", nil, "doctor", "--url", "http://127.0.0.1:1")
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, out, "ttai sim")
}

func TestAnalyzeOnTheSimulatorWritesAPageThatNeedsNothingElse(t *testing.T) {
	page := filepath.Join(t.TempDir(), "report.html")
	out, problems, code := ttai(t, "", nil, "analyze", "SPY", "--html", page)
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "simulat")
	assert.Contains(t, problems, "'ttai init'")
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Contains(t, string(html), "<svg")
	assert.NotRegexp(t, `(src|href)="(http|//)`, string(html), "the page loads something")
}

func TestIndicatorsPrintOneColumnPerOutput(t *testing.T) {
	bars := filepath.Join(t.TempDir(), "bars.csv")
	require.NoError(t, os.WriteFile(bars, []byte("Date,Open,High,Low,Close,Volume\n2024-01-02,1,2,1,1,10\n2024-01-03,2,3,1,2,10\n2024-01-04,3,4,2,3,10\n"), 0o600))
	out, problems, code := ttai(t, "", nil, "indicators", "sma", "--param", "n=2", bars)
	require.Equal(t, app.ExitOK, code, problems)
	assert.Equal(t, "time,sma\n2024-01-02,\n2024-01-03,1.5\n2024-01-04,2.5\n", strings.ToLower(out))
	out, _, code = ttai(t, "", nil, "indicators", "SMA", "--param", "n=2", "--input", "high", "--jsonl", bars)
	require.Equal(t, app.ExitOK, code)
	assert.Contains(t, strings.ToLower(out), `"sma":3.5`)
	_, problems, code = ttai(t, "", nil, "indicators", "RSY", bars)
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "RSI", "the nearest name is suggested")
}

func TestACancelledCommandEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, problems bytes.Buffer
	code := run(ctx, []string{"sim", "--addr", "127.0.0.1:0"}, app.IO{Out: &out, Err: &problems, Environment: app.Environment{Getenv: func(string) string { return "" }}})
	assert.Equal(t, app.ExitOK, code, problems.String())
	assert.Contains(t, out.String(), "TTAI_ENV=simulator")
	assert.Contains(t, problems.String(), "ttai doctor --url http://127.0.0.1:")
}
