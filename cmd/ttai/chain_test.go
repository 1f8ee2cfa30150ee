package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/sharedtest"
)

const twoQuotes = `{"kind":"call","strike":100,"expiration":"2026-10-16","bid":3.2,"ask":3.3,"open_interest":10},{"kind":"put","strike":100,"expiration":"2026-10-16","bid":2.5,"ask":2.6}`

func TestChainLinesAreAnsweredInOrder(t *testing.T) {
	requests := `{"at":"2026-09-16T10:30:00-04:00","underlying":"xyz","spot":100.4,"rate":0.04,"contracts":true,"quotes":[` + twoQuotes + `]}
{"quotes":[]}
{"at":"2026-09-16T10:30:00-04:00","spot":100.4,"quotes":[{"symbol":"SPY   261016C00100000","bid":3.2,"ask":3.3}],"positioning":true}
{"at":"2026-09-16T10:30:00-04:00","spot":100.4,"quotes":[{"strike":"x"}]}
`
	out, _, code := ttai(t, requests, nil, "chain", "--jsonl")
	require.Equal(t, app.ExitOK, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 4)
	var first chainAnswer
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	assert.InDelta(t, 0.251, float64(first.Expiries[0].ATMVol), 5e-4, "the example of options.NewChain")
	assert.Len(t, first.Expiries[0].Contracts, 2)
	assert.Contains(t, lines[1], `"field":"quotes"`)
	assert.Contains(t, lines[2], `"positioning"`)
	assert.Contains(t, lines[3], `"line":4`)
}

func TestARealChainFileIsPrintedWithSurfaceAndPositioning(t *testing.T) {
	path := sharedtest.Path(t, "data", "options", "spx_fullchain_20170103.csv.gz")
	out, problems, code := ttai(t, "", nil, "chain", path, "--rate", "0.008", "--surface", "--positioning", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	var answer chainAnswer
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	assert.Len(t, answer.Expiries, 25)
	assert.Len(t, answer.Surface.Slices, 24)
	for _, s := range answer.Surface.Slices {
		assert.True(t, s.Butterfly >= 0 && s.Calendar == 0, s.Date)
	}
	assert.True(t, answer.Positioning.ZeroGamma > 2000 && answer.Positioning.ZeroGamma < 2400)

	out, problems, code = ttai(t, "", nil, "chain", path, "--expiry", "2017-02-17")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "2017-02-17")
	assert.NotContains(t, out, "2017-03-17")
	_, problems, code = ttai(t, "", nil, "chain", path, "--expiry", "2017-02-18")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "expiry")

	out, problems, code = ttai(t, "", nil, "strategy", "bull put spread", "--chain", path, "--rate", "0.008", "--expiry", "2017-02-17", "--strikes", "2150,2200", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	var spread strategyAnswer
	require.NoError(t, json.Unmarshal([]byte(out), &spread))
	assert.InDelta(t, 5000, float64(spread.MaxGain-spread.MaxLoss), 1e-6, "the width of the spread")
	lognormal := spread.ProbProfit
	out, problems, code = ttai(t, "", nil, "strategy", "bull put spread", "--chain", path, "--rate", "0.008", "--expiry", "2017-02-17", "--strikes", "2150,2200", "--density", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	require.NoError(t, json.Unmarshal([]byte(out), &spread))
	assert.Greater(t, spread.ProbProfit, lognormal, "a skewed distribution has its median above the forward")
	assert.InDelta(t, 0, float64(spread.Expected), 120, "under the implied density a spread at its mid is about fair")
}

func TestAStrategyIsDrawnAndExplained(t *testing.T) {
	file := filepath.Join(t.TempDir(), "condor.svg")
	out, problems, code := ttai(t, "", nil, "strategy", "iron-condor", "--spot", "100", "--strikes", "85,90,110,115", "--days", "45", "--vol", "0.25", "--svg", file, "--prices", "90,110", "--after", "20", "--capital", "420")
	require.Equal(t, app.ExitOK, code, problems)
	for _, want := range []string{"iron condor", "credit", "largest loss", "breakevens", "probability of profit", "return on capital", "AFTER"} {
		assert.Contains(t, out, want)
	}
	svg, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(svg), "<svg")

	out, problems, code = ttai(t, "", nil, "strategy", "--spot", "100", "--vol", "0.25", "--leg=-1 put 95 30d @1.80", "--leg=100 shares @99.5", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	var answer strategyAnswer
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	assert.InDelta(t, 180-9950, float64(answer.Premium), 1e-9)
	assert.True(t, answer.UnlimitedGain)

	// The roll of the test in package options: bought back at 5, sold again at 4.50.
	out, problems, code = ttai(t, "", nil, "strategy", "--spot", "100", "--vol", "0.25", "--leg=-1 put 95 90d @2", "--trade=1 put 95 90d @5", "--trade=-1 put 90 180d @4.5", "--json")
	require.Equal(t, app.ExitOK, code, problems)
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	assert.InDelta(t, -50, float64(answer.Adjusted.Cash), 1e-9)
	assert.InDelta(t, 150, float64(answer.Adjusted.MaxGain), 1e-9)

	out, _, code = ttai(t, "", nil, "strategy", "--list")
	require.Equal(t, app.ExitOK, code)
	assert.Greater(t, strings.Count(out, "\n"), 60)
}

func TestStrategyLinesAreAnsweredInOrder(t *testing.T) {
	requests := `{"name":"long straddle","spot":100,"strikes":[100],"days":[30],"vol":0.3}
{"name":"iron candor","spot":100,"vol":0.3}
{"legs":[{"kind":"call","quantity":1,"strike":100,"days":30,"price":3}],"spot":100,"vol":0.3}
{"legs":[{"kind":"call","quantity":1,"strike":100,"days":30}],"spot":100}
{"legs":[{"kind":"bond","quantity":1}],"spot":100}
`
	out, _, code := ttai(t, requests, nil, "strategy", "--jsonl")
	require.Equal(t, app.ExitOK, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 5)
	assert.Contains(t, lines[0], `"unlimited_gain":true`)
	assert.Contains(t, lines[1], "perhaps iron condor")
	assert.Contains(t, lines[2], `"breakevens":[103]`)
	assert.Contains(t, lines[3], `"field":"vol"`)
	assert.Contains(t, lines[4], `"field":"kind"`)
}

func TestWrongStrategyArgumentsNameTheField(t *testing.T) {
	for want, args := range map[string][]string{
		"name":     {"strategy", "--spot", "100"},
		"strikes":  {"strategy", "long call", "--spot", "100", "--strikes", "1,2", "--days", "30", "--vol", "0.2"},
		"leg":      {"strategy", "--spot", "100", "--leg=1 put x"},
		"quantity": {"strategy", "--spot", "100", "--vol", "0.2", "--leg=0 put 95 30d"},
		"file":     {"chain"},
	} {
		_, problems, code := ttai(t, "", nil, args...)
		assert.Equal(t, app.ExitUsage, code, "%v: %s", args, problems)
		assert.Contains(t, problems, want, "%v", args)
	}
}

// Whatever a line holds, it is answered by one line of JSON.
func FuzzStructureLines(f *testing.F) {
	f.Add(`{"name":"call calendar","spot":100,"strikes":[100],"days":[30,60],"vol":0.3,"prices":[90,110],"after":[10]}`)
	f.Add(`{"legs":[{"kind":"shares","quantity":1e300,"price":1e300},{"kind":"put","quantity":-1,"strike":1e-300,"days":1e9,"vol":1e9}],"spot":1e-300}`)
	f.Add(`{"at":"2026-09-16T10:30:00-04:00","spot":100.4,"surface":true,"positioning":true,"quotes":[` + twoQuotes + `]}`)
	f.Add(`{"quotes":[{"symbol":"SPY   261016C00100000","bid":null,"ask":"3","style":"american"}],"at":"2026-09-16T10:30:00-04:00","spot":1e308}`)
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.TrimSpace(strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, line))
		if line == "" {
			return
		}
		for _, command := range []string{"strategy", "chain"} {
			out, problems, code := ttai(t, line+"\n", nil, command, "--jsonl")
			require.Equal(t, app.ExitOK, code, problems)
			require.Equal(t, 1, strings.Count(out, "\n"), "%q", out)
			require.True(t, json.Valid([]byte(out)), "%q", out)
		}
	})
}

func TestALineThatIsTooLongLeavesTheOthersAlone(t *testing.T) {
	in := bufio.NewReaderSize(strings.NewReader("one\n"+strings.Repeat("x", 100)+"\ntwo"), 16)
	var got []string
	for {
		line, err := nextLine(in, 50)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errLongLine) {
			line = []byte("too long")
		} else {
			require.NoError(t, err)
		}
		got = append(got, strings.TrimSpace(string(line)))
	}
	require.Equal(t, []string{"one", "too long", "two"}, got)
}

func TestAnAmericanPriceSaysWhenToExercise(t *testing.T) {
	out, _, code := ttai(t, `{"kind":"put","style":"american","spot":80,"strike":100,"days":60,"rate":0.06,"vol":0.18}
{"kind":"put","style":"european","spot":80,"strike":100,"days":60,"rate":0.06,"vol":0.18}
{"kind":"put","spot":80,"strike":100,"days":60,"rate":0.06,"vol":0.18}}`, nil, "price", "--jsonl")
	require.Equal(t, app.ExitOK, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 3)
	assert.Contains(t, lines[0], `"price":20,"delta":-1`)
	assert.Contains(t, lines[0], `"exercise_now":true`)
	assert.NotContains(t, lines[1], "exercise")
	assert.Contains(t, lines[2], `"error"`, "text after the object")
}

// A dividend makes an American call worth exercising early; what cannot be paid is
// refused.
func TestChainLinesTakeCashDividends(t *testing.T) {
	quotes := `"quotes":[{"kind":"call","strike":100,"expiration":"2027-03-19","style":"american","bid":4.99,"ask":5.01},{"kind":"put","strike":100,"expiration":"2027-03-19","style":"american","bid":5.99,"ask":6.01}]}`
	head := `{"underlying":"XYZ","at":"2026-09-16T10:30:00-04:00","spot":100,"rate":0.01,`
	out, problems, code := ttai(t, head+`"dividends":[{"ex_date":"2026-11-06","cash":1}],`+quotes+"\n"+
		head+`"dividends":[{"cash":1}],`+quotes+"\n"+head+`"dividends":[{"ex_date":"2026-11-06","cash":150}],`+quotes+"\n", nil, "chain", "--jsonl")
	require.Equal(t, app.ExitOK, code, problems)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 3)
	assert.NotContains(t, lines[0], `"error"`)
	assert.Contains(t, lines[1], "an ex_date for each")
	assert.Contains(t, lines[2], "a present value below the spot")

	_, problems, code = ttai(t, "", nil, "chain", "--jsonl", "--dividend", "tomorrow")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "2026-11-06=0.26")
}
