package broker

import (
	"context"
	"errors"
	"slices"
)

// Pending returns the previews that can still be submitted and need an approval,
// newest first. It finds them in the journal, among the newest hundred previews.
func (g *Guard) Pending(ctx context.Context) ([]Prepared, error) {
	var ids []string
	for e, err := range g.Audit(ctx, 1) {
		if err != nil {
			return nil, err
		}
		if e.What == EntryPreviewed && e.Environment == g.Environment() {
			ids = append(ids, e.Preview)
		}
	}
	slices.Reverse(ids)
	ids = ids[:min(len(ids), 100)]
	var out []Prepared
	for _, id := range ids {
		p, err := g.Prepared(ctx, id)
		switch {
		case errors.Is(err, ErrSpent), errors.Is(err, ErrUnknownPreview):
		case err != nil:
			return nil, err
		case p.Grade > GradeNone:
			out = append(out, *p)
		}
	}
	return out, nil
}
