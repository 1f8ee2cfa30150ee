package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

type journalCommand struct {
	Verify journalVerify `cmd:"" help:"Read every journal whole, and hold it against the heads that were kept elsewhere."`
	Anchor journalAnchor `cmd:"" help:"Verify every journal, sign its head, and send it to the anchors."`
}

// Help is shown below the commands.
func (journalCommand) Help() string {
	return `Examples:
  ttai journal verify
  TTAI_ANCHORS='https://hooks.example.com/… s3://audit' ttai journal anchor --json

A journal is append-only and each entry has the hash of the one before. Whoever owns the database could still write it
anew from some entry on: a head that was signed and kept elsewhere finds that out. Anchor from a timer, as often as you
want to be able to tell. The key lies in journal.key beside config.json and is made the first time.
Exit code: 0 all is well, 1 a journal is not what was written or an anchor failed, 2 the settings are wrong.`
}

// errJournals makes the exit code 1 after a report that says why.
var errJournals = errors.New("a journal has a problem; the report above says which")

type journalVerify struct{ storeCommand }

// Run verifies the journals.
func (c journalVerify) Run(s *session) error {
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		reports, err := store.VerifyJournals(ctx)
		if err != nil {
			return err
		}
		return c.showJournals(s, reports, nil)
	})
}

type journalAnchor struct{ storeCommand }

// Run anchors the journals.
func (c journalAnchor) Run(s *session) error {
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		reports, key, err := store.AnchorJournals(ctx, time.Now())
		if err != nil {
			return err
		}
		return c.showJournals(s, reports, key)
	})
}

func (c storeCommand) showJournals(s *session, reports []app.JournalReport, key []byte) error {
	answer := struct {
		Journals []app.JournalReport `json:"journals"`
		Key      []byte              `json:"key,omitempty"` // the public key
	}{append([]app.JournalReport{}, reports...), key}
	err := c.print(s, answer, func(out io.Writer) {
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, r := range reports {
			state := "ok"
			if r.Problem != "" {
				state = "PROBLEM: " + r.Problem
			}
			fmt.Fprintf(table, "%s\t%s\t%d entries\tanchored to %d\t%s\n", r.Tenant, r.Journal, r.Entries, r.Anchored, state)
		}
		_ = table.Flush() // what it writes to is checked by whoever reads it
		if len(reports) == 0 {
			fmt.Fprintln(out, "there is no journal yet")
		}
		if key != nil {
			fmt.Fprintf(out, "signed by the public key %s\n", base64.StdEncoding.EncodeToString(key))
		}
	})
	if err != nil {
		return err
	}
	for _, r := range reports {
		if r.Problem != "" {
			return errJournals
		}
	}
	return nil
}
