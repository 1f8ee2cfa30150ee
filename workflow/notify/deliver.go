package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
)

// state is what became of a message so far. It is written when something did.
type state struct {
	ID       string `json:"id"`
	Hop      int    `json:"hop"`
	Attempts int    `json:"attempts,omitempty"`
	Done     bool   `json:"done,omitempty"`
	Failed   bool   `json:"failed,omitempty"`
	Sending  bool   `json:"sending,omitempty"`  // it began at most once, and has not ended
	Admitted bool   `json:"admitted,omitempty"` // it was counted under the user's limit
	// Doomed: it failed for good while it was sent beside its batch, and is a dead
	// letter when it comes by again.
	Doomed  bool      `json:"doomed,omitempty"`
	Cause   string    `json:"cause,omitempty"`
	Since   time.Time `json:"since,omitzero"` // its age is counted from; zero: from when it was due
	Expires time.Time `json:"expires"`
}

func states(records storage.Records) *storage.Collection[state] {
	return storage.NewCollection(records, storage.Kind[state]{
		Collection: "notify-deliveries", ID: func(v *state) string { return v.ID },
		Fields: func(v *state) []storage.Field { return []storage.Field{storage.Time("expires", v.Expires)} },
	})
}

// stateKept is longer than a message can wait in the queue or lie among the dead
// letters before somebody looks.
const stateKept = 35 * 24 * time.Hour

// Run sends until ctx ends, which is no error; then it waits for what is under way.
// Several may run, in one process or many.
func (s *Service) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { s.tidy(ctx) })
	defer stop()
	return workflow.Consume(ctx, s.queue, s.o.Batches, func(handling context.Context, batch *workflow.Batch) error {
		return s.handle(handling, ctx, &all, batch)
	})
}

// handle sends a batch, each channel's messages one after the other and all
// channels at the same time. What takes long goes on in beside until running ends.
func (s *Service) handle(ctx, running context.Context, beside *sync.WaitGroup, batch *workflow.Batch) error {
	groups := map[string][]job{}
	for _, m := range batch.Messages {
		var e envelope
		if err := json.Unmarshal(m.Body, &e); err != nil {
			batch.Fail(m.ID, errors.New("this is no notification"))
			continue
		}
		groups[e.Channel] = append(groups[e.Channel], job{m, e})
	}
	var all sync.WaitGroup
	for key, jobs := range groups {
		all.Go(func() {
			l := s.lane(key)
			turn := &turn{lane: l, holds: l.take(ctx), beside: beside, running: running}
			defer turn.end()
			for _, j := range jobs {
				// What was taken is told to the store even while the program ends.
				if err := s.deliver(context.WithoutCancel(ctx), turn, j); err != nil {
					batch.Fail(j.message.ID, err)
				}
			}
		})
	}
	all.Wait()
	return nil
}

type job struct {
	message storage.Message
	envelope
}

// deliver sends one message, or puts it back for later. An error is for the queue:
// the message is tried again by it, or is a dead letter.
func (s *Service) deliver(ctx context.Context, l *turn, j job) error {
	now := s.o.Clock.Now()
	if !j.Due.IsZero() && now.Before(j.Due.Add(-time.Second)) {
		return s.later(ctx, j, state{}, j.Due, "", "")
	}
	st, skip, err := s.look(ctx, j, now)
	if err != nil || skip {
		return err
	}
	stored, err := s.channels.Get(ctx, j.Channel)
	if errors.Is(err, storage.ErrNotFound) {
		return s.bury(ctx, j, st, Channel{}, errors.New("the channel was removed"))
	}
	if err != nil {
		return err
	}
	c := stored.Value
	if c.Disabled {
		return s.bury(ctx, j, st, c, fmt.Errorf("the channel is disabled: %s", c.Reason))
	}
	since := st.Since
	if since.IsZero() {
		since = j.Accepted
		if !j.Due.IsZero() {
			since = j.Due
		}
	}
	expires := since.Add(s.o.MaxAge)
	if j.Note != nil && st.Since.IsZero() && !j.Note.Expires.IsZero() {
		expires = j.Note.Expires
	}
	if !now.Before(expires) {
		return s.bury(ctx, j, st, c, fmt.Errorf("it was not sent in time: %s", orText(st.Cause, "the channel did not take it")))
	}
	if !l.holds {
		return s.later(ctx, j, st, now.Add(2*time.Second), "the channel is busy", c.Kind)
	}
	if until, paused := l.paused(now); paused {
		return s.later(ctx, j, st, until, "the channel pauses after a failure", c.Kind)
	}
	if l.running.Err() != nil {
		return s.later(ctx, j, st, now, "the program ends", c.Kind)
	}
	if waits, err := s.waits(ctx, l.lane, j, &st, c, now); err != nil || waits {
		return err
	}
	return s.attempt(ctx, l, j, st, c)
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// look reads what became of the message before. Skip: nothing is left to be done.
func (s *Service) look(ctx context.Context, j job, now time.Time) (st state, skip bool, err error) {
	stored, err := s.states.Get(ctx, j.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return state{ID: j.ID, Hop: j.Hop}, false, nil
	}
	if err != nil {
		return st, false, err
	}
	st = stored.Value
	switch {
	case st.Done, st.Hop > j.Hop:
		return st, true, nil
	case st.Doomed:
		return st, true, s.bury(ctx, j, st, Channel{}, errors.New(st.Cause))
	case st.Failed && j.message.Attempt > 1:
		return st, false, errors.New(st.Cause) // on its way to the dead letters
	case st.Failed:
		// A dead letter that somebody replays begins anew.
		return state{ID: j.ID, Hop: j.Hop, Since: now}, false, nil
	case st.Sending && st.Hop == j.Hop:
		return st, true, s.bury(ctx, j, st, Channel{}, errors.New("the process died while it was sent: it may have arrived, and is sent at most once"))
	}
	return st, false, nil
}

// later puts the message back. The order matters: it is in the queue again before
// its state says so.
func (s *Service) later(ctx context.Context, j job, st state, at time.Time, why string, kind Kind) error {
	now := s.o.Clock.Now()
	e := j.envelope
	e.Hop++
	m, err := e.message(at.Sub(now))
	if err != nil {
		return err
	}
	if _, err := s.queue.Send(ctx, m); err != nil {
		return err
	}
	st.ID, st.Hop, st.Sending, st.Expires = j.ID, e.Hop, false, now.Add(stateKept)
	if _, err := s.states.Put(ctx, st); err != nil {
		return err
	}
	if why != "" {
		s.tell(j, kind, "deferred", st.Attempts, 0, errors.New(why))
	}
	return nil
}

// bury makes the message a dead letter: the queue gives it up after the few tries
// that it has, at which nothing is sent any more.
func (s *Service) bury(ctx context.Context, j job, st state, c Channel, cause error) error {
	st.ID, st.Hop, st.Failed, st.Doomed, st.Sending, st.Cause = j.ID, j.Hop, true, false, false, cause.Error()
	st.Expires = s.o.Clock.Now().Add(stateKept)
	if _, err := s.states.Put(ctx, st); err != nil {
		return err
	}
	s.tell(j, c.Kind, "dead", st.Attempts, 0, cause)
	s.o.Logger.Warn("notification not sent", "user", userOf(j.Channel), "channel", idOf(j.Channel), "error", cause)
	return cause
}

// waits keeps to quiet hours and limits. It tells whether the message was put
// elsewhere.
func (s *Service) waits(ctx context.Context, l *lane, j job, st *state, c Channel, now time.Time) (bool, error) {
	urgent := j.Note != nil && j.Note.Urgency == Urgent
	if !urgent {
		p, loc, err := s.settled(ctx, c.User)
		if err != nil {
			return false, err
		}
		if end, quiet := quietUntil(p.Quiet, now, loc); quiet {
			return true, s.aside(ctx, j, *st, c, end)
		}
		if c.Limit.Most > 0 && j.Note != nil && !st.Admitted {
			d, err := s.limiter.Take(ctx, "notify/user/"+hashed(c.key()), storage.Limit{Rate: c.Limit.Most, Per: c.Limit.Per}, 1)
			if err != nil {
				return false, err
			}
			if !d.Allowed {
				due, err := s.overflow(ctx, c, now, now.Add(d.Wait))
				if err != nil {
					return false, err
				}
				return true, s.aside(ctx, j, *st, c, due)
			}
			st.Admitted = true
		}
	}
	limit, ok := serviceLimit(c.Kind)
	if !ok {
		return false, nil
	}
	d, err := s.limiter.Take(ctx, "notify/service/"+hashed(c.key()), limit, 1)
	if err != nil || d.Allowed {
		return false, err
	}
	// Each one that waits gets a turn of its own, so that they do not all come back
	// at once.
	l.mu.Lock()
	at := now.Add(d.Wait)
	if l.next.After(at) {
		at = l.next
	}
	l.next = at.Add(time.Duration(limit.Interval()))
	l.mu.Unlock()
	return true, s.later(ctx, j, *st, at, "the service's rate limit", c.Kind)
}

// serviceLimit is what a service allows one webhook or chat, a little below it.
// Sources: Discord, 5 requests in 2 seconds and 30 in a minute per webhook; Slack,
// 1 a second per webhook; Telegram, 20 a minute in a group.
func serviceLimit(kind Kind) (storage.Limit, bool) {
	switch kind {
	case Discord:
		return storage.Limit{Rate: 25, Per: time.Minute, Burst: 4}, true
	case Slack:
		return storage.Limit{Rate: 50, Per: time.Minute, Burst: 3}, true
	case Telegram:
		return storage.Limit{Rate: 18, Per: time.Minute, Burst: 2}, true
	}
	return storage.Limit{}, false
}

// aside makes a message wait for others; a digest, which is made already, waits by
// itself.
func (s *Service) aside(ctx context.Context, j job, st state, c Channel, due time.Time) error {
	if j.Note == nil {
		return s.later(ctx, j, st, due, "quiet hours", c.Kind)
	}
	if err := s.collect(ctx, j.envelope, due); err != nil {
		return err
	}
	s.tell(j, c.Kind, "collected", st.Attempts, 0, nil)
	return nil
}

// attempt sends, and decides what follows. A send that takes long goes on by
// itself: the message is put back for when it must be over, in case the process dies,
// and what became of it is written down for then.
func (s *Service) attempt(ctx context.Context, l *turn, j job, st state, c Channel) error {
	message, items, err := s.content(ctx, j, c)
	if err != nil {
		return err
	}
	if message == nil {
		return nil // a digest of nothing
	}
	if c.Once {
		st.Sending, st.Hop, st.Expires = true, j.Hop, s.o.Clock.Now().Add(stateKept)
		if _, err := s.states.Put(ctx, st); err != nil {
			return err
		}
	}
	st.Attempts++
	begun := s.o.Clock.Now()
	over := make(chan error, 1)
	l.beside.Go(func() { over <- s.send(l.running, Delivery{Key: j.ID, Channel: c, Message: *message}) })
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case err := <-over:
		return s.judge(ctx, l, j, st, c, items, err, begun)
	case <-timer.C:
	}
	back := st
	back.Attempts-- // counted when it is over
	if err := s.later(ctx, j, back, s.o.Clock.Now().Add(s.o.Timeout+10*time.Second), "", c.Kind); err != nil {
		return s.judge(ctx, l, j, st, c, items, <-over, begun)
	}
	if c.Once {
		back.Hop, back.Sending, back.Expires = j.Hop+1, true, begun.Add(stateKept)
		if _, err := s.states.Put(ctx, back); err != nil {
			return err
		}
	}
	l.holds = false // the lane goes along
	lane := l.lane
	running := l.running
	l.beside.Go(func() {
		defer func() { <-lane.held }()
		if err := s.settle(ctx, running, lane, j, st, c, items, <-over, begun); err != nil {
			s.o.Logger.Warn("what became of a notification was not written down", "channel", idOf(j.Channel), "error", err)
		}
	})
	return nil
}

// done writes down that the message was sent.
func (s *Service) done(ctx context.Context, l *lane, j job, hop int, st state, c Channel, items []collected, took time.Duration) error {
	l.succeeded()
	st.ID, st.Hop, st.Done, st.Sending, st.Cause, st.Expires = j.ID, hop, true, false, "", s.o.Clock.Now().Add(stateKept)
	if _, err := s.states.Put(ctx, st); err != nil {
		return err
	}
	s.tell(j, c.Kind, "sent", st.Attempts, took, nil)
	return s.forget(ctx, items)
}

// judge decides what follows on a send, while the message is at hand.
func (s *Service) judge(ctx context.Context, l *turn, j job, st state, c Channel, items []collected, err error, begun time.Time) error {
	now := s.o.Clock.Now()
	took := now.Sub(begun)
	if err == nil {
		return s.done(ctx, l.lane, j, j.Hop, st, c, items, took)
	}
	failure := sendError(err)
	if l.running.Err() != nil && !(c.Once && failure.Uncertain) {
		st.Attempts--
		return s.later(ctx, j, st, now, "the program ends", c.Kind)
	}
	return s.afterFailure(ctx, l.lane, j, st, c, failure, now, took)
}

// settle is judge for a message that was put back already: it is told what to do
// when it comes by.
func (s *Service) settle(ctx, running context.Context, l *lane, j job, st state, c Channel, items []collected, err error, begun time.Time) error {
	now := s.o.Clock.Now()
	took := now.Sub(begun)
	if err == nil {
		return s.done(ctx, l, j, j.Hop+1, st, c, items, took)
	}
	failure := sendError(err)
	st.Cause = failure.Error()
	at := now
	switch {
	case running.Err() != nil && !(c.Once && failure.Uncertain):
		st.Attempts--
	case c.Once && failure.Uncertain:
		st.Doomed, st.Cause = true, st.Cause+"; it may have arrived, and is sent at most once"
	default:
		if err := s.disable(ctx, c, failure); err != nil {
			return err
		}
		var counted bool
		if at, counted = l.pause(now, failure); !counted {
			st.Attempts--
		}
		if st.Doomed = failure.Permanent || failure.Gone || st.Attempts >= c.attempts(); st.Doomed {
			at = now
		}
		s.tell(j, c.Kind, "retry", st.Attempts, took, failure)
	}
	// The one that was put back before is then an old one and is passed over.
	j.Hop++
	return s.later(ctx, j, st, at, "", c.Kind)
}

// disable turns a channel off whose address is gone.
func (s *Service) disable(ctx context.Context, c Channel, failure *SendError) error {
	if !failure.Gone {
		return nil
	}
	_, err := s.channels.Update(ctx, c.key(), func(c *Channel) error {
		c.Disabled, c.Reason = true, failure.Error()
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// afterFailure decides what becomes of a message that a channel did not take.
func (s *Service) afterFailure(ctx context.Context, l *lane, j job, st state, c Channel, failure *SendError, now time.Time, took time.Duration) error {
	st.Cause = failure.Error()
	if err := s.disable(ctx, c, failure); err != nil {
		return err
	}
	if failure.Permanent || failure.Gone {
		return s.bury(ctx, j, st, c, failure)
	}
	if c.Once && failure.Uncertain {
		return s.bury(ctx, j, st, c, fmt.Errorf("%w; it may have arrived, and is sent at most once", failure))
	}
	until, counted := l.pause(now, failure)
	if !counted {
		st.Attempts--
	}
	if st.Attempts >= c.attempts() {
		return s.bury(ctx, j, st, c, failure)
	}
	s.tell(j, c.Kind, "retry", st.Attempts, took, failure)
	return s.later(ctx, j, st, until, "", c.Kind)
}

// send reads the secret and sends once.
func (s *Service) send(ctx context.Context, d Delivery) (err error) {
	sender := s.senders[d.Channel.Kind]
	if sender == nil {
		return &SendError{Text: fmt.Sprintf("this program cannot send to %s", d.Channel.Kind), Permanent: true}
	}
	secret, err := s.secret(ctx, d.Channel)
	if err != nil {
		return &SendError{Text: "the channel's secret cannot be read: " + err.Error()}
	}
	defer clear(secret)
	d.Secret = secret
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = &SendError{Text: fmt.Sprintf("the sender of %s panicked", d.Channel.Kind), Uncertain: true}
		}
	}()
	if err := sender.Check(d.Channel, secret); err != nil {
		return err
	}
	return sender.Send(ctx, d)
}

// content is what the job sends; nil when there is nothing. Items are what a digest
// is made of.
func (s *Service) content(ctx context.Context, j job, c Channel) (*Message, []collected, error) {
	if j.Note == nil {
		return s.digest(ctx, j, c)
	}
	m, err := s.message(ctx, j.Note, j.Files)
	return m, nil, err
}

func (s *Service) message(ctx context.Context, n *Notification, files string) (*Message, error) {
	m := &Message{
		Title: n.Title, Text: n.Text, Facts: n.Facts, Link: n.Link, Topic: n.Topic, Urgency: n.Urgency, Time: n.Time, User: n.User,
	}
	if files == "" {
		return m, nil
	}
	_, r, err := s.objects.Get(ctx, files, nil)
	if errors.Is(err, storage.ErrNotFound) {
		m.Text += "\n\n(The attached files are not kept any more.)"
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	return m, json.Unmarshal(data, &m.Attachments)
}

func (s *Service) tell(j job, kind Kind, what string, attempt int, took time.Duration, err error) {
	o := Outcome{User: userOf(j.Channel), Channel: idOf(j.Channel), Kind: kind, State: what, Attempt: attempt, Took: took}
	if err != nil {
		o.Error = err.Error()
	}
	s.o.Observer(o)
}
