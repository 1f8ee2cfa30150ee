package notify_test

import (
	"context"
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

// until lets time pass to an instant in Berlin; bubbles begin at 2000-01-01, a
// Saturday, 01:00 there.
func (h *house) until(text string) {
	h.t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	require.NoError(h.t, err)
	at, err := time.ParseInLocation("2006-01-02 15:04", text, loc)
	require.NoError(h.t, err)
	h.pass(time.Until(at))
}

// rarely looks into the queue three times a minute, for tests over days.
func rarely(o *notify.Options) { o.Batches.Wait = 20 * time.Second }

func berlin(h *house, quiet ...notify.Quiet) {
	h.t.Helper()
	require.NoError(h.t, h.SetPreferences(h.t.Context(), notify.Preferences{User: "ann", Zone: "Europe/Berlin", Quiet: quiet}))
}

func TestQuietHoursHoldAllButWhatIsUrgentAndSendTheRestTogetherAtTheirEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{}, rarely)
		h.add("a")
		berlin(h, notify.Quiet{From: "22:00", To: "07:00"})
		h.run()
		h.until("2000-01-03 23:30")
		r := h.tell(notify.Notification{Title: "held", Facts: []notify.Fact{{Name: "Price", Value: "500.00"}}})
		assert.True(t, r.Planned[0].Collected)
		h.tell(notify.Notification{Title: "urgent", Urgency: notify.Urgent})
		h.until("2000-01-04 02:00")
		h.tell(notify.Notification{Title: "held too", Urgency: notify.High, Text: "because of a reason"})
		h.until("2000-01-04 06:59")
		assert.Equal(t, []string{"urgent"}, h.titles("a"))
		h.until("2000-01-04 07:01")
		assert.Equal(t, []string{"urgent", "2 notifications"}, h.titles("a"))
		digest := h.last().message
		assert.Equal(t, "• Jan 3 23:30  held; Price 500.00\n• Jan 4 02:00  held too\n  because of a reason\n", digest.Text)
		assert.Equal(t, notify.High, digest.Urgency)
		h.until("2000-01-04 12:00")
		h.tell(notify.Notification{Title: "at once"})
		h.pass(30 * time.Second)
		assert.Equal(t, []string{"urgent", "2 notifications", "at once"}, h.titles("a"))
	})
}

func TestARetryDoesNotBreakQuietHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{act: func(_ context.Context, _ string, n int) error {
			if n == 1 {
				return &notify.SendError{Text: "slow", Limited: true, After: 10 * time.Minute}
			}
			return nil
		}}, rarely)
		h.add("a")
		berlin(h, notify.Quiet{From: "22:00", To: "07:00"})
		h.run()
		h.until("2000-01-03 21:55")
		h.tell(notify.Notification{Title: "late"})
		h.until("2000-01-04 06:59")
		assert.Empty(t, h.titles("a"))
		h.until("2000-01-04 07:01")
		assert.Equal(t, []string{"late"}, h.titles("a"), "one alone is shown as itself")
	})
}

func TestADigestCollectsAndIsSentAtItsTimeAlsoAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{}, rarely)
		h.add("a", func(c *notify.Channel) {
			c.Digest = notify.Digest{At: []string{"18:00", "12:00"}, Days: []time.Weekday{1, 2, 3, 4, 5}}
		})
		berlin(h)
		h.run()
		h.until("2000-01-03 12:30")
		r := h.tell(notify.Notification{Title: "one", Attachments: []notify.Attachment{svg}})
		assert.Equal(t, "2000-01-03 18:00", r.Planned[0].At.In(mustZone(t, "Europe/Berlin")).Format("2006-01-02 15:04"))
		h.stop()
		h.again()
		h.run()
		h.until("2000-01-03 15:00")
		h.tell(notify.Notification{Title: "two", Attachments: []notify.Attachment{svg}})
		h.tell(notify.Notification{Title: "now", Urgency: notify.Urgent})
		h.until("2000-01-03 18:01")
		assert.Equal(t, []string{"now", "2 notifications"}, h.titles("a"))
		files := h.last().message.Attachments
		require.Len(t, files, 2)
		assert.Equal(t, []string{"1-spy.svg", "2-spy.svg"}, []string{files[0].Name, files[1].Name})
		h.until("2000-01-07 19:00") // a Friday
		h.tell(notify.Notification{Title: "on Friday night"})
		h.tell(notify.Notification{Title: "worth nothing on Monday", Expires: time.Now().Add(time.Hour)})
		h.until("2000-01-10 11:59")
		assert.Len(t, h.titles("a"), 2)
		h.until("2000-01-10 12:01")
		assert.Equal(t, "on Friday night", h.last().message.Title)
	})
}

func mustZone(t *testing.T, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func TestADigestThatFailsIsTriedAgainAndNothingOfItIsLostOrDoubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{act: func(_ context.Context, _ string, n int) error {
			if n <= 2 {
				return &notify.SendError{Text: "down", Status: 500, Uncertain: true}
			}
			return nil
		}}, rarely)
		h.add("a", func(c *notify.Channel) { c.Digest = notify.Digest{At: []string{"18:00"}} })
		berlin(h)
		h.run()
		h.until("2000-01-03 12:30")
		for i := range 5 {
			h.tell(notify.Notification{Title: fmt.Sprint(i)})
		}
		h.until("2000-01-05 12:00")
		assert.Equal(t, []string{"5 notifications"}, h.titles("a"))
		assert.Equal(t, 5, strings.Count(h.last().message.Text, "•"))
	})
}

func TestWhatNobodyCameForIsFoundAndSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{}, rarely)
		broken := &failingQueue{Tenant: h.tenant}
		h.tenant = broken
		h.again()
		h.add("a", func(c *notify.Channel) { c.Digest = notify.Digest{At: []string{"18:00"}} })
		berlin(h)
		h.until("2000-01-03 12:30")
		broken.fail = true // the process dies between keeping it and setting its time
		_, err := h.Notify(t.Context(), notify.Notification{User: "ann", Title: "kept", Key: "k"})
		require.ErrorIs(t, err, storage.ErrUnavailable)
		broken.fail = false
		h.run()
		h.until("2000-01-03 18:10")
		assert.Equal(t, []string{"kept"}, h.titles("a"))
		h.until("2000-01-04 18:10")
		assert.Equal(t, []string{"kept"}, h.titles("a"))
	})
}

func TestWhatExceedsTheUsersLimitIsSentTogetherWhenThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{}, rarely)
		h.add("a", func(c *notify.Channel) { c.Limit = notify.Limit{Most: 3, Per: time.Hour} })
		berlin(h)
		h.run()
		h.until("2000-01-03 12:00")
		for i := range 10 {
			h.tell(notify.Notification{Title: fmt.Sprint(i)})
		}
		h.tell(notify.Notification{Title: "urgent", Urgency: notify.Urgent})
		h.pass(30 * time.Second)
		assert.Equal(t, []string{"0", "1", "2", "urgent"}, h.titles("a"))
		h.pass(25 * time.Minute)
		require.Equal(t, []string{"0", "1", "2", "urgent", "7 notifications"}, h.titles("a"))
		for i := 3; i < 10; i++ {
			assert.Contains(t, h.last().message.Text, fmt.Sprintf("  %d\n", i))
		}
	})
}

func TestServicesAreNotAskedFasterThanTheyAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pretend{}
		h := open(t, p, func(o *notify.Options) {
			o.Senders[notify.Slack] = p
			o.Batches.AtOnce = 4
		})
		h.add("a", func(c *notify.Channel) { c.Kind = notify.Slack })
		h.run()
		begun := time.Now()
		for i := range 100 {
			h.tell(notify.Notification{Title: fmt.Sprint(i)})
		}
		h.pass(4 * time.Minute)
		require.Len(t, h.titles("a"), 100)
		perMinute := map[int]int{}
		for _, s := range p.sent {
			perMinute[int(s.at.Sub(begun)/time.Minute)]++
		}
		for minute, n := range perMinute {
			assert.LessOrEqual(t, n, 54, "minute %d", minute)
		}
		deferred := 0
		for _, o := range h.outcomes {
			if o.State == "deferred" {
				deferred++
			}
		}
		assert.Less(t, deferred, 300, "each waits for a turn of its own")
	})
}

func TestQuietHoursEndAtTheSameClockTimeAcrossChangesOfTheClock(t *testing.T) {
	for _, row := range []struct{ now, want string }{
		{"2000-03-25 23:00", "2000-03-26 07:00"}, // 2:00 becomes 3:00 that night
		{"2000-10-28 23:00", "2000-10-29 07:00"}, // 3:00 becomes 2:00
		{"2000-06-01 06:59", "2000-06-01 07:00"},
	} {
		t.Run(row.now, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, &pretend{}, rarely)
				h.add("a")
				berlin(h, notify.Quiet{From: "22:00", To: "07:00"})
				h.until(row.now)
				r := h.tell(notify.Notification{Title: "x"})
				assert.Equal(t, row.want, r.Planned[0].At.In(mustZone(t, "Europe/Berlin")).Format("2006-01-02 15:04"))
			})
		})
	}
}

func TestQuietHoursOfSeveralDaysCountAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{}, rarely)
		h.add("a")
		weekend := []time.Weekday{time.Saturday, time.Sunday}
		berlin(h, notify.Quiet{From: "00:00", To: "00:00", Days: weekend}, notify.Quiet{From: "22:00", To: "06:30"})
		h.until("2000-01-07 23:00") // Friday
		r := h.tell(notify.Notification{Title: "x"})
		assert.Equal(t, "2000-01-10 06:30", r.Planned[0].At.In(mustZone(t, "Europe/Berlin")).Format("2006-01-02 15:04"))
	})
}

func TestTheZoneOfTheUsersOtherPreferencesCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{}, rarely)
		h.add("a", func(c *notify.Channel) { c.Digest = notify.Digest{At: []string{"18:00"}} })
		zoneOf := func() string {
			return h.tell(notify.Notification{Title: "x"}).Planned[0].At.UTC().Format("15:04")
		}
		assert.Equal(t, "23:00", zoneOf(), "New York in winter")
		r, err := storage.Open(h.tenant)
		require.NoError(t, err)
		_, err = r.Preferences.Put(t.Context(), storage.Preferences{User: "ann", TimeZone: "Asia/Tokyo"})
		require.NoError(t, err)
		assert.Equal(t, "09:00", zoneOf())
		berlin(h)
		assert.Equal(t, "17:00", zoneOf())
	})
}

// A program that dies between collecting a message and telling the queue gets it
// again, after the digest that had it was sent.
func TestWhatWasCollectedIsNotSentAgainWhenItsMessageComesByAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{}, rarely)
		h.add("a", func(c *notify.Channel) { c.Limit = notify.Limit{Most: 1, Per: time.Minute} })
		h.tell(notify.Notification{Title: "first"})
		h.tell(notify.Notification{Title: "second"})
		q, err := notify.Queue(h.tenant)
		require.NoError(t, err)
		messages, err := q.Receive(t.Context(), 2, 0)
		require.NoError(t, err)
		require.Len(t, messages, 2)
		h.run() // after the lease of the one that died
		h.pass(10 * time.Minute)
		assert.Equal(t, []string{"first", "second"}, h.titles("a"))
		for i, m := range messages {
			_, err := q.Send(t.Context(), storage.NewMessage{Body: m.Body, Key: fmt.Sprint("again", i)})
			require.NoError(t, err)
		}
		h.pass(10 * time.Minute)
		assert.Equal(t, []string{"first", "second"}, h.titles("a"), "each once")
		assert.Empty(t, h.dead())
	})
}
