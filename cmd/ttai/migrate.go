package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

type migrateCommand struct {
	Status migrateStatus `cmd:"" help:"List the migrations of the store's layout, and which are applied."`
	Up     migrateUp     `cmd:"" help:"Apply the migrations that are missing."`
	Down   migrateDown   `cmd:"" help:"Take back the newest migration, with the data that only it could hold."`
}

// Help is shown below the commands.
func (migrateCommand) Help() string {
	return `Examples:
  ttai migrate status
  TTAI_STORE=postgres://… ttai migrate up --json

Programs bring the store up to date when they open it; this is for doing it at a time of your choosing, or looking first.
SQLite and PostgreSQL have layouts; other engines have none.
Exit code: 0 done, 1 it failed, 2 the settings are wrong.`
}

// storeCommand are the flags of the commands about the store.
type storeCommand struct {
	app.StoreFlags
	Env  string `help:"Environment whose data they are: simulator, sandbox or production." placeholder:"NAME"`
	JSON bool   `name:"json" help:"Print JSON."`
}

// tenantCommand are those of commands about what the scheduler does for somebody.
type tenantCommand struct {
	storeCommand
	Tenant string `help:"Whose: one of the tenants that ttai-scheduler serves." default:"local" placeholder:"ID"`
}

// with opens what the flags name, for as long as f takes.
func (c storeCommand) with(s *session, f func(context.Context, *app.Store) error) error {
	store, err := c.OpenStore(c.Env, s.sources, s.std)
	if err != nil {
		return err
	}
	return errors.Join(f(s.ctx, store), store.Close())
}

// print writes v as JSON, or as f says.
func (c storeCommand) print(s *session, v any, f func(io.Writer)) error {
	if c.JSON {
		return json.NewEncoder(s.std.Out).Encode(v)
	}
	f(s.std.Out)
	return nil
}

type migrateStatus struct{ storeCommand }

// Run lists the migrations.
func (c migrateStatus) Run(s *session) error {
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		list, err := store.Engines(ctx)
		if err != nil {
			return err
		}
		return c.showMigrations(s, list)
	})
}

type migrateUp struct{ storeCommand }

// Run applies what is missing.
func (c migrateUp) Run(s *session) error {
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		list, err := store.Migrate(ctx, false)
		if err != nil {
			return err
		}
		return c.showMigrations(s, list)
	})
}

type migrateDown struct {
	storeCommand
	Yes bool `help:"Do it, although data may be lost. Make a backup first."`
}

// Run takes one migration back.
func (c migrateDown) Run(s *session) error {
	if !c.Yes {
		return app.Usage(errors.New("this deletes what only the newest migration can hold; below the first one that is everything. Make a backup with 'ttai backup', then say --yes"))
	}
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		list, err := store.Migrate(ctx, true)
		if err != nil {
			return err
		}
		return c.showMigrations(s, list)
	})
}

// migrationLine is one line of the answer.
type migrationLine struct {
	Store   string `json:"store"`
	Version int64  `json:"version"`
	Name    string `json:"name"`
	Applied bool   `json:"applied"`
}

func (c storeCommand) showMigrations(s *session, list []app.EngineReport) error {
	type answer struct {
		app.EngineReport
		Migrations []migrationLine `json:"migrations"`
	}
	answers := []answer{}
	for _, r := range list {
		a := answer{EngineReport: r, Migrations: []migrationLine{}}
		for _, m := range r.Migrations {
			a.Migrations = append(a.Migrations, migrationLine{r.Store, m.Version, m.Name, m.Applied})
		}
		answers = append(answers, a)
	}
	return c.print(s, answers, func(out io.Writer) {
		for _, a := range answers {
			state := fmt.Sprintf("layout %d, %d missing", a.Version, a.Pending)
			switch {
			case a.Absent:
				state = "not there yet; made at the first use"
			case !a.Migrates():
				state = "no layout"
			}
			fmt.Fprintf(out, "%s (%s): %s\n", a.Store, strings.Join(a.Parts, ", "), state)
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			for _, m := range a.Migrations {
				applied := "missing"
				if m.Applied {
					applied = "applied"
				}
				fmt.Fprintf(table, "  %s\t%d\t%s\n", applied, m.Version, m.Name)
			}
			_ = table.Flush() // what it writes to is checked by whoever reads it
		}
	})
}
