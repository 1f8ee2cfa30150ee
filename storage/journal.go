package storage

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Journal is what happened, in order and for good: orders, approvals, changes of
// limits and roles. There is no method that changes or removes an entry, and each
// carries the hash of the one before, so that a change made behind the program's
// back is found by [VerifyJournal]. Implementations are safe for concurrent use
// and pass storagetest.TestJournal.
//
// Entries of one journal have the numbers 1, 2, 3, … without a gap, whoever
// appends, and are durable once Append has returned.
type Journal interface {
	// Append adds entries at the end, all or none and next to each other, and
	// returns them as they stand in the journal.
	Append(ctx context.Context, entries ...NewEntry) ([]Entry, error)
	// Read yields the entries from number from on, in order; 0 and 1 are the
	// beginning. It yields what is stored, damaged or not. The loop may use the
	// store.
	Read(ctx context.Context, from uint64) iter.Seq2[Entry, error]
	// Head returns the number and hash of the last entry; [JournalGenesis] when
	// there is none.
	Head(ctx context.Context) (JournalHead, error)
}

// A NewEntry is what is appended to a journal.
type NewEntry struct {
	Kind string // what happened, 1 to 64 of CheckName's form: "order.placed"
	Data []byte // at most 1 MB, any bytes; JSON by custom. It must not hold secrets.
}

// An Entry is one line of a journal.
type Entry struct {
	Seq  uint64    // 1 for the first
	Time time.Time // when it was appended, to the microsecond, by the engine's clock
	Kind string
	Data []byte
	Prev Hash // of the entry before; JournalGenesis's for the first
	Hash Hash // of this one: see [Entry.Sum]
}

// A JournalHead is the end of a journal: the hash of the last entry stands for
// all entries up to it.
type JournalHead struct {
	Seq  uint64 `json:"seq"` // 0 when the journal is empty
	Hash Hash   `json:"hash"`
}

// A JournalID tells one journal from all others. It is part of what is hashed, so
// that no journal passes for another tenant's.
type JournalID struct {
	Tenant TenantID `json:"tenant"`
	Name   string   `json:"journal"`
}

// A Hash is a SHA-256.
type Hash [sha256.Size]byte

// String returns the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns the hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(h) || len(text)%2 != 0 {
		return invalid.Fieldf("hash", string(text), "%d hexadecimal digits", 2*len(h))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// JournalGenesis returns the head of an empty journal: the hash of its name,
//
//	SHA-256("ttai journal 1\n" ‖ len(tenant) ‖ tenant ‖ len(name) ‖ name)
//
// with lengths as 8 bytes, most significant first.
func JournalGenesis(id JournalID) JournalHead {
	b := append([]byte{}, "ttai journal 1\n"...)
	b = appendSized(b, string(id.Tenant))
	b = appendSized(b, id.Name)
	return JournalHead{Hash: sha256.Sum256(b)}
}

// Sum returns the hash that the entry must have:
//
//	SHA-256("ttai entry 1\n" ‖ prev ‖ seq ‖ microseconds since 1970 ‖ len(kind) ‖ kind ‖ len(data) ‖ data)
//
// with numbers as 8 bytes, most significant first. The tenant and the journal's
// name are in it through the first entry's prev.
func (e *Entry) Sum() Hash {
	b := make([]byte, 0, 96+len(e.Kind)+len(e.Data))
	b = append(b, "ttai entry 1\n"...)
	b = append(b, e.Prev[:]...)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixMicro()))
	b = appendSized(b, e.Kind)
	b = binary.BigEndian.AppendUint64(b, uint64(len(e.Data)))
	b = append(b, e.Data...)
	return sha256.Sum256(b)
}

func appendSized(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
	return append(b, s...)
}

// Chain returns the entries that follow head. Adapters call it with the journal
// locked against other writers.
func Chain(head JournalHead, now time.Time, entries []NewEntry) []Entry {
	out := make([]Entry, len(entries))
	for i, n := range entries {
		e := Entry{
			Seq: head.Seq + 1, Time: now.UTC().Truncate(time.Microsecond), Kind: n.Kind,
			Data: append([]byte{}, n.Data...), Prev: head.Hash,
		}
		e.Hash = e.Sum()
		out[i] = e
		head = JournalHead{Seq: e.Seq, Hash: e.Hash}
	}
	return out
}

// CheckEntries returns a *FieldError unless entries can be appended. Adapters
// call it.
func CheckEntries(entries []NewEntry) error {
	if len(entries) > 1000 {
		return invalid.Field("entries", len(entries), "at most 1000")
	}
	for _, e := range entries {
		if err := CheckName("Kind", e.Kind); err != nil {
			return err
		}
		if len(e.Data) > 1<<20 {
			return invalid.Field("Data", len(e.Data), "at most 1 MB")
		}
	}
	return nil
}

// A BrokenChainError says where a journal is not what was written. It is an
// ErrCorrupt.
type BrokenChainError struct {
	Journal JournalID
	Seq     uint64 // the first entry that is wrong
	Reason  string
}

func (e *BrokenChainError) Error() string {
	return fmt.Sprintf("journal %s: entry %d: %s", e.Journal.Name, e.Seq, e.Reason)
}

// Unwrap returns ErrCorrupt.
func (e *BrokenChainError) Unwrap() error { return ErrCorrupt }

// VerifyJournal reads a whole journal and returns its head when every entry has
// the next number and the right hash, and when every one of the heads that were
// kept elsewhere is in it. Otherwise it returns a *BrokenChainError with the
// first entry that is wrong. Without known heads it finds what was changed,
// removed or inserted, but not a journal that was rewritten from some entry on
// with new hashes, nor one cut off at its end; each known head rules both out up
// to it.
//
// Entries that are appended meanwhile may or may not be read.
func VerifyJournal(ctx context.Context, id JournalID, j Journal, known ...JournalHead) (JournalHead, error) {
	head := JournalGenesis(id)
	want := map[uint64]Hash{}
	var newest uint64
	for _, k := range known {
		if first, ok := want[k.Seq]; ok && first != k.Hash {
			return head, &BrokenChainError{Journal: id, Seq: k.Seq, Reason: "two kept heads have different hashes"}
		}
		want[k.Seq] = k.Hash
		newest = max(newest, k.Seq)
	}
	broken := func(seq uint64, reason string) (JournalHead, error) {
		return head, &BrokenChainError{Journal: id, Seq: seq, Reason: reason}
	}
	if hash, ok := want[0]; ok && hash != head.Hash {
		return broken(0, "a kept head is of another journal")
	}
	for e, err := range j.Read(ctx, 0) {
		if err != nil {
			return head, fmt.Errorf("reading the journal after entry %d: %w", head.Seq, err)
		}
		switch {
		case e.Seq != head.Seq+1:
			return broken(head.Seq+1, fmt.Sprintf("the entry after it has number %d", e.Seq))
		case e.Prev != head.Hash:
			return broken(e.Seq, "it does not carry the hash of the entry before")
		case e.Sum() != e.Hash:
			return broken(e.Seq, "its content does not have its hash")
		}
		head = JournalHead{Seq: e.Seq, Hash: e.Hash}
		if hash, ok := want[e.Seq]; ok && subtle.ConstantTimeCompare(hash[:], e.Hash[:]) != 1 {
			return broken(e.Seq, "it is not the entry whose head was kept")
		}
	}
	if newest > head.Seq {
		return broken(head.Seq+1, fmt.Sprintf("it is missing: a head was kept of entry %d", newest))
	}
	if kept, err := j.Head(ctx); err != nil {
		return head, err
	} else if kept.Seq < head.Seq || kept.Seq == head.Seq && kept.Hash != head.Hash {
		return broken(head.Seq, "it is not what the journal says is its last")
	} else if kept.Seq > head.Seq && !readable(ctx, j, head.Seq+1) {
		return broken(head.Seq+1, fmt.Sprintf("it is missing: the journal says its last is %d", kept.Seq))
	}
	return head, nil
}

// readable tells whether there is an entry of that number: one appended since a
// reading ended, rather than one that was removed.
func readable(ctx context.Context, j Journal, seq uint64) bool {
	for e, err := range j.Read(ctx, seq) {
		return err == nil && e.Seq == seq
	}
	return false
}
