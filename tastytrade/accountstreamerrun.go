package tastytrade

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/wsconn"
)

// run keeps the stream connected until it is closed or gives up.
func (s *AccountStreamer) run(session *accountSession) {
	defer close(s.done)
	backoff := &wsconn.Backoff{Min: s.opts.MinBackoff, Max: s.opts.MaxBackoff}
	var gap *AccountGap // nil: the first connection
	for {
		start := time.Now()
		s.attach(session)
		err := s.serve(session, gap)
		s.attach(nil)
		session.close(err)
		if s.ctx.Err() != nil {
			s.finish(ErrStreamClosed)
			return
		}
		s.trouble(fmt.Errorf("tastytrade: account streamer: connection lost: %w", err))
		gap = s.queue.hold(&AccountGap{Since: s.client.opts.Now(), Lost: 1, Err: err})
		if time.Since(start) > s.opts.MaxBackoff {
			backoff.Reset()
		}
		if session, err = s.reconnect(backoff); err != nil {
			s.finish(err)
			return
		}
	}
}

func (s *AccountStreamer) attach(session *accountSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = session
}

func (s *AccountStreamer) finish(err error) {
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	s.queue.end(err)
	s.cancel()
}

// streamRefusals is how many refused tokens or connect requests in a row end a
// stream.
const streamRefusals = 10

func (s *AccountStreamer) reconnect(backoff *wsconn.Backoff) (*accountSession, error) {
	refused := 0
	for attempt := 1; ; attempt++ {
		if !wsconn.Sleep(s.ctx, backoff.Next()) {
			return nil, ErrStreamClosed
		}
		session, err := s.connect(s.ctx)
		if err == nil {
			return session, nil
		}
		if s.ctx.Err() != nil {
			return nil, ErrStreamClosed
		}
		s.trouble(err)
		var refusal *StreamError
		if refused++; !errors.Is(err, ErrUnauthorized) && !errors.As(err, &refusal) {
			refused = 0
		}
		if refused == streamRefusals || s.opts.MaxAttempts > 0 && attempt >= s.opts.MaxAttempts {
			return nil, fmt.Errorf("tastytrade: account streamer: giving up after %d attempts: %w", attempt, err)
		}
	}
}

// connect makes a session: the websocket, the accounts, then the rest.
func (s *AccountStreamer) connect(ctx context.Context) (*accountSession, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Handshake)
	defer cancel()
	if _, err := s.client.tokens.Token(ctx); err != nil {
		return nil, err // before a connection is made that could not be used
	}
	o := &s.client.opts
	ws, err := wsconn.Dial(ctx, s.url, &wsconn.Options{HTTPClient: o.HTTPClient, Dial: o.Dial, Header: http.Header{"User-Agent": {o.UserAgent}}})
	if err != nil {
		return nil, &TransportError{Operation: "account streamer", Err: err}
	}
	session := newAccountSession(s.ctx, ws, s.queue.push, s.trouble)
	s.mu.Lock()
	accounts := slices.Clone(s.accounts)
	s.mu.Unlock()
	type request struct {
		action string
		value  any
	}
	requests := []request{{"connect", accounts}}
	if s.opts.PublicWatchlists {
		requests = append(requests, request{"public-watchlists-subscribe", nil})
	}
	if s.opts.QuoteAlerts {
		requests = append(requests, request{"quote-alerts-subscribe", nil})
	}
	if s.opts.UserMessages != "" {
		requests = append(requests, request{"user-message-subscribe", s.opts.UserMessages})
	}
	for _, r := range requests {
		if err := s.request(ctx, session, r.action, r.value); err != nil {
			session.close(err)
			return nil, err
		}
	}
	return session, nil
}

// request sends one action with the token of the moment and waits for its
// acknowledgement. A token that is refused is forgotten.
func (s *AccountStreamer) request(ctx context.Context, session *accountSession, action string, value any) error {
	token, err := s.client.tokens.Token(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoToken, err)
	}
	secret := token.AccessToken
	if !s.opts.RawToken {
		secret = "Bearer " + secret
	}
	err = session.request(ctx, streamRequest{Action: action, Value: value, AuthToken: secret, Source: s.opts.Source})
	var refusal *StreamError
	if errors.As(err, &refusal) {
		if forget, can := s.client.tokens.(invalidator); can {
			forget.Invalidate(token.AccessToken)
		}
	}
	return err
}

var (
	errStreamSilent = errors.New("the server went silent")
	errNoToken      = errors.New("tastytrade: account streamer: no token")
)

// patience is how long a connection lasts without a heartbeat while no token
// can be had; the broker drops it after about a minute.
const patience = 45 * time.Second

// serve runs a session until it ends and returns why. Notifications flow once
// the caller has rehydrated.
func (s *AccountStreamer) serve(session *accountSession, gap *AccountGap) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(session.ctx)
	defer cancel()
	type hydration struct {
		snapshot *AccountSnapshot
		err      error
	}
	hydrated := make(chan hydration, 1)
	wg.Go(func() {
		if s.opts.Rehydrate == nil {
			hydrated <- hydration{}
			return
		}
		ctx, cancel := context.WithTimeout(ctx, s.opts.RehydrateTimeout)
		defer cancel()
		snapshot, err := s.opts.Rehydrate(ctx, gap)
		hydrated <- hydration{snapshot, err}
	})
	heartbeat := time.NewTimer(s.opts.Heartbeat)
	defer heartbeat.Stop()
	beat := time.Now()
	for {
		select {
		case h := <-hydrated:
			if h.err != nil {
				return fmt.Errorf("rehydrating: %w", h.err)
			}
			s.queue.resume(h.snapshot)
		case <-heartbeat.C:
			err := s.heartbeat(ctx, session)
			if errors.Is(err, errNoToken) && !errors.Is(err, ErrUnauthorized) && time.Since(beat) < patience && session.ctx.Err() == nil {
				s.trouble(err)
				heartbeat.Reset(s.opts.Heartbeat / 4)
				continue
			}
			if err != nil {
				if cause := context.Cause(session.ctx); cause != nil {
					return cause
				}
				return err
			}
			beat = time.Now()
			heartbeat.Reset(s.opts.Heartbeat)
		case <-session.ctx.Done():
			return context.Cause(session.ctx)
		}
	}
}

// heartbeat says that the stream lives. Servers that do not acknowledge it are
// alive as long as they send anything at all.
func (s *AccountStreamer) heartbeat(ctx context.Context, session *accountSession) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.AckTimeout)
	defer cancel()
	before := session.frames()
	err := s.request(ctx, session, "heartbeat", nil)
	if err == nil || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if session.frames() == before {
		return errStreamSilent
	}
	return nil
}
