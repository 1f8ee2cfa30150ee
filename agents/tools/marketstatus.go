package tools

import (
	"context"
	"strings"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/market"
)

type statusArgs struct {
	Date string `json:"date,omitempty" jsonschema:"another day, YYYY-MM-DD; default today" schema:"maxLength=10"`
}

type statusResult struct {
	stamp
	Exchange string       `json:"exchange"`
	Phase    market.Phase `json:"phase"` // now
	Open     bool         `json:"open"`
	Date     market.Date  `json:"date"`
	Session  *sessionRow  `json:"session"` // of Date; null when closed
	Closed   string       `json:"closed_because,omitempty"`
	// Next and Previous are the sessions after and before Date, or of today
	// before its opening bell.
	Next     sessionRow   `json:"next"`
	Previous sessionRow   `json:"previous"`
	Upcoming []closureRow `json:"upcoming,omitempty"` // in the next 45 days
}

type sessionRow struct {
	Date      market.Date `json:"date"`
	PreOpen   time.Time   `json:"pre_open,omitzero"`
	Open      time.Time   `json:"open"`
	Close     time.Time   `json:"close"`
	PostClose time.Time   `json:"post_close,omitzero"`
	Early     string      `json:"early_close_because,omitempty"`
}

type closureRow struct {
	Date   market.Date `json:"date"`
	Closed bool        `json:"closed"` // false: an early close
	Reason string      `json:"reason"`
}

func (k *kit) marketStatus() agents.Tool {
	return tool(k, agents.Spec{
		Name: "market_status", Title: "Market hours", Annotations: computes,
		Description: "Time and phase of the US market now, trading hours of a day, next open, holidays and early closes; also names the environment.",
	}, func(_ context.Context, in statusArgs) (statusResult, error) {
		now, date := k.Clock.Now(), k.today()
		var err error
		reference := now
		if strings.TrimSpace(in.Date) != "" {
			if date, err = parseDate("date", in.Date); err != nil {
				return statusResult{}, err
			}
			reference = date.In(k.Calendar.Location())
			if date == k.today() {
				reference = now
			}
		}
		phase := k.Calendar.Phase(now)
		out := statusResult{
			stamp: k.stamp(), Exchange: k.Calendar.Name(), Phase: phase, Open: phase == market.PhaseRegular, Date: date,
			Next: *k.session(k.Calendar.Next(reference)), Previous: *k.session(k.Calendar.Previous(reference)),
		}
		if s, ok := k.Calendar.Session(date); ok {
			out.Session = k.session(s)
		} else if reason, closed := k.Calendar.Holiday(date); closed && reason != "" {
			out.Closed = reason
		} else {
			out.Closed = date.Weekday().String()
		}
		for d := date.AddDays(1); !d.After(date.AddDays(45)); d = d.AddDays(1) {
			if reason, closed := k.Calendar.Holiday(d); closed && d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
				out.Upcoming = append(out.Upcoming, closureRow{d, true, reason})
			} else if s, ok := k.Calendar.Session(d); ok && s.Early {
				out.Upcoming = append(out.Upcoming, closureRow{d, false, s.Reason})
			}
		}
		return out, nil
	})
}

func (k *kit) session(s market.Session) *sessionRow {
	row := &sessionRow{Date: s.Date, PreOpen: k.local(s.PreOpen), Open: k.local(s.Open), Close: k.local(s.Close), PostClose: k.local(s.PostClose)}
	if s.Early {
		row.Early = s.Reason
	}
	return row
}
