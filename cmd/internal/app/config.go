// Package app is the wiring that the commands share: configuration, command
// lines, and the market and broker that a configuration stands for.
package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// Config says which broker a command talks to. Each field is set by a flag,
// else by its environment variable, else by config.json. Credentials have no
// flag: a command line can be read by every user of the machine.
type Config struct {
	Env      string   `help:"Environment: simulator, sandbox or production. Without credentials: simulator." placeholder:"NAME"`
	URL      string   `name:"url" help:"Base URL of a simulator elsewhere, as printed by 'ttai sim'." placeholder:"URL"`
	Accounts []string `help:"Only these account numbers." placeholder:"NUMBER,…"`
	Seed     uint64   `help:"Seed of the embedded simulator's market." default:"1"`
	Clock    string   `help:"Clock of the embedded simulator: 'day', a simulated open session, or 'real'." enum:"day,real" default:"day"`

	ClientID     string `kong:"-"`
	ClientSecret string `kong:"-"`
	RefreshToken string `kong:"-"`
	// FromVault says that the credentials come from the vault.
	FromVault bool `kong:"-"`
}

// Environment is where settings come from besides the command line: the
// variables and the folder of config.json. Tests replace both.
type Environment struct {
	Getenv    func(string) string
	ConfigDir string // the folder that holds config.json; empty: none
	DataDir   string // the folder for the data that no setting puts elsewhere; empty: none
}

// SystemEnvironment is the real environment: os.Getenv, and the folder ttai in
// the user's folders for configuration and for data.
func SystemEnvironment() Environment {
	env := Environment{Getenv: os.Getenv}
	if dir, err := os.UserConfigDir(); err == nil {
		env.ConfigDir = filepath.Join(dir, "ttai")
		env.DataDir = dataDir(runtime.GOOS, os.Getenv, env.ConfigDir)
	}
	return env
}

// dataDir is where a system wants what programs keep for a user.
func dataDir(system string, getenv func(string) string, configDir string) string {
	switch system {
	case "darwin", "ios":
		return configDir // both are Application Support
	case "windows":
		if dir := getenv("LocalAppData"); dir != "" {
			return filepath.Join(dir, "ttai")
		}
		return configDir
	}
	if dir := getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ttai")
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "share", "ttai")
	}
	return configDir
}

// Setting is one value that can come from a variable or from config.json.
// Meaning is one line of docs/configuration.md.
type Setting struct{ Variable, Key, Meaning string }

// settings lists what is read from the environment, by flag name; credentials,
// keys of servers' own and what is about the vault have no flag.
var settings = map[string]Setting{
	"env":           {"TTAI_ENV", "env", "`simulator`, `sandbox` or `production`. Without credentials: `simulator`. With credentials it must be named"},
	"url":           {"TTAI_URL", "url", "base URL of a simulator elsewhere, as `ttai sim` prints it; simulator only"},
	"accounts":      {"TTAI_ACCOUNTS", "accounts", "only these account numbers exist for the program; none named: all that the grant reaches"},
	"seed":          {"TTAI_SEED", "seed", "seed of the simulator's market"},
	"clock":         {"TTAI_CLOCK", "clock", "`day`: the simulator's fixed day, running; `real`: the wall clock"},
	"toolsets":      {"TTAI_TOOLSETS", "toolsets", "which of `account`, `market`, `analytics`, `trade` to offer to models"},
	"read-only":     {"TTAI_READ_ONLY", "read_only", "offer nothing that writes"},
	"http":          {"TTAI_HTTP", "http", "serve HTTP at this address instead of standard input and output"},
	"store":         {"TTAI_STORE", "store", "where data are kept: a URL, or several, see docs/storage.md; not named: a file in your data folder, one for each environment"},
	"http-token":    {"TTAI_HTTP_TOKEN", "http_token", "the bearer that HTTP clients must send; random when not set"},
	"client-id":     {"TTAI_CLIENT_ID", "client_id", "OAuth client id; optional for personal grants"},
	"client-secret": {"TTAI_CLIENT_SECRET", "client_secret", "OAuth client secret; better in the vault, where `ttai login` puts it"},
	"refresh-token": {"TTAI_REFRESH_TOKEN", "refresh_token", "OAuth refresh token; better in the vault"},
	"alpaca-key-id": {"TTAI_ALPACA_KEY_ID", "alpaca_key_id", "id of a key of Alpaca's, for its news; `ttai login --alpaca` puts the pair into the vault instead"},
	"alpaca-secret": {"TTAI_ALPACA_SECRET", "alpaca_secret", "the key's secret"},
	"model":         {"TTAI_MODEL", "model", "model that explains what rules have computed, `provider/model`: anthropic, openai, gemini, openrouter, ollama, vllm, or any server with OpenAI's interface at `model_url`; not named: rules alone. Its key is in `model_key`, or in `ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `GEMINI_API_KEY` or `OPENROUTER_API_KEY`"},
	"model-key":     {"TTAI_MODEL_KEY", "model_key", "the model's key, before that of its provider's own variable"},
	"model-url":     {"TTAI_MODEL_URL", "model_url", "address of the model's server"},
	"model-budget":  {"TTAI_MODEL_BUDGET", "model_budget", "most that one analysis may cost, in US dollars"},
	"embedder":      {"TTAI_EMBEDDER", "embedder", "what makes the vectors of the knowledge base: `provider/model@dimensions` of a compatible server, such as `openai/text-embedding-3-small@1536`; not named: one that works offline"},
	"embedder-url":  {"TTAI_EMBEDDER_URL", "embedder_url", "where the embedder is, ending where `/embeddings` would follow; not named: OpenAI's own"},
	"embedder-key":  {"TTAI_EMBEDDER_KEY", "embedder_key", "the key for it"},
	"vault-key":     {"TTAI_VAULT_KEY", "vault_key", "where the vault's master keys are: `file:PATH`, `keyring`, or the keys themselves; not named: the file `vault.key` beside `config.json`"},
	"anchors":       {"TTAI_ANCHORS", "anchors", "where signed heads of journals go: webhooks (`https://`) and object stores (`s3://`, `file:///`)"},
}

// spaced are the settings whose lists have space between, since URLs may hold
// commas.
var spaced = map[string]bool{"store": true, "anchors": true}

// SettingOf returns the setting that stands behind a flag.
func SettingOf(flag string) (Setting, bool) {
	setting, ok := settings[flag]
	return setting, ok
}

// Sources looks values up in the variables, then in config.json.
type Sources struct {
	getenv func(string) string
	file   map[string]string
	jobs   json.RawMessage // the section that the scheduler reads, see [Sources.Jobs]
	// tenants are whom the scheduler serves besides, see [Sources.Tenants].
	tenants json.RawMessage
	// environment is what they were read from.
	environment Environment
}

// Configured reports whether anything at all is set by a variable or by
// config.json.
func (s *Sources) Configured() bool {
	for flag := range settings {
		if s.Lookup(flag) != "" {
			return true
		}
	}
	return false
}

// Sources reads config.json. A file that cannot be read or understood is an
// error: settings about money are never guessed.
func (e Environment) Sources() (*Sources, error) {
	s := &Sources{getenv: e.Getenv, file: map[string]string{}, environment: e}
	if e.ConfigDir == "" {
		return s, nil
	}
	path := filepath.Join(e.ConfigDir, "config.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("settings cannot be read: %w", err)
	}
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("%s is not a JSON object of settings: %w", path, err)
	}
	known := map[string]bool{}
	for _, setting := range settings {
		known[setting.Key] = true
	}
	for key, value := range values {
		if key == jobsKey || key == tenantsKey {
			var raw map[string]json.RawMessage
			if err := json.Unmarshal(text, &raw); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			s.jobs, s.tenants = raw[jobsKey], raw[tenantsKey]
			continue
		}
		if !known[key] {
			return nil, invalid.Field(path, key, "one of the settings listed in docs/configuration.md")
		}
		switch value := value.(type) {
		case []any:
			parts := make([]string, len(value))
			for i, part := range value {
				parts[i] = fmt.Sprint(part)
			}
			separator := ","
			if spaced[key] {
				separator = " "
			}
			s.file[key] = strings.Join(parts, separator)
		default:
			s.file[key] = fmt.Sprint(value)
		}
	}
	return s, nil
}

// Lookup returns the value of a flag's setting, and "" when nothing sets it.
func (s *Sources) Lookup(flag string) string {
	setting, ok := settings[flag]
	if !ok {
		return ""
	}
	if value := s.getenv(setting.Variable); value != "" {
		return value
	}
	return s.file[setting.Key]
}

// Resolver gives kong the values of flags that are not on the command line.
func (s *Sources) Resolver() kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if value := s.Lookup(flag.Name); value != "" {
			return value, nil
		}
		return nil, nil
	})
}

// Complete adds the credentials and checks that the parts fit together. Credentials
// come from variables and config.json; where neither has any, from the vault of the
// store that the settings name.
func (c Config) Complete(s *Sources) (Config, error) {
	c.ClientID = s.Lookup("client-id")
	c.ClientSecret = s.Lookup("client-secret")
	c.RefreshToken = s.Lookup("refresh-token")
	credentials := c.ClientSecret != "" || c.RefreshToken != ""
	if c.Env == "" {
		if credentials {
			return c, Usage(errors.New("credentials are set, but no environment: name one with --env or TTAI_ENV: sandbox, production (real money) or simulator"))
		}
		c.Env = string(broker.Simulator)
	}
	switch broker.Environment(c.Env) {
	case broker.Simulator:
	case broker.Sandbox, broker.Production:
		if !credentials {
			kept, found, err := s.keptGrant(StoreFlags{}, c.Env, Tastytrade, storage.Local)
			if err != nil {
				return c, fmt.Errorf("the environment is %s, no variable holds credentials, and the vault cannot be asked: %w", c.Env, err)
			}
			if found {
				c.ClientID, c.ClientSecret, c.RefreshToken, c.FromVault = kept.ID, kept.Secret, kept.Refresh, true
			}
		}
		if c.ClientSecret == "" || c.RefreshToken == "" {
			return c, Usage(fmt.Errorf("the environment is %s, but TTAI_CLIENT_SECRET or TTAI_REFRESH_TOKEN is not set, and 'ttai login' has put no grant into its vault; without an account use --env simulator", c.Env))
		}
		if c.URL != "" {
			return c, invalid.Field("url", c.URL, "no URL unless the environment is simulator: credentials go to tastytrade's own hosts only")
		}
	default:
		return c, invalid.Field("env", c.Env, "simulator, sandbox or production")
	}
	return c, nil
}
