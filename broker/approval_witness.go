package broker

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Witness is an [Approver] of what a trusted part of the same program saw a
// person do: press a button on its page, answer a form in a client, say yes at its
// terminal. That part makes the evidence with [Witness.Evidence]; it is
// authenticated with a key that no argument of a model can hold. What it withstands
// is what the part that saw the person withstands, which its grade states.
type Witness struct {
	method string
	grade  Grade
	key    func(ctx context.Context) ([]byte, error)
}

var _ Approver = (*Witness)(nil)

// NewWitness returns a witness. Method is 1 to 32 of a-z, 0-9, '-'; the grade at
// most [GradeChat]: what a witness says is forged by whoever controls the program.
// Key returns a secret of at least 32 bytes, always the same: processes that share
// it believe each other's witnesses. Nil: a key that does not leave this process.
func NewWitness(method string, grade Grade, key func(ctx context.Context) ([]byte, error)) (*Witness, error) {
	if method == "" || !homeName(method) {
		return nil, invalid.Field("method", method, "1 to 32 of a-z, 0-9, '-'")
	}
	if grade < GradeElicitation || grade > GradeChat {
		return nil, invalid.Field("grade", grade.String(), "elicitation, loopback or chat")
	}
	if key == nil {
		own := make([]byte, 32)
		_, _ = rand.Read(own) // never fails
		key = func(context.Context) ([]byte, error) { return own, nil }
	}
	return &Witness{method, grade, key}, nil
}

// Method is the name it was made with.
func (w *Witness) Method() string { return w.method }

// Grade is the grade it was made with.
func (w *Witness) Grade() Grade { return w.grade }

// Fingerprint says that it trusts its own program.
func (w *Witness) Fingerprint() string { return "this program's own " + w.method }

type witnessed struct {
	By  string `json:"by"`
	MAC []byte `json:"mac"`
}

// Evidence is that a person, named for the journal, approved a preview. Only what
// has seen that may make it. The error is that of the key.
func (w *Witness) Evidence(ctx context.Context, p *Prepared, by string) (Evidence, error) {
	mac, err := w.mac(ctx, p.Challenge, by)
	if err != nil {
		return Evidence{}, err
	}
	data, err := json.Marshal(witnessed{by, mac})
	return Evidence{Method: w.method, Data: data}, err
}

// Approve checks that the evidence is the witness's own and of this very order.
func (w *Witness) Approve(ctx context.Context, r ApprovalRequest, evidence *Evidence) (Decision, error) {
	if evidence == nil {
		return Decision{}, ErrApprovalRequired
	}
	var said witnessed
	if json.Unmarshal(evidence.Data, &said) != nil {
		return Decision{}, ErrDeclined
	}
	challenge := r.Challenge()
	mac, err := w.mac(ctx, challenge[:], said.By)
	if err != nil {
		return Decision{}, err
	}
	if !hmac.Equal(said.MAC, mac) {
		return Decision{}, ErrDeclined
	}
	return Decision{By: said.By}, nil
}

func (w *Witness) mac(ctx context.Context, challenge []byte, by string) ([]byte, error) {
	key, err := w.key(ctx)
	if err != nil {
		return nil, fmt.Errorf("the key of %s approvals: %w", w.method, err)
	}
	if len(key) < 32 {
		return nil, fmt.Errorf("the key of %s approvals: %w", w.method, invalid.Secret("key", "at least 32 bytes"))
	}
	h := hmac.New(sha256.New, key)
	for _, part := range [][]byte{[]byte(w.method), challenge, []byte(by)} {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return h.Sum(nil), nil
}
