package app

import (
	"context"
	"strconv"
	"strings"

	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/agents/openai"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// OpenKnowledge returns a tenant's knowledge base with the embedder that the
// settings name, and the starter library in it; that of [knowledge.Shared] is the
// one that all tenants read. Nothing is opened before it is used.
func OpenKnowledge(store storage.Store, tenant storage.TenantID, sources *Sources) (*knowledge.Base, error) {
	embedder, err := embedderOf(sources)
	if err != nil {
		return nil, err
	}
	opts := &knowledge.Options{Embedder: embedder, Starter: true}
	if tenant == knowledge.Shared {
		return knowledge.OpenShared(store, opts)
	}
	return knowledge.Open(store, tenant, opts)
}

// embedderOf reads the settings; nil: none is named.
func embedderOf(sources *Sources) (knowledge.Embedder, error) {
	setting := strings.TrimSpace(sources.Lookup("embedder"))
	if setting == "" {
		return nil, nil
	}
	const form = "provider/model@dimensions, such as openai/text-embedding-3-small@1536"
	at := strings.LastIndexByte(setting, '@')
	if at < 0 {
		return nil, invalid.Field("embedder", setting, form)
	}
	dims, err := strconv.Atoi(setting[at+1:])
	if err != nil {
		return nil, invalid.Field("embedder", setting, form)
	}
	var key func(context.Context) (string, error)
	if sources.Lookup("embedder-key") != "" {
		key = func(context.Context) (string, error) { return sources.Lookup("embedder-key"), nil }
	}
	return openai.NewEmbedder(setting[:at], dims, key, &openai.EmbedderOptions{BaseURL: sources.Lookup("embedder-url")})
}
