package storage_test

import (
	"hash/fnv"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/sqlite"
)

// The library of a small trading desk: the name of each note, and its text.
var notes = map[string]string{
	"iv-rank":          "IV rank places today's implied volatility between the lowest and the highest of the past year: 0 at the bottom of that span, 100 at its top.",
	"iv-percentile":    "IV percentile counts on how many days of the last year implied volatility was lower than it is now.",
	"theta":            "Theta is what an option loses with each day that passes while everything else stays put. Time decay speeds up in the last month before expiration.",
	"vega":             "Vega says by how much an option's value moves when implied volatility changes by one point. Long-dated contracts have the most of it.",
	"delta":            "Delta is the change of an option's price for a one dollar move of the stock, and roughly the chance of finishing in the money.",
	"gamma":            "Gamma tells how quickly delta itself changes. It is greatest at the money and close to expiration, where hedges must be adjusted often.",
	"rho":              "Rho measures sensitivity to interest rates; it matters for LEAPS and hardly at all for weeklies.",
	"skew":             "Puts far below the market cost more volatility than calls equally far above it. This skew is the price of protection against crashes.",
	"term-structure":   "Near expirations usually trade at lower volatility than distant ones. When that inverts, the market expects trouble soon.",
	"expected-move":    "The expected move is read from the straddle at the money: its price is about 85 percent of what the market thinks possible until expiration.",
	"covered-call":     "A covered call sells upside against shares that are held. It earns premium and caps the gain at the strike.",
	"cash-secured-put": "A cash-secured put is sold with enough money set aside to buy the shares, should they be put to the seller.",
	"wheel":            "The wheel sells puts until shares are assigned, then calls against them until they are called away, and begins again.",
	"iron-condor":      "An iron condor sells a put spread below and a call spread above the market and keeps the credit when the price stays between the short strikes.",
	"butterfly":        "A butterfly buys one wing, sells two in the body and buys the other wing: cheap, and worth most when the price pins the middle strike.",
	"calendar":         "A calendar spread sells a near expiration and buys a later one at the same strike; it profits from time passing and from rising volatility.",
	"vertical":         "A vertical spread buys and sells two strikes of one expiration. The risk is known from the start: width less credit, or the debit.",
	"straddle":         "Buying a straddle, a call and a put at one strike, bets on a large move in either direction.",
	"strangle":         "Selling a strangle collects premium from both sides; losses have no limit above, and are large below.",
	"jade-lizard":      "A jade lizard combines a short put with a short call spread so that the credit exceeds the spread's width: there is no risk to the upside.",
	"collar":           "A collar protects shares with a bought put, paid for by a sold call.",
	"ratio-spread":     "A ratio spread sells more contracts than it buys. The surplus is naked and needs margin.",
	"gamma-scalping":   "Gamma scalping owns options and trades the stock against their delta: it sells rallies and buys dips, hoping to earn more than the decay it pays.",
	"early-exercise":   "American calls are exercised early for a dividend: when it exceeds the time value that is left, the holder takes the shares the day before the ex-date.",
	"pin-risk":         "When the stock closes at the short strike on expiration day nobody knows whether assignment follows. This pin risk is avoided by closing before the bell.",
	"assignment":       "A short option that finishes in the money by a cent is exercised automatically, and shares or cash change hands over the weekend.",
	"pdt":              "A margin account under 25,000 dollars may make three day trades in five business days; a fourth marks it as a pattern day trader.",
	"reg-t":            "Under Regulation T half of a stock purchase may be borrowed; options bought must be paid in full.",
	"portfolio-margin": "Portfolio margin asks for the worst loss over a range of price changes instead of adding fixed percentages, and needs a large account.",
	"buying-power":     "Buying power falls by the requirement of each open position; a naked put takes about a fifth of the underlying's value.",
	"kelly":            "Kelly's rule stakes the edge divided by the odds. Half of it is wiser, because the edge is only estimated.",
	"position-size":    "Risk no more than two percent of the account on one idea, so that a run of losses can be survived.",
	"stop-loss":        "A stop order becomes a market order when its price trades; in a gap it fills far away. A stop-limit may not fill at all.",
	"limit-order":      "A limit order names the worst price that is acceptable. Start at the middle of bid and ask and walk it one tick at a time.",
	"slippage":         "Slippage is the distance between the price that was expected and the fill. Wide quotes and thin volume make it worse.",
	"support":          "Support is a price where buyers appeared before. The more often it held, the more stops lie just beneath it.",
	"vwap":             "VWAP averages the day's prices by volume; institutions judge their fills by it.",
	"rsi":              "RSI compares the gains of the last fourteen bars with their losses. Above 70 a market is called overbought, beneath 30 oversold.",
	"macd":             "MACD is the difference of two moving averages with a signal line; crossings of the two are read as changes of momentum.",
	"bollinger":        "Bollinger bands lie two standard deviations around a moving average. A squeeze, when they narrow, often comes before a breakout.",
	"earnings-crush":   "Implied volatility rises into an earnings report and collapses the morning after, so a bought option can lose although the direction was right.",
	"vix":              "The VIX is the market's guess of the S&P 500's volatility over the next thirty days, made from a strip of index options.",
	"contango":         "VIX futures are dearer the later they settle, most of the time. Funds that roll them lose this contango month after month.",
	"wash-sale":        "A loss is not deductible when the same security is bought within thirty days before or after: a wash sale.",
	"section-1256":     "Index options and futures are taxed sixty percent as long-term and forty as short-term gains under section 1256, however briefly held.",
	"settlement":       "Index options such as SPX settle in cash at expiration; some use the opening prices of the morning, others the close.",
	"backtest-bias":    "A backtest that uses only companies which still exist today flatters every strategy: survivorship bias. Using prices before they were known is look-ahead.",
	"walk-forward":     "Walk-forward testing fits parameters on one stretch of history and tries them on the next, again and again, to see what survives out of sample.",
	"sharpe":           "The Sharpe ratio divides the mean excess return by its standard deviation; sellers of tail risk have a fine one until they do not.",
	"drawdown":         "Drawdown is the fall from the last peak of the equity curve. After losing half, a hundred percent is needed to be whole.",
	"halts":            "Limit up, limit down pauses a stock for five minutes when it moves too far too fast; the whole market stops at falls of 7, 13 and 20 percent.",
	"order-approval":   "No order is sent before a person has approved the exact preview; a changed price needs a new approval.",
	"uncertain-order":  "When the connection breaks while an order is being sent its outcome is unknown. List the working orders and compare; never send it again blindly.",
	"kill-switch":      "The kill switch stops all automatic trading in every process at once, and is released only by hand.",
	"daily-loss":       "Trading ends for the day when realised losses reach the daily limit.",
	"fed":              "The Federal Reserve announces rates at two in the afternoon in New York eight times a year; spreads widen minutes before.",
	"dividend-risk":    "Whoever is short a call over the ex-dividend date may have to pay the dividend himself.",
	"rolling":          "Rolling closes a threatened position and opens the same one later in time, for a credit if possible, never merely to postpone a loss.",
	"diversification":  "Ten technology stocks are one bet. Spread positions over underlyings that do not fall together; watch beta-weighted delta.",
	"overnight":        "Futures trade almost around the clock; overnight volume is thin, and the open can gap past any stop.",
}

// What people ask, and the notes that answer it.
var questions = []struct {
	text    string
	answers []string
}{
	{"is implied volatility high or low compared with the past year", []string{"iv-rank", "iv-percentile"}},
	{"how much does my option lose every day", []string{"theta"}},
	{"time decay near expiration", []string{"theta"}},
	{"what happens to the option price when volatility rises one point", []string{"vega"}},
	{"probability that the option ends in the money", []string{"delta"}},
	{"why must I rehedge so often at the money", []string{"gamma"}},
	{"effect of interest rate on long options", []string{"rho"}},
	{"why are downside puts more expensive than calls", []string{"skew"}},
	{"how far will the stock move until expiration", []string{"expected-move"}},
	{"earn premium on shares I own", []string{"covered-call"}},
	{"money needed to sell a put", []string{"cash-secured-put", "buying-power"}},
	{"selling puts then calls over and over", []string{"wheel"}},
	{"strategy for a price that stays in a range", []string{"iron-condor", "butterfly"}},
	{"profit when the stock pins one strike", []string{"butterfly"}},
	{"near expiration sold and later one bought", []string{"calendar"}},
	{"bet on a big move without knowing the direction", []string{"straddle"}},
	{"short premium without upside risk", []string{"jade-lizard"}},
	{"protect my stock cheaply", []string{"collar"}},
	{"hedging delta by trading the stock", []string{"gamma-scalping"}},
	{"can my short call be exercised before a dividend", []string{"early-exercise", "dividend-risk"}},
	{"what if it closes exactly at my short strike", []string{"pin-risk"}},
	{"how many day trades may a small account make", []string{"pdt"}},
	{"margin computed from the worst case loss", []string{"portfolio-margin"}},
	{"how much should I risk on one trade", []string{"position-size", "kelly"}},
	{"my stop filled much lower than its price", []string{"stop-loss", "overnight", "slippage"}},
	{"where to place a limit between bid and ask", []string{"limit-order"}},
	{"overbought indicator", []string{"rsi"}},
	{"bands narrowing before a breakout", []string{"bollinger"}},
	{"lost money on calls after good earnings", []string{"earnings-crush"}},
	{"why do volatility funds lose value over time", []string{"contango"}},
	{"tax on index options", []string{"section-1256"}},
	{"sold at a loss and bought back, is it deductible", []string{"wash-sale"}},
	{"my backtest looks too good", []string{"backtest-bias", "walk-forward"}},
	{"the network failed while sending an order", []string{"uncertain-order"}},
	{"stop all trading immediately", []string{"kill-switch", "daily-loss", "halts"}},
	{"trading halted after a sharp fall", []string{"halts"}},
	{"how deep was the fall from the peak", []string{"drawdown"}},
	{"move a losing position to a later month", []string{"rolling"}},
	{"correlated positions", []string{"diversification"}},
	{"when does the central bank decide", []string{"fed"}},
}

const recallDims = 512

// featureHash embeds a text without a model: each word, and each run of four
// letters of it, adds ±1 to a place that its hash chooses, words of three letters
// at most count little, and the whole is brought to length one. Runs of letters
// make "expired" and "expiration" neighbours.
func featureHash(text string) []float32 {
	v := make([]float64, recallDims)
	add := func(feature string, weight float64) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(feature)) // it never fails
		sum := h.Sum64()
		if sum>>63 == 1 {
			weight = -weight
		}
		v[sum%recallDims] += weight
	}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		if len(word) <= 3 {
			add(word, 0.2)
			continue
		}
		add(word, 1)
		for i := 0; i+4 <= len(word); i++ {
			add("…"+word[i:i+4], 0.5)
		}
	}
	length := 0.0
	for _, x := range v {
		length += x * x
	}
	out := make([]float32, recallDims)
	for i, x := range v {
		out[i] = float32(x / math.Sqrt(length))
	}
	return out
}

func recallEngines(t *testing.T) map[string]storage.Store {
	t.Helper()
	inMemory, err := memory.New(nil)
	require.NoError(t, err)
	inFile, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ttai.db"), nil)
	require.NoError(t, err)
	engines := map[string]storage.Store{"memory": inMemory, "sqlite": inFile}
	t.Cleanup(func() {
		for _, s := range engines {
			assert.NoError(t, s.Close())
		}
	})
	return engines
}

// The figures stand in docs/storage.md. The embedding sees letters, not meaning,
// so both ways mostly find the same; what is held here is that fusing them loses
// next to nothing, and that each engine finds what it found.
func TestEachWayOfSearchFindsWhatTheLabelledSetAsksFor(t *testing.T) {
	require.GreaterOrEqual(t, len(notes), 40)
	require.GreaterOrEqual(t, len(questions), 30)
	for engine, s := range recallEngines(t) {
		h, err := s.For(storage.Local)
		require.NoError(t, err)
		v, err := h.Vectors("notes", recallDims)
		require.NoError(t, err)
		var documents []storage.Document
		for id, text := range notes {
			documents = append(documents, storage.Document{ID: id, Text: text, Vector: featureHash(text)})
		}
		require.NoError(t, v.Put(t.Context(), documents...))
		found := map[string]float64{}
		five := &storage.SearchOptions{Limit: 5}
		for _, q := range questions {
			for _, id := range q.answers {
				require.Contains(t, notes, id)
			}
			words, err := v.Matching(t.Context(), q.text, five)
			require.NoError(t, err)
			found["text"] += recall(words, q.answers)
			near, err := v.Nearest(t.Context(), featureHash(q.text), five)
			require.NoError(t, err)
			found["vector"] += recall(near, q.answers)
			both, err := storage.Hybrid(t.Context(), v, q.text, featureHash(q.text), five)
			require.NoError(t, err)
			found["hybrid"] += recall(both, q.answers)
			if recall(both, q.answers) == 0 {
				t.Logf("%s: nothing for %q", engine, q.text)
			}
		}
		for way := range found {
			found[way] /= float64(len(questions))
		}
		t.Logf("%s: recall at 5 of %d questions over %d notes: text %.3f, vector %.3f, hybrid %.3f", engine, len(questions), len(notes), found["text"], found["vector"], found["hybrid"])
		assert.GreaterOrEqual(t, found["hybrid"], max(found["text"], found["vector"])-0.01, engine)
		for way, figure := range found {
			assert.GreaterOrEqual(t, figure, 0.84, "%s: %s", engine, way)
		}
	}
}

// recall is the part of the answers that is among the matches.
func recall(matches []storage.Match, answers []string) float64 {
	n := 0
	for _, m := range matches {
		if slices.Contains(answers, m.ID) {
			n++
		}
	}
	return float64(n) / float64(len(answers))
}
