package analysts

import (
	"bytes"
	"compress/gzip"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// kept is a part as it is recorded.
type kept[T any] struct {
	Value  T
	Absent string
}

func keep[T any](p part[T]) kept[T] { return kept[T]{p.value, p.absent} }
func (k kept[T]) part() part[T]     { return part[T]{value: k.Value, absent: k.Absent} }

// keptHolding has what the account holds as JSON: gob takes a pointer to an amount of
// zero for none.
type keptHolding struct {
	Account broker.AccountID
	Held    []byte // of heldThere
	Why     string
}

type heldThere struct {
	Balances  *broker.Balances
	Positions []broker.Position
}

type keptBars struct {
	Symbol   market.Symbol
	Exposure float64
	Bars     []market.Bar
}

// snapshot is what the sources answered, as a workflow records it. JSON has no NaN,
// and gob has.
type snapshot struct {
	At, From    time.Time
	Past        bool
	Bars        []market.Bar
	NoBars      string
	Dropped     int
	Benchmark   kept[[]market.Bar]
	Quote       kept[market.Quote]
	Metrics     kept[market.Metrics]
	Events      kept[[]market.Event]
	Instrument  kept[market.Instrument]
	Portfolio   kept[[]keptHolding]
	Chain       kept[[]market.OptionQuote]
	Held        kept[[]keptBars]
	News        kept[[]market.Story]
	Passages    kept[[]Passage]
	Record      kept[Scorecard]
	Expirations kept[[]market.Expiration]
}

func (in *inputs) encode() ([]byte, error) {
	s := snapshot{
		At: in.at, From: in.from, Past: in.past, Bars: in.bars, NoBars: in.noBars, Dropped: in.dropped,
		Benchmark: keep(in.benchmark), Quote: keep(in.quote), Metrics: keep(in.metrics), Events: keep(in.events), Instrument: keep(in.instrument),
		Portfolio: kept[[]keptHolding]{Absent: in.portfolio.absent}, Chain: keep(in.chain), Held: kept[[]keptBars]{Absent: in.held.absent},
		News: keep(in.news), Passages: keep(in.passages), Record: keep(in.record), Expirations: keep(in.expirations),
	}
	for _, h := range in.portfolio.value {
		held, err := json.Marshal(heldThere{h.balances, h.positions})
		if err != nil {
			return nil, fmt.Errorf("recording what is held: %w", err)
		}
		s.Portfolio.Value = append(s.Portfolio.Value, keptHolding{h.account, held, h.why})
	}
	for _, h := range in.held.value {
		s.Held.Value = append(s.Held.Value, keptBars{h.symbol, h.exposure, h.bars})
	}
	return packed(&s)
}

func decodeInputs(data []byte, cal *market.Calendar) (*inputs, error) {
	var s snapshot
	if err := unpack(data, &s); err != nil {
		return nil, err
	}
	loc := cal.Location()
	in := &inputs{
		at: s.At.In(loc), from: s.From.In(loc), past: s.Past, bars: s.Bars, noBars: s.NoBars, dropped: s.Dropped,
		benchmark: s.Benchmark.part(), quote: s.Quote.part(), metrics: s.Metrics.part(), events: s.Events.part(), instrument: s.Instrument.part(),
		portfolio: part[[]holding]{absent: s.Portfolio.Absent}, chain: s.Chain.part(), held: part[[]heldBars]{absent: s.Held.Absent},
		news: s.News.part(), passages: s.Passages.part(), record: s.Record.part(), expirations: s.Expirations.part(),
	}
	for _, h := range s.Portfolio.Value {
		var held heldThere
		if err := json.Unmarshal(h.Held, &held); err != nil {
			return nil, fmt.Errorf("recorded holdings cannot be read: %w", err)
		}
		in.portfolio.value = append(in.portfolio.value, holding{h.Account, held.Balances, held.Positions, h.Why})
	}
	for _, h := range s.Held.Value {
		in.held.value = append(in.held.value, heldBars{h.Symbol, h.Exposure, h.Bars})
	}
	return in, nil
}

func packed(v any) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	err := gob.NewEncoder(z).Encode(v)
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("recording market data: %w", err)
	}
	return out.Bytes(), nil
}

// largest bounds what a record may unpack to.
const largest = 64 << 20

func unpack(data []byte, v any) error {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		err = gob.NewDecoder(io.LimitReader(z, largest)).Decode(v)
	}
	if err != nil {
		return fmt.Errorf("recorded market data cannot be read: %w", err)
	}
	return nil
}
