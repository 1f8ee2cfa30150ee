package analysts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow"
)

// The names of the workflows.
const (
	AnalysisWorkflow = "analysis"
	ScreenerWorkflow = "screener"
	// ScorecardWorkflow computes how earlier analyses turned out.
	ScorecardWorkflow = "outcomes"
)

// Workflows makes the workflows of this package. Their steps are recorded, so
// that a run whose process died asks no source and no model twice for what it has.
type Workflows struct {
	Analyst *Analyst // required
	// Save keeps a result under a key that is the same in each attempt; nil: nothing
	// is kept. ID is the name it was kept under.
	Save func(ctx context.Context, key string, result Result) (id string, err error)
	// Notify tells a person, once for each key; nil: nobody is told.
	Notify func(ctx context.Context, key string, m Message) error
	// Universe names the symbols of a list, such as a watchlist; nil: jobs name them.
	Universe func(ctx context.Context, name string) ([]market.Symbol, error)
	// Past returns kept analyses of a symbol, of all for the empty one; nil: there is
	// no scorecard.
	Past func(ctx context.Context, symbol market.Symbol) ([]*Analysis, error)
	// Pause is between the batches of a screener, for the sake of the broker's limits;
	// 0: 1 second.
	Pause time.Duration
}

// A Result is what a workflow keeps: one of its members is set.
type Result struct {
	Analysis  *Analysis
	Screening *Screening
	Scorecard *ScorecardDone
}

// A Message is what a person is told.
type Message struct {
	Title string
	Text  string // Markdown
	At    time.Time
}

// An AnalysisJob is the input of the analysis.
type AnalysisJob struct {
	Symbol     market.Symbol    `json:"symbol"`
	Account    broker.AccountID `json:"account,omitempty"`
	Strategies []Strategy       `json:"strategies,omitempty"`
	Quiet      bool             `json:"quiet,omitempty"` // nobody is told
}

// An AnalysisDone is the result of the analysis.
type AnalysisDone struct {
	ID       string    `json:"id,omitempty"` // that it was kept under
	Analysis *Analysis `json:"analysis"`
	// Early is why it ended before the options were asked for.
	Early string `json:"early,omitempty"`
}

// A ScreenerJob is the input of the screener.
type ScreenerJob struct {
	Name       string           `json:"name"`               // for people
	Symbols    []market.Symbol  `json:"symbols,omitempty"`  // 1 to 1000
	Universe   string           `json:"universe,omitempty"` // instead of Symbols: see Workflows
	Account    broker.AccountID `json:"account,omitempty"`
	Strategies []Strategy       `json:"strategies,omitempty"`
	Top        int              `json:"top,omitempty"` // how many are kept; 0: 10
	Quiet      bool             `json:"quiet,omitempty"`
}

// A Screening is the result of the screener: the best symbols first.
type Screening struct {
	ID     string    `json:"id,omitempty"`
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
	Looked int       `json:"looked"` // symbols that were analysed
	Top    []Ranked  `json:"top"`
	// Failed are all others, with the reason: what is no symbol, what the broker does not
	// know, what has no data.
	Failed []Failed `json:"failed,omitempty"`
	// Repeated is how many were left out because the same symbol was named before.
	Repeated int              `json:"repeated,omitempty"`
	Account  broker.AccountID `json:"account,omitempty"`
	// Disclaimer says whether rules alone or a model, too, made it.
	Disclaimer string `json:"disclaimer"`
}

// A Ranked is one symbol of a screening.
type Ranked struct {
	Symbol    market.Symbol `json:"symbol"`
	Decision  Decision      `json:"decision"`
	Score     float64       `json:"score"`
	Summary   string        `json:"summary"`
	Candidate *Candidate    `json:"candidate,omitempty"` // the first without a veto
}

// A Failed is a symbol that could not be analysed.
type Failed struct {
	Symbol market.Symbol `json:"symbol"`
	Why    string        `json:"why"`
}

// batch is how many symbols a screener looks at side by side.
const batch = 5

// mostScreened is how many symbols one screening takes, and mostTold how many of those
// that were left out a message names.
const (
	mostScreened = 1000
	mostTold     = 20
)

// rejectedByChart is the score of the chart from which nothing else is asked.
const rejectedByChart = -0.6

// Definitions returns the workflows for an engine, or a *FieldError.
func (w Workflows) Definitions() ([]workflow.Workflow, error) {
	if w.Analyst == nil {
		return nil, invalid.Missing("Analyst", "an analyst")
	}
	if w.Pause < 0 {
		return nil, invalid.Field("Pause", w.Pause, "0 for 1 second, or a positive duration")
	}
	w.Pause = cmp.Or(w.Pause, time.Second)
	return []workflow.Workflow{
		workflow.Of(workflow.Definition[AnalysisJob, AnalysisDone]{Name: AnalysisWorkflow, Version: 1, Run: w.analysis}),
		workflow.Of(workflow.Definition[ScreenerJob, Screening]{Name: ScreenerWorkflow, Version: 1, Run: w.screener}),
		workflow.Of(workflow.Definition[ScorecardJob, ScorecardDone]{Name: ScorecardWorkflow, Version: 1, Run: w.scorecard}),
	}, nil
}

// reading is for steps that ask sources and models: what fails for a while is tried
// again.
var reading = workflow.Policy{Attempts: 3, MinBackoff: 2 * time.Second, MaxBackoff: time.Minute, Timeout: 5 * time.Minute}

// hopeless makes errors permanent that another attempt would meet as well.
func hopeless(err error) error {
	_, refused := errors.AsType[*FieldError](err)
	if refused || errors.Is(err, market.ErrUnknownSymbol) || errors.Is(err, market.ErrNoData) || errors.Is(err, broker.ErrUnknownAccount) {
		return workflow.Permanent(err)
	}
	return err
}

func (w Workflows) analysis(c *workflow.Ctx, job AnalysisJob) (AnalysisDone, error) {
	done, err := w.analyze(c, job)
	if err != nil {
		return done, err
	}
	if w.Save != nil {
		c.Progress(6, 7, "saving")
		done.ID, err = workflow.Step(c, "save", workflow.Policy{}, func(ctx context.Context, call workflow.Call) (string, error) {
			return w.Save(ctx, call.Key, Result{Analysis: done.Analysis})
		})
		if err != nil {
			return done, err
		}
	}
	if w.Notify != nil && !job.Quiet {
		_, err = workflow.Step(c, "notify", workflow.Policy{}, func(ctx context.Context, call workflow.Call) (struct{}, error) {
			a := done.Analysis
			return struct{}{}, w.Notify(ctx, call.Key, Message{Title: fmt.Sprintf("%s: %s, %s of 100", a.Symbol, a.Verdict.Decision, trimmed(a.Verdict.Score)), Text: a.Summary + "\n\n" + a.Disclaimer, At: a.At})
		})
	}
	c.Progress(7, 7, "done")
	return done, err
}

// analyze goes from the market's data to the verdict, without keeping or telling it.
func (w Workflows) analyze(c *workflow.Ctx, job AnalysisJob) (AnalysisDone, error) {
	var done AnalysisDone
	a := w.Analyst
	c.Progress(0, 7, "market data of "+string(job.Symbol))
	begun, err := workflow.Step(c, "begin", workflow.Policy{}, func(context.Context, workflow.Call) (time.Time, error) { return a.deps.Clock.Now(), nil })
	if err != nil {
		return done, err
	}
	// Another process may come here later: the request stays about when it began.
	req, err := Request{Symbol: job.Symbol, Account: job.Account, Strategies: job.Strategies}.normalized(begun.In(a.deps.Calendar.Location()))
	if err != nil {
		return done, err
	}
	in, err := w.recorded(c, "market-data", func(ctx context.Context) (*inputs, error) { return a.gather(ctx, &req, false) })
	if err != nil {
		return done, err
	}
	c.Progress(1, 7, "chart")
	analysis, f := a.conclude(&req, in)
	chart, err := w.opinion(c, analysis, 0)
	if err != nil {
		return done, err
	}
	said := []spoken{chart}
	if v := cmp.Or(chart.View, &analysis.Views[0]); v.Score.Known() && float64(v.Score) <= rejectedByChart || f.value("quote.halted") > 0 {
		done.Early = fmt.Sprintf("The chart rejects it (%s): options and research were not asked.", v.Stance)
		if f.value("quote.halted") > 0 {
			done.Early = "Trading is halted: options and research were not asked."
		}
		f.adopt(analysis, append(said, make([]spoken, len(analysis.Views)-1)...))
		f.settle(analysis, said)
		analysis.Verdict.Decision, analysis.Verdict.Score = DecisionReject, min(analysis.Verdict.Score, rejectTo)
		analysis.Summary = done.Early + " " + analysis.Summary
		done.Analysis = analysis
		return done, nil
	}
	c.Progress(2, 7, "options")
	if in.expirations.absent == "" {
		if in, err = w.recorded(c, "option-chain", func(ctx context.Context) (*inputs, error) {
			timed, cancel := context.WithTimeout(ctx, a.deps.Timeout)
			defer cancel()
			with := *in
			with.chain = a.fetchChain(timed, &req, in, in.expirations.value)
			return &with, ctx.Err() // a step that was stopped has no result
		}); err != nil {
			return done, err
		}
	}
	if len(in.bars) == 0 && len(in.chain.value) == 0 {
		return done, fmt.Errorf("analysing %s: daily bars: %s; options: %s", req.Symbol, in.noBars, in.chain.absent)
	}
	analysis, f = a.conclude(&req, in)
	c.Progress(3, 7, "options, research and risk analysts")
	others, err := workflow.Map(c, "analysts", []int{1, 2, 3}, 0, func(c *workflow.Ctx, i int) (spoken, error) { return w.opinion(c, analysis, i) })
	if err != nil {
		return done, err
	}
	said = append(said, others...)
	f.adopt(analysis, said)
	c.Progress(5, 7, "panel")
	if a.deps.Mind != nil {
		ruled, err := workflow.Step(c, "panel", a.thinking(), func(ctx context.Context, _ workflow.Call) (spoken, error) {
			timed, cancel := a.bounded(ctx)
			defer cancel()
			return a.panel(timed, f, analysis), stopped(ctx)
		})
		if err != nil {
			return done, err
		}
		said = append(said, ruled)
	}
	f.settle(analysis, said)
	done.Analysis = analysis
	return done, nil
}

// recorded is a step whose result is what the sources answered.
func (w Workflows) recorded(c *workflow.Ctx, name string, ask func(ctx context.Context) (*inputs, error)) (*inputs, error) {
	data, err := workflow.Step(c, name, reading, func(ctx context.Context, _ workflow.Call) ([]byte, error) {
		in, err := ask(ctx)
		if err != nil {
			return nil, hopeless(err)
		}
		return in.encode()
	})
	if err != nil {
		return nil, err
	}
	return decodeInputs(data, w.Analyst.deps.Calendar)
}

// thinking is for steps that ask a model. They are done once: what a model refused
// or had no time for is an answer, and another attempt would be paid for again.
func (a *Analyst) thinking() workflow.Policy {
	return workflow.Policy{Attempts: 3, MinBackoff: 2 * time.Second, MaxBackoff: time.Minute, Timeout: cmp.Or(a.deps.Mind.Limits.Wall, defaultWall) + time.Minute}
}

// stopped says that a step has no result because its process ends.
func stopped(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return nil
}

// opinion is the step of one analyst, if a model is asked at all.
func (w Workflows) opinion(c *workflow.Ctx, analysis *Analysis, i int) (spoken, error) {
	v := analysis.Views[i]
	if w.Analyst.deps.Mind == nil {
		return spoken{Who: v.Name}, nil
	}
	return workflow.Step(c, v.Name+"-analyst", w.Analyst.thinking(), func(ctx context.Context, _ workflow.Call) (spoken, error) {
		timed, cancel := w.Analyst.bounded(ctx)
		defer cancel()
		return w.Analyst.view(timed, analysis, v), stopped(ctx)
	})
}

func (w Workflows) screener(c *workflow.Ctx, job ScreenerJob) (Screening, error) {
	out := Screening{Name: job.Name, Account: job.Account, Top: []Ranked{}, Disclaimer: NotAdvice}
	top := cmp.Or(job.Top, 10)
	if top < 1 || top > 100 {
		return out, invalid.Field("top", job.Top, "1 to 100, or 0 for 10")
	}
	type chosen struct {
		At       time.Time       `json:"at"`
		Symbols  []market.Symbol `json:"symbols"`
		Failed   []Failed        `json:"failed,omitempty"`
		Repeated int             `json:"repeated,omitempty"`
	}
	c.Progress(0, 0, "candidates")
	list, err := workflow.Step(c, "candidates", reading, func(ctx context.Context, _ workflow.Call) (chosen, error) {
		symbols := job.Symbols
		if job.Universe != "" {
			if w.Universe == nil {
				return chosen{}, workflow.Permanent(invalid.Field("universe", job.Universe, "no universe: no lists are connected"))
			}
			var err error
			if symbols, err = w.Universe(ctx, job.Universe); err != nil {
				return chosen{}, hopeless(err)
			}
		}
		if len(symbols) == 0 {
			return chosen{}, workflow.Permanent(invalid.Missing("symbols", "symbols, or a universe that has some"))
		}
		if len(symbols) > mostScreened {
			return chosen{}, workflow.Permanent(invalid.Fieldf("symbols", len(symbols), "at most %d symbols", mostScreened))
		}
		found := chosen{At: w.Analyst.deps.Clock.Now()}
		for i, text := range symbols {
			s, err := Underlying(fmt.Sprintf("symbols[%d]", i), text)
			switch {
			case err != nil:
				found.Failed = append(found.Failed, Failed{market.Symbol(bounded(string(text), 40)), firstLine(err.Error())})
			case slices.Contains(found.Symbols, s):
				found.Repeated++
			default:
				found.Symbols = append(found.Symbols, s)
			}
		}
		slices.Sort(found.Symbols)
		return found, nil
	})
	if err != nil {
		return out, err
	}
	out.At = list.At.In(w.Analyst.deps.Calendar.Location())
	out.Failed, out.Repeated = list.Failed, list.Repeated
	type looked struct {
		ranked     *Ranked
		failed     *Failed
		disclaimer string
	}
	total := len(list.Symbols) + len(list.Failed)
	first := true
	for some := range slices.Chunk(list.Symbols, batch) {
		if !first {
			if err := workflow.Sleep(c, "pause", w.Pause); err != nil {
				return out, err
			}
		}
		first = false
		found, err := workflow.Map(c, "batch", some, 0, func(c *workflow.Ctx, s market.Symbol) (looked, error) {
			done, err := w.analyze(c, AnalysisJob{Symbol: s, Account: job.Account, Strategies: job.Strategies})
			switch {
			case err != nil && c.Err() != nil:
				return looked{}, err
			case err != nil: // one symbol does not fail the others
				return looked{failed: &Failed{s, firstLine(err.Error())}}, nil
			}
			a := done.Analysis
			r := &Ranked{Symbol: s, Decision: a.Verdict.Decision, Score: a.Verdict.Score, Summary: a.Summary}
			if i := slices.IndexFunc(a.Candidates, func(c Candidate) bool { return len(c.Vetoes) == 0 }); i >= 0 {
				r.Candidate = &a.Candidates[i]
			}
			return looked{ranked: r, disclaimer: a.Disclaimer}, nil
		})
		if err != nil {
			return out, err
		}
		for _, l := range found {
			if l.failed != nil {
				out.Failed = append(out.Failed, *l.failed)
				continue
			}
			out.Looked++
			out.Top = append(out.Top, *l.ranked)
			if l.disclaimer != NotAdvice {
				out.Disclaimer = l.disclaimer
			}
		}
		slices.SortStableFunc(out.Top, func(a, b Ranked) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Symbol, b.Symbol)) })
		out.Top = out.Top[:min(len(out.Top), top)]
		c.Progress(out.Looked+len(out.Failed), total, out.partial())
	}
	if out.Looked == 0 {
		return out, fmt.Errorf("screener %s: none of %d symbols could be analysed: %s", job.Name, total, out.leftOut(5, "; "))
	}
	if w.Save != nil {
		if out.ID, err = workflow.Step(c, "save", workflow.Policy{}, func(ctx context.Context, call workflow.Call) (string, error) {
			return w.Save(ctx, call.Key, Result{Screening: &out})
		}); err != nil {
			return out, err
		}
	}
	if w.Notify != nil && !job.Quiet {
		_, err = workflow.Step(c, "notify", workflow.Policy{}, func(ctx context.Context, call workflow.Call) (struct{}, error) {
			return struct{}{}, w.Notify(ctx, call.Key, out.message())
		})
	}
	return out, err
}

// partial is the best so far, for whoever watches.
func (s *Screening) partial() string {
	words := make([]string, 0, 3)
	for _, r := range s.Top[:min(3, len(s.Top))] {
		words = append(words, fmt.Sprintf("%s %s", r.Symbol, trimmed(r.Score)))
	}
	text := "best so far: " + strings.Join(words, ", ")
	if len(words) == 0 {
		text = "nothing so far"
	}
	if len(s.Failed) > 0 {
		text += fmt.Sprintf("; %d failed", len(s.Failed))
	}
	return text
}

// leftOut names the symbols that could not be analysed and why, the first most of
// them, and how many more there are: the result names all.
func (s *Screening) leftOut(most int, between string) string {
	var lines []string
	for _, f := range s.Failed[:min(most, len(s.Failed))] {
		name := string(f.Symbol)
		if !underlyingForm.MatchString(name) {
			name = strconv.Quote(name)
		}
		lines = append(lines, fmt.Sprintf("%s: not analysed, %s", name, f.Why))
	}
	if more := len(s.Failed) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, between)
}

func (s *Screening) message() Message {
	var b strings.Builder
	for _, r := range s.Top {
		fmt.Fprintf(&b, "- **%s** %s of 100, %s", r.Symbol, trimmed(r.Score), r.Decision)
		if r.Candidate != nil {
			b.WriteString(": " + r.Candidate.describe())
		}
		b.WriteByte('\n')
	}
	if len(s.Failed) > 0 {
		b.WriteString("- " + s.leftOut(mostTold, "\n- ") + "\n")
	}
	if s.Repeated > 0 {
		fmt.Fprintf(&b, "- %s more than once\n", plural(s.Repeated, "symbol was named", "symbols were named"))
	}
	b.WriteString("\n" + s.Disclaimer)
	return Message{Title: fmt.Sprintf("Screener %s: %s of %d", s.Name, plural(len(s.Top), "symbol", "symbols"), s.Looked+len(s.Failed)), Text: b.String(), At: s.At}
}
