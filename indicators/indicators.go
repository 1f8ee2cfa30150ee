// Package indicators computes technical indicators over slices and one value
// at a time.
//
// Every indicator has two forms that agree bit for bit: a function over whole
// columns, and a stream that takes one bar at a time. The function takes the
// destination first, then its inputs, then its parameters; the result is as
// long as the input and NaN during warm-up. Destinations are reused when they
// are large enough, and may be nil; that of an indicator with one output may be
// an input.
//
// # Unknown and impossible
//
// A bar with a NaN or an infinity in it counts as unknown: its output is NaN
// and the indicator goes on with the next bar as if it had not been there.
// Impossible parameters, and columns of different lengths, give NaN throughout
// in the functions and a [*FieldError] from the constructors of streams.
// Periods are at most [MaxPeriod].
//
// # Conventions
//
// Definitions follow the books and TradingView: an EMA starts from the simple
// average of its first n values, Wilder's averages likewise, Bollinger bands
// use the population deviation. Value t depends on bars up to t alone.
//
// # The rest of the house
//
// [Lookup], [Find] and [All] describe the indicators to programs that choose one
// by name; TA-Lib's functions, with its values, are found as "talib:NAME". Each of
// [All] has a function and a stream of the same name here. [Set] runs several on
// the same bars and on longer ones made of them, with their common work done once;
// [Chain] one on another's result; [Snapshot] and [Restore] keep a stream's state.
// [Crosses], [Thresholds], [Slopes], [Inside] and [Divergences] make signals of
// results, [Changes], [Both], [Either], [Within] and [Since] signals of signals;
// [Renko] makes bricks, [SessionVWAP] begins anew each day.
//
// # Speed
//
// Nothing allocates: a function when dst is large enough, an entry's Batch when it
// is repeated with the same parameters, a stream after its first Peek. What that
// needs is kept from one call to the next, once for each indicator and not for
// each caller: of calls at the same time, or with parameters in turns, all but one
// allocate their windows. (SMA, EMA, RSI, MACD, Bollinger, ATR, ADX and
// HistoricalVolatility have windows up to 256 on the stack instead.) speed.md says
// what a bar costs in each. Rolling sums and deviations start anew with every
// window's length of bars: they do not drift, and an outlier leaves no trace.
package indicators

import (
	"github.com/ttai-go/ttai/indicators/internal/spec"
	"github.com/ttai-go/ttai/internal/invalid"
)

// A FieldError names a refused argument and what is allowed.
type FieldError = invalid.FieldError

// MaxPeriod is the longest period that an indicator takes.
const MaxPeriod = 100_000

// The registry's types.
type (
	// An Indicator describes an indicator and computes it by name; see its
	// methods Batch, Stream and Parameters.
	Indicator = spec.Indicator
	// A Param is a parameter of an Indicator: name, default and range.
	Param = spec.Param
	// An Output is a result column of an Indicator.
	Output = spec.Output
	// A Stream is an Indicator one bar at a time.
	Stream = spec.Stream
)
