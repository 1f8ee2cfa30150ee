package nats

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/ttai-go/ttai/storage"
)

// A queue is a stream with one durable consumer. Messages that are ready lie
// under the subject root.m, those that are not under root.s, from where the
// server moves them when they are due; dead letters lie in a stream of their own
// under root-dead.d and their ids.
//
// A lease is judged by this process's clock before the server is asked, because
// the server takes an acknowledgement under any lease of a message for one under
// the last.
type queue struct {
	store    *Store
	stream   string // and the root of its subjects
	tenant   storage.TenantID
	name     string
	settings storage.QueueOptions
	mine     *opened
}

// opened is what the handles of one queue in this process share.
type opened struct {
	mu   sync.Mutex
	dead jetstream.Stream // the dead letters; nil until the queue is used
}

const (
	idHeader       = "Ttai-Id"
	keyHeader      = "Ttai-Key"
	sentHeader     = "Ttai-Sent"
	causeHeader    = "Ttai-Cause"
	attemptsHeader = "Ttai-Attempts"
	failedHeader   = "Ttai-Failed"
	dueHeader      = "Ttai-Due"
	consumerName   = "receivers"
)

// scheduleFrom is the delay from which on the server keeps a message back. Its
// schedule goes by whole seconds, so it hands the message out this much too
// early, and a receiver has it come again when it is due.
const scheduleFrom = 3 * time.Second

// newQueue does no I/O. Subjects and stream have the same name: a digest, since
// neither takes every character, and streams become folders.
func newQueue(s *Store, tenant storage.TenantID, name string, settings storage.QueueOptions) *queue {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%d %s %s", len(tenant), tenant, name)))
	stream := s.prefix + "-queue-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))
	s.mu.Lock()
	defer s.mu.Unlock()
	// Handles with other settings bring the stream to theirs when they are used.
	id := fmt.Sprintf("%s %+v", stream, settings)
	if s.queues[id] == nil {
		s.queues[id] = &opened{}
	}
	return &queue{store: s, stream: stream, tenant: tenant, name: name, settings: settings, mine: s.queues[id]}
}

func (q *queue) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return q.store.usable()
}

// open makes the queue's streams and consumer, once, and returns the stream of
// dead letters.
func (q *queue) open(ctx context.Context) (dead jetstream.Stream, err error) {
	const doing = "opening a queue"
	q.mine.mu.Lock()
	defer q.mine.mu.Unlock()
	if q.mine.dead != nil {
		return q.mine.dead, nil
	}
	metadata := map[string]string{"ttai-tenant": hex.EncodeToString([]byte(q.tenant)), "ttai-queue": q.name}
	stream, err := q.store.stream(ctx, jetstream.StreamConfig{
		Name: q.stream, Subjects: []string{q.stream + ".>"}, Metadata: metadata,
		Retention: jetstream.WorkQueuePolicy, Duplicates: q.settings.Window, AllowMsgSchedules: true, AllowRollup: true,
	})
	if err != nil {
		return nil, q.store.translated(ctx, doing, err)
	}
	dead, err = q.store.stream(ctx, jetstream.StreamConfig{
		Name: q.stream + "-dead", Subjects: []string{q.stream + "-dead.>"}, Metadata: metadata,
		// Long enough to know again a message whose move here was cut off.
		Duplicates: max(2*time.Minute, 2*q.settings.Lease), AllowMsgTTL: true,
	})
	if err != nil {
		return nil, q.store.translated(ctx, doing, err)
	}
	_, err = stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: consumerName, FilterSubject: q.stream + ".m", AckPolicy: jetstream.AckExplicitPolicy, AckWait: q.settings.Lease,
		MaxDeliver: -1, MaxAckPending: -1, // attempts are counted here, because the last one leaves a dead letter
	})
	if err != nil {
		return nil, q.store.translated(ctx, doing, err)
	}
	q.mine.dead = dead
	return dead, nil
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func timeOf(h nats.Header, name string) time.Time {
	ms, err := strconv.ParseInt(h.Get(name), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// idOf returns a message's id. One with a key has the same whenever it is sent,
// so that a second sender learns it though the first message is done.
func idOf(key string) string {
	if key == "" {
		return nuid.Next()
	}
	sum := sha256.Sum256([]byte(key))
	return "k" + hex.EncodeToString(sum[:16])
}

func (q *queue) Send(ctx context.Context, messages ...storage.NewMessage) ([]string, error) {
	const doing = "sending messages"
	if err := q.check(ctx); err != nil {
		return nil, err
	}
	for i := range messages {
		if err := messages[i].Validate(); err != nil {
			return nil, err
		}
	}
	if _, err := q.open(ctx); err != nil {
		return nil, err
	}
	within, cancel := q.store.within(ctx)
	defer cancel()
	now := q.store.now()
	ids := make([]string, len(messages))
	acks := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		ids[i] = idOf(m.Key)
		out := &nats.Msg{Subject: q.stream + ".m", Data: m.Body, Header: nats.Header{
			idHeader: {ids[i]}, sentHeader: {millis(now)},
		}}
		var opts []jetstream.PublishOpt
		if m.Key != "" {
			out.Header.Set(keyHeader, token(m.Key))
			opts = append(opts, jetstream.WithMsgID(ids[i]))
		}
		if m.Delay > 0 {
			out.Header.Set(dueHeader, millis(now.Add(m.Delay).Add(time.Millisecond-1)))
		}
		if m.Delay > scheduleFrom {
			out.Subject = q.stream + ".s." + nuid.Next()
			out.Header.Set("Nats-Schedule", "@at "+now.Add(m.Delay-scheduleFrom).UTC().Format(time.RFC3339Nano))
			out.Header.Set("Nats-Schedule-Target", q.stream+".m")
		}
		var err error
		if acks[i], err = q.store.js.PublishMsgAsync(out, opts...); err != nil {
			return nil, q.store.translated(ctx, doing, err)
		}
	}
	if err := q.store.acknowledged(ctx, within, doing, acks); err != nil {
		return nil, err
	}
	return ids, nil
}

// Receive may leave messages leased when its context ends while they are on
// their way; they come again when the lease has ended.
func (q *queue) Receive(ctx context.Context, most int, wait time.Duration) ([]storage.Message, error) {
	const doing = "receiving messages"
	if err := storage.CheckReceive(most, wait); err != nil {
		return nil, err
	}
	if err := q.check(ctx); err != nil {
		return nil, err
	}
	dead, err := q.open(ctx)
	if err != nil {
		return nil, err
	}
	until := time.Now().Add(wait)
	var got []storage.Message
	for {
		arrived, ending := q.pull(ctx, most-len(got), time.Until(until))
		again := false
		var over []storage.Message
		for i, m := range arrived {
			message, due, err := q.message(ctx, dead, m)
			if err == nil && message.Attempt <= q.settings.Attempts && q.store.now().Before(due) {
				again = true
				if err = q.putBack(ctx, dead, due.Sub(q.store.now()), message); err == nil {
					continue
				}
			}
			if err != nil {
				got = append(got, over...)
				for _, m := range arrived[i:] {
					got = append(got, q.unread(m))
				}
				return nil, q.orReturn(ctx, dead, doing, got, err)
			}
			if message.Attempt > q.settings.Attempts {
				over = append(over, message)
			} else {
				got = append(got, message)
			}
		}
		if err := q.bury(ctx, dead, storage.LeaseEnded, over...); err != nil {
			return nil, q.orReturn(ctx, dead, doing, got, err)
		}
		if ending = errors.Join(ending, ctx.Err()); ending != nil {
			// What came before the connection was lost is the caller's all the same.
			if len(got) > 0 && ctx.Err() == nil {
				return got, nil
			}
			return nil, q.orReturn(ctx, dead, doing, got, ending)
		}
		if !again && len(over) == 0 || len(got) == most {
			return got, nil
		}
	}
}

// unread is as much of a message as putting it back takes. It counts as tried.
func (q *queue) unread(m *nats.Msg) storage.Message {
	return storage.Message{Receipt: m.Reply, Expires: q.store.now().Add(q.settings.Lease)}
}

// orReturn gives back messages that the caller will not get.
func (q *queue) orReturn(ctx context.Context, dead jetstream.Stream, doing string, got []storage.Message, err error) error {
	err = q.store.translated(ctx, doing, err)
	if len(got) > 0 && q.store.usable() == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.store.timeout)
		defer cancel()
		_ = q.putBack(ctx, dead, 0, got...) // otherwise they come when the lease ends
	}
	return err
}

// putBack undoes a delivery that nobody asked for. The server has counted it, so
// it is noted that it does not count.
func (q *queue) putBack(ctx context.Context, dead jetstream.Stream, delay time.Duration, messages ...storage.Message) error {
	const doing = "putting messages back"
	for _, m := range messages {
		if m.ID == "" {
			continue // unread: what was noted before is not known
		}
		number, delivered := receiptNumbers(m.Receipt)
		note := &nats.Msg{
			Subject: dead.CachedInfo().Config.Name + ".f." + number, Data: strconv.AppendInt(nil, int64(delivered-m.Attempt+1), 10),
			Header: nats.Header{ttlHeader: {"604800s"}}, // a week, by when it is done
		}
		if _, err := q.store.js.PublishMsg(ctx, note); err != nil {
			return q.store.translated(ctx, doing, err)
		}
	}
	err := q.answer(ctx, doing, fmt.Sprintf(`-NAK {"delay": %d}`, max(0, delay).Nanoseconds()), messages...)
	if errors.Is(err, storage.ErrLeaseLost) {
		return nil // it has gone back by itself
	}
	return err
}

// forgiven returns how many deliveries of a message do not count.
func (q *queue) forgiven(ctx context.Context, dead jetstream.Stream, number string) (int, error) {
	m, err := dead.GetLastMsgForSubject(ctx, dead.CachedInfo().Config.Name+".f."+number)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(m.Data))
}

// receiptNumbers returns a message's number in the stream and how often it was
// delivered: the fields of a receipt before the number of the delivery, the time
// and how many follow.
func receiptNumbers(receipt string) (number string, delivered int) {
	fields := strings.Split(receipt, ".")
	if len(fields) < 5 {
		return "0", 0
	}
	delivered, _ = strconv.Atoi(fields[len(fields)-5])
	return fields[len(fields)-4], delivered
}

// message returns a message and when it is due.
func (q *queue) message(ctx context.Context, dead jetstream.Stream, m *nats.Msg) (storage.Message, time.Time, error) {
	h := m.Header
	number, delivered := receiptNumbers(m.Reply)
	message := storage.Message{
		ID: h.Get(idHeader), Body: bytes.Clone(m.Data), Key: plain(h.Get(keyHeader)), Attempt: delivered,
		Sent: timeOf(h, sentHeader), Expires: q.store.now().Add(q.settings.Lease), Receipt: m.Reply,
	}
	if delivered > 1 {
		n, err := q.forgiven(ctx, dead, number)
		if err != nil {
			return message, time.Time{}, err
		}
		message.Attempt -= n
	}
	return message, timeOf(h, dueHeader), nil
}

// leased tells whether the message is leased to whoever has it, as far as can be
// known here. A receipt names the stream and the consumer; another queue's is no
// good.
func (q *queue) leased(m storage.Message) bool {
	number, _ := receiptNumbers(m.Receipt)
	return number != "0" && strings.HasPrefix(m.Receipt, "$JS.ACK.") && !strings.ContainsAny(m.Receipt, " \t\r\n*>") &&
		strings.Contains(m.Receipt, "."+q.stream+"."+consumerName+".") && q.store.now().Before(m.Expires)
}

// answer tells the server something about messages; its reply to the last says
// that it has heard all, since it hears them in order.
func (q *queue) answer(ctx context.Context, doing, what string, messages ...storage.Message) error {
	lost := false
	var standing []storage.Message
	for _, m := range messages {
		if !q.leased(m) {
			lost = true
			continue
		}
		standing = append(standing, m)
	}
	for i, m := range standing {
		if i < len(standing)-1 {
			if err := q.store.conn.Publish(m.Receipt, []byte(what)); err != nil {
				return q.store.translated(ctx, doing, err)
			}
			continue
		}
		within, cancel := q.store.within(ctx)
		_, err := q.store.conn.RequestWithContext(within, m.Receipt, []byte(what))
		cancel()
		if err != nil {
			return q.store.translated(ctx, doing, err)
		}
	}
	if lost {
		return fmt.Errorf("nats: %s: %w", doing, storage.ErrLeaseLost)
	}
	return nil
}

func (q *queue) Ack(ctx context.Context, messages ...storage.Message) error {
	if err := q.check(ctx); err != nil {
		return err
	}
	return q.answer(ctx, "acknowledging messages", "+ACK", messages...)
}

func (q *queue) Retry(ctx context.Context, m storage.Message, cause string) error {
	if err := q.check(ctx); err != nil {
		return err
	}
	if m.Attempt < q.settings.Attempts {
		return q.answer(ctx, "retrying a message", fmt.Sprintf(`-NAK {"delay": %d}`, q.settings.Backoff(m.Attempt).Nanoseconds()), m)
	}
	if !q.leased(m) {
		return fmt.Errorf("nats: retrying a message: %w", storage.ErrLeaseLost)
	}
	dead, err := q.open(ctx)
	if err != nil {
		return err
	}
	return q.bury(ctx, dead, cause, m)
}

func (q *queue) Extend(ctx context.Context, m storage.Message) (storage.Message, error) {
	if err := q.check(ctx); err != nil {
		return storage.Message{}, err
	}
	expires := q.store.now().Add(q.settings.Lease)
	if err := q.answer(ctx, "extending a lease", "+WPI", m); err != nil {
		return storage.Message{}, err
	}
	m.Expires = expires
	return m, nil
}

// bury puts messages among the dead letters and then acknowledges them. One that
// is cut off in between comes again and is buried again, which the server
// recognises by its number.
func (q *queue) bury(ctx context.Context, dead jetstream.Stream, cause string, messages ...storage.Message) error {
	const doing = "putting messages among the dead letters"
	if len(messages) == 0 {
		return nil
	}
	within, cancel := q.store.within(ctx)
	defer cancel()
	acks := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		letter := &nats.Msg{Subject: dead.CachedInfo().Config.Name + ".d." + m.ID, Data: m.Body, Header: nats.Header{
			idHeader: {m.ID}, sentHeader: {millis(m.Sent)}, failedHeader: {millis(q.store.now())},
			attemptsHeader: {strconv.Itoa(min(m.Attempt, q.settings.Attempts))}, causeHeader: {token(cause)}, keyHeader: {token(m.Key)},
		}}
		number, _ := receiptNumbers(m.Receipt)
		var err error
		if acks[i], err = q.store.js.PublishMsgAsync(letter, jetstream.WithMsgID(number)); err != nil {
			return q.store.translated(ctx, doing, err)
		}
	}
	if err := q.store.acknowledged(ctx, within, doing, acks); err != nil {
		return err
	}
	// Whoever leased one of them meanwhile would bury it too.
	for i := range messages {
		messages[i].Expires = q.store.now().Add(q.settings.Lease)
	}
	return q.answer(ctx, doing, "+ACK", messages...)
}

// acknowledged waits until the server has stored what was published.
func (s *Store) acknowledged(ctx, within context.Context, doing string, acks []jetstream.PubAckFuture) error {
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return s.translated(ctx, doing, err)
		case <-within.Done():
			return s.translated(ctx, doing, within.Err())
		}
	}
	return nil
}

// sweep buries the messages whose last lease has ended. The server hands those
// out first, so that the first new message says that there are no more.
func (q *queue) sweep(ctx context.Context) error {
	const doing = "looking for messages that failed"
	dead, err := q.open(ctx)
	if err != nil {
		return err
	}
	var live []storage.Message
	for more := true; more; {
		arrived, ending := q.pull(ctx, 500, 0)
		var over []storage.Message
		more = false
		for i, m := range arrived {
			message, _, err := q.message(ctx, dead, m)
			if err != nil {
				for _, m := range arrived[i:] {
					live = append(live, q.unread(m))
				}
				return q.orReturn(ctx, dead, doing, live, err)
			}
			if message.Attempt > q.settings.Attempts {
				over = append(over, message)
				more = true
			} else {
				live = append(live, message)
			}
		}
		if err := q.bury(ctx, dead, storage.LeaseEnded, over...); err != nil {
			return q.orReturn(ctx, dead, doing, live, err)
		}
		if err := errors.Join(ctx.Err(), ending); err != nil {
			return q.orReturn(ctx, dead, doing, live, err)
		}
	}
	if len(live) == 0 {
		return nil
	}
	return q.putBack(ctx, dead, 0, live...)
}
