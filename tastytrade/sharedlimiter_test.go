package tastytrade_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

// A place is where two processes count their requests: one turn per interval and
// family.
type place struct {
	mu   sync.Mutex
	next map[string]time.Time
	err  error
}

func (p *place) take(_ context.Context, family string, perSecond int) (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	now := time.Now()
	if wait := p.next[family].Sub(now); wait > 0 {
		return wait, nil
	}
	p.next[family] = now.Add(time.Second / time.Duration(perSecond))
	return 0, nil
}

// sent counts the requests that two processes send in ten seconds.
func sent(t *testing.T, p *place) map[string]int {
	t.Helper()
	counts, mu := map[string]int{}, sync.Mutex{}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second-time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		for range 2 {
			limiter := tastytrade.NewSharedLimiter(p.take)
			for _, path := range []string{"/option-chains/SPY/nested", "/accounts/5WT00001/positions", "/sessions"} {
				all.Go(func() {
					for limiter.Wait(ctx, "GET", path) == nil {
						mu.Lock()
						counts[path]++
						mu.Unlock()
					}
				})
			}
		}
		all.Wait()
	})
	return counts
}

func TestProcessesKeepOneRateTogether(t *testing.T) {
	p := &place{next: map[string]time.Time{}}
	counts := sent(t, p)
	assert.InDelta(t, 20, counts["/option-chains/SPY/nested"], 1, "two a second, however many processes")
	assert.InDelta(t, 10, counts["/accounts/5WT00001/positions"], 1, "one a second")
	assert.Contains(t, p.next, "", "everything has a budget too")
}

func TestARateIsKeptAloneWhenThePlaceCannotBeReached(t *testing.T) {
	counts := sent(t, &place{err: errors.New("the store is away")})
	assert.InDelta(t, 40, counts["/option-chains/SPY/nested"], 2, "two a second in each process")
}

func TestASharedTurnAfterTheDeadlineFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := tastytrade.NewSharedLimiter(func(context.Context, string, int) (time.Duration, error) { return time.Hour, nil })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		require.Error(t, limiter.Wait(ctx, "GET", "/sessions"))
		assert.Zero(t, time.Since(start))

		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		assert.ErrorIs(t, limiter.Wait(ctx, "GET", "/sessions"), context.Canceled)
	})
}
