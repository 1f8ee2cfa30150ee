package tastytrade

import (
	"context"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// An AlertField is the figure that an alert watches.
type AlertField string

// The fields of an alert.
const (
	AlertLast AlertField = "Last"
	AlertBid  AlertField = "Bid"
	AlertAsk  AlertField = "Ask"
	AlertIV   AlertField = "IV" // implied volatility
)

// An AlertOperator is how an alert compares.
type AlertOperator string

// The operators of an alert.
const (
	AlertAbove AlertOperator = ">"
	AlertBelow AlertOperator = "<"
)

// A QuoteAlert tells when a figure crosses a threshold. Times are zero for what
// has not happened.
type QuoteAlert struct {
	Object
	ID               ID               `json:"alert-external-id"`
	UserExternalID   string           `json:"user-external-id"`
	Symbol           string           `json:"symbol"`
	DXSymbol         string           `json:"dx-symbol"` // the streamer's
	InstrumentType   InstrumentType   `json:"instrument-type"`
	Field            AlertField       `json:"field"`
	Operator         AlertOperator    `json:"operator"`
	Threshold        string           `json:"threshold"` // as it is shown
	ThresholdNumeric *decimal.Decimal `json:"threshold-numeric"`
	Provider         string           `json:"provider"`
	CreatedAt        time.Time        `json:"created-at"`
	ExpiresAt        time.Time        `json:"expires-at"`
	TriggeredAt      time.Time        `json:"triggered-at"`
	CompletedAt      time.Time        `json:"completed-at"`
	DismissedAt      time.Time        `json:"dismissed-at"`
	ExpiredAt        time.Time        `json:"expired-at"`
}

var quoteAlertCodec = codecFor[QuoteAlert]()

// UnmarshalJSON keeps the JSON; see [Object].
func (q *QuoteAlert) UnmarshalJSON(data []byte) error { return quoteAlertCodec.unmarshal(data, q) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (q QuoteAlert) MarshalJSON() ([]byte, error) { return quoteAlertCodec.marshal(q) }

// A NewQuoteAlert is an alert to be made.
type NewQuoteAlert struct {
	Symbol         string
	DXSymbol       string         // the streamer's symbol; optional
	InstrumentType InstrumentType // optional
	Field          AlertField
	Operator       AlertOperator
	Threshold      decimal.Decimal
	ExpiresAt      time.Time // zero: the broker's choice
}

func (a NewQuoteAlert) check() error {
	switch {
	case a.Symbol == "":
		return invalid.Missing("Symbol", "the symbol to watch")
	case a.Field == "":
		return invalid.Missing("Field", "Last, Bid, Ask or IV")
	case a.Operator != AlertAbove && a.Operator != AlertBelow:
		return invalid.Field("Operator", string(a.Operator), "> or <")
	}
	return nil
}

func (a NewQuoteAlert) wire() map[string]string {
	body := map[string]string{
		"symbol": a.Symbol, "field": string(a.Field), "operator": string(a.Operator),
		"threshold": a.Threshold.String(), "threshold-numeric": a.Threshold.String(),
	}
	if a.DXSymbol != "" {
		body["dx-symbol"] = a.DXSymbol
	}
	if a.InstrumentType != "" {
		body["instrument-type"] = string(a.InstrumentType)
	}
	if !a.ExpiresAt.IsZero() {
		body["expires-at"] = strconv.FormatInt(a.ExpiresAt.UnixMilli(), 10)
	}
	return body
}

// QuoteAlertsService keeps alerts. They arrive on the account streamer. The
// sandbox does not have them.
type QuoteAlertsService struct{ client *Client }

// List returns the alerts of the user.
//
// GET /quote-alerts
func (s *QuoteAlertsService) List(ctx context.Context) ([]QuoteAlert, error) {
	out, _, err := many[QuoteAlert](ctx, s.client, get("/quote-alerts"), quoteAlertCodec)
	return out, err
}

// Create makes an alert and returns it as the broker keeps it.
//
// POST /quote-alerts
func (s *QuoteAlertsService) Create(ctx context.Context, alert NewQuoteAlert) (*QuoteAlert, error) {
	r := post("/quote-alerts").sending(alert.wire())
	r.invalid = alert.check()
	return one[QuoteAlert](ctx, s.client, r, quoteAlertCodec)
}

// Delete removes an alert.
//
// DELETE /quote-alerts/{alert}
func (s *QuoteAlertsService) Delete(ctx context.Context, id ID) error {
	return s.client.exec(ctx, del("/quote-alerts/{alert}", string(id)))
}
