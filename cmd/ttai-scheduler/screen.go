package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/notify"
	"github.com/ttai-go/ttai/workflow/schedule"
)

const (
	topicAnalyses  = "analyses"
	topicScreeners = "screeners"
)

// positionsList is the universe of what is held, with the index funds beside.
const positionsList = "positions"

// indexFunds are looked at by whoever named nothing.
var indexFunds = []market.Symbol{"SPY", "QQQ", "IWM"}

// analysisWorkflows returns the analysis and the screener over this program's
// market, accounts and store.
func (h *house) analysisWorkflows() ([]workflow.Workflow, error) {
	deps := analysts.Deps{
		Market: h.opened.Market, Broker: h.account, Clock: h.clock, Calendar: h.opened.Calendar, Rate: h.opened.Rate,
		Environment: h.opened.Environment, Notice: h.opened.Notice, Logger: h.logger,
	}
	if sources, err := h.newsSources(); err != nil {
		return nil, err
	} else if len(sources) > 0 {
		deps.News = sources[0] // the broker's or the simulator's, else the first of the settings
	}
	deps.Record = app.RecordOf(h.tenant)
	var err error
	if deps.Mind, err = h.cli.Mind(h.sources); err != nil {
		return nil, err
	}
	if deps.Mind != nil && h.store != nil {
		library, err := app.OpenKnowledge(h.store, h.tenant.ID(), h.sources)
		if err != nil {
			return nil, err
		}
		deps.Knowledge = tools.Passages(library)
	}
	analyst, err := analysts.New(deps)
	if err != nil {
		return nil, err
	}
	return analysts.Workflows{
		Analyst: analyst, Save: h.saveAnalysis, Notify: h.tellAnalysis, Universe: h.universe,
		Past: func(ctx context.Context, symbol market.Symbol) ([]*analysts.Analysis, error) {
			return app.PastAnalyses(ctx, h.records, symbol, h.clock.Now())
		},
	}.Definitions()
}

// idOf makes a record's id of a step's key, which may be longer than ids are.
func idOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// saveAnalysis keeps what a workflow found, once for each key.
func (h *house) saveAnalysis(ctx context.Context, key string, r analysts.Result) (string, error) {
	id := idOf(key)
	if a := r.Analysis; a != nil {
		data, err := json.Marshal(a)
		if err != nil {
			return "", err
		}
		_, err = h.records.Analyses.Put(ctx, storage.Analysis{ID: id, User: user, Symbol: string(a.Symbol), Time: a.At.UTC(), Verdict: string(a.Verdict.Decision), Document: data})
		return id, err
	}
	if r.Scorecard != nil {
		return app.SaveScorecard(ctx, h.records, r.Scorecard)
	}
	data, err := json.Marshal(r.Screening)
	if err != nil {
		return "", err
	}
	found := storage.ScreenerResult{ID: id, Screener: r.Screening.Name, Time: r.Screening.At.UTC(), Details: data, Symbols: []string{}}
	for _, s := range r.Screening.Top {
		found.Symbols = append(found.Symbols, string(s.Symbol))
	}
	_, err = h.records.ScreenerResults.Put(ctx, found)
	return id, err
}

func (h *house) tellAnalysis(ctx context.Context, key string, m analysts.Message) error {
	topic := topicAnalyses
	if strings.HasPrefix(m.Title, "Screener") {
		topic = topicScreeners
	}
	return h.tell(ctx, notify.Notification{Key: key, Topic: topic, Time: m.At, Title: notify.Shorten(m.Title, 200), Text: withNotice(m.Text, h.notice())})
}

// withNotice adds what is to be said about simulated data.
func withNotice(text, notice string) string {
	if notice == "" || strings.Contains(text, notice) {
		return text
	}
	return text + "\n\n" + notice
}

// universe returns the symbols of a watchlist, by its name or id, or of what is
// held.
func (h *house) universe(ctx context.Context, name string) ([]market.Symbol, error) {
	if name == positionsList {
		held, err := h.held(ctx)
		return append(held, indexFunds...), err
	}
	for list, err := range h.records.Watchlists.All(ctx, storage.RecordQuery{Where: []storage.Field{storage.Text("user", user)}}) {
		if err != nil {
			return nil, err
		}
		if list.Value.ID != name && list.Value.Name != name {
			continue
		}
		symbols := make([]market.Symbol, len(list.Value.Symbols))
		for i, s := range list.Value.Symbols {
			symbols[i] = market.Symbol(s)
		}
		return symbols, nil
	}
	return nil, invalid.Field("watchlist", name, "the name of a watchlist, or positions")
}

// held are the underlyings of open positions.
func (h *house) held(ctx context.Context) ([]market.Symbol, error) {
	accounts, err := h.account.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	var all []market.Symbol
	for _, a := range accounts {
		if a.Closed {
			continue
		}
		positions, err := h.account.Positions(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		for _, p := range positions {
			if p.Underlying != "" {
				all = append(all, p.Underlying)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// A screenerData is the data of a screener's own job.
type screenerData struct {
	Screener string `json:"screener"`
}

// screen runs the screeners that are due, one after the other: the one that the job
// names, and otherwise all without a time of their own. Each is a run by itself.
func (h *house) screen(c *workflow.Ctx, in schedule.Input) (outcome, error) {
	jobs, err := workflow.Step(c, "screeners", quick, func(ctx context.Context, _ workflow.Call) ([]analysts.ScreenerJob, error) {
		var data screenerData
		if len(in.Data) > 0 {
			if err := json.Unmarshal(in.Data, &data); err != nil {
				return nil, workflow.Permanent(fmt.Errorf("the job's data: %w", err))
			}
		}
		return h.screeners(ctx, data.Screener)
	})
	if err != nil {
		return outcome{}, err
	}
	var lines []string
	out, disclaimer := outcome{}, analysts.NotAdvice
	failed := 0
	for i, job := range jobs {
		c.Progress(i, len(jobs), "screener "+job.Name)
		found, err := workflow.Child[analysts.Screening](c, "screener", analysts.ScreenerWorkflow, job)
		if err != nil {
			if c.Err() != nil {
				return out, err
			}
			failed++
			lines = append(lines, fmt.Sprintf("## %s\n\nIt failed: %v", job.Name, err))
			continue
		}
		lines = append(lines, screeningText(found))
		disclaimer = cmp.Or(modelled(found.Disclaimer), disclaimer)
	}
	c.Progress(len(jobs), len(jobs), "")
	out.Summary = fmt.Sprintf("%d of %d screeners ran.", len(jobs)-failed, len(jobs))
	out.Text = strings.Join(lines, "\n\n") + "\n\n" + disclaimer
	if failed == len(jobs) {
		return out, fmt.Errorf("no screener could be run: %s", lines[0])
	}
	return out, nil
}

// modelled is a disclaimer of what has words of a model, and "" of what has none.
func modelled(disclaimer string) string {
	if disclaimer == analysts.NotAdvice {
		return ""
	}
	return disclaimer
}

// An analyzeData is the data of a job that analyses.
type analyzeData struct {
	Symbols    []market.Symbol     `json:"symbols"`
	Account    broker.AccountID    `json:"account,omitempty"`
	Strategies []analysts.Strategy `json:"strategies,omitempty"`
}

// analyze runs the analysis of each symbol of the job's data; for one before
// earnings without any, of the companies that report.
func (h *house) analyze(c *workflow.Ctx, in schedule.Input) (outcome, error) {
	var data analyzeData
	if len(in.Data) > 0 {
		if err := strictly(in.Data, &data); err != nil {
			return outcome{}, fmt.Errorf("the job's data: %w", err)
		}
	}
	if len(data.Symbols) == 0 {
		data.Symbols = in.Symbols
	}
	if len(data.Symbols) == 0 || len(data.Symbols) > mostAnalysed {
		return outcome{}, invalid.Fieldf("data, symbols", len(data.Symbols), "1 to %d symbols", mostAnalysed)
	}
	var out outcome
	disclaimer := analysts.NotAdvice
	var said []string
	var failed []error
	for i, s := range data.Symbols {
		c.Progress(i, len(data.Symbols), "analysis of "+string(s))
		done, err := workflow.Child[analysts.AnalysisDone](c, "analysis", analysts.AnalysisWorkflow, analysts.AnalysisJob{Symbol: s, Account: data.Account, Strategies: data.Strategies})
		if err != nil {
			if c.Err() != nil {
				return out, err
			}
			failed = append(failed, fmt.Errorf("%s: %w", s, err))
			continue
		}
		said = append(said, fmt.Sprintf("**%s**: %s", s, done.Analysis.Summary))
		disclaimer = cmp.Or(modelled(done.Analysis.Disclaimer), disclaimer)
	}
	out.Summary = fmt.Sprintf("%d of %d symbols were analysed.", len(said), len(data.Symbols))
	out.Text = strings.Join(said, "\n\n") + "\n\n" + disclaimer
	return out, errors.Join(failed...)
}

// mostAnalysed bounds the symbols of one job.
const mostAnalysed = 20

func screeningText(s analysts.Screening) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%d symbols were analysed.\n\n", s.Name, s.Looked)
	for i, r := range s.Top {
		fmt.Fprintf(&b, "%d. **%s** %.0f of 100, %s\n", i+1, r.Symbol, r.Score, r.Decision)
	}
	for _, f := range s.Failed {
		fmt.Fprintf(&b, "- %s was not analysed: %s\n", f.Symbol, f.Why)
	}
	if s.Repeated > 0 {
		fmt.Fprintf(&b, "- %d were named more than once\n", s.Repeated)
	}
	return strings.TrimSpace(b.String())
}

// scorecard runs the scorecard of all analyses that are kept.
func (h *house) scorecard(c *workflow.Ctx, _ schedule.Input) (outcome, error) {
	card, err := workflow.Child[analysts.ScorecardDone](c, "scorecard", analysts.ScorecardWorkflow, analysts.ScorecardJob{})
	if err != nil {
		return outcome{}, err
	}
	if card.Analyses == 0 {
		return outcome{Summary: "No analysis that is kept has an outcome yet."}, nil
	}
	return outcome{Summary: card.Text()}, nil
}

// screeners returns the one of that name, or all that have no time of their own:
// those of the settings, then those of the store, and for somebody who has neither
// one over what is held.
func (h *house) screeners(ctx context.Context, name string) ([]analysts.ScreenerJob, error) {
	var all []analysts.ScreenerJob
	for _, s := range h.jobs.Screeners {
		if name != s.Name && (name != "" || s.Trigger != "") {
			continue
		}
		job, err := screenerJob(s)
		if err != nil {
			return nil, workflow.Permanent(err)
		}
		all = append(all, job)
	}
	for s, err := range h.records.Screeners.All(ctx, storage.RecordQuery{Where: []storage.Field{storage.Text("user", user)}}) {
		if err != nil {
			return nil, err
		}
		if name != "" && name != s.Value.Name || slices.ContainsFunc(all, func(j analysts.ScreenerJob) bool { return j.Name == s.Value.Name }) {
			continue
		}
		job := analysts.ScreenerJob{}
		if err := strictly(s.Value.Criteria, &job); err != nil {
			return nil, workflow.Permanent(fmt.Errorf("screener %q: %w", s.Value.Name, err))
		}
		job.Name = s.Value.Name
		all = append(all, job)
	}
	switch {
	case len(all) > 0:
		return all, nil
	case name != "":
		return nil, workflow.Permanent(invalid.Field("screener", name, "a screener of the settings or of the store"))
	}
	return []analysts.ScreenerJob{{Name: "positions and index funds", Universe: positionsList}}, nil
}

// screenerJob is what the settings ask the screener for.
func screenerJob(s app.ScreenerSetting) (analysts.ScreenerJob, error) {
	var job analysts.ScreenerJob
	if len(s.Request) > 0 {
		if err := strictly(s.Request, &job); err != nil {
			return job, fmt.Errorf("jobs.screeners, %s, request: %w", s.Name, err)
		}
	}
	job.Name = s.Name
	for i, text := range s.Symbols {
		symbol, err := analysts.Underlying(fmt.Sprintf("jobs.screeners, %s, symbols[%d]", s.Name, i), market.Symbol(text))
		if err != nil {
			return job, err
		}
		job.Symbols = append(job.Symbols, symbol)
	}
	if s.Watchlist != "" {
		job.Universe = s.Watchlist
	}
	if len(job.Symbols) == 0 && job.Universe == "" {
		job.Universe = positionsList
	}
	return job, nil
}

// strictly reads JSON whose fields must all be known.
func strictly(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// checkScreeners reads the settings of all screeners, so that a mistake is found at
// the start.
func (h *house) checkScreeners() error {
	for _, s := range h.jobs.Screeners {
		if _, err := screenerJob(s); err != nil {
			return app.Usage(fmt.Errorf("config.json: %w", err))
		}
	}
	return nil
}
