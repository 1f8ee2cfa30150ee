package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/notify"
	"github.com/ttai-go/ttai/workflow/report"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// writing is the policy of a step that asks for much and writes a report.
var writing = workflow.Policy{Attempts: 4, MaxBackoff: 30 * time.Second, Timeout: 3 * time.Minute, Deadline: 15 * time.Minute}

// keepSnapshots is for how long accounts' snapshots are kept beyond the last of each
// day.
const keepSnapshots = 35 * 24 * time.Hour

// openReports opens what writes reports.
func (h *house) openReports(desk report.Desk) error {
	reporter, err := report.New(h.tenant, desk, h.opened.Market, &report.Options{Rate: h.opened.Rate, Clock: h.clock})
	h.reporter = reporter
	return err
}

// A made report is what a step recorded of it.
type made struct {
	Title   string   `json:"title"`
	Summary string   `json:"summary"`
	Text    string   `json:"text"` // Markdown
	Keys    []string `json:"keys,omitempty"`
}

// make renders a document, and keeps it when it is to be kept.
func (h *house) make(ctx context.Context, d report.Document, keep bool) (made, error) {
	text, err := report.Render(d, report.Markdown)
	if err != nil {
		return made{}, workflow.Permanent(err)
	}
	m := made{Title: d.Title(), Summary: d.Summary(), Text: string(text)}
	if keep {
		m.Keys, err = h.reporter.Save(ctx, d)
	}
	return m, err
}

// reportJob is a job that makes one report, or one for each account, and tells of
// it. Write is told when the run was due.
func (h *house) reportJob(name string, perAccount, keep bool, write func(ctx context.Context, account broker.AccountID, due time.Time) (report.Document, error)) workflow.Workflow {
	return schedule.Workflow(name, 1, func(c *workflow.Ctx, in schedule.Input) (outcome, error) {
		accounts := []broker.AccountID{""}
		if perAccount {
			var err error
			accounts, err = workflow.Step(c, "accounts", quick, func(ctx context.Context, _ workflow.Call) ([]broker.AccountID, error) { return h.accounts(ctx, name) })
			if err != nil {
				return outcome{}, err
			}
		}
		var out outcome
		var failed []error
		var titles, texts []string
		for i, account := range accounts {
			c.Progress(i, len(accounts), name)
			m, err := workflow.Step(c, "write", writing, func(ctx context.Context, _ workflow.Call) (made, error) {
				d, err := write(ctx, account, in.At)
				if err != nil {
					return made{}, err
				}
				return h.make(ctx, d, keep)
			})
			if err != nil {
				if c.Err() != nil {
					return out, err
				}
				failed = append(failed, err) // one account does not hold the others
				continue
			}
			out.Objects = append(out.Objects, m.Keys...)
			titles, texts = append(titles, m.Title), append(texts, m.Text)
			if h.jobs.Report(name).Quiet {
				continue
			}
			if _, err := workflow.Step(c, "tell", quick, func(ctx context.Context, call workflow.Call) (struct{}, error) {
				return struct{}{}, h.tellReport(ctx, call.Key, m)
			}); err != nil {
				failed = append(failed, err)
			}
		}
		out.Summary, out.Text = strings.Join(titles, "; "), strings.Join(texts, "\n\n")
		return out, errors.Join(failed...)
	})
}

// tellReport tells of a report, with its pictures when it was kept.
func (h *house) tellReport(ctx context.Context, key string, m made) error {
	n := notify.Notification{
		Key: key, Topic: topicReports, Time: h.clock.Now(), Title: notify.Shorten(m.Title, 200), Text: withNotice(m.Summary, h.notice()),
	}
	for _, kept := range m.Keys {
		if path.Ext(kept) != "."+string(report.JSON) {
			continue
		}
		d, err := h.reporter.Load(ctx, kept)
		if err != nil {
			return err
		}
		charts, err := report.Charts(d)
		if err != nil {
			return workflow.Permanent(err)
		}
		for i, c := range charts[:min(len(charts), mostCharts)] {
			n.Attachments = append(n.Attachments, notify.Attachment{
				Name: "chart-" + strconv.Itoa(i+1) + ".svg", ContentType: "image/svg+xml", Data: c.SVG, Text: c.Text,
			})
		}
	}
	return h.tell(ctx, n)
}

// mostCharts is how many pictures a notification can have.
const mostCharts = 8

// accounts are those that a report is made of.
func (h *house) accounts(ctx context.Context, kind string) ([]broker.AccountID, error) {
	all, err := h.account.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	wanted := h.jobs.Report(kind).Accounts
	var ids []broker.AccountID
	for _, a := range all {
		if !a.Closed && (len(wanted) == 0 || slices.Contains(wanted, string(a.ID))) {
			ids = append(ids, a.ID)
		}
	}
	if len(ids) == 0 {
		return nil, workflow.Permanent(fmt.Errorf("none of the %d accounts is one that %s is made of", len(all), kind))
	}
	return ids, nil
}

// briefed are the symbols of the briefing beside what is held.
func (h *house) briefed() []market.Symbol {
	named := h.jobs.Report(schedule.MorningBriefing).Symbols
	if len(named) == 0 {
		return indexFunds
	}
	symbols := make([]market.Symbol, len(named))
	for i, s := range named {
		symbols[i] = market.Symbol(strings.ToUpper(s))
	}
	return symbols
}

// reportWorkflows are the work of the jobs that write.
func (h *house) reportWorkflows() []workflow.Workflow {
	daily := func(ctx context.Context, account broker.AccountID, _ time.Time) (report.Document, error) {
		return document(h.reporter.Daily(ctx, account))
	}
	return []workflow.Workflow{
		h.reportJob(schedule.MorningBriefing, false, true, func(ctx context.Context, _ broker.AccountID, _ time.Time) (report.Document, error) {
			accounts, err := h.accounts(ctx, schedule.MorningBriefing)
			if err != nil {
				return nil, err
			}
			return document(h.reporter.Briefing(ctx, h.briefed(), accounts...))
		}),
		// At the close fills may not all be booked: it is told and not kept. The day's
		// own report follows.
		h.reportJob(schedule.CloseSummary, true, false, daily),
		h.reportJob(schedule.DailyPnL, true, true, daily),
		h.reportJob(schedule.WeeklySummary, true, true, func(ctx context.Context, account broker.AccountID, due time.Time) (report.Document, error) {
			// One that is made up for later is of the week in which it was due.
			if now := h.clock.Now(); due.IsZero() || due.After(now) {
				due = now
			}
			w, err := h.reporter.WeeklyAt(ctx, account, due)
			if err == nil {
				_, err = h.reporter.Prune(ctx, account, h.clock.Now().Add(-keepSnapshots))
			}
			return document(w, err)
		}),
	}
}

// document keeps a nil pointer from becoming a document.
func document[D report.Document](d D, err error) (report.Document, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}
