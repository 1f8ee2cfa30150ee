package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// The kinds of entries that a [Guard] writes to its [Journal].
const (
	EntryPreviewed   = "order.previewed"  // stored, with its exact bytes
	EntryRefused     = "order.refused"    // by a limit; Limits says which
	EntryAsked       = "order.asked"      // shown to a person
	EntryApproved    = "order.approved"   // Approval says by whom and how
	EntryDeclined    = "order.declined"   // the preview is void
	EntryClaimed     = "order.claimed"    // the preview is spent
	EntrySending     = "order.sending"    // the exact bytes are sent next
	EntryAnswered    = "order.answered"   // the broker took it
	EntryRejected    = "order.rejected"   // the broker refused it
	EntryNotSent     = "order.not-sent"   // certainly
	EntryUncertain   = "order.uncertain"  // the answer did not come
	EntryReconciled  = "order.reconciled" // what became of an order without an answer
	EntryEngaged     = "kill.engaged"
	EntryLifted      = "kill.lifted"
	EntryPinned      = "settings.pinned" // the first settings for real money
	EntrySettingsSet = "settings.changed"
)

// An Entry is what a [JournalEntry]'s Data say, as JSON. It holds no secrets.
type Entry struct {
	Preview     string          `json:"preview,omitempty"`
	Kind        IntentKind      `json:"kind,omitempty"`
	Environment Environment     `json:"environment"`
	Account     AccountID       `json:"account,omitempty"`
	Digest      *Digest         `json:"digest,omitempty"`
	Bytes       json.RawMessage `json:"bytes,omitempty"` // exactly what is sent
	Words       string          `json:"words,omitempty"`
	Limits      []Violation     `json:"limits,omitempty"`
	Approval    *Approval       `json:"approval,omitempty"`
	Method      string          `json:"method,omitempty"`
	State       OutcomeState    `json:"state,omitempty"`
	Orders      []EntryOrder    `json:"orders,omitempty"`
	By          string          `json:"by,omitempty"`
	Reason      string          `json:"reason,omitempty"`
}

// An EntryOrder is a broker's answer about one order.
type EntryOrder struct {
	ID     OrderID `json:"id"`
	Tag    string  `json:"tag,omitempty"`
	Status Status  `json:"status"`
	Reason string  `json:"reason,omitempty"`
}

func entryOrders(states []OrderState) []EntryOrder {
	var out []EntryOrder
	for _, s := range states {
		out = append(out, EntryOrder{s.ID, s.Order.Tag, s.Status, s.Reason})
	}
	return out
}

// bookkeeping is how long what follows a send may take, whatever became of the
// caller's context.
const bookkeeping = 15 * time.Second

// write appends an entry. Its error is an ErrJournal.
func (g *Guard) write(ctx context.Context, kind string, e Entry) error {
	e.Environment = g.Environment()
	data, err := json.Marshal(e)
	if err == nil {
		err = g.journal.Append(ctx, kind, data)
	}
	if err != nil {
		g.log.ErrorContext(ctx, "the journal cannot be written", "entry", kind, "preview", e.Preview, "error", err)
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	g.log.InfoContext(ctx, kind, "preview", e.Preview, "account", e.Account, "kind", e.Kind)
	return nil
}

func (r *record) entry() Entry {
	digest := r.digest()
	return Entry{Preview: r.ID, Kind: r.Kind, Account: r.Account, Digest: &digest}
}

// refused writes a refusal to the journal and returns it, together with what kept
// the journal from being written.
func (g *Guard) refused(ctx context.Context, e Entry, refusal *RefusedError) error {
	e.Limits = refusal.Violations
	if err := g.write(ctx, EntryRefused, e); err != nil {
		return errors.Join(refusal, err)
	}
	return refusal
}

// Audit yields the journal from an entry on, the first being 1. Entries that are no
// guard's have only their Kind and Time.
func (g *Guard) Audit(ctx context.Context, from uint64) iter.Seq2[AuditEntry, error] {
	return func(yield func(AuditEntry, error) bool) {
		for line, err := range g.journal.Read(ctx, from) {
			a := AuditEntry{Seq: line.Seq, Time: line.Time, What: line.Kind}
			if err == nil && json.Unmarshal(line.Data, &a.Entry) != nil {
				a.Entry = Entry{}
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// An AuditEntry is one line of the journal, read.
type AuditEntry struct {
	Seq  uint64
	Time time.Time
	What string // one of the Entry constants
	Entry
}
