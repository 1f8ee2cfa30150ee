package paper_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

// rows reads the lines of a CSV file without quotes, packed or not, that contain
// some text, without its header.
func rows(t testing.TB, path, with string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		in, err = gzip.NewReader(f)
		require.NoError(t, err)
	}
	var all [][]string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if line := lines.Text(); strings.Contains(line, with) {
			all = append(all, strings.Split(line, ","))
		}
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, all)
	return all
}

func price(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func contract(t testing.TB, root, expiry, right string, strike float64) market.Symbol {
	t.Helper()
	d, err := market.ParseDate(expiry)
	require.NoError(t, err)
	kind := market.Call
	if right == "P" {
		kind = market.Put
	}
	s, err := market.NewOptionSymbol(market.Contract{Root: root, Expiration: d, Kind: kind, Strike: strike})
	require.NoError(t, err)
	return s
}

// TestLeanIndexExpiry runs the published cases of LEAN's index option tests on its
// data: fills at the quotes of 09:30, European settlement at the index's last
// value. The short sides are the same arithmetic with the bid.
func TestLeanIndexExpiry(t *testing.T) {
	raw, err := os.ReadFile(sharedtest.Path(t, "data", "reference", "expected_public.json"))
	require.NoError(t, err)
	var file struct {
		Lean struct {
			Cases []struct {
				Pos             string
				Cash, Fill, End decimal.Decimal
			}
		} `json:"lean_index_option_expiry_20210115"`
	}
	require.NoError(t, json.Unmarshal(raw, &file))
	require.Len(t, file.Lean.Cases, 3)
	quotes := rows(t, sharedtest.Path(t, "data", "options", "lean_spx_opt_1min_quotes_20210114_0930.csv"), "2021-01-14")
	index := rows(t, sharedtest.Path(t, "data", "intraday", "lean_spx_1min_20210114.csv.gz"), "2021-01-14")

	run := func(action broker.Action, right, strike string) string {
		d := newDesk(t, "2021-01-14 09:30", func(o *paper.Options) {
			o.Unchecked = true
			o.Accounts[0].Cash = *dec("100000")
		})
		k := price(strike)
		symbol := contract(t, "SPX", "2021-01-15", right, k)
		placed := false
		for _, q := range quotes {
			if q[1] == right && price(q[3]) == k {
				d.quote(symbol, price(q[4]), price(q[6]))
				o := d.place(d.order(broker.Market, "", leg(symbol, action, "1")))
				require.Equal(t, broker.Filled, d.now(o).Status, "%s %s %s", action, right, strike)
				placed = true
			}
		}
		require.True(t, placed)
		for _, bar := range index {
			at, err := time.ParseInLocation("2006-01-02 15:04:05", bar[0], market.NYSE().Location())
			require.NoError(t, err)
			require.NoError(t, d.Trade(paper.Trade{Symbol: "SPX", Time: at.Add(time.Hour + time.Minute), Price: price(bar[4]), Size: math.NaN()}))
		}
		d.to("2021-01-15 10:00")
		left, err := d.Positions(t.Context(), account)
		require.NoError(t, err)
		require.Empty(t, left)
		return d.cash()
	}
	for _, c := range file.Lean.Cases {
		words := strings.Fields(c.Pos) // "long call 3200"
		right := map[string]string{"call": "C", "put": "P"}[words[1]]
		assert.True(t, c.End.Equal(*dec(run(buyOpen, right, words[2]))), c.Pos)
	}
	assert.Equal(t, "101996", run(sellOpen, "C", "3200"), "100,000 + 61,550 - 59,554")
	assert.Equal(t, "97514", run(buyOpen, "C", "3200"))
	assert.Equal(t, "97514", run(sellOpen, "P", "4200"), "100,000 + 37,960 - 40,446")
}

// expiring has a position in an option that expires on Friday 2026-03-06.
func expiring(t testing.TB, symbol market.Symbol, quantity, average string, change ...func(*paper.Options)) *desk {
	t.Helper()
	return newDesk(t, "2026-03-06 10:00", append([]func(*paper.Options){func(o *paper.Options) {
		o.Accounts[0].Positions = []paper.Position{{Symbol: symbol, Quantity: *dec(quantity), AverageOpenPrice: *dec(average)}}
	}}, change...)...)
}

// holdings are positions as "quantity symbol", one after the other.
func (d *desk) holdings() string {
	d.t.Helper()
	all, err := d.Positions(d.t.Context(), account)
	require.NoError(d.t, err)
	var out []string
	for _, p := range all {
		out = append(out, p.Quantity.String()+" "+string(p.Symbol))
	}
	return strings.Join(out, ", ")
}

func (d *desk) kinds() []broker.TransactionKind {
	d.t.Helper()
	all, err := d.Transactions(d.t.Context(), account, time.Time{}, d.Now().Add(time.Second))
	require.NoError(d.t, err)
	var kinds []broker.TransactionKind
	for _, x := range all {
		kinds = append(kinds, x.Kind)
	}
	return kinds
}

func TestOptionsOnSharesEndAtTheClose(t *testing.T) {
	call, put := market.Symbol("XYZ   260306C00100000"), market.Symbol("XYZ   260306P00100000")
	for _, c := range []struct {
		name           string
		symbol         market.Symbol
		quantity       string
		close          float64
		cash, holdings string
		kinds          []broker.TransactionKind
	}{
		{"a long call in the money buys shares", call, "2", 105, "80000", "200 XYZ", []broker.TransactionKind{broker.Exercise, broker.Exercise}},
		{"a long put in the money sells shares", put, "2", 95, "120000", "-200 XYZ", []broker.TransactionKind{broker.Exercise, broker.Exercise}},
		{"a short call in the money delivers shares", call, "-1", 105, "110000", "-100 XYZ", []broker.TransactionKind{broker.Assignment, broker.Assignment}},
		{"a short put in the money takes shares", put, "-3", 95, "70000", "300 XYZ", []broker.TransactionKind{broker.Assignment, broker.Assignment}},
		{"a cent is enough", call, "1", 100.01, "90000", "100 XYZ", []broker.TransactionKind{broker.Exercise, broker.Exercise}},
		{"less than a cent is not", call, "1", 100.009, "100000", "", []broker.TransactionKind{broker.Expiration}},
		{"at the money it is worth nothing", call, "-1", 100, "100000", "", []broker.TransactionKind{broker.Expiration}},
		{"out of the money it is worth nothing", put, "-3", 105, "100000", "", []broker.TransactionKind{broker.Expiration}},
	} {
		d := expiring(t, c.symbol, c.quantity, "2")
		d.quote("XYZ", 99, 101)
		require.NoError(t, d.Trade(paper.Trade{Symbol: "XYZ", Time: clockAt(t, "2026-03-06 15:59:59"), Price: c.close, Size: 100}))
		assert.Equal(t, c.quantity+" "+string(c.symbol), d.holdings(), "not before the close")
		d.to("2026-03-06 16:00")
		assert.Equal(t, c.cash, d.cash(), c.name)
		assert.Equal(t, c.holdings, d.holdings(), c.name)
		assert.Equal(t, c.kinds, d.kinds(), c.name)
	}
}

func TestHalfDaysEndEarly(t *testing.T) {
	call := market.Symbol("XYZ   251128C00100000") // the day after Thanksgiving, 13:00
	d := newDesk(t, "2025-11-28 12:00", func(o *paper.Options) {
		o.Accounts[0].Positions = []paper.Position{
			{Symbol: call, Quantity: *dec("1"), AverageOpenPrice: *dec("2")},
			{Symbol: "XYZ   251128P00110000", Quantity: *dec("-1"), AverageOpenPrice: *dec("3")},
		}
	})
	require.NoError(t, d.Trade(paper.Trade{Symbol: "XYZ", Price: 105, Size: 1}))
	d.to("2025-11-28 13:00")
	assert.Equal(t, "200 XYZ", d.holdings(), "100 by exercise and 100 by assignment")
	assert.Equal(t, "79000", d.cash())
}

func TestIndexOptionsSettleInCash(t *testing.T) {
	weekly := market.Symbol("SPXW  260306C06000000") // at the close
	d := expiring(t, weekly, "-2", "12")
	require.NoError(t, d.Trade(paper.Trade{Symbol: "SPX", Price: 6010.5, Size: 1}))
	d.to("2026-03-06 16:00")
	assert.Equal(t, "97900", d.cash(), "100,000 - 2 × 100 × 10.50")
	assert.Empty(t, d.holdings())
	assert.Equal(t, []broker.TransactionKind{broker.Assignment}, d.kinds())

	monthly := market.Symbol("SPX   260320P06000000") // at the open of the day
	d = newDesk(t, "2026-03-19 15:00", func(o *paper.Options) {
		o.Accounts[0].Positions = []paper.Position{{Symbol: monthly, Quantity: *dec("1"), AverageOpenPrice: *dec("20")}}
	})
	require.NoError(t, d.Trade(paper.Trade{Symbol: "SPX", Price: 5990, Size: 1}))
	d.to("2026-03-20 09:30")
	assert.Equal(t, "1 "+string(monthly), d.holdings())
	require.NoError(t, d.Trade(paper.Trade{Symbol: "SPX", Time: clockAt(t, "2026-03-20 09:30:05"), Price: 5950, Size: 1}))
	d.to("2026-03-20 09:31")
	assert.Equal(t, "105000", d.cash())

	official := newDesk(t, "2026-03-19 15:00", func(o *paper.Options) {
		o.Accounts[0].Positions = []paper.Position{{Symbol: monthly, Quantity: *dec("1"), AverageOpenPrice: *dec("20")}}
		o.Lifecycle.Settlement = func(option market.Symbol, expiration market.Date) (float64, bool) {
			return 5942.25, option == monthly && expiration == market.Date{Year: 2026, Month: time.March, Day: 20}
		}
	})
	official.to("2026-03-20 09:31")
	assert.Equal(t, "105775", official.cash(), "the special opening quotation")
}

func TestExpiryWaitsForAPrice(t *testing.T) {
	d := expiring(t, "XYZ   260306C00100000", "1", "2")
	d.to("2026-03-06 17:00")
	assert.Equal(t, "1 XYZ   260306C00100000", d.holdings())
	d.to("2026-03-09 10:00")
	d.quote("XYZ", 104, 106)
	d.to("2026-03-09 16:00")
	assert.Equal(t, "100 XYZ", d.holdings())
}

func TestInstructionsNotToExerciseAreKept(t *testing.T) {
	symbol := market.Symbol("XYZ   260306C00100000")
	d := expiring(t, symbol, "1", "2")
	require.NoError(t, d.DoNotExercise(account, symbol, true))
	require.NoError(t, d.DoNotExercise(account, symbol, false))
	require.NoError(t, d.DoNotExercise(account, symbol, true))
	d.quote("XYZ", 104, 106)
	d.to("2026-03-06 16:00")
	assert.Equal(t, "100000", d.cash())
	assert.Empty(t, d.holdings())

	assert.ErrorIs(t, d.DoNotExercise("other", symbol, true), broker.ErrUnknownAccount)
	var fe *broker.FieldError
	require.ErrorAs(t, d.DoNotExercise(account, symbol, true), &fe)
	assert.Equal(t, "option", fe.Field)
}

func TestWorkingOrdersEndWithTheirOption(t *testing.T) {
	symbol := market.Symbol("XYZ   260306C00100000")
	d := expiring(t, symbol, "1", "2")
	o := d.order(broker.Limit, "9", leg(symbol, sellClose, "1"))
	o.TimeInForce = broker.GTC
	s := d.place(o)
	d.quote("XYZ", 94, 96)
	d.to("2026-03-06 16:00")
	assert.Equal(t, broker.Expired, d.now(s).Status)
}

func TestFeesOfExerciseAndAssignment(t *testing.T) {
	d := expiring(t, "XYZ   260306C00100000", "-3", "2", func(o *paper.Options) { o.Fees = broker.TastytradeFees() })
	d.quote("XYZ", 104, 106)
	d.to("2026-03-06 16:00")
	assert.Equal(t, "129995", d.cash(), "5 for the event")
}

func TestHoldersExerciseEarly(t *testing.T) {
	american, european := market.Symbol("XYZ   260619C00100000"), market.Symbol("SPXW  260619C06000000")
	d := newDesk(t, tuesday, func(o *paper.Options) {
		o.Accounts[0].Positions = []paper.Position{
			{Symbol: american, Quantity: *dec("3"), AverageOpenPrice: *dec("2")},
			{Symbol: european, Quantity: *dec("1"), AverageOpenPrice: *dec("2")},
		}
	})
	require.NoError(t, d.Exercise(account, american, 2))
	assert.Equal(t, "1 SPXW  260619C06000000, 200 XYZ, 1 XYZ   260619C00100000", d.holdings())
	assert.Equal(t, "80000", d.cash())
	for field, err := range map[string]error{
		"contracts": d.Exercise(account, american, 2),
		"option":    d.Exercise(account, european, 1),
	} {
		var fe *broker.FieldError
		require.ErrorAs(t, err, &fe)
		assert.Equal(t, field, fe.Field)
	}
	assert.ErrorIs(t, d.Exercise("other", american, 1), broker.ErrUnknownAccount)
}

// crowd has three accounts that are short 1, 2 and 7 of a call.
func crowd(t testing.TB, seed uint64, symbol market.Symbol, life paper.Lifecycle) *paper.Exchange {
	t.Helper()
	opts := &paper.Options{Start: clockAt(t, tuesday), Seed: seed, Lifecycle: life}
	for i, n := range []string{"-1", "-2", "-7"} {
		opts.Accounts = append(opts.Accounts, paper.Account{
			Account: broker.Account{ID: broker.AccountID(fmt.Sprint("A", i)), Margin: true}, Cash: *dec("100000"),
			Positions: []paper.Position{{Symbol: symbol, Quantity: *dec(n), AverageOpenPrice: *dec("2")}},
		})
	}
	x, err := paper.New(opts)
	require.NoError(t, err)
	return x
}

func TestAssignmentIsDrawnByLot(t *testing.T) {
	symbol := market.Symbol("XYZ   260619C00100000")
	hits := map[broker.AccountID]int{}
	for seed := range uint64(400) {
		x := crowd(t, seed, symbol, paper.Lifecycle{})
		got, err := x.Assign(symbol, 3)
		require.NoError(t, err)
		n := 0
		for _, a := range got {
			n += a.Contracts
			hits[a.Account] += a.Contracts
		}
		require.Equal(t, 3, n)
		again, err := crowd(t, seed, symbol, paper.Lifecycle{}).Assign(symbol, 3)
		require.NoError(t, err)
		require.Equal(t, got, again, "the same seed, the same lot")
	}
	// 1200 contracts by lot: 120, 240 and 840 expected; four standard deviations.
	assert.InDelta(t, 120, hits["A0"], 45)
	assert.InDelta(t, 240, hits["A1"], 60)
	assert.InDelta(t, 840, hits["A2"], 65)

	x := crowd(t, 1, symbol, paper.Lifecycle{})
	all, err := x.Assign(symbol, 10)
	require.NoError(t, err)
	assert.Equal(t, []paper.Assigned{{Account: "A0", Contracts: 1}, {Account: "A1", Contracts: 2}, {Account: "A2", Contracts: 7}}, all)
	var fe *broker.FieldError
	_, err = x.Assign(symbol, 1)
	require.ErrorAs(t, err, &fe)
	_, err = x.Assign("XYZ", 1)
	require.ErrorAs(t, err, &fe)
}

func TestShortCallsAreAssignedBeforeADividend(t *testing.T) {
	symbol := market.Symbol("XYZ   260619C00100000")
	run := func(life paper.Lifecycle, mark float64) int {
		x := crowd(t, 5, symbol, life)
		require.NoError(t, x.Announce(paper.CorporateAction{Symbol: "XYZ", Ex: market.Date{Year: 2026, Month: time.March, Day: 4}, Amount: *dec("0.5")}))
		require.NoError(t, x.Quote(paper.Quote{Symbol: "XYZ", Bid: 119.9, Ask: 120.1, BidSize: math.NaN(), AskSize: math.NaN()}))
		require.NoError(t, x.Quote(paper.Quote{Symbol: symbol, Bid: mark - 0.1, Ask: mark + 0.1, BidSize: math.NaN(), AskSize: math.NaN()}))
		notices, err := x.Notices("A0")
		require.NoError(t, err)
		warned := len(notices) == 1 && notices[0].Code == "dividend_risk"
		assert.Equal(t, mark < 20.5, warned)
		require.NoError(t, x.Advance(clockAt(t, "2026-03-03 16:00")))
		assigned := 0
		for _, id := range []broker.AccountID{"A0", "A1", "A2"} {
			positions, err := x.Broker().Positions(t.Context(), id)
			require.NoError(t, err)
			for _, p := range positions {
				if p.Symbol == "XYZ" {
					assigned -= int(p.Quantity.IntPart()) / 100
				}
			}
		}
		if life.Early == paper.EarlyRational && assigned > 0 {
			// Who is short over the ex-date owes the dividend.
			require.NoError(t, x.Advance(clockAt(t, "2026-03-04 09:30")))
			b, err := x.Broker().Balances(t.Context(), "A1")
			require.NoError(t, err)
			assert.Equal(t, "119900", b.Cash.String(), "2 × 100 × 100 received, 200 × 0.50 owed")
		}
		return assigned
	}
	assert.Equal(t, 10, run(paper.Lifecycle{}, 20.3), "0.30 of time value is less than 0.50")
	assert.Equal(t, 0, run(paper.Lifecycle{}, 20.6))
	assert.Equal(t, 0, run(paper.Lifecycle{Early: paper.EarlyNever}, 20.3))
	some := run(paper.Lifecycle{Early: paper.EarlyLottery, EarlyShare: 0.5}, 20.3)
	assert.Greater(t, some, 0)
	assert.Less(t, some, 10)
	assert.Equal(t, 10, run(paper.Lifecycle{Early: paper.EarlyLottery, EarlyShare: 1}, 20.3))
}

func TestNoticesWarnOfPinRisk(t *testing.T) {
	codes := func(d *desk) []string {
		notices, err := d.Notices(account)
		require.NoError(t, err)
		out := []string{}
		for _, n := range notices {
			out = append(out, n.Code)
		}
		return out
	}
	d := expiring(t, "XYZ   260306C00100000", "-1", "2")
	assert.Empty(t, codes(d), "no price, no warning")
	d.quote("XYZ", 100.2, 100.4)
	assert.Equal(t, []string{"pin_risk"}, codes(d))
	d.quote("XYZ", 104, 104.2)
	assert.Equal(t, []string{"expires_today"}, codes(d))
	d.quote("XYZ", 90, 90.2)
	assert.Empty(t, codes(d))
	_, err := d.Notices("other")
	assert.ErrorIs(t, err, broker.ErrUnknownAccount)
}
