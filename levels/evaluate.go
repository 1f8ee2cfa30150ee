package levels

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// EvaluateOptions says which levels [Evaluate] tries and what counts as a
// reaction. The zero value tries every kind as [Find] would show it.
type EvaluateOptions struct {
	// Find says how levels are found. Symbol and Interval are those of each series.
	Find Options
	// Confluence, when set, tries the areas of [Confluence] instead of single
	// levels, one row for each number of families.
	Confluence *ConfluenceOptions

	// Reaction is how far price must move back from the near edge of the band, in
	// average true ranges at the touch; 0 means 1.
	Reaction float64
	// Break is how far beyond the far edge a close must lie, in average true
	// ranges; 0 means 0.5.
	Break float64
	// Horizon is how many bars after the touching one may decide; 0 means 10.
	// A touch that neither reacts nor breaks by then is a timeout.
	Horizon int
	// Wait is how many bars a level may lie untouched before it is given up; 0 means 250.
	Wait int
	// Visits is how many visits of one level are tried; 0 means the first alone,
	// negative means all. Lines are tried whenever price comes to them.
	Visits int
	// From and To bound the touches that count: From ≤ touch < To. Zero means no
	// bound. Bars before From still make levels.
	From, To time.Time

	// Draws is how many random levels stand beside each one tried; 0 means 20.
	Draws int
	// Seed of the random levels and of the intervals. The same seed gives the same result.
	Seed uint64
	// Confidence of the intervals; 0 means 0.95.
	Confidence float64
	// Resamples is how many times blocks of time are drawn for the intervals; 0 means 1000.
	Resamples int
	// Block is the length of those blocks. Touches within one, of all series, may
	// depend on each other. 0 means four horizons, and at least a day.
	Block time.Duration
	// Bins of the reliability diagram; 0 means 20.
	Bins int

	// Forecast is the probability given to a level as it stood before the bar that
	// touched it. Nil means Level.Strength when Reaction, Break and Horizon are
	// the defaults, for which it is calibrated, and otherwise the share of reactions
	// that the kind had shown by then, drawn toward the random levels' share.
	Forecast func(Level) float64

	// Record keeps every touch in the result.
	Record bool
	// Progress is called now and then with the bars done and the bars of all
	// series. When it returns false, what has been read so far is evaluated.
	Progress func(done, total int) bool
}

// An Outcome is how a touch ended.
type Outcome string

// The outcomes.
const (
	OutcomeReaction Outcome = "reaction" // price moved back by Reaction first
	OutcomeBreak    Outcome = "break"    // a bar closed beyond by Break first, or in the same bar
	OutcomeTimeout  Outcome = "timeout"  // neither within Horizon bars
)

// A Touch is one visit of a level.
type Touch struct {
	Symbol   market.Symbol
	Level    Level     // as it stood before the bar that touched it
	At       time.Time // start of the bar that touched it
	Approach int       // +1 from above: tried as support; -1 from below: as resistance
	Visit    int       // 1 for the first since the level was confirmed; 0 for lines
	ATR      float64   // average true range before the touch
	Families int       // how many families of levels stood there, its own among them
	Forecast float64   // probability of a reaction, given beforehand
	Base     float64   // that of a random level, known beforehand
	Outcome  Outcome
	Decided  time.Time // start of the bar that decided
}

// A ReliabilityBin compares forecasts of about one size with what happened.
type ReliabilityBin struct {
	Low, High float64 // of the forecasts
	Forecast  float64 // their mean
	Rate      float64 // share that reacted
	Touches   int
}

// A KindEvaluation is the record of one kind of level. Rates are shares of all
// touches: a timeout is no reaction. NaN is a figure that there were too few
// touches or blocks for.
type KindEvaluation struct {
	Kind    Kind
	Watched int // levels, or for lines and areas bars, that price could have come to

	Touches, Reactions, Breaks, Timeouts int
	Unfinished                           int // touches the bars end too early for; in no other figure

	Rate, RateLow, RateHigh float64 // Reactions / Touches, and its interval
	// Random levels: as many draws for each level watched, confirmed at the same
	// bar, on the same side, as wide, at distances drawn from those of the kind,
	// and given up when the level is.
	RandomTouches int
	RandomRate    float64
	// Difference is Rate - RandomRate. An interval that holds 0 says that the
	// kind is not known to do better, or worse, than chance.
	Difference, DifferenceLow, DifferenceHigh float64
	Blocks                                    int // blocks of time with touches; the intervals are rough below about 20

	// Brier is the mean of (forecast - outcome)², with 1 for a reaction. BaseBrier
	// is that of the random levels' rate as known before each touch. Skill is
	// 1 - Brier/BaseBrier: above 0 when the forecasts say more than that rate.
	Brier, BaseBrier           float64
	Skill, SkillLow, SkillHigh float64

	Bins []ReliabilityBin // those with touches, ascending
}

// An Evaluation is what Evaluate found.
type Evaluation struct {
	Kinds   []KindEvaluation // those that were watched, in the order of Kinds
	All     KindEvaluation   // all of them together
	Series  int
	Bars    int
	From    time.Time // of the first bar
	To      time.Time // of the last bar
	Stopped bool      // Progress ended it before the last bar
	Touches []Touch   // in order of time, with Record
}

func (o EvaluateOptions) resolve() (EvaluateOptions, error) {
	var errs [8]error
	o.Reaction, errs[0] = positive("reaction", o.Reaction, 1)
	o.Break, errs[1] = positive("break", o.Break, 0.5)
	o.Horizon, errs[2] = count("horizon", o.Horizon, 10, 1_000_000)
	o.Wait, errs[3] = count("wait", o.Wait, 250, 1_000_000)
	o.Draws, errs[4] = count("draws", o.Draws, 20, 10_000)
	o.Resamples, errs[5] = count("resamples", o.Resamples, 1000, 1_000_000)
	o.Bins, errs[6] = count("bins", o.Bins, 20, 1000)
	o.Confidence, errs[7] = positive("confidence", o.Confidence, 0.95)
	for _, err := range errs {
		if err != nil {
			return o, err
		}
	}
	switch {
	case o.Confidence >= 1:
		return o, invalid.Field("confidence", o.Confidence, "a number between 0 and 1")
	case o.Block < 0:
		return o, invalid.Field("block", o.Block.String(), "a duration, or 0 for four horizons")
	case !o.To.IsZero() && !o.From.Before(o.To):
		return o, invalid.Field("to", o.To.Format(time.RFC3339), "a time after from")
	}
	switch {
	case o.Visits == 0:
		o.Visits = 1
	case o.Visits < 0:
		o.Visits = math.MaxInt
	}
	return o, nil
}

// standard reports whether a reaction is what Strength is calibrated for.
func (o *EvaluateOptions) standard() bool {
	return o.Reaction == 1 && o.Break == 0.5 && o.Horizon == 10
}

// Evaluate asks how levels did in the past. It walks forward through the bars
// with an [Engine]; whenever a bar reaches a level that was known before it, it
// looks which comes first: a move back of Reaction average true ranges from the
// near edge, or a close Break beyond the far one. Crossing a level between two
// bars reaches it too. On the touching bar only the close can show a reaction, and a bar that
// would do both counts as a break, because the order within it is not known.
//
// The same is done with random levels, see [KindEvaluation]. What the levels say
// beyond them is Difference; its interval comes from drawing whole blocks of
// time with replacement, because touches near each other are not independent.
//
// A level and its strength never depend on the touching bar or later ones:
// cutting the tail of the bars leaves earlier touches as they were. The random
// levels are drawn with knowledge of the whole series, at distances that its
// levels have had: they are the yardstick, and Touch.Base, which comes from
// those decided before, is as good as known but not exactly so.
//
// Series of several symbols or intervals count together. Memory is in
// proportion to the bars times the levels that each made.
func Evaluate(series []market.Series, opts *EvaluateOptions) (*Evaluation, error) {
	return evaluate(series, opts, nil)
}

// A randomTouch is a random level that was reached.
type randomTouch struct {
	kind       Kind // of the levels it stands beside
	at         time.Time
	span       barSpan
	side       int8
	width, hit float64 // the width in average true ranges
}

// evaluate is Evaluate; control, when not nil, hears of each random level that
// was reached.
func evaluate(series []market.Series, opts *EvaluateOptions, control func(randomTouch)) (*Evaluation, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	if o.Confluence != nil {
		c, err := o.Confluence.resolve()
		if err != nil {
			return nil, err
		}
		o.Confluence = &c
	}
	total := 0
	for _, s := range series {
		if err := check(s); err != nil {
			return nil, err
		}
		total += s.Len()
	}
	t := newTally(&o, series)
	t.control = control
	done := 0
	for i, s := range series {
		if s.Len() == 0 {
			continue
		}
		w, err := newWalk(&o, t, s)
		if err != nil {
			return nil, err
		}
		read, err := w.run(func(n int) bool { return o.Progress == nil || o.Progress(done+n, total) })
		if err != nil {
			return nil, err
		}
		w.controls(uint64(i))
		t.finishSeries(w)
		done += read
		if read < s.Len() || (i+1 < len(series) && o.Progress != nil && !o.Progress(done, total)) {
			t.stopped = true
			break
		}
	}
	if o.Progress != nil && !t.stopped {
		o.Progress(total, total)
	}
	return t.evaluation(done), nil
}
