package tools

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

type candlesArgs struct {
	Symbol     string   `json:"symbol" schema:"maxLength=40"`
	Interval   string   `json:"interval,omitempty" jsonschema:"1m, 5m, 15m, 30m, 1h, 1d, 1w, 1mo" schema:"default=1d,maxLength=8"`
	Count      int      `json:"count,omitempty" jsonschema:"the newest this many bars; default 60, or all since from" schema:"min=1,max=500"`
	From       string   `json:"from,omitempty" jsonschema:"date or RFC 3339 time" schema:"maxLength=40"`
	To         string   `json:"to,omitempty" jsonschema:"default now; a date is included" schema:"maxLength=40"`
	Indicators []string `json:"indicators,omitempty" jsonschema:"computed on the bars: RSI(14), SMA(200), MACD(12,26,9), Bollinger, ATR, ADX" schema:"maxItems=8,maxLength=60"`
	Extended   bool     `json:"extended,omitempty" jsonschema:"with pre- and post-market trading"`
}

type candlesResult struct {
	stamp
	Symbol   market.Symbol   `json:"symbol"`
	Interval market.Interval `json:"interval"`
	// Complete is false when the last bar's time is not over yet.
	Complete bool     `json:"last_bar_complete"`
	Columns  []string `json:"columns"`
	Rows     [][]any  `json:"rows"`
}

// mostBars is the most bars that a result can hold.
const mostBars = 500

func (k *kit) candles() agents.Tool {
	return tool(k, agents.Spec{
		Name: "candles", Title: "Price history", Annotations: reads,
		Description: "Open, high, low, close and volume bars of a symbol, oldest first, with technical indicators beside them.",
	}, k.readCandles)
}

func (k *kit) readCandles(ctx context.Context, in candlesArgs) (candlesResult, error) {
	request, err := k.barsRequest(in)
	if err != nil {
		return candlesResult{}, err
	}
	studies := make([]study, len(in.Indicators))
	lookback := 0
	for i, text := range in.Indicators {
		if studies[i], err = parseStudy(text); err != nil {
			return candlesResult{}, refield(fmt.Sprintf("indicators[%d]", i), err)
		}
		lookback = max(lookback, studies[i].lookback)
	}
	bars, shown, total, err := k.bars(ctx, request, lookback)
	if err != nil {
		return candlesResult{}, err
	}
	out := candlesResult{
		stamp: k.stamp(), Symbol: request.Symbol, Interval: request.Interval,
		Columns: []string{"time", "open", "high", "low", "close", "volume"}, Rows: [][]any{},
	}
	last := bars[len(bars)-1]
	out.Complete = !k.Calendar.BarEnd(last.Time, request.Interval).After(k.Clock.Now())

	series := market.NewSeries(request.Symbol, request.Interval, bars)
	var columns [][]float64
	for i, s := range studies {
		inputs, err := indicators.Columns(series, s.indicator.Inputs)
		if err != nil {
			return candlesResult{}, refield(fmt.Sprintf("indicators[%d]", i), err)
		}
		results, err := s.indicator.Batch(nil, inputs, s.params)
		if err != nil {
			return candlesResult{}, refield(fmt.Sprintf("indicators[%d]", i), err)
		}
		columns = append(columns, results...)
		out.Columns = append(out.Columns, s.columns()...)
	}
	rows := make([][]any, 0, shown)
	for i := len(bars) - 1; i >= len(bars)-shown; i-- { // newest first, so that what does not fit is old
		b := bars[i]
		row := []any{k.barTime(b.Time, request.Interval), known(b.Open), known(b.High), known(b.Low), known(b.Close), known(b.Volume)}
		for _, c := range columns {
			row = append(row, significant(c[i]))
		}
		rows = append(rows, row)
	}
	rows = rows[:fit(rows, rowBudget)]
	for i := len(rows) - 1; i >= 0; i-- {
		out.Rows = append(out.Rows, rows[i])
	}
	if older := total - len(rows); older > 0 {
		out.omit("%d older bars in the range: ask for a longer interval, fewer indicators, or with to=%v", older, out.Rows[0][0])
	}
	return out, nil
}

// barsRequest reads the arguments.
func (k *kit) barsRequest(in candlesArgs) (market.BarsRequest, error) {
	var request market.BarsRequest
	var err error
	if request.Symbol, err = parseSymbol("symbol", in.Symbol); err != nil {
		return request, err
	}
	if request.Interval, err = market.ParseInterval(in.Interval); err != nil {
		return request, err
	}
	if request.From, err = k.parseTime("from", in.From); err != nil {
		return request, err
	}
	if request.To, err = k.parseTime("to", in.To); err != nil {
		return request, err
	}
	if d, dateErr := market.ParseDate(strings.TrimSpace(in.To)); dateErr == nil {
		request.To = d.AddDays(1).In(k.Calendar.Location())
	}
	now := k.Clock.Now()
	if request.From.After(now) {
		return request, invalid.Field("from", in.From, "a time that is not after "+k.local(now).Format(time.RFC3339))
	}
	if !request.To.IsZero() && !request.From.IsZero() && !request.From.Before(request.To) {
		return request, invalid.Field("from", in.From, "a time before to")
	}
	request.Limit, request.Extended = in.Count, in.Extended
	if request.Limit == 0 && request.From.IsZero() {
		request.Limit = 60
	}
	return request, nil
}

// bars returns the bars to show, and before them at most lookback more for
// indicators to warm up on: all bars, how many of them to show, and how many
// there are in the range.
func (k *kit) bars(ctx context.Context, request market.BarsRequest, lookback int) (bars []market.Bar, shown, total int, err error) {
	if request.From.IsZero() {
		want := request.Limit
		request.Limit += lookback
		if bars, err = k.Market.Bars(ctx, request); err != nil {
			return nil, 0, 0, err
		}
		shown = min(want, len(bars))
		total = shown
	} else {
		want := request.Limit
		request.Limit = 0
		if bars, err = k.Market.Bars(ctx, request); err != nil {
			return nil, 0, 0, err
		}
		total = len(bars)
		shown = min(total, mostBars)
		if want > 0 {
			shown = min(shown, want)
		}
		if warm := total - shown; warm > lookback {
			bars = bars[warm-lookback:]
		} else if lookback > warm {
			before := request
			before.From, before.To, before.Limit = time.Time{}, request.From, lookback-warm
			earlier, err := k.Market.Bars(ctx, before)
			if err != nil && !errors.Is(err, market.ErrNoData) {
				return nil, 0, 0, err
			}
			bars = append(earlier[:len(earlier):len(earlier)], bars...)
		}
		if want > 0 {
			total = shown // the caller asked for no more
		}
	}
	if shown == 0 {
		return nil, 0, 0, fmt.Errorf("%s: %w for %s bars in that range", request.Symbol, market.ErrNoData, request.Interval)
	}
	return bars, shown, total, nil
}

// barTime is a date for bars of a day and longer.
func (k *kit) barTime(t time.Time, i market.Interval) string {
	t = t.In(k.Calendar.Location())
	if !i.Intraday() {
		return t.Format(time.DateOnly)
	}
	if t.Second() != 0 {
		return t.Format(time.RFC3339)
	}
	return t.Format("2006-01-02T15:04Z07:00")
}

// A study is an indicator with its parameters.
type study struct {
	indicator indicators.Indicator
	params    []float64
	lookback  int // bars before the first shown, so that its values have settled
}

// parseStudy reads NAME or NAME(1,2.5).
func parseStudy(text string) (study, error) {
	name, arguments, called := strings.Cut(strings.TrimSpace(text), "(")
	indicator, err := indicators.Find(strings.TrimSpace(name))
	if err != nil {
		return study{}, err
	}
	s := study{indicator: indicator}
	if called {
		inside, closed := strings.CutSuffix(strings.TrimSpace(arguments), ")")
		if !closed {
			return study{}, invalid.Field("indicator", text, "NAME or NAME(parameters), such as MACD(12,26,9)")
		}
		for part := range strings.SplitSeq(inside, ",") {
			if part = strings.TrimSpace(part); part == "" && inside == "" {
				break
			}
			x, err := strconv.ParseFloat(part, 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return study{}, invalid.Field("indicator", text, "numbers between the parentheses: "+signature(indicator))
			}
			s.params = append(s.params, x)
		}
		if len(s.params) > len(indicator.Params) {
			return study{}, invalid.Field("indicator", text, "at most the parameters of "+signature(indicator))
		}
	}
	if s.params, err = indicator.Parameters(s.params); err != nil {
		return study{}, err
	}
	stream, err := indicator.Stream(s.params)
	if err != nil {
		return study{}, err
	}
	// Averages that never forget, such as RSI's, have a hundredth of their
	// starting value left after about four times their length.
	s.lookback = min(5*stream.Warmup()+10, 3000)
	return s, nil
}

func signature(i indicators.Indicator) string {
	names := make([]string, len(i.Params))
	for n, p := range i.Params {
		names[n] = fmt.Sprintf("%s=%v", p.Name, p.Default)
	}
	return i.Name + "(" + strings.Join(names, ", ") + ")"
}

// columns are the names of the results: RSI(14), or MACD(12,26,9).signal.
func (s study) columns() []string {
	label := s.indicator.Name
	if len(s.params) > 0 {
		params := make([]string, len(s.params))
		for i, p := range s.params {
			params[i] = strconv.FormatFloat(p, 'g', -1, 64)
		}
		label += "(" + strings.Join(params, ",") + ")"
	}
	if len(s.indicator.Outputs) == 1 {
		return []string{label}
	}
	var out []string
	for _, o := range s.indicator.Outputs {
		out = append(out, label+"."+o.Name)
	}
	return out
}

// significant is x to seven significant digits: enough for any decision, and
// half the bytes.
func significant(x float64) market.Float {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return market.Float(x)
	}
	return num(x, max(0, 6-int(math.Floor(math.Log10(math.Abs(x))))))
}

// refield names the argument in an error about something inside of it.
func refield(field string, err error) error {
	if fe, ok := errors.AsType[*FieldError](err); ok {
		return &FieldError{Field: field + "." + fe.Field, Value: fe.Value, Allowed: fe.Allowed}
	}
	return err
}
