package strategy_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/paper"
)

func shares(quantity, price int64) []paper.Position {
	return []paper.Position{{Symbol: "XYZ", Quantity: decimal.NewFromInt(quantity), AverageOpenPrice: decimal.NewFromInt(price)}}
}

func TestSharesAndCallsAreBoughtInOneOrder(t *testing.T) {
	sent, b := openingOrder(t, "covered-call", map[string]any{"dte": 30, "moneyness": 1.05, "contracts": 2}, 100, plain(), nil)
	// 100 for the share less 1.20, at which the call of 1.22 is bid for.
	assert.Equal(t, "BTO 200 XYZ, STO 2 0206 105C @ -98.80", sent)
	assert.Equal(t, []string{"-2 0206 105C", "200 XYZ"}, b.held())
}

func TestCallsAreSoldOnSharesThatAreThere(t *testing.T) {
	tests := []struct {
		name   string
		params map[string]any
		cost   int64
		want   string
	}{
		{"on whole hundreds", nil, 90, "STO 3 0206 105C"},
		{"not below cost", map[string]any{"above_cost": true}, 108, "STO 3 0206 108C"},
		{"below cost when allowed", map[string]any{"above_cost": false}, 108, "STO 3 0206 105C"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			params := map[string]any{"symbol": "XYZ", "dte": 30, "min_dte": 20, "moneyness": 1.05, "pricing": "natural"}
			for k, v := range tt.params {
				params[k] = v
			}
			b := newOptionBench(t, build(t, "covered-call", params), ny("2026-01-06", 9, 0), benchOptions{Positions: shares(350, tt.cost)}).start()
			at := ny("2026-01-06", 10, 0)
			b.chain(at, 100, plain().at(at, 100))
			require.Len(t, b.sent, 1, b.notes)
			assert.Contains(t, b.sent[0], tt.want)
		})
	}
}

func TestItWaitsForSharesWhenItMayNotBuyThem(t *testing.T) {
	sent, b := openingOrder(t, "covered-call", map[string]any{"dte": 30, "buy_shares": false}, 100, plain(), nil)
	assert.Empty(t, sent)
	assert.True(t, b.said("no hundred shares"), b.notes)
}

func TestProfitsAndRollsAreTheCallsAndTheSharesStay(t *testing.T) {
	_, b := openingOrder(t, "covered-call", map[string]any{"dte": 30, "moneyness": 1.05, "take_profit": 0.5, "roll_dte": 10, "wait": 30}, 100, plain(), nil)
	at := ny("2026-01-27", 10, 0)
	m := plain()
	m.Vol = 0.30
	b.chain(at, 104, m.live(at).at(at, 104))
	require.Equal(t, "BTC 1 0206 105C, STO 1 0306 110C", b.sent[1][:len("BTC 1 0206 105C, STO 1 0306 110C")], b.notes)
	at = ny("2026-02-12", 10, 0)
	m.Vol = 0.15
	b.chain(at, 103, m.live(at).at(at, 103))
	assert.Equal(t, []string{"100 XYZ"}, b.held(), "the call is bought back with a profit: %v", b.sent)
	assert.True(t, b.said("close: profit"), b.notes)
}

func TestSharesThatAreCalledAwayAreBoughtAgain(t *testing.T) {
	_, b := openingOrder(t, "covered-call", map[string]any{"dte": 10, "min_dte": 5, "moneyness": 1.03}, 100, plain(), nil)
	require.Equal(t, []string{"-1 0116 103C", "100 XYZ"}, b.held())
	at := ny("2026-01-16", 15, 59)
	b.chain(at, 108, plain().live(at).at(at, 108))
	b.until(ny("2026-01-16", 22, 0))
	require.Empty(t, b.held())
	at = ny("2026-01-20", 10, 0)
	b.chain(at, 108, plain().live(at).at(at, 108))
	assert.Contains(t, b.held(), "100 XYZ", b.notes)
	assert.Len(t, b.held(), 2)
}

func TestOddSharesCoverNothingAndDoNoHarm(t *testing.T) {
	b := newOptionBench(t, build(t, "covered-call", map[string]any{"symbol": "XYZ", "dte": 30, "min_dte": 20, "moneyness": 1.05, "pricing": "natural"}), ny("2026-01-06", 9, 0),
		benchOptions{Positions: shares(350, 90)}).start()
	for _, at := range []time.Time{ny("2026-01-06", 10, 0), ny("2026-01-06", 11, 0), ny("2026-01-07", 11, 0)} {
		b.chain(at, 100, plain().at(at, 100))
	}
	assert.Equal(t, []string{"-3 0206 105C", "350 XYZ"}, b.held(), b.notes)
	assert.Len(t, b.sent, 1)
}
