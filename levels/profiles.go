package levels

import (
	"math"
	"slices"

	"github.com/ttai-go/ttai/market"
)

// A profileFamily makes volume profiles of an engine's bars. Those that follow
// the last bar are made when someone asks; finished ones are made once.
type profileFamily struct {
	o         ProfileOptions
	rolling   bool
	session   bool
	develop   bool
	composite bool
	day       *tracker // nil for long bars
	spans     [][2]int // first and last bar of the finished sessions of a composite
	sessions  []int32
	composed  []int32
	waiting   finished      // the profile of the last session, until someone asks
	bars      market.Series // of a composite, without what lies between its sessions
}

// A finished session has no profile yet.
type finished struct {
	moment
	has         bool
	begin       market.Date
	first, last int
}

func newProfileFamily(e *Engine) *profileFamily {
	f := &profileFamily{o: e.o.Profile}
	intraday := e.o.Interval.Intraday()
	scopes := f.o.Scopes
	if scopes == nil {
		scopes = []ProfileScope{ProfileRolling}
		if intraday {
			scopes = append(scopes, ProfileSession)
		}
	}
	f.rolling = slices.Contains(scopes, ProfileRolling)
	if intraday {
		f.session, f.composite = slices.Contains(scopes, ProfileSession), slices.Contains(scopes, ProfileComposite)
		f.develop = slices.Contains(scopes, ProfileDeveloping)
		f.day = e.periods.tracker(PeriodDay)
	}
	if f.rolling {
		bars := e.o.Lookback
		if bars < 0 {
			bars = mostHistory
		}
		e.remember(bars)
	}
	return f
}

func (f *profileFamily) period() *tracker { return f.day }

func (f *profileFamily) update(e *Engine) {
	if f.day == nil || !f.day.done {
		return
	}
	x := f.day.finished
	if (f.session || e.wants(KindNakedPOC)) && f.traded(e, x.first, x.last) {
		if f.session {
			e.replace(&f.sessions) // not yet written down means never
		}
		f.waiting = finished{e.moment(), true, x.begin, x.first, x.last}
		if e.wants(KindNakedPOC) {
			f.settle(e) // its point of control stays when others take its place
		}
	}
	if f.composite {
		f.compose(e, x)
	}
	f.reserve(e)
}

// reserve keeps the bars of sessions that profiles will be made of.
func (f *profileFamily) reserve(e *Engine) {
	e.needs = math.MaxInt
	if f.composite && f.o.Sessions > 1 && len(f.spans) > 0 {
		// The next composite begins with the oldest session that stays.
		e.needs = f.spans[max(0, len(f.spans)+1-f.o.Sessions)][0]
	}
	if f.waiting.has {
		e.needs = min(e.needs, f.waiting.first)
	}
}

// traded reports whether the bars have a profile. A given tick may be too fine
// for them; otherwise one bar with volume will do.
func (f *profileFamily) traded(e *Engine, first, last int) bool {
	s := e.bars.slice(first, last+1)
	if f.o.Tick != 0 {
		_, err := profile(s, f.o)
		return err == nil
	}
	for i := range s.Time {
		if usable(&s, i) {
			return true
		}
	}
	return false
}

// settle makes the profile that was put off.
func (f *profileFamily) settle(e *Engine) {
	x := f.waiting
	if !x.has {
		return
	}
	f.waiting.has = false
	f.reserve(e)
	p, err := profile(e.bars.slice(x.first, x.last+1), f.o)
	if err != nil {
		return
	}
	span := "the session of " + x.begin.String()
	if f.session {
		f.sessions = f.keep(e, f.sessions, p, &x.moment, x.first, span)
	}
	if e.wants(KindNakedPOC) {
		x.tolerance = 0
		e.book.add(&record{
			price: p.POC, low: p.Bins[p.poc].Low, high: p.Bins[p.poc].High, kind: KindNakedPOC, born: x.first, bornAt: p.From, touched: -1,
			once: true, label: &label{name: "point of control of " + span},
		}, &x.moment, true)
	}
}

// compose makes the profile of the last sessions.
func (f *profileFamily) compose(e *Engine, x span) {
	f.spans = append(f.spans, [2]int{x.first, x.last})
	if len(f.spans) > f.o.Sessions {
		f.spans = slices.Delete(f.spans, 0, 1)
	}
	s := &f.bars
	s.Time, s.Open, s.High, s.Low, s.Close, s.Volume = s.Time[:0], s.Open[:0], s.High[:0], s.Low[:0], s.Close[:0], s.Volume[:0]
	for _, span := range f.spans {
		part := e.bars.slice(span[0], span[1]+1)
		s.Time = append(s.Time, part.Time...)
		s.Open, s.High, s.Low = append(s.Open, part.Open...), append(s.High, part.High...), append(s.Low, part.Low...)
		s.Close, s.Volume = append(s.Close, part.Close...), append(s.Volume, part.Volume...)
	}
	if p, err := profile(*s, f.o); err == nil {
		e.replace(&f.composed)
		m := e.moment()
		f.composed = f.keep(e, f.composed, p, &m, f.spans[0][0], "the last "+plural(len(f.spans), "session")+" to "+x.begin.String())
	}
}

// keep follows the levels of a finished profile.
func (f *profileFamily) keep(e *Engine, ids []int32, p *VolumeProfile, m *moment, first int, span string) []int32 {
	for _, l := range p.levels(span) {
		if e.wants(l.Kind) {
			ids = append(ids, e.book.add(&record{
				price: l.Price, low: l.Low, high: l.High, kind: l.Kind, born: first, bornAt: l.Born, touched: -1, label: &label{name: l.Source},
			}, m, false))
		}
	}
	return ids
}

func (f *profileFamily) lines(e *Engine, dst []Level) []Level {
	if f.rolling {
		from := 0
		if e.o.Lookback > 0 {
			from = e.i + 1 - e.o.Lookback
		}
		if p, err := profile(e.bars.slice(from, e.i+1), f.o); err == nil {
			dst = append(dst, p.Levels()...)
		}
	}
	if f.develop && f.day.open {
		x := &f.day.current
		if p, err := profile(e.bars.slice(x.first, x.last+1), f.o); err == nil {
			dst = append(dst, p.levels("the session of "+x.begin.String()+", so far")...)
		}
	}
	return dst
}
