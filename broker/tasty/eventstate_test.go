package tasty

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

func emptyLedger() *ledger {
	return newLedger(&Adapter{opts: Options{Clock: market.SystemClock(), Calendar: market.NYSE(), Logger: slog.New(slog.DiscardHandler)}})
}

func told(t *testing.T, k *ledger, status, price string, updated int) int {
	t.Helper()
	var o tastytrade.Order
	require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"id":1,"account-number":"A","status":%q,"price":%q,"price-effect":"Debit","updated-at":%d,
		"legs":[{"symbol":"SPY","quantity":1,"action":"Buy to Open"}]}`, status, price, updated), &o))
	return len(k.order(time.Unix(1, 0), &o))
}

func TestAnOlderStateOfAnOrderIsNotTold(t *testing.T) {
	k := emptyLedger()
	assert.Equal(t, 1, told(t, k, "Live", "98", 1785767402000))
	assert.Equal(t, 0, told(t, k, "Live", "97", 1785767401000), "by its time")
	assert.Equal(t, 1, told(t, k, "Live", "99", 1785767403000))
	assert.Equal(t, 0, told(t, k, "Live", "99", 1785767404000), "the same again")
	assert.Equal(t, 1, told(t, k, "Cancelled", "99", 1785767405000))
	assert.Equal(t, 0, told(t, k, "Live", "99", 1785767405000), "what has ended does not live again")
	assert.Equal(t, 0, told(t, k, "Live", "99", 0), "without a time either")
}

func TestAStateThatIsNotKnownIsTold(t *testing.T) {
	k := emptyLedger()
	assert.Equal(t, 1, told(t, k, "Live", "98", 1785767402000))
	assert.Equal(t, 1, told(t, k, "Awaiting Moonrise", "98", 1785767403000))
	assert.Equal(t, 1, told(t, k, "Live", "98", 1785767404000))
}

func TestBalancesAndPositionsAreToldWhenTheyChange(t *testing.T) {
	k := emptyLedger()
	balance := func(currency, cash string, updated int) int {
		var b tastytrade.Balance
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"account-number":"A","currency":%q,"cash-balance":%q,"updated-at":%d}`, currency, cash, updated), &b))
		return len(k.balance(time.Unix(1, 0), &b))
	}
	assert.Equal(t, 1, balance("USD", "10", 1785767402000))
	assert.Equal(t, 0, balance("USD", "10", 1785767403000))
	assert.Equal(t, 0, balance("USD", "9", 1785767401000), "an older one")
	assert.Equal(t, 0, balance("EUR", "5", 1785767409000), "another currency")
	assert.Equal(t, 1, balance("USD", "11", 1785767404000))

	position := func(quantity, direction string) int {
		var p tastytrade.Position
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"account-number":"A","symbol":"SPY","quantity":%q,"quantity-direction":%q}`, quantity, direction), &p))
		return len(k.position(time.Unix(1, 0), &p))
	}
	assert.Equal(t, 0, position("0", "Zero"), "what never was and is not")
	assert.Equal(t, 1, position("5", "Long"))
	assert.Equal(t, 0, position("5", "Long"))
	assert.Equal(t, 1, position("5", "Short"))
	assert.Equal(t, 1, position("0", "Zero"), "it is closed")
	assert.Equal(t, 0, position("0", "Zero"))
	assert.True(t, k.last["A"].Equal(time.Unix(1, 0)))
}
