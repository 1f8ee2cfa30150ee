package levels

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

// calibrationBlock is within which touches of all symbols may depend on each other.
const calibrationBlock = 56 * 24 * 3600

type controlKey struct {
	side  int8
	set   int
	span  barSpan
	width int
}

type blockKey struct {
	kind  Kind
	set   int
	block int64
}

// A study is everything that was seen.
type study struct {
	touches  []observed
	controls map[controlKey]*grouped
	blocks   map[blockKey]*[2]float64 // random levels: touches, reactions
	bars     map[int]int
}

func setOf(group byte, span barSpan, at time.Time) int {
	late := !at.Before(calibrationSplit(span))
	switch {
	case group == 'A' && !late:
		return setFit
	case group == 'B' && late:
		return setTest
	}
	return setPick
}

func (s *study) add(t testing.TB, f calibrationFile, confluence *ConfluenceOptions) {
	bars := f.read(t)
	var touches []observed
	controls, blocks := map[controlKey]*grouped{}, map[blockKey]*[2]float64{}
	e, err := evaluate([]market.Series{bars}, &EvaluateOptions{Visits: -1, Draws: 5, Resamples: 1, Record: true, Confluence: confluence}, func(x randomTouch) {
		set := setOf(f.group, x.span, x.at)
		bin := 0
		if x.width > 0 {
			bin = 1 + int(min(x.width, widest)/0.1)
		}
		key := controlKey{x.side, set, x.span, bin}
		g := controls[key]
		if g == nil {
			g = &grouped{side: x.side}
			controls[key] = g
		}
		g.n++
		g.hits += x.hit
		g.width += min(x.width, widest)
		b := blockKey{x.kind, set, floorDiv(x.at.Unix(), calibrationBlock)}
		if blocks[b] == nil {
			blocks[b] = &[2]float64{}
		}
		blocks[b][0]++
		blocks[b][1] += x.hit
	})
	require.NoError(t, err)
	span := spanOf(f.interval)
	for _, x := range e.Touches {
		o := observed{
			kind: x.Level.Kind, set: setOf(f.group, span, x.At), span: span, block: floorDiv(x.At.Unix(), calibrationBlock),
			width: min((x.Level.High-x.Level.Low)/x.ATR, widest), hit: hit(x.Outcome), side: float64(x.Approach),
			touches: math.Log1p(float64(x.Level.Touches)), age: math.Log1p(x.At.Sub(x.Level.Confirmed).Hours() / 24), more: float64(min(x.Families, 5) - 1),
		}
		if x.Level.Broken {
			o.broken = 1
		}
		touches = append(touches, o)
	}
	s.touches = append(s.touches, touches...)
	s.controls, s.blocks = controls, blocks
	for _, at := range bars.Time {
		s.bars[setOf(f.group, span, at)]++
	}
}

// runStudy tries the levels of all files. Files are worked on side by side; the
// order of what is kept does not depend on it.
func runStudy(t testing.TB, confluence *ConfluenceOptions) *study {
	total := &study{controls: map[controlKey]*grouped{}, blocks: map[blockKey]*[2]float64{}, bars: map[int]int{}}
	files := calibrationFiles()
	parts := make([]*study, len(files))
	next := make(chan int)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := range next {
				parts[i] = &study{bars: map[int]int{}}
				parts[i].add(t, files[i], confluence)
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	wait.Wait()
	for _, p := range parts {
		total.touches = append(total.touches, p.touches...)
		for k, g := range p.controls {
			if total.controls[k] == nil {
				total.controls[k] = &grouped{side: g.side}
			}
			total.controls[k].n += g.n
			total.controls[k].hits += g.hits
			total.controls[k].width += g.width
		}
		for k, b := range p.blocks {
			if total.blocks[k] == nil {
				total.blocks[k] = &[2]float64{}
			}
			total.blocks[k][0] += b[0]
			total.blocks[k][1] += b[1]
		}
		for k, n := range p.bars {
			total.bars[k] += n
		}
	}
	return total
}

// base fits the base rate to the random levels of some sets.
func (s *study) base(sets ...int) (base baseFit) {
	type place struct {
		side  int8
		width int
	}
	for span := range 3 {
		sums := map[place]*grouped{}
		for k, g := range s.controls {
			if slices.Contains(sets, k.set) && int(k.span) == span {
				p := place{k.side, k.width}
				if sums[p] == nil {
					sums[p] = &grouped{side: k.side}
				}
				sums[p].n += g.n
				sums[p].hits += g.hits
				sums[p].width += g.width
			}
		}
		var groups []grouped
		for width := range 40 { // in order: sums must not depend on that of a map
			for _, side := range []int8{-1, 1} {
				if g := sums[place{side, width}]; g != nil {
					groups = append(groups, *g)
				}
			}
		}
		base[span] = fitRandom(groups)
	}
	return base
}

// bases are the base rates that slopes are measured from.
type bases struct {
	of     [sets]baseFit // of each set's own random levels: what base rates may differ by is not the kind's
	before baseFit       // of all but the test set: what is shipped, without the side
}

func (s *study) bases() bases {
	return bases{[sets]baseFit{s.base(setFit), s.base(setPick), s.base(setTest)}, s.base(setFit, setPick)}
}

// tries is how many kinds and other things are judged: with so many, a few
// would look good by chance, so the bar is as much higher (Bonferroni).
const tries = 52

// A verdict is what became of something that might help.
type verdict struct {
	name                      string
	n                         [sets]int
	coefficient               float64
	pick, pickLow, pickHigh   float64 // gain over the base rate where it is chosen
	test, testLow, testHigh   float64 // where it is tried
	strict                    float64 // there, with the base rate known in hindsight
	kept                      bool
	note                      string
	brier, baseBrier          float64 // on the test set, as shipped
	forecast                  float64 // mean there
	rate, random              float64
	difference, lower, higher float64
}

// judge fits a slope on x to the first set, keeps it when the second says so
// beyond doubt, and tries it on the third.
func (s *study) judge(name string, base bases, sided bool, shift func(Kind) float64, wanted func(*observed) bool, x func(*observed) float64, deviation float64) verdict {
	v := verdict{name: name}
	type column struct {
		blocks           []int64
		offsets, x, hits []float64
		shipped          []float64
	}
	var c [sets]column
	for i := range s.touches {
		o := &s.touches[i]
		if !wanted(o) {
			continue
		}
		k := &c[o.set]
		k.blocks = append(k.blocks, o.block)
		k.offsets = append(k.offsets, o.offset(&base.of[o.set], sided)+shift(o.kind))
		k.shipped = append(k.shipped, o.offset(&base.before, false)+shift(o.kind))
		k.x = append(k.x, x(o))
		k.hits = append(k.hits, o.hit)
		v.n[o.set]++
	}
	v.coefficient = fitSlope(c[setFit].offsets, c[setFit].x, c[setFit].hits, deviation)
	errors := func(offsets []float64, k *column) (a, b []float64) {
		for i := range k.x {
			p, q := logistic(offsets[i]), logistic(offsets[i]+v.coefficient*k.x[i])
			a = append(a, (p-k.hits[i])*(p-k.hits[i]))
			b = append(b, (q-k.hits[i])*(q-k.hits[i]))
		}
		return a, b
	}
	mean := func(x []float64) float64 {
		sum := 0.0
		for _, y := range x {
			sum += y
		}
		return sum / float64(len(x))
	}
	pick, test := &c[setPick], &c[setTest]
	a, b := errors(pick.offsets, pick)
	v.pick, v.pickLow, v.pickHigh = gain(pick.blocks, a, b, 0.025)
	_, sure, _ := gain(pick.blocks, a, b, 0.05/tries)
	a, b = errors(test.offsets, test)
	v.strict = 1 - mean(b)/mean(a)
	a, b = errors(test.shipped, test)
	v.test, v.testLow, v.testHigh = gain(test.blocks, a, b, 0.025)
	v.kept = sure > 0 && v.n[setFit] >= 200
	if v.kept && !(mean(b) <= mean(a) && v.strict >= 0) {
		v.kept, v.note = false, "chosen, then withdrawn: worse on the held-out set"
	}
	v.baseBrier, v.brier = mean(a), mean(a)
	if v.kept {
		v.brier = mean(b)
	}
	for i := range test.shipped {
		p := test.shipped[i]
		if v.kept {
			p += v.coefficient * test.x[i]
		}
		v.forecast += logistic(p) / float64(len(test.shipped))
	}
	v.rate = mean(test.hits)
	return v
}

func TestCalibrationOfTheShippedStrengths(t *testing.T) {
	if os.Getenv("UPDATE_CALIBRATION") == "" {
		t.Skip("UPDATE_CALIBRATION=1 fits the table again; it takes minutes")
	}
	sharedtest.Path(t, "data")
	s := runStudy(t, nil)
	base := s.bases()
	none := func(Kind) float64 { return 0 }
	kinds := map[Kind]float64{}
	r := calibrationRecord{base: base, bars: s.bars}
	for _, kind := range Kinds() {
		v := s.judge(string(kind), base, true, none, func(o *observed) bool { return o.kind == kind }, func(*observed) float64 { return 1 }, 0.2)
		if v.kept {
			kinds[kind] = v.coefficient
		}
		s.compare(&v, kind)
		r.kinds = append(r.kinds, v)
	}
	shift := func(k Kind) float64 { return kinds[k] }
	all := func(*observed) bool { return true }
	r.features = []verdict{
		s.judge("touches so far, log(1+n)", base, true, shift, all, func(o *observed) float64 { return o.touches }, 1),
		s.judge("age, log(1+days)", base, true, shift, all, func(o *observed) float64 { return o.age }, 1),
		s.judge("already broken (1) or not (0)", base, true, shift, all, func(o *observed) float64 { return o.broken }, 1),
		s.judge("other families within 0.25 ranges, 0 to 4", base, true, shift, all, func(o *observed) float64 { return o.more }, 1),
		s.judge("support (+1) or resistance (-1)", base, false, shift, all, func(o *observed) float64 { return o.side }, 1),
	}
	r.overall(s, shift)
	areas := runStudy(t, &ConfluenceOptions{})
	r.areas = areas.judge("further families in an area, 0 to 4", areas.bases(), true, none, all, func(o *observed) float64 { return o.more }, 1)
	for _, v := range append(slices.Clone(r.kinds), r.areas) {
		if v.n[setTest] > 0 {
			assert.LessOrEqual(t, v.brier, v.baseBrier, "%s is worse than the base rate", v.name)
		}
	}
	assert.LessOrEqual(t, r.brier, r.constant, "the widths tell something")
	require.NoError(t, os.WriteFile("calibration_table.go", []byte(r.code()), 0o644))
	page := filepath.Join("..", "docs", "levels.md")
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(page, []byte(between(t, string(text), "record", r.markdown())), 0o644))
	for _, v := range append(append(slices.Clone(r.kinds), r.features...), r.areas) {
		t.Logf("%-32s n %6d %6d %6d coef %+.3f pick %+.5f [%+.5f %+.5f] test %+.5f [%+.5f %+.5f] strict %+.5f kept %v rate %.3f rand %.3f diff %+.3f [%+.3f %+.3f] %s", v.name, v.n[0], v.n[1], v.n[2], v.coefficient, v.pick, v.pickLow, v.pickHigh, v.test, v.testLow, v.testHigh, v.strict, v.kept, v.rate, v.random, v.difference, v.lower, v.higher, v.note)
	}
}

// overall tries what is shipped on all touches of the test set.
func (r *calibrationRecord) overall(s *study, shift func(Kind) float64) {
	var rates [3]struct{ n, hits float64 }
	for k, g := range s.controls {
		if k.set != setTest {
			rates[k.span].n += g.n
			rates[k.span].hits += g.hits
		}
	}
	bins := make([]ReliabilityBin, 20)
	var blocks []int64
	var a, b []float64
	for i := range s.touches {
		o := &s.touches[i]
		if o.set != setTest {
			continue
		}
		p, q := rates[o.span].hits/rates[o.span].n, logistic(o.offset(&r.base.before, false)+shift(o.kind))
		blocks, a, b = append(blocks, o.block), append(a, (p-o.hit)*(p-o.hit)), append(b, (q-o.hit)*(q-o.hit))
		r.constant += a[len(a)-1]
		r.brier += b[len(b)-1]
		x := &bins[int(q*20)]
		x.Touches++
		x.Forecast += q
		x.Rate += o.hit
	}
	r.constant /= float64(len(a))
	r.brier /= float64(len(b))
	r.gain[0], r.gain[1], r.gain[2] = gain(blocks, a, b, 0.025)
	for i, x := range bins {
		if x.Touches > 0 {
			n := float64(x.Touches)
			r.bins = append(r.bins, ReliabilityBin{Low: float64(i) / 20, High: float64(i+1) / 20, Forecast: x.Forecast / n, Rate: x.Rate / n, Touches: x.Touches})
		}
	}
}

// compare sets the touches of a kind on the test set against its random levels.
func (s *study) compare(v *verdict, kind Kind) {
	sums := map[int64]*[4]float64{}
	var keys []int64
	at := func(block int64) *[4]float64 {
		if sums[block] == nil {
			sums[block] = &[4]float64{}
			keys = append(keys, block)
		}
		return sums[block]
	}
	for i := range s.touches {
		if o := &s.touches[i]; o.set == setTest && o.kind == kind {
			x := at(o.block)
			x[0]++
			x[1] += o.hit
		}
	}
	for k, b := range s.blocks {
		if k.set == setTest && k.kind == kind {
			x := at(k.block)
			x[2] += b[0]
			x[3] += b[1]
		}
	}
	slices.Sort(keys)
	v.difference, v.lower, v.higher = resample(keys, func(k int64) []float64 { return sums[k][:] }, func(x []float64) float64 { return x[1]/x[0] - x[3]/x[2] }, 0.025)
	v.random, _, _ = resample(keys, func(k int64) []float64 { return sums[k][:] }, func(x []float64) float64 { return x[3] / x[2] }, 0.025)
}
