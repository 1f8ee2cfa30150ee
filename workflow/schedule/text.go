package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

const examples = `"open", "45m before open", "30m after close", "end of day", "every 1h", "at 08:30", each also with "on the last session of the week", ` +
	`"on monthly expirations of SPX" or "on the session before earnings of AAPL", or "cron 30 8 * * 1-5 in America/New_York"`

// ParseTrigger reads a trigger's text form:
//
//	open · close · pre-open · end of day
//	45m before open · 1h30m after close
//	every 1h · every 30m, 5m late · every full 1h
//	at 08:30
//	cron 30 8 * * 1-5 in America/New_York
//
// All but cron may end in which sessions are meant:
//
//	on the first session of the week · … last session of the week, month, quarter
//	on expirations of SPX · on monthly expirations of SPY
//	on the session before earnings of AAPL,MSFT · on 2 sessions before earnings of AAPL
//
// Case and space do not matter. Anything else is a *FieldError.
func ParseTrigger(text string) (Trigger, error) {
	words := strings.Fields(text)
	refuse := func() (Trigger, error) { return Trigger{}, invalid.Field("trigger", text, examples) }
	if len(words) == 0 {
		return refuse()
	}
	var t Trigger
	if strings.EqualFold(words[0], "cron") {
		rest := words[1:]
		if n := len(rest); n > 2 && strings.EqualFold(rest[n-2], "in") {
			t.Zone, rest = rest[n-1], rest[:n-2]
		}
		if len(rest) > 0 {
			name, zone, given := strings.Cut(rest[0], "=")
			if given && (name == "CRON_TZ" || name == "TZ") && t.Zone == "" {
				t.Zone, rest = zone, rest[1:]
			}
		}
		t.Cron = strings.Join(rest, " ")
		if t.Cron == "" || t.Zone == "" {
			return Trigger{}, invalid.Field("trigger", text, `an expression and its zone, such as "cron 30 8 * * 1-5 in America/New_York"`)
		}
		return t, t.Validate()
	}
	for i, word := range words {
		if !strings.EqualFold(word, "on") {
			continue
		}
		if !t.parseDays(words[i+1:]) {
			return refuse()
		}
		words = words[:i]
		break
	}
	if !t.parseTime(words) {
		return refuse()
	}
	return t, t.Validate()
}

// parseTime reads what stands before "on".
func (t *Trigger) parseTime(words []string) bool {
	words = lower(words)
	switch {
	case len(words) == 2 && words[0] == "at" && strings.Contains(words[1], ":"):
		t.Clock = words[1]
		return true
	case len(words) >= 2 && words[0] == "every":
		return t.parseEvery(words[1:])
	case len(words) > 1 && words[0] == "at":
		words = words[1:]
	}
	if len(words) > 2 && (words[1] == "before" || words[1] == "after") {
		d, err := time.ParseDuration(words[0])
		if err != nil || d < 0 {
			return false
		}
		if t.Offset = d; words[1] == "before" {
			t.Offset = -d
		}
		words = words[2:]
	}
	if len(words) > 1 && words[0] == "the" {
		words = words[1:]
	}
	t.At = Moment(strings.Join(words, " "))
	return slices.Contains([]Moment{PreOpen, Open, Close, EndOfDay}, t.At)
}

// parseEvery reads "1h", "full 1h", "hour of the session", "30m, 5m late".
func (t *Trigger) parseEvery(words []string) bool {
	if n := len(words); n >= 3 && words[n-1] == "late" {
		d, err := time.ParseDuration(words[n-2])
		if err != nil {
			return false
		}
		t.Offset = d
		words = words[:n-2]
		words[len(words)-1] = strings.TrimSuffix(words[len(words)-1], ",")
	}
	if n := len(words); n > 3 && slices.Equal(words[n-3:], []string{"of", "the", "session"}) {
		words = words[:n-3]
	}
	if len(words) == 2 && words[0] == "full" {
		t.Full, words = true, words[1:]
	}
	if len(words) != 1 {
		return false
	}
	if words[0] == "hour" {
		words = []string{"1h"}
	}
	d, err := time.ParseDuration(words[0])
	t.Every = d
	return err == nil
}

// parseDays reads what stands behind "on".
func (t *Trigger) parseDays(words []string) bool {
	if n := len(words); n >= 3 && strings.EqualFold(words[n-2], "of") {
		what := lower(words[:n-2])
		switch last := what[len(what)-1]; last {
		case "expirations", "earnings":
			for _, s := range strings.Split(words[n-1], ",") {
				t.Symbols = append(t.Symbols, market.Symbol(strings.ToUpper(s)))
			}
			if what = what[:len(what)-1]; last == "expirations" {
				t.On, t.Cycle = Expirations, market.Cycle(strings.Join(what, " "))
				return t.Cycle == "" || slices.Contains(cycles, t.Cycle)
			}
			return t.parseBefore(what)
		}
	}
	words = lower(words)
	if len(words) > 0 && words[0] == "the" {
		words = words[1:]
	}
	t.On = Days(strings.Join(words, " "))
	if t.On == "every session" {
		t.On = EverySession
		return true
	}
	return slices.Contains([]Days{FirstOfWeek, LastOfWeek, FirstOfMonth, LastOfMonth, LastOfQuarter}, t.On)
}

// parseBefore reads "the session before" and "2 sessions before".
func (t *Trigger) parseBefore(words []string) bool {
	t.On = BeforeEarnings
	if slices.Equal(words, []string{"the", "session", "before"}) {
		t.Sessions = 1
		return true
	}
	if len(words) != 3 || words[1] != "sessions" && words[1] != "session" || words[2] != "before" {
		return false
	}
	n, err := strconv.Atoi(words[0])
	t.Sessions = n
	return err == nil && n > 0
}

func lower(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ToLower(w)
	}
	return out
}

// String returns the text form.
func (t Trigger) String() string {
	if t.Cron != "" {
		return "cron " + t.Cron + " in " + t.Zone
	}
	var b strings.Builder
	switch {
	case t.Clock != "":
		b.WriteString("at " + t.Clock)
	case t.Every != 0:
		b.WriteString("every ")
		if t.Full {
			b.WriteString("full ")
		}
		b.WriteString(short(t.Every))
		if t.Offset != 0 {
			b.WriteString(", " + short(t.Offset) + " late")
		}
	case t.Offset < 0:
		b.WriteString(short(-t.Offset) + " before " + string(t.At))
	case t.Offset > 0:
		b.WriteString(short(t.Offset) + " after " + string(t.At))
	default:
		b.WriteString(string(t.At))
	}
	if days := t.days(); days != "" {
		b.WriteString(" on " + days)
	}
	return b.String()
}

// days is what stands behind "on"; empty for every session.
func (t Trigger) days() string {
	names := make([]string, len(t.Symbols))
	for i, s := range t.Symbols {
		names[i] = string(s)
	}
	symbols := strings.Join(names, ",")
	switch t.On {
	case EverySession:
		return ""
	case Expirations:
		return strings.TrimSpace(string(t.Cycle)+" expirations") + " of " + symbols
	case BeforeEarnings:
		if t.Sessions <= 1 {
			return "the session before earnings of " + symbols
		}
		return fmt.Sprintf("%d sessions before earnings of %s", t.Sessions, symbols)
	}
	return "the " + string(t.On)
}

// short is a duration without zeros at its end: 1h and not 1h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes the text form.
func (t Trigger) MarshalText() ([]byte, error) { return []byte(t.String()), t.Validate() }

// UnmarshalText reads the text form.
func (t *Trigger) UnmarshalText(text []byte) error {
	read, err := ParseTrigger(string(text))
	if err == nil {
		*t = read
	}
	return err
}
