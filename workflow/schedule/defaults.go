package schedule

import "time"

// The names of the default jobs, and of the workflows that they start.
const (
	MorningBriefing = "morning-briefing"
	CloseSummary    = "close-summary"
	HourlyScreeners = "hourly-screeners"
	DailyPnL        = "daily-pnl"
	Scorecard       = "scorecard"
	WeeklySummary   = "weekly-summary"
	PortfolioSync   = "portfolio-sync"
	TokenRefresh    = "token-refresh"
)

// DefaultJobs returns the jobs that a trader's day has. Their work is what the
// engine has under their names. Reports say what an account is worth now and was at
// the report before, so that one report stands for all days that were missed.
//
//	morning-briefing  45 minutes before the open; skipped when the session is half over
//	close-summary     15 minutes after the close; missed ones become one
//	hourly-screeners  5 minutes into each hour of the session; missed ones are skipped
//	daily-pnl         an hour after the close, when fills have settled; missed ones become one
//	scorecard         75 minutes after the close; missed ones become one
//	weekly-summary    90 minutes after the close of the week's last session; missed ones become one
//	portfolio-sync    every 15 minutes of the session; missed ones become one
//	token-refresh     every 10 minutes, day and night; missed ones become one
func DefaultJobs() []Job {
	const hour = time.Hour
	return []Job{
		{Name: MorningBriefing, Trigger: AtOpen(-45 * time.Minute), Missed: Skip, Grace: 4 * hour, Jitter: time.Minute},
		{Name: CloseSummary, Trigger: AtClose(15 * time.Minute), Missed: Merge, Within: 3 * 24 * hour, Jitter: time.Minute},
		{Name: HourlyScreeners, Trigger: Hourly(5 * time.Minute), Missed: Skip, Grace: 15 * time.Minute, Jitter: 2 * time.Minute},
		{Name: DailyPnL, Trigger: AtClose(hour), Missed: Merge, Jitter: 2 * time.Minute},
		{Name: Scorecard, Trigger: AtClose(75 * time.Minute), Missed: Merge, Within: 7 * 24 * hour, Jitter: 2 * time.Minute},
		{Name: WeeklySummary, Trigger: AtClose(90 * time.Minute).Only(LastOfWeek), Missed: Merge, Within: 14 * 24 * hour, Jitter: 2 * time.Minute},
		{Name: PortfolioSync, Trigger: Trigger{Every: 15 * time.Minute}, Missed: Merge, Within: 24 * hour, Jitter: 30 * time.Second},
		// An access token lives 15 minutes.
		{Name: TokenRefresh, Trigger: CronIn("UTC", "*/10 * * * *"), Missed: Merge, Within: hour, Jitter: time.Minute},
	}
}
