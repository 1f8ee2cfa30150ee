package broker

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Grade says what an approval withstands. Grades are ordered: each withstands
// what those below it do. What is compared is always the approver's own grade,
// never what somebody says about an order.
type Grade int

// The grades.
const (
	// GradeNone is no approval at all.
	GradeNone Grade = iota
	// GradePolicy: a rule that the operator wrote allowed it, and no person looked
	// at the order. It withstands orders outside the rule.
	GradePolicy
	// GradeElicitation: the client program said that its user accepted. It
	// withstands a model that would like to trade, as long as the client asks a
	// person. A client that answers by itself, and any program that starts the
	// server as its client, forges it.
	GradeElicitation
	// GradeLoopback: somebody with the page's own secret accepted on a page of this
	// computer, or read out a code shown there. It withstands a client that answers
	// by itself. A program that runs as the same user may read the secret from the
	// browser, the screen or the memory.
	GradeLoopback
	// GradeChat: somebody pressed a button or sent a code in a chat on another
	// device. It withstands a program that cannot reach the chat account; one that
	// runs as the same user may find the bot's token or an open session of it.
	GradeChat
	// GradePasskey: an authenticator that verified its user signed exactly this
	// order, or a second device did that only its owner can make sign. No shell of
	// the same user can forge the signature. It can still take the broker's
	// credentials where it can read them and trade without this program.
	GradePasskey
	// GradeAnotherAccount: the same, and Guard runs under another account of the
	// computer, or on another computer, with its settings, state and the broker's
	// credentials. A shell of the user reaches none of them.
	GradeAnotherAccount
)

var gradeNames = []string{"none", "policy", "elicitation", "loopback", "chat", "passkey", "another account"}

// String returns the grade's name, such as "passkey".
func (g Grade) String() string {
	if g < 0 || int(g) >= len(gradeNames) {
		return fmt.Sprintf("Grade(%d)", int(g))
	}
	return gradeNames[g]
}

// MarshalText writes the grade's name.
func (g Grade) MarshalText() ([]byte, error) {
	if g < 0 || int(g) >= len(gradeNames) {
		return nil, invalid.Field("grade", int(g), "a known grade")
	}
	return []byte(g.String()), nil
}

// UnmarshalText reads the grade's name.
func (g *Grade) UnmarshalText(text []byte) error {
	i := slices.Index(gradeNames, string(text))
	if i < 0 {
		return invalid.Field("grade", string(text), "none, policy, elicitation, loopback, chat, passkey or another account")
	}
	*g = Grade(i)
	return nil
}

// What callers of approvals branch on.
var (
	// ErrApprovalRequired: nobody has approved yet. The preview stands; ask a
	// person, then submit it again. The error is an *[ApprovalRequiredError].
	ErrApprovalRequired = errors.New("approval required")
	// ErrDeclined: a person said no, or what they gave was wrong. The preview is
	// void.
	ErrDeclined = errors.New("approval declined")
)

// An ApprovalRequiredError says who could approve.
type ApprovalRequiredError struct {
	PreviewID string
	Grade     Grade    // at least
	Methods   []string // of the approvers that reach it, best first; empty when there is none
}

func (e *ApprovalRequiredError) Error() string {
	if len(e.Methods) == 0 {
		return fmt.Sprintf("%v of grade %q, and no approver is configured that reaches it", ErrApprovalRequired, e.Grade)
	}
	return fmt.Sprintf("%v of grade %q: %v", ErrApprovalRequired, e.Grade, e.Methods)
}

// Unwrap returns ErrApprovalRequired.
func (e *ApprovalRequiredError) Unwrap() error { return ErrApprovalRequired }

// A Digest is the SHA-256 of what is approved: the exact bytes of an order.
type Digest [sha256.Size]byte

// String returns the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText returns the digest in hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return invalid.Fieldf("digest", string(text), "%d hexadecimal digits", 2*len(d))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// An ApprovalRequest is what an [Approver] decides about.
type ApprovalRequest struct {
	PreviewID   string
	Digest      Digest // of the exact bytes that will be sent
	Expires     time.Time
	Kind        IntentKind
	Environment Environment
	Account     AccountID
	// Words is the order for people: side, size, price, worst-case loss, account,
	// and whether it is real money. It is made from the bytes, not from what a
	// model said about them.
	Words    string
	Ticket   Ticket           // for a place or replace; empty otherwise
	Notional *decimal.Decimal // nil when not known
	// MaxLoss is the worst-case loss, positive; nil when it is not known or
	// unbounded.
	MaxLoss *decimal.Decimal
	// RiskIncreasing is false for what only closes, and for cancels of what does not
	// protect a position.
	RiskIncreasing bool
	// Protects is true for the replacement of an order that limits the loss of a
	// position: what takes its place may limit it less.
	Protects bool
	// Required is the grade that this order needs.
	Required Grade
}

// Challenge is what a signature must be over: the hash of the preview's id, the
// digest of its bytes and its expiry,
//
//	SHA-256("ttai approval 1\n" ‖ len(id) ‖ id ‖ digest ‖ expiry in seconds since 1970)
//
// with numbers as 8 bytes, most significant first. An approval of one order is
// none of any other, and none after the expiry.
func (r *ApprovalRequest) Challenge() [sha256.Size]byte {
	b := append([]byte{}, "ttai approval 1\n"...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(r.PreviewID)))
	b = append(b, r.PreviewID...)
	b = append(b, r.Digest[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Expires.Unix()))
	return sha256.Sum256(b)
}

// Evidence is what a person gave: an assertion, a signature, a code, the answer
// of a form. It comes from the program's own page, client or chat connection.
type Evidence struct {
	Method string // which approver checks it: its Method
	Data   []byte // what it is, for that approver to say
}

// A Decision is what an approver concluded.
type Decision struct {
	// By names who approved, for the journal: an owner, a device, the rule. No
	// secret.
	By string
	// Note is what else the journal should keep: the credential's id, the client's
	// name. No secret.
	Note string
}

// An Approver decides about orders, and is never the model: what a model can
// reach (see [Desk]) takes no approver and no evidence but a code that was shown
// outside of its context, and a [Guard] takes approvers only when it is made, from
// the operator's program. An implementation must decide by something the model
// cannot produce: a person's answer that came over another channel, a signature,
// or a rule that the operator wrote before. One that passes on what a model says
// breaks its contract whatever grade it claims.
//
// Implementations are safe for concurrent use.
type Approver interface {
	// Method is its name, 1 to 32 of a-z, 0-9, '-': "passkey". It is unique within
	// a guard.
	Method() string
	// Grade is what its approvals withstand. It never changes.
	Grade() Grade
	// Fingerprint is what it believes, as text: its public keys, its rule. No
	// secret. It never changes. On accounts with real money a change of it needs an
	// approval itself: see [Guard.PrepareSettings].
	Fingerprint() string
	// Approve returns nil error when the order is approved. Evidence is nil when
	// nobody gave any: an approver that asks somebody may do so now, within the
	// deadline of ctx, or return ErrApprovalRequired. ErrDeclined voids the preview;
	// any other error leaves it as it is. It is called again with the same evidence
	// before the order is sent, and must then decide the same.
	Approve(ctx context.Context, request ApprovalRequest, evidence *Evidence) (Decision, error)
}

// An Asker is an [Approver] that must show something to a person first: a code,
// a button, a page.
type Asker interface {
	Approver
	// Ask shows the order to a person outside of the model's context, and returns
	// when it is shown.
	Ask(ctx context.Context, request ApprovalRequest) error
}
