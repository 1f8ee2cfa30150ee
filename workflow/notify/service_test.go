package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/notify"
)

func TestANotificationGoesToEachChannelThatWantsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{})
		h.add("all")
		h.add("urgent", func(c *notify.Channel) { c.Least = notify.Urgent })
		h.add("orders", func(c *notify.Channel) { c.Topics = []string{"orders"} })
		h.add("off", func(c *notify.Channel) { c.Disabled = true })
		h.run()
		r := h.tell(notify.Notification{Title: "one", Topic: "alerts"})
		assert.Len(t, r.Planned, 1)
		h.tell(notify.Notification{Title: "two", Topic: "orders", Urgency: notify.Urgent})
		h.tell(notify.Notification{Title: "three", Channels: []string{"orders"}})
		none := h.tell(notify.Notification{Title: "for bob", User: "bob"})
		assert.Empty(t, none.Planned)
		h.pass(6 * time.Second)
		assert.Equal(t, []string{"one", "two"}, h.titles("all"))
		assert.Equal(t, []string{"two"}, h.titles("urgent"))
		assert.Equal(t, []string{"two", "three"}, h.titles("orders"))
		assert.Empty(t, h.titles("off"))
		_, err := h.Notify(t.Context(), notify.Notification{User: "ann", Title: "x", Channels: []string{"nothere"}})
		assert.Equal(t, "Channels", field(t, err))
	})
}

func TestAKeyIsNotifiedOnceWithinItsWindowAlsoAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{})
		h.add("a")
		h.run()
		first := h.tell(notify.Notification{Title: "one", Key: "k", Window: time.Hour})
		assert.False(t, first.Duplicate)
		second := h.tell(notify.Notification{Title: "one again", Key: "k", Window: time.Hour})
		assert.True(t, second.Duplicate)
		assert.Equal(t, first.ID, second.ID)
		assert.False(t, h.tell(notify.Notification{Title: "another key", Key: "l"}).Duplicate)
		h.pass(10 * time.Second)
		h.stop()
		h.again()
		h.run()
		assert.True(t, h.tell(notify.Notification{Title: "one after a restart", Key: "k", Window: time.Hour}).Duplicate)
		h.pass(time.Hour)
		assert.False(t, h.tell(notify.Notification{Title: "one later", Key: "k", Window: time.Hour}).Duplicate)
		h.pass(10 * time.Second)
		assert.Equal(t, []string{"one", "another key", "one later"}, h.titles("a"))
	})
}

// failingQueue is a tenant whose queue cannot be written to at times.
type failingQueue struct {
	storage.Tenant
	fail bool
}

func (f *failingQueue) Queue(name string, o *storage.QueueOptions) (storage.Queue, error) {
	q, err := f.Tenant.Queue(name, o)
	return &failingSender{q, f}, err
}

type failingSender struct {
	storage.Queue
	f *failingQueue
}

func (f *failingSender) Send(ctx context.Context, m ...storage.NewMessage) ([]string, error) {
	if f.f.fail {
		return nil, storage.ErrUnavailable
	}
	return f.Queue.Send(ctx, m...)
}

func TestANotificationThatWasClaimedAndNotQueuedIsSentWhenItsCallerTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{})
		broken := &failingQueue{Tenant: h.tenant, fail: true}
		h.tenant = broken
		h.again()
		h.add("a")
		h.run()
		_, err := h.Notify(t.Context(), notify.Notification{User: "ann", Title: "one", Key: "k"})
		require.ErrorIs(t, err, storage.ErrUnavailable)
		broken.fail = false
		assert.False(t, h.tell(notify.Notification{Title: "one", Key: "k"}).Duplicate)
		assert.True(t, h.tell(notify.Notification{Title: "one", Key: "k"}).Duplicate)
		h.pass(time.Minute)
		assert.Equal(t, []string{"one"}, h.titles("a"))
	})
}

func TestAFailingChannelIsTriedWithGrowingPausesUntilItsMessageIsADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Duration
		begun := time.Now()
		mended := false
		h := open(t, &pretend{act: func(context.Context, string, int) error {
			times = append(times, time.Since(begun))
			if mended {
				return nil
			}
			return &notify.SendError{Text: "down", Status: 503}
		}})
		h.add("a", func(c *notify.Channel) { c.Attempts = 4 })
		h.run()
		h.tell(notify.Notification{Title: "one"})
		h.pass(5 * time.Minute)
		require.Len(t, times, 4)
		for i, least := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
			pause := times[i+1] - times[i]
			assert.GreaterOrEqual(t, pause, least)
			assert.LessOrEqual(t, pause, least+6*time.Second, "a batch takes up to 5 seconds to fill")
		}
		dead := h.dead()
		require.Len(t, dead, 1)
		assert.Equal(t, "down (503)", dead[0].Cause)
		assert.Equal(t, "one", dead[0].Title)
		assert.Equal(t, "ann", dead[0].User)
		assert.Equal(t, "a", dead[0].Channel)
		mended = true
		require.NoError(t, h.Replay(t.Context(), dead[0].ID))
		h.pass(20 * time.Minute)
		assert.Equal(t, []string{"one"}, h.titles("a"))
		assert.Empty(t, h.dead())
	})
}

func TestAReplayedMessageThatFailsAgainIsADeadLetterAgainAndCanBeDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{act: func(context.Context, string, int) error { return &notify.SendError{Text: "no", Permanent: true} }})
		h.add("a")
		h.run()
		h.tell(notify.Notification{Title: "one"})
		h.pass(time.Minute)
		assert.Equal(t, 1, h.tried("a"), "what is permanent is tried once")
		require.Len(t, h.dead(), 1)
		require.NoError(t, h.Replay(t.Context(), h.dead()[0].ID))
		h.pass(time.Minute)
		assert.Equal(t, 2, h.tried("a"))
		require.Len(t, h.dead(), 1)
		require.NoError(t, h.Drop(t.Context(), h.dead()[0].ID))
		assert.Empty(t, h.dead())
	})
}

func TestAFailingChannelHoldsNoOther(t *testing.T) {
	for name, act := range map[string]func(context.Context) error{
		"refuses": func(context.Context) error { return errors.New("down") },
		"stalls": func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"panics": func(context.Context) error { panic("oh") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, &pretend{act: func(ctx context.Context, channel string, _ int) error {
					if channel == "bad" {
						return act(ctx)
					}
					return nil
				}})
				h.add("bad")
				h.add("good")
				h.run()
				slowest := time.Duration(0)
				for i := range 40 {
					begun := time.Now()
					h.tell(notify.Notification{Title: fmt.Sprint(i)})
					h.pass(6 * time.Second)
					require.Equal(t, fmt.Sprint(i), h.titles("good")[len(h.titles("good"))-1])
					slowest = max(slowest, h.last().at.Sub(begun))
				}
				assert.Len(t, h.titles("good"), 40)
				assert.LessOrEqual(t, slowest, 6*time.Second)
				assert.Empty(t, h.titles("bad"))
				assert.Less(t, h.tried("bad"), 20, "the channel was left alone between")
			})
		})
	}
}

func TestASendThatTakesLongGoesOnBesideItsBatchAndHappensOnce(t *testing.T) {
	permanent := &notify.SendError{Text: "no", Permanent: true}
	uncertain := &notify.SendError{Text: "cut", Uncertain: true}
	for name, row := range map[string]struct {
		once  bool
		err   error
		fails int // how many tries fail
		tried int
		dead  string
	}{
		"sent":               {false, nil, 0, 1, ""},
		"sent, once":         {true, nil, 0, 1, ""},
		"refused for good":   {false, permanent, 9, 1, "no"},
		"may have arrived":   {true, uncertain, 9, 1, "at most once"},
		"sent at the third":  {false, uncertain, 2, 3, ""},
		"tried often enough": {false, uncertain, 9, 4, "cut"},
		"limited":            {true, &notify.SendError{Text: "slow down", Limited: true, After: time.Minute}, 6, 7, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, &pretend{act: func(_ context.Context, _ string, n int) error {
					time.Sleep(8 * time.Second)
					if n <= row.fails {
						return row.err
					}
					return nil
				}})
				h.add("a", func(c *notify.Channel) { c.Once, c.Attempts = row.once, 4 })
				h.run()
				h.tell(notify.Notification{Title: "one"})
				h.pass(20 * time.Minute)
				assert.Equal(t, row.tried, h.tried("a"))
				if row.dead == "" {
					assert.Equal(t, []string{"one"}, h.titles("a"))
					assert.Empty(t, h.dead())
					return
				}
				assert.Empty(t, h.titles("a"))
				require.Len(t, h.dead(), 1)
				assert.Contains(t, h.dead()[0].Cause, row.dead)
			})
		})
	}
}

func TestManyChannelsThatStallHoldNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{act: func(ctx context.Context, channel string, _ int) error {
			if channel != "good" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}})
		for i := range 30 {
			h.add(fmt.Sprint("bad", i))
		}
		h.add("good")
		h.run()
		var slowest time.Duration
		for i := range 20 {
			begun := time.Now()
			h.tell(notify.Notification{Title: fmt.Sprint(i)})
			for len(h.titles("good")) <= i {
				h.pass(100 * time.Millisecond)
			}
			slowest = max(slowest, time.Since(begun))
		}
		assert.LessOrEqual(t, slowest, 10*time.Second, "a batch takes 5 seconds to fill")
	})
}

func TestWhatAServiceAsksForWithRetryAfterIsKeptAndIsNoFailedAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Time
		h := open(t, &pretend{act: func(_ context.Context, _ string, n int) error {
			times = append(times, time.Now())
			if n <= 3 {
				return &notify.SendError{Text: "slow down", Status: 429, Limited: true, After: 90 * time.Second}
			}
			return nil
		}})
		h.add("a", func(c *notify.Channel) { c.Attempts = 1 })
		h.run()
		h.tell(notify.Notification{Title: "one"})
		h.pass(10 * time.Minute)
		require.Len(t, times, 4)
		for i := range 3 {
			assert.GreaterOrEqual(t, times[i+1].Sub(times[i]), 90*time.Second)
			assert.LessOrEqual(t, times[i+1].Sub(times[i]), 96*time.Second)
		}
		assert.Equal(t, []string{"one"}, h.titles("a"))
	})
}

func TestAMessageThatGrewTooOldIsADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{act: func(context.Context, string, int) error {
			return &notify.SendError{Text: "slow down", Status: 429, Limited: true, After: 5 * time.Minute}
		}}, rarely)
		h.add("a")
		h.run()
		h.tell(notify.Notification{Title: "in time", Expires: time.Now().Add(10 * time.Minute)})
		h.pass(20 * time.Minute)
		require.Len(t, h.dead(), 1)
		assert.Contains(t, h.dead()[0].Cause, "not sent in time: slow down")
		h.tell(notify.Notification{Title: "a day"})
		h.pass(25 * time.Hour)
		assert.Len(t, h.dead(), 2)
	})
}

func TestAChannelWhoseAddressIsGoneIsDisabledUntilItWorksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := true
		h := open(t, &pretend{act: func(context.Context, string, int) error {
			if gone {
				return &notify.SendError{Text: "no such webhook", Status: 404, Permanent: true, Gone: true}
			}
			return nil
		}})
		h.add("a")
		h.run()
		h.tell(notify.Notification{Title: "one"})
		h.pass(time.Minute)
		channels, err := h.Channels(t.Context(), "ann")
		require.NoError(t, err)
		assert.True(t, channels[0].Disabled)
		assert.Equal(t, "no such webhook (404)", channels[0].Reason)
		assert.Empty(t, h.tell(notify.Notification{Title: "two"}).Planned)
		assert.Error(t, h.Test(t.Context(), "ann", "a"))
		gone = false
		require.NoError(t, h.Test(t.Context(), "ann", "a"))
		channels, err = h.Channels(t.Context(), "ann")
		require.NoError(t, err)
		assert.False(t, channels[0].Disabled)
		assert.ErrorIs(t, h.Test(t.Context(), "ann", "none"), storage.ErrNotFound)
	})
}

func TestOnceSendsAtMostOnce(t *testing.T) {
	for name, row := range map[string]struct {
		err  *notify.SendError
		want int
	}{
		"may have arrived":   {&notify.SendError{Text: "cut", Uncertain: true}, 1},
		"has not arrived":    {&notify.SendError{Text: "no connection"}, 2},
		"refused for a rate": {&notify.SendError{Text: "slow", Limited: true, After: time.Second}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, &pretend{act: func(_ context.Context, _ string, n int) error {
					if n == 1 {
						return row.err
					}
					return nil
				}})
				h.add("a", func(c *notify.Channel) { c.Once = true })
				h.run()
				h.tell(notify.Notification{Title: "one"})
				h.pass(time.Minute)
				assert.Equal(t, row.want, h.tried("a"))
				assert.Len(t, h.dead(), 2-row.want)
			})
		})
	}
}

func TestAProcessThatDiesWhileItSendsRepeatsTheSameKeyAndWithOnceNothing(t *testing.T) {
	for name, row := range map[string]struct {
		once bool
		slow time.Duration
	}{"at once": {false, 0}, "once": {true, 0}, "slowly": {false, 8 * time.Second}, "slowly, once": {true, 8 * time.Second}} {
		once := row.once
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var keys []string
				dying := make(chan struct{})
				p := &pretend{}
				h := open(t, p)
				h.add("a", func(c *notify.Channel) { c.Once = once })
				dead := &deadSender{keys: &keys, dying: dying, slow: row.slow}
				o := h.options
				o.Senders = map[notify.Kind]notify.Sender{"pretend": dead}
				first, err := notify.New(&cutOff{h.tenant, dying}, &o)
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- first.Run(ctx) }()
				r := h.tell(notify.Notification{Title: "one"})
				h.pass(20 * time.Second)
				cancel()
				<-done
				h.run()
				h.pass(5 * time.Minute)
				require.Len(t, keys, 1)
				if once {
					assert.Empty(t, h.titles("a"))
					require.Len(t, h.dead(), 1)
					assert.Contains(t, h.dead()[0].Cause, "may have arrived")
				} else {
					assert.Equal(t, []string{"one"}, h.titles("a"))
					assert.Equal(t, keys[0], h.last().key, "by which the receiver knows it")
				}
				assert.NotEmpty(t, r.ID)
			})
		})
	}
}

// deadSender sends, and then its process is cut off from the store.
type deadSender struct {
	slow  time.Duration
	keys  *[]string
	dying chan struct{}
}

func (d *deadSender) Check(notify.Channel, []byte) error { return nil }
func (d *deadSender) Send(_ context.Context, x notify.Delivery) error {
	time.Sleep(d.slow)
	*d.keys = append(*d.keys, x.Key)
	close(d.dying)
	return nil
}

// cutOff is a store that a dead process does not reach any more.
type cutOff struct {
	storage.Tenant
	dying chan struct{}
}

func (c *cutOff) Records() (storage.Records, error) {
	r, err := c.Tenant.Records()
	return &cutRecords{r, c.dying}, err
}

func (c *cutOff) Queue(name string, o *storage.QueueOptions) (storage.Queue, error) {
	q, err := c.Tenant.Queue(name, o)
	return &cutQueue{q, c.dying}, err
}

type cutRecords struct {
	storage.Records
	dying chan struct{}
}

func gone(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (c *cutRecords) Write(ctx context.Context, w ...storage.RecordWrite) ([]storage.Version, error) {
	if gone(c.dying) {
		return nil, storage.ErrClosed
	}
	return c.Records.Write(ctx, w...)
}

type cutQueue struct {
	storage.Queue
	dying chan struct{}
}

func (c *cutQueue) Send(ctx context.Context, m ...storage.NewMessage) ([]string, error) {
	if gone(c.dying) {
		return nil, storage.ErrClosed
	}
	return c.Queue.Send(ctx, m...)
}

func (c *cutQueue) Retry(ctx context.Context, m storage.Message, cause string) error {
	if gone(c.dying) {
		return storage.ErrClosed
	}
	return c.Queue.Retry(ctx, m, cause)
}

func (c *cutQueue) Ack(ctx context.Context, m ...storage.Message) error {
	if gone(c.dying) {
		return storage.ErrClosed
	}
	return c.Queue.Ack(ctx, m...)
}

func (c *cutQueue) Receive(ctx context.Context, most int, wait time.Duration) ([]storage.Message, error) {
	if gone(c.dying) {
		return nil, storage.ErrClosed
	}
	return c.Queue.Receive(ctx, most, wait)
}

func TestStoppingWhileItSendsLosesNothingAndCountsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{act: func(ctx context.Context, _ string, n int) error {
			if n <= 5 { // five restarts, each in the middle of a send
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}, func(o *notify.Options) { o.Timeout = time.Hour })
		h.add("a", func(c *notify.Channel) { c.Attempts = 2 })
		h.tell(notify.Notification{Title: "one"})
		for range 5 {
			h.run()
			h.pass(20 * time.Second)
			h.stop()
			h.again()
		}
		h.run()
		h.pass(time.Minute)
		assert.Equal(t, []string{"one"}, h.titles("a"))
		assert.Empty(t, h.dead())
	})
}

func TestTwoProcessesShareTheWorkAndEachMessageIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{})
		h.add("a")
		h.add("b")
		h.run()
		other, err := notify.New(h.tenant, &h.options)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- other.Run(ctx) }()
		want := map[string]int{}
		for i := range 200 {
			h.tell(notify.Notification{Title: fmt.Sprint(i)})
			want[fmt.Sprint(i)] = 1
		}
		h.pass(time.Minute)
		cancel()
		<-done
		for _, channel := range []string{"a", "b"} {
			got := map[string]int{}
			for _, title := range h.titles(channel) {
				got[title]++
			}
			assert.Equal(t, want, got)
		}
	})
}

func TestAttachmentsOfAnySizeReachTheChannelThoughQueueMessagesAreShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{})
		h.add("a")
		h.run()
		big := notify.Attachment{Name: "report.html", ContentType: "text/html", Data: []byte(strings.Repeat("<p>&", 1<<20))}
		h.tell(notify.Notification{Title: "one", Attachments: []notify.Attachment{svg, big}})
		h.pass(6 * time.Second)
		assert.Equal(t, []notify.Attachment{svg, big}, h.last().message.Attachments)
	})
}

func TestTheLongestNotificationFitsIntoTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{})
		h.add("a")
		h.run()
		for _, sign := range []string{"<", `"`, "\\", "é", "\u0007"} {
			n := notify.Notification{Title: "x" + strings.Repeat(sign, notify.MaxTitle/2-1), Text: strings.Repeat(sign, notify.MaxText/len(sign))}
			for range 40 {
				n.Facts = append(n.Facts, notify.Fact{Name: strings.Repeat(sign, 256/len(sign)), Value: strings.Repeat(sign, 1024/len(sign))})
			}
			h.tell(n)
		}
		h.pass(time.Minute)
		assert.Len(t, h.titles("a"), 5)
	})
}
