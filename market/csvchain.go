package market

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A ChainFile is option quotes from a CSV file.
type ChainFile struct {
	// Quotes are ordered by time, expiration, root, strike, call before put. No
	// contract has two at the same time.
	Quotes   []OptionQuote
	Problems []RowProblem
}

var chainMeanings = []meaning{
	{"time", nil}, // see findTime
	{"symbol", []string{"contractsymbol", "optionsymbol", "occsymbol", "occ", "contract", "optionalias", "contractid", "optionid"}},
	{"underlying", []string{"underlying", "underlyingsymbol", "underlyingticker", "baseticker", "ticker", "symbol"}},
	{"root", []string{"root", "optionroot", "rootsymbol", "class"}},
	{"expiry", []string{"expiry", "expiration", "expirationdate", "expirydate", "expdate", "expire", "expiredate", "maturity", "exdate"}},
	{"strike", []string{"strike", "strikeprice", "k"}},
	{"kind", []string{"type", "right", "cp", "callput", "putcall", "optiontype", "cpflag", "kind", "optionright"}},
	{"bid", []string{"bid", "bidprice", "lastbidprice", "bestbid", "bideod", "bidclose"}},
	{"ask", []string{"ask", "askprice", "lastaskprice", "bestask", "bestoffer", "offer", "askeod", "askclose"}},
	{"bid_size", []string{"bidsize", "bidsizeeod"}},
	{"ask_size", []string{"asksize", "asksizeeod"}},
	{"last", []string{"last", "lastprice", "lasttradeprice", "close"}},
	{"volume", []string{"volume", "totalvolume", "tradevolume", "tradedvolume", "vol"}},
	{"open_interest", []string{"openinterest", "oi", "openint"}},
	{"iv", []string{"iv", "impliedvolatility", "impliedvol", "sigma"}},
	{"delta", []string{"delta"}},
	{"gamma", []string{"gamma"}},
	{"theta", []string{"theta"}},
	{"vega", []string{"vega"}},
	{"rho", []string{"rho"}},
	{"spot", []string{"spot", "spotprice", "underlyinglast", "underlyingprice", "underlyingclose", "stockprice", "activeunderlyingprice"}},
}

// ReadChain reads option chains from CSV text, plain or gzip: one row per
// contract and quote time.
//
// Columns are found by what they mean: the quote time; the contract as an OCC
// symbol, or as expiry, strike and call or put (C, P, call, put) with a root or
// underlying; and whatever is there of bid, ask, sizes, last, volume, open
// interest, implied volatility, Greeks and the underlying's price. A file that
// does not name the underlying gets it from the options' Symbol; without that
// Symbol, Root and Underlying of its quotes are empty. Rows without expiry and
// strike are the underlying's own and give its price.
//
// A date alone is the close of that session; a column file_date says that a
// file was made before that day's opening, so its quotes are of the previous
// close. Files state vega and rho per point of one percent: they are
// multiplied by 100, see [OptionQuote]. A last price of zero, a volatility
// below 0.0001, and Greeks of zero beside one, mean "not known". Bids of zero
// are bids. A volatility or Greek that cannot be read is not known either, and
// listed in Problems; every other field that cannot be read makes a bad row.
//
// An error about the content is a *[FieldError]; a file without any contract is
// [ErrNoData].
func ReadChain(r io.Reader, options *CSVOptions) (*ChainFile, error) {
	opts, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	t, err := openTable(r, opts)
	if err != nil {
		return nil, err
	}
	c, err := t.chainColumns(opts)
	if err != nil {
		return nil, err
	}
	for {
		row, line, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := c.add(row, line); err != nil {
			return nil, err
		}
	}
	return c.file()
}

// chainColumns finds the columns of a chain.
func (t *table) chainColumns(opts CSVOptions) (*chainReader, error) {
	column, err := t.columns(chainMeanings, opts.Map)
	if err != nil {
		return nil, err
	}
	c := &chainReader{
		table: t, opts: opts,
		contracts: map[string]Contract{}, symbols: map[Contract]Symbol{}, dates: map[string]Date{},
		moments: map[string]time.Time{}, spots: map[spotKey]float64{}, seen: map[quoteKey]int{}, underlyings: map[Symbol]bool{},
	}
	c.when = t.findTime(column["time"], opts.Location)
	if c.when.column < 0 {
		if i := t.index("file_date"); i >= 0 {
			c.when.column, c.before = i, true
		}
	}
	var missing []string
	if c.when.column < 0 {
		missing = append(missing, "time")
	}
	// A root or a symbol column may hold OCC symbols: the first row tells.
	if column["symbol"] < 0 && (column["expiry"] < 0 || column["strike"] < 0 || column["kind"] < 0) {
		switch {
		case column["root"] >= 0:
			column["symbol"], column["root"] = column["root"], -1
		case column["underlying"] >= 0 && column["expiry"] < 0 && column["strike"] < 0:
			column["symbol"], column["underlying"] = column["underlying"], -1
			c.guessed = true
		}
	}
	if column["symbol"] < 0 {
		for _, name := range []string{"expiry", "strike", "kind"} {
			if column[name] < 0 {
				missing = append(missing, name)
			}
		}
	}
	if column["symbol"] < 0 && len(missing) == 0 || column["symbol"] >= 0 {
		values := 0
		for _, name := range []string{"bid", "ask", "last", "volume", "open_interest", "iv"} {
			if column[name] >= 0 {
				values++
			}
		}
		if values == 0 {
			missing = append(missing, "bid")
		}
	}
	if missing != nil {
		return nil, t.notChain(missing)
	}
	for name, at := range map[string]*int{
		"bid": &c.bid, "ask": &c.ask, "bid_size": &c.bidSize, "ask_size": &c.askSize, "last": &c.last, "volume": &c.volume,
		"open_interest": &c.openInterest, "iv": &c.iv, "delta": &c.delta, "gamma": &c.gamma, "theta": &c.theta, "vega": &c.vega, "rho": &c.rho,
		"spot": &c.spot, "symbol": &c.symbol, "underlying": &c.underlying, "root": &c.root, "expiry": &c.expiry, "strike": &c.strike, "kind": &c.kind,
	} {
		*at = column[name]
	}
	return c, nil
}

// notChain is the error for a file that is something else.
func (t *table) notChain(missing []string) error {
	return t.missing("an option chain (a contract's OCC symbol, or expiry, strike and kind; a quote time; bid, ask or last)", missing)
}

// A chainReader turns rows into option quotes.
type chainReader struct {
	*table
	opts   CSVOptions
	when   timeColumn
	before bool // the time is that of a file made before the day's opening

	guessed bool // the symbol column is one only if its first row holds an OCC symbol

	symbol, underlying, root, expiry, strike, kind         int
	bid, ask, bidSize, askSize, last, volume, openInterest int
	iv, delta, gamma, theta, vega, rho, spot               int

	quotes []OptionQuote
	lines  []int // of quotes

	// Files repeat contracts and times a thousand times: what was parsed once
	// is kept.
	contracts   map[string]Contract
	symbols     map[Contract]Symbol
	dates       map[string]Date
	moments     map[string]time.Time
	spots       map[spotKey]float64 // from the underlying's own rows
	seen        map[quoteKey]int    // index into quotes
	underlyings map[Symbol]bool     // every one of the file
}

type spotKey struct {
	underlying Symbol
	time       int64
}

type quoteKey struct {
	contract Contract
	time     int64
}

// add reads one row.
func (c *chainReader) add(row []string, line int) error {
	if c.guessed {
		c.guessed = false
		if s, err := ParseSymbol(cell(row, c.symbol)); err != nil || s.Kind() != KindOption {
			return c.notChain([]string{"expiry", "strike", "kind"})
		}
	}
	at, ok := c.time(row)
	if !ok {
		return c.bad(line, c.header[c.when.column], cell(row, c.when.column), allowedTimes)
	}
	q := OptionQuote{Time: at}
	numbers := []struct {
		to       *float64
		column   int
		computed bool // from the price, by whoever wrote the file; may be negative
	}{
		{&q.Bid, c.bid, false}, {&q.Ask, c.ask, false}, {&q.BidSize, c.bidSize, false}, {&q.AskSize, c.askSize, false},
		{&q.Last, c.last, false}, {&q.Volume, c.volume, false}, {&q.OpenInterest, c.openInterest, false}, {&q.IV, c.iv, true},
		{&q.Delta, c.delta, true}, {&q.Gamma, c.gamma, true}, {&q.Theta, c.theta, true}, {&q.Vega, c.vega, true}, {&q.Rho, c.rho, true},
		{&q.Spot, c.spot, false},
	}
	for _, n := range numbers {
		*n.to = math.NaN()
		if n.column < 0 {
			continue
		}
		text := cell(row, n.column)
		x, ok := parseNumber(text)
		switch {
		case ok && (n.computed || !(x < 0)):
			*n.to = x
		case n.computed: // the file's own theory: without it the quote is as good
			c.note(line, c.header[n.column], text, "not a number: taken as not known")
		default:
			return c.bad(line, c.header[n.column], text, "a number of at least 0")
		}
	}
	unknownForZero(&q)
	if c.isUnderlying(row) {
		price := q.Last
		if math.IsNaN(price) {
			price = q.Spot
		}
		c.spots[spotKey{c.readUnderlying(row), at.UnixNano()}] = price
		return nil
	}
	contract, field, value, want := c.contract(row)
	if want != "" {
		return c.bad(line, field, value, want)
	}
	q.Root, q.Kind, q.Strike, q.Expiration = contract.Root, contract.Kind, contract.Strike, contract.Expiration
	q.Underlying = c.readUnderlying(row)
	if q.Underlying == "" {
		q.Underlying = rootUnderlying(contract.Root)
	}
	c.underlyings[q.Underlying] = true
	if c.opts.Symbol != "" && q.Underlying != c.opts.Symbol && q.Root != optionRoot(c.opts.Symbol) {
		return nil
	}
	symbol, ok := c.symbols[contract]
	if !ok && contract.Root != "" {
		var err error
		if symbol, err = NewOptionSymbol(contract); err != nil {
			return c.bad(line, "row", contract.Root+" "+contract.Expiration.String(), "a contract that has an OCC symbol ("+err.Error()+")")
		}
		c.symbols[contract] = symbol
	}
	q.Symbol = symbol
	q.Style, q.Settlement = rootTerms(contract.Root, contract.Expiration)
	q.Multiplier = 100
	if adjusted(contract.Root) {
		q.Multiplier = math.NaN() // the deliverable is what the corporate action made it
	}
	key := quoteKey{contract, at.UnixNano()}
	if i, twice := c.seen[key]; twice {
		name := fmt.Sprintf("%s %s %s %v", contract.Root, contract.Expiration, contract.Kind, contract.Strike)
		if sameQuote(c.quotes[i], q) {
			c.problems = append(c.problems, RowProblem{Line: line, Field: "row", Value: name, Reason: fmt.Sprintf("repeats line %d", c.lines[i]), Dropped: true})
			return nil
		}
		return c.bad(line, "row", name, fmt.Sprintf("a contract and time of its own; line %d has the same with other values", c.lines[i]))
	}
	c.seen[key] = len(c.quotes)
	c.quotes, c.lines = append(doubled(c.quotes), q), append(doubled(c.lines), line)
	return nil
}

// time returns when the row's quote was known.
func (c *chainReader) time(row []string) (time.Time, bool) {
	text := cell(row, c.when.column)
	if c.when.clock >= 0 {
		text += " " + cell(row, c.when.clock)
	}
	if at, ok := c.moments[text]; ok {
		return at, true
	}
	v, ok := c.when.read(row)
	if !ok {
		return time.Time{}, false
	}
	cal := c.opts.Calendar
	at := v.t.In(cal.loc)
	switch {
	case c.before:
		open := v.date.At(cal.open/60, cal.open%60, cal.loc)
		at = cal.Previous(open).Close
	case !v.clock:
		at = cal.closeOf(v.date)
	case c.opts.Interval != "":
		at = cal.BarEnd(at, c.opts.Interval)
	}
	c.moments[strings.Clone(text)] = at
	return at, true
}

// isUnderlying reports whether a row is the underlying's own.
func (c *chainReader) isUnderlying(row []string) bool {
	if c.symbol >= 0 && cell(row, c.symbol) != "" || c.expiry < 0 || c.strike < 0 {
		return false
	}
	return cell(row, c.expiry) == "" && cell(row, c.strike) == "" && cell(row, c.kind) == ""
}

// readUnderlying returns what the row or the options say the underlying is;
// empty when only the root can tell.
func (c *chainReader) readUnderlying(row []string) Symbol {
	if text := strings.TrimPrefix(cell(row, c.underlying), "^"); text != "" {
		if s, err := ParseSymbol(text); err == nil && s.Kind() != KindOption {
			return s
		}
	}
	if c.symbol < 0 && c.root < 0 && c.underlying < 0 && c.opts.Symbol != "" {
		return rootUnderlying(optionRoot(c.opts.Symbol))
	}
	return ""
}

// contract reads which option a row is about.
func (c *chainReader) contract(row []string) (contract Contract, field, value, want string) {
	named := false
	for _, column := range [...]int{c.symbol, c.root, c.underlying} {
		text := cell(row, column)
		if named || text == "" {
			continue
		}
		known, seen := c.contracts[text]
		if !seen {
			if symbol, err := ParseSymbol(text); err == nil {
				known, _ = symbol.Contract()
			}
			c.contracts[strings.Clone(text)] = known
		}
		if known.Root != "" {
			contract, named = known, true
		}
	}
	if !named && (c.expiry < 0 || c.strike < 0 || c.kind < 0) { // then there is a symbol column
		return contract, c.header[c.symbol], cell(row, c.symbol), "an OCC option symbol such as SPY261218C00500000"
	}
	if named && c.strike < 0 {
		return contract, "", "", ""
	}
	given, field, value, want := c.givenContract(row, contract)
	if want != "" || !named {
		return given, field, value, want
	}
	// The symbol is the contract; the columns must not speak of another one.
	// Expirations may differ by the formal Saturday of older contracts.
	if given.Kind != contract.Kind || math.Abs(given.Strike-contract.Strike) > 0.001 {
		return contract, c.header[c.strike], cell(row, c.strike), fmt.Sprintf("the contract of its symbol, a %s at %v", contract.Kind, contract.Strike)
	}
	if days := given.Expiration.DaysUntil(contract.Expiration); days < -2 || days > 2 {
		return contract, c.header[c.expiry], cell(row, c.expiry), "the expiration of its symbol, " + contract.Expiration.String()
	}
	return contract, "", "", ""
}

// givenContract reads expiry, strike and kind from their columns; those that
// the file lacks are taken from the symbol.
func (c *chainReader) givenContract(row []string, named Contract) (contract Contract, field, value, want string) {
	contract = named
	if c.expiry >= 0 {
		text := cell(row, c.expiry)
		d, seen := c.dates[text]
		if !seen {
			var ok bool
			if d, ok = parseDay(text); !ok {
				return contract, c.header[c.expiry], text, "a date such as 2026-12-18"
			}
			c.dates[strings.Clone(text)] = d
		}
		contract.Expiration = d
	}
	if c.strike >= 0 {
		text := cell(row, c.strike)
		x, ok := parseNumber(text)
		if !ok || !(x > 0) || x >= 100_000 {
			return contract, c.header[c.strike], text, "a price above 0 and below 100000"
		}
		contract.Strike = x
	}
	if c.kind >= 0 {
		text := cell(row, c.kind)
		if err := contract.Kind.UnmarshalText([]byte(text)); err != nil {
			return contract, c.header[c.kind], text, "C, P, call or put"
		}
	}
	if contract.Root == "" {
		contract.Root = c.readRoot(row)
	}
	return contract, "", "", ""
}

// readRoot returns the option root of a row without an OCC symbol.
func (c *chainReader) readRoot(row []string) string {
	if text := strings.ToUpper(cell(row, c.root)); text != "" {
		return strings.TrimPrefix(text, "^")
	}
	if s := c.readUnderlying(row); c.underlying >= 0 && s != "" {
		return optionRoot(s)
	}
	return optionRoot(c.opts.Symbol)
}

// leastIV is the volatility below which a file means that it found none: some
// write 0, some the 0.00001 or less at which their search began.
const leastIV = 1e-4

// unknownForZero replaces the zeros that files write for what they do not know.
func unknownForZero(q *OptionQuote) {
	for _, x := range []*float64{&q.Last, &q.Spot} {
		if *x == 0 {
			*x = math.NaN()
		}
	}
	if !(q.IV >= leastIV) {
		q.IV = math.NaN()
	}
	if math.IsNaN(q.IV) {
		for _, x := range []*float64{&q.Delta, &q.Gamma, &q.Theta, &q.Vega, &q.Rho} {
			if *x == 0 {
				*x = math.NaN()
			}
		}
	}
	const points = 100 // per 1.00 of volatility or rate
	q.Vega *= points
	q.Rho *= points
}

func sameQuote(a, b OptionQuote) bool {
	for _, pair := range [][2]float64{{a.Bid, b.Bid}, {a.Ask, b.Ask}, {a.Last, b.Last}, {a.Volume, b.Volume}, {a.OpenInterest, b.OpenInterest}, {a.IV, b.IV}} {
		if pair[0] != pair[1] && !(math.IsNaN(pair[0]) && math.IsNaN(pair[1])) {
			return false
		}
	}
	return true
}

// file sorts the quotes and gives them the underlying's price.
func (c *chainReader) file() (*ChainFile, error) {
	if len(c.quotes) == 0 {
		if c.opts.Symbol != "" && len(c.underlyings) > 0 {
			return nil, invalid.Field("symbol", string(c.opts.Symbol), "one of the file's: "+nameSome(c.underlyings))
		}
		if len(c.problems) > 0 {
			return nil, fmt.Errorf("no usable row, first problem: %s: %w", c.problems[0], ErrNoData)
		}
		return nil, fmt.Errorf("no contracts: %w", ErrNoData)
	}
	for i := range c.quotes {
		q := &c.quotes[i]
		if !math.IsNaN(q.Spot) {
			continue
		}
		for _, underlying := range []Symbol{q.Underlying, ""} {
			if price, ok := c.spots[spotKey{underlying, q.Time.UnixNano()}]; ok {
				q.Spot = price
			}
		}
	}
	slices.SortFunc(c.quotes, func(a, b OptionQuote) int {
		return cmp.Or(a.Time.Compare(b.Time), compareContracts(&a, &b))
	})
	return &ChainFile{Quotes: c.quotes, Problems: c.problems}, nil
}

// compareContracts orders by expiration, root, strike, call before put.
func compareContracts(a, b *OptionQuote) int {
	return cmp.Or(a.Expiration.Compare(b.Expiration), cmp.Compare(a.Root, b.Root), cmp.Compare(a.Strike, b.Strike), -cmp.Compare(a.Kind, b.Kind))
}

func nameSome(symbols map[Symbol]bool) string {
	var names []string
	for s := range symbols {
		names = append(names, string(s))
	}
	slices.Sort(names)
	return strings.Join(names[:min(len(names), 30)], ", ")
}
