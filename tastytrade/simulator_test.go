package tastytrade_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// simulated returns a client of a simulator in memory. The simulator shares no
// code with this package.
func simulated(t testing.TB) (*tastytrade.Client, *simulator.Simulator, tastytrade.AccountNumber) {
	t.Helper()
	sim, err := simulator.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = sim.Close() })
	server, err := sim.Listen()
	require.NoError(t, err)
	cred := sim.Credentials()
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL: server.URL(), ClientID: cred.ClientID, ClientSecret: cred.ClientSecret, RefreshToken: cred.RefreshToken, Dial: server.DialContext,
	})
	require.NoError(t, err)
	c, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext, Limiter: tastytrade.NoLimit()})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, sim, tastytrade.AccountNumber(cred.Accounts[0])
}

func TestEveryRouteWorksAgainstTheSimulator(t *testing.T) {
	c, sim, account := simulated(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	accounts, err := c.Accounts.List(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, accounts)
	one, err := c.Accounts.Get(ctx, account)
	require.NoError(t, err)
	assert.Equal(t, account, one.Number)
	status, err := c.Accounts.TradingStatus(ctx, account)
	require.NoError(t, err)
	assert.NotEmpty(t, status.OptionsLevel)
	balance, err := c.Balances.Get(ctx, account)
	require.NoError(t, err)
	require.NotNil(t, balance.NetLiquidatingValue)
	assert.True(t, balance.NetLiquidatingValue.IsPositive())
	_, err = c.Balances.GetCurrency(ctx, account, "USD")
	require.NoError(t, err)
	positions, err := c.Positions.List(ctx, account, &tastytrade.PositionsOptions{IncludeMarks: true})
	require.NoError(t, err)
	require.NotEmpty(t, positions)
	for _, p := range positions {
		assert.NotNil(t, p.MarkPrice, p.Symbol)
		assert.NotNil(t, p.AverageOpenPrice, p.Symbol)
	}

	page, err := c.Instruments.Equities(ctx, &tastytrade.EquitiesOptions{Symbols: []string{"SPY", "AAPL"}})
	require.NoError(t, err)
	assert.Len(t, page.Items, 2)
	spy, err := c.Instruments.Equity(ctx, "SPY")
	require.NoError(t, err)
	assert.True(t, spy.IsETF)
	_, err = c.Instruments.Equity(ctx, "NOSUCH")
	require.ErrorIs(t, err, tastytrade.ErrNotFound)

	chains, err := c.OptionChains.Nested(ctx, "SPY")
	require.NoError(t, err)
	require.NotEmpty(t, chains)
	require.NotEmpty(t, chains[0].Expirations)
	strike := chains[0].Expirations[0].Strikes[0]
	parsed, err := tastytrade.ParseEquityOption(strike.Call)
	require.NoError(t, err)
	assert.True(t, parsed.Strike.Equal(strike.Price))
	assert.Equal(t, chains[0].Expirations[0].ExpirationDate, parsed.Expiration)

	data, err := c.MarketData.ByType(ctx, tastytrade.ByTypeRequest{Equities: []string{"SPY", "AAPL"}, EquityOptions: []string{strike.Call}})
	require.NoError(t, err)
	assert.Len(t, data, 3)
	metrics, err := c.MarketMetrics.List(ctx, "SPY", "AAPL")
	require.NoError(t, err)
	assert.Len(t, metrics, 2)
	assert.Greater(t, metrics[0].ImpliedVolatilityIndex, 0.0)
	assert.NotEmpty(t, metrics[0].Expirations)
	_, err = c.MarketMetrics.Dividends(ctx, "AAPL")
	require.NoError(t, err)
	today := tastytrade.Date{}
	today.Year, today.Month, today.Day = sim.Clock().Now().Date()
	earnings, err := c.MarketMetrics.Earnings(ctx, "AAPL", today.AddDays(-400), today)
	require.NoError(t, err)
	assert.NotEmpty(t, earnings)

	session, err := c.MarketSessions.EquitiesCurrent(ctx, time.Time{})
	require.NoError(t, err)
	assert.Equal(t, tastytrade.SessionOpen, session.State)
	_, err = c.MarketSessions.EquitiesNext(ctx, today)
	require.NoError(t, err)
	_, err = c.MarketSessions.EquitiesPrevious(ctx, today)
	require.NoError(t, err)
	calendar, err := c.MarketSessions.EquitiesHolidays(ctx)
	require.NoError(t, err)
	assert.NotEmpty(t, calendar.Holidays)
	found, err := c.Symbols.Search(ctx, "SP")
	require.NoError(t, err)
	assert.NotEmpty(t, found)
}

func TestTheStreamWorksAgainstTheSimulator(t *testing.T) {
	for _, format := range []dxlink.DataFormat{dxlink.Compact, dxlink.Full} {
		t.Run(string(format), func(t *testing.T) {
			c, sim, _ := simulated(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			conn, err := c.DialMarketData(ctx, &dxlink.Options{Format: format, MinBackoff: time.Millisecond, Aggregation: 10 * time.Millisecond})
			require.NoError(t, err)
			defer conn.Close()

			chains, err := c.OptionChains.Nested(ctx, "SPY")
			require.NoError(t, err)
			strikes := chains[0].Expirations[2].Strikes
			option := strikes[len(strikes)/2].CallStreamerSymbol
			quotes, missing, err := dxlink.Latest[dxlink.Quote](ctx, conn, "SPY", option)
			require.NoError(t, err)
			require.Empty(t, missing)
			assert.Less(t, quotes["SPY"].Bid, quotes["SPY"].Ask)
			greeks, missing, err := dxlink.Latest[dxlink.Greeks](ctx, conn, option)
			require.NoError(t, err)
			require.Empty(t, missing)
			assert.Greater(t, greeks[option].Volatility, 0.0)
			_, missing, err = dxlink.Latest[dxlink.Summary](ctx, conn, "SPY")
			require.NoError(t, err)
			require.Empty(t, missing)

			now := sim.Clock().Now()
			candles, err := conn.Candles(ctx, dxlink.CandleRequest{Symbol: "SPY", Period: "d", From: now.AddDate(-1, 0, 0)})
			require.NoError(t, err)
			assert.InDelta(t, 252, len(candles), 4, "sessions of a year")
			for i := 1; i < len(candles); i++ {
				require.True(t, candles[i-1].Time.Before(candles[i].Time))
			}
			minutes, err := conn.Candles(ctx, dxlink.CandleRequest{Symbol: "SPY", Period: "5m", From: now.Add(-24 * time.Hour), RegularHours: true})
			require.NoError(t, err)
			assert.NotEmpty(t, minutes)

			live, err := dxlink.Subscribe[dxlink.Quote](ctx, conn, "SPY")
			require.NoError(t, err)
			defer live.Close()
			dropped := false
			for _, err := range live.Events() {
				require.NoError(t, err)
				if live.Gaps() == 1 {
					break // the stream came back by itself
				}
				if !dropped {
					dropped = true
					sim.DropStreams()
				}
			}
			assert.NoError(t, conn.Err())
		})
	}
}
