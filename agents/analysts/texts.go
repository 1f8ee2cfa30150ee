package analysts

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/market"
)

// A Passage is a piece of a library's document.
type Passage struct {
	Text   string
	Source string  // the document and its heading
	Score  float64 // higher is nearer to what was asked
}

// A Scorecard says how earlier analyses turned out.
type Scorecard struct {
	Analyses    int       // with an outcome
	HitRate     float64   // NaN when nothing was selected
	Calibration float64   // mean of stated probability − outcome; NaN when there is none
	Realised    float64   // mean of realised − stated return; NaN when there is none
	At          time.Time // when it was computed
}

const (
	newsDays    = 14
	newsCount   = 5
	passages    = 3
	textOfNews  = 400 // bytes
	textOfBooks = 1200
)

// askTexts asks for news, passages and the record of earlier analyses.
func (a *Analyst) askTexts(req *Request, in *inputs, ask func(func(ctx context.Context))) {
	in.record.absent = "no source is connected"
	if a.deps.News != nil {
		ask(func(ctx context.Context) {
			in.news = some(a.deps.News.News(ctx, market.NewsRequest{Symbols: []market.Symbol{req.Symbol}, From: in.at.AddDate(0, 0, -newsDays), Limit: 4 * newsCount}))
		})
	}
	if a.deps.Knowledge != nil {
		ask(func(ctx context.Context) {
			in.passages = some(a.deps.Knowledge(ctx, "selling options on a symbol: "+describeStrategies(req.Strategies), passages))
		})
	}
	if a.deps.Record != nil && !in.past {
		ask(func(ctx context.Context) {
			card, err := a.deps.Record(ctx, req.Symbol)
			switch {
			case err != nil:
				in.record = part[Scorecard]{absent: why(err)}
			case card == nil || card.Analyses == 0:
				in.record = part[Scorecard]{absent: "no earlier analysis has an outcome"}
			default:
				in.record = part[Scorecard]{value: *card}
			}
		})
	}
}

// addTexts records what others wrote and how earlier analyses turned out. What is
// not there is left out: most programs connect no such sources.
func (f *findings) addTexts() {
	in := f.in
	stories := slices.Clone(in.news.value)
	stories = slices.DeleteFunc(stories, func(s market.Story) bool { return s.Time.After(in.at) || s.Headline == "" })
	slices.SortStableFunc(stories, func(a, b market.Story) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.Headline, b.Headline))
	})
	for i, s := range stories[:min(len(stories), newsCount)] {
		text := s.Headline
		if s.Summary != "" {
			text += ". " + s.Summary
		}
		if s.Source != "" {
			text += " (" + s.Source + ")"
		}
		f.put(fmt.Sprintf("news.%d", i+1), math.Floor(in.at.Sub(s.Time).Hours()/24), f.local(s.Time), bounded(text, textOfNews), "")
	}
	for i, p := range in.passages.value[:min(len(in.passages.value), passages)] {
		f.put(fmt.Sprintf("knowledge.%d", i+1), p.Score, in.at, bounded(p.Source+": "+p.Text, textOfBooks), "the passage has no score")
	}
	if in.record.absent != "" {
		return
	}
	r := in.record.value
	at := in.at
	if !r.At.IsZero() {
		at = f.local(r.At)
	}
	f.put("record.analyses", float64(r.Analyses), at, plural(r.Analyses, "analysis", "analyses"), "")
	f.put("record.hit_rate", r.HitRate, at, share(r.HitRate), "nothing was selected")
	f.put("record.calibration", r.Calibration, at, percent(r.Calibration), "no candidate has an outcome")
	f.put("record.realised", r.Realised, at, percent(r.Realised), "no candidate has an outcome")
}

// bounded is a text of others without what a reader does not see, of so many bytes.
func bounded(text string, most int) string {
	text = agents.Clean(text)
	if len(text) > most {
		text = text[:most]
		for len(text) > 0 && text[len(text)-1]&0xC0 == 0x80 { // not inside a character
			text = text[:len(text)-1]
		}
		if len(text) > 0 && text[len(text)-1] >= 0xC0 {
			text = text[:len(text)-1]
		}
		text += "…"
	}
	return text
}
