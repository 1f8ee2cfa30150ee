package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// SignatureHeader has the Ed25519 signature of a webhook's whole body, in base64,
// by the key that the body's "key" names.
const SignatureHeader = "Ttai-Signature"

// anchorBucket is where object anchors keep heads.
const anchorBucket = "journal-heads"

// WebhookAnchor sends heads by POST as JSON, signed once more as a whole in
// SignatureHeader, so that the receiver can check the bytes before it reads them.
// It is tried three times, which is harmless: the same head is the same news.
// Only https goes over a network; plain http is for this machine. Errors never
// show more than the host, since the path of a webhook is often its secret.
func WebhookAnchor(address string, key ed25519.PrivateKey, client *http.Client) (storage.Anchor, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, invalid.Secret("TTAI_ANCHORS", "https://host/path for a webhook; http:// for this machine only")
	}
	c := retryablehttp.NewClient()
	if client != nil {
		c.HTTPClient = client
	}
	// An answer elsewhere is no receipt.
	plain := *c.HTTPClient
	plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.HTTPClient = &plain
	c.Logger, c.RetryMax = nil, 2
	c.RetryWaitMin, c.RetryWaitMax = 200*time.Millisecond, 5*time.Second
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return func(ctx context.Context, head storage.SignedHead) error {
		body, err := json.Marshal(head)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, openTime)
		defer cancel()
		req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return invalid.Secret("TTAI_ANCHORS", "the URL of a webhook")
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", "ttai/"+Version())
		req.Header.Set("Idempotency-Key", head.Hash.String())
		req.Header.Set(SignatureHeader, base64.StdEncoding.EncodeToString(ed25519.Sign(key, body)))
		resp, err := c.Do(req)
		if err != nil {
			if e, ok := errors.AsType[*url.Error](err); ok {
				err = e.Err
			}
			return fmt.Errorf("the webhook at %s cannot be reached: %w", u.Host, err)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection is used again
		if resp.StatusCode < 200 || resp.StatusCode > 299 {
			return fmt.Errorf("the webhook at %s did not take it: %s", u.Host, resp.Status)
		}
		return nil
	}, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// Anchors are where the settings send signed heads.
type Anchors struct {
	webhooks []string
	stores   []*engine
}

// Anchors reads the setting. It opens and sends nothing.
func (s *Store) Anchors() (*Anchors, error) {
	a := &Anchors{}
	for word := range strings.FieldsSeq(s.sources.Lookup("anchors")) {
		if strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://") {
			if _, err := WebhookAnchor(word, nil, nil); err != nil {
				return nil, err
			}
			a.webhooks = append(a.webhooks, word)
			continue
		}
		const allowed = "https://… for a webhook, s3://… or file:///… for an object store"
		u, err := parseStoreURL(word)
		if err != nil {
			return nil, invalid.Secret("TTAI_ANCHORS", allowed)
		}
		if u.kind != "s3" && u.kind != "file" {
			return nil, invalid.Field("TTAI_ANCHORS", u.String(), allowed)
		}
		open, err := opener(u, s.environment)
		if err != nil {
			return nil, err
		}
		a.stores = append(a.stores, &engine{url: u, open: open})
	}
	return a, nil
}

// None tells whether there is no anchor at all.
func (a *Anchors) None() bool { return len(a.webhooks)+len(a.stores) == 0 }

// Close closes the stores that were opened.
func (a *Anchors) Close() error {
	var failed []error
	for _, e := range a.stores {
		failed = append(failed, e.Close())
	}
	return errors.Join(failed...)
}

func (e *engine) anchorObjects(tenant storage.TenantID) (storage.Objects, error) {
	h, err := e.For(tenant)
	if err != nil {
		return nil, err
	}
	return h.Objects(anchorBucket)
}

// to returns what keeps the heads of one tenant's journals.
func (a *Anchors) to(tenant storage.TenantID, key ed25519.PrivateKey) ([]storage.Anchor, error) {
	var out []storage.Anchor
	for _, address := range a.webhooks {
		hook, err := WebhookAnchor(address, key, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, hook)
	}
	for _, e := range a.stores {
		objects, err := e.anchorObjects(tenant)
		if err != nil {
			return nil, err
		}
		out = append(out, storage.ObjectAnchor(objects))
	}
	return out, nil
}

// JournalKeyFile is the name of the file with the key that signs heads.
func (s *Store) JournalKeyFile() string { return filepath.Join(s.environment.ConfigDir, "journal.key") }

// JournalKey reads the key that signs heads of journals, from a file beside
// config.json, and makes it when create says so. Otherwise the error is
// fs.ErrNotExist when there is none.
func (s *Store) JournalKey(create bool) (ed25519.PrivateKey, error) {
	if s.environment.ConfigDir == "" {
		return nil, errors.New("this system names no folder for a user's configuration: is HOME set?")
	}
	path := s.JournalKeyFile()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		if err := writeJournalKey(path); err != nil {
			return nil, fmt.Errorf("making the key that signs journals: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the key that signs journals: %w", err)
	}
	defer clear(text)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s does not hold a key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s does not hold an Ed25519 key", path)
	}
	return key, nil
}

func writeJournalKey(path string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	defer clear(text)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".journal-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name()) // a second name of the same file
	_, err = draft.Write(text)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return ignore(os.Link(draft.Name(), path), fs.ErrExist) // whoever was first
}
