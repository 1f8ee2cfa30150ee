package broker

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// CodeApprover shows a short code where the model cannot see it: a notice of the
// desktop, a page, a chat on another device. A person who agrees reads it out, and
// what they read is the evidence. One wrong code voids the preview, so that there
// is nothing to try out.
//
// Its grade is that of the channel: whoever can read the channel has the code. The
// codes live in the memory of this process only, behind a key of their own; a
// preview that was asked about in one process is answered there.
type CodeApprover struct {
	grade Grade
	show  func(ctx context.Context, request ApprovalRequest, code string) error
	clock market.Clock
	key   []byte

	mu     sync.Mutex
	asked  map[string]askedCode
	digits *big.Int
}

type askedCode struct {
	challenge [sha256.Size]byte
	sum       []byte // HMAC of the code: the code itself is not kept
	expires   time.Time
	wrong     bool
}

var _ Asker = (*CodeApprover)(nil)

// NewCodeApprover returns an approver that shows codes by a function. Grade is that
// of the channel, from [GradeElicitation] to [GradeChat]. Show gets the order in
// words and a code of six digits, and returns once a person could have seen them;
// it must not give the code to a model, a log or a journal. Clock is the real one
// when nil.
func NewCodeApprover(grade Grade, show func(ctx context.Context, request ApprovalRequest, code string) error, clock market.Clock) (*CodeApprover, error) {
	if grade < GradeElicitation || grade > GradeChat {
		return nil, invalid.Field("grade", grade.String(), "elicitation, loopback or chat: a code is read where it is shown")
	}
	if show == nil {
		return nil, invalid.Missing("show", "a function that shows the code to a person")
	}
	if clock == nil {
		clock = market.SystemClock()
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("making a key for codes: %w", err)
	}
	return &CodeApprover{grade: grade, show: show, clock: clock, key: key, asked: map[string]askedCode{}, digits: big.NewInt(1_000_000)}, nil
}

// Method is "code".
func (*CodeApprover) Method() string { return "code" }

// Grade is the channel's.
func (c *CodeApprover) Grade() Grade { return c.grade }

// Fingerprint is the grade's name: a code has no other identity.
func (c *CodeApprover) Fingerprint() string { return "code shown at grade " + c.grade.String() }

// Ask shows a new code for the order; one shown before no longer counts.
func (c *CodeApprover) Ask(ctx context.Context, r ApprovalRequest) error {
	n, err := rand.Int(rand.Reader, c.digits)
	if err != nil {
		return fmt.Errorf("making a code: %w", err)
	}
	code := fmt.Sprintf("%06d", n)
	c.mu.Lock()
	c.forget()
	if c.asked[r.PreviewID].wrong {
		c.mu.Unlock()
		return ErrDeclined
	}
	c.asked[r.PreviewID] = askedCode{challenge: r.Challenge(), sum: c.sum(r.PreviewID, code), expires: r.Expires}
	c.mu.Unlock()
	return c.show(ctx, r, code)
}

// forget drops what has expired.
func (c *CodeApprover) forget() {
	now := c.clock.Now()
	for id, a := range c.asked {
		if !now.Before(a.expires) {
			delete(c.asked, id)
		}
	}
}

func (c *CodeApprover) sum(id, code string) []byte {
	h := hmac.New(sha256.New, c.key)
	fmt.Fprintf(h, "%d %s %s", len(id), id, code)
	return h.Sum(nil)
}

// Approve compares the code: ErrApprovalRequired when none was given or shown,
// ErrDeclined when it is wrong, now and from then on.
func (c *CodeApprover) Approve(_ context.Context, r ApprovalRequest, said *Evidence) (Decision, error) {
	if said == nil {
		return Decision{}, ErrApprovalRequired
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
	asked, ok := c.asked[r.PreviewID]
	if !ok {
		return Decision{}, fmt.Errorf("%w: no code was shown for this preview", ErrApprovalRequired)
	}
	right := hmac.Equal(asked.sum, c.sum(r.PreviewID, string(bytes.TrimSpace(said.Data)))) && asked.challenge == r.Challenge()
	if asked.wrong || !right {
		asked.wrong = true
		c.asked[r.PreviewID] = asked
		return Decision{}, errors.Join(ErrDeclined, errors.New("the code is wrong"))
	}
	return Decision{By: "a person who was shown the code"}, nil
}
