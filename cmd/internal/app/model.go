package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/agents/anthropic"
	"github.com/ttai-go/ttai/agents/openai"
	"github.com/ttai-go/ttai/internal/invalid"
)

// ModelFlags say which model explains what rules have computed, if any does.
type ModelFlags struct {
	Model       string `help:"Model that explains the evidence, provider/model. Default: none, rules alone." placeholder:"NAME"`
	ModelURL    string `name:"model-url" help:"Address of the model's server, for providers that have no fixed one." placeholder:"URL"`
	ModelBudget string `name:"model-budget" help:"Most that one analysis may cost, in US dollars. The model must have a price then." placeholder:"USD"`
}

// A provider is where models are served.
type provider struct {
	name string
	url  string // empty: the package's own, or the setting's
	key  string // the variable with its key; empty: it wants none
}

// providers lists those whose address is known. Any other name is taken for a server
// that speaks OpenAI's interface at model-url.
func providers() []provider {
	return []provider{
		{"anthropic", anthropic.BaseURL, "ANTHROPIC_API_KEY"},
		{"openai", openai.BaseURL, "OPENAI_API_KEY"},
		{"gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"},
		{"openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"},
		{"ollama", "http://localhost:11434/v1", ""},
		{"vllm", "http://localhost:8000/v1", ""},
	}
}

// ErrNoModel: no setting names a model.
var ErrNoModel = errors.New("no model is configured")

// OpenModel returns the model of the settings, or ErrNoModel. Its key is read from the
// setting model-key, or the variable of its provider, before each request.
func (f ModelFlags) OpenModel(sources *Sources) (agents.Model, error) {
	if f.Model == "" {
		return nil, ErrNoModel
	}
	name, _, err := agents.SplitName(f.Model)
	if err != nil {
		return nil, invalid.Field("model", f.Model, "provider/model, such as anthropic/claude-sonnet-4-6 or ollama/llama3.3")
	}
	p := provider{name: name}
	if i := slices.IndexFunc(providers(), func(p provider) bool { return p.name == name }); i >= 0 {
		p = providers()[i]
	}
	if f.ModelURL != "" {
		p.url = strings.TrimSuffix(f.ModelURL, "/")
	}
	if p.url == "" {
		return nil, invalid.Missing("model-url", "the address of the server of "+name+", such as https://host/v1")
	}
	key := func(context.Context) (string, error) {
		if value := sources.Lookup("model-key"); value != "" {
			return value, nil
		}
		if p.key != "" {
			if value := sources.getenv(p.key); value != "" {
				return value, nil
			}
		}
		return "", invalid.Missing(cmp.Or(p.key, "TTAI_MODEL_KEY"), "the key of "+name)
	}
	if p.key == "" && sources.Lookup("model-key") == "" {
		key = nil
	}
	if name == "anthropic" {
		return anthropic.New(f.Model, key, &anthropic.Options{BaseURL: p.url})
	}
	return openai.New(f.Model, key, &openai.Options{BaseURL: p.url})
}

// Limits are the budget of one analysis.
func (f ModelFlags) Limits() (agents.Limits, error) {
	if f.ModelBudget == "" {
		return agents.Limits{}, nil
	}
	money, err := decimal.NewFromString(f.ModelBudget)
	if err != nil || !money.IsPositive() {
		return agents.Limits{}, invalid.Field("model-budget", f.ModelBudget, "a positive amount of US dollars, such as 0.25")
	}
	return agents.Limits{Money: money}, nil
}

// Mind returns the model of the settings as analysts take it; nil when none is named.
// What the settings keep secret is kept from it.
func (f ModelFlags) Mind(sources *Sources) (*analysts.Mind, error) {
	model, err := f.OpenModel(sources)
	if errors.Is(err, ErrNoModel) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	mind := &analysts.Mind{Model: model}
	if mind.Limits, err = f.Limits(); err != nil {
		return nil, err
	}
	for _, name := range []string{"client-secret", "refresh-token", "http-token", "embedder-key", "model-key"} {
		mind.Secrets = append(mind.Secrets, sources.Lookup(name))
	}
	for _, p := range providers() {
		if p.key != "" {
			mind.Secrets = append(mind.Secrets, sources.getenv(p.key))
		}
	}
	return mind, nil
}
