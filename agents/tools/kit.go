package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// A kit is the dependencies with their defaults, and what all tools share.
type kit struct {
	Deps
	environment broker.Environment
	cache       storage.KV // nil: none
}

func newKit(d Deps) *kit {
	k := &kit{Deps: d, environment: EnvironmentOf(d)}
	if k.Clock == nil {
		k.Clock = market.SystemClock()
	}
	if k.Calendar == nil {
		k.Calendar = market.NYSE()
	}
	if k.Timeout <= 0 {
		k.Timeout = 20 * time.Second
	}
	if k.Logger == nil {
		k.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Store != nil {
		cache, err := d.Store.KV("tools.cache")
		if err != nil {
			k.Logger.Warn("tools work without a cache", "error", err)
		} else {
			k.cache = cache
		}
	}
	return k
}

// A stamp stands in every result.
type stamp struct {
	AsOf        time.Time          `json:"as_of"`
	Environment broker.Environment `json:"environment"`
	Notice      string             `json:"notice,omitempty"`
	LeftOut     []string           `json:"left_out,omitempty"`
}

func (k *kit) stamp() stamp {
	return stamp{AsOf: k.local(k.Clock.Now()), Environment: k.environment, Notice: k.Notice}
}

// omit says that something is missing from the result, and why.
func (s *stamp) omit(format string, args ...any) {
	s.LeftOut = append(s.LeftOut, fmt.Sprintf(format, args...))
}

// local is t in New York, to the second; the zero time stays zero.
func (k *kit) local(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(k.Calendar.Location()).Truncate(time.Second)
}

// today is the date in New York.
func (k *kit) today() market.Date {
	return market.DateOf(k.Clock.Now().In(k.Calendar.Location()))
}

// reads are the annotations of a tool that asks a broker or another source;
// computes those of one that asks nobody.
var (
	reads    = agents.Annotations{ReadOnly: true, Idempotent: true, OpenWorld: true}
	computes = agents.Annotations{ReadOnly: true, Idempotent: true}
)

// tool makes a tool with the deadline and the errors that all of them have.
func tool[In, Out any](k *kit, spec agents.Spec, f func(context.Context, In) (Out, error)) agents.Tool {
	return agents.NewTool(spec, func(ctx context.Context, in In) (Out, error) {
		ctx, cancel := context.WithTimeout(ctx, k.Timeout)
		defer cancel()
		out, err := f(ctx, in)
		if err != nil {
			var none Out
			return none, k.explain(err)
		}
		return out, nil
	})
}

// explain adds to an error what the caller can do about it.
func (k *kit) explain(err error) error {
	if _, refused := errors.AsType[*FieldError](err); refused {
		return err
	}
	if _, advised := errors.AsType[advice](err); advised || errors.Is(err, agents.ErrQuestion) || errors.Is(err, broker.ErrDeclined) {
		return err
	}
	var remedy string
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		remedy = fmt.Sprintf("there was no answer within %v; try again, or ask for less", k.Timeout)
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, broker.ErrUnauthorized):
		remedy = "the credentials are no longer accepted; the user must run ttai init, ttai doctor says more"
	case errors.Is(err, broker.ErrUnknownAccount):
		remedy = "call portfolio without an account to see the accounts"
	case errors.Is(err, broker.ErrUnavailable):
		remedy = "try again in a few seconds; if it stays so, the user can run ttai doctor"
	case errors.Is(err, market.ErrUnknownSymbol):
		remedy = "find the symbol with the instrument tool and its search argument"
	case errors.Is(err, market.ErrNoData):
		remedy = "try another symbol, interval or time"
	case errors.Is(err, market.ErrUnsupported):
		remedy = "this data source never has it; do not try again"
	default:
		remedy = "try again; if it stays so, the user can run ttai doctor"
	}
	return fmt.Errorf("%w: %s", err, remedy)
}

// parseSymbols reads symbols as people write them; several may stand in one
// text with commas between. Repeated ones are dropped.
func parseSymbols(field string, given []string, most int) ([]market.Symbol, error) {
	var out []market.Symbol
	for i, text := range given {
		for part := range strings.SplitSeq(text, ",") {
			if strings.TrimSpace(part) == "" && strings.Contains(text, ",") {
				continue
			}
			s, err := parseSymbol(fmt.Sprintf("%s[%d]", field, i), part)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	if len(out) == 0 {
		return nil, invalid.Missing(field, "at least one symbol, such as SPY")
	}
	if len(out) > most {
		return nil, invalid.Fieldf(field, fmt.Sprintf("%d symbols", len(out)), "at most %d; split the call", most)
	}
	return out, nil
}

func parseSymbol(field, text string) (market.Symbol, error) {
	s, err := market.ParseSymbol(text)
	if fe, ok := errors.AsType[*FieldError](err); ok {
		return "", &FieldError{Field: field, Value: fe.Value, Allowed: fe.Allowed}
	}
	return s, err
}

// parseTime reads a time with its zone, or a date, which means midnight in New
// York. Empty text is the zero time.
func (k *kit) parseTime(field, text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := market.ParseDate(text); err == nil {
		return d.In(k.Calendar.Location()), nil
	}
	return k.Calendar.ParseInstant(field, text, nil)
}

func parseDate(field, text string) (market.Date, error) {
	d, err := market.ParseDate(strings.TrimSpace(text))
	if err != nil || d.Year < 1950 || d.Year > 2150 {
		return market.Date{}, invalid.Field(field, text, "a date such as 2026-12-18")
	}
	return d, nil
}

// A missing names a symbol without an answer.
type missing struct {
	Symbol market.Symbol `json:"symbol"`
	Reason string        `json:"reason"`
}

// partial sorts out the answer for several symbols: which lack a value, and
// whether err is more than that. Nothing at all is an error.
func partial[T any](asked []market.Symbol, got map[market.Symbol]T, err error) ([]missing, error) {
	var out []missing
	for _, s := range asked {
		if _, ok := got[s]; !ok {
			reason := "no answer"
			if err != nil {
				reason = reasonOf(err)
			}
			out = append(out, missing{s, reason})
		}
	}
	if len(got) > 0 {
		return out, nil
	}
	if err == nil {
		err = &market.MissingError{Symbols: asked, Err: market.ErrNoData}
	}
	return nil, err
}

// reasonOf is the cause of a partial answer, in few words.
func reasonOf(err error) string {
	for _, known := range []error{market.ErrUnknownSymbol, market.ErrNoData, market.ErrUnsupported} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if m, ok := errors.AsType[*market.MissingError](err); ok && m.Err != nil {
		err = m.Err
	}
	return err.Error()
}

// cached returns a value for each symbol, from the cache where it is recent,
// and otherwise from fetch. Trouble with the cache is no trouble for the caller.
func cached[T any](ctx context.Context, k *kit, kind string, ttl time.Duration, symbols []market.Symbol,
	fetch func(context.Context, []market.Symbol) (map[market.Symbol]T, error),
) (map[market.Symbol]T, error) {
	found := make(map[market.Symbol]T, len(symbols))
	key := func(s market.Symbol) string { return kind + "/" + string(k.environment) + "/" + string(s) }
	var rest []market.Symbol
	for _, s := range symbols {
		var v T
		if k.remembered(ctx, key(s), &v) {
			found[s] = v
		} else {
			rest = append(rest, s)
		}
	}
	if len(rest) == 0 {
		return found, nil
	}
	fresh, err := fetch(ctx, rest)
	for s, v := range fresh {
		found[s] = v
		k.remember(ctx, key(s), v, ttl)
	}
	return found, err
}

func (k *kit) remembered(ctx context.Context, key string, v any) bool {
	if k.cache == nil {
		return false
	}
	value, err := k.cache.Get(ctx, key)
	if err != nil {
		if !errors.Is(err, storage.ErrNotFound) {
			k.Logger.DebugContext(ctx, "reading the cache", "error", err)
		}
		return false
	}
	return json.Unmarshal(value.Data, v) == nil
}

func (k *kit) remember(ctx context.Context, key string, v any, ttl time.Duration) {
	if k.cache == nil {
		return
	}
	data, err := json.Marshal(v)
	if err == nil {
		err = k.cache.Put(ctx, key, data, ttl)
	}
	if err != nil {
		k.Logger.DebugContext(ctx, "writing the cache", "error", err)
	}
}

// rowBudget is how many bytes the rows of a result may take, so that with the
// rest it stays under 32 KB, which is about 8,000 tokens.
const rowBudget = 27 << 10

// fit returns how many leading values can be written in budget bytes.
func fit[T any](values []T, budget int) int {
	for i, v := range values {
		data, err := json.Marshal(v)
		if err != nil {
			return i
		}
		if budget -= len(data) + 1; budget < 0 {
			return i
		}
	}
	return len(values)
}

// num is x rounded to so many digits after the point, for numbers that we
// compute; unknown stays unknown.
func num(x float64, digits int) market.Float {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return market.Float(math.NaN())
	}
	scale := math.Pow10(digits)
	if r := math.Round(x * scale); math.Abs(r) < 1<<53 {
		return market.Float(r / scale)
	}
	return market.Float(x)
}

// price is a price that we compute, such as a mid: to a hundredth of a cent.
func price(x float64) market.Float { return num(x, 4) }

// known is a number of the source, as it is.
func known(x float64) market.Float { return market.Float(x) }
