package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

// optionLines has a good request of each command, and the key of its answer.
var optionLines = map[string]struct{ good, key string }{
	"price":    {`{"kind":"put","spot":450,"strike":440,"days":30,"rate":0.04,"vol":0.18}`, "price"},
	"iv":       {`{"kind":"put","spot":450,"strike":440,"days":30,"rate":0.04,"price":5.35}`, "iv"},
	"chain":    {`{"at":"2026-09-16T10:30:00-04:00","spot":100.4,"quotes":[` + twoQuotes + `]}`, "expiries"},
	"strategy": {`{"name":"long straddle","spot":100,"strikes":[100],"days":[30],"vol":0.3}`, "breakevens"},
}

// Bad lines of every sort stand between good ones: each is answered in its place by
// one error object that has its number, and the good ones as if alone.
func TestEveryBadLineIsAnsweredInItsPlaceAndTheRestGoOn(t *testing.T) {
	bad := []string{`not json`, `{`, `[1,2]`, `"text"`, `7`, `{"no_such_field":1}`, `{"spot":"a"}`, `{"spot":{}}`, `{"spot":1e999}`, `{} {}`, `{"spot":-5}`, "{\x00}", `{"spot":100,"spot":"x"}`}
	for command, request := range optionLines {
		alone, problems, code := ttai(t, request.good, nil, command, "--jsonl")
		require.Equal(t, app.ExitOK, code, problems)
		require.Contains(t, alone, `"`+request.key+`":`)
		var in []string
		for _, line := range bad {
			in = append(in, request.good, line, "") // empty lines are no requests
		}
		in = append(in, request.good) // and the last one has no end
		out, problems, code := ttai(t, strings.Join(in, "\n"), nil, command, "--jsonl")
		require.Equal(t, app.ExitOK, code, problems)
		lines := strings.SplitAfter(strings.TrimSuffix(out, "\n"), "\n")
		require.Len(t, lines, 2*len(bad)+1, command)
		for i, line := range lines {
			if i%2 == 0 {
				require.Equal(t, strings.TrimSpace(alone), strings.TrimSpace(line), "%s, answer %d", command, i)
				continue
			}
			var answer map[string]struct {
				Line    int
				Message string
			}
			require.NoError(t, json.Unmarshal([]byte(line), &answer), "%s: %s", command, line)
			require.Len(t, answer, 1)
			failed := answer["error"]
			require.Equal(t, 3*(i/2)+2, failed.Line, "%s: %s", command, bad[i/2])
			require.NotEmpty(t, failed.Message)
			for _, internal := range []string{"Request", "main.", "contractFlags", "float64", "Go value"} {
				require.NotContains(t, line, internal, "%s: %s", command, bad[i/2])
			}
		}
	}
}

// Order holds for thousands of lines, which are answered one by one.
func TestLongStreamsKeepTheirOrder(t *testing.T) {
	var in strings.Builder
	const n = 3000
	for i := range n {
		in.WriteString(`{"spot":100,"strike":` + strconv.Itoa(50+i%100) + `,"days":30,"vol":0.3}` + "\n")
	}
	out, _, code := ttai(t, in.String(), nil, "price", "--jsonl")
	require.Equal(t, app.ExitOK, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, n)
	for i := range lines {
		require.Equal(t, lines[i%100], lines[i])
		if i%100 > 0 {
			require.NotEqual(t, lines[i-1], lines[i], "another strike, another price")
		}
	}
}

// What a line leaves out is as by the flags, and no line changes what the next one
// leaves out.
func TestFlagsAreTheDefaultsOfLines(t *testing.T) {
	for command, row := range map[string]struct {
		flags      []string
		full, rest string
		other      string // sets the same for itself
	}{
		"price": {[]string{"--kind", "put", "--style", "american", "--rate", "0.06", "--vol", "0.18"}, `{"kind":"put","style":"american","spot":90,"strike":100,"days":60,"rate":0.06,"vol":0.18}`,
			`{"spot":90,"strike":100,"days":60}`, `{"spot":90,"strike":100,"days":60,"rate":0.01,"vol":0.5}`},
		"iv": {[]string{"--rate", "0.04", "--spot", "450"}, `{"kind":"put","spot":450,"strike":440,"days":30,"rate":0.04,"price":5.35}`,
			`{"kind":"put","strike":440,"days":30,"price":5.35}`, `{"spot":440,"strike":440,"days":30,"price":5.35}`},
		"strategy": {[]string{"long straddle", "--spot", "100", "--vol", "0.3", "--strikes", "100", "--days", "30", "--prices", "90,110"},
			`{"name":"long straddle","spot":100,"strikes":[100],"days":[30],"vol":0.3,"prices":[90,110]}`, `{}`, `{"strikes":[95],"days":[10],"prices":[80]}`},
		"chain": {[]string{"--spot", "100", "--rate", "0.01", "--at", "2026-09-16T10:30:00-04:00", "--dividend", "2026-10-06=1"},
			`{"at":"2026-09-16T10:30:00-04:00","spot":100,"rate":0.01,"contracts":true,"dividends":[{"ex_date":"2026-10-06","cash":1}],"quotes":[` + twoQuotes + `]}`,
			`{"contracts":true,"quotes":[` + twoQuotes + `]}`, `{"dividends":[{"ex_date":"2026-10-07","cash":2}],"quotes":[` + twoQuotes + `]}`},
	} {
		want, problems, code := ttai(t, row.full, nil, command, "--jsonl")
		require.Equal(t, app.ExitOK, code, problems)
		require.NotContains(t, want, `"error"`, command)
		out, problems, code := ttai(t, strings.Join([]string{row.rest, row.other, row.rest}, "\n"), nil, append([]string{command, "--jsonl"}, row.flags...)...)
		require.Equal(t, app.ExitOK, code, problems)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		require.Len(t, lines, 3, command)
		assert.Equal(t, strings.TrimSpace(want), lines[0], command)
		assert.NotEqual(t, lines[0], lines[1], command)
		assert.NotContains(t, lines[1], `"error"`, command)
		assert.Equal(t, lines[0], lines[2], command)
	}
}

// A refused argument is a mistake of whoever called; a price that no volatility gives
// is an answer that there is none.
func TestOptionCommandsSayHowTheyEnded(t *testing.T) {
	for _, row := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"price"}, app.ExitUsage, "spot"},
		{[]string{"price", "--spot", "x"}, app.ExitUsage, "spot"},
		{[]string{"price", "--spot", "1", "--strike", "1", "--years", "1", "--days", "1", "--vol", "0.2"}, app.ExitUsage, "days"},
		{[]string{"price", "--spot", "1", "--strike", "1", "--years", "1", "--vol", "NaN"}, app.ExitUsage, "vol"},
		{[]string{"price", "--spot", "Inf", "--strike", "1", "--years", "1", "--vol", "0.2"}, app.ExitUsage, "spot"},
		{[]string{"iv", "--spot", "100", "--strike", "100", "--days", "30", "--price", "1000"}, app.ExitError, "maximum"},
		{[]string{"iv", "--spot", "100", "--strike", "90", "--days", "30", "--price", "5"}, app.ExitError, "intrinsic"},
		{[]string{"iv", "--spot", "100", "--strike", "90", "--days", "30", "--price", "5.8"}, app.ExitError, "intrinsic"},
		{[]string{"chain", "no-such-file.csv"}, app.ExitUsage, "no-such-file"},
		{[]string{"strategy", "long call", "--spot", "100", "--strikes", "100", "--days", "30"}, app.ExitUsage, "vol"},
	} {
		out, problems, code := ttai(t, "", nil, row.args...)
		assert.Equal(t, row.code, code, "%v: %s", row.args, problems)
		assert.Contains(t, problems, row.says, "%v", row.args)
		assert.Empty(t, out, "%v", row.args)
	}
}
