package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/postgres"
	"github.com/ttai-go/ttai/storage/sqlite"
)

// An EngineReport says what one engine of a store is for and where it stands. It
// holds no secrets.
type EngineReport struct {
	Store      string              `json:"store"` // without user, password and parameters
	Engine     string              `json:"engine"`
	Parts      []string            `json:"parts"`
	Migrations []storage.Migration `json:"-"`
	Version    int64               `json:"version"`          // of its layout; 0 when it has none
	Pending    int                 `json:"pending"`          // migrations that are missing
	Absent     bool                `json:"absent,omitempty"` // a file that was not made yet

	migrator storage.Migrator
	engine   *engine
}

// Migrates tells whether the engine has a layout that changes between versions.
func (r *EngineReport) Migrates() bool { return r.migrator != nil }

// engineReports lists the engines without asking them anything.
func (s *Store) engineReports() ([]EngineReport, error) {
	var out []EngineReport
	for _, e := range s.engines {
		r := EngineReport{Store: e.url.String(), Engine: e.url.kind, engine: e}
		for _, part := range storeParts {
			if s.parts[part] == e {
				r.Parts = append(r.Parts, part)
			}
		}
		var err error
		switch e.url.kind {
		case "sqlite":
			var path string
			if path, err = e.url.path(); err == nil {
				_, stat := os.Stat(path)
				r.Absent = errors.Is(stat, fs.ErrNotExist)
				r.migrator, err = sqlite.NewMigrator(path)
			}
		case "postgres":
			r.migrator, err = postgres.NewMigrator(e.url.raw, nil)
		}
		if err != nil {
			return nil, fmt.Errorf("store %s: %w", e.url, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// Engines lists the engines of the store with their migrations. It changes
// nothing, and makes no file.
func (s *Store) Engines(ctx context.Context) ([]EngineReport, error) {
	out, err := s.engineReports()
	if err != nil {
		return nil, err
	}
	for i := range out {
		r := &out[i]
		if r.migrator == nil || r.Absent {
			continue
		}
		if r.Migrations, err = r.migrator.Status(ctx); err != nil {
			return out[:i], fmt.Errorf("store %s: %w%s", r.Store, err, remedyOf(r.engine.url, err))
		}
		for _, m := range r.Migrations {
			if m.Applied {
				r.Version = max(r.Version, m.Version)
			} else {
				r.Pending++
			}
		}
	}
	return out, nil
}

// Migrate brings every engine up to date, or takes back the newest migration of
// each, and returns how they stand afterwards.
func (s *Store) Migrate(ctx context.Context, down bool) ([]EngineReport, error) {
	list, err := s.engineReports()
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		if r.migrator == nil || down && r.Absent {
			continue
		}
		step := r.migrator.Up
		if down {
			step = r.migrator.Down
		}
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("store %s: %w%s", r.Store, err, remedyOf(r.engine.url, err))
		}
	}
	return s.Engines(ctx)
}

// Ready opens every engine, so that one which cannot be used is found now. A
// folder of objects that was not made yet is left so.
func (s *Store) Ready(ctx context.Context) error {
	var failed []error
	for _, e := range s.engines {
		if e.url.kind == "file" && isAbsent(e.url) {
			continue
		}
		_, err := e.opened(ctx)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
