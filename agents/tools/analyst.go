package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/broker"
)

type analystArgs struct {
	Symbol  string `json:"symbol" schema:"maxLength=40"`
	At      string `json:"at,omitempty" jsonschema:"look from the close of this date, or this time, in the past; default now" schema:"maxLength=40"`
	Account string `json:"account,omitempty" jsonschema:"account number; default all" schema:"maxLength=64"`
	Years   int    `json:"years,omitempty" jsonschema:"of daily bars" schema:"min=1,max=20,default=3"`
}

type analystResult struct {
	stamp
	Analysis *analysts.Analysis `json:"analysis"`
}

// analyst is left out when the analysts cannot work with the dependencies,
// which is logged.
func (k *kit) analyst() (agents.Tool, bool) {
	deps := analysts.Deps{
		Market: k.Market, Broker: k.Broker, Clock: k.Clock, Calendar: k.Calendar, Rate: k.Rate,
		Environment: k.environment, Notice: k.Notice, Logger: k.Logger, News: k.News, Record: k.Record,
	}
	by, timed := "rule-based", *k
	if k.Mind != nil {
		deps.Mind, by = k.Mind, "model-explained"
		timed.Timeout += cmp.Or(k.Mind.Limits.Wall, mindTimeout)
		if k.Knowledge != nil {
			deps.Knowledge = Passages(k.Knowledge)
		}
	}
	a, err := analysts.New(deps)
	if err != nil {
		k.Logger.Error("the analyst tool is left out", "error", err)
		return agents.Tool{}, false
	}
	return tool(&timed, agents.Spec{
		Name: "analyst", Title: "Analysis of a symbol", Annotations: reads,
		Description: "Full " + by + " analysis of one symbol: trend, momentum, levels, volatility, options, events, portfolio; verdict with reasons by evidence id, and candidate trades.",
	}, func(ctx context.Context, in analystArgs) (analystResult, error) {
		symbol, err := parseSymbol("symbol", in.Symbol)
		if err != nil {
			return analystResult{}, err
		}
		var at time.Time
		if in.At != "" {
			if at, err = k.Calendar.ParseInstant("at", in.At, nil); err != nil {
				return analystResult{}, err
			}
		}
		analysis, err := a.Analyze(ctx, analysts.Request{Symbol: symbol, At: at, Account: broker.AccountID(in.Account), LookbackYears: in.Years})
		if err != nil {
			return analystResult{}, err
		}
		if at.IsZero() {
			k.rememberAnalysis(ctx, analysis)
		}
		out := analystResult{stamp: k.stamp(), Analysis: analysis}
		out.shorten()
		return out, nil
	}), true
}

// mindTimeout is how much longer an analysis may take for a model whose limits name
// no time.
const mindTimeout = 2 * time.Minute

// Passages finds what a knowledge base has to say, as analysts read it.
func Passages(base *knowledge.Base) func(ctx context.Context, query string, limit int) ([]analysts.Passage, error) {
	return func(ctx context.Context, query string, limit int) ([]analysts.Passage, error) {
		found, err := base.Search(ctx, knowledge.Query{Text: query, Limit: limit})
		if err != nil {
			return nil, err
		}
		out := make([]analysts.Passage, len(found.Passages))
		for i, p := range found.Passages {
			out[i] = analysts.Passage{Text: p.Text, Source: strings.Join(append([]string{p.Title}, p.Path...), " > "), Score: p.Score}
		}
		return out, nil
	}
}

// longestAnalysis is how many bytes an analysis may take.
const longestAnalysis = 31 << 10

// shorten cuts an analysis to its budget: first how things were computed, then
// what could not be, then evidence that nothing cites. Evidence of prices stays.
func (r *analystResult) shorten() {
	a := *r.Analysis
	a.Notice = "" // said by the stamp
	r.Analysis = &a
	if size(a) <= longestAnalysis {
		return
	}
	a.Evidence = append([]analysts.Evidence(nil), a.Evidence...)
	for i := range a.Evidence {
		a.Evidence[i].Method = ""
	}
	r.omit("how each piece of evidence was computed; ttai analyze shows it")
	if size(a) > longestAnalysis {
		kept := a.Evidence[:0]
		for _, e := range a.Evidence {
			if e.Known() {
				kept = append(kept, e)
			}
		}
		r.omit("%d pieces of evidence that could not be computed", len(a.Evidence)-len(kept))
		a.Evidence = kept
	}
	if size(a) > longestAnalysis {
		cited := citations(a)
		price := map[analysts.Group]bool{analysts.GroupTrend: true, analysts.GroupMomentum: true, analysts.GroupVolatility: true, analysts.GroupLevels: true}
		kept := a.Evidence[:0]
		for _, e := range a.Evidence {
			if cited[e.ID] || price[e.Group()] {
				kept = append(kept, e)
			}
		}
		r.omit("%d pieces of evidence that no reason cites", len(a.Evidence)-len(kept))
		a.Evidence = kept
	}
	r.Analysis = &a
}

// citations are the ids that views, verdict and candidates stand on.
func citations(a analysts.Analysis) map[string]bool {
	ids := map[string]bool{}
	cite := func(lists ...[]analysts.Reason) {
		for _, list := range lists {
			for _, reason := range list {
				for _, id := range reason.Evidence {
					ids[id] = true
				}
			}
		}
	}
	cite(a.Verdict.Reasons, a.Verdict.Vetoes, a.Verdict.Dissent)
	for _, v := range a.Views {
		cite(v.Reasons)
	}
	for _, c := range a.Candidates {
		cite(c.Vetoes, c.Warnings)
		for _, id := range append([]string{c.SupportID, c.ResistanceID}, c.Evidence...) {
			ids[id] = true
		}
	}
	return ids
}

// size is how many bytes v takes as JSON.
func size(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return len(data)
}
