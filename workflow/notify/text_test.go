package notify_test

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/workflow/notify"
)

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func TestTextsAreCutWhereAWordEndsAndSaySo(t *testing.T) {
	for _, row := range []struct {
		text  string
		limit int
		want  string
	}{
		{"short", 5, "short"},
		{"one two three four", 12, "one two…"},
		{"nospaceatall", 6, "nospa…"},
		{"ab\U0001F9D1\U0001F3FD\u200d\U0001F4BBcd", 8, "ab…"}, // a person at a computer is one character of seven units
		{"e\u0301e\u0301e\u0301", 4, "e\u0301…"},
		{"", 3, ""},
		{"xyz", 1, "…"},
		{"xyz", 0, ""},
	} {
		assert.Equal(t, row.want, notify.Fit(row.text, row.limit), "%q", row.text)
	}
	assert.Equal(t, `a\*…`, notify.FitDiscord("a*b*c", 4))
	assert.Equal(t, `a…`, notify.FitDiscord("a*b*c", 3), "no escape is cut in two")
}

func TestAddressesOfTheOpenNetwork(t *testing.T) {
	for ip, want := range map[string]bool{
		"1.1.1.1": true, "2606:4700::1111": true, "127.0.0.1": false, "10.1.2.3": false, "192.168.1.1": false, "172.16.0.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "::1": false, "fe80::1": false,
		"fd00::1": false, "::": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:db8::1": false,
	} {
		assert.Equal(t, want, notify.Public(netip.MustParseAddr(ip)), ip)
	}
}

func FuzzFit(f *testing.F) {
	f.Add("one two three", 7)
	f.Add("a\U0001F9D1\u200d\U0001F4BB b", 3)
	f.Add("\xff\n- *x*", 4)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 0 || limit > 1<<16 {
			return
		}
		text = strings.ToValidUTF8(text, "?")
		got := notify.Fit(text, limit)
		require.LessOrEqual(t, units(got), limit)
		require.True(t, utf8.ValidString(got))
		if units(text) <= limit {
			require.Equal(t, text, got)
		} else if limit > 0 {
			require.True(t, strings.HasSuffix(got, "…"))
			require.True(t, strings.HasPrefix(text, strings.TrimSuffix(got, "…")))
		}
		d := notify.FitDiscord(text, limit)
		require.LessOrEqual(t, units(d), limit)
		// An odd number of backslashes at the end would escape what follows.
		body := strings.TrimSuffix(d, "…")
		require.Zero(t, (len(body)-len(strings.TrimRight(body, `\`)))%2, "%q", d)
	})
}

func TestTemplatesMakePlainTextOfAnyData(t *testing.T) {
	tenant, _ := newTenant(t)
	def, err := notify.DefaultTemplates()
	require.NoError(t, err)
	own, err := def.With(notify.Template{
		Name: "own", Title: "{{.Symbol}} at {{money .Price}}", Text: "{{percent .Move}} {{number .Count}} {{when .At}}",
		Facts: []notify.Fact{{Name: "Gone", Value: "{{.Empty}}"}, {Name: "Unknown", Value: "{{money .Unknown}}"}},
	})
	require.NoError(t, err)
	p := &pretend{}
	s, err := notify.New(tenant, &notify.Options{Templates: own, Senders: map[notify.Kind]notify.Sender{"pretend": p}})
	require.NoError(t, err)
	require.NoError(t, s.Add(t.Context(), notify.Channel{ID: "a", User: "ann", Kind: "pretend"}, nil))
	for _, n := range []notify.Notification{
		{Template: "own", Data: data{Symbol: "<b>*SPY*", Price: -12.5, Move: 0.0123, Count: 7}},
		{Template: "alert", Data: map[string]any{"Symbol": "SPY", "Condition": "above 500", "Price": 500.05, "Note": ""}},
	} {
		n.User = "ann"
		_, err := s.Notify(t.Context(), n)
		require.NoError(t, err)
	}
	q, err := notify.Queue(tenant)
	require.NoError(t, err)
	got, err := q.Receive(t.Context(), 2, 0)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Contains(t, string(got[0].Body), `"title":"<b>*SPY* at -$12.50","text":"1.23 % 7 unknown","facts":[{"name":"Unknown","value":"unknown"}]`)
	assert.Contains(t, string(got[1].Body), `"title":"SPY above 500","facts":[{"name":"Price","value":"500.05"}]`)

	_, err = notify.NewTemplates(notify.Template{Name: "x", Title: "{{.A"})
	assert.Equal(t, "Title", field(t, err))
	_, err = notify.NewTemplates(notify.Template{Name: "X Y"})
	assert.Equal(t, "Name", field(t, err))
}

type data struct {
	Symbol             string
	Price, Move, Count float64
	At                 time.Time
	Empty              string
	Unknown            *float64
}

func TestTemplatesAttachTheChartsOfTheirData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, &pretend{})
		h.add("a")
		h.run()
		at := time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)
		c := notify.Chart{
			Title: "SPY <b>", Times: []time.Time{at, at.Add(time.Minute), at.Add(2 * time.Minute)},
			Lines: []notify.Line{{Name: "Price", Values: []float64{499, math.NaN(), 501}}}, Marks: []notify.Mark{{Name: "alert", Price: 500}},
		}
		alert := map[string]any{"Symbol": "SPY", "Condition": "above 500", "Price": 501.0, "Note": "", "Chart": c}
		h.tell(notify.Notification{Template: "alert", Data: alert})
		h.pass(6 * time.Second)
		files := h.last().message.Attachments
		require.Len(t, files, 1)
		assert.Equal(t, "chart.svg", files[0].Name)
		assert.Equal(t, "image/svg+xml", files[0].ContentType)
		assert.Contains(t, string(files[0].Data), "<svg")
		assert.NotContains(t, string(files[0].Data), "<b>")
		assert.Contains(t, files[0].Text, "SPY")
		for _, l := range strings.Split(files[0].Text, "\n") {
			assert.LessOrEqual(t, utf8.RuneCountInString(l), 60)
		}
		for name, chart := range map[string]any{"none": nil, "nil": (*notify.Chart)(nil), "pointer": &c, "file": svg} {
			alert["Chart"] = chart
			h.tell(notify.Notification{Template: "alert", Data: alert})
			h.pass(6 * time.Second)
			want := 1
			if name == "none" || name == "nil" {
				want = 0
			}
			assert.Len(t, h.last().message.Attachments, want, name)
		}
		alert["Chart"] = 7
		_, err := h.Notify(t.Context(), notify.Notification{User: "ann", Template: "alert", Data: alert})
		assert.Equal(t, "Data.Chart", field(t, err))
		_, err = c.Attach("../x")
		assert.Equal(t, "Name", field(t, err))
	})
}
