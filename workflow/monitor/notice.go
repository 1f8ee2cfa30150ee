package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// A Notice is what a user is told of a firing. Its JSON is that of a notification
// of package workflow/notify.
type Notice struct {
	User    string    `json:"user"`
	Key     string    `json:"key"` // the same whenever the same firing is told
	Topic   string    `json:"topic"`
	Urgency string    `json:"urgency,omitempty"`
	Time    time.Time `json:"time"`
	Title   string    `json:"title"`
	Text    string    `json:"text,omitempty"`
	Facts   []Fact    `json:"facts,omitempty"`
	Link    string    `json:"link,omitempty"` // of a story
}

// A Fact is a short value with a name.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Notifier hands a notice over to whoever tells the user. Notices of one firing
// have one Key; after an error, and after a crash, the same one comes again, so
// the receiver must act on a key once. Safe for concurrent use.
type Notifier func(ctx context.Context, tenant storage.TenantID, n Notice) error

// QueueName is the queue into which [QueueNotifier] puts notices.
const QueueName = "alert-notices"

// QueueNotifier returns a notifier that puts notices as JSON into a queue of the
// tenant, each under its Key.
func QueueNotifier(queue storage.Sender) Notifier {
	return func(ctx context.Context, _ storage.TenantID, n Notice) error {
		data, err := json.Marshal(n)
		if err != nil {
			return err
		}
		_, err = queue.Send(ctx, storage.NewMessage{Body: data, Key: n.Key})
		return err
	}
}

// NoticeOf says in words what a firing of a rule means.
func NoticeOf(s Stored, f Firing) Notice {
	n := Notice{User: s.User, Key: f.Key(), Topic: "alerts", Time: f.Time, Title: s.Rule.Name}
	condition := s.Rule.String()
	what := condition
	if f.Subject != "" && f.Subject != "up" && f.Subject != "down" {
		what += " (" + f.Subject + ")"
	}
	switch {
	case f.Story != nil:
		n.Topic, n.Link = "news", httpsOnly(f.Story.URL)
		what = f.Story.Headline
		n.Text = f.Story.Summary
		n.add("source", f.Story.Source)
		if len(f.Story.Symbols) > 0 {
			n.add("symbols", joinSymbols(f.Story.Symbols))
		}
	case !math.IsNaN(f.Value):
		n.add("value", number(f.Value))
		if !math.IsNaN(f.Threshold) {
			n.add("threshold", number(f.Threshold))
		}
	}
	if n.Title == "" {
		n.Title = clean(what, 300)
	} else {
		n.Title = clean(n.Title+": "+what, 300)
	}
	n.Text = clean(n.Text, 2000)
	if f.Story != nil {
		n.add("rule", condition)
	}
	if b := f.Bar; b != nil {
		n.add("bar", fmt.Sprintf("%s: open %s, high %s, low %s, close %s", b.Time.UTC().Format(time.RFC3339), number(b.Open), number(b.High), number(b.Low), number(b.Close)))
		if f.Uncertain {
			n.add("note", "seen in a bar only, whose order within is not known")
		}
	}
	if s.Rule.Mode == Once && !severalSubjectsOf(s.Rule.Kind) {
		n.add("then", "the rule is done")
	}
	return n
}

func severalSubjectsOf(k Kind) bool { return (&rule{kind: kindNumbers[k]}).severalSubjects() }

func (n *Notice) add(name, value string) {
	if value = clean(value, 500); value != "" {
		n.Facts = append(n.Facts, Fact{name, value})
	}
}

func httpsOnly(s string) string {
	if strings.HasPrefix(s, "https://") && len(s) < 2000 {
		return s
	}
	return ""
}

// clean makes one line of text of at most n bytes, without control characters:
// headlines come from strangers.
func clean(s string, n int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(c rune) bool { return c <= ' ' || c == 0x7f || c >= 0x80 && c <= 0xa0 }), " ")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n-3], "") + "…"
	}
	return s
}

func number(x float64) string {
	if math.IsNaN(x) {
		return "unknown"
	}
	if x != 0 && math.Abs(x) < 1 {
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	return strconv.FormatFloat(math.Round(x*1e4)/1e4, 'f', -1, 64)
}

func joinSymbols(s []market.Symbol) string { return join(s) }

// String says the rule's condition in a few words.
func (r Rule) String() string {
	symbol, value := string(r.Symbol), ""
	if r.Value != nil {
		value = number(*r.Value)
	}
	op := strings.ReplaceAll(string(r.Op), "_", " ")
	where := "positions"
	if symbol != "" {
		where = symbol
	}
	if r.Account != "" {
		where += " in " + string(r.Account)
	}
	distance := ""
	switch {
	case r.Percent > 0:
		distance = number(r.Percent) + " %"
	case r.Amount > 0:
		distance = number(r.Amount)
	}
	switch r.Kind {
	case KindPrice:
		return strings.TrimSpace(symbol+" "+r.Field) + " " + op + " " + value
	case KindMove:
		from := map[string]string{"now": "here", "close": "the previous close", "open": "the open", "window": "the extreme of " + time.Duration(r.Window).String()}[r.From]
		return fmt.Sprintf("%s moves %s %s from %s", symbol, map[string]string{"up": "up", "down": "down"}[r.Side], distance, from)
	case KindTrailing:
		if r.Side == "low" {
			return symbol + " rises " + distance + " from its lowest"
		}
		return symbol + " falls " + distance + " from its highest"
	case KindLevel:
		if r.Value != nil {
			return symbol + " level " + value + " " + r.Event
		}
		return fmt.Sprintf("%s %s level %s", symbol, r.Interval, r.Event)
	case KindIndicator:
		against := value
		if r.Than != nil {
			against = r.Than.String()
		}
		return fmt.Sprintf("%s %s %s %s %s", symbol, r.Interval, r.Indicator, op, against)
	case KindVolatility, KindPosition:
		if r.Kind == KindVolatility {
			where = symbol
		}
		return fmt.Sprintf("%s %s %s %s", where, r.Metric, op, value)
	case KindDTE:
		return fmt.Sprintf("%s: %d days to expiration", where, r.Days)
	case KindExpiry:
		return fmt.Sprintf("%s: expiration within %s", where, time.Duration(r.Within))
	case KindShortStrike:
		if distance != "" {
			distance = " by " + distance + " before it"
		}
		return where + ": short strike reached" + distance
	case KindAssignment:
		return where + ": early assignment is likely"
	case KindExDividend:
		return fmt.Sprintf("%s: ex-date within %d days and a short call in the money", where, r.Days)
	case KindBuyingPower:
		if r.Account == "" {
			where = "account"
		} else {
			where = string(r.Account)
		}
		return fmt.Sprintf("%s %s %s %s", where, r.Metric, op, value)
	case KindNews:
		var about []string
		if len(r.Symbols) > 0 {
			about = append(about, "about "+joinSymbols(r.Symbols))
		}
		if len(r.Keywords) > 0 {
			about = append(about, "with "+strings.Join(r.Keywords, ", "))
		}
		return "news " + strings.Join(about, " ")
	}
	return string(r.Kind)
}

func (i *Indicator) String() string {
	s := i.Name
	if len(i.Params) > 0 {
		text := make([]string, len(i.Params))
		for n, p := range i.Params {
			text[n] = number(p)
		}
		s += "(" + strings.Join(text, ",") + ")"
	}
	if i.Output != "" {
		s += "." + i.Output
	}
	return s
}

// TestNotice is what a rule would tell, marked as a test and never told apart from
// another test by its key.
func TestNotice(s Stored, now time.Time) Notice {
	f := Firing{Rule: s.ID, Kind: s.Rule.Kind, Symbol: s.Rule.Symbol, Time: now.UTC(), Value: math.NaN(), Threshold: math.NaN()}
	n := NoticeOf(s, f)
	n.Key = fmt.Sprintf("alert-test/%s/%d", s.ID, now.UnixNano())
	n.Title = clean("Test: "+n.Title, 300)
	n.Facts = append([]Fact{{"note", "this is a test: nothing has happened"}}, n.Facts...)
	return n
}
