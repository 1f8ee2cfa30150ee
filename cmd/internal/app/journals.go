package app

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// A JournalReport is what was found about one journal. It can be shown: a tenant
// other than the local one is told by a digest of its name.
type JournalReport struct {
	Tenant   string `json:"tenant"`
	Journal  string `json:"journal"`
	Entries  uint64 `json:"entries"`
	Head     string `json:"head"`
	Anchored uint64 `json:"anchored"` // the newest head that object stores keep; 0: none
	Problem  string `json:"problem,omitempty"`

	id   storage.JournalID
	err  error
	head storage.JournalHead
}

// shownTenant tells tenants apart without naming them.
func shownTenant(id storage.TenantID) string {
	if id == storage.Local {
		return string(id)
	}
	sum := sha256.Sum256([]byte(id))
	return "tenant-" + hex.EncodeToString(sum[:4])
}

// journalIDs lists the journals there are, and those of which an anchor keeps
// heads though the store has them no more.
func (s *Store) journalIDs(ctx context.Context, anchors *Anchors) ([]storage.JournalID, error) {
	opened, err := s.parts["journal"].opened(ctx)
	if err != nil {
		return nil, err
	}
	var ids []storage.JournalID
	tenants := map[storage.TenantID]bool{storage.Local: true}
	if lister, ok := opened.(storage.JournalLister); ok {
		for id, err := range lister.Journals(ctx) {
			if err != nil {
				return nil, err
			}
			ids = append(ids, id)
			tenants[id.Tenant] = true
		}
	}
	for _, e := range anchors.stores {
		for tenant := range tenants {
			objects, err := e.anchorObjects(tenant)
			if err != nil {
				return nil, err
			}
			for o, err := range objects.List(ctx, "heads/", "") {
				if err != nil {
					return nil, fmt.Errorf("anchor %s: %w", e.url, err)
				}
				words := strings.Split(o.Key, "/")
				if id := (storage.JournalID{Tenant: tenant, Name: words[1]}); !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
	}
	slices.SortFunc(ids, func(a, b storage.JournalID) int {
		return strings.Compare(string(a.Tenant)+"\x00"+a.Name, string(b.Tenant)+"\x00"+b.Name)
	})
	return ids, nil
}

// VerifyJournals reads every journal of every tenant whole, and holds it against
// the heads that object stores keep. What is wrong with a journal stands in its
// report; the error is for what kept it from being looked at.
func (s *Store) VerifyJournals(ctx context.Context) ([]JournalReport, error) {
	anchors, err := s.Anchors()
	if err != nil {
		return nil, err
	}
	defer anchors.Close()
	var public ed25519.PublicKey
	if len(anchors.stores) > 0 {
		key, err := s.JournalKey(false)
		switch {
		case err == nil:
			public = key.Public().(ed25519.PublicKey)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	ids, err := s.journalIDs(ctx, anchors)
	if err != nil {
		return nil, err
	}
	var reports []JournalReport
	for _, id := range ids {
		r := JournalReport{Tenant: shownTenant(id.Tenant), Journal: id.Name, id: id}
		r.head, r.Anchored, r.err = s.verify(ctx, id, anchors, public)
		r.Entries, r.Head = r.head.Seq, r.head.Hash.String()
		if r.err != nil {
			if ctx.Err() != nil {
				return reports, ctx.Err()
			}
			r.Problem = r.err.Error()
		}
		reports = append(reports, r)
	}
	return reports, nil
}

func (s *Store) verify(ctx context.Context, id storage.JournalID, anchors *Anchors, public ed25519.PublicKey) (storage.JournalHead, uint64, error) {
	var known []storage.JournalHead
	var newest uint64
	for _, e := range anchors.stores {
		objects, err := e.anchorObjects(id.Tenant)
		if err != nil {
			return storage.JournalHead{}, 0, err
		}
		if public == nil {
			for _, err := range objects.List(ctx, "heads/"+id.Name+"/", "") {
				if err == nil {
					err = fmt.Errorf("it keeps heads, and %s, whose key signed them, is not there: put it back", s.JournalKeyFile())
				}
				return storage.JournalHead{}, 0, fmt.Errorf("anchor %s: %w", e.url, err)
			}
			continue // nothing was ever signed here
		}
		heads, err := storage.AnchoredHeads(ctx, id, objects, public)
		if err != nil {
			return storage.JournalHead{}, 0, fmt.Errorf("anchor %s: %w", e.url, err)
		}
		for _, h := range heads {
			newest = max(newest, h.Seq)
		}
		known = append(known, heads...)
	}
	h, err := s.For(id.Tenant)
	if err != nil {
		return storage.JournalHead{}, newest, err
	}
	j, err := h.Journal(id.Name)
	if err != nil {
		return storage.JournalHead{}, newest, err
	}
	head, err := storage.VerifyJournal(ctx, id, j, known...)
	return head, newest, err
}

// AnchorJournals verifies every journal, signs its head and sends it to all
// anchors. A journal that is not what was written is not signed: its report says
// why. The key is made when there is none.
func (s *Store) AnchorJournals(ctx context.Context, now time.Time) ([]JournalReport, ed25519.PublicKey, error) {
	anchors, err := s.Anchors()
	if err != nil {
		return nil, nil, err
	}
	defer anchors.Close()
	if anchors.None() {
		return nil, nil, Usage(errors.New("no anchor is set: name webhooks or object stores with TTAI_ANCHORS, or anchors in config.json"))
	}
	key, err := s.JournalKey(true)
	if err != nil {
		return nil, nil, err
	}
	reports, err := s.VerifyJournals(ctx)
	if err != nil {
		return reports, nil, err
	}
	for i := range reports {
		r := &reports[i]
		if r.err != nil {
			continue
		}
		to, err := anchors.to(r.id.Tenant, key)
		if err != nil {
			return reports, nil, err
		}
		h, err := s.For(r.id.Tenant)
		if err != nil {
			return reports, nil, err
		}
		j, err := h.Journal(r.id.Name)
		if err != nil {
			return reports, nil, err
		}
		signed, err := storage.AnchorJournal(ctx, r.id, j, key, now, to...)
		if err != nil {
			r.err, r.Problem = err, err.Error()
			continue
		}
		r.Anchored = signed.Seq
	}
	return reports, key.Public().(ed25519.PublicKey), nil
}
