package tastytrade_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

func decode[T any](t testing.TB, s string) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal([]byte(s), &v))
	return v
}

func encode(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

func dec(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

func TestUnknownIsNeverZero(t *testing.T) {
	for _, text := range []string{`{"symbol":"A"}`, `{"symbol":"A","bid":null,"delta":null}`, `{"symbol":"A","bid":"NaN","delta":"NaN"}`,
		`{"symbol":"A","bid":"","delta":"n/a","last-trade-time":"0","halt-start-time":-1,"prev-close-date":""}`, `{"symbol":"A","bid":{"x":1},"delta":[1]}`} {
		m := decode[tastytrade.MarketData](t, text)
		assert.Nil(t, m.Bid, text)
		assert.True(t, math.IsNaN(m.Delta), text)
		assert.True(t, m.HaltStartTime.IsZero())
		assert.True(t, m.LastTradeTime.IsZero())
		assert.True(t, m.PrevCloseDate.IsZero())
		assert.JSONEq(t, text, encode(t, m), "absent, null and NaN stay what they were")
	}
	zero := decode[tastytrade.MarketData](t, `{"symbol":"A","bid":0,"delta":"0.0"}`)
	require.NotNil(t, zero.Bid)
	assert.Zero(t, zero.Delta)
}

func TestNumbersAndStringsAreInterchangeable(t *testing.T) {
	for _, text := range []string{
		`{"account-number":"5WX1","symbol":"A","quantity":3,"quantity-direction":"Long","multiplier":"100.0","order-id":17,"is-frozen":"true","created-at":1789000000000}`,
		`{"account-number":"5WX1","symbol":"A","quantity":"3.0","quantity-direction":"Long","multiplier":100,"order-id":"17","is-frozen":true,"created-at":"2026-09-10T00:26:40Z"}`,
	} {
		p := decode[tastytrade.Position](t, text)
		assert.True(t, p.Quantity.Equal(decimal.NewFromInt(3)))
		assert.True(t, p.Multiplier.Equal(decimal.NewFromInt(100)))
		assert.Equal(t, tastytrade.ID("17"), p.OrderID)
		assert.True(t, p.IsFrozen)
		assert.True(t, p.CreatedAt.Equal(time.UnixMilli(1789000000000)))
		assert.JSONEq(t, text, encode(t, p))
	}
}

func TestAPositionWithoutAQuantityIsAnError(t *testing.T) {
	for _, quantity := range []string{`null`, `"NaN"`, `"x"`, `{}`, `"1e999999999"`} {
		var p tastytrade.Position
		err := json.Unmarshal([]byte(`{"account-number":"5WX1","symbol":"A","quantity-direction":"Long","quantity":`+quantity+`}`), &p)
		require.ErrorContains(t, err, "quantity", quantity)
	}
}

func TestMoneyIsSigned(t *testing.T) {
	for _, tt := range []struct{ wire, want string }{
		{`"12.5","pending-cash-effect":"Debit"`, "-12.5"},
		{`"12.5","pending-cash-effect":"Credit"`, "12.5"},
		{`"0.0","pending-cash-effect":"None"`, "0"},
		{`"12.5"`, "12.5"},
		{`"-12.5","pending-cash-effect":"Debit"`, "-12.5"},
	} {
		text := `{"account-number":"5WX1","pending-cash":` + tt.wire + `}`
		b := decode[tastytrade.Balance](t, text)
		assert.Equal(t, tt.want, b.PendingCash.String(), text)
		assert.JSONEq(t, text, encode(t, b))
	}
	short := decode[tastytrade.Position](t, `{"account-number":"5WX1","symbol":"A","quantity":"2","quantity-direction":"Short"}`)
	assert.Equal(t, "-2", short.SignedQuantity().String())
}

func TestChangedFieldsAreMerged(t *testing.T) {
	b := decode[tastytrade.Balance](t, `{"new-field":{"a":[1,2]},"cash-balance":"10.50","account-number":"5WX1","pending-cash":"3.0","pending-cash-effect":"Credit","equity-buying-power":5,"currency":null}`)
	b.CashBalance = dec("11.25")
	b.PendingCash = dec("-4")
	b.EquityBuyingPower = dec("6.5")
	b.Currency = "USD"
	b.NetLiquidatingValue = dec("1")
	assert.Equal(t, `{"new-field":{"a":[1,2]},"cash-balance":"11.25","account-number":"5WX1","pending-cash":"4","pending-cash-effect":"Debit","equity-buying-power":6.5,"currency":"USD","net-liquidating-value":"1"}`, encode(t, b))
	assert.Contains(t, string(b.Raw()), `"cash-balance":"10.50"`, "what arrived stays")

	b.CashBalance = nil
	assert.NotContains(t, encode(t, b), "cash-balance")
}

func TestChangesDeepInAnObjectAreMerged(t *testing.T) {
	chain := decode[tastytrade.NestedChain](t, `{"underlying-symbol":"A","x":1,"expirations":[{"expiration-date":"2026-09-18","y":2,"strikes":[{"strike-price":"5.0","z":3},{"strike-price":"6.0","z":4}]}]}`)
	chain.Expirations[0].Strikes[1].Call = "A     260918C00006000"
	assert.JSONEq(t, `{"underlying-symbol":"A","x":1,"expirations":[{"expiration-date":"2026-09-18","y":2,"strikes":[{"strike-price":"5.0","z":3},{"strike-price":"6.0","z":4,"call":"A     260918C00006000"}]}]}`, encode(t, chain))

	chain.Expirations[0].Strikes = chain.Expirations[0].Strikes[:1]
	assert.NotContains(t, encode(t, chain), `"z":4`)
}

func TestAValueThatWasMadeIsWrittenWithoutTheUnknown(t *testing.T) {
	got := encode(t, tastytrade.TickSize{Value: dec("0.01")})
	assert.JSONEq(t, `{"value":"0.01"}`, got)
	got = encode(t, tastytrade.ExpirationVolatility{ImpliedVolatility: math.NaN(), ExpirationDate: september16})
	assert.JSONEq(t, `{"expiration-date":"2026-09-16"}`, got)
}

func TestUnknownEnumValuesAreKept(t *testing.T) {
	s := decode[tastytrade.CurrentSession](t, `{"state":"Lunch break","next-session":null}`)
	assert.Equal(t, tastytrade.SessionState("Lunch break"), s.State)
	assert.Nil(t, s.Next)
}

func TestAListOfOneWithoutBracketsIsRead(t *testing.T) {
	c := decode[tastytrade.MarketCalendar](t, `{"market-holidays":"2026-12-25","market-half-days":["2026-11-27T00:00:00Z","bad",null]}`)
	assert.Equal(t, []tastytrade.Date{{Year: 2026, Month: 12, Day: 25}}, c.Holidays)
	require.Len(t, c.HalfDays, 3)
	assert.Equal(t, "2026-11-27", c.HalfDays[0].String())
	assert.True(t, c.HalfDays[1].IsZero())
}

func TestDecodingAgainForgetsTheOldValue(t *testing.T) {
	m := decode[tastytrade.MarketData](t, `{"symbol":"A","bid":"1"}`)
	require.NoError(t, json.Unmarshal([]byte(`{"symbol":"B"}`), &m))
	assert.Nil(t, m.Bid)
	assert.Equal(t, "B", m.Symbol)
}

// exact decodes JSON with its numbers as they are written.
func exact(t testing.TB, s string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	require.NoError(t, d.Decode(&v))
	return v
}

// FuzzCodec checks that no answer can make decoding panic, and that what can be
// decoded is written back as it came.
func FuzzCodec(f *testing.F) {
	for _, seed := range []string{
		`{"symbol":"A","bid":"1.0","x":{"y":[1,{"z":"]}\"\\"}]}}`, `{}`, `null`, `[]`, `{"symbol":"A","symbol":"B"}`,
		`{"symbol":"\u0041\"","updated-at":"2026-09-16T10:30:00.000+00:00","is-trading-halted":1}`, `{"symbol":1e400,"bid":1e400,"halt-end-time":9223372036854775807}`,
		"{ \"symbol\" : \"A\" ,\n\t\"bid\" : -0.0 }", `{"symbol":"A","":""}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var m tastytrade.MarketData
		if json.Unmarshal([]byte(text), &m) != nil || m.Raw() == nil {
			return
		}
		assert.Equal(t, exact(t, text), exact(t, encode(t, m)))
		m.Mark = dec("1.25")
		assert.True(t, json.Valid([]byte(encode(t, m))))
		again := decode[tastytrade.MarketData](t, encode(t, m))
		assert.True(t, again.Mark.Equal(*m.Mark))
		assert.Equal(t, m.Symbol, again.Symbol)
	})
}
