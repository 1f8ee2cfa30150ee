package main

import (
	"context"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
	"github.com/ttai-go/ttai/workflow/river"
)

// openEngine opens the engine of the workflows: River when records lie in
// PostgreSQL, the step journal otherwise, and in a dry look one whose runs end with
// the process. The first two go on with what processes that died left behind.
func (h *house) openEngine(ctx context.Context, kept *app.Store) (workflow.Engine, error) {
	var workflows []workflow.Workflow
	if !h.cli.List { // which only looks, and must not go on with anybody's runs
		var err error
		if workflows, err = h.workflows(); err != nil {
			return nil, err
		}
	}
	if !h.dry {
		if url, schema, ok := kept.PostgresURL("records"); ok {
			engine, err := river.Open(ctx, url, h.tenant.ID(), workflows, &river.Options{
				Schema: schema + "_workflow", Clock: h.workings, Logger: h.logger, Lease: h.cli.Takeover,
			})
			if err != nil {
				return nil, err // not a nil *Engine
			}
			return engine, nil
		}
	}
	engine, err := journal.New(ctx, h.tenant, workflows, &journal.Options{Clock: h.workings, Logger: h.logger, Lease: h.cli.Takeover})
	if err != nil {
		return nil, err
	}
	return engine, nil
}
