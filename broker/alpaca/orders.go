package alpaca

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// An OrderRequest is what POST /v2/orders takes. Qty and Notional exclude each
// other; a multi-leg order has Legs and Qty and neither Symbol nor Side.
type OrderRequest struct {
	Symbol         string           `json:"symbol,omitempty"`
	Qty            *decimal.Decimal `json:"qty,omitempty"`
	Notional       *decimal.Decimal `json:"notional,omitempty"`
	Side           string           `json:"side,omitempty"`
	Type           string           `json:"type"`
	TimeInForce    string           `json:"time_in_force"`
	LimitPrice     *decimal.Decimal `json:"limit_price,omitempty"` // mleg: debit positive, credit negative
	StopPrice      *decimal.Decimal `json:"stop_price,omitempty"`
	TrailPrice     *decimal.Decimal `json:"trail_price,omitempty"`
	TrailPercent   *decimal.Decimal `json:"trail_percent,omitempty"`
	ExtendedHours  bool             `json:"extended_hours,omitempty"`
	ClientOrderID  string           `json:"client_order_id,omitempty"`
	OrderClass     string           `json:"order_class,omitempty"`
	PositionIntent string           `json:"position_intent,omitempty"`
	TakeProfit     *ExitRequest     `json:"take_profit,omitempty"`
	StopLoss       *ExitRequest     `json:"stop_loss,omitempty"`
	Legs           []LegRequest     `json:"legs,omitempty"`
}

// An ExitRequest is an exit of a bracket, OTO or OCO.
type ExitRequest struct {
	LimitPrice *decimal.Decimal `json:"limit_price,omitempty"`
	StopPrice  *decimal.Decimal `json:"stop_price,omitempty"`
}

// A LegRequest is a leg of a multi-leg order.
type LegRequest struct {
	Symbol         string          `json:"symbol"`
	RatioQty       decimal.Decimal `json:"ratio_qty"`
	Side           string          `json:"side,omitempty"`
	PositionIntent string          `json:"position_intent,omitempty"`
}

// A ReplaceRequest is what PATCH /v2/orders/{id} takes; what is nil or empty stays.
type ReplaceRequest struct {
	Qty           *decimal.Decimal `json:"qty,omitempty"`
	TimeInForce   string           `json:"time_in_force,omitempty"`
	LimitPrice    *decimal.Decimal `json:"limit_price,omitempty"`
	StopPrice     *decimal.Decimal `json:"stop_price,omitempty"`
	Trail         *decimal.Decimal `json:"trail,omitempty"`
	ClientOrderID string           `json:"client_order_id,omitempty"`
}

// PlaceOrder sends an order, once.
//
// POST /v2/orders
func (c *Client) PlaceOrder(ctx context.Context, req OrderRequest) (*Order, error) {
	if (req.Qty == nil) == (req.Notional == nil) {
		return nil, invalid.Field("Notional", req.Notional, "either Qty or Notional")
	}
	out := &Order{}
	if err := c.do(ctx, c.trading, call{method: http.MethodPost, op: "/v2/orders", path: at("v2/orders"), body: req}, out); err != nil {
		return nil, err
	}
	return out, nil
}

// ReplaceOrder puts another order in the place of a working one, once. The result
// is the new order.
//
// PATCH /v2/orders/{id}
func (c *Client) ReplaceOrder(ctx context.Context, id string, req ReplaceRequest) (*Order, error) {
	out := &Order{}
	if err := c.do(ctx, c.trading, call{method: http.MethodPatch, op: "/v2/orders/{id}", path: at("v2/orders", id), body: req}, out); err != nil {
		return nil, err
	}
	return out, nil
}

// CancelOrder asks for an order to end.
//
// DELETE /v2/orders/{id}
func (c *Client) CancelOrder(ctx context.Context, id string) error {
	return c.do(ctx, c.trading, call{method: http.MethodDelete, op: "/v2/orders/{id}", path: at("v2/orders", id)}, nil)
}

// CancelAllOrders asks for all orders to end.
//
// DELETE /v2/orders
func (c *Client) CancelAllOrders(ctx context.Context) ([]OrderResult, error) {
	var out []OrderResult
	err := c.do(ctx, c.trading, call{method: http.MethodDelete, op: "/v2/orders", path: at("v2/orders")}, &out)
	return out, err
}

// Order returns one order with its legs.
//
// GET /v2/orders/{id}
func (c *Client) Order(ctx context.Context, id string) (*Order, error) {
	return get[Order](ctx, c, c.trading, "/v2/orders/{id}", at("v2/orders", id), query("nested", "true"))
}

// OrderByClientID returns the order with a client_order_id.
//
// GET /v2/orders:by_client_order_id
func (c *Client) OrderByClientID(ctx context.Context, id string) (*Order, error) {
	return get[Order](ctx, c, c.trading, "/v2/orders:by_client_order_id", at("v2/orders:by_client_order_id"),
		query("client_order_id", id, "nested", "true"))
}

// A ListOrdersQuery selects orders by the time they were submitted. The zero value
// selects the newest 50 that are open.
type ListOrdersQuery struct {
	Status    string    // open, closed or all
	Limit     int       // at most 500
	After     time.Time // exclusive
	Until     time.Time // exclusive
	Ascending bool
	Symbols   []string
	Side      string
}

// Orders returns one page of orders, legs nested in their parents.
//
// GET /v2/orders
func (c *Client) Orders(ctx context.Context, q ListOrdersQuery) ([]Order, error) {
	direction := "desc"
	if q.Ascending {
		direction = "asc"
	}
	return list[Order](ctx, c, c.trading, "/v2/orders", at("v2/orders"), query(
		"status", q.Status, "limit", count(q.Limit), "after", stamp(q.After), "until", stamp(q.Until), "direction", direction,
		"symbols", strings.Join(q.Symbols, ","), "side", q.Side, "nested", "true"))
}
