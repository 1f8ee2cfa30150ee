package broker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func TestGradesAreOrderedAndNamed(t *testing.T) {
	names := []string{"none", "policy", "elicitation", "loopback", "chat", "passkey", "another account"}
	for i, name := range names {
		assert.Equal(t, name, broker.Grade(i).String())
		var g broker.Grade
		require.NoError(t, g.UnmarshalText([]byte(name)))
		assert.Equal(t, broker.Grade(i), g)
		text, err := g.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, name, string(text))
	}
	for _, bad := range []broker.Grade{-1, 7} {
		_, err := bad.MarshalText()
		require.Error(t, err)
		assert.Contains(t, bad.String(), "Grade(")
	}
	var g broker.Grade
	require.Error(t, g.UnmarshalText([]byte("Passkey")))
}

func TestTheChallengeIsOfOneOrderAndOneExpiry(t *testing.T) {
	r := broker.ApprovalRequest{PreviewID: "ab", Digest: sha256.Sum256([]byte("x")), Expires: time.Unix(1000, 0)}
	// By hand: the text, the length of the id, the id, the digest, the expiry.
	text := "ttai approval 1\n" + "\x00\x00\x00\x00\x00\x00\x00\x02" + "ab" + string(r.Digest[:]) + "\x00\x00\x00\x00\x00\x00\x03\xe8"
	assert.Equal(t, sha256.Sum256([]byte(text)), r.Challenge())
	seen := map[[32]byte]bool{r.Challenge(): true}
	for _, change := range []func(r *broker.ApprovalRequest){
		func(r *broker.ApprovalRequest) { r.PreviewID = "ac" },
		func(r *broker.ApprovalRequest) { r.PreviewID = "abc" },
		func(r *broker.ApprovalRequest) { r.Digest[31] ^= 1 },
		func(r *broker.ApprovalRequest) { r.Expires = time.Unix(1001, 0) },
	} {
		other := r
		change(&other)
		assert.False(t, seen[other.Challenge()])
		seen[other.Challenge()] = true
	}
}

func TestADigestIsWrittenInHexadecimal(t *testing.T) {
	d := broker.Digest(sha256.Sum256(nil))
	data, err := json.Marshal(d)
	require.NoError(t, err)
	assert.Equal(t, `"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`, string(data)) // FIPS 180-4, empty message
	var again broker.Digest
	require.NoError(t, json.Unmarshal(data, &again))
	assert.Equal(t, d, again)
	require.Error(t, again.UnmarshalText([]byte("e3")))
	require.Error(t, again.UnmarshalText([]byte(strings.Repeat("zz", 32))))
}

// policy returns a budget for everything that one changes in one place.
func policy(t testing.TB, o *office, change func(b *broker.Budget)) *broker.PolicyApprover {
	t.Helper()
	none := broker.NoCap()
	b := broker.Budget{
		Words: "try the momentum strategy", Until: deskTime.Add(time.Hour), Accounts: []broker.AccountID{"*"}, Symbols: []market.Symbol{"*"},
		OrderLoss: none, OrderNotional: none, DailyOrders: none, DailyLoss: none, DailyNotional: none,
	}
	change(&b)
	p, err := broker.NewPolicyApprover(b, o.clock)
	require.NoError(t, err)
	return p
}

func TestABudgetApprovesWhatIsWithinIt(t *testing.T) {
	for name, c := range map[string]struct {
		change         func(b *broker.Budget)
		within, beyond broker.Ticket
	}{
		"account": {func(b *broker.Budget) { b.Accounts = []broker.AccountID{"5WX00002"} }, broker.Ticket{}, buy("SPY", "1", "-500")},
		"symbol":  {func(b *broker.Budget) { b.Symbols = []market.Symbol{"SPY"} }, single(longFor1(leg(call500, broker.BuyToOpen, "1"))), buy("QQQ", "1", "-400")},
		"loss":    {func(b *broker.Budget) { b.OrderLoss = broker.CapInt(500) }, buy("SPY", "1", "-500"), buy("SPY", "1", "-500.01")},
		"unknown": {func(b *broker.Budget) { b.OrderLoss = broker.CapInt(500) }, buy("SPY", "1", "-500"), marketOrder(leg("IWM", broker.BuyToOpen, "1"))},
		"notional": {func(b *broker.Budget) { b.OrderNotional = broker.CapInt(50_000) },
			single(longFor1(leg(call500, broker.BuyToOpen, "1"))), single(longFor1(leg(call510, broker.BuyToOpen, "1")))},
		"ended": {func(b *broker.Budget) { b.Until = deskTime }, broker.Ticket{}, buy("SPY", "1", "-500")},
	} {
		o := newOffice(t)
		o.limits = roomy()
		o.person.always = false
		o.others = []broker.Approver{policy(t, o, c.change)}
		g := o.guard(t)
		_, err := g.Place(t.Context(), desk, c.beyond)
		require.ErrorIs(t, err, broker.ErrApprovalRequired, name)
		assert.Empty(t, o.broker.writes(), name)
		if c.within.Orders != nil {
			_, err = g.Place(t.Context(), desk, c.within)
			require.NoError(t, err, name)
		}
	}
}

func TestABudgetsDayIsCountedInTheBook(t *testing.T) {
	for name, change := range map[string]func(b *broker.Budget){
		"orders":   func(b *broker.Budget) { b.DailyOrders = broker.CapInt(2) },
		"loss":     func(b *broker.Budget) { b.DailyLoss = broker.CapInt(1000) },
		"notional": func(b *broker.Budget) { b.DailyNotional = broker.CapInt(1000) },
	} {
		o := newOffice(t)
		o.limits = roomy()
		o.person.always = false
		o.others = []broker.Approver{policy(t, o, change)}
		g := o.guard(t)
		o.broker.fault = func(string) fault { return unavailable }
		_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.ErrorIs(t, err, broker.ErrUnavailable, name)
		o.broker.fault = nil
		for range 2 {
			_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
			require.NoError(t, err, name)
		}
		_, err = o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
		violated(t, err, "budget")
		assert.Len(t, o.broker.writes(), 2)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		_, err = g.Submit(t.Context(), p.ID, yes)
		require.NoError(t, err, "a person may go beyond the budget")
	}
}

func TestABudgetCancelsWhatProtectsOnlyIfItSaysSo(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		o := newOffice(t)
		o.person.always = false
		o.others = []broker.Approver{policy(t, o, func(b *broker.Budget) { b.CancelStops = allowed })}
		g := o.guard(t)
		stop := o.broker.add(desk, broker.Order{Legs: []broker.Leg{leg("SPY", broker.SellToClose, "1")}, Type: broker.Stop, Stop: dec("450")}, "")
		_, err := g.Cancel(t.Context(), desk, stop.ID)
		if allowed {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, broker.ErrApprovalRequired)
		}
	}
}

func TestABudgetMustBeWritten(t *testing.T) {
	_, err := broker.NewPolicyApprover(broker.Budget{}, nil)
	for _, field := range []string{"words", "until", "accounts", "symbols"} {
		assert.ErrorContains(t, err, field)
	}
	p := policy(t, newOffice(t), func(*broker.Budget) {})
	assert.Equal(t, "policy", p.Method())
	assert.Equal(t, broker.GradePolicy, p.Grade())
	assert.Contains(t, p.Fingerprint(), "try the momentum strategy")
	other := policy(t, newOffice(t), func(b *broker.Budget) { b.DailyOrders = broker.CapInt(1) })
	assert.NotEqual(t, p.Fingerprint(), other.Fingerprint())
}

func TestACodeIsReadOutOnceRightAndVoidsWhenWrong(t *testing.T) {
	for _, wrong := range []bool{false, true} {
		o := newOffice(t)
		o.person.grade = broker.GradePolicy
		o.limits.Approval.Grade = broker.GradeLoopback
		var shown string
		var words string
		codes, err := broker.NewCodeApprover(broker.GradeLoopback, func(_ context.Context, r broker.ApprovalRequest, code string) error {
			shown, words = code, r.Words
			return nil
		}, o.clock)
		require.NoError(t, err)
		o.others = []broker.Approver{codes}
		g := o.guard(t)
		model := g.Desk("code")
		p, err := model.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		_, err = model.SubmitCode(t.Context(), p.ID, "000000")
		require.ErrorIs(t, err, broker.ErrApprovalRequired, "no code was shown yet")
		require.NoError(t, g.Ask(t.Context(), p.ID, "code"))
		require.Len(t, shown, 6)
		assert.Equal(t, p.Words, words)
		for e, err := range g.Audit(t.Context(), 0) {
			require.NoError(t, err)
			assert.NotContains(t, fmt.Sprintf("%+v", e), shown, "the code is no secret any more once it is in the journal")
		}
		_, err = model.Submit(t.Context(), p.ID)
		require.ErrorIs(t, err, broker.ErrApprovalRequired)
		if wrong {
			bad := "0" + shown[1:]
			if bad == shown {
				bad = "1" + shown[1:]
			}
			_, err = model.SubmitCode(t.Context(), p.ID, bad)
			require.ErrorIs(t, err, broker.ErrDeclined)
			_, err = model.SubmitCode(t.Context(), p.ID, shown)
			require.ErrorIs(t, err, broker.ErrSpent, "the right one comes too late")
			assert.Empty(t, o.broker.writes())
			continue
		}
		out, err := model.SubmitCode(t.Context(), p.ID, " "+shown+"\n")
		require.NoError(t, err)
		assert.Equal(t, broker.OutcomeDone, out.State)
		assert.Equal(t, "code", out.Approval.Method)
	}
}

func TestACodeIsOfOneOrderOneShowingAndItsTime(t *testing.T) {
	clock := market.NewManualClock(deskTime)
	var shown []string
	codes, err := broker.NewCodeApprover(broker.GradeChat, func(_ context.Context, _ broker.ApprovalRequest, code string) error {
		shown = append(shown, code)
		return nil
	}, clock)
	require.NoError(t, err)
	r := broker.ApprovalRequest{PreviewID: "a", Expires: deskTime.Add(time.Minute)}
	give := func(r broker.ApprovalRequest, code string) error {
		_, err := codes.Approve(t.Context(), r, &broker.Evidence{Method: "code", Data: []byte(code)})
		return err
	}
	require.NoError(t, codes.Ask(t.Context(), r))
	require.NoError(t, give(r, shown[0]))
	require.NoError(t, give(r, shown[0]), "the same again decides the same")
	changed := r
	changed.Digest[0] = 1
	require.ErrorIs(t, give(changed, shown[0]), broker.ErrDeclined, "other bytes under the same id")
	require.ErrorIs(t, give(r, shown[0]), broker.ErrDeclined, "and it stays void")
	require.ErrorIs(t, codes.Ask(t.Context(), r), broker.ErrDeclined)

	b := broker.ApprovalRequest{PreviewID: "b", Expires: deskTime.Add(time.Minute)}
	require.NoError(t, codes.Ask(t.Context(), b))
	for range 3 {
		require.NoError(t, codes.Ask(t.Context(), b))
	}
	require.NoError(t, give(b, shown[len(shown)-1]), "the last that was shown counts")
	clock.Advance(time.Minute)
	require.ErrorIs(t, give(b, shown[len(shown)-1]), broker.ErrApprovalRequired, "it has expired")
	_, err = codes.Approve(t.Context(), b, nil)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)

	for _, g := range []broker.Grade{broker.GradePolicy, broker.GradePasskey} {
		_, err = broker.NewCodeApprover(g, func(context.Context, broker.ApprovalRequest, string) error { return nil }, nil)
		require.Error(t, err)
	}
	_, err = broker.NewCodeApprover(broker.GradeChat, nil, nil)
	require.Error(t, err)
}

func TestAskingNeedsAnApproverThatAsks(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	_, ok := errors.AsType[*broker.FieldError](g.Ask(t.Context(), p.ID, "person"))
	assert.True(t, ok)
	_, err = g.Desk("").SubmitCode(t.Context(), p.ID, "1")
	require.ErrorIs(t, err, broker.ErrUnsupported)
}

func TestASignatureApprovesExactlyOneOrder(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signatures, err := broker.NewSignatureApprover([]broker.Signer{{"phone", public}}, true)
	require.NoError(t, err)
	assert.Equal(t, broker.GradePasskey, signatures.Grade())
	o := newOffice(t)
	o.broker.env, o.person.grade = broker.Production, broker.GradeChat
	o.others = []broker.Approver{signatures}
	g := o.guard(t)
	a, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	b, err := g.Prepare(t.Context(), desk, place(buy("SPY", "2", "-500")))
	require.NoError(t, err)
	sign := func(key ed25519.PrivateKey, p *broker.Prepared) broker.Evidence {
		return broker.Evidence{Method: "signature", Data: ed25519.Sign(key, p.Challenge)}
	}
	for _, bad := range []broker.Evidence{sign(private, b), sign(stranger, a), {Method: "signature"}, {Method: "signature", Data: make([]byte, 64)}} {
		_, err = g.Submit(t.Context(), a.ID, bad)
		require.ErrorIs(t, err, broker.ErrApprovalRequired)
	}
	assert.Empty(t, o.broker.writes())
	_, err = g.Approve(t.Context(), a.ID, sign(private, a))
	require.NoError(t, err)
	out, err := g.Submit(t.Context(), a.ID)
	require.NoError(t, err)
	assert.Equal(t, "phone", out.Approval.By)

	chat, err := broker.NewSignatureApprover([]broker.Signer{{"laptop", public}}, false)
	require.NoError(t, err)
	assert.Equal(t, broker.GradeChat, chat.Grade())
	assert.NotEqual(t, chat.Fingerprint(), signatures.Fingerprint())
	for _, bad := range [][]broker.Signer{nil, {{"", public}}, {{"x", public[:31]}}} {
		_, err = broker.NewSignatureApprover(bad, true)
		_, ok := errors.AsType[*broker.FieldError](err)
		assert.True(t, ok)
	}
}

// authenticator signs like a passkey does: WebAuthn level 2, section 6.3.3.
type authenticator struct {
	key     *ecdsa.PrivateKey
	id      []byte
	rpid    string
	flags   byte
	counter uint32
	client  map[string]any
	tamper  func(clientData, authData, signature []byte) ([]byte, []byte, []byte)
	kind    string
}

func newAuthenticator(t testing.TB) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return &authenticator{key: key, id: []byte("credential-1"), rpid: "localhost", flags: 0x05, counter: 1, kind: "public-key",
		client: map[string]any{"type": "webauthn.get", "origin": "http://localhost:8765", "crossOrigin": false}}
}

func (a *authenticator) passkey(t testing.TB) broker.Passkey {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&a.key.PublicKey)
	require.NoError(t, err)
	return broker.Passkey{Name: "phone", ID: a.id, PublicKey: der}
}

func (a *authenticator) sign(t testing.TB, challenge []byte) broker.Evidence {
	t.Helper()
	client := map[string]any{"challenge": base64.RawURLEncoding.EncodeToString(challenge)}
	for k, v := range a.client {
		client[k] = v
	}
	clientData, err := json.Marshal(client)
	require.NoError(t, err)
	rp := sha256.Sum256([]byte(a.rpid))
	authData := append(rp[:], a.flags)
	authData = binary.BigEndian.AppendUint32(authData, a.counter)
	hash := sha256.Sum256(clientData)
	digest := sha256.Sum256(append(append([]byte{}, authData...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	require.NoError(t, err)
	if a.tamper != nil {
		clientData, authData, signature = a.tamper(clientData, authData, signature)
	}
	encode := base64.RawURLEncoding.EncodeToString
	data, err := json.Marshal(map[string]any{
		"id": encode(a.id), "rawId": encode(a.id), "type": a.kind, "clientExtensionResults": map[string]any{},
		"response": map[string]any{"clientDataJSON": encode(clientData), "authenticatorData": encode(authData), "signature": encode(signature), "userHandle": nil},
	})
	require.NoError(t, err)
	return broker.Evidence{Method: "passkey", Data: data}
}

func passkeys(t testing.TB, o *office, a *authenticator) *broker.PasskeyApprover {
	t.Helper()
	p, err := broker.NewPasskeyApprover(broker.PasskeyOptions{
		RPID: "localhost", Origins: []string{"http://localhost:8765"}, Passkeys: []broker.Passkey{a.passkey(t)}, State: o.state,
	})
	require.NoError(t, err)
	return p
}

func TestAPasskeyWithItsUserVerifiedMovesRealMoney(t *testing.T) {
	o := newOffice(t)
	a := newAuthenticator(t)
	o.broker.env, o.person.grade = broker.Production, broker.GradeChat
	o.others = []broker.Approver{passkeys(t, o, a)}
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	assert.Equal(t, []string{"passkey"}, p.Methods)
	approval, err := g.Approve(t.Context(), p.ID, a.sign(t, p.Challenge))
	require.NoError(t, err)
	assert.Equal(t, "phone", approval.By)
	out, err := o.guard(t).Submit(t.Context(), p.ID)
	require.NoError(t, err, "the same assertion, verified again")
	assert.Equal(t, broker.GradePasskey, out.Approval.Grade)
	assert.Len(t, o.broker.writes(), 1)
}

func TestAnAssertionThatIsWrongInAnyPartIsNone(t *testing.T) {
	for name, change := range map[string]func(a *authenticator){
		"registration":          func(a *authenticator) { a.client["type"] = "webauthn.create" },
		"another origin":        func(a *authenticator) { a.client["origin"] = "http://localhost:8766" },
		"cross origin":          func(a *authenticator) { a.client["crossOrigin"] = true },
		"a top origin":          func(a *authenticator) { a.client["topOrigin"] = "http://evil.example" },
		"another challenge":     func(a *authenticator) { a.client["challenge"] = base64.RawURLEncoding.EncodeToString(make([]byte, 32)) },
		"a padded challenge":    func(a *authenticator) { a.client["challenge"] = "====" },
		"another relying party": func(a *authenticator) { a.rpid = "127.0.0.1" },
		"nobody present":        func(a *authenticator) { a.flags = 0x04 },
		"user not verified":     func(a *authenticator) { a.flags = 0x01 },
		"no flags":              func(a *authenticator) { a.flags = 0 },
		"another credential":    func(a *authenticator) { a.id = []byte("credential-2") },
		"another type":          func(a *authenticator) { a.kind = "password" },
		"another key":           func(a *authenticator) { a.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"changed signature": func(a *authenticator) {
			a.tamper = func(c, d, s []byte) ([]byte, []byte, []byte) { s[len(s)-1] ^= 1; return c, d, s }
		},
		"changed client data": func(a *authenticator) {
			a.tamper = func(c, d, s []byte) ([]byte, []byte, []byte) { return append(c, ' '), d, s }
		},
		"changed counter": func(a *authenticator) {
			a.tamper = func(c, d, s []byte) ([]byte, []byte, []byte) { d[36]++; return c, d, s }
		},
		"short authenticator": func(a *authenticator) {
			a.tamper = func(c, d, s []byte) ([]byte, []byte, []byte) { return c, d[:36], s }
		},
		"client data no JSON": func(a *authenticator) {
			a.tamper = func(_, d, s []byte) ([]byte, []byte, []byte) { return []byte("x"), d, s }
		},
		"nothing": func(a *authenticator) {
			a.tamper = func(_, _, _ []byte) ([]byte, []byte, []byte) { return nil, nil, nil }
		},
		"a counter that is back": func(a *authenticator) { a.counter = 1 },
	} {
		o := newOffice(t)
		a := newAuthenticator(t)
		approver := passkeys(t, o, a)
		r := broker.ApprovalRequest{PreviewID: "a", Expires: deskTime}
		challenge := r.Challenge()
		first := r
		first.PreviewID = "before"
		before := first.Challenge()
		a.counter = 5
		evidence := a.sign(t, before[:])
		_, err := approver.Approve(t.Context(), first, &evidence)
		require.NoError(t, err, name)
		a.counter = 6
		change(a)
		evidence = a.sign(t, challenge[:])
		_, err = approver.Approve(t.Context(), r, &evidence)
		require.ErrorIs(t, err, broker.ErrApprovalRequired, name)
		_, err = approver.Approve(t.Context(), r, &broker.Evidence{Data: []byte("{")})
		require.ErrorIs(t, err, broker.ErrApprovalRequired)
		_, err = approver.Approve(t.Context(), r, nil)
		require.ErrorIs(t, err, broker.ErrApprovalRequired)
	}
}

func TestAnAuthenticatorMayNeverCountOrMustRise(t *testing.T) {
	o := newOffice(t)
	a := newAuthenticator(t)
	approver := passkeys(t, o, a)
	try := func(id string, counter uint32) error {
		r := broker.ApprovalRequest{PreviewID: id, Expires: deskTime}
		challenge := r.Challenge()
		a.counter = counter
		evidence := a.sign(t, challenge[:])
		_, err := approver.Approve(t.Context(), r, &evidence)
		return err
	}
	require.NoError(t, try("a", 0))
	require.NoError(t, try("b", 0), "one that never counts")
	require.NoError(t, try("c", 3))
	require.NoError(t, try("c", 3), "the same order again")
	require.ErrorIs(t, try("d", 3), broker.ErrApprovalRequired)
	require.ErrorIs(t, try("d", 2), broker.ErrApprovalRequired)
	require.ErrorIs(t, try("d", 0), broker.ErrApprovalRequired)
	require.NoError(t, try("d", 4))
	again := passkeys(t, o, a)
	approver = again
	require.ErrorIs(t, try("e", 4), broker.ErrApprovalRequired, "the counter is kept beyond the process")
}

func TestAnAssertionOfARealBrowserIsTaken(t *testing.T) {
	// The shape of PublicKeyCredential.toJSON in WebAuthn level 3, 5.1.8, with members
	// that mean nothing here and base64 with padding, which some authenticators add.
	o := newOffice(t)
	a := newAuthenticator(t)
	a.client["other_keys_can_be_added_here"] = "do not compare clientDataJSON against a template"
	a.flags = 0x1d // backed up as well
	approver := passkeys(t, o, a)
	r := broker.ApprovalRequest{PreviewID: "a", Expires: deskTime}
	challenge := r.Challenge()
	evidence := a.sign(t, challenge[:])
	evidence.Data = []byte(strings.Replace(string(evidence.Data), `"rawId":"`, `"authenticatorAttachment":"platform","rawId":"`, 1))
	_, err := approver.Approve(t.Context(), r, &evidence)
	require.NoError(t, err)
	assert.Equal(t, [][]byte{a.id}, approver.Credentials())
	assert.Contains(t, approver.Fingerprint(), base64.RawURLEncoding.EncodeToString(a.id))
}

func TestPasskeysAreCheckedWhenTheyAreRegistered(t *testing.T) {
	a := newAuthenticator(t)
	good := a.passkey(t)
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	edDER, err := x509.MarshalPKIXPublicKey(ed)
	require.NoError(t, err)
	big, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	bigDER, err := x509.MarshalPKIXPublicKey(&big.PublicKey)
	require.NoError(t, err)
	base := broker.PasskeyOptions{RPID: "localhost", Origins: []string{"http://localhost"}, Passkeys: []broker.Passkey{good}}
	for name, change := range map[string]func(o *broker.PasskeyOptions){
		"no relying party": func(o *broker.PasskeyOptions) { o.RPID = "" },
		"a URL":            func(o *broker.PasskeyOptions) { o.RPID = "http://localhost" },
		"no origin":        func(o *broker.PasskeyOptions) { o.Origins = nil },
		"no passkey":       func(o *broker.PasskeyOptions) { o.Passkeys = nil },
		"one twice":        func(o *broker.PasskeyOptions) { o.Passkeys = []broker.Passkey{good, good} },
		"no name": func(o *broker.PasskeyOptions) {
			o.Passkeys = []broker.Passkey{{ID: good.ID, PublicKey: good.PublicKey}}
		},
		"no id": func(o *broker.PasskeyOptions) { o.Passkeys = []broker.Passkey{{Name: "a", PublicKey: good.PublicKey}} },
		"a long id": func(o *broker.PasskeyOptions) {
			o.Passkeys = []broker.Passkey{{"a", make([]byte, 1024), good.PublicKey}}
		},
		"no key":         func(o *broker.PasskeyOptions) { o.Passkeys = []broker.Passkey{{"a", good.ID, []byte("key")}} },
		"an Ed25519 key": func(o *broker.PasskeyOptions) { o.Passkeys = []broker.Passkey{{"a", good.ID, edDER}} },
		"a P-384 key":    func(o *broker.PasskeyOptions) { o.Passkeys = []broker.Passkey{{"a", good.ID, bigDER}} },
		"a home's form":  func(o *broker.PasskeyOptions) { o.Home = "A" },
	} {
		opts := base
		change(&opts)
		_, err := broker.NewPasskeyApprover(opts)
		_, ok := errors.AsType[*broker.FieldError](err)
		assert.True(t, ok, "%s: %v", name, err)
	}
	base.Passkeys = []broker.Passkey{{"a", make([]byte, 1023), good.PublicKey}}
	_, err = broker.NewPasskeyApprover(base)
	require.NoError(t, err)
}

func TestAnotherAccountRaisesOnlyWhatIsStrongAlready(t *testing.T) {
	raised, err := broker.UnderAnotherAccount(&person{grade: broker.GradePasskey, always: true})
	require.NoError(t, err)
	assert.Equal(t, broker.GradeAnotherAccount, raised.Grade())
	assert.Equal(t, "person", raised.Method())
	for _, weak := range []broker.Approver{nil, &person{grade: broker.GradeChat}} {
		_, err = broker.UnderAnotherAccount(weak)
		require.Error(t, err)
	}
}

func FuzzPasskeyEvidence(f *testing.F) {
	o := newOffice(f)
	a := newAuthenticator(f)
	approver := passkeys(f, o, a)
	r := broker.ApprovalRequest{PreviewID: "a", Expires: deskTime}
	other := newAuthenticator(f)
	challenge := r.Challenge()
	f.Add(other.sign(f, challenge[:]).Data)
	f.Add([]byte(`{"rawId":"` + hex.EncodeToString(a.id) + `","type":"public-key","response":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := approver.Approve(t.Context(), r, &broker.Evidence{Method: "passkey", Data: data})
		if err == nil {
			t.Fatal("only the authenticator's key signs")
		}
	})
}
