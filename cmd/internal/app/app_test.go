package app

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

type cli struct{ Config }

// parse reads args with the given variables and config.json; empty means no file.
func parse(t *testing.T, args []string, variables map[string]string, file string) (config Config, problems string, code int) {
	t.Helper()
	env := Environment{Getenv: func(name string) string { return variables[name] }}
	if file != "" {
		env.ConfigDir = t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(env.ConfigDir, "config.json"), []byte(file), 0o600))
	}
	var out, errs bytes.Buffer
	std := IO{Out: &out, Err: &errs, Environment: env}
	var into cli
	_, sources, code, done := Parse("test", "", &into, args, std)
	if done {
		return Config{}, errs.String(), code
	}
	config, err := into.Complete(sources)
	return config, errs.String() + func() string {
		Report("test", err, std)
		return errs.String()
	}(), Report("test", err, std)
}

func TestAFlagWinsOverAVariableOverTheFile(t *testing.T) {
	file := `{"env":"sandbox","accounts":["A","B"],"client_secret":"s","refresh_token":"r","seed":7}`
	config, problems, code := parse(t, nil, nil, file)
	require.Equal(t, ExitOK, code, problems)
	assert.Equal(t, "sandbox", config.Env)
	assert.Equal(t, []string{"A", "B"}, config.Accounts)
	assert.Equal(t, uint64(7), config.Seed)

	config, _, _ = parse(t, nil, map[string]string{"TTAI_ENV": "production", "TTAI_REFRESH_TOKEN": "other"}, file)
	assert.Equal(t, "production", config.Env)
	assert.Equal(t, "other", config.RefreshToken)
	assert.Equal(t, "s", config.ClientSecret)

	config, _, _ = parse(t, []string{"--env", "simulator"}, map[string]string{"TTAI_ENV": "production"}, file)
	assert.Equal(t, "simulator", config.Env)
}

func TestNothingSetMeansTheSimulator(t *testing.T) {
	config, problems, code := parse(t, nil, nil, "")
	require.Equal(t, ExitOK, code, problems)
	assert.Equal(t, string(broker.Simulator), config.Env)
	opened, err := Open(config, nil)
	require.NoError(t, err)
	defer opened.Close()
	assert.Contains(t, opened.Notice, "synthetic")
}

func TestSettingsThatDoNotFitTogetherAreRefusedWithoutShowingSecrets(t *testing.T) {
	const secret = "hunter2hunter2"
	for want, row := range map[string]struct {
		args      []string
		variables map[string]string
		file      string
	}{
		"TTAI_ENV":               {variables: map[string]string{"TTAI_CLIENT_SECRET": secret, "TTAI_REFRESH_TOKEN": secret}},
		"TTAI_REFRESH_TOKEN":     {args: []string{"--env", "sandbox"}, variables: map[string]string{"TTAI_CLIENT_SECRET": secret}},
		"simulator, sandbox or":  {args: []string{"--env", "live"}},
		"own hosts":              {args: []string{"--env", "production", "--url", "http://evil.example"}, variables: map[string]string{"TTAI_CLIENT_SECRET": secret, "TTAI_REFRESH_TOKEN": secret}},
		"not a JSON object":      {file: `{"client_secret": "` + secret + `"`},
		"docs/configuration.md":  {file: `{"clientsecret": "` + secret + `"}`},
		"--seed":                 {args: []string{"--seed", "many"}},
		"must be one of \"day\"": {args: []string{"--clock", "sundial"}},
	} {
		_, problems, code := parse(t, row.args, row.variables, row.file)
		assert.Equal(t, ExitUsage, code, want)
		assert.Contains(t, problems, want)
		assert.NotContains(t, problems, secret, want)
	}
}

func TestAnAccountThatIsNotAllowedDoesNotExist(t *testing.T) {
	config, _, _ := parse(t, nil, nil, "")
	all, err := Open(config, nil)
	require.NoError(t, err)
	defer all.Close()
	accounts, err := all.Broker.Accounts(t.Context())
	require.NoError(t, err)
	require.Len(t, accounts, 2)

	config.Accounts = []string{string(accounts[1].ID)}
	some, err := Open(config, nil)
	require.NoError(t, err)
	defer some.Close()
	seen, err := some.Broker.Accounts(t.Context())
	require.NoError(t, err)
	require.Len(t, seen, 1)
	assert.Equal(t, accounts[1].ID, seen[0].ID)
	_, err = some.Broker.Balances(t.Context(), accounts[0].ID)
	require.ErrorIs(t, err, broker.ErrUnknownAccount)
	_, err = some.Broker.Positions(t.Context(), accounts[0].ID)
	require.ErrorIs(t, err, broker.ErrUnknownAccount)
	_, err = some.Broker.Positions(t.Context(), accounts[1].ID)
	require.NoError(t, err)
}

func TestAFileNameTellsItsSymbolWhenItHoldsJustOne(t *testing.T) {
	known := []market.Symbol{"SPY", "AAPL", "T"}
	for path, want := range map[string]market.Symbol{
		"data/yahoo_spy_2005_2021.csv.gz": "SPY",
		"AAPL.csv":                        "AAPL",
		"t-daily.csv":                     "T",
		"spy_aapl.csv":                    "",
		"prices.csv":                      "",
	} {
		assert.Equal(t, want, SymbolOfFile(path, known), path)
	}
}
