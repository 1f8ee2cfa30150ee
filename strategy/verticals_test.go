package strategy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSpreadsMustBePaidForTheirWidth(t *testing.T) {
	// 97 and 93 bring about 1.06 for 4.
	params := map[string]any{"dte": 30, "moneyness": 0.97, "far_moneyness": 0.93, "min_credit": 0.30, "strike_range": 0}
	_, b := openingOrder(t, "bull-put-spread", params, 100, plain(), nil)
	assert.True(t, b.said("the credit is too small"), b.notes)
	params["min_credit"] = 0.20
	sent, _ := openingOrder(t, "bull-put-spread", params, 100, plain(), nil)
	assert.NotEmpty(t, sent)
	_, b = openingOrder(t, "bull-call-spread", map[string]any{"dte": 30, "moneyness": 1, "width": 5, "far_delta": 0, "max_debit": 0.2}, 100, plain(), nil)
	assert.True(t, b.said("the debit is too large"), b.notes)
}
