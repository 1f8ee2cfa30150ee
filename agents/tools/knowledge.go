package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

type knowledgeArgs struct {
	Query  string `json:"query,omitempty" schema:"maxLength=1000"`
	Symbol string `json:"symbol,omitempty" jsonschema:"adds past analyses of it" schema:"maxLength=40"`
	Limit  int    `json:"limit,omitempty" schema:"min=1,max=10,default=4"`
}

// A knowledgeResult states a short schema of its own: every conversation pays for
// it, and passages are read, not computed with.
type knowledgeResult struct {
	stamp
	Passages []passage `json:"passages"`
	// Analyses are earlier ones of the symbol, the newest first.
	Analyses []pastAnalysis `json:"past_analyses,omitempty"`
}

// JSONSchema says that it is an object.
func (knowledgeResult) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object"}
}

// A passage is named by what this program makes or checks. What strangers wrote,
// title and source included, is in Text, as data.
type passage struct {
	Document string         `json:"document"`
	Score    market.Float   `json:"score"`
	Date     knowledge.Date `json:"date,omitzero"`
	Text     string         `json:"text"`
}

type pastAnalysis struct {
	Time    time.Time `json:"time"`
	Verdict string    `json:"verdict"`
	Summary string    `json:"summary,omitempty"`
}

const (
	passageBytes = 2400 // of the text of one passage
	summaryBytes = 800  // of the summary of one past analysis
	pastAnalyses = 5    // that are shown
	keptAnalyses = 20   // that are kept of one symbol
)

// knowledge searches the documents and what was found out about a symbol before.
func (k *kit) knowledge() agents.Tool {
	return tool(k, agents.Spec{
		Name: "knowledge", Title: "Search the knowledge base", Annotations: computes,
		Description: "Passages of the user's documents and of a library on strategies, Greeks, volatility, risk, orders, levels, indicators.",
	}, func(ctx context.Context, in knowledgeArgs) (knowledgeResult, error) {
		out := knowledgeResult{stamp: k.stamp(), Passages: []passage{}}
		in.Query = strings.TrimSpace(in.Query)
		if in.Query == "" && in.Symbol == "" {
			return out, invalid.Missing("query", "a question in words, or a symbol")
		}
		if in.Symbol != "" {
			symbol, err := parseSymbol("symbol", in.Symbol)
			if err != nil {
				return out, err
			}
			if out.Analyses, err = k.past(ctx, symbol); err != nil {
				out.omit("past analyses: %s", reasonOf(err))
			}
		}
		if in.Query == "" {
			return out, nil
		}
		found, err := k.Knowledge.Search(ctx, knowledge.Query{Text: in.Query, Limit: in.Limit})
		if err != nil {
			if errors.Is(err, knowledge.ErrModel) {
				return out, advice{fmt.Errorf("%w; the user must run ttai knowledge reindex", err)}
			}
			return out, err
		}
		out.LeftOut = append(out.LeftOut, found.Notes...)
		for _, p := range found.Passages {
			out.Passages = append(out.Passages, passage{Document: p.Document, Score: num(p.Score, 4), Date: p.Date, Text: passageText(p)})
		}
		return out, nil
	})
}

// passageText is a passage with its title, headings and source, between the marks
// of data.
func passageText(p knowledge.Passage) string {
	head := p.Title
	if len(p.Path) > 0 {
		head += " › " + strings.Join(p.Path, " › ")
	}
	if p.Source != "" {
		head += "\n(" + p.Source + ")"
	}
	return agents.DataUpTo(head+"\n\n"+p.Text, passageBytes)
}

// past returns the last analyses of a symbol.
func (k *kit) past(ctx context.Context, symbol market.Symbol) ([]pastAnalysis, error) {
	if k.Store == nil {
		return nil, nil
	}
	kept, err := storage.Open(k.Store)
	if err != nil {
		return nil, err
	}
	list, _, err := kept.Analyses.List(ctx, analysesOf(symbol, pastAnalyses))
	if err != nil {
		return nil, err
	}
	var out []pastAnalysis
	for _, a := range list {
		line := pastAnalysis{Time: k.local(a.Value.Time), Verdict: a.Value.Verdict}
		var document struct {
			Summary string `json:"summary"`
		}
		if json.Unmarshal(a.Value.Document, &document) == nil && document.Summary != "" {
			line.Summary = agents.DataUpTo(document.Summary, summaryBytes) // it may be a model's
		}
		out = append(out, line)
	}
	return out, nil
}

// analysesOf asks for a symbol's analyses, the newest first.
func analysesOf(symbol market.Symbol, limit int) storage.RecordQuery {
	return storage.RecordQuery{
		Where: []storage.Field{storage.Text("symbol", string(symbol))},
		Order: "time", Kind: storage.NumberField, Desc: true, Limit: limit,
	}
}

// rememberAnalysis keeps an analysis of now for the knowledge tool, the last ones of each
// symbol. That it cannot be kept is no trouble for the caller.
func (k *kit) rememberAnalysis(ctx context.Context, a *analysts.Analysis) {
	if k.Knowledge == nil || k.Store == nil {
		return
	}
	if err := k.keep(ctx, a); err != nil {
		k.Logger.DebugContext(ctx, "keeping an analysis", "error", err)
	}
}

func (k *kit) keep(ctx context.Context, a *analysts.Analysis) error {
	kept, err := storage.Open(k.Store)
	if err != nil {
		return err
	}
	document, err := json.Marshal(a)
	if err != nil {
		return err
	}
	at := k.Clock.Now().UTC()
	if _, err := kept.Analyses.Put(ctx, storage.Analysis{
		ID:     fmt.Sprintf("%s@%s", a.Symbol, at.Format("20060102T150405.000")),
		Symbol: string(a.Symbol), Time: at, Verdict: string(a.Verdict.Decision), Document: document,
	}); err != nil {
		return err
	}
	for { // those beyond the last ones
		list, _, err := kept.Analyses.List(ctx, analysesOf(a.Symbol, keptAnalyses+10))
		// Those of a user are the scheduler's: a scorecard needs them until they expire.
		list = slices.DeleteFunc(list, func(a storage.Stored[storage.Analysis]) bool { return a.Value.User != "" })
		if err != nil || len(list) <= keptAnalyses {
			return err
		}
		for _, old := range list[keptAnalyses:] {
			if err := kept.Analyses.Delete(ctx, old.Value.ID); err != nil {
				return err
			}
		}
	}
}
