package app

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// declared is a command line with everything that completions and manuals treat
// differently: two levels, enumerations, files, values that look like commands.
type declared struct {
	Trade struct {
		Open struct {
			Side   string `arg:"" enum:"buy,sell" help:"buy or sell."`
			Ticket string `arg:"" type:"existingfile" help:"File."`
			Dry    bool   `short:"n" help:"Don't: say 100 % of what would [happen]."`
		} `cmd:"" help:"Open a position."`
		Close struct{} `cmd:"" help:"Close it."`
	} `cmd:"" help:"Trades."`
	Show struct {
		Env    string   `help:"Environment."`
		Kinds  []string `help:"Kinds." enum:"call,put"`
		Out    string   `help:"Where to." placeholder:"FILE"`
		Symbol string   `help:"Symbol."`
		Secret string   `hidden:"" help:"Hidden."`
	} `cmd:"" help:"Show the broker's view." `
	Inner struct{} `cmd:"" hidden:"" help:"Hidden."`
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := kong.New(&declared{}, kong.Name("made-up"), kong.Description("Made up, for a test.\n\nExamples:\n  made-up show --env=x\n  .made-up 'y' \\ ~"))
	require.NoError(t, err)
	return parser.Model
}

// bashOffers returns what bash would offer for the words of a command line, the
// last of which is being typed.
func bashOffers(t *testing.T, script, folder string, words ...string) []string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS == "windows" { // where bash may be that of another system
		t.Skip("bash is absent: its completions are not checked")
	}
	ask := `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_${1//-/_}"; printf '%s\n' "${COMPREPLY[@]}"`
	cmd := exec.CommandContext(t.Context(), bash, append([]string{"--norc", "--noprofile", "-c", ask, "bash", script}, words...)...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.Fields(string(out))
}

func TestBashOffersWhatFitsWhereTheCursorIs(t *testing.T) {
	folder := t.TempDir()
	var text strings.Builder
	require.NoError(t, WriteCompletion(&text, "bash", model(t)))
	script := filepath.Join(folder, "completion")
	require.NoError(t, os.WriteFile(script, []byte(text.String()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "bars.csv"), nil, 0o600))

	for _, row := range []struct {
		typed string // words by spaces; what follows the last one is being typed
		want  []string
	}{
		{"made-up ", []string{"trade", "show"}},
		{"made-up t", []string{"trade"}},
		{"made-up trade ", []string{"open", "close"}},
		{"made-up trade open ", []string{"buy", "sell"}},
		{"made-up trade open -n b", []string{"buy"}},
		{"made-up trade open buy b", []string{"bars.csv"}},
		{"made-up trade open --d", []string{"--dry"}},
		{"made-up trade close ", nil},
		{"made-up show --", []string{"--env", "--help", "--kinds", "--out", "--symbol"}},
		{"made-up show --env ", []string{"simulator", "sandbox", "production"}},
		{"made-up show --env = s", []string{"simulator", "sandbox"}}, // bash splits at =
		{"made-up show --kinds p", []string{"put"}},
		{"made-up show --out ba", []string{"bars.csv"}},
		{"made-up show --symbol ", nil},
		{"made-up show --symbol trade --k", []string{"--kinds"}}, // a value is no command
	} {
		assert.ElementsMatch(t, row.want, bashOffers(t, script, folder, strings.Split(row.typed, " ")...), "%q", row.typed)
	}
}

func TestEveryShellNamesEveryVisibleCommandAndFlagAndNoHiddenOne(t *testing.T) {
	for shell, mark := range map[string]string{"bash": "--", "zsh": "--", "fish": "-l "} {
		var text strings.Builder
		require.NoError(t, WriteCompletion(&text, shell, model(t)))
		for _, name := range []string{"trade", "open", "close", "show", mark + "dry", mark + "env", mark + "kinds", mark + "out", mark + "symbol"} {
			assert.Contains(t, text.String(), name, shell)
		}
		assert.NotContains(t, text.String(), "secret", shell)
		assert.NotContains(t, text.String(), "inner", shell)
		if path, err := exec.LookPath(shell); err == nil && runtime.GOOS != "windows" { // its own syntax check, where it is installed
			check := exec.CommandContext(t.Context(), path, "-n", "/dev/stdin")
			check.Stdin = strings.NewReader(text.String())
			out, err := check.CombinedOutput()
			assert.NoError(t, err, "%s: %s", shell, out)
		}
	}
	require.ErrorContains(t, WriteCompletion(&strings.Builder{}, "tcsh", model(t)), "bash, zsh or fish")
}

func TestTheManualPageHasWhatTheHelpHas(t *testing.T) {
	var text strings.Builder
	require.NoError(t, WriteManual(&text, model(t)))
	page := text.String()
	for _, part := range []string{
		`.TH "MADE\-UP" 1`, `made\-up \- Made up, for a test`, `.SS "trade open"`, `\fB\-n, \-\-dry\fR`, `Don\(aqt: say 100 % of what would [happen].`,
		`\fB\-\-out\fR=\fIFILE\fR`, "One of call, put.", "Variable: TTAI_ENV.", "TTAI_REFRESH_TOKEN", ".SH \"EXIT STATUS\"", ".nf\nmade\\-up show \\-\\-env=x\n\\&.made\\-up \\(aqy\\(aq \\e \\(ti\n.fi",
	} {
		assert.Contains(t, page, part)
	}
	assert.NotContains(t, page, "secret\\")
	for _, c := range page {
		require.Less(t, c, rune(0x80), "the page is ASCII, for every terminal")
	}
	if groff, err := exec.LookPath("groff"); err == nil {
		check := exec.CommandContext(t.Context(), groff, "-man", "-Tascii", "-ww", "-z")
		check.Stdin = strings.NewReader(page)
		out, err := check.CombinedOutput()
		require.NoError(t, err)
		assert.Empty(t, string(out), "groff has nothing to complain of")
	}
}
