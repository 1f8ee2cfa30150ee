// Package tastytrade is a client of the tastytrade Open API: OAuth, every REST
// route, the account streamer, and the market-data stream (in package dxlink).
// It gives the API as it is and has no opinion about trading.
//
// A [Client] is made once per credential and is safe for concurrent use. Its
// services are its fields:
//
//	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: tastytrade.Sandbox})
//	positions, err := client.Positions.List(ctx, account, nil)
//
// # Authentication
//
// [RefreshTokenSource] trades the refresh token of a grant for access tokens,
// which live about 15 minutes: one request at a time however many goroutines
// ask, a minute before the old one ends, by the clock of OAuthConfig.Now.
// [Login] gets a grant from the user of the machine through a loopback redirect;
// [OAuthConfig.AuthorizeURL] and [OAuthConfig.Exchange] are its two halves for
// programs with a web server of their own. [FromOAuth2] and [ToOAuth2] adapt the
// token sources of golang.org/x/oauth2. Secrets go to the host of BaseURL and
// nowhere else: a redirect to another host is an error, and so are tokens of
// the sandbox for production's address and the other way round. The broker has
// no PKCE.
//
// # Money and unknown values
//
// Amounts are decimal.Decimal and signed where the wire has a magnitude and an
// effect: credit is positive, debit negative. Ratios, volatilities and Greeks
// are float64. Unknown is nil, NaN, an empty string or a zero time, never 0; the
// numbers of pages and a watchlist's place and count alone are 0 when the broker
// does not say them, and Raw tells. Everything decoded
// keeps its JSON, and writes it back with the changed fields merged into it: see
// [Object].
//
// # Paging
//
// List is one request and returns a slice or a [Page]. All makes as many as the
// loop needs, ends at the first error, and never changes its options:
//
//	for tx, err := range client.Transactions.All(ctx, account, nil) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(tx.ExecutedAt, tx.NetValue)
//	}
//
// OptionChains.All and AllFutureOptions decode one long answer as it arrives and
// hold one option at a time.
//
// # Orders
//
// Client.Orders and Client.ComplexOrders preview, place, change and cancel.
// A write is sent once; when its outcome is not known, the error says so, and
// reading is the way to find out. See [OrdersService].
//
// # Streams
//
// [Client.DialMarketData] opens the market-data stream of package dxlink, with a
// new quote token for every connection it makes. The account streamer tells of
// orders, positions and balances as they change.
//
// # Errors
//
// Any answer outside 2xx is an *[APIError]; the sentinel errors say what it
// means. A *[TransportError] says that no whole answer arrived. A [FieldError]
// is an argument that was refused before anything was sent. MayHaveHappened of
// the first two says whether a write may have reached the broker. No message
// holds a token, a secret or a URL.
//
//	switch apiErr, ok := errors.AsType[*tastytrade.APIError](err); {
//	case errors.Is(err, tastytrade.ErrRateLimited):
//		return retryLater(err)
//	case ok && apiErr.Code == "margin_check_failed":
//		return fmt.Errorf("not enough buying power: %w", err)
//	}
//
// # Limits and retries
//
// Requests wait for their turn under a [Limiter], in the order in which they
// were made, and fail at once when their turn would come after their deadline.
// Clients of one credential share one. Reads are retried within the deadline of
// their context, with growing, jittered waits or the one that a 429 answer asks
// for; nothing else is ever sent twice. Answers are read up to
// ClientOptions.MaxResponseBytes.
//
// ttai is not affiliated with tastytrade. endpoints.md lists every route, its
// method and how it was verified.
package tastytrade
