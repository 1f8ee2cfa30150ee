package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/storage"
)

// checkStore looks at where data are kept, and at the journals in it. It makes
// no file, migrates nothing, and names no tenant.
func (c doctorCommand) checkStore(s *session, env string) ([]check, error) {
	setting := c.Store != "" || s.sources.Lookup("store") != ""
	if !setting && s.std.Environment.DataDir == "" {
		return []check{{"store", "ok", "none is named, and this system names no folder for data", ""}}, nil
	}
	store, err := c.OpenStore(env, s.sources, s.std)
	if err != nil {
		return []check{{"store", "failed", err.Error(), "see docs/storage.md for how a store is named"}}, app.Usage(err)
	}
	defer store.Close()
	ctx, cancel := context.WithTimeout(s.ctx, c.Timeout)
	defer cancel()
	found, usable, err := engineChecks(ctx, store)
	if err != nil || !usable {
		return found, err
	}
	journals, err := c.checkJournals(s, store)
	return append(found, journals), err
}

// engineChecks has a line for each engine, and tells whether all can be read.
func engineChecks(ctx context.Context, store *app.Store) (found []check, usable bool, err error) {
	list, err := store.Engines(ctx)
	if err != nil {
		return []check{{"store", "failed", err.Error(), storeRemedy(err)}}, false, errUnwell
	}
	usable = true
	for _, r := range list {
		detail := fmt.Sprintf("%s has %s", r.Store, strings.Join(r.Parts, ", "))
		switch {
		case r.Absent:
			found = append(found, check{"store", "ok", r.Store + " is not there yet; it is made at the first use", ""})
			usable = false
		case r.Pending > 0:
			found = append(found, check{"store", "warning", fmt.Sprintf("%s; layout %d, %d migrations are missing", detail, r.Version, r.Pending), "make a backup with 'ttai backup', then run 'ttai migrate up'; a program that opens the store does the same"})
			usable = false
		case r.Migrates():
			found = append(found, check{"store", "ok", fmt.Sprintf("%s; layout %d", detail, r.Version), ""})
		default:
			found = append(found, check{"store", "ok", detail, ""})
		}
	}
	if !usable {
		return found, false, nil
	}
	if err := store.Ready(ctx); err != nil {
		return append(found, check{"store", "failed", err.Error(), storeRemedy(err)}), false, errUnwell
	}
	return found, true, nil
}

func storeRemedy(err error) string {
	switch {
	case errors.Is(err, storage.ErrNewer):
		return "a newer ttai wrote the store: update this one"
	case errors.Is(err, storage.ErrCorrupt):
		return "keep the damaged file, and restore a backup with 'ttai restore'"
	case errors.Is(err, storage.ErrUnavailable):
		return "see that the server runs, or the folder exists, and that TTAI_STORE names it rightly"
	}
	return "see the message, and docs/storage.md"
}

// checkJournals verifies the chains of all journals and the heads kept elsewhere.
func (c doctorCommand) checkJournals(s *session, store *app.Store) (check, error) {
	const name = "journals"
	reports, err := store.VerifyJournals(s.ctx)
	if app.IsUsage(err) {
		return check{name, "failed", err.Error(), "see docs/storage.md for what an anchor can be"}, err
	}
	if err != nil {
		return check{name, "failed", err.Error(), storeRemedy(err)}, errUnwell
	}
	var entries uint64
	var problems []string
	behind := 0
	for _, r := range reports {
		entries += r.Entries
		if r.Problem != "" {
			problems = append(problems, r.Tenant+": "+r.Problem)
		}
		if r.Anchored < r.Entries {
			behind++
		}
	}
	switch {
	case len(problems) > 0:
		return check{name, "failed", strings.Join(problems, "; "), "the store was changed behind the program's back, or damaged: keep a copy of it, compare it with a backup, and trust nothing from that entry on"}, errUnwell
	case len(reports) == 0:
		return check{name, "ok", "there is none yet", ""}, nil
	}
	detail := fmt.Sprintf("%d, of %d entries in all: every chain is whole", len(reports), entries)
	anchors, err := store.Anchors()
	if err != nil {
		return check{name, "failed", err.Error(), ""}, err
	}
	defer anchors.Close()
	if anchors.None() {
		return check{name, "ok", detail + "; no anchor is set, so a journal that was written anew would not be found", "name one with TTAI_ANCHORS and run 'ttai journal anchor' from a timer, when that matters"}, nil
	}
	if behind > 0 {
		return check{name, "ok", fmt.Sprintf("%s; %d have entries since their last kept head", detail, behind), "run 'ttai journal anchor', best from a timer"}, nil
	}
	return check{name, "ok", detail + ", up to heads kept elsewhere", ""}, nil
}
