package storage

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A SignedHead is the end of a journal at some time, signed, to be kept where the
// owner of the journal's file cannot reach it. As JSON it is what anchors send.
type SignedHead struct {
	JournalID
	JournalHead
	Time      time.Time `json:"time"` // when it was signed, to the second
	Key       []byte    `json:"key"`  // the public key, so that the right one is found; trust is the verifier's
	Signature []byte    `json:"signature"`
}

// ErrSignature: a signed head was not signed by that key, or was changed since.
var ErrSignature = errors.New("signature does not fit")

// SignHead signs a head with Ed25519.
func SignHead(key ed25519.PrivateKey, id JournalID, head JournalHead, now time.Time) (SignedHead, error) {
	if len(key) != ed25519.PrivateKeySize {
		return SignedHead{}, invalid.Secret("key", "an Ed25519 private key")
	}
	s := SignedHead{
		JournalID: id, JournalHead: head, Time: now.UTC().Truncate(time.Second),
		Key: append([]byte{}, key.Public().(ed25519.PublicKey)...),
	}
	s.Signature = ed25519.Sign(key, s.message())
	return s, nil
}

// VerifyHead returns nil when key signed the head, and otherwise an error that
// wraps ErrSignature. Which key to believe is for the caller to know: the one
// in the head proves nothing.
func VerifyHead(key ed25519.PublicKey, s SignedHead) error {
	if len(key) != ed25519.PublicKeySize {
		return invalid.Field("key", len(key), "an Ed25519 public key")
	}
	if !bytes.Equal(key, s.Key) || !ed25519.Verify(key, s.message(), s.Signature) {
		return fmt.Errorf("head %d of journal %s: %w", s.Seq, s.Name, ErrSignature)
	}
	return nil
}

// message is what is signed. Lengths make it unambiguous.
func (s *SignedHead) message() []byte {
	b := append([]byte{}, "ttai journal head 1\n"...)
	b = appendSized(b, string(s.Tenant))
	b = appendSized(b, s.Name)
	b = fmt.Appendf(b, "%d\n%d\n", s.Seq, s.Time.Unix())
	return append(b, s.Hash[:]...)
}

// An Anchor keeps a signed head somewhere else: an object store with a retention
// rule, a webhook, a mailbox. It returns when the head is safe there.
type Anchor func(ctx context.Context, head SignedHead) error

// AnchorJournal signs the journal's present head and sends it to the anchors, all
// of them even when one fails. An empty journal is anchored too.
func AnchorJournal(ctx context.Context, id JournalID, j Journal, key ed25519.PrivateKey, now time.Time, anchors ...Anchor) (SignedHead, error) {
	head, err := j.Head(ctx)
	if err != nil {
		return SignedHead{}, err
	}
	signed, err := SignHead(key, id, head, now)
	if err != nil {
		return SignedHead{}, err
	}
	var failed []error
	for _, anchor := range anchors {
		if err := anchor(ctx, signed); err != nil {
			failed = append(failed, fmt.Errorf("anchoring head %d of journal %s: %w", head.Seq, id.Name, err))
		}
	}
	return signed, errors.Join(failed...)
}

// ObjectAnchor keeps heads as objects named "heads/JOURNAL/SEQ.json", the number
// in 20 digits. A head that is there already stays as it is; when it has another
// hash, the journal was rewritten, and that is an error that wraps ErrCorrupt.
func ObjectAnchor(objects Objects) Anchor {
	return func(ctx context.Context, head SignedHead) error {
		data, err := json.Marshal(head)
		if err != nil {
			return err
		}
		key := fmt.Sprintf("heads/%s/%020d.json", head.Name, head.Seq)
		_, err = objects.Put(ctx, key, bytes.NewReader(data), &PutOptions{ContentType: "application/json", IfAbsent: true})
		if !errors.Is(err, ErrConflict) {
			return err
		}
		kept, err := readHead(ctx, objects, key)
		if err == nil && kept.JournalHead != head.JournalHead {
			err = &BrokenChainError{Journal: head.JournalID, Seq: head.Seq, Reason: "a head with another hash was kept before"}
		}
		return err
	}
}

// AnchoredHeads returns the heads that an [ObjectAnchor] kept of a journal, oldest
// first, each verified with key. They are what [VerifyJournal] takes as known.
func AnchoredHeads(ctx context.Context, id JournalID, objects Objects, key ed25519.PublicKey) ([]JournalHead, error) {
	var heads []JournalHead
	for o, err := range objects.List(ctx, "heads/"+id.Name+"/", "") {
		if err != nil {
			return nil, err
		}
		head, err := readHead(ctx, objects, o.Key)
		if err != nil {
			return nil, err
		}
		if err := VerifyHead(key, head); err != nil {
			return nil, err
		}
		if head.JournalID != id {
			return nil, &BrokenChainError{Journal: id, Seq: head.Seq, Reason: "a kept head is of another journal"}
		}
		heads = append(heads, head.JournalHead)
	}
	return heads, nil
}

func readHead(ctx context.Context, objects Objects, key string) (SignedHead, error) {
	var head SignedHead
	_, r, err := objects.Get(ctx, key, nil)
	if err != nil {
		return head, err
	}
	defer r.Close()
	if err := json.NewDecoder(r).Decode(&head); err != nil {
		return head, fmt.Errorf("kept head %s: %w", key, errors.Join(ErrCorrupt, err))
	}
	return head, nil
}
