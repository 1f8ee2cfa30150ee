package levels

import "slices"

// A Kind is what a level is made of.
type Kind string

// The kinds of levels. Those marked (line) move with every bar: their price is
// the one at the last bar.
const (
	KindSwingHigh Kind = "swing high"
	KindSwingLow  Kind = "swing low"
	KindZone      Kind = "zone" // several swings within a band

	KindPivot           Kind = "pivot"            // the central pivot point
	KindPivotResistance Kind = "pivot resistance" // R1, R2, …
	KindPivotSupport    Kind = "pivot support"    // S1, S2, …

	KindFibonacci        Kind = "fibonacci"            // a ratio of the last leg
	KindFibonacciCluster Kind = "fibonacci confluence" // ratios of several legs within a band

	KindPOC            Kind = "point of control"       // the price with the most volume
	KindValueAreaHigh  Kind = "value area high"        // upper end of where 70 % of the volume traded
	KindValueAreaLow   Kind = "value area low"         // lower end of it
	KindHighVolumeNode Kind = "high volume node"       // a local peak of the profile
	KindLowVolumeNode  Kind = "low volume node"        // a local trough of the profile
	KindNakedPOC       Kind = "naked point of control" // of a past session, not traded at since

	KindTPOPOC             Kind = "TPO point of control"
	KindTPOValueAreaHigh   Kind = "TPO value area high"
	KindTPOValueAreaLow    Kind = "TPO value area low"
	KindInitialBalanceHigh Kind = "initial balance high" // of the session's first hour
	KindInitialBalanceLow  Kind = "initial balance low"
	KindSinglePrint        Kind = "single print" // prices of one bracket alone, inside a session's range
	KindPoorHigh           Kind = "poor high"    // a session's high that several brackets reached
	KindPoorLow            Kind = "poor low"

	KindVWAP     Kind = "VWAP"      // (line) the volume-weighted average price since an anchor
	KindVWAPBand Kind = "VWAP band" // (line) one to three standard deviations from it

	KindPriorHigh  Kind = "prior high"  // of the last finished day, week, month, quarter or year
	KindPriorLow   Kind = "prior low"   // of the last finished day, week, month, quarter or year
	KindPriorClose Kind = "prior close" // of the last finished day, week, month, quarter or year

	KindOvernightHigh    Kind = "overnight high" // between the last regular close and the opening
	KindOvernightLow     Kind = "overnight low"
	KindOpeningRangeHigh Kind = "opening range high" // of the first minutes of a session
	KindOpeningRangeLow  Kind = "opening range low"

	KindGap               Kind = "gap"            // prices that no bar traded between two sessions
	KindFairValueGap      Kind = "fair value gap" // prices that only the middle one of three bars traded
	KindBreakOfStructure  Kind = "break of structure"
	KindChangeOfCharacter Kind = "change of character"
	KindOrderBlock        Kind = "order block"    // the last opposite bar before a break
	KindLiquidity         Kind = "liquidity pool" // swings of one side at nearly one price

	KindRound       Kind = "round number"
	KindTrendLine   Kind = "trend line"   // (line) through the last swings of one side
	KindChannelHigh Kind = "channel high" // (line) upper one of two parallels around the last swings
	KindChannelLow  Kind = "channel low"  // (line) lower one of them

	KindCallWall         Kind = "call wall"
	KindPutWall          Kind = "put wall"
	KindZeroGamma        Kind = "zero gamma"
	KindMaxPain          Kind = "max pain"
	KindExpectedMoveHigh Kind = "expected move high"
	KindExpectedMoveLow  Kind = "expected move low"
)

// Kinds returns every kind that [Find] reports, in the order above. Those of
// [OptionLevels] come last: an [Engine] has them when they were given to it.
func Kinds() []Kind {
	return []Kind{
		KindSwingHigh, KindSwingLow, KindZone, KindPivot, KindPivotResistance, KindPivotSupport, KindFibonacci, KindFibonacciCluster,
		KindPOC, KindValueAreaHigh, KindValueAreaLow, KindHighVolumeNode, KindLowVolumeNode, KindNakedPOC,
		KindTPOPOC, KindTPOValueAreaHigh, KindTPOValueAreaLow, KindInitialBalanceHigh, KindInitialBalanceLow, KindSinglePrint, KindPoorHigh, KindPoorLow,
		KindVWAP, KindVWAPBand, KindPriorHigh, KindPriorLow, KindPriorClose,
		KindOvernightHigh, KindOvernightLow, KindOpeningRangeHigh, KindOpeningRangeLow,
		KindGap, KindFairValueGap, KindBreakOfStructure, KindChangeOfCharacter, KindOrderBlock, KindLiquidity,
		KindRound, KindTrendLine, KindChannelHigh, KindChannelLow,
		KindCallWall, KindPutWall, KindZeroGamma, KindMaxPain, KindExpectedMoveHigh, KindExpectedMoveLow,
	}
}

// Moves reports whether levels of the kind are lines: their price is that of
// the last bar and changes with the next one.
func (k Kind) Moves() bool {
	return slices.Contains([]Kind{KindVWAP, KindVWAPBand, KindTrendLine, KindChannelHigh, KindChannelLow}, k)
}

func profileKinds() []Kind {
	return []Kind{KindPOC, KindValueAreaHigh, KindValueAreaLow, KindHighVolumeNode, KindLowVolumeNode}
}

func tpoKinds() []Kind {
	return []Kind{KindTPOPOC, KindTPOValueAreaHigh, KindTPOValueAreaLow, KindInitialBalanceHigh, KindInitialBalanceLow, KindSinglePrint, KindPoorHigh, KindPoorLow}
}

// A State is what has become of a level since it was confirmed.
type State string

// The states. A level goes from fresh to tested, from either to broken, and
// then to flipped and retested; a close back through it makes it broken again,
// now with the market on the other side.
const (
	StateFresh    State = "fresh"    // no visit yet
	StateTested   State = "tested"   // visited, never closed through
	StateBroken   State = "broken"   // closed through, no bar wholly beyond since
	StateFlipped  State = "flipped"  // a whole bar lies beyond: support has become resistance, or the reverse
	StateRetested State = "retested" // visited from its new side
)
