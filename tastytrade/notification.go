package tastytrade

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// A NotificationType is the broker's name for what a notification tells.
type NotificationType string

// The notification types. Others are kept as they are.
const (
	OrderNotification           NotificationType = "Order"
	ComplexOrderNotification    NotificationType = "ComplexOrder"
	BalanceNotification         NotificationType = "AccountBalance"
	PositionNotification        NotificationType = "CurrentPosition"
	TradingStatusNotification   NotificationType = "TradingStatus"
	OrderChainNotification      NotificationType = "OrderChain"
	TransferNotification        NotificationType = "ExternalTransaction"
	YearGainNotification        NotificationType = "UnderlyingYearGainSummary"
	QuoteAlertNotification      NotificationType = "QuoteAlert"
	PublicWatchlistNotification NotificationType = "PublicWatchlists"
	UserMessageNotification     NotificationType = "UserMessage"
	// GapNotification is made by the stream itself: its Value is an *AccountGap.
	GapNotification NotificationType = "Gap"
)

// A Notification is one message of the account streamer. The broker sends
// objects whole, not what changed in them.
type Notification struct {
	Object
	Type      NotificationType `json:"type"`
	Timestamp time.Time        `json:"timestamp"`   // when the broker sent it
	Sequence  ID               `json:"ws-sequence"` // empty when the broker numbers nothing
	Data      json.RawMessage  `json:"data"`
	// Value is Data, typed by Type: an *Order, *ComplexOrder, *Balance,
	// *Position, *TradingStatus, *OrderChain, *ExternalTransaction,
	// *UnderlyingYearGainSummary, *QuoteAlert, []Watchlist, *UserMessage, or
	// the *AccountGap of a GapNotification. Nil for a type that is not known, and
	// for data that cannot be read, of which Err says why. Data is kept always.
	Value any   `json:"-"`
	Err   error `json:"-"`
}

var notificationCodec = codecFor[Notification]()

// UnmarshalJSON keeps the JSON and types the data; see [Object].
func (n *Notification) UnmarshalJSON(data []byte) error {
	if err := notificationCodec.unmarshal(data, n); err != nil {
		return err
	}
	n.Value, n.Err = typed(n.Type, n.Data)
	return nil
}

// MarshalJSON writes the notification as it arrived. A changed Value is written
// in place of the data.
func (n Notification) MarshalJSON() ([]byte, error) {
	if n.Value != nil && n.Type != GapNotification {
		data, err := json.Marshal(n.Value)
		if err != nil {
			return nil, err
		}
		if watchlists, ok := n.Value.([]Watchlist); ok && len(watchlists) == 1 && len(n.Data) > 0 && n.Data[0] == '{' {
			data, err = json.Marshal(watchlists[0]) // it came without brackets
			if err != nil {
				return nil, err
			}
		}
		n.Data = data
	}
	return notificationCodec.marshal(n)
}

// typed decodes the data of a notification.
func typed(t NotificationType, data json.RawMessage) (any, error) {
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	switch t {
	case OrderNotification:
		return typedAs[Order](data, orderCodec)
	case ComplexOrderNotification:
		return typedAs[ComplexOrder](data, complexOrderCodec)
	case BalanceNotification:
		return typedAs[Balance](data, balanceCodec)
	case PositionNotification:
		return typedAs[Position](data, positionCodec)
	case TradingStatusNotification:
		return typedAs[TradingStatus](data, tradingStatusCodec)
	case OrderChainNotification:
		return typedAs[OrderChain](data, orderChainCodec)
	case TransferNotification:
		return typedAs[ExternalTransaction](data, externalTransactionCodec)
	case YearGainNotification:
		return typedAs[UnderlyingYearGainSummary](data, underlyingYearGainSummaryCodec)
	case QuoteAlertNotification:
		return typedAs[QuoteAlert](data, quoteAlertCodec)
	case UserMessageNotification:
		return typedAs[UserMessage](data, userMessageCodec)
	case PublicWatchlistNotification:
		elems, err := items(data)
		if err != nil {
			return nil, fmt.Errorf("tastytrade: %s notification: %w", t, err)
		}
		out := make([]Watchlist, len(elems))
		for i, e := range elems {
			if err := watchlistCodec.decode(e, reflect.ValueOf(&out[i]).Elem()); err != nil {
				return nil, fmt.Errorf("tastytrade: %s notification: %w", t, err)
			}
		}
		return out, nil
	}
	return nil, nil
}

func typedAs[T any](data json.RawMessage, codec *codec) (any, error) {
	out := new(T)
	if err := codec.decode(data, reflect.ValueOf(out).Elem()); err != nil {
		return nil, fmt.Errorf("tastytrade: notification: %w", err)
	}
	return out, nil
}

// key names the object that a notification is about, and version is when the
// broker changed it last; false when the notification does not say.
func (n *Notification) key() (key string, version time.Time, ok bool) {
	switch v := n.Value.(type) {
	case *Order:
		return key3("order", string(v.AccountNumber), string(v.ID)), v.UpdatedAt, v.ID != ""
	case *ComplexOrder:
		return key3("complex", string(v.AccountNumber), string(v.ID)), time.Time{}, v.ID != ""
	case *Balance:
		return key3("balance", string(v.AccountNumber), v.Currency), v.UpdatedAt, true
	case *Position:
		return key3("position", string(v.AccountNumber), v.Symbol), v.UpdatedAt, true
	case *TradingStatus:
		return key3("status", string(v.AccountNumber), ""), v.UpdatedAt, true
	case *OrderChain:
		return key3("chain", string(v.AccountNumber), string(v.ID)), v.UpdatedAt, v.ID != ""
	case *ExternalTransaction:
		return key3("transfer", string(v.AccountNumber), string(v.ID)), v.UpdatedAt, v.ID != ""
	case *UnderlyingYearGainSummary:
		return key3("gain", string(v.AccountNumber), v.Symbol+"\x00"+string(v.Year)), time.Time{}, true
	case *QuoteAlert:
		return key3("alert", string(v.ID), v.Symbol), time.Time{}, v.ID != ""
	}
	return "", time.Time{}, false
}

func key3(kind, a, b string) string { return kind + "\x00" + a + "\x00" + b }
