package app

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// A keptScorecard is the last scorecard of a tenant's analyses.
type keptScorecard struct {
	ID   string                 `json:"id"`
	Card analysts.ScorecardDone `json:"card"`
}

// allSymbols is the id of the scorecard of all symbols together.
const allSymbols = "all"

func scorecards(r *storage.Repositories) *storage.Collection[keptScorecard] {
	return storage.NewCollection(r.Records, storage.Kind[keptScorecard]{Collection: "scorecards", ID: func(v *keptScorecard) string { return v.ID }})
}

// SaveScorecard keeps a scorecard in the place of the one before it.
func SaveScorecard(ctx context.Context, r *storage.Repositories, card *analysts.ScorecardDone) (id string, err error) {
	kept := keptScorecard{ID: allSymbols, Card: *card}
	if card.Symbol != "" {
		kept.ID = string(card.Symbol)
	}
	_, err = scorecards(r).Put(ctx, kept)
	return kept.ID, err
}

// RecordOf says how the analyses that a tenant's store keeps turned out, by the last
// scorecard of all symbols together: one symbol alone has too few outcomes. Nil, and
// no error, before the first.
func RecordOf(tenant storage.Tenant) func(ctx context.Context, symbol market.Symbol) (*analysts.Scorecard, error) {
	return func(ctx context.Context, _ market.Symbol) (*analysts.Scorecard, error) {
		r, err := storage.Open(tenant)
		if err != nil {
			return nil, err
		}
		kept, err := scorecards(r).Get(ctx, allSymbols)
		if errors.Is(err, storage.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return kept.Value.Card.Scorecard(), nil
	}
}

// pastFor is how far back analyses count.
const pastFor = 365 * 24 * time.Hour

// PastAnalyses returns the analyses that a store keeps of a symbol, of all for the
// empty one, made within the last year: the last of each symbol and day, so that who
// asks often does not count more often. They hold what a scorecard needs, and no
// evidence.
func PastAnalyses(ctx context.Context, r *storage.Repositories, symbol market.Symbol, now time.Time) ([]*analysts.Analysis, error) {
	q := storage.RecordQuery{Order: "time", Kind: storage.NumberField, Desc: true}
	if symbol != "" {
		q.Where = []storage.Field{storage.Text("symbol", string(symbol))}
	}
	type day struct {
		symbol market.Symbol
		date   market.Date
	}
	seen := map[day]bool{}
	var out []*analysts.Analysis
	for kept, err := range r.Analyses.All(ctx, q) {
		if err != nil {
			return nil, err
		}
		if now.Sub(kept.Value.Time) > pastFor {
			break
		}
		a := new(analysts.Analysis)
		if err := json.Unmarshal(kept.Value.Document, a); err != nil {
			continue // of another program, or another version of this one
		}
		of := day{a.Symbol, market.DateOf(a.At.In(market.NYSE().Location()))}
		if a.Symbol == "" || a.At.IsZero() || seen[of] {
			continue
		}
		seen[of] = true
		a.Evidence, a.Views = nil, nil
		out = append(out, a)
	}
	return out, nil
}
