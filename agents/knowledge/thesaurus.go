package knowledge

// thesaurus has what traders call one thing, a subject a line: the subject, then
// other ways of saying it. It serves [Hashing] and the ranking by words; changing
// it changes what Hashing.Model must say.
const thesaurus = `
implied volatility, iv, vol, implied vol, implieds, expected volatility
realised volatility, realized volatility, historical volatility, historic volatility, actual volatility, hv, rv, statistical volatility
iv rank, ivr, iv percentile, volatility rank, cheap or expensive
volatility skew, skew, smile, smirk, volatility smile
volatility term structure, term structure, contango, backwardation
volatility crush, iv crush, vol crush, crush, collapse of volatility
vix, fear index, fear gauge
time decay, theta, decay, decays, bleed, bleeds, bleeding, lose every day, melt, time value, extrinsic value, extrinsic, melting, erodes, wasting
delta, hedge ratio, share equivalent, directional exposure
gamma, convexity, change of delta, curvature
vega, sensitivity to volatility, volatility exposure
rho, interest rate sensitivity, interest rate, interest rates, rates fall, rates rise, rate hike, fed, rate cut
vanna, charm, second order greeks, higher order greeks
covered call, buy write, buywrite, call writing, overwrite, rent on shares
cash secured put, csp, short put, wrote puts, write puts, written put, naked put, sell puts, selling puts, sell a put, selling a put, put selling, put write, paid to wait, paid while waiting
wheel, triple income
protective put, married put, insurance, insure, downside protection, floor, portfolio insurance
collar, zero cost collar, fence
vertical spread, vertical, debit spread, credit spread, bull call spread, bear put spread, bull put spread, bear call spread
iron condor, condor
butterfly, fly, iron butterfly, iron fly, pin the strike
calendar spread, calendar, time spread, horizontal spread, diagonal, poor mans covered call, pmcc
straddle, both a call and a put, long volatility
strangle, short strangle
ratio spread, backspread, front ratio
gamma scalping, scalp gamma, delta hedging, delta neutral, rehedge, hedging the delta
synthetic, put call parity, conversion, reversal, parity, arbitrage
leaps, long dated, long term options, stock replacement
early exercise, exercised early, exercise early, early assignment, called away
assignment, assigned, put to me, exercise, exercised, obligation
ex dividend, dividend, dividends, ex date, payout
pin risk, pinned, pinning, expires at the strike, closes at the strike, closing bell, at my strike
expiration, expiry, expires, expire, maturity, last day
in the money, itm, intrinsic value, intrinsic
at the money, atm
out of the money, otm
probability, odds, chance, likelihood, likely, probabilities
probability of touch, touch, touches
breakeven, break even, cost basis
expected move, how far, implied move, one standard deviation
earnings, quarterly report, results announcement, report card
position size, position sizing, sizing, how big, how many contracts, bet size, stake, allocate
kelly, edge over odds
risk of ruin, ruin, blow up, go broke, wipe out, bust
drawdown, peak to trough, fall from the peak, losing streak, recover losses
stop loss, stop order, stop, trailing stop, cut losses, bail out, sold automatically, stopped out, get out
stop limit
limit order, limit, midpoint, mid price, mid, fill, fills, worst price
market order, immediately at any price
time in force, gtc, good till cancelled, day order, ioc, fok
bracket order, bracket, oco, one cancels other, oto, otoco, profit target
bid ask spread, slippage, transaction cost, trading cost, moment i open, wide market, wide markets, illiquid, liquidity, thin market, execution cost, spread between bid and ask
open interest, volume, contracts outstanding
margin, buying power, collateral, requirement, borrowing, leverage, reg t
portfolio margin, stress test
pattern day trader, pdt, day trades, day trading
beta weighted delta, beta weighting, beta
correlation, correlated, diversification, diversify, move together, fall together, same day, all at once, concentrated, concentration
tail risk, crash, black swan, gap risk, fat tails, extreme move, bankrupt, bankruptcy, goes to nothing, goes to zero
value at risk, var, expected shortfall
sharpe, risk adjusted return, sortino
expectancy, expected value, average outcome, win rate, positive expectation, sample, small samples, edge
roll, rolling, roll out, move to next month, extend the trade, out in time, later month, push out
adjust, adjustment, repair, defend, rescue, fix a losing trade
max loss, maximum loss, worst case, most i can lose, defined risk
max profit, maximum profit, best case, most i can make
income, premium, yield, credit, collect, cash flow, rent
annualised return, annualized return, return on capital, rate of return
support, resistance, support and resistance, floor and ceiling, levels, bounce
pivot points, pivot, floor trader pivots
fibonacci, retracement, golden ratio, pullback, dip, dips, correction, retrace
volume profile, point of control, value area, poc, changed hands, most traded
vwap, volume weighted average price, average price of the day
moving average, sma, ema, averages, golden cross
rsi, relative strength index, overbought, oversold, momentum oscillator, overheated, too hot, too fast, overextended, stretched
macd, moving average convergence divergence
bollinger bands, bollinger, bands, squeeze, tight range, narrow range, narrow, coiled
atr, average true range, true range, daily range, noise
adx, trend strength, trending, directional movement
stochastic, stochastics, oscillator
divergence, diverge
obv, on balance volume, volume confirmation, money flow
donchian, breakout, breakouts, channel, turtle
gap, gaps, opening gap, overnight
max pain, option walls, gamma exposure, gex, dealer positioning, call wall, put wall
backtest, backtesting, curve fitting, overfitting, past data
contract multiplier, multiplier, hundred shares, one contract
settlement, cash settled, european style, american style, index options, spx
zero dte, 0dte, same day options
bullish, rise, rally, goes up, going up, upside
bearish, fall, falls, drop, drops, decline, goes down, going down, downside, sell off
sideways, range bound, range, neutral, stays put, nothing happens, flat
big move, large move, explode, moves a lot, either direction
shares, stock, equity, underlying
hedge, hedging, protect, protection, offset
sell, short, write, writing, seller, sold
buy, long, purchase, buyer, bought
`
