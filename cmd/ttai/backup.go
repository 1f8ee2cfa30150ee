package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

type backupCommand struct {
	storeCommand
	File  string `arg:"" help:"The file to write." placeholder:"FILE"`
	Force bool   `help:"Replace the file when it is there."`
}

// Help is shown below the flags.
func (backupCommand) Help() string {
	return `Examples:
  ttai backup ttai-2026-11-20.backup
  ttai backup --env production --store sqlite:///srv/ttai/ttai.db /backups/ttai.backup --force

It copies the store's SQLite files and folders of objects into one file, readable by you only, while other programs go on.
Engines that run elsewhere are left out, and named with the tool that copies them. The master keys of the vault are not in
it: keep vault.key somewhere else, since the two together open every secret.
Exit code: 0 written, 1 it failed, 2 the settings are wrong or the file is there.`
}

// Run writes the backup.
func (c backupCommand) Run(s *session) error {
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		b, err := store.Backup(ctx, c.File, c.Force, time.Now())
		if err != nil {
			return err
		}
		for _, left := range b.LeftOut {
			fmt.Fprintf(s.std.Err, "not in the backup: %s\n", left)
		}
		return c.print(s, b, func(out io.Writer) {
			fmt.Fprintf(out, "wrote %s: %d files, %d bytes before compression\n", c.File, b.Files, b.Bytes)
		})
	})
}

type restoreCommand struct {
	storeCommand
	File string `arg:"" help:"A file that 'ttai backup' wrote." placeholder:"FILE"`
	Yes  bool   `help:"Replace what the store holds."`
}

// Help is shown below the flags.
func (restoreCommand) Help() string {
	return `Examples:
  ttai restore ttai-2026-11-20.backup --yes

It replaces what the store's SQLite files and folders of objects hold; what was written since the backup is lost. Other
programs may go on: they see the old records or the new. A backup that is damaged, or made by a newer program, changes
nothing.
Exit code: 0 restored, 1 it failed, 2 the settings are wrong or --yes is missing.`
}

// Run puts the backup in place.
func (c restoreCommand) Run(s *session) error {
	if !c.Yes {
		return app.Usage(errors.New("this replaces what the store holds, and what was written since the backup is lost: make a backup of it first, then say --yes"))
	}
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		b, err := store.Restore(ctx, c.File)
		if err != nil {
			return err
		}
		return c.print(s, b, func(out io.Writer) {
			fmt.Fprintf(out, "restored %d files, %d bytes, as they were at %s\n", b.Files, b.Bytes, b.Made.Format(time.RFC3339))
		})
	})
}
