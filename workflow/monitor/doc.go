// Package monitor watches prices, positions, accounts and news for what people want
// to be told of: price alerts, a portfolio monitor and a news watcher.
//
// A [Rule] says what to watch; docs/monitors.md has every kind. [Rules] keeps the
// rules of a tenant in its store, where every process finds them. An [Engine]
// watches the rules of tenants that share a feed; its heart is a [Core], which
// decides and does nothing else.
//
// # Cost
//
// Every figure that a rule waits for, be it a price, a Greek, an indicator or the
// time, is a series with two heaps of thresholds, those above and those below its
// present value. A threshold that is reached leaves its heap, so that a change
// costs O(log n) for each rule it reaches, and nothing for the others. Trailing
// rules, whose thresholds all move with every new high, lie in groups that share a
// high; groups meld when price passes theirs. The values of positions are computed
// again when a price leaves a grain around the last one, which is a pair of
// thresholds like any other.
//
// # Once, and not less
//
// What fires is written to the tenant's store together with the rule's new state,
// and handed over after that, under a key that stays the same: after a crash it is
// handed over again, and the receiver takes a key once. What was decided and not
// yet written when a process dies is found again at the next start, from the bars
// since the last mark. The same bars cover gaps of the stream.
package monitor
