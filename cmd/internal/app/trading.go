package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/storage"
)

// Trading is trading.json: what the operator allows, in writing.
type Trading struct {
	// Limits are what may be traded: see broker.Limits for its fields.
	Limits json.RawMessage `json:"limits"`
	// Policy is the budget within which nobody is asked: see broker.Budget.
	Policy *broker.Budget `json:"policy"`
	// Passkeys are the authenticators whose signatures approve orders, with the host
	// name and the pages that they were registered with.
	Passkeys []broker.Passkey `json:"passkeys"`
	RPID     string           `json:"rp_id"`
	Origins  []string         `json:"origins"`
}

// TradingFile is the name of the file beside config.json.
const TradingFile = "trading.json"

// A Desk is a guarded broker and the ways in which its orders are approved.
type Desk struct {
	Guard *broker.Guard
	// Elicitation, Page and Terminal are for what a client's user, a person at the
	// page, and one at the terminal answered.
	Elicitation, Page, Terminal *broker.Witness
	Passkeys                    [][]byte
	RPID                        string
}

// PasskeyMethod is the method of the guard's passkey approver.
const PasskeyMethod = "passkey"

// Desk puts the guard before the broker. Trading is off unless trading.json
// allows it, or the broker is the simulator and there is no such file. Previews,
// claims, limits in use, the kill switch and the journal lie in store, which may be
// nil: then they end with the process, and real money is not traded.
func (o *Opened) Desk(std IO, store *Store, logger *slog.Logger) (*Desk, error) {
	d := &Desk{}
	options := broker.GuardOptions{Quotes: o.Market, Clock: o.Clock, Logger: logger, Home: string(o.Environment)}
	var key func(context.Context) ([]byte, error)
	if store != nil {
		state := &guardState{store: store}
		options.State, options.Journal = state, &guardJournal{store: store}
		key = state.witnessKey
	}
	for _, w := range []struct {
		to     **broker.Witness
		method string
		grade  broker.Grade
		key    func(context.Context) ([]byte, error)
	}{
		{&d.Elicitation, "elicitation", broker.GradeElicitation, nil}, // the process that asked sends
		{&d.Page, "page", broker.GradeLoopback, key},
		{&d.Terminal, "terminal", broker.GradeLoopback, key},
	} {
		witness, err := broker.NewWitness(w.method, w.grade, w.key)
		if err != nil {
			return nil, err
		}
		*w.to = witness
		options.Approvers = append(options.Approvers, witness)
	}
	if err := o.readTrading(std.Environment, d, &options); err != nil {
		options.Limits, options.Unreadable = broker.Limits{}, err
	}
	if options.Limits.Mode != broker.ModeOff && o.Environment.Real() && store == nil {
		options.Limits, options.Unreadable = broker.Limits{}, fmt.Errorf("real money needs a store that lasts: %w", ErrNoStore)
	}
	var err error
	if d.Guard, err = broker.NewGuard(o.Broker, options); err != nil {
		// Settings that make no sense are settings that cannot be read.
		options.Limits, options.Unreadable = broker.Limits{}, err
		d.Guard, err = broker.NewGuard(o.Broker, options)
	}
	return d, err
}

// readTrading takes the operator's settings over.
func (o *Opened) readTrading(env Environment, d *Desk, options *broker.GuardOptions) error {
	text, err := []byte(nil), fs.ErrNotExist
	if env.ConfigDir != "" {
		text, err = os.ReadFile(filepath.Join(env.ConfigDir, TradingFile))
	}
	if errors.Is(err, fs.ErrNotExist) {
		if o.Environment == broker.Simulator {
			options.Limits = broker.PaperLimits()
			options.Limits.Approval.Grade = broker.GradeElicitation
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", TradingFile, err)
	}
	var t Trading
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&t); err != nil {
		return fmt.Errorf("%s cannot be understood: %w", TradingFile, err)
	}
	if decoder.More() {
		return fmt.Errorf("%s has more than one object", TradingFile)
	}
	if name, ok := repeated(json.NewDecoder(bytes.NewReader(text))); ok {
		return fmt.Errorf("%s has %q twice: which of the two holds is not for a program to choose", TradingFile, name)
	}
	if len(t.Limits) > 0 {
		if options.Limits, err = broker.ParseLimits(t.Limits); err != nil {
			return fmt.Errorf("%s: %w", TradingFile, err)
		}
	}
	if t.Policy != nil {
		policy, err := broker.NewPolicyApprover(*t.Policy, o.Clock)
		if err != nil {
			return fmt.Errorf("%s, policy: %w", TradingFile, err)
		}
		options.Approvers = append(options.Approvers, policy)
	}
	if len(t.Passkeys) > 0 {
		passkey, err := broker.NewPasskeyApprover(broker.PasskeyOptions{
			RPID: t.RPID, Origins: t.Origins, Passkeys: t.Passkeys, State: options.State, Home: options.Home,
		})
		if err != nil {
			return fmt.Errorf("%s, passkeys: %w", TradingFile, err)
		}
		options.Approvers = append(options.Approvers, passkey)
		d.RPID = t.RPID
		for _, key := range t.Passkeys {
			d.Passkeys = append(d.Passkeys, key.ID)
		}
	}
	return nil
}

// repeated returns a name that stands twice in one object of a JSON text, in
// whatever letters: the decoder would take the last.
func repeated(d *json.Decoder) (name string, ok bool) {
	token, err := d.Token()
	open, nested := token.(json.Delim)
	if err != nil || !nested {
		return "", false
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			token, err := d.Token()
			if err != nil {
				return "", false
			}
			key, _ := token.(string)
			if seen[strings.ToLower(key)] {
				return key, true
			}
			seen[strings.ToLower(key)] = true
		}
		if name, ok := repeated(d); ok {
			return name, true
		}
	}
	_, _ = d.Token() // the end
	return "", false
}

// guardSpace and guardJournalName are where a guard's state and journal lie among
// the data of the local tenant.
const (
	guardSpace       = "guard"
	guardJournalName = "trading"
)

// A guardState is a broker.State in a key-value space, which is opened at its
// first use.
type guardState struct{ store *Store }

func (s *guardState) kv() (storage.KV, error) {
	tenant, err := s.store.For(storage.Local)
	if err != nil {
		return nil, err
	}
	return tenant.KV(guardSpace)
}

// Get returns a value and its version.
func (s *guardState) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	kv, err := s.kv()
	if err != nil {
		return nil, 0, err
	}
	v, err := kv.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, 0, broker.ErrNoState
	}
	return v.Data, uint64(v.Version), err
}

// CompareAndSet stores a value when its version is the expected one.
func (s *guardState) CompareAndSet(ctx context.Context, key string, expected uint64, data []byte, ttl time.Duration) (uint64, error) {
	kv, err := s.kv()
	if err != nil {
		return 0, err
	}
	version, err := kv.CompareAndSet(ctx, key, storage.Version(expected), data, ttl)
	if errors.Is(err, storage.ErrConflict) {
		return 0, broker.ErrStateChanged
	}
	return uint64(version), err
}

// witnessKey is the secret by which processes of a home know each other's
// witnesses. Who can read the store can approve what a page or a terminal can: that
// is what their grade says.
func (s *guardState) witnessKey(ctx context.Context) ([]byte, error) {
	const name = "witness-key"
	key, _, err := s.Get(ctx, name)
	if !errors.Is(err, broker.ErrNoState) {
		return key, err
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	if _, err = s.CompareAndSet(ctx, name, 0, key, 0); errors.Is(err, broker.ErrStateChanged) {
		key, _, err = s.Get(ctx, name) // another process was first
	}
	return key, err
}

// A guardJournal is a broker.Journal in a hash-chained journal, which is opened at
// its first use.
type guardJournal struct{ store *Store }

func (j *guardJournal) journal() (storage.Journal, error) {
	tenant, err := j.store.For(storage.Local)
	if err != nil {
		return nil, err
	}
	return tenant.Journal(guardJournalName)
}

// Append adds one entry.
func (j *guardJournal) Append(ctx context.Context, kind string, data []byte) error {
	journal, err := j.journal()
	if err != nil {
		return err
	}
	_, err = journal.Append(ctx, storage.NewEntry{Kind: kind, Data: data})
	return err
}

// Read yields the entries in order.
func (j *guardJournal) Read(ctx context.Context, from uint64) iter.Seq2[broker.JournalEntry, error] {
	return func(yield func(broker.JournalEntry, error) bool) {
		journal, err := j.journal()
		if err != nil {
			yield(broker.JournalEntry{}, err)
			return
		}
		for e, err := range journal.Read(ctx, from) {
			if !yield(broker.JournalEntry{Seq: e.Seq, Time: e.Time, Kind: e.Kind, Data: e.Data}, err) || err != nil {
				return
			}
		}
	}
}
