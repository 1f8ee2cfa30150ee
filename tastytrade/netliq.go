package tastytrade

import (
	"context"
	"net/url"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A NetLiqBar is what an account was worth during one interval, in dollars. Nil
// means that the broker did not say.
type NetLiqBar struct {
	Object
	Time time.Time `json:"time"`

	// Positions and cash, without what is pending.
	Open  *decimal.Decimal `json:"open"`
	High  *decimal.Decimal `json:"high"`
	Low   *decimal.Decimal `json:"low"`
	Close *decimal.Decimal `json:"close"`

	// Money on its way in or out.
	PendingCashOpen  *decimal.Decimal `json:"pending-cash-open"`
	PendingCashHigh  *decimal.Decimal `json:"pending-cash-high"`
	PendingCashLow   *decimal.Decimal `json:"pending-cash-low"`
	PendingCashClose *decimal.Decimal `json:"pending-cash-close"`

	// Both together.
	TotalOpen  *decimal.Decimal `json:"total-open"`
	TotalHigh  *decimal.Decimal `json:"total-high"`
	TotalLow   *decimal.Decimal `json:"total-low"`
	TotalClose *decimal.Decimal `json:"total-close"`
}

var netLiqBarCodec = codecFor[NetLiqBar]()

// UnmarshalJSON keeps the JSON; see [Object].
func (n *NetLiqBar) UnmarshalJSON(data []byte) error { return netLiqBarCodec.unmarshal(data, n) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (n NetLiqBar) MarshalJSON() ([]byte, error) { return netLiqBarCodec.marshal(n) }

// NetLiq is what an account is worth now, in dollars.
type NetLiq struct {
	Object
	AccountNumber       AccountNumber    `json:"account-number"`
	NetLiquidatingValue *decimal.Decimal `json:"net-liquidating-value"`
	UpdatedAt           time.Time        `json:"updated-at"`
}

var netLiqCodec = codecFor[NetLiq]()

// UnmarshalJSON keeps the JSON; see [Object].
func (n *NetLiq) UnmarshalJSON(data []byte) error { return netLiqCodec.unmarshal(data, n) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (n NetLiq) MarshalJSON() ([]byte, error) { return netLiqCodec.marshal(n) }

// A TimeBack is a span that ends now.
type TimeBack string

// The spans of a net-liq history.
const (
	OneDay      TimeBack = "1d"
	OneWeek     TimeBack = "1w"
	OneMonth    TimeBack = "1m"
	ThreeMonths TimeBack = "3m"
	SixMonths   TimeBack = "6m"
	OneYear     TimeBack = "1y"
	AllTime     TimeBack = "all"
)

// NetLiqHistoryOptions say which part of a history to read: either Back, or
// Start and perhaps End. The zero value leaves the choice to the broker.
type NetLiqHistoryOptions struct {
	Back       TimeBack
	Start, End time.Time
	Interval   string // the length of a bar, by the broker's names; empty: its choice
}

// NetLiqService reads what accounts were worth. The sandbox does not have it.
type NetLiqService struct{ client *Client }

// History returns what an account was worth over time, oldest first.
//
// GET /accounts/{account}/net-liq/history
func (s *NetLiqService) History(ctx context.Context, account AccountNumber, opts *NetLiqHistoryOptions) ([]NetLiqBar, error) {
	q := url.Values{}
	if opts != nil {
		if opts.Back != "" && !(opts.Start.IsZero() && opts.End.IsZero()) {
			return nil, invalid.Field("Back", string(opts.Back), "nothing beside Start and End")
		}
		set(q, "time-back", string(opts.Back))
		instant(q, "start-time", opts.Start)
		instant(q, "end-time", opts.End)
		set(q, "interval", opts.Interval)
	}
	out, _, err := many[NetLiqBar](ctx, s.client, get("/accounts/{account}/net-liq/history", string(account)).with(q), netLiqBarCodec)
	return out, err
}

// Current returns what an account is worth now. The broker does not document
// this route, and may change it or take it away.
//
// GET /accounts/{account}/net-liq
func (s *NetLiqService) Current(ctx context.Context, account AccountNumber) (*NetLiq, error) {
	return one[NetLiq](ctx, s.client, get("/accounts/{account}/net-liq", string(account)), netLiqCodec)
}
