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
	bars      market.Series // of a composite, without what lies between its sessions
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

func (f *profileFamily) update(e *Engine) {
	if f.day == nil || !f.day.done {
		return
	}
	x := f.day.finished
	span := "the session of " + x.begin.String()
	if f.session || e.wants(KindNakedPOC) {
		if p, err := profile(e.bars.slice(x.first, x.last+1), f.o); err == nil {
			if f.session {
				e.replace(&f.sessions)
				f.sessions = f.keep(e, f.sessions, p, x.first, x.last, span)
			}
			if e.wants(KindNakedPOC) {
				low, high := p.Bins[p.poc].Low, p.Bins[p.poc].High
				e.book.add(&record{
					price: p.POC, low: low, high: high, kind: KindNakedPOC, born: x.first, bornAt: p.From, confirmed: e.i, confirmedAt: e.bar.Time, touched: -1,
					once: true, label: &label{name: "point of control of " + span},
				}, 0, true)
			}
		}
	}
	if f.composite {
		f.compose(e, x)
		// The next composite begins with the oldest session that stays.
		e.needs = f.spans[max(0, len(f.spans)+1-f.o.Sessions)%len(f.spans)][0]
		if f.o.Sessions == 1 {
			e.needs = math.MaxInt
		}
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
		f.composed = f.keep(e, f.composed, p, f.spans[0][0], x.last, "the last "+plural(len(f.spans), "session")+" to "+x.begin.String())
	}
}

// keep follows the levels of a finished profile.
func (f *profileFamily) keep(e *Engine, ids []int32, p *VolumeProfile, first, _ int, span string) []int32 {
	for _, l := range p.levels(span) {
		if e.wants(l.Kind) {
			ids = append(ids, e.follow(&record{
				price: l.Price, low: l.Low, high: l.High, kind: l.Kind, born: first, bornAt: l.Born, touched: -1, label: &label{name: l.Source},
			}, false))
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
