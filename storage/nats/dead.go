package nats

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ttai-go/ttai/storage"
)

// plain reads what token wrote; empty when it is something else.
func plain(s string) string {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}

type deadLetters struct{ queue *queue }

func (q *queue) DeadLetters() storage.DeadLetters { return &deadLetters{queue: q} }

func (d *deadLetters) open(ctx context.Context) (jetstream.Stream, error) {
	if err := d.queue.check(ctx); err != nil {
		return nil, err
	}
	return d.queue.open(ctx)
}

func (d *deadLetters) List(ctx context.Context) iter.Seq2[storage.DeadLetter, error] {
	return func(yield func(storage.DeadLetter, error) bool) {
		dead, err := d.open(ctx)
		if err == nil {
			err = d.queue.sweep(ctx)
		}
		if err != nil {
			yield(storage.DeadLetter{}, err)
			return
		}
		for m, err := range d.queue.store.scan(ctx, dead, "listing dead letters", dead.CachedInfo().Config.Name+".d.*", false) {
			if err != nil {
				yield(storage.DeadLetter{}, err)
				return
			}
			if err := ctx.Err(); err != nil {
				yield(storage.DeadLetter{}, err)
				return
			}
			h := m.Headers()
			attempts, err := strconv.Atoi(h.Get(attemptsHeader))
			if err != nil {
				yield(storage.DeadLetter{}, fmt.Errorf("nats: listing dead letters: %w: %w", storage.ErrCorrupt, err))
				return
			}
			letter := storage.DeadLetter{
				ID: h.Get(idHeader), Body: m.Data(), Key: plain(h.Get(keyHeader)), Attempts: attempts,
				Sent: timeOf(h, sentHeader), Failed: timeOf(h, failedHeader), Cause: plain(h.Get(causeHeader)),
			}
			if !yield(letter, nil) {
				return
			}
		}
	}
}

// each calls do with every dead letter of an id, and returns how many there are.
func (d *deadLetters) each(ctx context.Context, dead jetstream.Stream, id string, do func(*jetstream.RawStreamMsg) error) (int, error) {
	const doing = "looking for a dead letter"
	if !isToken(id) {
		return 0, nil // none of ours
	}
	for n := 0; ; n++ {
		m, err := dead.GetLastMsgForSubject(ctx, dead.CachedInfo().Config.Name+".d."+id)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return n, nil
		}
		if err != nil {
			return n, d.queue.store.translated(ctx, doing, err)
		}
		if err := do(m); err != nil {
			return n, err
		}
		// Whoever else replays or drops it was first.
		if err := dead.DeleteMsg(ctx, m.Sequence); err != nil && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return n, d.queue.store.translated(ctx, doing, err)
		}
	}
}

// isToken tells whether id may be a part of a subject.
func isToken(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return id != ""
}

// Replay sends the message anew before it deletes the dead letter, with the
// letter's number as its key: cut off in between and called again, it is not
// sent twice.
func (d *deadLetters) Replay(ctx context.Context, ids ...string) error {
	dead, err := d.open(ctx)
	if err != nil {
		return err
	}
	missing := false
	for _, id := range ids {
		n, err := d.each(ctx, dead, id, func(m *jetstream.RawStreamMsg) error {
			out := &nats.Msg{Subject: d.queue.stream + ".m", Data: m.Data, Header: nats.Header{
				idHeader: {id}, sentHeader: {m.Header.Get(sentHeader)}, keyHeader: {m.Header.Get(keyHeader)},
			}}
			_, err := d.queue.store.js.PublishMsg(ctx, out, jetstream.WithMsgID("replay "+strconv.FormatUint(m.Sequence, 10)))
			return d.queue.store.translated(ctx, "replaying a message", err)
		})
		if err != nil {
			return err
		}
		missing = missing || n == 0
	}
	if missing {
		return fmt.Errorf("nats: replaying messages: %w", storage.ErrNotFound)
	}
	return nil
}

func (d *deadLetters) Drop(ctx context.Context, ids ...string) error {
	dead, err := d.open(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := d.each(ctx, dead, id, func(*jetstream.RawStreamMsg) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}
