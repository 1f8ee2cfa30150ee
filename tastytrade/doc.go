// Package tastytrade is a client of the tastytrade Open API: OAuth, the REST
// routes and the market-data stream (in package dxlink). It gives the API as it
// is and has no opinion about trading.
//
// A [Client] is made once per credential and is safe for concurrent use. Its
// services are its fields:
//
//	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: tastytrade.Sandbox})
//	positions, err := client.Positions.List(ctx, account, nil)
//
// # Money and unknown values
//
// Amounts are decimal.Decimal and signed where the wire has a magnitude and an
// effect: credit is positive, debit negative. Ratios, volatilities and Greeks
// are float64. Unknown is nil, NaN, an empty string or a zero time, never 0.
// Everything decoded keeps its JSON: see [Object].
//
// # Errors, retries and limits
//
// Any answer outside 2xx is an *[APIError]; the sentinel errors say what it
// means. A [TransportError] says that no answer arrived. Reads are retried
// within the deadline of their context with growing, jittered waits; nothing
// else is ever sent twice. Requests wait for their turn under a [Limiter].
//
// ttai is not affiliated with tastytrade. endpoints.md lists every route, its
// method and how it was verified.
package tastytrade
