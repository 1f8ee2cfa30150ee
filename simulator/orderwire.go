package simulator

import (
	"time"

	"github.com/shopspring/decimal"
)

// An orderRequest is the body of an order to be placed, tried or changed.
type orderRequest struct {
	OrderType            string           `json:"order-type,omitempty"`
	TimeInForce          string           `json:"time-in-force,omitempty"`
	GTCDate              string           `json:"gtc-date,omitempty"`
	Price                *decimal.Decimal `json:"price,omitempty"`
	PriceEffect          string           `json:"price-effect,omitempty"`
	StopTrigger          *decimal.Decimal `json:"stop-trigger,omitempty"`
	Value                *decimal.Decimal `json:"value,omitempty"`
	ValueEffect          string           `json:"value-effect,omitempty"`
	Legs                 []legRequest     `json:"legs,omitempty"`
	Rules                *ruleRequest     `json:"rules,omitempty"`
	AdvancedInstructions struct {
		Strict bool `json:"strict-position-effect-validation,omitempty"`
	} `json:"advanced-instructions,omitzero"`
	ExternalIdentifier string `json:"external-identifier,omitempty"`
	Source             string `json:"source,omitempty"`
	PreflightID        string `json:"preflight-id,omitempty"`
}

type legRequest struct {
	Action         string          `json:"action"`
	InstrumentType string          `json:"instrument-type"`
	Symbol         string          `json:"symbol"`
	Quantity       decimal.Decimal `json:"quantity"`
}

type ruleRequest struct {
	RouteAfter *time.Time      `json:"route-after,omitempty"`
	CancelAt   *time.Time      `json:"cancel-at,omitempty"`
	Conditions []wireCondition `json:"conditions,omitempty"`
}

// A complexRequest is the body of a complex order.
type complexRequest struct {
	Type            string           `json:"type"`
	TriggerOrder    *orderRequest    `json:"trigger-order"`
	Orders          []orderRequest   `json:"orders"`
	RatioComparator string           `json:"ratio-price-comparator"`
	RatioThreshold  *decimal.Decimal `json:"ratio-price-threshold"`
	RatioNotional   bool             `json:"ratio-price-is-threshold-based-on-notional"`
}

// A wireOrder is an order as the API shows it.
type wireOrder struct {
	ID                     int64     `json:"id,omitempty"` // none in a dry run
	AccountNumber          string    `json:"account-number"`
	CancelUserID           string    `json:"cancel-user-id,omitempty"`
	CancelUsername         string    `json:"cancel-username,omitempty"`
	Cancellable            bool      `json:"cancellable"`
	CancelledAt            string    `json:"cancelled-at,omitempty"`
	ComplexOrderID         int64     `json:"complex-order-id,omitempty"`
	ComplexOrderTag        string    `json:"complex-order-tag,omitempty"`
	ContingentStatus       string    `json:"contingent-status,omitempty"`
	DestinationVenue       string    `json:"destination-venue,omitempty"`
	Editable               bool      `json:"editable"`
	Edited                 bool      `json:"edited"`
	ExtClientOrderID       string    `json:"ext-client-order-id,omitempty"`
	ExtExchangeOrderNumber string    `json:"ext-exchange-order-number,omitempty"`
	ExtGlobalOrderNumber   int64     `json:"ext-global-order-number,omitempty"`
	ExternalIdentifier     string    `json:"external-identifier,omitempty"`
	GlobalRequestID        string    `json:"global-request-id,omitempty"`
	GTCDate                string    `json:"gtc-date,omitempty"`
	InFlightAt             string    `json:"in-flight-at,omitempty"`
	LegCount               int       `json:"leg-count,omitempty"`
	LiveAt                 string    `json:"live-at,omitempty"`
	OrderType              string    `json:"order-type"`
	PreflightID            string    `json:"preflight-id,omitempty"`
	Price                  string    `json:"price,omitempty"`
	PriceEffect            string    `json:"price-effect,omitempty"`
	ReceivedAt             string    `json:"received-at,omitempty"`
	RejectReason           string    `json:"reject-reason,omitempty"`
	ReplacesOrderID        int64     `json:"replaces-order-id,omitempty"`
	ReplacingOrderID       int64     `json:"replacing-order-id,omitempty"`
	Size                   any       `json:"size"`
	Source                 string    `json:"source,omitempty"`
	Status                 string    `json:"status"`
	StopTrigger            string    `json:"stop-trigger,omitempty"`
	TerminalAt             string    `json:"terminal-at,omitempty"`
	TimeInForce            string    `json:"time-in-force"`
	UnderlyingType         string    `json:"underlying-instrument-type"`
	UnderlyingSymbol       string    `json:"underlying-symbol"`
	UpdatedAt              int64     `json:"updated-at"` // milliseconds; 0 in a dry run
	UserID                 string    `json:"user-id,omitempty"`
	Username               string    `json:"username,omitempty"`
	Value                  string    `json:"value,omitempty"`
	ValueEffect            string    `json:"value-effect,omitempty"`
	Legs                   []wireLeg `json:"legs"`
	Rules                  *wireRule `json:"rules,omitempty"`
}

type wireLeg struct {
	Action            string     `json:"action"`
	InstrumentType    string     `json:"instrument-type"`
	Symbol            string     `json:"symbol"`
	Quantity          any        `json:"quantity,omitempty"`
	RemainingQuantity any        `json:"remaining-quantity,omitempty"`
	Fills             []wireFill `json:"fills"`
}

type wireFill struct {
	DestinationVenue string `json:"destination-venue"`
	ExtExecID        string `json:"ext-exec-id"`
	ExtGroupFillID   string `json:"ext-group-fill-id"`
	FillID           string `json:"fill-id"`
	FillPrice        string `json:"fill-price"`
	FilledAt         string `json:"filled-at"`
	Quantity         any    `json:"quantity"`
}

type wireRule struct {
	RouteAfter  string          `json:"route-after,omitempty"`
	RoutedAt    string          `json:"routed-at,omitempty"`
	CancelAt    string          `json:"cancel-at,omitempty"`
	CancelledAt string          `json:"cancelled-at,omitempty"`
	Conditions  []wireCondition `json:"conditions"`
}

type wireCondition struct {
	ID              int64            `json:"id,omitempty"`
	Action          string           `json:"action"`
	Symbol          string           `json:"symbol,omitempty"`
	InstrumentType  string           `json:"instrument-type,omitempty"`
	Indicator       string           `json:"indicator"`
	Comparator      string           `json:"comparator"`
	Threshold       wireAmount       `json:"threshold"`
	Notional        bool             `json:"is-threshold-based-on-notional"`
	TriggeredAt     string           `json:"triggered-at,omitempty"`
	TriggeredValue  string           `json:"triggered-value,omitempty"`
	PriceComponents []priceComponent `json:"price-components"`
}

type priceComponent struct {
	Symbol            string       `json:"symbol"`
	InstrumentType    string       `json:"instrument-type"`
	Quantity          wireQuantity `json:"quantity"`
	QuantityDirection string       `json:"quantity-direction"`
}

// A wireComplex is a complex order as the API shows it.
type wireComplex struct {
	ID              int64         `json:"id,omitempty"`
	AccountNumber   string        `json:"account-number"`
	Type            string        `json:"type"`
	RatioComparator string        `json:"ratio-price-comparator,omitempty"`
	RatioNotional   *bool         `json:"ratio-price-is-threshold-based-on-notional,omitempty"`
	RatioThreshold  string        `json:"ratio-price-threshold,omitempty"`
	TerminalAt      string        `json:"terminal-at,omitempty"`
	RelatedOrders   []wireRelated `json:"related-orders,omitempty"`
	Orders          []wireOrder   `json:"orders"`
	TriggerOrder    *wireOrder    `json:"trigger-order,omitempty"`
}

type wireRelated struct {
	ID               int64  `json:"id"`
	ComplexOrderID   int64  `json:"complex-order-id"`
	ComplexOrderTag  string `json:"complex-order-tag"`
	ReplacesOrderID  int64  `json:"replaces-order-id,omitempty"`
	ReplacingOrderID int64  `json:"replacing-order-id,omitempty"`
	Status           string `json:"status"`
}

// A placedAnswer is what placing and trying answer with.
type placedAnswer struct {
	BuyingPowerEffect *wirePowerEffect `json:"buying-power-effect,omitempty"`
	FeeCalculation    *wireFees        `json:"fee-calculation,omitempty"`
	Order             *wireOrder       `json:"order,omitempty"`
	ComplexOrder      *wireComplex     `json:"complex-order,omitempty"`
	Warnings          []wireNotice     `json:"warnings"`
}

type wireNotice struct {
	Code        string `json:"code"`
	Message     string `json:"message"`
	PreflightID string `json:"preflight-id,omitempty"`
}

type wirePowerEffect struct {
	ChangeInMargin       string `json:"change-in-margin-requirement"`
	ChangeInMarginEffect string `json:"change-in-margin-requirement-effect"`
	ChangeInPower        string `json:"change-in-buying-power"`
	ChangeInPowerEffect  string `json:"change-in-buying-power-effect"`
	CurrentPower         string `json:"current-buying-power"`
	CurrentPowerEffect   string `json:"current-buying-power-effect"`
	NewPower             string `json:"new-buying-power"`
	NewPowerEffect       string `json:"new-buying-power-effect"`
	Isolated             string `json:"isolated-order-margin-requirement"`
	IsolatedEffect       string `json:"isolated-order-margin-requirement-effect"`
	IsSpread             bool   `json:"is-spread"`
	Impact               string `json:"impact"`
	Effect               string `json:"effect"`
}

type wireFeePart struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Effect string `json:"effect"`
}

type wireFees struct {
	Regulatory           string        `json:"regulatory-fees"`
	RegulatoryEffect     string        `json:"regulatory-fees-effect"`
	RegulatoryBreakdown  []wireFeePart `json:"regulatory-fees-breakdown"`
	Clearing             string        `json:"clearing-fees"`
	ClearingEffect       string        `json:"clearing-fees-effect"`
	ClearingBreakdown    []wireFeePart `json:"clearing-fees-breakdown"`
	Commission           string        `json:"commission"`
	CommissionEffect     string        `json:"commission-effect"`
	CommissionBreakdown  []wireFeePart `json:"commission-breakdown"`
	Proprietary          string        `json:"proprietary-index-option-fees"`
	ProprietaryEffect    string        `json:"proprietary-index-option-fees-effect"`
	ProprietaryBreakdown []wireFeePart `json:"proprietary-fees-breakdown"`
	Total                string        `json:"total-fees"`
	TotalEffect          string        `json:"total-fees-effect"`
	Rebates              string        `json:"rebates"`
	RebatesEffect        string        `json:"rebates-effect"`
	RebatesBreakdown     []wireFeePart `json:"rebates-breakdown"`
	PerQuantity          bool          `json:"per-quantity"`
}

// quantityOf is how the API writes a quantity: a whole number, or a text when it
// has a fraction.
func quantityOf(d decimal.Decimal) any {
	if d.IsInteger() {
		return d.IntPart()
	}
	return d.String()
}

// A wireAmount is an amount that is read and written by the API: a text with a
// point.
type wireAmount struct{ decimal.Decimal }

// MarshalJSON writes a text.
func (a wireAmount) MarshalJSON() ([]byte, error) {
	return []byte(`"` + decimalText(a.Decimal) + `"`), nil
}

// A wireQuantity is a quantity that is read and written by the API: a number, or a
// text when it has a fraction.
type wireQuantity struct{ decimal.Decimal }

// MarshalJSON writes a whole number, or a text.
func (q wireQuantity) MarshalJSON() ([]byte, error) {
	if q.IsInteger() {
		return []byte(q.String()), nil
	}
	return []byte(`"` + q.String() + `"`), nil
}

// magnitude writes an amount without its sign, and the word for it.
func magnitude(d decimal.Decimal) (text, effect string) { return decimalText(d.Abs()), effectOf(d) }
