package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// collected is a notification that waits to be sent together with others.
type collected struct {
	ID      string       `json:"id"`    // the message's
	Batch   string       `json:"batch"` // the digest's
	Channel string       `json:"channel"`
	Due     time.Time    `json:"due"`
	Note    Notification `json:"note"`
	Files   string       `json:"files,omitempty"`
}

func collectedItems(records storage.Records) *storage.Collection[collected] {
	return storage.NewCollection(records, storage.Kind[collected]{
		Collection: "notify-collected", ID: func(v *collected) string { return v.ID },
		Fields: func(v *collected) []storage.Field {
			return []storage.Field{storage.Text("batch", v.Batch), storage.Text("channel", hashed(v.Channel)), storage.Time("due", v.Due)}
		},
	})
}

func digestID(channel string, due time.Time) string {
	return hashed("digest", channel, due.UTC().Format(time.RFC3339))
}

// collect keeps a notification until due, and sees to it that somebody comes for it
// then. That it was collected is written down with it: a message whose process dies
// before the queue hears of it comes by again, perhaps after the digest was sent.
func (s *Service) collect(ctx context.Context, e envelope, due time.Time) error {
	switch st, err := s.states.Get(ctx, e.ID); {
	case err == nil && (st.Value.Done || st.Value.Hop > e.Hop):
		return nil // it was; when nobody set the time, rescue does
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		return err
	}
	now := s.o.Clock.Now()
	due = due.Truncate(time.Second)
	if earliest := now.Add(time.Second).Truncate(time.Second).Add(time.Second); due.Before(earliest) {
		due = earliest // the one that is due now may be on its way
	}
	item := collected{ID: e.ID, Batch: digestID(e.Channel, due), Channel: e.Channel, Due: due, Note: *e.Note, Files: e.Files}
	keep, err := s.collected.Write(storage.OpPut, &item, storage.NoVersion)
	if err != nil {
		return err
	}
	mark, err := s.states.Write(storage.OpPut, &state{ID: e.ID, Hop: e.Hop + 1, Expires: due.Add(stateKept)}, storage.NoVersion)
	if err != nil {
		return err
	}
	if _, err := s.records.Write(ctx, keep, mark); err != nil {
		return err
	}
	return s.wake(ctx, e.Channel, due, 0)
}

// again gives what nobody came for a time of its own, unless another process was
// faster.
func (s *Service) again(ctx context.Context, old storage.Stored[collected]) error {
	item := old.Value
	item.Due = s.o.Clock.Now().Truncate(time.Second).Add(2 * time.Second)
	item.Batch = digestID(item.Channel, item.Due)
	_, err := s.collected.Replace(ctx, item, old.Version)
	if _, raced := errors.AsType[*storage.ConflictError](err); raced {
		return nil
	}
	if err != nil {
		return err
	}
	return s.wake(ctx, item.Channel, item.Due, 0)
}

// wake puts the time of a digest into the queue, once.
func (s *Service) wake(ctx context.Context, channel string, due time.Time, hop int) error {
	e := envelope{ID: digestID(channel, due), Channel: channel, Accepted: due, Due: due, Hop: hop}
	m, err := e.message(due.Sub(s.o.Clock.Now()))
	if err != nil {
		return err
	}
	_, err = s.queue.Send(ctx, m)
	return err
}

// overflow is when what exceeds the user's limit is sent: with what waits already,
// or as soon as there is room.
func (s *Service) overflow(ctx context.Context, c Channel, now, room time.Time) (time.Time, error) {
	from := storage.Time("due", now.Add(2*time.Second))
	items, _, err := s.collected.List(ctx, storage.RecordQuery{
		Where: []storage.Field{storage.Text("channel", hashed(c.key()))}, Order: "due", Kind: storage.NumberField, From: &from, Limit: 1,
	})
	if err != nil || len(items) == 0 || items[0].Value.Due.Before(room.Truncate(time.Second)) {
		return room, err
	}
	return items[0].Value.Due, nil
}

// digestMost is the most notifications that one digest shows; more are counted.
const digestMost = 200

// digest makes one message out of all that waits for it.
func (s *Service) digest(ctx context.Context, j job, c Channel) (*Message, []collected, error) {
	var items []collected
	for item, err := range s.collected.All(ctx, storage.RecordQuery{Where: []storage.Field{storage.Text("batch", j.ID)}, Limit: 1000}) {
		if err != nil {
			return nil, nil, err
		}
		items = append(items, item.Value)
	}
	fresh := items[:0:0]
	for _, item := range items {
		if item.Note.Expires.IsZero() || s.o.Clock.Now().Before(item.Note.Expires) {
			fresh = append(fresh, item)
		}
	}
	if len(fresh) == 0 {
		return nil, nil, s.forget(ctx, items) // none, or what is not worth sending any more
	}
	all := items
	items = fresh
	sortByTime(items)
	if len(items) == 1 {
		m, err := s.message(ctx, &items[0].Note, items[0].Files)
		return m, all, err
	}
	_, loc, err := s.settled(ctx, c.User)
	if err != nil {
		return nil, nil, err
	}
	m := &Message{Title: fmt.Sprintf("%d notifications", len(items)), Topic: "digest", Urgency: Low, Time: j.Due, User: c.User}
	var b strings.Builder
	size, files := 0, 0
	for i, item := range items {
		n := item.Note
		if n.Urgency.rank() > m.Urgency.rank() {
			m.Urgency = n.Urgency
		}
		if i >= digestMost || b.Len() > MaxText-4096 {
			fmt.Fprintf(&b, "… and %d more", len(items)-i)
			break
		}
		digestEntry(&b, n, loc)
		if item.Files == "" || files == 8 {
			continue
		}
		one, err := s.message(ctx, &n, item.Files)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range one.Attachments {
			if files < 8 && size+len(a.Data) <= MaxAttachments {
				a.Name = fmt.Sprintf("%d-%s", i+1, a.Name)
				m.Attachments = append(m.Attachments, a)
				files, size = files+1, size+len(a.Data)
			}
		}
	}
	m.Text = b.String()
	return m, all, nil
}

func digestEntry(b *strings.Builder, n Notification, loc *time.Location) {
	fmt.Fprintf(b, "• %s  %s", n.Time.In(loc).Format("Jan 2 15:04"), line(n.Title))
	for _, f := range n.Facts {
		fmt.Fprintf(b, "; %s %s", line(f.Name), line(f.Value))
	}
	if text := line(n.Text); text != "" {
		b.WriteString("\n  " + fit(text, 240, asItIs, countRaw))
	}
	b.WriteString("\n")
}

func sortByTime(items []collected) {
	slices.SortStableFunc(items, func(a, b collected) int { return a.Note.Time.Compare(b.Note.Time) })
}

// forget deletes what a digest was made of.
func (s *Service) forget(ctx context.Context, items []collected) error {
	for len(items) > 0 {
		n := min(500, len(items))
		writes := make([]storage.RecordWrite, n)
		for i, item := range items[:n] {
			writes[i] = storage.RecordWrite{Op: storage.OpDelete, Collection: "notify-collected", ID: item.ID}
		}
		if _, err := s.records.Write(ctx, writes...); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// tidy looks after what a process that died left behind, and forgets what is old.
func (s *Service) tidy(ctx context.Context) {
	for i := 0; ; i++ {
		if err := s.rescue(ctx); err != nil && ctx.Err() == nil {
			s.o.Logger.Warn("collected notifications not looked after", "error", err)
		}
		if i%60 == 0 {
			if err := s.prune(ctx); err != nil && ctx.Err() == nil {
				s.o.Logger.Warn("old notifications not pruned", "error", err)
			}
		}
		if s.o.Clock.Sleep(ctx, time.Minute) != nil {
			return
		}
	}
}

// rescue finds what nobody came for: the process died between keeping it and
// setting the time, or it was kept while its digest was sent.
func (s *Service) rescue(ctx context.Context) error {
	to := storage.Time("due", s.o.Clock.Now().Add(-2*time.Minute))
	for item, err := range s.collected.All(ctx, storage.RecordQuery{Order: "due", Kind: storage.NumberField, To: &to, Limit: 200}) {
		if err != nil {
			return err
		}
		st, err := s.states.Get(ctx, item.Value.Batch)
		if err == nil && !st.Value.Done {
			continue // its digest is being tried, or is a dead letter that keeps its parts
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err == nil && item.Created.Before(st.Updated.Add(-time.Minute)) {
			// It was a part of a digest that was sent, and was not deleted any more.
			if err := s.forget(ctx, []collected{item.Value}); err != nil {
				return err
			}
			continue
		}
		if err := s.again(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// prune deletes marks that have expired and files that nothing needs any more.
func (s *Service) prune(ctx context.Context) error {
	now := s.o.Clock.Now()
	to := storage.Time("expires", now)
	for _, name := range []string{"notify-seen", "notify-deliveries"} {
		for {
			page, err := s.records.List(ctx, name, storage.RecordQuery{Order: "expires", Kind: storage.NumberField, To: &to, Limit: 500})
			if err != nil {
				return err
			}
			writes := make([]storage.RecordWrite, len(page.Records))
			for i, r := range page.Records {
				writes[i] = storage.RecordWrite{Op: storage.OpDelete, Collection: name, ID: r.ID}
			}
			if len(writes) == 0 {
				break
			}
			if _, err := s.records.Write(ctx, writes...); err != nil {
				return err
			}
		}
	}
	for o, err := range s.objects.List(ctx, "files/", "") {
		if err != nil {
			return err
		}
		if o.Modified.Before(now.Add(-stateKept)) {
			if err := s.objects.Delete(ctx, o.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// A Dead is a notification that could not be sent.
type Dead struct {
	ID      string    `json:"id"` // for Replay and Drop
	User    string    `json:"user"`
	Channel string    `json:"channel"`
	Title   string    `json:"title"` // "digest" for a digest
	Time    time.Time `json:"time,omitzero"`
	Failed  time.Time `json:"failed"`
	Cause   string    `json:"cause"`
}

// DeadLetters returns what could not be sent, the one that failed longest ago
// first.
func (s *Service) DeadLetters(ctx context.Context) ([]Dead, error) {
	var out []Dead
	for letter, err := range s.queue.DeadLetters().List(ctx) {
		if err != nil {
			return nil, err
		}
		d := Dead{ID: letter.ID, Failed: letter.Failed, Cause: letter.Cause}
		var e envelope
		if json.Unmarshal(letter.Body, &e) == nil {
			d.User, d.Channel = userOf(e.Channel), idOf(e.Channel)
			d.Title = "digest"
			if e.Note != nil {
				d.Title, d.Time = e.Note.Title, e.Note.Time
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// Replay sends dead letters again, as often and as long as if they were new.
// ErrNotFound: at least one is none; the others are replayed.
func (s *Service) Replay(ctx context.Context, ids ...string) error {
	return s.queue.DeadLetters().Replay(ctx, ids...)
}

// Drop forgets dead letters.
func (s *Service) Drop(ctx context.Context, ids ...string) error {
	return s.queue.DeadLetters().Drop(ctx, ids...)
}

// userOf and idOf take a channel's key apart. Ids have no slash, users may.
func userOf(key string) string {
	user, _ := cutLast(key)
	return user
}

func idOf(key string) string {
	_, id := cutLast(key)
	return id
}

func cutLast(key string) (string, string) {
	i := strings.LastIndexByte(key, '/')
	if i < 0 {
		return key, ""
	}
	return key[:i], key[i+1:]
}
