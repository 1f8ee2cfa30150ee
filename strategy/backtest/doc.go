// Package backtest replays recorded markets: the strategies of package strategy
// run in it as they run live, their orders fill on the matching engine of package
// broker/paper, and what happened comes back as a [Record] from which the results
// are counted.
//
// # The order of events in one instant
//
// Time moves from one instant to the next at which something is known: the end of
// bars, quotes, snapshots of option chains, timers, what the exchange does by
// itself. At each instant:
//
//  1. what the exchange has to do by then happens: orders end, venues open and
//     close, options expire, dividends and splits;
//  2. orders meet the market: the bars that end now, all symbols in one walk (see
//     paper.Path), then quotes and the quotes of chains;
//  3. what happened is told to the strategies: orders, fills, account events;
//  4. the point of the equity curve is taken, when fills after it count as of the
//     next bar (see [Rules].PointFirst);
//  5. timers that are due, then bars in the order of the symbols, quotes, chains;
//  6. otherwise the point of the curve is taken.
//
// # No look-ahead
//
// A strategy is told of a bar when it has ended, and [strategy.Data] answers from
// what was told. Nothing of the replay's store can be reached otherwise. An order
// that is placed at a bar's end meets the next bar, unless the rules say that it
// may have the close that is over ([Rules].CheatOnClose), as some backtesters do.
package backtest
