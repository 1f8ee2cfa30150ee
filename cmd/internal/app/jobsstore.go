package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/url"
	"strings"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// AnalyzeJob is the workflow of jobs that analyse the symbols of their data.
const AnalyzeJob = "analyze"

// JobWorkflows are what a job can run: the work of the default jobs, and others
// that need data.
func JobWorkflows() []string {
	names := []string{AnalyzeJob}
	for _, j := range schedule.DefaultJobs() {
		names = append(names, j.WorkflowName())
	}
	return names
}

// The seed of the jobs' jitter in a tenant's store.
const (
	seedSpace = "scheduler"
	seedKey   = "seed"
)

// JitterSeed returns the seed by which a store's jobs are spread. It is made at the
// first use, at random, so that installations differ and all schedulers of one agree.
func JitterSeed(ctx context.Context, tenant storage.Tenant) (uint64, error) {
	kv, err := tenant.KV(seedSpace)
	if err != nil {
		return 0, err
	}
	made := make([]byte, 8)
	_, _ = rand.Read(made) // which never fails
	for {
		kept, err := kv.Get(ctx, seedKey)
		switch {
		case err == nil && len(kept.Data) == len(made):
			return binary.BigEndian.Uint64(kept.Data), nil
		case err != nil && !errors.Is(err, storage.ErrNotFound):
			return 0, err
		}
		expected := kept.Version // NoVersion when there is none
		if _, err := kv.CompareAndSet(ctx, seedKey, expected, made, 0); err != nil && !errors.Is(err, storage.ErrConflict) {
			return 0, err
		}
	}
}

// PostgresURL returns the whole URL, password included, of the PostgreSQL that a
// part of the store lies in, for engines that keep tables of their own beside it,
// and the schema of the store's own tables; false when the part lies elsewhere. The
// URL must not be logged.
func (s *Store) PostgresURL(part string) (address, schema string, ok bool) {
	e, ok := s.parts[part]
	if !ok || e.url.kind != "postgres" {
		return "", "", false
	}
	before, after, _ := strings.Cut(e.url.raw, "?")
	query, err := url.ParseQuery(after)
	if err != nil {
		return "", "", false // opening the store says what is wrong
	}
	if schema = query.Get("search_path"); schema == "" {
		schema = "ttai"
	}
	query.Del("search_path")
	if len(query) > 0 {
		before += "?" + query.Encode()
	}
	return before, schema, true
}
