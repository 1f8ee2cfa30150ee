package simulator

import (
	"net/http"
	"strings"
)

// routes returns the service as a handler.
func (s *Simulator) routes() http.Handler {
	open := http.NewServeMux() // without a bearer
	open.HandleFunc("POST /oauth/token", s.oauthToken)
	open.HandleFunc("GET /simulator/clock", s.getClock)
	open.HandleFunc("GET /simulator/news.rss", s.getNewsFeed)
	open.HandleFunc("GET /auth.html", s.authorizePage)
	open.HandleFunc("GET /dxlink", s.serveStream)
	open.HandleFunc("GET /streamer", s.serveAccounts)
	open.HandleFunc("GET /{$}", s.root)
	open.Handle("GET /margin-requirements-public-configuration", s.beforehand(http.HandlerFunc(s.getMarginConfiguration)))

	mux := http.NewServeMux()
	for _, part := range []map[string]http.HandlerFunc{s.accountRoutes(), s.orderRoutes(), s.instrumentRoutes(), s.marketRoutes(),
		s.listRoutes(), s.backtestRoutes(), s.controlRoutes()} {
		for pattern, handler := range part {
			mux.HandleFunc(pattern, handler)
		}
	}
	mux.HandleFunc("/", s.notFound)
	open.Handle("/", s.guarded(s.beforehand(mux)))
	return s.outer(open)
}

// root serves the account streamer where the broker has it, at the root of a host.
func (s *Simulator) root(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		s.notFound(w, r)
		return
	}
	s.serveAccounts(w, r)
}

func (s *Simulator) accountRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /customers/{customer}":                                      s.customer(s.getCustomer),
		"GET /customers/{customer}/accounts":                             s.customer(s.listAccounts),
		"GET /customers/{customer}/accounts/{account}":                   s.customer(s.getAccount),
		"GET /accounts/{account}/trading-status":                         s.trading(s.getTradingStatus),
		"GET /accounts/{account}/balances":                               s.listBalances,
		"GET /accounts/{account}/balances/{currency}":                    s.getBalance,
		"GET /accounts/{account}/balance-snapshots":                      s.listSnapshots,
		"GET /accounts/{account}/positions":                              s.listPositions,
		"GET /accounts/{account}/net-liq":                                s.getNetLiq,
		"GET /accounts/{account}/net-liq/history":                        s.netLiqHistory,
		"GET /accounts/{account}/transactions":                           s.trading(s.listTransactions),
		"GET /accounts/{account}/transactions/{id}":                      s.trading(s.getTransaction),
		"GET /accounts/{account}/transactions/total-fees":                s.trading(s.totalFees),
		"GET /accounts/{account}/margin-requirements/{symbol}/effective": s.getMarginRequirement,
		"GET /accounts/{account}/position-limit":                         s.getPositionLimit,
		"GET /margin/accounts/{account}/requirements":                    s.getMarginReport,
		"POST /margin/accounts/{account}/dry-run":                        s.trading(s.marginDryRun),
	}
}

func (s *Simulator) instrumentRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /instruments/equities":                                 s.listEquities,
		"GET /instruments/equities/active":                          s.listActiveEquities,
		"GET /instruments/equities/{symbol}":                        s.getEquity,
		"GET /instruments/equity-options/{symbol}":                  s.getEquityOption,
		"GET /instruments/futures":                                  s.listFutures,
		"GET /instruments/futures/{symbol}":                         s.getFuture,
		"GET /instruments/future-products":                          s.listFutureProducts,
		"GET /instruments/future-products/{exchange}/{code}":        s.getFutureProduct,
		"GET /instruments/future-option-products":                   s.listFutureOptionProducts,
		"GET /instruments/future-option-products/{root}":            s.getFutureOptionProduct,
		"GET /instruments/future-option-products/{exchange}/{root}": s.getFutureOptionProduct,
		"GET /instruments/future-options/{symbol}":                  s.getFutureOption,
		"GET /instruments/future-spreads":                           s.listNothing,
		"GET /instruments/cryptocurrencies":                         s.listCryptocurrencies,
		"GET /instruments/cryptocurrencies/{symbol}":                s.getCryptocurrency,
		"GET /instruments/warrants":                                 s.listWarrants,
		"GET /instruments/warrants/{symbol}":                        s.getWarrant,
		"GET /instruments/quantity-decimal-precisions":              s.listPrecisions,
		"GET /instruments/search":                                   s.searchInstruments,
		"POST /instruments/ai-search-token":                         s.searchToken,
		"GET /option-chains/{symbol}":                               s.fullChain,
		"GET /option-chains/{symbol}/nested":                        s.nestedChain,
		"GET /option-chains/{symbol}/compact":                       s.compactChain,
		"GET /futures-option-chains/{product}":                      s.futuresChain,
		"GET /futures-option-chains/{product}/nested":               s.nestedFuturesChain,
		"GET /symbols/search/{text}":                                s.searchSymbols,
	}
}

func (s *Simulator) marketRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /market-data/by-type":                                                s.marketData,
		"GET /market-data/{type}/{symbol}":                                        s.oneMarketData,
		"GET /market-metrics":                                                     s.listMetrics,
		"GET /market-metrics/historic-corporate-events/dividends/{symbol}":        s.listDividends,
		"GET /market-metrics/historic-corporate-events/earnings-reports/{symbol}": s.listEarnings,
		"GET /market-time/sessions":                                               s.listSessions,
		"GET /market-time/sessions/current":                                       s.currentSessions,
		"GET /market-time/equities/sessions/current":                              s.currentSession,
		"GET /market-time/equities/sessions/next":                                 s.nextSession,
		"GET /market-time/equities/sessions/previous":                             s.previousSession,
		"GET /market-time/equities/holidays":                                      s.holidays,
		"GET /market-time/futures/sessions/current":                               s.currentFutures,
		"GET /market-time/futures/sessions/current/{collection}":                  s.collection(s.currentFuturesOf),
		"GET /market-time/futures/sessions/next/{collection}":                     s.collection(s.nextFutures),
		"GET /market-time/futures/sessions/previous/{collection}":                 s.collection(s.previousFutures),
		"GET /market-time/futures/holidays/{collection}":                          s.collection(s.futuresHolidays),
		"GET /span/rows":        s.listSPAN,
		"GET /api-quote-tokens": s.quoteToken,
	}
}

func (s *Simulator) listRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /watchlists":               s.listWatchlists,
		"POST /watchlists":              s.createWatchlist,
		"GET /watchlists/{name}":        s.getWatchlist,
		"PUT /watchlists/{name}":        s.replaceWatchlist,
		"DELETE /watchlists/{name}":     s.deleteWatchlist,
		"GET /public-watchlists":        s.listPublicWatchlists,
		"GET /public-watchlists/{name}": s.getPublicWatchlist,
		"GET /pairs-watchlists":         s.listPairs,
		"GET /pairs-watchlists/{name}":  s.getPairs,
		"GET /quote-alerts":             s.listAlerts,
		"POST /quote-alerts":            s.createAlert,
		"DELETE /quote-alerts/{alert}":  s.deleteAlert,
	}
}
