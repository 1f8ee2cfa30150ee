package agents

import (
	"time"

	"github.com/shopspring/decimal"
)

// An EntryKind says what an [Entry] of a transcript tells.
type EntryKind string

// What entries tell.
const (
	EntryInstructions EntryKind = "instructions" // Text: what was demanded
	EntryMessage      EntryKind = "message"      // Message: one was added to the conversation
	EntryFailure      EntryKind = "failure"      // Text: an attempt of Model failed
	EntryWait         EntryKind = "wait"         // Took: a pause before another attempt
	EntryFallback     EntryKind = "fallback"     // Model: which takes over
	EntryRepair       EntryKind = "repair"       // Text: why an answer was sent back
	EntryDefect       EntryKind = "defect"       // Text: which tool has one
	EntryQuestion     EntryKind = "question"     // Text: what a tool asked a person
	EntryDelegated    EntryKind = "delegated"    // Text: which tool; Delegated: the runs inside it
	EntryEnd          EntryKind = "end"          // Text: why the run ended without an answer
)

// An Entry is one thing that happened in a run. It holds no secret.
type Entry struct {
	At      time.Time        `json:"at"`
	Kind    EntryKind        `json:"kind"`
	Step    int              `json:"step"` // the answers so far
	Model   string           `json:"model,omitempty"`
	Message *Message         `json:"message,omitempty"`
	Text    string           `json:"text,omitempty"`
	Usage   *Usage           `json:"usage,omitempty"` // of this attempt
	Cost    *decimal.Decimal `json:"cost,omitempty"`  // of this attempt, in US dollars; absent: not known
	Took    time.Duration    `json:"took_ns,omitempty"`
	// Delegated is what happened in runs inside a tool.
	Delegated []Entry `json:"delegated,omitempty"`
}
