package backtest

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A ChainStore keeps the option chains of one underlying by quote time, expiry and
// strike, in columns: a quote takes about as many bytes as it has known numbers
// times eight. It is only read once made, and safe for concurrent use.
type ChainStore struct {
	name       string
	underlying market.Symbol
	contracts  []market.OptionQuote // what does not change, numbers unknown; in the order of chains
	index      map[market.Symbol]uint32

	times []int64 // of the snapshots, Unix nanoseconds, ascending
	first []int   // the first row of each snapshot, and the number of rows
	spots []float64

	contract []uint32 // of each row; ascending within a snapshot
	columns  [columnCount][]float64
	digest   uint64

	rooms sync.Pool // of *room, which runs take and give back
}

// A room is what a run writes snapshots out in. It remembers which contract each
// place holds, so that only what changed is written.
type room struct {
	quotes []market.OptionQuote
	holds  []uint32
}

func (s *ChainStore) takeRoom() *room {
	if r, ok := s.rooms.Get().(*room); ok {
		return r
	}
	return &room{}
}

// write writes snapshot k into a room.
func (r *room) write(s *ChainStore, k int, at time.Time) []market.OptionQuote {
	from, to := s.first[k], s.first[k+1]
	n := to - from
	if n > len(r.quotes) {
		r.quotes = append(r.quotes, make([]market.OptionQuote, n-len(r.quotes))...)
		for len(r.holds) < n {
			r.holds = append(r.holds, math.MaxUint32)
		}
	}
	quotes, holds, contracts := r.quotes[:n], r.holds[:n], s.contract[from:to]
	for i := range quotes {
		if c := contracts[i]; holds[i] != c {
			quotes[i], holds[i] = s.contracts[c], c
		}
		s.numbers(&quotes[i], from+i, at)
	}
	return quotes[:n:n]
}

// The columns of numbers. Those of which nothing is known are nil.
const (
	columnBid = iota
	columnAsk
	columnBidSize
	columnAskSize
	columnLast
	columnVolume
	columnInterest
	columnIV
	columnDelta
	columnGamma
	columnTheta
	columnVega
	columnRho
	columnSpot
	columnCount
)

func cellsOf(q *market.OptionQuote) [columnCount]*float64 {
	return [columnCount]*float64{
		&q.Bid, &q.Ask, &q.BidSize, &q.AskSize, &q.Last, &q.Volume, &q.OpenInterest, &q.IV, &q.Delta, &q.Gamma, &q.Theta, &q.Vega, &q.Rho, &q.Spot,
	}
}

// OpenChains reads chain files into one store for each underlying, ordered by it.
// Files may be of different days of the same chain. See market.OpenChain for what
// it reads; a file that does not name its underlying needs the options' Symbol.
func OpenChains(opts *market.CSVOptions, paths ...string) ([]*ChainStore, error) {
	byUnderlying := map[market.Symbol][]market.OptionQuote{}
	names := map[market.Symbol][]string{}
	for _, path := range paths {
		file, err := market.OpenChain(path, opts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		for i := range file.Quotes {
			u := file.Quotes[i].Underlying
			if u == "" {
				return nil, invalid.Field(filepath.Base(path), "no underlying", "a file that names its underlying, or its symbol in the options")
			}
			byUnderlying[u] = append(byUnderlying[u], file.Quotes[i])
			if n := names[u]; len(n) == 0 || n[len(n)-1] != filepath.Base(path) {
				names[u] = append(n, filepath.Base(path))
			}
		}
	}
	var stores []*ChainStore
	for u, quotes := range byUnderlying {
		s, err := NewChainStore(quotes)
		if err != nil {
			return nil, err
		}
		s.name = fmt.Sprint(names[u])
		if len(names[u]) == 1 {
			s.name = names[u][0]
		}
		stores = append(stores, s)
	}
	slices.SortFunc(stores, func(a, b *ChainStore) int { return cmp.Compare(a.underlying, b.underlying) })
	return stores, nil
}

// NewChainStore makes a store of the quotes of one underlying's options, in any
// order. The error is a *FieldError, or market.ErrNoData for no quotes.
func NewChainStore(quotes []market.OptionQuote) (*ChainStore, error) {
	if len(quotes) == 0 {
		return nil, market.ErrNoData
	}
	s := &ChainStore{underlying: quotes[0].Underlying, name: string(quotes[0].Underlying), index: map[market.Symbol]uint32{}}
	for i := range quotes {
		q := &quotes[i]
		switch {
		case q.Underlying != s.underlying || q.Underlying == "":
			return nil, invalid.Field(fmt.Sprintf("quotes[%d].Underlying", i), q.Underlying, "the underlying of the first quote, not empty")
		case q.Symbol == "":
			return nil, invalid.Missing(fmt.Sprintf("quotes[%d].Symbol", i), "an OCC option symbol")
		case q.Time.IsZero():
			return nil, invalid.Missing(fmt.Sprintf("quotes[%d].Time", i), "the time of the quote")
		}
		if _, known := s.index[q.Symbol]; !known {
			s.index[q.Symbol] = uint32(len(s.contracts))
			s.contracts = append(s.contracts, terms(q))
		}
	}
	slices.SortFunc(s.contracts, func(a, b market.OptionQuote) int { return compareContracts(&a, &b) })
	for i := range s.contracts {
		s.index[s.contracts[i].Symbol] = uint32(i)
	}
	return s, s.fill(quotes)
}

// terms is a quote without its numbers and time.
func terms(q *market.OptionQuote) market.OptionQuote {
	t := *q
	t.Time = time.Time{}
	for _, cell := range cellsOf(&t) {
		*cell = math.NaN()
	}
	return t
}

// compareContracts orders as chains are: by expiry, root, strike, call before put.
func compareContracts(a, b *market.OptionQuote) int {
	return cmp.Or(a.Expiration.Compare(b.Expiration), cmp.Compare(a.Root, b.Root), cmp.Compare(a.Strike, b.Strike), -cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Symbol, b.Symbol))
}

// fill sorts the rows and writes the columns.
func (s *ChainStore) fill(quotes []market.OptionQuote) error {
	type key struct {
		at       int64
		contract uint32
		row      int
	}
	keys := make([]key, len(quotes))
	var known [columnCount]bool
	for i := range quotes {
		keys[i] = key{quotes[i].Time.UnixNano(), s.index[quotes[i].Symbol], i}
		for c, cell := range cellsOf(&quotes[i]) {
			known[c] = known[c] || !math.IsNaN(*cell)
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.contract, b.contract), cmp.Compare(a.row, b.row))
	})
	s.contract = make([]uint32, len(keys))
	for c := range s.columns {
		if known[c] || c <= columnAsk {
			s.columns[c] = make([]float64, len(keys))
		}
	}
	h := newDigest()
	for i, k := range keys {
		if i > 0 && k.at == keys[i-1].at && k.contract == keys[i-1].contract {
			return invalid.Field("quotes", fmt.Sprintf("%s at %s twice", quotes[k.row].Symbol, quotes[k.row].Time.Format(time.RFC3339)), "each contract and time once")
		}
		if len(s.times) == 0 || s.times[len(s.times)-1] != k.at {
			s.times, s.first, s.spots = append(s.times, k.at), append(s.first, i), append(s.spots, math.NaN())
			h.add(uint64(k.at))
		}
		s.contract[i] = k.contract
		q := &quotes[k.row]
		for c, cell := range cellsOf(q) {
			if s.columns[c] != nil {
				s.columns[c][i] = *cell
			}
		}
		if spot := &s.spots[len(s.spots)-1]; math.IsNaN(*spot) {
			*spot = q.Spot
		}
		h.text(string(q.Symbol))
		h.add(math.Float64bits(q.Bid))
		h.add(math.Float64bits(q.Ask))
		h.add(math.Float64bits(q.Last))
		h.add(math.Float64bits(q.IV))
		h.add(math.Float64bits(q.Spot))
	}
	s.first = append(s.first, len(keys))
	s.digest = h.sum()
	return nil
}

// Underlying is what the options are on.
func (s *ChainStore) Underlying() market.Symbol { return s.underlying }

// Len is the number of quotes.
func (s *ChainStore) Len() int { return len(s.contract) }

// Contracts is the number of different contracts.
func (s *ChainStore) Contracts() int { return len(s.contracts) }

// Snapshots is the number of quote times.
func (s *ChainStore) Snapshots() int { return len(s.times) }

// Time returns the quote time of snapshot k.
func (s *ChainStore) Time(k int) time.Time {
	return time.Unix(0, s.times[k]).In(market.NYSE().Location())
}

// Spot returns the underlying's price at snapshot k; NaN when the quotes do not
// tell.
func (s *ChainStore) Spot(k int) float64 { return s.spots[k] }

// At returns the latest snapshot at or before a time; -1 when there is none.
func (s *ChainStore) At(t time.Time) int {
	at := t.UnixNano()
	return sort.Search(len(s.times), func(i int) bool { return s.times[i] > at }) - 1
}

// Find returns the row of a contract in snapshot k, in O(log n); false when the
// snapshot does not have it.
func (s *ChainStore) Find(k int, option market.Symbol) (row int, ok bool) {
	c, ok := s.index[option]
	if !ok {
		return 0, false
	}
	return s.find(k, c)
}

func (s *ChainStore) find(k int, contract uint32) (int, bool) {
	from, to := s.first[k], s.first[k+1]
	i, ok := slices.BinarySearch(s.contract[from:to], contract)
	return from + i, ok
}

// Strikes returns the rows [from, to) of snapshot k that are of one expiry and
// root, by strike, call before put. An empty root takes all roots.
func (s *ChainStore) Strikes(k int, expiry market.Date, root string) (from, to int) {
	rows := s.contract[s.first[k]:s.first[k+1]]
	compare := func(contract uint32, after bool) bool {
		c := &s.contracts[contract]
		order := c.Expiration.Compare(expiry)
		if order == 0 && root != "" {
			order = cmp.Compare(c.Root, root)
		}
		return order > 0 || order == 0 && !after
	}
	i := sort.Search(len(rows), func(i int) bool { return compare(rows[i], false) })
	j := sort.Search(len(rows), func(i int) bool { return compare(rows[i], true) })
	return s.first[k] + i, s.first[k] + j
}

// Strike returns the row of snapshot k with an expiry, strike and kind, in
// O(log n); false when there is none.
func (s *ChainStore) Strike(k int, expiry market.Date, root string, strike float64, kind market.OptionKind) (row int, ok bool) {
	from, to := s.Strikes(k, expiry, root)
	i := from + sort.Search(to-from, func(i int) bool { return s.contracts[s.contract[from+i]].Strike >= strike-1e-9 })
	for ; i < to && s.contracts[s.contract[i]].Strike <= strike+1e-9; i++ {
		if s.contracts[s.contract[i]].Kind == kind {
			return i, true
		}
	}
	return 0, false
}

// Expirations yields the expiries of snapshot k, ascending.
func (s *ChainStore) Expirations(k int) iter.Seq[market.Date] {
	return func(yield func(market.Date) bool) {
		for i := s.first[k]; i < s.first[k+1]; {
			d := s.contracts[s.contract[i]].Expiration
			if !yield(d) {
				return
			}
			_, i = s.Strikes(k, d, "")
		}
	}
}

// Rows returns the rows [from, to) of snapshot k.
func (s *ChainStore) Rows(k int) (from, to int) { return s.first[k], s.first[k+1] }

// Prices returns bid and ask of a row.
func (s *ChainStore) Prices(row int) (bid, ask float64) {
	return s.columns[columnBid][row], s.columns[columnAsk][row]
}

// Quote returns a row as a quote. Its time is that of its snapshot.
func (s *ChainStore) Quote(row int) market.OptionQuote {
	k := sort.Search(len(s.times), func(k int) bool { return s.first[k+1] > row })
	var q market.OptionQuote
	s.write(&q, row, s.Time(k))
	return q
}

func (s *ChainStore) write(q *market.OptionQuote, row int, at time.Time) {
	*q = s.contracts[s.contract[row]]
	s.numbers(q, row, at)
}

// numbers writes what changes of a row.
func (s *ChainStore) numbers(q *market.OptionQuote, row int, at time.Time) {
	q.Time = at
	q.Bid, q.Ask = s.columns[columnBid][row], s.columns[columnAsk][row]
	if c := s.columns[columnBidSize]; c != nil {
		q.BidSize = c[row]
	}
	if c := s.columns[columnAskSize]; c != nil {
		q.AskSize = c[row]
	}
	if c := s.columns[columnLast]; c != nil {
		q.Last = c[row]
	}
	if c := s.columns[columnVolume]; c != nil {
		q.Volume = c[row]
	}
	if c := s.columns[columnInterest]; c != nil {
		q.OpenInterest = c[row]
	}
	if c := s.columns[columnIV]; c != nil {
		q.IV = c[row]
	}
	if c := s.columns[columnDelta]; c != nil {
		q.Delta = c[row]
	}
	if c := s.columns[columnGamma]; c != nil {
		q.Gamma = c[row]
	}
	if c := s.columns[columnTheta]; c != nil {
		q.Theta = c[row]
	}
	if c := s.columns[columnVega]; c != nil {
		q.Vega = c[row]
	}
	if c := s.columns[columnRho]; c != nil {
		q.Rho = c[row]
	}
	if c := s.columns[columnSpot]; c != nil {
		q.Spot = c[row]
	}
}

// Snapshot writes snapshot k into dst, which is reused when it is large enough, and
// returns it: ordered by expiry, root, strike, call before put.
func (s *ChainStore) Snapshot(k int, dst []market.OptionQuote) []market.OptionQuote {
	from, to := s.first[k], s.first[k+1]
	dst = slices.Grow(dst[:0], to-from)[:to-from]
	at := s.Time(k)
	for row := from; row < to; row++ {
		s.write(&dst[row-from], row, at)
	}
	return dst
}
