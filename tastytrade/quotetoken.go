package tastytrade

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// A QuoteToken opens the market-data stream for about a day. The token is a
// secret; String does not show it.
type QuoteToken struct {
	Object
	Token        string    `json:"token" need:"true"`
	DXLinkURL    string    `json:"dxlink-url" need:"true"`
	WebsocketURL string    `json:"websocket-url"`
	Level        string    `json:"level"` // "api", or "demo" with delayed data
	IssuedAt     time.Time `json:"issued-at"`
	ExpiresAt    time.Time `json:"expires-at"`
}

var quoteTokenCodec = codecFor[QuoteToken]()

// UnmarshalJSON keeps the JSON; see [Object].
func (q *QuoteToken) UnmarshalJSON(data []byte) error { return quoteTokenCodec.unmarshal(data, q) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (q QuoteToken) MarshalJSON() ([]byte, error) { return quoteTokenCodec.marshal(q) }

// String hides the token.
func (q QuoteToken) String() string {
	return fmt.Sprintf("QuoteToken{DXLinkURL: %q, Level: %q, Token: [redacted]}", q.DXLinkURL, q.Level)
}

// GoString hides the token.
func (q QuoteToken) GoString() string { return q.String() }

// LogValue hides the token.
func (q QuoteToken) LogValue() slog.Value { return slog.StringValue(q.String()) }

// QuoteTokensService opens the door to the market-data stream.
type QuoteTokensService struct{ client *Client }

// Get returns a new token for the market-data stream and the stream's address.
// The broker refuses customers who have not finished opening an account.
//
// GET /api-quote-tokens
func (s *QuoteTokensService) Get(ctx context.Context) (*QuoteToken, error) {
	return one[QuoteToken](ctx, s.client, get("/api-quote-tokens"), quoteTokenCodec)
}
