package storage

import (
	"errors"
	"fmt"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// What callers branch on. Adapters wrap them, so compare with errors.Is.
var (
	// ErrNotFound: there is no value, or it has expired.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the value is not what a conditional write expected. A
	// [ConflictError] tells which of several writes it was.
	ErrConflict = errors.New("changed by someone else")
	// ErrClosed: the store, subscription or reader has been closed.
	ErrClosed = errors.New("store is closed")
	// ErrUnsupported: the engine has no such capability. [Combine] takes it from
	// another one.
	ErrUnsupported = errors.New("not supported by this storage engine")
	// ErrHeld: somebody else holds the lock.
	ErrHeld = errors.New("held by someone else")
	// ErrLeaseLost: the lease of a lock or message ended, and somebody else may
	// have it now. What was being done under it must stop.
	ErrLeaseLost = errors.New("lease has ended")
	// ErrFull: there is no room left. Nothing of the write was kept; it succeeds
	// once there is room.
	ErrFull = errors.New("no space left")
	// ErrReadOnly: the engine takes no writes. Reads go on.
	ErrReadOnly = errors.New("storage is read-only")
	// ErrBusy: others kept the engine locked for longer than it waits. Nothing
	// was written; trying again is safe.
	ErrBusy = errors.New("storage is locked by others")
	// ErrUnavailable: the engine cannot be reached, or the connection broke.
	// Whether a write that was under way has happened is unknown.
	ErrUnavailable = errors.New("storage is unreachable")
	// ErrCorrupt: what is stored is damaged or not what the engine wrote.
	ErrCorrupt = errors.New("stored data is damaged")
	// ErrNewer: the data were written by a newer program. See [NewerError].
	ErrNewer = errors.New("data are newer than this program")
)

// A ConflictError is what an atomic batch of writes returns when one of them met
// something else than it expected. It is an ErrConflict.
type ConflictError struct {
	Collection string
	ID         string
	// Field is the unique field whose value another record has; empty when the
	// record itself is there, is gone, or has another version.
	Field string
}

func (e *ConflictError) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s %q: another record has the same %s", e.Collection, e.ID, e.Field)
	}
	return fmt.Sprintf("%s %q: %v", e.Collection, e.ID, ErrConflict)
}

// Unwrap returns ErrConflict.
func (e *ConflictError) Unwrap() error { return ErrConflict }

// A NewerError is what opening returns when the stored schema is newer than the
// newest one this program knows. Nothing was changed. It is an ErrNewer.
type NewerError struct {
	Stored int64 // the schema version of the data
	Known  int64 // the newest version this program knows
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the data have schema version %d and this program knows up to %d: use a newer program, or restore a backup made by this one", e.Stored, e.Known)
}

// Unwrap returns ErrNewer.
func (e *NewerError) Unwrap() error { return ErrNewer }
