package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/occ"
)

// A pageView is what the page shows: what the tools answered, as text.
type pageView struct {
	Name, Version       string
	Environment, Notice string
	Real                bool
	SignedIn, NeedsKey  bool   // by the cookie; a token is needed at all
	Status              []fact // of the market
	Market              *marketView
	Portfolio           *portfolioView
	Tools               []toolView
	Clients             []snippet
}

// A fact is a short value with a name. Trend is up, down or empty.
type fact struct{ Name, Value, Trend string }

type marketView struct {
	Symbol       string
	Interval     interval
	Intervals    []interval
	Suggestions  []string
	Facts        []fact
	QuoteProblem string
	Chart        *chartView
	ChartProblem string
}

type portfolioView struct {
	Accounts []accountView
	Notes    []string
	Problem  string
}

type accountView struct {
	Name      string
	Facts     []fact
	Columns   []string
	Positions [][]cell
	Problem   string
}

// A cell is a value of a table; Row says that it names its row.
type cell struct {
	Text, Trend  string
	Numeric, Row bool
}

type toolView struct {
	Name, Title, Description string
	ReadOnly                 bool
}

// pageTime bounds how long a page waits for its slowest part.
const pageTime = 15 * time.Second

// view asks the tools at the same time and shows what they answer. One that
// fails says so in its place.
func (p *page) view(r *http.Request, b *builder) pageView {
	ctx, cancel := context.WithTimeout(r.Context(), pageTime)
	defer cancel()
	v := pageView{
		Name: p.Server.opts.Name, Version: p.Server.opts.Version, Environment: string(b.environment), Real: b.environment.Real(),
		Notice: strings.TrimSpace(b.deps.Notice), Clients: p.snippets(r), NeedsKey: p.authenticates(),
	}
	for _, t := range b.tools {
		v.Tools = append(v.Tools, toolView{t.Name, t.Title, t.Description, t.Annotations.ReadOnly})
	}
	var group sync.WaitGroup
	if b.has("market_status") {
		group.Go(func() { v.Status = b.status(ctx) })
	}
	if b.has("quote") || b.has("candles") {
		symbol, chosen := p.asked(r)
		v.Market = &marketView{Symbol: symbol, Interval: chosen, Intervals: intervals()}
		if b.has("quote") {
			group.Go(func() { v.Market.Facts, v.Market.QuoteProblem = b.quoteFacts(ctx, symbol) })
		}
		if b.has("candles") {
			group.Go(func() { v.Market.Chart, v.Market.ChartProblem = b.chartView(ctx, symbol, chosen) })
		}
	}
	var underlyings []string
	if b.has("portfolio") {
		group.Go(func() { v.Portfolio, underlyings = b.portfolioView(ctx) })
	}
	group.Wait()
	if v.Market != nil {
		v.Market.Suggestions = underlyings
	}
	return v
}

// asked is the symbol and the interval of a request.
func (p *page) asked(r *http.Request) (symbol string, chosen interval) {
	query := r.URL.Query()
	symbol = strings.ToUpper(strings.TrimSpace(query.Get("symbol")))
	if symbol == "" {
		symbol = p.opts.Symbol
	}
	return symbol, intervalOf(query.Get("interval"))
}

func (b *builder) has(tool string) bool {
	_, ok := b.tool(tool)
	return ok
}

// ask calls a tool of this caller within its limits, and reads the answer.
func (b *builder) ask(ctx context.Context, name string, arguments, answer any) error {
	t, ok := b.tool(name)
	if !ok {
		return fmt.Errorf("the tool %s is not served here", name)
	}
	if b.limiter != nil && !b.limiter.AllowN(b.opts.Now(), 1) {
		return errors.New("too many calls: wait a few seconds")
	}
	raw, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	if raw, err = b.call(ctx, t, raw); err != nil {
		return errors.New(message(err))
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("the answer of %s could not be read", name)
	}
	return nil
}

// inNewYork follows a clock time: the tools answer in the exchange's zone. Its
// name does not break.
const inNewYork = " New\u00a0York"

// status is the time of the data and the state of the exchange.
func (b *builder) status(ctx context.Context) []fact {
	var got struct {
		AsOf     time.Time `json:"as_of"`
		Exchange string    `json:"exchange"`
		Phase    string    `json:"phase"`
		Closed   string    `json:"closed_because"`
		Session  *struct {
			Open, Close time.Time
		} `json:"session"`
		Next struct{ Open time.Time } `json:"next"`
	}
	if err := b.ask(ctx, "market_status", struct{}{}, &got); err != nil {
		return []fact{{Name: "Market", Value: err.Error()}}
	}
	state := map[string]string{"regular": "open", "pre": "pre-market", "post": "after hours", "closed": "closed"}[got.Phase]
	if state == "" {
		state = got.Phase
	}
	if got.Closed != "" {
		state += " (" + got.Closed + ")"
	}
	out := []fact{
		{Name: "Time of the data", Value: got.AsOf.Format("Mon 2 Jan 2006, 15:04:05") + inNewYork},
		{Name: got.Exchange, Value: state},
	}
	if got.Phase == "regular" && got.Session != nil {
		return append(out, fact{Name: "Closes", Value: got.Session.Close.Format("15:04") + inNewYork})
	}
	return append(out, fact{Name: "Next session", Value: got.Next.Open.Format("Mon 2 Jan, 15:04") + inNewYork})
}

func (b *builder) quoteFacts(ctx context.Context, symbol string) ([]fact, string) {
	var got struct {
		Quotes []struct {
			Bid, Ask, Last, Mid, Change, Open, High, Low, Volume *float64

			ChangePct *float64  `json:"change_pct"`
			PrevClose *float64  `json:"prev_close"`
			Time      time.Time `json:"time"`
			Halted    bool      `json:"halted"`
		}
		Missing []struct{ Reason string }
	}
	if err := b.ask(ctx, "quote", map[string]any{"symbols": []string{symbol}}, &got); err != nil {
		return nil, err.Error()
	}
	if len(got.Quotes) == 0 {
		for _, m := range got.Missing {
			return nil, m.Reason
		}
		return nil, "there is no quote for " + symbol
	}
	q := got.Quotes[0]
	change := unknown
	if q.Change != nil && q.ChangePct != nil {
		change = fmt.Sprintf("%s (%s\u00a0%%)", signed(priceText(*q.Change)), signed(fixed(*q.ChangePct, 2)))
	}
	facts := []fact{
		{Name: "Last", Value: optional(q.Last)},
		{Name: "Change today", Value: change, Trend: trendOf(q.Change)},
		{Name: "Bid and ask", Value: optional(q.Bid) + " – " + optional(q.Ask)},
		{Name: "Day's range", Value: optional(q.Low) + " – " + optional(q.High)},
		{Name: "Previous close", Value: optional(q.PrevClose)},
	}
	if q.Volume != nil {
		facts = append(facts, fact{Name: "Volume", Value: fixed(*q.Volume, 0)})
	}
	if !q.Time.IsZero() {
		facts = append(facts, fact{Name: "Quoted at", Value: q.Time.Format("15:04:05") + inNewYork})
	}
	if q.Halted {
		facts = append(facts, fact{Name: "Trading", Value: "halted"})
	}
	return facts, ""
}

// portfolioColumns are what a row shows of a position; the tool has more.
var portfolioColumns = []struct {
	name, title string
	show        func(any) cell
}{
	{"symbol", "Symbol", symbolCell}, // what a narrow screen shows first comes first
	{"quantity", "Quantity", quantityCell},
	{"open_profit", "Open profit", profitCell},
	{"day_profit", "Day's profit", profitCell},
	{"value", "Value", moneyCell},
	{"mark", "Mark", moneyCell},
	{"average_price", "Average price", moneyCell},
	{"delta", "Delta", greekCell},
	{"theta", "Theta a day", greekCell},
}

func (b *builder) portfolioView(ctx context.Context) (view *portfolioView, underlyings []string) {
	var got struct {
		Accounts []struct {
			Account, Nickname, Type, Problem string

			Balances *struct {
				Cash    *string `json:"cash"`
				Net     *string `json:"net_liquidating_value"`
				Shares  *string `json:"equity_buying_power"`
				Options *string `json:"derivative_buying_power"`
			}
			Totals *struct {
				OpenProfit  *string  `json:"open_profit"`
				DayProfit   *string  `json:"day_profit"`
				DollarDelta *float64 `json:"dollar_delta"`
				Theta       *float64 `json:"theta_per_day"`
			}
			Positions [][]any
		}
		Columns []string
		LeftOut []string `json:"left_out"`
	}
	if err := b.ask(ctx, "portfolio", struct{}{}, &got); err != nil {
		return &portfolioView{Problem: err.Error()}, nil
	}
	view = &portfolioView{Notes: got.LeftOut}
	for _, a := range got.Accounts {
		account := accountView{Name: strings.TrimSpace(a.Nickname), Problem: a.Problem}
		for _, part := range []string{a.Account, a.Type} {
			if part != "" {
				account.Name = strings.TrimPrefix(account.Name+" · "+part, " · ")
			}
		}
		if bal := a.Balances; bal != nil {
			account.Facts = append(account.Facts,
				fact{Name: "Net liquidating value", Value: moneyOf(bal.Net)}, fact{Name: "Cash", Value: moneyOf(bal.Cash)},
				fact{Name: "Buying power, shares", Value: moneyOf(bal.Shares)}, fact{Name: "Buying power, options", Value: moneyOf(bal.Options)})
		}
		if t := a.Totals; t != nil {
			account.Facts = append(account.Facts,
				fact{Name: "Open profit", Value: signed(moneyOf(t.OpenProfit)), Trend: trendText(t.OpenProfit)},
				fact{Name: "Day's profit", Value: signed(moneyOf(t.DayProfit)), Trend: trendText(t.DayProfit)})
			if t.DollarDelta != nil {
				account.Facts = append(account.Facts, fact{Name: "Delta in dollars", Value: fixed(*t.DollarDelta, 0)})
			}
		}
		for _, c := range portfolioColumns {
			if slices.Contains(got.Columns, c.name) {
				account.Columns = append(account.Columns, c.title)
			}
		}
		for _, row := range a.Positions {
			var cells []cell
			for _, c := range portfolioColumns {
				if i := slices.Index(got.Columns, c.name); i >= 0 && i < len(row) {
					cells = append(cells, c.show(row[i]))
				}
			}
			account.Positions = append(account.Positions, cells)
			if i := slices.Index(got.Columns, "underlying"); i >= 0 && i < len(row) {
				if u, ok := row[i].(string); ok && u != "" && !slices.Contains(underlyings, u) {
					underlyings = append(underlyings, u)
				}
			}
		}
		view.Accounts = append(view.Accounts, account)
	}
	return view, underlyings
}

// symbolCell shows an option's symbol in words.
func symbolCell(v any) cell {
	text, _ := v.(string)
	if o, err := occ.Parse(text); err == nil {
		kind := "call"
		if o.Put {
			kind = "put"
		}
		text = fmt.Sprintf("%s %v %s %s", o.Root, o.Expiration, trimZeros(fixed(o.Strike(), 3)), kind)
	}
	return cell{Text: text, Row: true}
}

func quantityCell(v any) cell {
	text, ok := v.(string)
	if !ok {
		return cell{Text: unknown, Numeric: true}
	}
	return cell{Text: minus(group(text)), Numeric: true}
}

func moneyCell(v any) cell {
	text, ok := v.(string)
	if !ok {
		return cell{Text: unknown, Numeric: true}
	}
	return cell{Text: money(text), Numeric: true}
}

func profitCell(v any) cell {
	c := moneyCell(v)
	if text, ok := v.(string); ok {
		c.Text, c.Trend = signed(c.Text), trendText(&text)
	}
	return c
}

func greekCell(v any) cell {
	x, ok := v.(float64)
	if !ok {
		return cell{Text: unknown, Numeric: true}
	}
	return cell{Text: fixed(x, 2), Numeric: true}
}
