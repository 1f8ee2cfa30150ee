package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// An outcome is what a job's run returns.
type outcome struct {
	// Summary is one line.
	Summary string `json:"summary"`
	// Text is the whole in Markdown; empty when there is no more than the summary.
	Text string `json:"text,omitempty"`
	// Objects are the keys of what was stored.
	Objects []string `json:"objects,omitempty"`
}

// escaped is a character that Markdown must not take for markup. A terminal shows
// the text as it is.
var escaped = regexp.MustCompile(`\\([[:punct:]])`)

// text is what a person reads.
func (o outcome) text(notice string) string {
	parts := []string{o.Summary}
	if o.Text != "" {
		parts = []string{escaped.ReplaceAllString(strings.TrimSpace(o.Text), "$1")}
	}
	if notice != "" && !strings.Contains(o.Text, notice) {
		parts = append(parts, notice)
	}
	return strings.Join(parts, "\n\n")
}

// quick is the policy of a step that only reads, or does what can be done twice.
var quick = workflow.Policy{Attempts: 4, MaxBackoff: 20 * time.Second, Timeout: time.Minute, Deadline: 5 * time.Minute}

// refreshSooner is how much life an access token must have left: the job's next
// time, and a little.
const refreshSooner = 11 * time.Minute

// refreshToken gets a new access token before the old one ends, so that no request
// has to wait for it. What it returns says until when, and never the token.
func (h *house) refreshToken(c *workflow.Ctx, _ schedule.Input) (outcome, error) {
	return workflow.Step(c, "refresh", quick, func(ctx context.Context, _ workflow.Call) (outcome, error) {
		token, err := h.opened.Tokens.Token(ctx)
		if err != nil {
			return outcome{}, err
		}
		invalidates, can := h.opened.Tokens.(interface{ Invalidate(accessToken string) })
		if can && !token.Expiry.IsZero() && time.Until(token.Expiry) < refreshSooner {
			invalidates.Invalidate(token.AccessToken)
			if token, err = h.opened.Tokens.Token(ctx); err != nil {
				return outcome{}, err
			}
		}
		if token.Expiry.IsZero() {
			return outcome{Summary: "The access token has no end."}, nil
		}
		return outcome{Summary: fmt.Sprintf("The access token is good for %s.", time.Until(token.Expiry).Round(time.Second))}, nil
	})
}

// syncPortfolio writes the accounts' positions into the store: those that are open,
// and since when others are not.
func (h *house) syncPortfolio(c *workflow.Ctx, _ schedule.Input) (outcome, error) {
	accounts, err := workflow.Step(c, "accounts", quick, func(ctx context.Context, _ workflow.Call) ([]broker.AccountID, error) {
		all, err := h.account.Accounts(ctx)
		var ids []broker.AccountID
		for _, a := range all {
			if !a.Closed {
				ids = append(ids, a.ID)
			}
		}
		return ids, err
	})
	if err != nil {
		return outcome{}, err
	}
	open, closed, unknown := 0, 0, 0
	for i, id := range accounts {
		c.Progress(i, len(accounts), "account "+h.short(id))
		n, err := workflow.Step(c, "positions", quick, func(ctx context.Context, _ workflow.Call) ([3]int, error) {
			return h.syncAccount(ctx, id)
		})
		if err != nil {
			return outcome{}, err
		}
		open, closed, unknown = open+n[0], closed+n[1], unknown+n[2]
	}
	text := fmt.Sprintf("%d open positions in %d accounts; %d were closed since.", open, len(accounts), closed)
	if unknown > 0 {
		text += fmt.Sprintf(" %d whose cost the broker does not tell were left out.", unknown)
	}
	return outcome{Summary: text}, nil
}

// short shows an account by its last digits.
func (h *house) short(id broker.AccountID) string {
	text := string(id)
	return "…" + text[max(0, len(text)-4):]
}

// syncAccount returns how many positions are open, were closed, and have no known
// cost.
func (h *house) syncAccount(ctx context.Context, id broker.AccountID) (counts [3]int, err error) {
	positions, err := h.account.Positions(ctx, id)
	if err != nil {
		return counts, err
	}
	known := map[string]bool{}
	for _, p := range positions {
		key := string(id) + "/" + string(p.Symbol)
		known[key] = true
		if p.AverageOpenPrice == nil {
			counts[2]++
			continue
		}
		opened := p.OpenedAt
		before, err := h.records.Positions.Get(ctx, key)
		switch {
		case err == nil && before.Value.Closed == nil && opened.IsZero():
			opened = before.Value.Opened
		case err != nil && !errors.Is(err, storage.ErrNotFound):
			return counts, err
		}
		if opened.IsZero() {
			opened = h.clock.Now()
		}
		cost := p.AverageOpenPrice.Mul(p.Quantity).Mul(p.Multiplier).Neg() // paid is negative
		now := storage.Position{ID: key, User: user, Account: string(id), Symbol: string(p.Symbol), Quantity: p.Quantity, Cost: cost, Opened: opened.UTC()}
		counts[0]++
		if err == nil && same(before.Value, now) {
			continue // nothing to write
		}
		if _, err := h.records.Positions.Put(ctx, now); err != nil {
			return counts, err
		}
	}
	where := []storage.Field{storage.Text("account", string(id)), storage.Text("status", "open")}
	var gone []storage.Position
	for stored, err := range h.records.Positions.All(ctx, storage.RecordQuery{Where: where}) {
		if err != nil {
			return counts, err
		}
		if !known[stored.Value.ID] {
			gone = append(gone, stored.Value)
		}
	}
	now := h.clock.Now().UTC()
	for _, p := range gone {
		p.Closed = &now
		if _, err := h.records.Positions.Put(ctx, p); err != nil {
			return counts, err
		}
		counts[1]++
	}
	return counts, nil
}

// same tells whether a stored position says the same.
func same(a, b storage.Position) bool {
	return a.Closed == nil && a.User == b.User && a.Opened.Equal(b.Opened) &&
		slices.EqualFunc([]decimal.Decimal{a.Quantity, a.Cost}, []decimal.Decimal{b.Quantity, b.Cost}, decimal.Decimal.Equal)
}

// workflows are the work of all jobs.
func (h *house) workflows() ([]workflow.Workflow, error) {
	all, err := h.analysisWorkflows()
	return append(append(all, h.reportWorkflows()...),
		schedule.Workflow(schedule.TokenRefresh, 1, h.refreshToken),
		schedule.Workflow(schedule.PortfolioSync, 1, h.syncPortfolio),
		schedule.Workflow(schedule.HourlyScreeners, 1, h.screen),
		schedule.Workflow(schedule.Scorecard, 1, h.scorecard),
		schedule.Workflow(app.AnalyzeJob, 1, h.analyze),
	), err
}

// firstMinute lets somebody who tries the program on the embedded simulator see
// something at once: the positions are read and the briefing is written, whatever
// the time is.
func (h *house) firstMinute(ctx context.Context) error {
	if h.opened.Environment != broker.Simulator || h.cli.URL != "" {
		return nil
	}
	for _, name := range []string{schedule.PortfolioSync, schedule.MorningBriefing} {
		if _, err := h.scheduler.Job(ctx, name); errors.Is(err, schedule.ErrNoJob) {
			continue // it was turned off
		}
		if _, err := h.scheduler.RunNow(ctx, name, ""); err != nil {
			return err
		}
	}
	return nil
}
