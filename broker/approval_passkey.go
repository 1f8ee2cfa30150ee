package broker

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Passkey is an authenticator's credential that the operator registered.
type Passkey struct {
	Name string `json:"name"` // for the journal: "phone"
	// ID is the credential's id, as the browser's PublicKeyCredential.rawId.
	ID []byte `json:"id"`
	// PublicKey is the credential's P-256 key in DER (SubjectPublicKeyInfo), as the
	// browser's AuthenticatorAttestationResponse.getPublicKey() returns it for
	// algorithm -7 (ES256).
	PublicKey []byte `json:"public_key"`
}

// PasskeyOptions are what a [PasskeyApprover] believes.
type PasskeyOptions struct {
	// RPID is the relying party's id: the host name of the page, "localhost" for one
	// on this computer. An authenticator signs only for the name it was registered
	// with.
	RPID string
	// Origins are the pages that may ask: "https://ttai.example", "http://localhost:8765".
	Origins []string
	// Passkeys are the registered credentials.
	Passkeys []Passkey
	// State remembers each authenticator's counter, so that a clone is noticed. Give
	// it the guard's; nil forgets with the process.
	State State
	// Home is as in [GuardOptions].
	Home string
}

// PasskeyApprover approves what a registered authenticator signed after it verified
// its user: WebAuthn level 2, section 7.2, with ES256, where the challenge is the
// order's [ApprovalRequest.Challenge]. The evidence is the assertion as the
// browser's PublicKeyCredential.toJSON writes it. Registration is the operator's:
// a passkey counts because it stands in the settings, and the page only asks for
// its signature. Its grade is [GradePasskey].
type PasskeyApprover struct {
	rpid     [sha256.Size]byte
	name     string
	origins  []string
	passkeys []registered
	state    State
	home     string
}

type registered struct {
	Passkey
	key *ecdsa.PublicKey
}

var _ Approver = (*PasskeyApprover)(nil)

// NewPasskeyApprover returns an approver by passkeys. The error is a *FieldError.
func NewPasskeyApprover(opts PasskeyOptions) (*PasskeyApprover, error) {
	switch {
	case opts.RPID == "" || strings.ContainsAny(opts.RPID, "/: "):
		return nil, invalid.Field("RPID", opts.RPID, "a host name without scheme and port")
	case len(opts.Origins) == 0:
		return nil, invalid.Missing("Origins", "the page's origin, such as https://ttai.example")
	case len(opts.Passkeys) == 0:
		return nil, invalid.Missing("Passkeys", "at least one registered passkey")
	case !homeName(opts.Home):
		return nil, invalid.Field("Home", opts.Home, "at most 32 of a-z, 0-9, '-'")
	}
	p := &PasskeyApprover{
		rpid: sha256.Sum256([]byte(opts.RPID)), name: opts.RPID, origins: slices.Clone(opts.Origins), state: opts.State, home: opts.Home,
	}
	for _, k := range opts.Passkeys {
		key, err := parsePasskey(k)
		if err != nil {
			return nil, err
		}
		if p.find(k.ID) != nil {
			return nil, invalid.Field("Passkeys", k.Name, "each credential once")
		}
		p.passkeys = append(p.passkeys, registered{Passkey{k.Name, slices.Clone(k.ID), slices.Clone(k.PublicKey)}, key})
	}
	if p.state == nil {
		p.state = &MemoryState{}
	}
	if p.home == "" {
		p.home = "guard"
	}
	return p, nil
}

func parsePasskey(k Passkey) (*ecdsa.PublicKey, error) {
	if k.Name == "" || len(k.ID) == 0 || len(k.ID) > 1023 {
		return nil, invalid.Field("Passkeys", k.Name, "a name, and the credential's id of 1 to 1023 bytes")
	}
	parsed, err := x509.ParsePKIXPublicKey(k.PublicKey)
	key, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, invalid.Field("Passkeys", k.Name, "a P-256 public key in DER (SubjectPublicKeyInfo), algorithm ES256")
	}
	return key, nil
}

// Method is "passkey".
func (*PasskeyApprover) Method() string { return "passkey" }

// Grade is [GradePasskey].
func (*PasskeyApprover) Grade() Grade { return GradePasskey }

// Fingerprint lists the relying party, the origins and the keys.
func (p *PasskeyApprover) Fingerprint() string {
	origins := slices.Sorted(slices.Values(p.origins))
	lines := []string{}
	for _, k := range p.passkeys {
		lines = append(lines, fmt.Sprintf("%q %s %s", k.Name, base64.RawURLEncoding.EncodeToString(k.ID), base64.RawURLEncoding.EncodeToString(k.PublicKey)))
	}
	slices.Sort(lines)
	return fmt.Sprintf("%q %q\n%s", p.name, origins, strings.Join(lines, "\n"))
}

// Credentials returns the ids of the registered passkeys, for a page's
// allowCredentials.
func (p *PasskeyApprover) Credentials() [][]byte {
	var ids [][]byte
	for _, k := range p.passkeys {
		ids = append(ids, slices.Clone(k.ID))
	}
	return ids
}

func (p *PasskeyApprover) find(id []byte) *registered {
	for i := range p.passkeys {
		if bytes.Equal(p.passkeys[i].ID, id) {
			return &p.passkeys[i]
		}
	}
	return nil
}

// assertion is PublicKeyCredential.toJSON's result, as far as it counts. Other
// members, such as clientExtensionResults, mean nothing here.
type assertion struct {
	RawID    base64url `json:"rawId"`
	Type     string    `json:"type"`
	Response struct {
		ClientData        base64url `json:"clientDataJSON"`
		AuthenticatorData base64url `json:"authenticatorData"`
		Signature         base64url `json:"signature"`
	} `json:"response"`
}

type base64url []byte

func (b *base64url) UnmarshalText(text []byte) error {
	data, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(string(text), "="))
	*b = data
	return err
}

// clientData is what the browser says about the call.
type clientData struct {
	Type        string `json:"type"`
	Challenge   string `json:"challenge"`
	Origin      string `json:"origin"`
	CrossOrigin bool   `json:"crossOrigin"`
	TopOrigin   string `json:"topOrigin"`
}

// The flags of authenticator data: WebAuthn level 2, section 6.1.
const (
	flagUserPresent  = 1 << 0
	flagUserVerified = 1 << 2
)

// Approve verifies an assertion: ErrApprovalRequired when there is none, or when it
// is not one of this order by a registered passkey with a verified user.
func (p *PasskeyApprover) Approve(ctx context.Context, r ApprovalRequest, said *Evidence) (Decision, error) {
	if said == nil {
		return Decision{}, ErrApprovalRequired
	}
	no := func(why string) (Decision, error) {
		return Decision{}, fmt.Errorf("%w: %s", ErrApprovalRequired, why)
	}
	var a assertion
	if err := json.Unmarshal(said.Data, &a); err != nil || a.Type != "public-key" {
		return no("the assertion is not what a browser's toJSON writes")
	}
	key := p.find(a.RawID)
	if key == nil {
		return no("the passkey is not registered")
	}
	challenge := r.Challenge()
	if why := p.checkClient(a.Response.ClientData, challenge[:]); why != "" {
		return no(why)
	}
	counter, why := p.checkAuthenticator(a.Response.AuthenticatorData)
	if why != "" {
		return no(why)
	}
	client := sha256.Sum256(a.Response.ClientData)
	signed := sha256.Sum256(append(bytes.Clone(a.Response.AuthenticatorData), client[:]...))
	if !ecdsa.VerifyASN1(key.key, signed[:], a.Response.Signature) {
		return no("the signature does not fit the passkey's key")
	}
	if err := p.count(ctx, key.ID, counter, challenge[:]); err != nil {
		return Decision{}, err
	}
	return Decision{By: key.Name, Note: "passkey " + base64.RawURLEncoding.EncodeToString(key.ID)}, nil
}

// checkClient holds the browser's word against the order and the page: steps 11 to
// 14.
func (p *PasskeyApprover) checkClient(data, challenge []byte) string {
	var c clientData
	if err := json.Unmarshal(data, &c); err != nil {
		return "the client data are no JSON"
	}
	given, err := base64.RawURLEncoding.Strict().DecodeString(c.Challenge)
	switch {
	case c.Type != "webauthn.get":
		return "the client data are not of an assertion"
	case err != nil || subtle.ConstantTimeCompare(given, challenge) != 1:
		return "the challenge is not this order's"
	case !slices.Contains(p.origins, c.Origin):
		return "the page is not one of the registered origins"
	case c.CrossOrigin || c.TopOrigin != "":
		return "the page was shown within another one"
	}
	return ""
}

// checkAuthenticator holds the authenticator's word against the relying party, and
// asks that its user was there and verified: steps 15 to 17.
func (p *PasskeyApprover) checkAuthenticator(data []byte) (counter uint32, why string) {
	const least = sha256.Size + 1 + 4
	if len(data) < least {
		return 0, "the authenticator data are too short"
	}
	flags := data[sha256.Size]
	switch {
	case subtle.ConstantTimeCompare(data[:sha256.Size], p.rpid[:]) != 1:
		return 0, "the passkey was used for another relying party"
	case flags&flagUserPresent == 0:
		return 0, "nobody was present"
	case flags&flagUserVerified == 0:
		return 0, "the authenticator did not verify its user"
	}
	return binary.BigEndian.Uint32(data[sha256.Size+1 : least]), ""
}

// seenCounter is the last assertion of a credential.
type seenCounter struct {
	Counter   uint32 `json:"counter"`
	Challenge []byte `json:"challenge"`
	// Before are the assertions before it, newest first: each is looked at again when
	// its order is sent, and others may have been approved meanwhile.
	Before []seenBefore `json:"before,omitempty"`
}

type seenBefore struct {
	Counter   uint32 `json:"counter"`
	Challenge []byte `json:"challenge"`
}

// rememberedAssertions is how many orders can wait with an approval of one passkey.
const rememberedAssertions = 64

// has tells whether an assertion was believed before.
func (s *seenCounter) has(counter uint32, challenge []byte) bool {
	if counter == s.Counter && bytes.Equal(challenge, s.Challenge) {
		return true
	}
	return slices.ContainsFunc(s.Before, func(b seenBefore) bool { return b.Counter == counter && bytes.Equal(b.Challenge, challenge) })
}

// next is what is remembered after another assertion.
func (s *seenCounter) next(counter uint32, challenge []byte) seenCounter {
	before := s.Before
	if s.Challenge != nil {
		before = slices.Insert(slices.Clone(before), 0, seenBefore{s.Counter, s.Challenge})
	}
	return seenCounter{counter, challenge, before[:min(len(before), rememberedAssertions)]}
}

// count checks and keeps the authenticator's counter: step 21. One that does not
// rise is a clone's, unless it is the same assertion again or the authenticator
// never counts.
func (p *PasskeyApprover) count(ctx context.Context, id []byte, counter uint32, challenge []byte) error {
	name := sha256.Sum256(id)
	key := p.home + "/passkey/" + base64.RawURLEncoding.EncodeToString(name[:])
	for range conflicts {
		var seen seenCounter
		data, version, err := p.state.Get(ctx, key)
		switch {
		case errors.Is(err, ErrNoState):
		case err != nil:
			return fmt.Errorf("reading a passkey's counter: %w", err)
		default:
			if err := json.Unmarshal(data, &seen); err != nil {
				return fmt.Errorf("a passkey's counter is damaged: %w", err)
			}
		}
		if seen.has(counter, challenge) || counter == 0 && seen.Counter == 0 {
			return nil
		}
		if counter <= seen.Counter {
			return fmt.Errorf("%w: the passkey's counter went from %d to %d, so there may be a copy of it", ErrApprovalRequired, seen.Counter, counter)
		}
		if data, err = json.Marshal(seen.next(counter, challenge)); err != nil {
			return err
		}
		_, err = p.state.CompareAndSet(ctx, key, version, data, 0)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrStateChanged) {
			return fmt.Errorf("storing a passkey's counter: %w", err)
		}
	}
	return fmt.Errorf("storing a passkey's counter: %w", ErrStateChanged)
}

// UnderAnotherAccount raises an approver of [GradePasskey] to
// [GradeAnotherAccount]. With it the operator states that this process, its
// settings, its state and the broker's credentials belong to an account, or stand
// on a computer, that no program of the trading user reaches. Approvers of lower
// grades stay what they are: another account does not make a client ask a person.
func UnderAnotherAccount(a Approver) (Approver, error) {
	if a == nil || a.Grade() < GradePasskey {
		return nil, invalid.Missing("approver", "an approver of grade passkey")
	}
	return elsewhere{a}, nil
}

type elsewhere struct{ Approver }

func (elsewhere) Grade() Grade { return GradeAnotherAccount }
