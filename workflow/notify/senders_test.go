package notify_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/notify"
	"github.com/ttai-go/ttai/workflow/notify/notifytest"
)

// A post is one channel of a real kind against its fake.
type post struct {
	kind   notify.Kind
	secret []byte
	set    notify.Settings
	fail   func(...notifytest.Fault)
	count  func() int // of requests
	got    func() int // of messages
}

// world is a service with a fake of each kind behind it.
type world struct {
	*notify.Service
	discord  *notifytest.Discord
	slack    *notifytest.Slack
	telegram *notifytest.Telegram
	webhook  *notifytest.Webhook
	mail     *notifytest.Mail
	terminal *bytes.Buffer
	posts    []post
}

func newWorld(t *testing.T, change ...func(*notify.Options)) *world {
	t.Helper()
	tenant, v := newTenant(t)
	w := &world{
		discord: notifytest.NewDiscord(t), slack: notifytest.NewSlack(t), telegram: notifytest.NewTelegram(t),
		webhook: notifytest.NewWebhook(t, nil), mail: notifytest.NewMail(t, nil), terminal: &bytes.Buffer{},
	}
	http, err := notify.NewHTTP(&notify.HTTPOptions{Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(http.CloseIdle)
	o := notify.Options{Vault: v, HTTP: http, Telegram: w.telegram.URL(), MailRoots: w.mail.Roots(), Out: w.terminal, Timeout: 5 * time.Second}
	for _, f := range change {
		f(&o)
	}
	w.Service, err = notify.New(tenant, &o)
	require.NoError(t, err)
	w.posts = []post{
		{notify.Discord, w.discord.Secret(), notify.Settings{}, w.discord.Fail, w.discord.Requests, func() int { return len(w.discord.Messages()) }},
		{notify.Slack, w.slack.Secret(), notify.Settings{}, w.slack.Fail, w.slack.Requests, func() int { return len(w.slack.Messages()) }},
		{notify.Telegram, w.telegram.Secret(), notify.Settings{Chat: "-100200300"}, w.telegram.Fail, w.telegram.Requests, func() int { return len(w.telegram.Messages()) }},
		{notify.Webhook, w.webhook.Secret(), notify.Settings{}, w.webhook.Fail, w.webhook.Requests, func() int { return len(w.webhook.Received()) }},
		{notify.Email, w.mail.Secret(), w.mailbox(), w.mail.Fail, w.mail.Sessions, func() int { return len(w.mail.Letters()) }},
	}
	return w
}

func (w *world) mailbox() notify.Settings {
	return notify.Settings{Server: w.mail.Addr(), Login: w.mail.Login, From: "ttai <ttai@example.com>", To: []string{"Ann <ann@example.com>", "bob@example.com"}}
}

func (w *world) open(t *testing.T) {
	t.Helper()
	for _, p := range w.posts {
		require.NoError(t, w.Add(t.Context(), notify.Channel{ID: string(p.kind), User: "ann", Kind: p.kind, Settings: p.set}, p.secret))
	}
	require.NoError(t, w.Add(t.Context(), notify.Channel{ID: "terminal", User: "ann", Kind: notify.Terminal}, nil))
}

// say sends one message to each channel at once, past the queue.
func (w *world) say(t *testing.T, m notify.Message) {
	t.Helper()
	for _, p := range w.posts {
		require.NoError(t, w.Direct(t.Context(), notify.Delivery{
			Key: "k-" + string(p.kind), Channel: notify.Channel{ID: string(p.kind), User: "ann", Kind: p.kind, Settings: p.set}, Message: m,
		}), p.kind)
	}
	require.NoError(t, w.Direct(t.Context(), notify.Delivery{Channel: notify.Channel{ID: "terminal", User: "ann", Kind: notify.Terminal}, Message: m}))
}

func TestEveryKindSaysTheSame(t *testing.T) {
	w := newWorld(t)
	w.open(t)
	assert.Equal(t, []notify.Kind{notify.Discord, notify.Slack, notify.Telegram, notify.Webhook, notify.Email, notify.Terminal}, w.Kinds())
	at := time.Date(2026, 3, 3, 15, 4, 5, 0, time.UTC)
	w.say(t, notify.Message{
		Title: "SPY above 500", Text: "It crossed.\n\nTwice.", Facts: []notify.Fact{{Name: "Price", Value: "500.05"}}, Link: "https://example.com/x?a=1&b=2",
		Urgency: notify.High, Time: at, User: "ann", Topic: "alerts", Attachments: []notify.Attachment{svg},
	})

	d := w.discord.Messages()[0]
	assert.Equal(t, "SPY above 500", d.Title)
	assert.Equal(t, "It crossed.\n\nTwice.", d.Description)
	assert.Equal(t, map[string]string{"Price": "500.05"}, d.Fields)
	assert.Equal(t, []notifytest.File{{Name: "spy.svg", ContentType: "image/svg+xml", Data: svg.Data}}, d.Files)
	assert.Equal(t, "https://example.com/x?a=1&b=2", d.URL)

	s := w.slack.Messages()[0]
	assert.Equal(t, "SPY above 500", s.Notice)
	assert.Equal(t, "SPY above 500", s.Header)
	assert.Equal(t, []string{"It crossed.\n\nTwice.", "Price\n500.05", "```\n500 ┤ ╭╮\n499 ┼─╯╰ <'>\n```", "<https://example.com/x?a=1&b=2>"}, s.Sections,
		"a webhook takes no files: the letters stand for them")

	g := w.telegram.Messages()[0]
	assert.Equal(t, "-100200300", g.Chat)
	assert.Equal(t, "SPY above 500\n\nIt crossed.\n\nTwice.\n\nPrice: 500.05\n\nhttps://example.com/x?a=1&b=2", g.Text)
	require.NotNil(t, g.File)
	assert.Equal(t, svg.Data, g.File.Data)

	h := w.webhook.Received()[0]
	assert.Equal(t, notify.WebhookPayload{Type: "notification", Timestamp: at, Data: notify.WebhookData{
		ID: "k-webhook", User: "ann", Topic: "alerts", Urgency: notify.High, Title: "SPY above 500", Text: "It crossed.\n\nTwice.",
		Facts: []notify.Fact{{Name: "Price", Value: "500.05"}}, Link: "https://example.com/x?a=1&b=2", Attachments: []notify.Attachment{svg},
	}}, h)

	letter := w.mail.Letters()[0]
	assert.Equal(t, "ttai@example.com", letter.From)
	assert.Equal(t, []string{"ann@example.com", "bob@example.com"}, letter.To)
	assert.Equal(t, "SPY above 500", letter.Mail.Header.Get("Subject"))
	parts := mailParts(t, letter)
	assert.Equal(t, "SPY above 500\n\nIt crossed.\n\nTwice.\n\nPrice: 500.05\n\nhttps://example.com/x?a=1&b=2\n\n"+svg.Text+"\n", parts["text/plain"])
	assert.Contains(t, parts["text/html"], "<p style=\"white-space:pre-line;margin:0 0 12px\">It crossed.</p>")
	assert.Contains(t, parts["text/html"], `href="https://example.com/x?a=1&amp;b=2"`)
	assert.Equal(t, string(svg.Data), parts["image/svg+xml spy.svg"])
	assert.False(t, w.mail.InClear())

	assert.Equal(t, "10:04:05 HIGH  SPY above 500\n\n    It crossed.\n\n    Twice.\n\n    Price: 500.05\n\n    https://example.com/x?a=1&b=2\n\n    500 ┤ ╭╮\n    499 ┼─╯╰ <`>\n", w.terminal.String())
}

// mailParts are the leaves of a letter by type and file name.
func mailParts(t *testing.T, l notifytest.Letter) map[string]string {
	t.Helper()
	out := map[string]string{}
	var walk func(kind string, body io.Reader)
	walk = func(kind string, body io.Reader) {
		_, params, err := mime.ParseMediaType(kind)
		require.NoError(t, err)
		r := multipart.NewReader(body, params["boundary"])
		for {
			p, err := r.NextRawPart()
			if err == io.EOF {
				return
			}
			require.NoError(t, err)
			kind := p.Header.Get("Content-Type")
			if strings.HasPrefix(kind, "multipart/") {
				walk(kind, p)
				continue
			}
			name, _, _ := strings.Cut(kind, ";")
			if p.FileName() != "" {
				name += " " + p.FileName()
			}
			var decoded io.Reader = p
			switch p.Header.Get("Content-Transfer-Encoding") {
			case "quoted-printable":
				decoded = quotedprintable.NewReader(p)
			case "base64":
				decoded = base64.NewDecoder(base64.StdEncoding, p)
			}
			data, err := io.ReadAll(decoded)
			require.NoError(t, err)
			out[name] = strings.ReplaceAll(string(data), "\r\n", "\n")
		}
	}
	walk(l.Mail.Header.Get("Content-Type"), l.Mail.Body)
	return out
}

// hostile is text that tries to be markup, a mention or a control in any channel.
const hostile = "@everyone @here <@123> <!channel> <@&1> <#1> @ann_b *b* _i_ ~s~ `c` ||x|| [l](https://evil.example) <b>x</b> <a href=\"https://evil.example\">y</a> </pre> &lt; \x1b[31m \u202egnp.exe\u202c\n# head\n> quote\n- item\n1. one\r\nBcc: all@example.com\r\n.\r\n"

func TestNoDataIsMarkupOrMentionsAnybody(t *testing.T) {
	w := newWorld(t)
	w.open(t)
	m := notify.Message{
		Title: hostile, Text: hostile, Facts: []notify.Fact{{Name: hostile, Value: hostile}}, Urgency: notify.Normal, Time: time.Unix(0, 0),
		Attachments: []notify.Attachment{{Name: "x.html", ContentType: "text/html", Data: []byte("x"), Text: hostile}},
	}
	w.say(t, m)

	d := w.discord.Messages()[0]
	assert.False(t, d.Pings)
	for _, s := range []string{d.Title, d.Description} {
		for i, r := range s {
			if strings.ContainsRune("*_~`|<>@[]", r) {
				require.True(t, i > 0 && s[i-1] == '\\', "%q at %d of %q", r, i, s)
			}
		}
		assert.NotContains(t, s, "\n# ")
		assert.NotContains(t, s, "\n- ")
		assert.NotContains(t, s, "\n1. ")
	}

	s := w.slack.Messages()[0]
	assert.Empty(t, s.Controls)
	assert.Contains(t, s.Sections[0], "<!channel>", "a person sees what was written")

	g := w.telegram.Messages()[0]
	assert.Empty(t, g.Mentions)
	assert.Contains(t, g.Text, "<b>x</b>")

	letter := w.mail.Letters()[0]
	assert.Empty(t, letter.Mail.Header.Get("Bcc"))
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Mail.Header.Get("Subject"))
	require.NoError(t, err)
	assert.NotContains(t, subject, "\n")
	html := mailParts(t, letter)["text/html"]
	assert.NotContains(t, html, "<b>x</b>")
	assert.NotContains(t, html, "<a href=\"https://evil.example\"")
	assert.Contains(t, html, "&lt;b&gt;x&lt;/b&gt;")

	for _, text := range []string{w.terminal.String(), d.Title, g.Text, subject} {
		assert.NotContains(t, text, "\x1b")
		assert.NotContains(t, text, "\u202e")
	}
}

func TestTextsOfAnyLengthAreTakenByEveryService(t *testing.T) {
	for name, unit := range map[string]string{"letters": "word ", "no space": "x", "escapes": "<&*_", "astral": "🧑🏽‍💻", "at": "@a", "lines": "\n- a\n1. b"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(t)
			long := strings.Repeat(unit, 14000/len(unit))
			m := notify.Message{Title: "x" + long[:400/len(unit)*len(unit)], Text: long, Urgency: notify.Normal, Time: time.Unix(0, 0)}
			for range 40 {
				m.Facts = append(m.Facts, notify.Fact{Name: long[:200/len(unit)*len(unit)], Value: long[:1000/len(unit)*len(unit)]})
			}
			w.say(t, m)
			m.Attachments = []notify.Attachment{{Name: "a.svg", ContentType: "image/svg+xml", Data: []byte("x"), Text: long}}
			w.say(t, m)
			m.Text, m.Facts = "", nil
			w.say(t, m)
			assert.Empty(t, append(append(w.discord.Problems(), w.slack.Problems()...), w.telegram.Problems()...))
			assert.Len(t, w.discord.Messages(), 3)
			for _, s := range []string{w.discord.Messages()[0].Description, w.slack.Messages()[0].Sections[0]} {
				assert.True(t, strings.HasSuffix(s, "…"), "what is cut says so")
			}
		})
	}
}

func TestFaultsAreTold(t *testing.T) {
	for name, row := range map[string]struct {
		fault notifytest.Fault
		want  notify.SendError
	}{
		"429":  {notifytest.Fault{Status: 429, RetryAfter: 7 * time.Second}, notify.SendError{Status: 429, Limited: true, After: 7 * time.Second}},
		"500":  {notifytest.Fault{Status: 500}, notify.SendError{Status: 500, Uncertain: true}},
		"400":  {notifytest.Fault{Status: 400}, notify.SendError{Status: 400, Permanent: true}},
		"cut":  {notifytest.Fault{Cut: true}, notify.SendError{Uncertain: true}},
		"lost": {notifytest.Fault{Lost: true}, notify.SendError{Uncertain: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(t)
			for _, p := range w.posts {
				fault, want := row.fault, row.want
				if p.kind == notify.Email {
					switch name {
					case "429":
						fault.Status, want = 451, notify.SendError{Status: 451, Limited: true}
					case "500", "400":
						fault.Status, want = 550, notify.SendError{Status: 550, Permanent: true}
					case "cut":
						want = notify.SendError{} // before the message: it has not arrived
					}
				}
				p.fail(fault)
				begun := p.count()
				err := w.Direct(t.Context(), notify.Delivery{
					Key: "k", Channel: notify.Channel{ID: string(p.kind), User: "ann", Kind: p.kind, Settings: p.set}, Message: notify.Message{Title: "x"},
				})
				got, ok := err.(*notify.SendError)
				require.True(t, ok, "%s: %v", p.kind, err)
				assert.Equal(t, 1, p.count()-begun, "%s: nothing is sent twice by itself", p.kind)
				for _, secret := range []string{string(p.secret), "XXXXXXXXXXXXXXXXXXXXXXXX", "c2VjcmV0", "t0ken", "hunter2"} {
					assert.NotContains(t, got.Error(), secret)
				}
				text := got.Text
				got.Text = ""
				assert.Equal(t, want, *got, "%s: %s", p.kind, text)
			}
		})
	}
}

func TestEveryKindComesThroughTheQueueAfterWhatItsServiceAskedFor(t *testing.T) {
	var mu sync.Mutex
	sent := map[notify.Kind]notify.Outcome{}
	all := make(chan struct{})
	w := newWorld(t, func(o *notify.Options) {
		o.Batches = workflow.Batches{Wait: 20 * time.Millisecond}
		o.Observer = func(x notify.Outcome) {
			mu.Lock()
			defer mu.Unlock()
			if x.State == "sent" {
				if sent[x.Kind] = x; len(sent) == 6 {
					close(all)
				}
			}
		}
	})
	w.open(t)
	for _, p := range w.posts {
		if p.kind == notify.Email {
			p.fail(notifytest.Fault{Status: 421})
		} else {
			p.fail(notifytest.Fault{Status: 429, RetryAfter: time.Second})
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	begun := time.Now()
	_, err := w.Notify(t.Context(), notify.Notification{User: "ann", Title: "SPY above 500", Attachments: []notify.Attachment{svg}})
	require.NoError(t, err)
	select {
	case <-all:
	case <-time.After(15 * time.Second):
	}
	assert.GreaterOrEqual(t, time.Since(begun), time.Second)
	cancel()
	require.NoError(t, <-done)
	for _, p := range w.posts {
		assert.Equal(t, 1, p.got(), p.kind)
		assert.Equal(t, 2, p.count(), p.kind)
	}
	assert.Contains(t, w.terminal.String(), "SPY above 500")
	assert.Equal(t, 1, sent[notify.Slack].Attempt, "what the service asked for is no failed attempt")
	assert.Equal(t, 2, sent[notify.Email].Attempt)
}

func TestAStallEndsWithItsTimeout(t *testing.T) {
	http, err := notify.NewHTTP(&notify.HTTPOptions{Timeout: 100 * time.Millisecond})
	require.NoError(t, err)
	defer http.CloseIdle()
	w := newWorld(t, func(o *notify.Options) { o.HTTP, o.Timeout = http, 100*time.Millisecond })
	w.open(t)
	for _, p := range w.posts {
		p.fail(notifytest.Fault{Stall: time.Minute})
		begun := time.Now()
		err := w.Direct(t.Context(), notify.Delivery{
			Key: "k", Channel: notify.Channel{ID: string(p.kind), User: "ann", Kind: p.kind, Settings: p.set}, Message: notify.Message{Title: "x"},
		})
		require.Error(t, err, p.kind)
		assert.Less(t, time.Since(begun), 5*time.Second)
	}
}

func TestServicesSayWhenAnAddressIsGone(t *testing.T) {
	w := newWorld(t)
	w.open(t)
	for kind, secret := range map[notify.Kind]string{
		notify.Discord:  strings.Replace(string(w.discord.Secret()), "c2Vj", "xxxx", 1),
		notify.Slack:    strings.Replace(string(w.slack.Secret()), "B0000", "B1111", 1),
		notify.Telegram: "987654321:" + strings.Repeat("A", 30),
	} {
		c := notify.Channel{ID: string(kind), User: "ann", Kind: kind}
		if kind == notify.Telegram {
			c.Settings.Chat = "1"
		}
		require.NoError(t, w.Add(t.Context(), c, []byte(secret)))
		err, ok := w.Direct(t.Context(), notify.Delivery{Key: "k", Channel: c, Message: notify.Message{Title: "x"}}).(*notify.SendError)
		require.True(t, ok, kind)
		assert.True(t, err.Gone, "%s: %v", kind, err)
		assert.True(t, err.Permanent)
	}
}

func TestMailServersOfOtherKinds(t *testing.T) {
	for name, row := range map[string]struct {
		opts notifytest.MailOptions
		tls  string
		fail string
	}{
		"TLS from the first byte": {notifytest.MailOptions{TLS: true}, "tls", ""},
		"LOGIN only":              {notifytest.MailOptions{LoginOne: true}, "", ""},
		"no STARTTLS":             {notifytest.MailOptions{NoTLS: true}, "", "nothing is sent in the clear"},
	} {
		t.Run(name, func(t *testing.T) {
			m := notifytest.NewMail(t, &row.opts)
			w := newWorld(t, func(o *notify.Options) { o.MailRoots = m.Roots() })
			c := notify.Channel{ID: "mail", User: "ann", Kind: notify.Email, Settings: notify.Settings{
				Server: m.Addr(), TLS: row.tls, Login: m.Login, From: "a@example.com", To: []string{"b@example.com"},
			}}
			require.NoError(t, w.Add(t.Context(), c, m.Secret()))
			err := w.Test(t.Context(), "ann", "mail")
			if row.fail != "" {
				require.ErrorContains(t, err, row.fail)
				assert.Empty(t, m.Letters())
			} else {
				require.NoError(t, err)
				assert.Len(t, m.Letters(), 1)
			}
			assert.False(t, m.InClear())
			require.NoError(t, w.Add(t.Context(), c, []byte("wrong")))
			err = w.Test(t.Context(), "ann", "mail")
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "wrong password of the test")
		})
	}
	t.Run("a certificate that nobody vouches for", func(t *testing.T) {
		w := newWorld(t, func(o *notify.Options) { o.MailRoots = notifytest.NewMail(t, nil).Roots() })
		w.open(t)
		require.ErrorContains(t, w.Test(t.Context(), "ann", "email"), "certificate")
		assert.Empty(t, w.mail.Letters())
		assert.False(t, w.mail.InClear())
	})
}

func TestTheSameMailHasTheSameMessageID(t *testing.T) {
	w := newWorld(t)
	w.open(t)
	c := notify.Channel{ID: "email", User: "ann", Kind: notify.Email, Settings: w.mailbox()}
	for _, key := range []string{"a", "a", "b"} {
		require.NoError(t, w.Direct(t.Context(), notify.Delivery{Key: key, Channel: c, Message: notify.Message{Title: "x"}}))
	}
	l := w.mail.Letters()
	id := func(i int) string { return l[i].Mail.Header.Get("Message-Id") }
	assert.Equal(t, id(0), id(1))
	assert.NotEqual(t, id(0), id(2))
	assert.True(t, strings.HasSuffix(id(0), "@example.com>"))
}

func TestAWebhookThatIsSentTwiceIsHandledOnce(t *testing.T) {
	w := newWorld(t)
	w.open(t)
	c := notify.Channel{ID: "webhook", User: "ann", Kind: notify.Webhook}
	w.webhook.Fail(notifytest.Fault{Lost: true})
	d := notify.Delivery{Key: "k", Channel: c, Message: notify.Message{Title: "x"}}
	require.Error(t, w.Direct(t.Context(), d))
	require.NoError(t, w.Direct(t.Context(), d))
	assert.Len(t, w.webhook.Received(), 1)
	assert.Equal(t, 1, w.webhook.Copies())
}

// The example of the Standard Webhooks specification's reference libraries.
func TestWebhookSignaturesAreThoseOfTheSpecification(t *testing.T) {
	key := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	header := http.Header{}
	header.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	header.Set("webhook-timestamp", "1614265330")
	header.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	body := []byte(`{"test": 2432232314}`)
	now := time.Unix(1614265330, 0)
	require.NoError(t, notify.VerifyWebhook(key, header, body, now))
	header.Set("webhook-signature", "v1,bm9ldu5vaVn3d8AFVsEnSA== v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	require.NoError(t, notify.VerifyWebhook(key, header, body, now.Add(5*time.Minute)), "one of several keys")
	for name, change := range map[string]func(h http.Header, body []byte) ([]byte, time.Time){
		"another body":  func(_ http.Header, b []byte) ([]byte, time.Time) { return append(b, ' '), now },
		"too old":       func(_ http.Header, b []byte) ([]byte, time.Time) { return b, now.Add(5*time.Minute + time.Second) },
		"of the future": func(_ http.Header, b []byte) ([]byte, time.Time) { return b, now.Add(-6 * time.Minute) },
		"another id":    func(h http.Header, b []byte) ([]byte, time.Time) { h.Set("webhook-id", "x"); return b, now },
		"another time": func(h http.Header, b []byte) ([]byte, time.Time) {
			h.Set("webhook-timestamp", "1614265331")
			return b, now
		},
		"no time":      func(h http.Header, b []byte) ([]byte, time.Time) { h.Del("webhook-timestamp"); return b, now },
		"no signature": func(h http.Header, b []byte) ([]byte, time.Time) { h.Del("webhook-signature"); return b, now },
		"other versions": func(h http.Header, b []byte) ([]byte, time.Time) {
			h.Set("webhook-signature", strings.ReplaceAll(h.Get("webhook-signature"), "v1,", "v0,"))
			return b, now
		},
	} {
		h := header.Clone()
		b, at := change(h, append([]byte(nil), body...))
		assert.ErrorIs(t, notify.VerifyWebhook(key, h, b, at), notify.ErrSignature, name)
	}
	assert.Equal(t, "secret", field(t, notify.VerifyWebhook("nokey", header, body, now)))
}

func TestSecretsAreInTheVaultAndNowhereElse(t *testing.T) {
	tenant, v := newTenant(t)
	var outcomes []string
	s, err := notify.New(tenant, &notify.Options{Vault: v, Observer: func(o notify.Outcome) { outcomes = append(outcomes, o.Error) }})
	require.NoError(t, err)
	const secret = "https://discord.com/api/webhooks/1234/very-secret-token"
	require.NoError(t, s.Add(t.Context(), notify.Channel{ID: "d", User: "ann", Kind: notify.Discord}, []byte(secret)))
	channels, err := s.Channels(t.Context(), "")
	require.NoError(t, err)
	data, err := json.Marshal(channels)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "secret")
	records, err := tenant.Records()
	require.NoError(t, err)
	for _, collection := range []string{"notify-channels", "vault", "credentials", "vault-secrets"} {
		page, err := records.List(t.Context(), collection, queryAll)
		require.NoError(t, err)
		for _, r := range page.Records {
			assert.NotContains(t, string(r.Data), "very-secret")
		}
	}
	sealed, err := v.Get(t.Context(), channels[0].Secret())
	require.NoError(t, err)
	require.NoError(t, sealed.Use(func(b []byte) error {
		assert.Equal(t, secret, string(b))
		return nil
	}))
	require.NoError(t, s.Add(t.Context(), notify.Channel{ID: "d", User: "ann", Kind: notify.Discord, Least: notify.High}, nil), "the secret is kept")
	require.NoError(t, s.Remove(t.Context(), "ann", "d"))
	_, err = v.Get(t.Context(), channels[0].Secret())
	assert.Error(t, err)
	require.NoError(t, s.Remove(t.Context(), "ann", "d"))
}

func TestChannelsThatCannotWorkAreRefused(t *testing.T) {
	tenant, v := newTenant(t)
	s, err := notify.New(tenant, &notify.Options{Vault: v})
	require.NoError(t, err)
	mail := notify.Settings{Server: "mail.example.com:587", From: "a@example.com", To: []string{"b@example.com"}}
	with := func(change func(*notify.Settings)) notify.Settings {
		m := mail
		change(&m)
		return m
	}
	for name, row := range map[string]struct {
		field   string
		channel notify.Channel
		secret  string
	}{
		"id":             {"id", notify.Channel{ID: "A b", Kind: notify.Slack}, "x"},
		"kind":           {"kind", notify.Channel{ID: "a", Kind: "pigeon"}, "x"},
		"push":           {"kind", notify.Channel{ID: "a", Kind: notify.WebPush}, "x"},
		"least":          {"least", notify.Channel{ID: "a", Kind: notify.Slack, Least: "loud"}, "x"},
		"topic":          {"topics", notify.Channel{ID: "a", Kind: notify.Slack, Topics: []string{"A"}}, "x"},
		"digest":         {"digest.at", notify.Channel{ID: "a", Kind: notify.Slack, Digest: notify.Digest{At: []string{"25:00"}}}, "x"},
		"days":           {"digest.days", notify.Channel{ID: "a", Kind: notify.Slack, Digest: notify.Digest{At: []string{"15:00"}, Days: []time.Weekday{7}}}, "x"},
		"limit":          {"limit", notify.Channel{ID: "a", Kind: notify.Slack, Limit: notify.Limit{Most: 1}}, "x"},
		"attempts":       {"attempts", notify.Channel{ID: "a", Kind: notify.Slack, Attempts: -1}, "x"},
		"other settings": {"settings.chat", notify.Channel{ID: "a", Kind: notify.Slack, Settings: notify.Settings{Chat: "1"}}, "x"},
		"other host":     {"secret", notify.Channel{ID: "a", Kind: notify.Slack}, "https://evil.example/services/a/b/c"},
		"plain http":     {"secret", notify.Channel{ID: "a", Kind: notify.Slack}, "http://hooks.slack.com/services/a/b/c"},
		"user in URL":    {"secret", notify.Channel{ID: "a", Kind: notify.Discord}, "https://a:b@discord.com/api/webhooks/1/2"},
		"no secret":      {"secret", notify.Channel{ID: "a", Kind: notify.Discord}, ""},
		"chat":           {"settings.chat", notify.Channel{ID: "a", Kind: notify.Telegram, Settings: notify.Settings{Chat: "ann"}}, "x"},
		"token":          {"secret", notify.Channel{ID: "a", Kind: notify.Telegram, Settings: notify.Settings{Chat: "1"}}, "123:../../x"},
		"hook":           {"secret", notify.Channel{ID: "a", Kind: notify.Webhook}, "https://example.com"},
		"server":         {"settings.server", notify.Channel{ID: "a", Kind: notify.Email, Settings: with(func(s *notify.Settings) { s.Server = "mail" })}, ""},
		"no TLS":         {"settings.tls", notify.Channel{ID: "a", Kind: notify.Email, Settings: with(func(s *notify.Settings) { s.TLS = "none" })}, ""},
		"from":           {"settings.from", notify.Channel{ID: "a", Kind: notify.Email, Settings: with(func(s *notify.Settings) { s.From = "a\r\nBcc: b@c.de" })}, ""},
		"to":             {"settings.to", notify.Channel{ID: "a", Kind: notify.Email, Settings: with(func(s *notify.Settings) { s.To = nil })}, ""},
		"password":       {"secret", notify.Channel{ID: "a", Kind: notify.Email, Settings: mail}, "nobody logs in"},
		"terminal":       {"secret", notify.Channel{ID: "a", Kind: notify.Terminal}, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			row.channel.User = "ann"
			var secret []byte
			if row.secret != "" {
				secret = []byte(row.secret)
			}
			err := s.Add(t.Context(), row.channel, secret)
			assert.Equal(t, row.field, field(t, err))
			if row.field == "secret" && row.secret != "" {
				assert.NotContains(t, err.Error(), row.secret)
			}
		})
	}
	channels, err := s.Channels(t.Context(), "")
	require.NoError(t, err)
	assert.Empty(t, channels)
	assert.Equal(t, "zone", field(t, s.SetPreferences(t.Context(), notify.Preferences{User: "ann", Zone: "Mars/Olympus"})))
	assert.Equal(t, "quiet", field(t, s.SetPreferences(t.Context(), notify.Preferences{User: "ann", Quiet: []notify.Quiet{{From: "7", To: "8"}}})))
	assert.Equal(t, "quiet", field(t, s.SetPreferences(t.Context(), notify.Preferences{User: "ann", Quiet: []notify.Quiet{{From: "00:00", To: "00:00"}}})), "never quiet again")
}

func TestNotificationsThatCannotBeSentAreRefused(t *testing.T) {
	tenant, _ := newTenant(t)
	s, err := notify.New(tenant, nil)
	require.NoError(t, err)
	for want, n := range map[string]notify.Notification{
		"User": {Title: "x"}, "Title": {User: "a", Title: " \x07"}, "Text": {User: "a", Title: "x", Text: "\xff"},
		"Key": {User: "a", Title: "x", Key: "\n"}, "Topic": {User: "a", Title: "x", Topic: "A"}, "Urgency": {User: "a", Title: "x", Urgency: "x"},
		"Window": {User: "a", Title: "x", Window: -1}, "Link": {User: "a", Title: "x", Link: "javascript:alert(1)"},
		"Facts":                      {User: "a", Title: "x", Facts: make([]notify.Fact, 41)},
		"Attachments[0].Name":        {User: "a", Title: "x", Attachments: []notify.Attachment{{Name: "../x", ContentType: "a/b"}}},
		"Attachments[0].ContentType": {User: "a", Title: "x", Attachments: []notify.Attachment{{Name: "x", ContentType: "a/b\r\nX: y"}}},
		"Attachments":                {User: "a", Title: "x", Attachments: []notify.Attachment{{Name: "x", ContentType: "a/b", Data: make([]byte, notify.MaxAttachments+1)}}},
		"Template":                   {User: "a", Template: "none"},
		"Data":                       {User: "a", Template: "alert", Data: map[string]any{"Symbol": "SPY"}},
	} {
		_, err := s.Notify(t.Context(), n)
		assert.Equal(t, want, field(t, err))
	}
}

func TestAddressesThatAreNotPublicAreNotConnectedToWhenUsersNameThem(t *testing.T) {
	http, err := notify.NewHTTP(&notify.HTTPOptions{Public: true})
	require.NoError(t, err)
	w := newWorld(t, func(o *notify.Options) { o.HTTP = http })
	w.open(t)
	for _, p := range w.posts {
		err := w.Direct(t.Context(), notify.Delivery{
			Key: "k", Channel: notify.Channel{ID: string(p.kind), User: "ann", Kind: p.kind, Settings: p.set}, Message: notify.Message{Title: "x"},
		})
		require.Error(t, err)
		assert.Zero(t, p.count(), p.kind)
		assert.NotContains(t, err.Error(), "127.0.0.1")
	}
}
