package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Mode says how far a [Guard] goes.
type Mode string

// The modes.
const (
	// ModeOff: accounts are read and nothing else. It is the zero value.
	ModeOff Mode = ""
	// ModePreview: orders are previewed and cannot be submitted.
	ModePreview Mode = "preview"
	// ModeTrade: orders are submitted within the limits, each with an approval.
	ModeTrade Mode = "trade"
)

// A Hours says when orders may be sent.
type Hours string

// The hours. Each instrument has its own: shares, options, index options, futures;
// coins trade always.
const (
	HoursRegular  Hours = ""         // while the instrument's regular session is open
	HoursExtended Hours = "extended" // before and after it too, on its days
	HoursAny      Hours = "any"      // always: the broker keeps orders until the market opens
)

// A Cap is the most of something. The zero value is a cap of nothing: what the
// operator did not write is not allowed. In JSON it is a number, in digits or as a
// string, or "none" for no cap.
type Cap struct {
	amount decimal.Decimal
	none   bool
	set    bool
}

// CapOf returns a cap of an amount.
func CapOf(amount decimal.Decimal) Cap { return Cap{amount: amount, set: true} }

// CapInt returns a cap of a whole number.
func CapInt(n int64) Cap { return CapOf(decimal.NewFromInt(n)) }

// NoCap returns the cap that allows any amount, known or not.
func NoCap() Cap { return Cap{none: true, set: true} }

// Unlimited tells whether there is no cap.
func (c Cap) Unlimited() bool { return c.none }

// Amount is the cap; zero when there is none.
func (c Cap) Amount() decimal.Decimal { return c.amount }

// Allows tells whether amount is within the cap. Nil is not known, which only no
// cap allows.
func (c Cap) Allows(amount *decimal.Decimal) bool {
	return c.none || amount != nil && amount.LessThanOrEqual(c.amount)
}

// String returns the amount, or "none".
func (c Cap) String() string {
	if c.none {
		return "none"
	}
	return c.amount.String()
}

// MarshalJSON writes a string.
func (c Cap) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// UnmarshalJSON reads a number, its digits as a string, or "none".
func (c *Cap) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text != "null" {
		var unquoted string
		if json.Unmarshal(data, &unquoted) == nil {
			text = unquoted
		}
		if text == "none" {
			*c = NoCap()
			return nil
		}
		if d, err := decimal.NewFromString(text); err == nil && d.Sign() >= 0 && len(text) <= 40 && d.Exponent() >= -18 && d.Exponent() <= 18 {
			*c = CapOf(d)
			return nil
		}
	}
	return invalid.Field("cap", text, `an amount of at least 0, or "none"`)
}

// A Window is a length of time that is written "90s" or "5m" in JSON.
type Window time.Duration

// String returns it as time.Duration does.
func (w Window) String() string { return time.Duration(w).String() }

// MarshalText writes it as time.Duration does.
func (w Window) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what time.ParseDuration does.
func (w *Window) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return invalid.Field("window", string(text), `a length of time such as "90s" or "5m"`)
	}
	*w = Window(d)
	return nil
}

// Limits are what the operator allows, in writing. The zero value allows nothing.
// Every cap that is not written is a cap of nothing.
//
// Caps marked [opening] hold for orders that open or enlarge a position; what only
// closes what is held may pass them, so that one can always get out. All others
// hold for every order that is placed or replaced. None holds for cancels.
type Limits struct {
	Mode Mode `json:"mode"`
	// Accounts are the only ones that may trade; "*" stands for all that the
	// credentials reach.
	Accounts []AccountID `json:"accounts"`
	// Symbols are the only underlyings that may be opened, by their own symbols
	// ("SPY", also for options on it; "/ES" for all its futures); "*" stands for
	// all. [opening]
	Symbols []market.Symbol `json:"symbols"`
	// Kinds are the only kinds of instruments that may be opened; empty stands for
	// shares and options on them. [opening]
	Kinds []market.InstrumentKind `json:"kinds,omitempty"`

	// MaxOrderLoss is the worst-case loss of one order. [opening]
	MaxOrderLoss Cap `json:"max_order_loss"`
	// MaxOrderNotional is the money that one order moves or controls: price ×
	// quantity of shares, strike × 100 × contracts of options, where bought and
	// sold options of one order count once. [opening]
	MaxOrderNotional Cap `json:"max_order_notional"`
	// MaxContracts and MaxShares are the quantity of one leg.
	MaxContracts Cap `json:"max_contracts"`
	MaxShares    Cap `json:"max_shares"`

	// MaxDailyOrders is how many orders may be sent on one day of New York, over all
	// accounts and processes; each order of a group counts, and a rejected one too.
	MaxDailyOrders Cap `json:"max_daily_orders"`
	// MaxDailyLoss is what one account may lose on one day: what was lost so far,
	// realised and open, plus the worst case of every order that may still fill
	// and of this one. [opening]
	MaxDailyLoss Cap `json:"max_daily_loss"`
	// MaxOpenNotional is the notional of all orders of an account that may still
	// fill, this one included. [opening]
	MaxOpenNotional Cap `json:"max_open_notional"`
	// MaxSymbolRisk and MaxPortfolioRisk are the worst-case loss of all that is held
	// and ordered in one underlying, and in all, as a fraction of the account's net
	// liquidating value: 0.05 is 5 %. [opening]
	MaxSymbolRisk    Cap `json:"max_symbol_risk"`
	MaxPortfolioRisk Cap `json:"max_portfolio_risk"`
	// MinBuyingPower must be left after the order and all that are under way; "none"
	// leaves it to the broker. [opening]
	MinBuyingPower Cap `json:"min_buying_power"`

	// NakedShort allows selling options and shares that nothing held or bought in
	// the same order covers.
	NakedShort bool `json:"naked_short"`
	// ZeroDTE allows opening options on the day they expire.
	ZeroDTE bool `json:"zero_dte"`
	// Hours say when orders may be sent.
	Hours Hours `json:"hours,omitempty"`
	// PriceBand is how much worse than the middle of bid and ask the price may be,
	// as a fraction of the middle: 0.1 is 10 %. A market order's price is the far
	// side of the quote. "none" does without quotes.
	PriceBand Cap `json:"price_band"`
	// PriceBandAmount is allowed in any case, per unit, so that cheap options and
	// spreads near zero can trade; zero when it is left out.
	PriceBandAmount decimal.Decimal `json:"price_band_amount,omitzero"`
	// MaxQuoteAge is how old a quote may be; an older one, and that of a halted
	// instrument, is not known. Zero does not look at the age.
	MaxQuoteAge Window `json:"max_quote_age,omitempty"`
	// DuplicateWindow is how long after an order the same legs in the same quantities
	// are refused for the account, at whatever price. Zero does not look for
	// duplicates.
	DuplicateWindow Window `json:"duplicate_window,omitempty"`

	// FreeCancels lets cancels pass without an approval, except of orders that
	// protect a position.
	FreeCancels bool `json:"free_cancels"`
	// Approval says which approvals are needed.
	Approval ApprovalRules `json:"approval"`
}

// ApprovalRules say what grade of approval an order needs.
type ApprovalRules struct {
	// Grade is for every order; "none" stands for the environment's own: for real
	// money [GradePasskey], otherwise [GradePolicy].
	Grade Grade `json:"grade,omitempty"`
	// Lowered must be [LoweringSentence] of Grade, word for word, when Grade is below
	// GradePasskey and the money is real. It must be empty otherwise.
	Lowered string `json:"lowered,omitempty"`
	// Above asks for more for larger orders, by worst-case loss or notional,
	// whichever is larger. It never asks for less.
	Above []Tier `json:"above,omitempty"`
	// Valid is how long a preview and its approval hold; two minutes when zero, at
	// most an hour.
	Valid Window `json:"valid,omitempty"`
}

// A Tier is a grade for orders larger than an amount.
type Tier struct {
	Amount decimal.Decimal `json:"amount"`
	Grade  Grade           `json:"grade"`
}

// LoweringSentence is what an operator writes to let approvals of a lower grade
// move real money.
func LoweringSentence(g Grade) string {
	return fmt.Sprintf("I accept that approvals of grade %s move my real money, and that a program running as my user can forge them.", g)
}

// PaperLimits are generous limits for accounts without real money: everything is
// allowed but naked shorts, within 100,000 of loss an order and 1,000 orders a
// day. On real money they are only as good as what is changed of them.
func PaperLimits() Limits {
	return Limits{
		Mode: ModeTrade, Accounts: []AccountID{"*"}, Symbols: []market.Symbol{"*"},
		MaxOrderLoss: CapInt(100_000), MaxOrderNotional: CapInt(1_000_000), MaxContracts: CapInt(100), MaxShares: CapInt(10_000),
		MaxDailyOrders: CapInt(1_000), MaxDailyLoss: NoCap(), MaxOpenNotional: NoCap(), MaxSymbolRisk: NoCap(), MaxPortfolioRisk: NoCap(),
		MinBuyingPower: CapInt(0), PriceBand: NoCap(), ZeroDTE: true, FreeCancels: true,
	}
}

// ParseLimits reads limits as JSON. A field that it does not know is refused, so
// that a mistyped limit is not a missing one. With any error the result is the
// zero value: trading is off.
func ParseLimits(data []byte) (Limits, error) {
	var l Limits
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return Limits{}, fmt.Errorf("reading limits: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Limits{}, fmt.Errorf("reading limits: %w", invalid.Missing("limits", "one JSON object and nothing after it"))
	}
	if err := noRepeats(data); err != nil {
		return Limits{}, fmt.Errorf("reading limits: %w", err)
	}
	if err := l.Validate(); err != nil {
		return Limits{}, err
	}
	return l, nil
}

// noRepeats refuses a name that stands twice in an object: which of the two holds
// is not for a parser to choose.
func noRepeats(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	var open []map[string]bool // names seen in each object; nil for an array
	var named bool             // a name came, and its value is next
	for {
		token, err := d.Token()
		if err != nil {
			return nil // the end; errors were found before
		}
		inObject := len(open) > 0 && open[len(open)-1] != nil
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				open, named = append(open, map[string]bool{}), false
			case '[':
				open, named = append(open, nil), false
			default:
				open, named = open[:len(open)-1], false
			}
		case string:
			if inObject && !named {
				name := strings.ToLower(t)
				if open[len(open)-1][name] {
					return invalid.Field(t, nil, "each name once")
				}
				open[len(open)-1][name] = true
				named = true
				continue
			}
			named = false
		default:
			named = false
		}
	}
}

// Validate checks that the limits make sense. The error joins a *FieldError for
// each that does not, by its name in JSON. While the mode is off nothing else is
// looked at.
func (l *Limits) Validate() error {
	var errs []error
	wrong := func(field string, value any, allowed string) {
		errs = append(errs, invalid.Field(field, value, allowed))
	}
	switch l.Mode {
	case ModeOff:
		return nil
	case ModePreview, ModeTrade:
	default:
		wrong("mode", string(l.Mode), "nothing for off, preview or trade")
	}
	if len(l.Accounts) == 0 {
		wrong("accounts", nil, `account numbers, or "*" for all`)
	}
	if len(l.Symbols) == 0 {
		wrong("symbols", nil, `underlyings, or "*" for all`)
	}
	for i, s := range l.Symbols {
		if normal, err := market.ParseSymbol(string(s)); s != "*" && (err != nil || normal != s || s.Kind() == market.KindOption) {
			wrong(fmt.Sprintf("symbols[%d]", i), string(s), `an underlying's symbol, or "*" for all`)
		}
	}
	for i, k := range l.Kinds {
		if !slices.Contains(knownKinds, k) {
			wrong(fmt.Sprintf("kinds[%d]", i), string(k), "equity, option, future, future option or crypto")
		}
	}
	for _, c := range l.caps() {
		if !c.cap.set {
			wrong(c.name, nil, `an amount, or "none"; what is left out allows nothing`)
		}
		if c.cap.amount.Sign() < 0 {
			wrong(c.name, c.cap.amount, "an amount of at least 0")
		}
	}
	if !slices.Contains([]Hours{HoursRegular, HoursExtended, HoursAny}, l.Hours) {
		wrong("hours", string(l.Hours), "nothing for the regular session, extended or any")
	}
	if l.PriceBandAmount.Sign() < 0 {
		wrong("price_band_amount", l.PriceBandAmount, "an amount of at least 0")
	}
	if l.MaxQuoteAge < 0 {
		wrong("max_quote_age", l.MaxQuoteAge, "a length of time")
	}
	if l.DuplicateWindow < 0 || l.DuplicateWindow > Window(24*time.Hour) {
		wrong("duplicate_window", l.DuplicateWindow, "up to 24h")
	}
	l.Approval.validate(wrong)
	return errors.Join(errs...)
}

var knownKinds = []market.InstrumentKind{market.KindEquity, market.KindOption, market.KindFuture, market.KindFutureOption, market.KindCrypto}

type namedCap struct {
	name string
	cap  Cap
}

func (l *Limits) caps() []namedCap {
	return []namedCap{
		{"max_order_loss", l.MaxOrderLoss}, {"max_order_notional", l.MaxOrderNotional},
		{"max_contracts", l.MaxContracts}, {"max_shares", l.MaxShares},
		{"max_daily_orders", l.MaxDailyOrders}, {"max_daily_loss", l.MaxDailyLoss}, {"max_open_notional", l.MaxOpenNotional},
		{"max_symbol_risk", l.MaxSymbolRisk}, {"max_portfolio_risk", l.MaxPortfolioRisk},
		{"min_buying_power", l.MinBuyingPower}, {"price_band", l.PriceBand},
	}
}

func (r *ApprovalRules) validate(wrong func(field string, value any, allowed string)) {
	if r.Grade < GradeNone || r.Grade > GradeAnotherAccount {
		wrong("approval.grade", int(r.Grade), "a known grade")
	}
	if r.Lowered != "" && r.Lowered != LoweringSentence(r.Grade) {
		wrong("approval.lowered", r.Lowered, fmt.Sprintf("nothing, or the sentence %q", LoweringSentence(r.Grade)))
	}
	for i, t := range r.Above {
		if t.Amount.Sign() < 0 {
			wrong(fmt.Sprintf("approval.above[%d].amount", i), t.Amount, "an amount of at least 0")
		}
		if t.Grade <= GradeNone || t.Grade > GradeAnotherAccount {
			wrong(fmt.Sprintf("approval.above[%d].grade", i), int(t.Grade), "a known grade above none")
		}
	}
	if r.Valid < 0 || r.Valid > Window(time.Hour) {
		wrong("approval.valid", r.Valid, "up to 1h")
	}
}

// required returns the grade that an order needs. Amounts that are not known
// count as larger than every tier.
func (r *ApprovalRules) required(e Environment, loss Loss, notional *decimal.Decimal) (Grade, error) {
	grade := r.Grade
	if grade == GradeNone {
		grade = GradePolicy
		if e.Real() {
			grade = GradePasskey
		}
	}
	if e.Real() && grade < GradePasskey && r.Lowered != LoweringSentence(grade) {
		return GradePasskey, invalid.Field("approval.lowered", r.Lowered, fmt.Sprintf("for real money and grade %s the sentence %q", grade, LoweringSentence(grade)))
	}
	for _, t := range r.Above {
		within := loss.Amount != nil && loss.Amount.LessThanOrEqual(t.Amount) && notional != nil && notional.LessThanOrEqual(t.Amount)
		if !within {
			grade = max(grade, t.Grade)
		}
	}
	return grade, nil
}

// valid is Valid with its default.
func (r *ApprovalRules) valid() time.Duration {
	if r.Valid == 0 {
		return 2 * time.Minute
	}
	return time.Duration(r.Valid)
}
