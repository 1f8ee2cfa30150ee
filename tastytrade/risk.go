package tastytrade

import (
	"context"
	"iter"
	"net/url"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A MarginRequirement is what a position in one underlying requires: parts of
// its value, where 1 is all of it, but dollars for the floor of a naked option.
type MarginRequirement struct {
	Object
	UnderlyingSymbol       string           `json:"underlying-symbol"`
	LongEquityInitial      *decimal.Decimal `json:"long-equity-initial"`
	LongEquityMaintenance  *decimal.Decimal `json:"long-equity-maintenance"`
	ShortEquityInitial     *decimal.Decimal `json:"short-equity-initial"`
	ShortEquityMaintenance *decimal.Decimal `json:"short-equity-maintenance"`
	NakedOptionStandard    *decimal.Decimal `json:"naked-option-standard"`
	NakedOptionMinimum     *decimal.Decimal `json:"naked-option-minimum"`
	NakedOptionFloor       *decimal.Decimal `json:"naked-option-floor"` // dollars
	ClearingIdentifier     string           `json:"clearing-identifier"`
	IsDeleted              bool             `json:"is-deleted"`
}

var marginRequirementCodec = codecFor[MarginRequirement]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginRequirement) UnmarshalJSON(data []byte) error {
	return marginRequirementCodec.unmarshal(data, m)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginRequirement) MarshalJSON() ([]byte, error) { return marginRequirementCodec.marshal(m) }

// A PositionLimit is how much an account may hold and order, in shares and
// contracts; nil where the broker does not say.
type PositionLimit struct {
	Object
	ID                          ID            `json:"id"`
	AccountNumber               AccountNumber `json:"account-number"`
	EquityOrderSize             *int          `json:"equity-order-size"`
	EquityOptionOrderSize       *int          `json:"equity-option-order-size"`
	FutureOrderSize             *int          `json:"future-order-size"`
	FutureOptionOrderSize       *int          `json:"future-option-order-size"`
	UnderlyingOpeningOrderLimit *int          `json:"underlying-opening-order-limit"`
	EquityPositionSize          *int          `json:"equity-position-size"`
	EquityOptionPositionSize    *int          `json:"equity-option-position-size"`
	FuturePositionSize          *int          `json:"future-position-size"`
	FutureOptionPositionSize    *int          `json:"future-option-position-size"`
}

var positionLimitCodec = codecFor[PositionLimit]()

// UnmarshalJSON keeps the JSON; see [Object].
func (p *PositionLimit) UnmarshalJSON(data []byte) error {
	return positionLimitCodec.unmarshal(data, p)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (p PositionLimit) MarshalJSON() ([]byte, error) { return positionLimitCodec.marshal(p) }

// MarginConfiguration is what the broker's margin calculations assume.
type MarginConfiguration struct {
	Object
	RiskFreeRate *decimal.Decimal `json:"risk-free-rate"` // a decimal: 0.0025 is a quarter of a percent
}

var marginConfigurationCodec = codecFor[MarginConfiguration]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginConfiguration) UnmarshalJSON(data []byte) error {
	return marginConfigurationCodec.unmarshal(data, m)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginConfiguration) MarshalJSON() ([]byte, error) {
	return marginConfigurationCodec.marshal(m)
}

// A SPANRow is one line of an exchange's SPAN risk file.
type SPANRow struct {
	Object
	FileDate Date   `json:"file-date"`
	RowIndex *int   `json:"row-index"`
	Exchange string `json:"exchange"`
	RowData  string `json:"row-data"`
}

var spanRowCodec = codecFor[SPANRow]()

// UnmarshalJSON keeps the JSON; see [Object].
func (s *SPANRow) UnmarshalJSON(data []byte) error { return spanRowCodec.unmarshal(data, s) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (s SPANRow) MarshalJSON() ([]byte, error) { return spanRowCodec.marshal(s) }

// RiskService reads the parameters behind margins and limits.
type RiskService struct{ client *Client }

// MarginRequirement returns what a position in an underlying requires in an
// account.
//
// GET /accounts/{account}/margin-requirements/{underlying}/effective
func (s *RiskService) MarginRequirement(ctx context.Context, account AccountNumber, underlying string) (*MarginRequirement, error) {
	return one[MarginRequirement](ctx, s.client, get("/accounts/{account}/margin-requirements/{underlying}/effective", string(account), underlying), marginRequirementCodec)
}

// PositionLimit returns how much an account may hold and order.
//
// GET /accounts/{account}/position-limit
func (s *RiskService) PositionLimit(ctx context.Context, account AccountNumber) (*PositionLimit, error) {
	return one[PositionLimit](ctx, s.client, get("/accounts/{account}/position-limit", string(account)), positionLimitCodec)
}

// Configuration returns what the margin calculations assume. The route is
// public: no token is sent.
//
// GET /margin-requirements-public-configuration
func (s *RiskService) Configuration(ctx context.Context) (*MarginConfiguration, error) {
	r := get("/margin-requirements-public-configuration")
	r.public = true
	return one[MarginConfiguration](ctx, s.client, r, marginConfigurationCodec)
}

// SPANOptions say which rows of a SPAN file to read. Date and Exchange are
// required.
type SPANOptions struct {
	Date       Date
	Exchange   string // "CME" or "CFE"
	PerPage    int    // 0: the broker's 1000; the most is 50,000
	PageOffset int    // index of the page
}

func (o SPANOptions) query() (url.Values, error) {
	if o.Date.IsZero() {
		return nil, invalid.Missing("Date", "the day of the file")
	}
	if o.Exchange == "" {
		return nil, invalid.Missing("Exchange", "CME or CFE")
	}
	q := url.Values{"date": {o.Date.String()}, "exchange": {o.Exchange}}
	return q, paging(q, o.PerPage, o.PageOffset, 50000)
}

// SPANRows returns one page of a SPAN file.
//
// GET /span/rows
func (s *RiskService) SPANRows(ctx context.Context, opts SPANOptions) (*Page[SPANRow], error) {
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	return paged[SPANRow](ctx, s.client, get("/span/rows").with(q), spanRowCodec)
}

// AllSPANRows is SPANRows for as many pages as the loop needs.
//
// GET /span/rows
func (s *RiskService) AllSPANRows(ctx context.Context, opts SPANOptions) iter.Seq2[SPANRow, error] {
	return pages(func(offset int) (*Page[SPANRow], error) {
		o := opts
		o.PageOffset = offset
		return s.SPANRows(ctx, o)
	}, opts.PageOffset)
}
