// Package alpaca trades at Alpaca: a [Client] for the routes of the Trading API
// and the Market Data API as they are, and an [Adapter] that is a
// [market.Source], and by [Adapter.Broker] a [broker.Broker].
//
// # What is different at Alpaca
//
// A credential reaches one account. There is no dry run: a preview is counted
// here, from the account's buying power and the latest quotes, and what cannot
// be known is nil. A replacement is a new order with its own id and its own tag.
// The net limit of a multi-leg order is positive for a debit on the wire and
// negative for a credit, the other way round than [broker.Order].Limit: the
// adapter turns it.
//
// Brackets, OTO and OCO are one request, and only its first order carries the
// caller's tag: the broker names the others itself. While the adapter lives it
// knows which of them is which; an adapter that is made later finds the group by
// the first tag, with the broker's own names in the others.
//
// # Writes
//
// No write is ever sent twice. When the answer to a placement does not come, the
// order is looked for by its tag (Alpaca's client_order_id); it is reported as
// placed when it is there and as asked for, and as a [broker.UncertainError]
// otherwise, because a request may still be on its way when it is not found.
//
// # Greeks
//
// Alpaca's theta is per day; its vega and rho are per percentage point and are
// multiplied by 100 here, as [market.OptionQuote] wants them.
//
// ttai is not affiliated with Alpaca. Nobody has run this code against an
// account: docs/alpaca.md says for each route what it was checked against.
package alpaca
