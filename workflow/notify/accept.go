package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// A Result is what [Service.Notify] decided.
type Result struct {
	// ID names the notification.
	ID string `json:"id"`
	// Duplicate: one with its key was accepted before, and nothing else happens.
	Duplicate bool `json:"duplicate,omitempty"`
	// Planned are the channels that it goes to; none when no channel wants it.
	Planned []Planned `json:"planned,omitempty"`
}

// A Planned is a channel that a notification goes to.
type Planned struct {
	Channel string    `json:"channel"`
	At      time.Time `json:"at"`
	// Collected: it is sent together with others then, because of quiet hours or a
	// digest.
	Collected bool `json:"collected,omitempty"`
}

// seen is a key that was accepted.
type seen struct {
	Key  string `json:"key"` // its hash
	ID   string `json:"id"`  // the notification's
	Sent bool   `json:"sent"`
	// At is when it was accepted: a caller that tries again gets the same plan.
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires"`
}

func seenKeys(records storage.Records) *storage.Collection[seen] {
	return storage.NewCollection(records, storage.Kind[seen]{
		Collection: "notify-seen", ID: func(v *seen) string { return v.Key },
		Fields: func(v *seen) []storage.Field { return []storage.Field{storage.Time("expires", v.Expires)} },
	})
}

// envelope is a message of the queue: a notification for one channel, or the time
// of a digest.
type envelope struct {
	ID      string `json:"id"`
	Channel string `json:"channel"` // key of the channel
	// Hop counts how often it was put back.
	Hop      int       `json:"hop,omitempty"`
	Accepted time.Time `json:"accepted"`
	// Note is nil for the time of a digest.
	Note *Notification `json:"note,omitempty"`
	// Files says that attachments lie under this key of the bucket.
	Files string    `json:"files,omitempty"`
	Due   time.Time `json:"due,omitzero"` // of a digest
}

func randomID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func hashed(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Notify accepts a notification: when it returns without an error, it is kept until
// it was sent to each channel that wants it, or is a dead letter. Calling it again
// after an error is safe when there is a Key.
func (s *Service) Notify(ctx context.Context, n Notification) (Result, error) {
	if n.Template != "" {
		if err := s.o.Templates.apply(&n); err != nil {
			return Result{}, err
		}
	}
	if err := n.Validate(); err != nil {
		return Result{}, err
	}
	n.clean()
	now := s.o.Clock.Now()
	if n.Time.IsZero() {
		n.Time = now
	}
	if n.Urgency == "" {
		n.Urgency = Normal
	}
	all, err := s.Channels(ctx, n.User)
	if err != nil {
		return Result{}, err
	}
	for _, id := range n.Channels {
		if !hasChannel(all, id) {
			return Result{}, invalid.Field("Channels", id, "a channel of the user")
		}
	}
	mark := seen{ID: randomID(), At: now}
	if n.Key != "" {
		var duplicate bool
		if mark, duplicate, err = s.claim(ctx, &n, now); err != nil || duplicate {
			return Result{ID: mark.ID, Duplicate: duplicate}, err
		}
	}
	out := Result{ID: mark.ID}
	if err := s.plan(ctx, &n, all, mark, &out); err != nil {
		return out, err
	}
	if n.Key == "" {
		return out, nil
	}
	mark.Sent = true
	_, err = s.seen.Put(ctx, mark)
	return out, err
}

// clean takes out of the texts what no channel shows. The facts are copied: they
// are the caller's.
func (n *Notification) clean() {
	n.Title, n.Text = line(n.Title), clean(n.Text)
	var facts []Fact
	for _, f := range n.Facts {
		if f = (Fact{line(f.Name), line(f.Value)}); f.Name != "" || f.Value != "" {
			facts = append(facts, f)
		}
	}
	n.Facts = facts
}

func hasChannel(all []Channel, id string) bool {
	for _, c := range all {
		if c.ID == id {
			return true
		}
	}
	return false
}

// claim takes the key. A notification that was claimed and not sent, because its
// process died, goes on under the same id.
func (s *Service) claim(ctx context.Context, n *Notification, now time.Time) (mark seen, duplicate bool, err error) {
	window := n.Window
	if window == 0 {
		window = s.o.Window
	}
	key := hashed("key", n.User, n.Key)
	for {
		old, err := s.seen.Get(ctx, key)
		fresh := seen{Key: key, ID: randomID(), At: now, Expires: now.Add(window)}
		switch {
		case errors.Is(err, storage.ErrNotFound):
			_, err = s.seen.Create(ctx, fresh)
		case err != nil:
			return seen{}, false, err
		case now.Before(old.Value.Expires):
			return old.Value, old.Value.Sent, nil
		default:
			_, err = s.seen.Replace(ctx, fresh, old.Version)
		}
		if _, raced := errors.AsType[*storage.ConflictError](err); raced {
			continue
		}
		return fresh, false, err
	}
}

// plan puts one message for each channel into the queue.
func (s *Service) plan(ctx context.Context, n *Notification, all []Channel, mark seen, out *Result) error {
	p, loc, err := s.settled(ctx, n.User)
	if err != nil {
		return err
	}
	var wanted []Channel
	for _, c := range all {
		if c.wants(n) {
			wanted = append(wanted, c)
		}
	}
	files := ""
	if len(n.Attachments) > 0 && len(wanted) > 0 {
		if files, err = s.keepFiles(ctx, mark.ID, n.Attachments); err != nil {
			return err
		}
	}
	var messages []storage.NewMessage
	for _, c := range wanted {
		e := envelope{ID: hashed(mark.ID, c.key()), Channel: c.key(), Accepted: mark.At, Note: n, Files: files}
		due, collect := s.due(c, p, loc, n, mark.At)
		if collect {
			if err := s.collect(ctx, e, due); err != nil {
				return err
			}
		} else {
			m, err := e.message(0)
			if err != nil {
				return err
			}
			messages = append(messages, m)
		}
		out.Planned = append(out.Planned, Planned{Channel: c.ID, At: due, Collected: collect})
	}
	if len(messages) == 0 {
		return nil
	}
	_, err = s.queue.Send(ctx, messages...)
	return err
}

// due tells when a notification goes to a channel, and whether it waits for others.
func (s *Service) due(c Channel, p Preferences, loc *time.Location, n *Notification, now time.Time) (time.Time, bool) {
	if n.Urgency == Urgent {
		return now, false
	}
	if due, ok := c.Digest.next(now, loc); ok {
		if end, quiet := quietUntil(p.Quiet, due, loc); quiet {
			due = end
		}
		return due, true
	}
	if end, quiet := quietUntil(p.Quiet, now, loc); quiet {
		return end, true
	}
	return now, false
}

// message is the envelope as the queue takes it. Its key lets it be put back once
// only, whatever dies in between.
func (e *envelope) message(delay time.Duration) (storage.NewMessage, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // six bytes for a sign would not fit into a message
	if err := enc.Encode(e); err != nil {
		return storage.NewMessage{}, err
	}
	return storage.NewMessage{Body: body.Bytes(), Key: e.ID + "." + strconv.Itoa(e.Hop), Delay: min(max(0, delay), 366*24*time.Hour)}, nil
}

// keepFiles stores attachments beside the queue, whose messages are short.
func (s *Service) keepFiles(ctx context.Context, id string, files []Attachment) (string, error) {
	data, err := json.Marshal(files)
	if err != nil {
		return "", err
	}
	key := "files/" + id + ".json"
	_, err = s.objects.Put(ctx, key, bytes.NewReader(data), &storage.PutOptions{ContentType: "application/json"})
	return key, err
}
