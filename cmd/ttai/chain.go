package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

type chainCommand struct {
	File        string   `arg:"" optional:"" type:"existingfile" help:"CSV file of option quotes."`
	Symbol      string   `help:"Underlying, when the file does not name it."`
	At          string   `help:"Use what was quoted at this time; default the newest quotes." placeholder:"TIME"`
	Rate        float64  `help:"Interest rate, continuous, decimal: 0.04 is 4 %." default:"0.04"`
	Spot        float64  `help:"Price of the underlying; 0: from the quotes." default:"0"`
	Dividend    []string `help:"Cash dividends to come, by ex-date: 2026-11-06=0.26." placeholder:"DATE=CASH"`
	Expiry      []string `help:"Print the contracts of these expirations." placeholder:"DATE,…"`
	Surface     bool     `help:"Calibrate a volatility surface and print its fit."`
	Positioning bool     `help:"Print gamma exposure, walls, max pain and unusual volume."`
	JSON        bool     `name:"json" help:"Print JSON."`
	JSONL       bool     `name:"jsonl" help:"Read one chain object a line from standard input; print one answer a line. What it leaves out is as by the flags."`
	app.FileFlags
}

// Help is shown below the flags.
func (chainCommand) Help() string {
	return `Examples:
  ttai chain spx.csv.gz --rate 0.008
  ttai chain aapl.csv --at 2025-12-04 --expiry 2025-12-19
  ttai chain spx.csv.gz --surface --positioning --json
  echo '{"at":"2026-09-16T10:30:00-04:00","spot":100.4,"quotes":[{"kind":"call","strike":100,"expiration":"2026-10-16","bid":3.2,"ask":3.3},{"kind":"put","strike":100,"expiration":"2026-10-16","bid":2.5,"ask":2.6}]}' | ttai chain --jsonl

Volatilities are computed from the middle of bid and ask. Gamma exposure assumes that customers sell calls and buy puts.`
}

// chainRequest is a chain as a JSON object.
type chainRequest struct {
	Underlying  string         `json:"underlying"`
	At          time.Time      `json:"at"`
	Rate        float64        `json:"rate"`
	Spot        float64        `json:"spot"`
	Surface     bool           `json:"surface"`
	Positioning bool           `json:"positioning"`
	Contracts   bool           `json:"contracts"`
	Dividends   []cashDividend `json:"dividends"`
	Quotes      []quoteRequest `json:"quotes"`
}

// cashDividend is what a share pays to whoever holds it the day before.
type cashDividend struct {
	ExDate market.Date `json:"ex_date"`
	Cash   float64     `json:"cash"`
}

func parseDividends(fields []string) ([]cashDividend, error) {
	var out []cashDividend
	for _, field := range fields {
		day, amount, _ := strings.Cut(field, "=")
		date, err := market.ParseDate(day)
		cash, bad := strconv.ParseFloat(amount, 64)
		if err != nil || bad != nil {
			return nil, app.Usage(invalid.Field("dividend", field, "an ex-date and cash per share such as 2026-11-06=0.26"))
		}
		out = append(out, cashDividend{date, cash})
	}
	return out, nil
}

// dividendsAt gives the dividends in years from a time: shares go ex as trading
// begins.
func dividendsAt(paid []cashDividend, at time.Time) []options.Dividend {
	var out []options.Dividend
	for _, d := range paid {
		opens := d.ExDate.At(9, 30, market.NYSE().Location())
		out = append(out, options.Dividend{Years: opens.Sub(at).Hours() / (24 * 365), Cash: d.Cash})
	}
	return out
}

type quoteRequest struct {
	Symbol       string             `json:"symbol"` // OCC; or kind, strike and expiration
	Kind         options.Kind       `json:"kind"`
	Strike       float64            `json:"strike"`
	Expiration   *market.Date       `json:"expiration"`
	Bid          market.Float       `json:"bid"`
	Ask          market.Float       `json:"ask"`
	Volume       market.Float       `json:"volume"`
	OpenInterest market.Float       `json:"open_interest"`
	Multiplier   float64            `json:"multiplier"`
	Style        string             `json:"style"`
	Settlement   *market.Settlement `json:"settlement"`
}

// UnmarshalJSON leaves what is absent unknown.
func (q *quoteRequest) UnmarshalJSON(data []byte) error {
	nan := market.Float(math.NaN())
	type plain quoteRequest
	read := plain{Bid: nan, Ask: nan, Volume: nan, OpenInterest: nan}
	if err := decodeStrict(data, &read); err != nil {
		return err
	}
	*q = quoteRequest(read)
	return nil
}

func (q quoteRequest) quote(underlying market.Symbol, at time.Time) (market.OptionQuote, error) {
	nan := math.NaN()
	o := market.OptionQuote{Underlying: underlying, Root: string(underlying), Kind: q.Kind, Strike: q.Strike, Multiplier: cmp.Or(q.Multiplier, 100),
		Time: at, Bid: float64(q.Bid), Ask: float64(q.Ask), Volume: float64(q.Volume), OpenInterest: float64(q.OpenInterest),
		BidSize: nan, AskSize: nan, Last: nan, IV: nan, Delta: nan, Gamma: nan, Theta: nan, Vega: nan, Rho: nan, Spot: nan}
	if q.Symbol != "" {
		terms, err := options.TermsOf(market.Symbol(q.Symbol))
		if err != nil {
			return o, err
		}
		o.Symbol, o.Root, o.Kind, o.Strike, o.Expiration = terms.Symbol, terms.Root, terms.Kind, terms.Strike, terms.Expiration
		o.Style, o.Settlement, o.Underlying = terms.Style, terms.Settlement, cmp.Or(underlying, terms.Underlying)
	}
	if q.Expiration != nil {
		o.Expiration = *q.Expiration
	}
	if q.Settlement != nil {
		o.Settlement = *q.Settlement
	}
	switch style := market.ExerciseStyle(q.Style); style {
	case "":
	case market.American, market.European:
		o.Style = style
	default:
		return o, invalid.Field("style", q.Style, "american or european")
	}
	return o, nil
}

func (r chainRequest) answer() (chainAnswer, error) {
	var quotes []market.OptionQuote
	for _, q := range r.Quotes {
		quote, err := q.quote(market.Symbol(strings.ToUpper(r.Underlying)), r.At)
		if err != nil {
			return chainAnswer{}, err
		}
		quotes = append(quotes, quote)
	}
	for _, d := range r.Dividends {
		if d.ExDate.IsZero() {
			return chainAnswer{}, invalid.Missing("dividends", "an ex_date for each")
		}
	}
	chain, err := options.NewChain(quotes, &options.ChainOptions{At: r.At, Rate: r.Rate, Spot: r.Spot, Dividends: dividendsAt(r.Dividends, r.At)})
	if err != nil {
		return chainAnswer{}, err
	}
	return answerChain(chain, r.Contracts, r.Surface, r.Positioning)
}

// Run prints a chain.
func (c chainCommand) Run(s *session) error {
	if c.JSONL {
		paid, err := parseDividends(c.Dividend)
		if err != nil {
			return err
		}
		defaults := chainRequest{Underlying: c.Symbol, Rate: c.Rate, Spot: c.Spot, Surface: c.Surface, Positioning: c.Positioning}
		if c.At != "" {
			if defaults.At, err = market.NYSE().ParseInstant("at", c.At, nil); err != nil {
				return err
			}
		}
		return answerLines(s.std.In, s.std.Out, defaults, func(r chainRequest) (chainAnswer, error) {
			if r.Dividends == nil { // not a default: decoding would write to it
				r.Dividends = paid
			}
			return r.answer()
		})
	}
	chain, err := c.load(s)
	if err != nil {
		return err
	}
	dates, err := parseDates("expiry", c.Expiry)
	if err != nil {
		return err
	}
	if len(dates) > 0 {
		kept := chain.Expiries[:0]
		for _, e := range chain.Expiries {
			for _, d := range dates {
				if e.Date == d {
					kept = append(kept, e)
				}
			}
		}
		if chain.Expiries = kept; len(kept) == 0 {
			return invalid.Field("expiry", strings.Join(c.Expiry, ","), "an expiration date of the chain")
		}
	}
	answer, err := answerChain(chain, len(dates) > 0, c.Surface, c.Positioning)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(s.std.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(answer)
	}
	return answer.print(s)
}

// load reads the chain file as it was known at the time asked for.
func (c chainCommand) load(s *session) (*options.Chain, error) {
	if c.File == "" {
		return nil, app.Usage(invalid.Missing("file", "a CSV file of option quotes, or --jsonl"))
	}
	paid, err := parseDividends(c.Dividend)
	if err != nil {
		return nil, err
	}
	file, err := c.OpenChain(c.File, market.Symbol(strings.ToUpper(c.Symbol)), s.std.Err)
	if err != nil {
		return nil, err
	}
	calendar := market.NYSE()
	at := file.Quotes[len(file.Quotes)-1].Time
	if c.At != "" {
		if at, err = calendar.ParseInstant("at", c.At, nil); err != nil {
			return nil, err
		}
	}
	day, found := at.In(calendar.Location()), time.Time{}
	for _, q := range file.Quotes {
		if !q.Time.After(at) && q.Time.After(found) {
			found = q.Time
		}
	}
	if found.IsZero() {
		return nil, fmt.Errorf("no quote of %s is from %s or before: %w", c.File, day.Format(time.DateTime), market.ErrNoData)
	}
	newest := market.DateOf(found.In(calendar.Location()))
	var quotes []market.OptionQuote
	for _, q := range file.Quotes {
		if !q.Time.After(at) && market.DateOf(q.Time.In(calendar.Location())) == newest {
			quotes = append(quotes, q)
		}
	}
	return options.NewChain(quotes, &options.ChainOptions{At: found, Rate: c.Rate, Spot: c.Spot, Dividends: dividendsAt(paid, found)})
}

func parseDates(flag string, texts []string) ([]market.Date, error) {
	var dates []market.Date
	for _, text := range texts {
		d, err := market.ParseDate(text)
		if err != nil {
			return nil, invalid.Field(flag, text, "dates such as 2026-10-16")
		}
		dates = append(dates, d)
	}
	return dates, nil
}

// print shows the answer as tables.
func (a chainAnswer) print(s *session) error {
	w := tabwriter.NewWriter(s.std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s at %s, spot %.2f\n\n", a.Underlying, a.At.Format("2006-01-02 15:04 MST"), a.Spot)
	fmt.Fprintln(w, "EXPIRY\tROOT\tDAYS\tCONTRACTS\tFORWARD\tYIELD\tATM VOL\tONE SIGMA\tSTRADDLE\tMAX PAIN")
	for _, e := range a.Expiries {
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%d\t%.2f\t%s\t%s\t%s\t%s\t%s\n", e.Date, e.Root, e.Days, e.Listed, e.Forward,
			inPercent(e.Yield, 2), inPercent(e.ATMVol, 2), figure(e.Sigma, 2), figure(e.Straddle, 2), figure(e.MaxPain, 2))
	}
	for _, e := range a.Expiries {
		if len(e.Contracts) > 0 {
			fmt.Fprintf(w, "\n%s %s\nKIND\tSTRIKE\tBID\tASK\tIV\tDELTA\tGAMMA\tTHETA/DAY\tVEGA/POINT\tVOLUME\tOPEN\n", e.Date, e.Root)
		}
		for _, c := range e.Contracts {
			fmt.Fprintf(w, "%s\t%v\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Kind, c.Strike, figure(c.Bid, 2), figure(c.Ask, 2), inPercent(c.IV, 2),
				figure(c.Delta, 3), figure(c.Gamma, 5), figure(c.Theta, 3), figure(c.Vega, 3), figure(c.Volume, 0), figure(c.OpenInterest, 0))
		}
	}
	if a.Surface != nil {
		a.Surface.print(w)
	}
	if a.Positioning != nil {
		a.Positioning.print(w)
	}
	return w.Flush()
}

// figure writes a number, "-" when it is unknown.
func figure(x market.Float, digits int) string {
	if !x.Known() {
		return "-"
	}
	text := fmt.Sprintf("%.*f", digits, float64(x))
	if strings.Trim(text, "-0.") == "" { // rounding leaves no sign
		text = strings.TrimPrefix(text, "-")
	}
	return text
}

func inPercent(x market.Float, digits int) string {
	if !x.Known() {
		return "-"
	}
	return figure(100*x, digits) + " %"
}
