package levels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// drawn makes n daily bars of 24 steps each. repel says whether a step that
// would cross a multiple of ten is thrown back, and pushed away for a while.
func drawn(seed uint64, n int, repel float64) market.Series {
	r := rand.New(rand.NewPCG(seed, 11))
	price, push, left := 103.7, 0.0, 0
	bars := make([]market.Bar, n)
	for i, day := range sessions(n) {
		b := market.Bar{Time: day, Open: price, High: price, Low: price, Volume: 1000}
		for range 24 {
			step := 0.35 * r.NormFloat64()
			if left > 0 {
				step += push
				left--
			}
			next := max(25, price+step)
			if line := 10 * math.Round(next/10); (price-line)*(next-line) <= 0 && price != line && r.Float64() < repel {
				away := math.Copysign(1, price-line)
				next, push, left = line+0.02*away, 0.12*away, 48
			}
			price = next
			b.High, b.Low = max(b.High, price), min(b.Low, price)
		}
		b.Close = price
		bars[i] = b
	}
	return market.NewSeries("TEST", market.Day, bars)
}

func roundOnly() Options {
	return Options{Kinds: []Kind{KindRound}, Round: RoundOptions{Step: 10, Count: 2}}
}

func TestTheEvaluatorFindsLevelsThatTrulyReact(t *testing.T) {
	for seed := range uint64(3) {
		e, err := Evaluate([]market.Series{drawn(seed, 2000, 0.9)}, &EvaluateOptions{Find: roundOnly(), Visits: -1})
		require.NoError(t, err)
		require.Len(t, e.Kinds, 1)
		k := e.Kinds[0]
		assert.Greater(t, k.Touches, 50)
		assert.Greater(t, k.Difference, 0.2)
		assert.Greater(t, k.DifferenceLow, 0.0)
	}
}

func TestTheEvaluatorFindsNothingInARandomWalk(t *testing.T) {
	const walks = 16
	for _, find := range []Options{roundOnly(), {Kinds: []Kind{KindZone}, Swing: SwingOptions{Left: 3, Right: 3}}, {Kinds: []Kind{KindPivot, KindPivotResistance, KindPivotSupport}}} {
		held, touches := 0, 0
		for seed := range uint64(walks) {
			e, err := Evaluate([]market.Series{drawn(100+seed, 800, 0)}, &EvaluateOptions{Find: find, Visits: -1, Seed: seed, Resamples: 300})
			require.NoError(t, err)
			touches += e.All.Touches
			if e.All.DifferenceLow <= 0 && e.All.DifferenceHigh >= 0 {
				held++
			}
		}
		assert.Greater(t, touches, 20*walks)
		assert.GreaterOrEqual(t, held, walks-3, "intervals of %v that hold 0", find.Kinds)
	}
}

// plainEvaluate is the rule in words, with levels found anew before each bar.
func plainEvaluate(t *testing.T, s market.Series, o Options) []string {
	atr := plainTrueRanges(s, 14)
	type seen struct{ side, visits, since int }
	known := map[levelID]*seen{}
	var out []string
	for i := 1; i < s.Len(); i++ {
		levels, err := Find(s.Slice(0, i), &o)
		require.NoError(t, err)
		now := map[levelID]*seen{}
		for _, l := range levels {
			id := idOf(&l)
			x := known[id]
			if x == nil {
				x = &seen{}
			}
			now[id] = x
			tolerance := 0.1 * atr[i-1]
			// Armed by the bar before when it lies wholly on one side.
			if x.side == 0 && x.visits == 0 {
				switch {
				case s.Low[i-1] > l.High+tolerance:
					x.side, x.since = 1, i-1
				case s.High[i-1] < l.Low-tolerance:
					x.side, x.since = -1, i-1
				}
			}
			reached := x.side > 0 && s.Low[i] <= l.High+tolerance || x.side < 0 && s.High[i] >= l.Low-tolerance
			if !reached {
				continue
			}
			side := float64(x.side)
			x.side, x.visits = 0, 1
			near, far := l.High, l.Low
			if side < 0 {
				near, far = far, near
			}
			for k := i; ; k++ {
				if k == s.Len() {
					break // unfinished
				}
				if k > i+10 {
					out = append(out, fmt.Sprint(s.Time[i].Unix(), l.Source, side, "timeout"))
					break
				}
				extreme := s.Close[k]
				if k > i {
					if extreme = s.High[k]; side < 0 {
						extreme = s.Low[k]
					}
				}
				if side*(s.Close[k]-far) < -0.5*atr[i-1] {
					out = append(out, fmt.Sprint(s.Time[i].Unix(), l.Source, side, "break"))
					break
				}
				if side*(extreme-near) >= atr[i-1] {
					out = append(out, fmt.Sprint(s.Time[i].Unix(), l.Source, side, "reaction"))
					break
				}
			}
		}
		known = now
	}
	return out
}

func TestTouchesEqualTheRuleAppliedToEveryPrefix(t *testing.T) {
	outcomes := map[Outcome]int{}
	for seed := range uint64(3) {
		s := drawn(seed, 180, 0)
		o := Options{Kinds: []Kind{KindSwingHigh, KindSwingLow, KindPriorHigh, KindGap, KindRound}, Swing: SwingOptions{Left: 2, Right: 2}, Lookback: -1}
		want := plainEvaluate(t, s, o)
		e, err := Evaluate([]market.Series{s}, &EvaluateOptions{Find: o, Record: true})
		require.NoError(t, err)
		var got []string
		for _, x := range e.Touches {
			got = append(got, fmt.Sprint(x.At.Unix(), x.Level.Source, float64(x.Approach), string(x.Outcome)))
			outcomes[x.Outcome]++
			assert.Equal(t, x.Level.Strength, x.Forecast)
			assert.True(t, x.Level.Confirmed.Before(x.At))
		}
		require.ElementsMatch(t, want, got)
		require.Equal(t, len(got), e.All.Touches)
	}
	assert.Greater(t, outcomes[OutcomeReaction], 30)
	assert.Greater(t, outcomes[OutcomeBreak], 30)
}

func TestTouchesNeverDependOnLaterBars(t *testing.T) {
	for _, s := range []market.Series{walk(7, 260, 0.25), halfHours(3, 9)} {
		opts := EvaluateOptions{Visits: -1, Record: true, Resamples: 1, Draws: 1}
		whole, err := Evaluate([]market.Series{s}, &opts)
		require.NoError(t, err)
		for _, cut := range []int{s.Len() / 3, s.Len() / 2, s.Len() - 5} {
			part, err := Evaluate([]market.Series{s.Slice(0, cut)}, &opts)
			require.NoError(t, err)
			var want, got []Touch
			for _, x := range whole.Touches {
				if x.Decided.Before(s.Time[cut]) {
					x.Base = 0 // comes from random levels
					want = append(want, x)
				}
			}
			for _, x := range part.Touches {
				x.Base = 0
				got = append(got, x)
			}
			require.NotEmpty(t, got)
			require.Equal(t, want, got)
		}
	}
}

func TestTheOutcomeIsWhatComesFirst(t *testing.T) {
	// A round number at 100, price at 103, average true range 1 throughout.
	type bar [3]float64 // high, low, close
	quiet := make([]bar, 60)
	for i := range quiet {
		quiet[i] = bar{103.5, 102.5, 103}
	}
	for name, test := range map[string]struct {
		then []bar
		want Outcome
	}{
		"a move back":                          {[]bar{{103, 100, 100.2}, {101.3, 100.1, 101}}, OutcomeReaction},
		"the touching bar closes far back":     {[]bar{{103, 99.9, 101.2}}, OutcomeReaction},
		"the touching bar's high says nothing": {[]bar{{103, 99.9, 100.1}, {100.3, 99.2, 99.3}}, OutcomeBreak},
		"a close beyond":                       {[]bar{{103, 99.9, 100.1}, {100.3, 99, 99.2}}, OutcomeBreak},
		"a low beyond is no close":             {[]bar{{103, 99, 100.1}, {101.4, 100, 101}}, OutcomeReaction},
		"both in one bar":                      {[]bar{{103, 99.9, 100.1}, {102, 99, 99.2}}, OutcomeBreak},
		"jumped over":                          {[]bar{{98.5, 98, 98.2}}, OutcomeBreak},
		"neither":                              {[]bar{{103, 99.9, 100.1}}, OutcomeTimeout},
	} {
		bars := append(quiet[:len(quiet):len(quiet)], test.then...)
		for range 12 {
			bars = append(bars, bar{100.4, 99.8, 100.1})
		}
		var rows []market.Bar
		for i, day := range sessions(len(bars)) {
			rows = append(rows, market.Bar{Time: day, Open: bars[i][2], High: bars[i][0], Low: bars[i][1], Close: bars[i][2], Volume: 1})
		}
		e, err := Evaluate([]market.Series{market.NewSeries("TEST", market.Day, rows)}, &EvaluateOptions{Find: Options{Kinds: []Kind{KindRound}, Round: RoundOptions{Step: 100, Count: 1}}, Record: true})
		require.NoError(t, err, name)
		require.Len(t, e.Touches, 1, name)
		assert.Equal(t, test.want, e.Touches[0].Outcome, name)
		assert.Equal(t, 1, e.Touches[0].Approach, name)
		assert.Equal(t, rows[60].Time, e.Touches[0].At, name)
	}
}

func TestTheScoresAreThoseOfTheTouches(t *testing.T) {
	s := drawn(5, 900, 0.3)
	e, err := Evaluate([]market.Series{s}, &EvaluateOptions{
		Find: Options{Kinds: []Kind{KindRound, KindPriorHigh}}, Visits: -1, Record: true, Bins: 10,
		Forecast: func(l Level) float64 {
			if l.Kind == KindRound {
				return 0.62
			}
			return 0.47
		},
	})
	require.NoError(t, err)
	brier, base, n, rounds, hits := 0.0, 0.0, 0.0, 0, 0
	for _, x := range e.Touches {
		h := 0.0
		if x.Outcome == OutcomeReaction {
			h = 1
		}
		brier += (x.Forecast - h) * (x.Forecast - h)
		base += (x.Base - h) * (x.Base - h)
		n++
		if x.Level.Kind == KindRound {
			rounds++
			hits += int(h)
		}
	}
	require.Greater(t, rounds, 20)
	assert.InDelta(t, brier/n, e.All.Brier, 1e-12)
	assert.InDelta(t, base/n, e.All.BaseBrier, 1e-12)
	assert.InDelta(t, 1-brier/base, e.All.Skill, 1e-12)
	assert.True(t, e.All.SkillLow <= e.All.Skill && e.All.Skill <= e.All.SkillHigh)
	assert.True(t, e.All.RateLow <= e.All.Rate && e.All.Rate <= e.All.RateHigh)
	require.Len(t, e.All.Bins, 2)
	assert.Equal(t, ReliabilityBin{Low: 0.6, High: 0.7, Forecast: 0.62, Rate: float64(hits) / float64(rounds), Touches: rounds},
		ReliabilityBin{Low: e.All.Bins[1].Low, High: e.All.Bins[1].High, Forecast: math.Round(e.All.Bins[1].Forecast*1e9) / 1e9, Rate: e.All.Bins[1].Rate, Touches: e.All.Bins[1].Touches})
	sum := KindEvaluation{}
	for _, k := range e.Kinds {
		sum.Touches += k.Touches
		sum.Reactions += k.Reactions
		sum.Breaks += k.Breaks
		sum.Timeouts += k.Timeouts
		assert.Equal(t, k.Touches, k.Reactions+k.Breaks+k.Timeouts)
	}
	assert.Equal(t, e.All.Touches, sum.Touches)
	assert.Equal(t, e.All.Reactions, sum.Reactions)
}

func TestTheSeedDecides(t *testing.T) {
	s := drawn(8, 700, 0)
	run := func(seed uint64) *Evaluation {
		e, err := Evaluate([]market.Series{s}, &EvaluateOptions{Find: Options{Kinds: []Kind{KindPivot, KindVWAP}}, Seed: seed})
		require.NoError(t, err)
		return e
	}
	assert.Equal(t, fmt.Sprint(run(1)), fmt.Sprint(run(1)))
	a, b := run(1), run(2)
	assert.Equal(t, a.All.Rate, b.All.Rate, "the levels are not drawn")
	assert.NotEqual(t, a.All.RandomRate, b.All.RandomRate)
}

func TestStoppingKeepsWhatWasRead(t *testing.T) {
	series := []market.Series{drawn(1, 600, 0), drawn(2, 600, 0)}
	find := Options{Kinds: []Kind{KindPivot}}
	calls := 0
	e, err := Evaluate(series, &EvaluateOptions{Find: find, Progress: func(done, total int) bool {
		calls++
		assert.Equal(t, 1200, total)
		return done < 512
	}})
	require.NoError(t, err)
	assert.True(t, e.Stopped)
	assert.Equal(t, 512, e.Bars)
	want, err := Evaluate([]market.Series{series[0].Slice(0, 512)}, &EvaluateOptions{Find: find, Block: 0})
	require.NoError(t, err)
	assert.Equal(t, want.All.Touches, e.All.Touches)
	assert.Equal(t, want.All.RandomRate, e.All.RandomRate)

	last := 0
	e, err = Evaluate(series, &EvaluateOptions{Find: find, Progress: func(done, _ int) bool { last = done; return true }})
	require.NoError(t, err)
	assert.False(t, e.Stopped)
	assert.Equal(t, 1200, last)
	assert.Equal(t, 2, e.Series)
}

func TestTheRangeOfTimeBoundsTouches(t *testing.T) {
	s := drawn(3, 800, 0)
	find := Options{Kinds: []Kind{KindPivot, KindPriorLow}}
	count := func(o EvaluateOptions) (int, int) {
		o.Find = find
		e, err := Evaluate([]market.Series{s}, &o)
		require.NoError(t, err)
		return e.All.Touches, e.All.RandomTouches
	}
	all, random := count(EvaluateOptions{})
	early, earlyRandom := count(EvaluateOptions{To: s.Time[400]})
	late, lateRandom := count(EvaluateOptions{From: s.Time[400]})
	assert.Equal(t, all, early+late)
	assert.Equal(t, random, earlyRandom+lateRandom)
	assert.NotZero(t, early*late)
}

func TestEmptySeriesAndBadOptions(t *testing.T) {
	e, err := Evaluate(nil, nil)
	require.NoError(t, err)
	assert.Zero(t, e.All.Touches)
	assert.True(t, math.IsNaN(e.All.Rate) && math.IsNaN(e.All.DifferenceLow))
	e, err = Evaluate([]market.Series{market.NewSeries("X", market.Day, nil), drawn(1, 1, 0)}, nil)
	require.NoError(t, err)
	assert.Equal(t, 1, e.Bars)

	s := drawn(1, 30, 0)
	for field, o := range map[string]EvaluateOptions{
		"reaction": {Reaction: -1}, "break": {Break: math.NaN()}, "horizon": {Horizon: -1}, "wait": {Wait: -2}, "draws": {Draws: -1},
		"confidence": {Confidence: 1}, "bins": {Bins: -1}, "resamples": {Resamples: -1}, "block": {Block: -1},
		"to": {From: s.Time[3], To: s.Time[2]}, "kinds": {Find: Options{Kinds: []Kind{"nonsense"}}},
		"confluence.width": {Confluence: &ConfluenceOptions{Width: -1}},
	} {
		_, err := Evaluate([]market.Series{s}, &o)
		var bad *FieldError
		require.ErrorAs(t, err, &bad, field)
		assert.Equal(t, field, bad.Field)
	}
}

func TestAreasAreTriedByTheNumberOfFamilies(t *testing.T) {
	e, err := Evaluate([]market.Series{drawn(4, 500, 0)}, &EvaluateOptions{Confluence: &ConfluenceOptions{}, Record: true})
	require.NoError(t, err)
	require.NotEmpty(t, e.Touches)
	for _, x := range e.Touches {
		assert.Equal(t, familiesKind(x.Families), x.Level.Kind)
		assert.Greater(t, x.Forecast, 0.0)
	}
	require.Greater(t, len(e.Kinds), 2)
	assert.Equal(t, Kind("1 family"), e.Kinds[0].Kind)
}
