package report_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow/report"
)

func TestAWeekCountsFromTheCloseOfTheLastOne(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490"), shares("XYZ", "100", "20", "20")}}
	r, clock, s := held(t, b)
	s.events = map[market.Symbol][]market.Event{"XYZ": {{Symbol: "XYZ", Kind: market.Earnings, Date: market.Date{Year: 2026, Month: 4, Day: 7}, Timing: "after close"}}}
	marks := map[string][2]string{
		"2026-03-27": {"500", "20"},                                                                                              // a Friday
		"2026-03-30": {"503", "20.1"}, "2026-03-31": {"501", "20"}, "2026-04-01": {"506", "19.5"}, "2026-04-02": {"507", "19.8"}, // then Good Friday
	}
	for _, day := range []string{"2026-03-27", "2026-03-30", "2026-03-31", "2026-04-01"} {
		clock.Set(newYork(t, day+" 16:15"))
		b.positions[0].Mark, b.positions[1].Mark = dec(marks[day][0]), dec(marks[day][1])
		_, err := r.Daily(t.Context(), account)
		require.NoError(t, err)
	}
	clock.Set(newYork(t, "2026-04-02 16:30"))
	b.positions[0].Mark, b.positions[1].Mark = dec("507"), dec("19.8")
	w, err := r.Weekly(t.Context(), account)
	require.NoError(t, err)
	adds(t, w.Change)
	assert.Equal(t, "2026-03-30", w.From.String())
	assert.Equal(t, "2026-04-02", w.To.String())
	assert.Equal(t, "50", w.Change.Total.String(), "70 and −20")
	assert.Equal(t, 1, w.Winners)
	assert.Equal(t, 1, w.Losers)
	require.Len(t, w.Days, 4)
	assert.Equal(t, []string{"40", "-30", "0", "40"}, profits(w.Days))
	assert.Equal(t, "40", w.Best.Profit.String())
	assert.Equal(t, "-30", w.Worst.Profit.String())
	var due []string
	for _, u := range w.Ahead {
		due = append(due, string(u.Kind)+" "+string(u.Symbol)+" "+u.Date.String())
	}
	assert.Contains(t, due, "earnings XYZ 2026-04-07")
	// On Saturday it is still that week.
	clock.Set(newYork(t, "2026-04-04 10:00"))
	again, err := r.Weekly(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, w.From, again.From)
	assert.Equal(t, w.To, again.To)
}

// A scheduler that did not run on Friday evening makes the week's summary up on Monday.
func TestAWeekMadeUpLaterIsTheOneThatWasMissed(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490")}}
	r, clock, _ := held(t, b)
	at := func(when, mark string) {
		clock.Set(newYork(t, when))
		b.positions[0].Mark = dec(mark)
	}
	for _, day := range [][2]string{{"2026-03-20", "500"}, {"2026-03-23", "503"}, {"2026-03-27", "507"}} {
		at(day[0]+" 16:15", day[1])
		_, err := r.Daily(t.Context(), account)
		require.NoError(t, err)
	}
	at("2026-03-30 11:00", "520") // a Monday in its session
	due := newYork(t, "2026-03-27 17:30")
	w, err := r.WeeklyAt(t.Context(), account, due)
	require.NoError(t, err)
	assert.Equal(t, "2026-03-23 2026-03-27", w.From.String()+" "+w.To.String())
	assert.Equal(t, newYork(t, "2026-03-27 16:15").UTC(), w.Time.UTC())
	assert.Equal(t, "70", w.Change.Total.String(), "from 500 to 507, and nothing of Monday")
	assert.Equal(t, []string{"30", "40"}, profits(w.Days))
	again, err := r.WeeklyAt(t.Context(), account, newYork(t, "2026-03-25 12:00"))
	require.NoError(t, err)
	assert.Equal(t, w.Change.Total, again.Change.Total, "whatever time of the week is named")

	// What was not of that week is of the next one: nothing is lost and nothing told twice.
	at("2026-04-02 16:30", "531")
	next, err := r.Weekly(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, "2026-03-30 2026-04-02", next.From.String()+" "+next.To.String())
	assert.Equal(t, "240", next.Change.Total.String())
	_, err = r.WeeklyAt(t.Context(), account, newYork(t, "2026-04-03 12:00"))
	require.ErrorContains(t, err, "at:")
}

func TestAWeekMadeUpWithoutASnapshotOfItsEndGoesOnAndSaysSo(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490")}}
	r, clock, _ := held(t, b)
	clock.Set(newYork(t, "2026-03-20 16:15"))
	_, err := r.Weekly(t.Context(), account)
	require.NoError(t, err)
	clock.Set(newYork(t, "2026-03-30 11:00"))
	b.positions[0].Mark = dec("520")
	for range 2 { // the second is of the same snapshot
		w, err := r.WeeklyAt(t.Context(), account, newYork(t, "2026-03-27 17:30"))
		require.NoError(t, err)
		assert.Equal(t, "2026-03-23 2026-03-27", w.From.String()+" "+w.To.String())
		assert.Equal(t, "200", w.Change.Total.String())
		assert.Contains(t, strings.Join(w.Notes, "\n"), "goes on to Mon 2026-03-30 11:00 EDT")
		clock.Set(newYork(t, "2026-03-30 11:05"))
		b.positions[0].Mark = dec("521")
	}
	clock.Set(newYork(t, "2026-04-02 16:30"))
	b.positions[0].Mark = dec("531")
	next, err := r.Weekly(t.Context(), account)
	require.NoError(t, err)
	assert.Equal(t, "110", next.Change.Total.String(), "from 520, where the week before ended")
}

func profits(points []report.Point) []string {
	var out []string
	for _, p := range points {
		out = append(out, p.Profit.String())
	}
	return out
}

func TestAWeekWithoutAnEarlierSnapshotSaysSo(t *testing.T) {
	r, _, _ := held(t, &book{})
	w, err := r.Weekly(t.Context(), account)
	require.NoError(t, err)
	assert.Nil(t, w.Change)
	assert.Contains(t, w.Notes[0], "no earlier snapshot")
	for _, f := range []report.Format{report.Markdown, report.HTML, report.JSON} {
		_, err := report.Render(w, f)
		require.NoError(t, err)
	}
}

func bars(t *testing.T, until string, closes ...float64) []market.Bar {
	t.Helper()
	last := newYork(t, until+" 00:00")
	sessions := market.NYSE().Sessions(market.DateOf(last.AddDate(-2, 0, 0)), market.DateOf(last))
	sessions = sessions[len(sessions)-len(closes):]
	var out []market.Bar
	for i, c := range closes {
		out = append(out, market.Bar{Time: sessions[i].Date.In(market.NYSE().Location()), Open: c, High: c + 1, Low: c - 1, Close: c, Volume: 1000})
	}
	return out
}

func TestABriefingTellsWhatMovedIsDueIsNearAndHowVolatilitiesChanged(t *testing.T) {
	option := broker.Position{
		Account: account, Symbol: "SPY   260306C00505000", Underlying: "SPY", Kind: market.KindOption, Quantity: *dec("-2"), Multiplier: decimal.NewFromInt(100),
		Mark: dec("4"), AverageOpenPrice: dec("5"),
	}
	b := &book{positions: []broker.Position{shares("SPY", "100", "500", "490"), option}}
	r, clock, s := held(t, b)
	s.quotes["SPY"] = quoteAt("SPY", 500, 499)
	evening, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	d := evening.Positions[1]

	iv := func(symbol market.Symbol, v float64) {
		m := market.NewMetrics(symbol)
		m.IVIndex, m.IVRank, m.IVIndex5Day = v, 0.4, 0.01
		s.metrics[symbol] = m
	}
	s.metrics = map[market.Symbol]market.Metrics{}
	iv("SPY", 0.18)
	iv("AAPL", 0.30)
	clock.Set(newYork(t, "2026-03-04 08:00"))
	s.quotes["AAPL"] = quoteAt("AAPL", 203.5, 200)
	s.quotes["SPY"] = quoteAt("SPY", 495, 500)
	s.events = map[market.Symbol][]market.Event{
		"AAPL": {{Symbol: "AAPL", Kind: market.Earnings, Date: market.Date{Year: 2026, Month: 3, Day: 5}, Timing: "after close", Estimated: true}},
		"SPY":  {{Symbol: "SPY", Kind: market.Dividend, Date: market.Date{Year: 2026, Month: 3, Day: 6}, Value: 1.75}, {Symbol: "SPY", Kind: market.Split, Date: market.Date{Year: 2026, Month: 6, Day: 6}}},
	}
	var wave []float64
	for i := range 120 {
		wave = append(wave, 494+10*float64((i/10)%2)+float64(i%10)) // up and down between 493 and 514
	}
	s.bars = map[market.Symbol][]market.Bar{"SPY": bars(t, "2026-03-03", wave...)}
	b1, err := r.Briefing(t.Context(), []market.Symbol{"AAPL", "NOPE"}, account)
	require.NoError(t, err)
	assert.Equal(t, "2026-03-04", b1.Date.String())
	require.Len(t, b1.Moves, 2)
	assert.Equal(t, market.Symbol("AAPL"), b1.Moves[0].Symbol, "the greatest first")
	assert.InDelta(t, 1.75, float64(b1.Moves[0].Percent), 1e-9)
	assert.Nil(t, b1.Moves[0].Effect)
	spy := b1.Moves[1]
	assert.True(t, spy.Held)
	want := (100+float64(d.Delta))*-5 + 0.5*float64(d.Gamma)*25
	assert.InDelta(t, want, spy.Effect.InexactFloat64(), 0.005, "by the Greeks of the evening before")
	var due []string
	for _, u := range b1.Upcoming {
		due = append(due, fmt.Sprintf("%s %s %s: %s", u.Date, u.Kind, u.Symbol, u.Text))
	}
	assert.Equal(t, []string{
		"2026-03-05 earnings AAPL: earnings after close, estimated",
		"2026-03-06 ex-dividend SPY: ex-dividend, 1.75 a share",
		"2026-03-06 expiration SPY   260306C00505000: -2 of SPY 2026-03-06 505 call",
	}, due)
	require.NotEmpty(t, b1.Near)
	for i, n := range b1.Near {
		assert.Equal(t, market.Symbol("SPY"), n.Symbol)
		assert.LessOrEqual(t, float64(n.ATRs), 1.0)
		assert.InDelta(t, float64(n.Level-495), float64(n.Distance), 1e-9)
		if i > 0 {
			assert.GreaterOrEqual(t, float64(n.ATRs), float64(b1.Near[i-1].ATRs))
		}
	}
	require.Len(t, b1.Vols, 2)
	assert.False(t, b1.Vols[0].Change.Known(), "there was no earlier briefing")
	assert.InDelta(t, 1, float64(b1.Vols[0].FiveDay), 1e-9)
	notes := strings.Join(b1.Notes, "\n")
	assert.Contains(t, notes, "No price or no close before: NOPE.")
	assert.Contains(t, notes, "No implied volatility: NOPE.")
	assert.Contains(t, notes, "No levels for want of daily bars: AAPL.")

	clock.Set(newYork(t, "2026-03-05 08:00"))
	iv("SPY", 0.21)
	iv("AAPL", 0.305)
	b2, err := r.Briefing(t.Context(), []market.Symbol{"AAPL", "SPY"})
	require.NoError(t, err)
	assert.Equal(t, market.Symbol("SPY"), b2.Vols[0].Symbol, "the greatest change first")
	assert.InDelta(t, 3, float64(b2.Vols[0].Change), 1e-9)
	assert.Equal(t, "2026-03-04", b2.Vols[0].Since.String())
	assert.Contains(t, b2.Summary(), "SPY IV 21.0 %, +3.0 points since 2026-03-04")

	// After the close the next session is what a briefing is for.
	clock.Set(newYork(t, "2026-03-06 17:00"))
	b3, err := r.Briefing(t.Context(), []market.Symbol{"AAPL"})
	require.NoError(t, err)
	assert.Equal(t, "2026-03-09", b3.Date.String())
	require.Len(t, b3.Vols, 1)
	assert.InDelta(t, 0, float64(b3.Vols[0].Change), 1e-9)
}

func TestReportsAreKeptUnderTheirDatesAndReadAgain(t *testing.T) {
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490")}}
	r, clock, _ := held(t, b)
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	keys, err := r.Save(t.Context(), d)
	require.NoError(t, err)
	assert.Equal(t, []string{"2026/03/03/daily-PAPER1234.md", "2026/03/03/daily-PAPER1234.html", "2026/03/03/daily-PAPER1234.json"}, keys)
	clock.Set(newYork(t, "2026-03-06 16:30"))
	w, err := r.Weekly(t.Context(), account)
	require.NoError(t, err)
	more, err := r.Save(t.Context(), w)
	require.NoError(t, err)
	brief, err := r.Briefing(t.Context(), nil)
	require.NoError(t, err)
	_, err = r.Save(t.Context(), brief)
	require.NoError(t, err)
	for key, want := range map[string]report.Document{keys[2]: d, more[2]: w, "2026/03/09/briefing.json": brief} {
		got, err := r.Load(t.Context(), key)
		require.NoError(t, err)
		one, err := report.Render(want, report.JSON)
		require.NoError(t, err)
		other, err := report.Render(got, report.JSON)
		require.NoError(t, err)
		assert.JSONEq(t, string(one), string(other))
		assert.Equal(t, want.Title(), got.Title())
	}
	var listed []string
	for key, err := range r.List(t.Context(), market.Date{Year: 2026, Month: 3, Day: 3}, market.Date{Year: 2026, Month: 3, Day: 6}) {
		require.NoError(t, err)
		listed = append(listed, key)
	}
	assert.Equal(t, []string{
		"2026/03/03/daily-PAPER1234.html", "2026/03/03/daily-PAPER1234.json", "2026/03/03/daily-PAPER1234.md",
		"2026/03/06/weekly-PAPER1234.html", "2026/03/06/weekly-PAPER1234.json", "2026/03/06/weekly-PAPER1234.md",
	}, listed)
	_, err = r.Load(t.Context(), "2026/03/03/daily-PAPER1234.html")
	assert.Error(t, err)
	_, err = r.Load(t.Context(), "2026/03/04/daily-PAPER1234.json")
	assert.ErrorIs(t, err, storage.ErrNotFound)
}

// The evening's report and the next one's are of different programs on one file.
func TestSinceYesterdayWorksAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttai.db")
	b := &book{positions: []broker.Position{shares("SPY", "10", "500", "490")}}
	run := func(at, mark string) *report.Daily {
		records, err := sqlite.Open(t.Context(), path, nil)
		require.NoError(t, err)
		objects, err := memory.New(nil)
		require.NoError(t, err)
		store := storage.Combine(records, storage.Parts{Objects: objects})
		defer func() { require.NoError(t, store.Close()) }()
		tenant, err := store.For(storage.Local)
		require.NoError(t, err)
		r, err := report.New(tenant, b, &source{}, &report.Options{Clock: market.NewManualClock(newYork(t, at))})
		require.NoError(t, err)
		b.positions[0].Mark = dec(mark)
		d, err := r.Daily(t.Context(), account)
		require.NoError(t, err)
		return d
	}
	assert.Nil(t, run("2026-03-03 16:15", "500").Change)
	d := run("2026-03-04 16:15", "501.25")
	adds(t, d.Change)
	assert.Equal(t, "12.5", d.Change.Total.String())
	assert.Empty(t, d.Notes)
}

func TestPagesLoadNothingAndNoDataIsMarkup(t *testing.T) {
	evil := market.Symbol(`<script>alert(1)</script>|**x**[l](javascript:x)`)
	b := &book{positions: []broker.Position{shares(evil, "10", "500", "490")}}
	r, clock, s := held(t, b)
	s.events = map[market.Symbol][]market.Event{evil: {{Symbol: evil, Kind: market.Earnings, Date: market.Date{Year: 2026, Month: 3, Day: 5}, Timing: `"><img src=x onerror=y>`}}}
	_, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	clock.Set(newYork(t, "2026-03-04 16:15"))
	b.positions[0].Mark = dec("501")
	d, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	w, err := r.Weekly(t.Context(), account)
	require.NoError(t, err)
	clock.Set(newYork(t, "2026-03-05 16:15"))
	b.positions[0].Mark = dec("502")
	w2, err := r.Weekly(t.Context(), account)
	require.NoError(t, err)
	assert.NotEmpty(t, w.Ahead)
	for _, doc := range []report.Document{d, w2} {
		html, err := report.Render(doc, report.HTML)
		require.NoError(t, err)
		page := string(html)
		assert.NotContains(t, page, "<script")
		assert.NotContains(t, page, "<img")
		rest := strings.ReplaceAll(page, `xmlns="http://www.w3.org/2000/svg"`, "")
		for _, outside := range []string{"http:", "https:", "src=\"", "href=", "url("} {
			assert.NotContains(t, rest, outside)
		}
		assert.NotContains(t, page, "PAPER1234", "reports go to places where others read along")
		assert.Contains(t, page, "…1234")
		assert.Contains(t, page, "<svg")
		assert.Contains(t, page, "No real money")
		md, err := report.Render(doc, report.Markdown)
		require.NoError(t, err)
		assert.NotContains(t, string(md), "<script")
		assert.NotContains(t, string(md), "[l](")
		assert.NotContains(t, string(md), "PAPER1234")
		// A cell keeps to its row: all rows of a table have as many bars as its head.
		head := 0
		for _, l := range strings.Split(string(md), "\n") {
			if !strings.HasPrefix(l, "| ") {
				head = 0
				continue
			}
			n := strings.Count(strings.ReplaceAll(l, `\|`, ""), "|")
			if head == 0 {
				head = n
			}
			assert.Equal(t, head, n, l)
		}
		charts, err := report.Charts(doc)
		require.NoError(t, err)
		require.NotEmpty(t, charts)
		assert.Contains(t, string(charts[0].SVG), "<svg")
		assert.NotEmpty(t, charts[0].Text)
	}
	_, err = report.Render(d, "pdf")
	assert.Error(t, err)
}

func TestSettingsThatMeanNothingAreRefused(t *testing.T) {
	tenant := newTenant(t)
	for _, o := range []report.Options{{Near: -1}, {Ahead: -1}, {Ahead: 1000}} {
		_, err := report.New(tenant, nil, nil, &o)
		assert.Error(t, err)
	}
	_, err := report.New(nil, nil, nil, nil)
	assert.Error(t, err)
	r, err := report.New(tenant, nil, nil, nil)
	require.NoError(t, err)
	_, err = r.Daily(t.Context(), account)
	assert.Error(t, err)
	_, err = r.Briefing(t.Context(), []market.Symbol{"SPY"})
	assert.Error(t, err)
	assert.Equal(t, "wheel", report.StrategyOfTag("wheel_r1_7"))
	assert.Empty(t, report.StrategyOfTag("manual"))
}

// Compare two snapshots of an account, without a broker or a store.
func ExampleCompare() {
	snapshot := func(cash, mark string, day int) *report.Snapshot {
		return &report.Snapshot{
			Account: "5WX00000", Time: time.Date(2026, 3, day, 21, 15, 0, 0, time.UTC), Cash: dec(cash),
			Held: []report.Holding{{
				Symbol: "SPY", Underlying: "SPY", Kind: market.KindEquity, Quantity: *dec("100"), Multiplier: *dec("1"),
				Mark: dec(mark), Average: dec("490"), Spot: market.Float(dec(mark).InexactFloat64()), Delta: 100,
			}},
		}
	}
	dividend := broker.Transaction{Kind: broker.Dividend, Symbol: "SPY", Amount: *dec("175")}
	c := report.Compare(snapshot("1000", "500", 3), snapshot("1175", "501.50", 4), []broker.Transaction{dividend}, nil)
	fmt.Println("total", c.Total, "unrealized", c.Unrealized, "income", c.Income, "delta", c.Explained.Delta)
	// Output: total 325 unrealized 150 income 175 delta 150
}

func Example() {
	store, err := memory.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	tenant, err := store.For(storage.Local)
	if err != nil {
		fmt.Println(err)
		return
	}
	clock := market.NewManualClock(time.Date(2026, 3, 3, 21, 15, 0, 0, time.UTC)) // 16:15 in New York
	account := &book{positions: []broker.Position{{
		Symbol: "SPY", Underlying: "SPY", Kind: market.KindEquity, Quantity: *dec("100"), Multiplier: *dec("1"), Mark: dec("500"), AverageOpenPrice: dec("490"),
	}}}
	reporter, err := report.New(tenant, account, nil, &report.Options{Clock: clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if _, err := reporter.Daily(ctx, "5WX00000"); err != nil { // the first one has nothing to compare with
		fmt.Println(err)
	}
	clock.Advance(24 * time.Hour)
	account.positions[0].Mark = dec("501.50")
	daily, err := reporter.Daily(ctx, "5WX00000")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(daily.Title())
	fmt.Println(daily.Summary())
	keys, err := reporter.Save(ctx, daily)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Fprintln(os.Stdout, keys[1])
	// Output:
	// Profit and loss of 2026-03-04
	// +150.00 (realized 0.00, unrealized +150.00, income 0.00, fees 0.00). Net liquidating value 150,150.00.
	// Delta +150.00, gamma 0.00, theta 0.00, vega 0.00, unexplained 0.00, trading 0.00.
	// 2026/03/04/daily-5WX00000.html
}
