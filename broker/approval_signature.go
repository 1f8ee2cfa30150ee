package broker

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Signer is somebody whose Ed25519 signature approves.
type Signer struct {
	Name string            // for the journal
	Key  ed25519.PublicKey // 32 bytes
}

// SignatureApprover approves what a registered Ed25519 key signed: the order's
// [ApprovalRequest.Challenge]. Where the private key lies decides what that
// withstands: see [NewSignatureApprover].
type SignatureApprover struct {
	signers []Signer
	grade   Grade
}

var _ Approver = (*SignatureApprover)(nil)

// NewSignatureApprover returns an approver by signatures. With secondDevice the
// operator states that every private key lies on a device that no program of this
// computer's user reaches, and that signs only when its owner wants it: then the
// grade is [GradePasskey]. Otherwise it is [GradeChat].
func NewSignatureApprover(signers []Signer, secondDevice bool) (*SignatureApprover, error) {
	if len(signers) == 0 {
		return nil, invalid.Missing("signers", "at least one public key")
	}
	s := &SignatureApprover{grade: GradeChat}
	if secondDevice {
		s.grade = GradePasskey
	}
	for i, signer := range signers {
		if len(signer.Key) != ed25519.PublicKeySize {
			return nil, invalid.Field(fmt.Sprintf("signers[%d].Key", i), len(signer.Key), "an Ed25519 public key of 32 bytes")
		}
		if signer.Name == "" {
			return nil, invalid.Missing(fmt.Sprintf("signers[%d].Name", i), "a name")
		}
		s.signers = append(s.signers, Signer{signer.Name, slices.Clone(signer.Key)})
	}
	return s, nil
}

// Method is "signature".
func (*SignatureApprover) Method() string { return "signature" }

// Grade is what the operator stated about the keys.
func (s *SignatureApprover) Grade() Grade { return s.grade }

// Fingerprint lists the keys.
func (s *SignatureApprover) Fingerprint() string {
	var lines []string
	for _, signer := range s.signers {
		lines = append(lines, fmt.Sprintf("%q %s", signer.Name, base64.RawURLEncoding.EncodeToString(signer.Key)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Approve takes the signature's 64 bytes as evidence: ErrApprovalRequired when no
// registered key made it.
func (s *SignatureApprover) Approve(_ context.Context, r ApprovalRequest, said *Evidence) (Decision, error) {
	if said == nil {
		return Decision{}, ErrApprovalRequired
	}
	challenge := r.Challenge()
	for _, signer := range s.signers {
		if len(said.Data) == ed25519.SignatureSize && ed25519.Verify(signer.Key, challenge[:], said.Data) {
			return Decision{By: signer.Name, Note: "Ed25519 " + base64.RawURLEncoding.EncodeToString(signer.Key)}, nil
		}
	}
	// A wrong signature proves nothing about its owner's will: it leaves the
	// preview as it is, or anybody could void what is waiting for a person.
	return Decision{}, fmt.Errorf("%w: the signature is not one of this order by a registered key", ErrApprovalRequired)
}
