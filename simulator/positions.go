package simulator

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A holding is a position with what the market says about it now.
type holding struct {
	PositionState
	kind       string // the API's instrument type
	underlying market.Symbol
	contract   market.Contract // of options
	multiplier decimal.Decimal
	mark       decimal.NullDecimal // per unit
	prevClose  decimal.NullDecimal // per unit
	spot       decimal.NullDecimal // the underlying's mark
	expires    time.Time           // zero for shares
}

// value is quantity × multiplier × mark, negative for short positions; of futures
// the profit since they were opened, as nothing was paid for them. It is 0 when
// there is no mark.
func (h *holding) value() decimal.Decimal {
	if h.kind == "Future" {
		if !h.mark.Valid {
			return decimal.Zero
		}
		return h.mark.Decimal.Sub(h.AverageOpenPrice).Mul(h.Quantity).Mul(h.multiplier)
	}
	return h.Quantity.Mul(h.multiplier).Mul(h.mark.Decimal)
}

// holdings values the account's open positions, ordered by underlying and
// symbol. Settled is the cash that options brought which had expired by then
// (negative: cost), where nothing else tells.
func (s *Simulator) holdings(ctx context.Context, a *AccountState) (open []holding, settled decimal.Decimal, err error) {
	return s.holdingsAt(ctx, a, s.clock.Now(), s.market.Quotes)
}

// holdingsAt is holdings at another time, with the quotes of that time.
func (s *Simulator) holdingsAt(ctx context.Context, a *AccountState, now time.Time, quotesOf func(context.Context, []market.Symbol) ([]market.Quote, error)) (open []holding, settled decimal.Decimal, err error) {
	var wanted []market.Symbol
	for _, p := range a.Positions {
		h := s.holding(ctx, p)
		if h.kind == "Equity Option" && a.money == nil && !now.Before(h.expires) {
			value, err := s.settle(ctx, &h)
			if err != nil {
				return nil, decimal.Zero, err
			}
			settled = settled.Add(value)
			continue
		}
		open = append(open, h)
		wanted = append(wanted, p.Symbol)
		if h.underlying != p.Symbol {
			wanted = append(wanted, h.underlying)
		}
	}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	quotes := map[market.Symbol]market.Quote{}
	if len(wanted) > 0 {
		list, err := quotesOf(ctx, wanted)
		if err = absence(err); err != nil {
			return nil, decimal.Zero, err
		}
		for _, q := range list {
			quotes[q.Symbol] = q
		}
	}
	for i := range open {
		h := &open[i]
		if q, ok := quotes[h.Symbol]; ok {
			h.mark, h.prevClose = mark(q), number(q.PrevClose)
		}
		if q, ok := quotes[h.underlying]; ok {
			h.spot = mark(q)
		}
	}
	slices.SortFunc(open, func(a, b holding) int {
		return cmp.Or(cmp.Compare(a.underlying, b.underlying), cmp.Compare(a.Symbol, b.Symbol))
	})
	return open, settled, nil
}

// holding is a position with what its symbol says.
func (s *Simulator) holding(ctx context.Context, p PositionState) holding {
	h := holding{PositionState: p, kind: kindName(p.Symbol), underlying: p.Symbol, multiplier: decimal.NewFromInt(1)}
	i, known := s.instrument(ctx, p.Symbol)
	if known && i.Multiplier > 0 {
		h.multiplier = decimal.NewFromFloat(i.Multiplier)
	}
	switch h.kind {
	case "Equity Option":
		h.contract, _ = p.Symbol.Contract()
		h.underlying = s.underlyingOf(ctx, p.Symbol)
		if !known || !(i.Multiplier > 0) {
			h.multiplier = decimal.NewFromInt(100)
		}
		_, settlement, _ := h.contract.Terms()
		h.expires = options.ExpiryTime(h.contract.Expiration, settlement, s.calendar)
	case "Future Option":
		underlying, date, _, _, _ := futureOptionParts(p.Symbol)
		h.underlying = underlying
		h.expires = options.ExpiryTime(date, market.SettledPM, s.calendar)
	}
	return h
}

// mark is the middle of bid and ask, exactly, or the last trade when one of them is missing.
func mark(q market.Quote) decimal.NullDecimal {
	if q.Bid >= 0 && q.Ask > 0 && q.Bid <= q.Ask && !math.IsInf(q.Ask, 0) {
		sum := decimal.NewFromFloat(q.Bid).Add(decimal.NewFromFloat(q.Ask))
		return decimal.NewNullDecimal(sum.Mul(decimal.New(5, -1)))
	}
	return number(q.Last)
}

// number is x exactly as its shortest decimal says, invalid for NaN.
func number(x float64) decimal.NullDecimal {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(decimal.NewFromFloat(x))
}

// settle returns what an expired option was worth at the underlying's close of
// its last day, 0 when that is not known.
func (s *Simulator) settle(ctx context.Context, h *holding) (decimal.Decimal, error) {
	day := h.contract.Expiration.In(s.calendar.Location())
	bars, err := s.market.Bars(ctx, market.BarsRequest{Symbol: h.underlying, Interval: market.Day, From: day, To: day.AddDate(0, 0, 1)})
	if err = absence(err); err != nil || len(bars) == 0 {
		return decimal.Zero, err
	}
	last := decimal.NewFromFloat(bars[len(bars)-1].Close)
	inside := last.Sub(decimal.NewFromFloat(h.contract.Strike)).Mul(decimal.NewFromInt(int64(h.contract.Kind)))
	return decimal.Max(inside, decimal.Zero).Mul(h.Quantity).Mul(h.multiplier), nil
}

type wirePosition struct {
	AccountNumber                 string `json:"account-number"`
	Symbol                        string `json:"symbol"`
	InstrumentType                string `json:"instrument-type"`
	UnderlyingSymbol              string `json:"underlying-symbol"`
	Quantity                      any    `json:"quantity"` // a whole number, or a string when fractional
	QuantityDirection             string `json:"quantity-direction"`
	ClosePrice                    string `json:"close-price,omitempty"`
	AverageOpenPrice              string `json:"average-open-price"`
	AverageYearlyMarketClosePrice string `json:"average-yearly-market-close-price,omitempty"`
	AverageDailyMarketClosePrice  string `json:"average-daily-market-close-price,omitempty"`
	Mark                          string `json:"mark,omitempty"`
	MarkPrice                     string `json:"mark-price,omitempty"`
	Multiplier                    int64  `json:"multiplier"`
	CostEffect                    string `json:"cost-effect"`
	IsSuppressed                  bool   `json:"is-suppressed"`
	IsFrozen                      bool   `json:"is-frozen"`
	RestrictedQuantity            int    `json:"restricted-quantity"`
	ExpiresAt                     string `json:"expires-at,omitempty"`
	RealizedDayGain               string `json:"realized-day-gain"`
	RealizedDayGainEffect         string `json:"realized-day-gain-effect"`
	RealizedDayGainDate           string `json:"realized-day-gain-date"`
	RealizedToday                 string `json:"realized-today"`
	RealizedTodayEffect           string `json:"realized-today-effect"`
	RealizedTodayDate             string `json:"realized-today-date"`
	CreatedAt                     string `json:"created-at"`
	UpdatedAt                     string `json:"updated-at"`
}

// listPositions serves GET /accounts/{account}/positions. The marks come only
// with include-marks=true, as in the real service.
func (s *Simulator) listPositions(w http.ResponseWriter, r *http.Request) {
	a, ok := s.account(w, r)
	if !ok {
		return
	}
	open, _, err := s.holdings(r.Context(), a)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	query := r.URL.Query()
	marks, _ := strconv.ParseBool(query.Get("include-marks")) // absent or nonsense: false
	underlyings := append(query["underlying-symbol[]"], query["underlying-symbol"]...)
	list := []wirePosition{}
	for i := range open {
		h := &open[i]
		if symbol := query.Get("symbol"); symbol != "" && symbol != string(h.Symbol) {
			continue
		}
		if kind := query.Get("instrument-type"); kind != "" && kind != h.kind {
			continue
		}
		if len(underlyings) > 0 && !slices.Contains(underlyings, string(h.underlying)) {
			continue
		}
		list = append(list, s.wirePosition(a, h, marks))
	}
	writeItems(w, r, list, nil)
}

func (s *Simulator) wirePosition(a *AccountState, h *holding, marks bool) wirePosition {
	direction, effect := "Long", "Credit" // the effect of closing it
	if h.Quantity.IsNegative() {
		direction, effect = "Short", "Debit"
	}
	opened := h.OpenedAt
	if opened.IsZero() {
		opened = s.start
	}
	size := h.Quantity.Abs()
	var quantity any = size.String()
	if size.IsInteger() {
		quantity = size.IntPart()
	}
	day := market.DateOf(opened.In(s.calendar.Location())).String()
	gain, gainEffect := magnitude(h.realized)
	if !h.realized.IsZero() {
		day = s.today().String()
	}
	p := wirePosition{
		AccountNumber: a.Number, Symbol: string(h.Symbol), InstrumentType: h.kind, UnderlyingSymbol: string(h.underlying),
		Quantity: quantity, QuantityDirection: direction, CostEffect: effect,
		ClosePrice: nullText(h.prevClose), AverageOpenPrice: decimalText(h.AverageOpenPrice),
		AverageYearlyMarketClosePrice: decimalText(h.AverageOpenPrice), AverageDailyMarketClosePrice: nullText(h.prevClose),
		Multiplier: h.multiplier.IntPart(), ExpiresAt: wireTime(h.expires),
		RealizedDayGain: gain, RealizedDayGainEffect: gainEffect, RealizedDayGainDate: day,
		RealizedToday: gain, RealizedTodayEffect: gainEffect, RealizedTodayDate: day,
		CreatedAt: wireTime(opened), UpdatedAt: wireTime(opened),
	}
	if marks && h.mark.Valid {
		p.MarkPrice = decimalText(h.mark.Decimal)
		p.Mark = decimalText(h.value().Abs())
	}
	return p
}

// decimalText writes a number the way the service does: plain, with at least
// one digit after the point.
func decimalText(d decimal.Decimal) string {
	if d.Equal(d.Truncate(0)) {
		return d.StringFixed(1)
	}
	return d.String()
}

func nullText(d decimal.NullDecimal) string {
	if !d.Valid {
		return ""
	}
	return decimalText(d.Decimal)
}

// floatText is decimalText of a float, "" for NaN.
func floatText(x float64) string { return nullText(number(x)) }
