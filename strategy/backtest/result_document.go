package backtest

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A Summary is a result without its details.
type Summary struct {
	Settings Settings `json:"settings"`
	// Data is the digest of what was replayed, Fingerprint that of all that happened.
	Data        string            `json:"data_digest"`
	Fingerprint string            `json:"fingerprint"`
	Begin       time.Time         `json:"begin,omitzero"`
	End         time.Time         `json:"end,omitzero"`
	Bars        int64             `json:"bars"`
	Quotes      int64             `json:"quotes"`
	Stopped     string            `json:"stopped,omitempty"`
	Metrics     Metrics           `json:"metrics"`
	Drawdowns   []Drawdown        `json:"drawdowns"` // the deepest first
	Attribution []AttributionPart `json:"attribution"`
	Accounts    []AccountSummary  `json:"accounts"`
}

// An AccountSummary is an account at the end.
type AccountSummary struct {
	Account   broker.AccountID `json:"account"`
	Strategy  string           `json:"strategy"`
	Cash      decimal.Decimal  `json:"cash"`
	Value     *decimal.Decimal `json:"value"` // null when a price is not known
	Fees      decimal.Decimal  `json:"fees"`  // negative when paid
	Realized  decimal.Decimal  `json:"realized"`
	Positions []PositionLine   `json:"positions,omitempty"`
	// Metrics of this account alone, when there are several.
	Metrics Metrics `json:"metrics,omitempty"`
}

// A PositionLine is a position at the end.
type PositionLine struct {
	Symbol   market.Symbol    `json:"symbol"`
	Quantity decimal.Decimal  `json:"quantity"`
	Average  *decimal.Decimal `json:"average_open_price,omitempty"`
	Mark     *decimal.Decimal `json:"mark,omitempty"`
}

// A Document is a whole result as JSON: the summary and everything that happened.
type Document struct {
	Summary
	Curve        []CurveColumns             `json:"curves"` // of each account
	Fills        [][]FillLine               `json:"fills"`
	Trades       [][]TradeLine              `json:"trades"`
	Orders       [][]OrderLine              `json:"orders"`
	Transactions [][]TransactionLine        `json:"transactions"`
	Notes        [][]NoteLine               `json:"notes"`
	Greeks       [][]GreeksLine             `json:"greeks"`
	State        map[string]json.RawMessage `json:"state,omitempty"` // of strategies, by account
}

// CurveColumns are the points of an account in columns.
type CurveColumns struct {
	Time     []time.Time    `json:"time"`
	Cash     []market.Float `json:"cash"`
	Value    []market.Float `json:"value"`
	Exposure []market.Float `json:"exposure"`
	Price    []market.Float `json:"price"`
}

// A Drawdown is a span in which the account was worth less than before.
type Drawdown struct {
	From     time.Time    `json:"from"` // the peak
	Lowest   time.Time    `json:"lowest"`
	To       time.Time    `json:"to,omitzero"` // when the peak was reached again; absent when it was not
	Depth    market.Float `json:"depth"`       // a decimal, positive
	Money    market.Float `json:"money"`       // positive
	Days     float64      `json:"days"`        // to the recovery, or to the end
	Recovery bool         `json:"recovered"`
}

// Drawdowns returns the deepest drawdowns of all accounts together, at most so
// many.
func (r *Result) Drawdowns(most int) []Drawdown {
	s := r.Series()
	all := drawdownsOf(s.Equity)
	out := []Drawdown{}
	for _, d := range all.list {
		lowest := d.from
		for i := d.from; i <= d.to; i++ {
			if all.depth[i] > all.depth[lowest] {
				lowest = i
			}
		}
		x := Drawdown{From: s.Times[d.from], Lowest: s.Times[lowest], Depth: finite(d.depth), Money: market.Float(s.Equity[d.from] - s.Equity[lowest]), Days: s.Times[d.to].Sub(s.Times[d.from]).Hours() / 24, Recovery: !d.open}
		if x.Recovery {
			x.To = s.Times[d.to]
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b Drawdown) int {
		switch {
		case a.Depth > b.Depth:
			return -1
		case a.Depth < b.Depth:
			return 1
		}
		return 0
	})
	return out[:min(len(out), most)]
}

// Summary counts the result in short. The error is a *[FieldError].
func (r *Result) Summary() (*Summary, error) {
	rec := r.Record
	print, err := r.Fingerprint()
	if err != nil {
		return nil, err
	}
	out := &Summary{
		Settings: rec.Settings, Data: rec.Digest, Fingerprint: print, Begin: rec.Begin, End: rec.End, Bars: rec.Bars, Quotes: rec.Quotes, Stopped: rec.Stopped,
		Drawdowns: []Drawdown{}, Attribution: r.Attribution(), Accounts: []AccountSummary{}, Metrics: Metrics{},
	}
	if len(r.Series().Times) > 0 {
		if out.Metrics, err = r.Metrics(nil); err != nil {
			return nil, err
		}
		out.Drawdowns = r.Drawdowns(10)
	}
	for i := range rec.Accounts {
		a := &rec.Accounts[i]
		x := AccountSummary{Account: a.Account, Cash: a.Cash, Value: a.Value, Fees: a.Fees, Realized: a.Realized}
		if i < len(rec.Settings.Strategies) {
			x.Strategy = rec.Settings.Strategies[i].Name
		}
		for _, p := range a.Positions {
			x.Positions = append(x.Positions, PositionLine{p.Symbol, p.Quantity, p.AverageOpenPrice, p.Mark})
		}
		if len(rec.Accounts) > 1 && len(rec.series(i, &workspace{}).Times) > 0 {
			if x.Metrics, err = r.AccountMetrics(i, nil); err != nil {
				return nil, err
			}
		}
		out.Accounts = append(out.Accounts, x)
	}
	return out, nil
}

// Document is the whole result. The error is a *[FieldError].
func (r *Result) Document() (*Document, error) {
	summary, err := r.Summary()
	if err != nil {
		return nil, err
	}
	out := &Document{Summary: *summary}
	for i := range r.Record.Accounts {
		a := &r.Record.Accounts[i]
		var c CurveColumns
		for k := range a.Curve.Len() {
			p := newPointLine(a.Curve.At(k))
			c.Time, c.Cash, c.Value = append(c.Time, p.Time), append(c.Cash, p.Cash), append(c.Value, p.Value)
			c.Exposure, c.Price = append(c.Exposure, p.Exposure), append(c.Price, p.Price)
		}
		out.Curve = append(out.Curve, c)
		out.Fills = append(out.Fills, lines(a.Fills, newFillLine))
		out.Trades = append(out.Trades, lines(a.Trades, newTradeLine))
		out.Orders = append(out.Orders, lines(a.Orders, newOrderLine))
		out.Transactions = append(out.Transactions, lines(a.Transactions, newTransactionLine))
		out.Notes = append(out.Notes, lines(a.Notes, newNoteLine))
		out.Greeks = append(out.Greeks, lines(a.Greeks, newGreeksLine))
		if a.State != nil {
			if out.State == nil {
				out.State = map[string]json.RawMessage{}
			}
			out.State[string(a.Account)] = a.State
		}
	}
	return out, nil
}

// WriteJSON writes the whole result as one JSON document, the same bytes each time.
func (r *Result) WriteJSON(w io.Writer) error {
	document, err := r.Document()
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}

// WriteTrades writes the trades of all accounts as CSV, one row each.
func (r *Result) WriteTrades(w io.Writer) error {
	return table(w, []string{"account", "symbol", "quantity", "entry_time", "exit_time", "entry_bar", "exit_bar", "entry_price", "exit_price", "fees", "profit", "return", "ended", "open", "tag"}, func(row func(...string)) {
		for i := range r.Record.Accounts {
			a := &r.Record.Accounts[i]
			for k := range a.Trades {
				t := &a.Trades[k]
				row(string(a.Account), string(t.Symbol), t.Quantity.String(), stamp(t.EntryTime), stamp(t.ExitTime), strconv.FormatInt(t.EntryBar, 10), strconv.FormatInt(t.ExitBar, 10),
					t.EntryPrice.String(), t.ExitPrice.String(), t.Fees.String(), t.Profit.String(), float(t.Return()), string(t.Ended), strconv.FormatBool(t.Open), t.Tag)
			}
		}
	})
}

// WriteCurve writes the equity curves of all accounts as CSV, one row a point.
func (r *Result) WriteCurve(w io.Writer) error {
	return table(w, []string{"account", "time", "value", "cash", "exposure", "drawdown", "price"}, func(row func(...string)) {
		for i := range r.Record.Accounts {
			a := &r.Record.Accounts[i]
			peak := math.Inf(-1)
			for k := range a.Curve.Len() {
				p := a.Curve.At(k)
				below := math.NaN()
				if !math.IsNaN(p.Value) {
					peak = max(peak, p.Value)
					below = 1 - p.Value/peak
				}
				row(string(a.Account), stamp(p.Time), float(p.Value), float(p.Cash), float(p.Exposure), float(below), float(p.Price))
			}
		}
	})
}

// WriteFills writes the executions of all accounts as CSV.
func (r *Result) WriteFills(w io.Writer) error {
	return table(w, []string{"account", "time", "symbol", "action", "quantity", "price", "fees", "bar", "order", "tag"}, func(row func(...string)) {
		for i := range r.Record.Accounts {
			a := &r.Record.Accounts[i]
			for _, f := range a.Fills {
				fees := ""
				if f.Fees != nil {
					fees = f.Fees.Total().String()
				}
				row(string(a.Account), stamp(f.Time), string(f.Symbol), string(f.Action), f.Quantity.String(), f.Price.String(), fees, strconv.FormatInt(f.Bar, 10), string(f.Order), f.Tag)
			}
		}
	})
}

// WriteGreeks writes the Greeks over time of all accounts as CSV.
func (r *Result) WriteGreeks(w io.Writer) error {
	return table(w, []string{"account", "time", "underlying", "price", "delta", "gamma", "theta", "vega", "rho", "options"}, func(row func(...string)) {
		for i := range r.Record.Accounts {
			a := &r.Record.Accounts[i]
			for _, g := range a.Greeks {
				row(string(a.Account), stamp(g.Time), string(g.Underlying), float(g.Price), float(g.Delta), float(g.Gamma), float(g.Theta), float(g.Vega), float(g.Rho), strconv.Itoa(g.Options))
			}
		}
	})
}

// WriteMetrics writes all metrics as CSV with their units and meanings.
func (r *Result) WriteMetrics(w io.Writer) error {
	metrics, err := r.Metrics(nil)
	if err != nil {
		return err
	}
	meaning := map[string]MetricDefinition{}
	for _, d := range MetricDefinitions() {
		meaning[d.Name] = d
	}
	return table(w, []string{"name", "value", "unit", "title", "meaning"}, func(row func(...string)) {
		for _, m := range metrics {
			d := meaning[m.Name]
			row(m.Name, float(float64(m.Value)), string(d.Unit), d.Title, d.Meaning)
		}
	})
}

// WriteTrials writes the trials of a search as CSV: a column for each parameter,
// then the value and the metrics that were kept.
func (r *SearchResult) WriteTrials(w io.Writer) error {
	head := []string{"number"}
	for _, d := range r.Space {
		head = append(head, d.Name)
	}
	head = append(head, "value", "pruned", "error")
	var kept []string
	if best := r.Best(); best != nil {
		for _, m := range best.Metrics {
			kept = append(kept, m.Name)
		}
	}
	return table(w, append(head, kept...), func(row func(...string)) {
		for i := range r.Trials {
			t := &r.Trials[i]
			cells := []string{strconv.Itoa(t.Number)}
			for _, d := range r.Space {
				cells = append(cells, text(t.Params[d.Name]))
			}
			cells = append(cells, float(float64(t.Value)), strconv.FormatBool(t.Pruned), t.Error)
			for _, name := range kept {
				cells = append(cells, float(t.Metrics.Value(name)))
			}
			row(cells...)
		}
	})
}

func table(w io.Writer, head []string, rows func(row func(...string))) error {
	out := csv.NewWriter(w)
	if err := out.Write(head); err != nil {
		return err
	}
	var failed error
	rows(func(cells ...string) {
		if failed == nil {
			failed = out.Write(cells)
		}
	})
	out.Flush()
	if failed != nil {
		return failed
	}
	return out.Error()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// float is a number as text, empty when it is not known.
func float(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

func text(v any) string {
	if x, ok := numeric(v); ok {
		return float(x)
	}
	switch x := v.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}
