package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// worldFlags say what is known beside bars and chains.
type worldFlags struct {
	Split         []string `help:"A split: DATE=RATIO of the first symbol, or SYMBOL:DATE=RATIO; 7 makes seven of one. Repeatable." placeholder:"SPLIT" sep:"none"`
	Dividend      []string `help:"A dividend a share, likewise: DATE=CASH or SYMBOL:DATE=CASH by ex-date. Repeatable." placeholder:"DIVIDEND" sep:"none"`
	Events        []string `help:"CSV file of splits and dividends: FILE or SYMBOL=FILE with columns date and dividend, split, or LEAN's factors. Repeatable." placeholder:"FILE" sep:"none"`
	Closes        string   `help:"Take the closes of the first symbol from a column of another file: FILE:COLUMN. Where it has none they stay; opens, highs and lows become the close." placeholder:"FILE:COLUMN"`
	Multiplier    []string `help:"What a point of a symbol is worth: /ES=10. Repeatable." placeholder:"SYMBOL=N" sep:"none"`
	Rate          float64  `help:"Interest rate for options, continuous: 0.04 is 4 %. Default: the broker's, and 0 for files." default:"0"`
	BarsTZ        string   `name:"bars-tz" help:"Time zone of the bars' files, where it is not that of --tz." placeholder:"ZONE"`
	ChainInterval string   `help:"Rows of the chains are bars of this length labelled with their start, such as 1m, and known at their end." placeholder:"INTERVAL"`
	Still         string   `name:"settle" help:"When the bars end before the options do: DATE, on which the last price of the first symbol still stands, or DATE=PRICE." placeholder:"DATE[=PRICE]"`
}

// apply completes a market of files.
func (w worldFlags) apply(m *backtest.Market) error {
	if w.Rate != 0 {
		rate := w.Rate
		m.Rate = func(market.Date, float64) float64 { return rate }
	}
	first := market.Symbol("")
	if len(m.Bars) > 0 {
		first = m.Bars[0].Symbol
	} else if len(m.Chains) > 0 {
		first = m.Chains[0].Underlying()
	}
	if err := w.events(m, first); err != nil {
		return err
	}
	for _, text := range w.Multiplier {
		symbol, number, ok := strings.Cut(text, "=")
		x, err := strconv.ParseFloat(number, 64)
		if !ok || symbol == "" || err != nil || !(x > 0) || math.IsInf(x, 1) {
			return invalid.Field("multiplier", text, "SYMBOL=N, such as /ES=10")
		}
		if m.Instruments == nil {
			m.Instruments = map[market.Symbol]market.Instrument{}
		}
		name := market.Symbol(strings.ToUpper(symbol))
		m.Instruments[name] = market.Instrument{Symbol: name, Kind: name.Kind(), Multiplier: x}
	}
	if err := w.replaceCloses(m); err != nil {
		return err
	}
	return w.standStill(m)
}

// events reads splits and dividends.
func (w worldFlags) events(m *backtest.Market, first market.Symbol) error {
	for _, kind := range []struct {
		name  string
		texts []string
		kind  market.EventKind
	}{{"split", w.Split, market.Split}, {"dividend", w.Dividend, market.Dividend}} {
		for _, text := range kind.texts {
			e := market.Event{Symbol: first, Kind: kind.kind}
			rest := text
			if symbol, after, ok := strings.Cut(text, ":"); ok {
				e.Symbol, rest = market.Symbol(strings.ToUpper(symbol)), after
			}
			day, number, _ := strings.Cut(rest, "=")
			var err error
			if e.Date, err = market.ParseDate(day); err == nil {
				e.Value, err = strconv.ParseFloat(number, 64)
			}
			if err != nil || !(e.Value > 0) || math.IsInf(e.Value, 1) || e.Symbol == "" {
				return invalid.Field(kind.name, text, "DATE=NUMBER or SYMBOL:DATE=NUMBER, such as 2014-06-09=7")
			}
			m.Events = append(m.Events, e)
		}
	}
	for _, text := range w.Events {
		symbol, path := first, text
		if name, after, ok := strings.Cut(text, "="); ok {
			symbol, path = market.Symbol(strings.ToUpper(name)), after
		}
		events, err := eventsOf(path, symbol)
		if err != nil {
			return err
		}
		m.Events = append(m.Events, events...)
	}
	slices.SortStableFunc(m.Events, func(a, b market.Event) int { return a.Date.Compare(b.Date) })
	return nil
}

// eventsOf reads a file of splits and dividends.
func eventsOf(path string, symbol market.Symbol) ([]market.Event, error) {
	rows, err := rowsOf(path)
	if err != nil {
		return nil, err
	}
	if len(rows) > 0 && len(rows[0]) == 4 && len(rows[0][0]) == 8 {
		if _, err := strconv.Atoi(rows[0][0]); err == nil {
			return factorsOf(path, symbol, rows)
		}
	}
	if len(rows) == 0 {
		return nil, invalid.Field("events", path, "a CSV file with columns date and dividend or split")
	}
	at := func(names ...string) int {
		return slices.IndexFunc(rows[0], func(s string) bool {
			return slices.Contains(names, strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), " ", "")))
		})
	}
	date, dividend, split, of := at("date", "time", "dt", "day", "exdate"), at("dividend", "dividends", "divcash"), at("split", "splits", "stocksplits", "splitfactor"), at("symbol", "ticker")
	if date < 0 || dividend < 0 && split < 0 {
		return nil, invalid.Fieldf("events", path, "a file with columns date and dividend or split; it has %s", strings.Join(rows[0], ", "))
	}
	var out []market.Event
	for i, row := range rows[1:] {
		if of >= 0 && of < len(row) && symbol != "" && !strings.EqualFold(row[of], string(symbol)) {
			continue
		}
		for _, column := range []struct {
			i    int
			kind market.EventKind
			none float64 // that stands for nothing, beside 0
		}{{dividend, market.Dividend, 0}, {split, market.Split, 1}} {
			if column.i < 0 || column.i >= len(row) || strings.TrimSpace(row[column.i]) == "" {
				continue
			}
			x, err := strconv.ParseFloat(strings.TrimSpace(row[column.i]), 64)
			if err != nil || !(x >= 0) || math.IsInf(x, 1) {
				return nil, invalid.Fieldf("events", row[column.i], "an amount in line %d of %s", i+2, path)
			}
			if x == 0 || x == column.none {
				continue
			}
			day, err := market.ParseDate(row[date][:min(10, len(row[date]))])
			if err != nil {
				return nil, invalid.Fieldf("events", row[date], "a date in line %d of %s", i+2, path)
			}
			out = append(out, market.Event{Symbol: symbol, Kind: column.kind, Date: day, Value: x})
		}
	}
	return out, nil
}

// factorsOf reads a file of LEAN's factors: each row's hold until its date, and its
// last number is the close of that date. What happens is due on the next session.
func factorsOf(path string, symbol market.Symbol, rows [][]string) ([]market.Event, error) {
	var out []market.Event
	type factor struct {
		date                 market.Date
		price, split, before float64
	}
	var all []factor
	for i, row := range rows {
		var f factor
		t, err := time.Parse("20060102", row[0])
		if err == nil && len(row) == 4 {
			f.date = market.DateOf(t)
			for k, x := range []*float64{&f.price, &f.split, &f.before} {
				if *x, err = strconv.ParseFloat(row[k+1], 64); err != nil {
					break
				}
			}
		}
		if err != nil || len(row) != 4 || !(f.price > 0) || !(f.split > 0) {
			return nil, invalid.Fieldf("events", strings.Join(row, ","), "a date and three factors in line %d of %s", i+1, path)
		}
		all = append(all, f)
	}
	for i := range all[:max(0, len(all)-1)] {
		now, next := all[i], all[i+1]
		day := now.date.AddDays(1)
		for {
			if _, open := market.NYSE().Session(day); open || day.Year > now.date.Year+1 {
				break
			}
			day = day.AddDays(1)
		}
		if now.split != next.split {
			out = append(out, market.Event{Symbol: symbol, Kind: market.Split, Date: day, Value: next.split / now.split})
		}
		if now.price != next.price && now.before > 0 {
			out = append(out, market.Event{Symbol: symbol, Kind: market.Dividend, Date: day, Value: math.Round(now.before*(1-now.price/next.price)*1e4) / 1e4})
		}
	}
	return out, nil
}

// replaceCloses takes closes from another file.
func (w worldFlags) replaceCloses(m *backtest.Market) error {
	if w.Closes == "" {
		return nil
	}
	i := strings.LastIndex(w.Closes, ":")
	if i <= 0 || len(m.Bars) == 0 {
		return invalid.Field("closes", w.Closes, "FILE:COLUMN, beside --bars")
	}
	path, column := w.Closes[:i], w.Closes[i+1:]
	rows, err := rowsOf(path)
	if err != nil {
		return err
	}
	numbers, err := numbersOf(path, rows, column)
	if err != nil {
		return err
	}
	date := slices.IndexFunc(rows[0], func(s string) bool { return slices.Contains([]string{"date", "time", "dt", "day"}, strings.ToLower(s)) })
	if date < 0 {
		return invalid.Fieldf("closes", path, "a file with a column date")
	}
	seen := map[string]float64{}
	for k, row := range rows[1:] {
		if date < len(row) && numbers[k] > 0 {
			seen[row[date][:min(10, len(row[date]))]] = numbers[k]
		}
	}
	feed := &m.Bars[0]
	feed.Bars = slices.Clone(feed.Bars)
	for k := range feed.Bars {
		b := &feed.Bars[k]
		if c, ok := seen[b.Time.Format("2006-01-02")]; ok {
			b.Close = c
		}
		b.Open, b.High, b.Low = b.Close, b.Close, b.Close
	}
	return nil
}

// standStill lets the last price stand until a later day, for options that expire
// after the bars end.
func (w worldFlags) standStill(m *backtest.Market) error {
	if w.Still == "" {
		return nil
	}
	day, text, priced := strings.Cut(w.Still, "=")
	date, err := market.ParseDate(day)
	if err != nil || len(m.Bars) == 0 {
		return invalid.Field("settle", w.Still, "DATE or DATE=PRICE, such as 2021-01-15=3795.54, beside --bars")
	}
	feed := &m.Bars[0]
	last := feed.Bars[len(feed.Bars)-1]
	price := last.Close
	if priced {
		if price, err = strconv.ParseFloat(text, 64); err != nil || !(price > 0) || math.IsInf(price, 1) {
			return invalid.Field("settle", w.Still, "a positive price after the date")
		}
	}
	session, open := market.NYSE().Session(date)
	if !open || !last.Time.Before(session.Open) {
		return invalid.Fieldf("settle", w.Still, "a day of trading after the last bar, %s", last.Time.Format("2006-01-02 15:04"))
	}
	feed.Bars = slices.Clone(feed.Bars)
	for _, at := range []time.Time{session.Open, session.Open.Add(time.Minute)} {
		if feed.Interval == market.Day || feed.Interval == "" {
			at = date.In(market.NYSE().Location())
		}
		if !at.After(feed.Bars[len(feed.Bars)-1].Time) {
			continue
		}
		feed.Bars = append(feed.Bars, market.Bar{Time: at, Open: price, High: price, Low: price, Close: price, Volume: math.NaN()})
	}
	feed.Name += fmt.Sprintf(", then %v on %s", price, date)
	return nil
}

// listPresets prints the presets.
func (c backtestCommand) listPresets(s *session) error {
	if c.JSON {
		rows := []map[string]any{}
		for _, p := range backtest.Presets() {
			rows = append(rows, map[string]any{"name": p.Name, "meaning": p.Meaning, "strategy": p.Strategy, "params": p.Params, "rules": p.Rules, "cash": p.Cash})
		}
		return printJSON(s.std.Out, rows)
	}
	out := tabwriter.NewWriter(s.std.Out, 0, 0, 2, ' ', 0)
	for _, p := range backtest.Presets() {
		fmt.Fprintf(out, "%s\t%s\n\t%s, rules %s, cash %.0f: %s\n", p.Name, p.Meaning, p.Strategy, p.Rules, p.Cash, p.Params)
	}
	fmt.Fprintf(out, "%s\t%s\n", presetVIX, "the white paper's volatility index of --chain FILE with columns days, strike, call bid, call ask, put bid and put ask, at --rate")
	return out.Flush()
}

// presetVIX is not a run of a strategy.
const presetVIX = "vix"

// index prints the volatility index of a file whose rows have call and put of a
// strike, as in the index's white paper.
func (c backtestCommand) index(s *session) error {
	if len(c.Chain) != 1 {
		return invalid.Missing("chain", "the file of quotes that the index is of")
	}
	rows, err := rowsOf(c.Chain[0])
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return invalid.Field("chain", c.Chain[0], "a CSV file of quotes")
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), " ", "_"))] = i
	}
	columns := []string{"days", "strike", "call_bid", "call_ask", "put_bid", "put_ask"}
	for _, name := range columns {
		if _, ok := at[name]; !ok {
			return invalid.Fieldf("chain", c.Chain[0], "a file with the columns %s", strings.Join(columns, ", "))
		}
	}
	terms := map[float64]*options.Expiry{}
	for i, row := range rows[1:] {
		x := map[string]float64{}
		for _, name := range columns {
			if at[name] >= len(row) {
				return invalid.Fieldf("chain", strings.Join(row, ","), "as many fields as the header has in line %d", i+2)
			}
			if x[name], err = strconv.ParseFloat(strings.TrimSpace(row[at[name]]), 64); err != nil {
				return invalid.Fieldf("chain", row[at[name]], "a number in line %d, column %s", i+2, name)
			}
		}
		e := terms[x["days"]]
		if e == nil {
			e = &options.Expiry{Years: x["days"] / 365, Rate: c.Rate}
			terms[x["days"]] = e
		}
		for _, side := range []struct {
			kind options.Kind
			name string
		}{{options.Call, "call"}, {options.Put, "put"}} {
			q := market.OptionQuote{Kind: side.kind, Strike: x["strike"], Bid: x[side.name+"_bid"], Ask: x[side.name+"_ask"]}
			e.Contracts = append(e.Contracts, options.Contract{OptionQuote: q, Mid: q.Mid()})
		}
	}
	chain := options.Chain{}
	for _, e := range terms {
		slices.SortStableFunc(e.Contracts, func(a, b options.Contract) int {
			switch {
			case a.Strike < b.Strike:
				return -1
			case a.Strike > b.Strike:
				return 1
			}
			return int(b.Kind) - int(a.Kind)
		})
		chain.Expiries = append(chain.Expiries, *e)
	}
	slices.SortFunc(chain.Expiries, func(a, b options.Expiry) int {
		if a.Years < b.Years {
			return -1
		}
		return 1
	})
	vol, err := chain.VolatilityIndex(30)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.std.Out, map[string]market.Float{"index": market.Float(100 * vol)})
	}
	_, err = fmt.Fprintf(s.std.Out, "volatility index over 30 days: %.3f\n", 100*vol)
	return err
}
