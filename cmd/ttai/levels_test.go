package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

// walkFile writes n daily bars of a random walk.
func walkFile(t *testing.T, n int) string {
	t.Helper()
	r := rand.New(rand.NewPCG(4, 4))
	var b strings.Builder
	b.WriteString("date,open,high,low,close,volume\n")
	price := 100.0
	for _, s := range market.NYSE().Sessions(market.Date{Year: 2010, Month: 1, Day: 4}, market.Date{Year: 2029, Month: 12, Day: 31})[:n] {
		open, high, low := price, price, price
		for range 8 {
			price = max(10, price+0.4*r.NormFloat64())
			high, low = max(high, price), min(low, price)
		}
		fmt.Fprintf(&b, "%s,%.2f,%.2f,%.2f,%.2f,%d\n", s.Date, open, high, low, price, 1000+r.IntN(1000))
	}
	path := filepath.Join(t.TempDir(), "walk.csv")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

func TestLevelsOfAFileForEyesAndMachines(t *testing.T) {
	file := walkFile(t, 300)
	out, problems, code := ttai(t, "", nil, "levels", file)
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "PROBABILITY")
	assert.Contains(t, out, "support")
	assert.NotContains(t, out, "order block", "not among those that most charts show")
	assert.Less(t, strings.Count(out, "\n"), 70, "a screen or two")

	out, problems, code = ttai(t, "", nil, "levels", "--kinds", "zone,order block", "--near", "3", "--json", file)
	require.Equal(t, app.ExitOK, code, problems)
	var rows []levelRow
	require.NoError(t, json.Unmarshal([]byte(out), &rows))
	require.NotEmpty(t, rows)
	above, below := 0, 0
	for _, r := range rows {
		assert.Contains(t, []levels.Kind{levels.KindZone, levels.KindOrderBlock}, r.Kind)
		assert.True(t, r.Strength > 0 && r.Strength < 1)
		assert.LessOrEqual(t, r.Held, r.Visits)
		switch {
		case r.Distance > 0:
			above++
		case r.Distance < 0:
			below++
		}
	}
	assert.LessOrEqual(t, above, 3)
	assert.LessOrEqual(t, below, 3)

	all, _, code := ttai(t, "", nil, "levels", "--kinds", "all", "--near", "0", "--json", file)
	require.Equal(t, app.ExitOK, code)
	rows = nil
	require.NoError(t, json.Unmarshal([]byte(all), &rows))
	assert.Greater(t, len(rows), 60)

	near, _, code := ttai(t, "", nil, "levels", "--kinds", "round number", "--price", "1000", "--near", "1", "--json", file)
	require.Equal(t, app.ExitOK, code)
	rows = nil
	require.NoError(t, json.Unmarshal([]byte(near), &rows))
	require.Len(t, rows, 1)
	assert.Negative(t, float64(rows[0].Distance))
}

func TestLevelsWritePicturesAndPages(t *testing.T) {
	file := walkFile(t, 200)
	svg, html := filepath.Join(t.TempDir(), "a.svg"), filepath.Join(t.TempDir(), "a.html")
	_, problems, code := ttai(t, "", nil, "levels", "--svg", svg, "--html", html, file)
	require.Equal(t, app.ExitOK, code, problems)
	for path, want := range map[string]string{svg: "<svg", html: "<!doctype html>"} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Contains(t, strings.ToLower(string(text)), want)
	}
}

func TestAreasAreRankedByProbability(t *testing.T) {
	out, problems, code := ttai(t, "", nil, "levels", "--kinds", "all", "--areas", "--json", walkFile(t, 300))
	require.Equal(t, app.ExitOK, code, problems)
	var rows []areaRow
	require.NoError(t, json.Unmarshal([]byte(out), &rows))
	require.Greater(t, len(rows), 5)
	for i, r := range rows {
		assert.NotEmpty(t, r.Members)
		assert.NotEmpty(t, r.Families)
		if i > 0 {
			assert.LessOrEqual(t, float64(r.Probability), float64(rows[i-1].Probability))
		}
	}
	out, _, code = ttai(t, "", nil, "levels", "--areas", walkFile(t, 300))
	require.Equal(t, app.ExitOK, code)
	assert.Contains(t, out, "FAMILIES")
}

func TestLevelsEvaluateShowsTheRecord(t *testing.T) {
	file := walkFile(t, 500)
	svg := filepath.Join(t.TempDir(), "r.svg")
	out, problems, code := ttai(t, "", nil, "levels", "evaluate", "--kinds", "zone,pivot", "--svg", svg, file)
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "DIFFERENCE")
	assert.Contains(t, out, "500 bars of 1 series")
	assert.FileExists(t, svg)

	out, problems, code = ttai(t, "", nil, "levels", "evaluate", "--kinds", "gap,pivot", "--from", "2011-01-03", "--json", file, file)
	require.Equal(t, app.ExitOK, code, problems)
	var answer evaluationAnswer
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	assert.Equal(t, 1000, answer.Bars)
	assert.False(t, answer.Stopped)
	assert.Greater(t, answer.All.Touches, 50)
	assert.Equal(t, answer.All.Touches, answer.All.Reactions+answer.All.Breaks+answer.All.Timeouts)
	assert.NotEmpty(t, answer.All.Reliability)

	_, problems, code = ttai(t, "", nil, "levels", "evaluate", "--kinds", "moon phase", file)
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "kinds")
	_, problems, code = ttai(t, "", nil, "levels", "evaluate", "--horizon=-3", file)
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "horizon")
}

func TestInterruptingAnEvaluationKeepsWhatIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, problems bytes.Buffer
	std := app.IO{In: strings.NewReader(""), Out: &out, Err: &problems, Environment: app.Environment{Getenv: func(string) string { return "" }}}
	c := levelsEvaluateCommand{Files: []string{walkFile(t, 300)}, Reaction: 1, Break: 0.5, Horizon: 10, Visits: 1, Draws: 2, JSON: true, FileFlags: app.FileFlags{TZ: "America/New_York", BadRows: "refuse"}}
	require.NoError(t, c.Run(&session{ctx: ctx, std: std}))
	assert.Contains(t, problems.String(), "stopped after 0 bars")
	var answer evaluationAnswer
	require.NoError(t, json.Unmarshal(out.Bytes(), &answer))
	assert.True(t, answer.Stopped)
}

func TestProgressIsForTerminalsAlone(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	p.show(1, 2)
	p.clear()
	assert.Empty(t, out.String())
	p = &progress{out: &out, shown: -1}
	p.show(1, 2)
	p.show(1, 2)
	p.clear()
	assert.Equal(t, 1, strings.Count(out.String(), "50 %"))
}
