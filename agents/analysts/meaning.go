package analysts

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Contradicted returns the words of a text that say the opposite of the evidence, each
// with what it stands against: "above" for "below", "overbought" at an RSI of 40, a
// rise where there was a fall. It knows the commonest inversions and no others: prices
// against averages, bands, supports, resistances and walls, RSI, implied against
// historical volatility, signs and directions, and comparisons of two numbers. Where a
// sentence is a condition, a negation or about the past, or evidence of the kind is
// not among the pieces, or one of several pieces agrees, it says nothing. An empty
// result does not say that a text is true.
func Contradicted(text string, evidence []Evidence) []string {
	cited := slices.DeleteFunc(slices.Clone(evidence), func(e Evidence) bool { return !e.Known() || e.foreign() })
	if i := slices.IndexFunc(cited, func(e Evidence) bool { return e.ID == "quote.price" }); i >= 0 {
		// Levels lie above or below the last close; of one that the price has crossed
		// since, both can be said.
		now := cited[i].Value
		cited = slices.DeleteFunc(cited, func(e Evidence) bool { return e.DistanceATR != nil && (e.Value > now) != (*e.DistanceATR > 0) })
	}
	var wrong []string
	for _, sentence := range sentenceEnd.Split(text, -1) {
		if hypothetical.MatchString(sentence) {
			continue
		}
		wrong = append(wrong, miscompared(sentence)...)
		for _, clause := range clauseEnd.Split(sentence, -1) {
			if unsure.MatchString(clause) {
				continue
			}
			for _, c := range claims {
				wrong = append(wrong, c.against(clause, cited)...)
			}
			wrong = append(wrong, misdirected(clause, cited)...)
		}
	}
	return wrong
}

var (
	sentenceEnd  = regexp.MustCompile(`[;!?\n]|\.(?:\s|$)`)
	clauseEnd    = regexp.MustCompile(`[()]|:\s|,?\s(?:and|but|while|whereas|although|though|yet)\s`)
	hypothetical = regexp.MustCompile(`(?i)\b(?:if|unless|whether|neither|nor|not|cannot|never|without)\b|n['’]t\b`)
	unsure       = regexp.MustCompile(`(?i)\b(?:would|could|should|may|might|can|will|was|were|had|been|until|once|when|break|breaks|breaking|no|nearly|almost|near|nearing|towards?|approach\w*|return\w*|recover\w*|drops? to|falls? to)\b`)
)

// A claim is words whose meaning a number can refute.
type claim struct {
	says *regexp.Regexp
	// unlike are words before them that make them about something else.
	unlike *regexp.Regexp
	// of is the number that the words are about; ok is false for other evidence.
	of    func(e Evidence) (x float64, ok bool)
	holds func(x float64) bool
}

// against returns the claim's words if they stand in the clause, are about some of the
// evidence, and none of it bears them out.
func (c claim) against(clause string, cited []Evidence) []string {
	var against *Evidence
	for _, e := range cited {
		x, about := c.of(e)
		if about && c.holds(x) {
			return nil
		}
		if about && against == nil {
			against = &e
		}
	}
	if against == nil {
		return nil // first, since most claims end here: reading the words takes longer
	}
	at := c.says.FindStringIndex(clause)
	if at == nil || c.unlike != nil && c.unlike.MatchString(clause[:at[0]]) {
		return nil
	}
	return []string{contradiction(clause[at[0]:at[1]], *against)}
}

func contradiction(words string, e Evidence) string {
	return fmt.Sprintf("%q, against %s (%s)", strings.TrimSpace(words), e.ID, e.Text)
}

func valueOf(ids ...string) func(Evidence) (float64, bool) {
	return func(e Evidence) (float64, bool) { return float64(e.Value), slices.Contains(ids, e.ID) }
}

// sideOf is how far a level is above the last close; what says which level it is.
func sideOf(what string) func(Evidence) (float64, bool) {
	return func(e Evidence) (float64, bool) {
		if e.DistanceATR == nil || !e.DistanceATR.Known() {
			return 0, false
		}
		named := strings.Contains(strings.ToLower(e.Name+" "+e.Text), what) && strings.Contains(what, "wall")
		return float64(*e.DistanceATR), named || strings.HasPrefix(e.ID, "levels."+what+".")
	}
}

func atLeast(x float64) func(float64) bool { return func(v float64) bool { return v >= x } }
func atMost(x float64) func(float64) bool  { return func(v float64) bool { return v <= x } }

const (
	above  = `(?:above|over|higher than|exceeds?)`
	below  = `(?:below|under|beneath|lower than)`
	few    = `(?:[^\s,]+\s+){0,4}` // words between, in one part of a sentence
	stands = `\b(?:is|are|trades?|trading|sits?|sitting|stands?|standing|holds?|holding|closed|closes|remains?|stays?)\s+`
)

// claims is the table. The first of a pair says up or much, the second down or little.
var claims = slices.Concat(averageClaims(), levelClaims(), volatilityClaims(), signClaims(), placeClaims())

// both are the two claims of one thing, right from high on and up to low.
func both(up, down string, unlike *regexp.Regexp, of func(Evidence) (float64, bool), high, low float64) []claim {
	return []claim{
		{regexp.MustCompile(`(?i)` + up), unlike, of, atLeast(high)},
		{regexp.MustCompile(`(?i)` + down), unlike, of, atMost(low)},
	}
}

// notPrice are subjects other than the price.
var notPrice = regexp.MustCompile(`(?i)\b(?:averages?|[se]?ma|sma ?\d+|bands?|support|resistance|strikes?|breakeven|volume|interest|volatility|iv|hv|spread|yield|rank|histogram|macd)\b`)

func averageClaims() []claim {
	var list []claim
	for _, n := range []string{"20", "50", "200"} {
		target := `\s+(?:[^\s,]+\s+){0,2}(?:` + n + `[- ]?(?:day|bar|session|period)?[- ]?(?:simple |moving )*(?:average|sma|dma|ma)\b|(?:sma|ma)[- ]?\(?` + n + `\b)`
		of := valueOf("trend.sma"+n+"_distance", map[string]string{"200": "market.trend"}[n])
		list = append(list, both(`\b`+above+target, `\b`+below+target, notPrice, of, 0, 0)...)
		list = append(list, both( // the average's side
			`\b`+n+`[- ]?day[- ](?:moving )?average\s+`+few+below+`\s+(?:the\s+|its\s+)?(?:last\s+)?(?:price|close|spot)`,
			`\b`+n+`[- ]?day[- ](?:moving )?average\s+`+few+above+`\s+(?:the\s+|its\s+)?(?:last\s+)?(?:price|close|spot)`, nil, of, 0, 0)...)
	}
	some := `\s+(?:its|the|all)\s+(?:long[- ]term |moving |key |major )*averages?\b`
	any := valueOf("trend.sma20_distance", "trend.sma50_distance", "trend.sma200_distance", "market.trend")
	list = append(list, both(`\b`+above+some, `\b`+below+some, notPrice, any, 0, 0)...)
	const the, band = `\s+(?:the|its)\s+`, `\s+(?:bollinger\s+)?band`
	b := valueOf("volatility.percent_b")
	list = append(list, both(`\babove`+the+`upper`+band, `\bbelow`+the+`upper`+band, nil, b, 1, 1)...)
	return append(list, both(`\babove`+the+`lower`+band, `\bbelow`+the+`lower`+band, nil, b, 0, 0)...)
}

func levelClaims() []claim {
	var list []claim
	for _, level := range []string{"support", "resistance", "put wall", "call wall"} {
		end := `(?:\s*[,.]|\s*$|\s+(?:the\s+|its\s+)?(?:last\s+)?(?:price|close|spot|market)\b)`
		other := regexp.MustCompile(`(?i)\b(?:averages?|strikes?|breakeven|wall|volume)\b`)
		of := sideOf(level)
		list = append(list, both(`\b`+level+`\s+`+few+`above`+end, `\b`+level+`\s+`+few+`below`+end, nil, of, 0, 0)...)
		list = append(list, both( // the price's side is the other one
			stands+few+below+`\s+(?:[^\s,]+\s+){0,2}`+level+`\b`, stands+few+above+`\s+(?:[^\s,]+\s+){0,2}`+level+`\b`, other, of, 0, 0)...)
	}
	return list
}

func volatilityClaims() []claim {
	const implied, historical = `\b(?:implied(?: volatility| vol)?|iv)\s+`, `\s+(?:[^\s,]+\s+){0,2}(?:historical|realised|realized|hv\b|statistical)`
	const more, less = `(?:above|exceeds?|higher than|richer than|greater than|(?:is|trades|stands) (?:well )?over)`, `(?:below|lower than|cheaper than|less than|(?:is|trades|stands) (?:well )?under)`
	ratio := valueOf("options.iv_hv")
	list := both(implied+few+more+historical, implied+few+less+historical, nil, ratio, 1, 1)
	list = append(list, both(
		`\b(?:historical|realised|realized)(?: volatility| vol)?\s+`+few+less+`\s+(?:[^\s,]+\s+){0,2}(?:implied|iv\b)`,
		`\b(?:historical|realised|realized)(?: volatility| vol)?\s+`+few+more+`\s+(?:[^\s,]+\s+){0,2}(?:implied|iv\b)`, nil, ratio, 1, 1)...)
	place := valueOf("options.iv_rank", "options.iv_percentile")
	list = append(list, both(`\biv (?:rank|percentile)\s+`+few+`(?:high|elevated|rich)\b`, `\biv (?:rank|percentile)\s+`+few+`(?:low|depressed|cheap)\b`, nil, place, 0.4, 0.6)...)
	rsi := valueOf("momentum.rsi")
	list = append(list, both(`\boverbought\b`, `\boversold\b`, nil, rsi, 70, 30)...)
	for _, n := range []float64{30, 50, 70} {
		list = append(list, both(fmt.Sprintf(`\brsi\b.{0,30}?\b%s\s+%g\b`, above, n), fmt.Sprintf(`\brsi\b.{0,30}?\b%s\s+%g\b`, below, n), nil, rsi, n, n)...)
	}
	return list
}

func signClaims() []claim {
	var list []claim
	for _, s := range []struct {
		subject, up, down string
		ids               []string
	}{
		{`macd(?: histogram)?`, `positive|above zero`, `negative|below zero`, []string{"momentum.macd_histogram"}},
		{`momentum`, `positive`, `negative`, []string{"momentum.macd_histogram", "momentum.roc5", "momentum.roc21", "momentum.roc63", "momentum.roc252"}},
		{`skew`, `positive`, `negative`, []string{"options.skew25"}},
		{`(?:slope of (?:the )?)?(?:sma 50|50-day (?:moving )?average)`, `positive|rising|sloping up|upward`, `negative|falling|declining|sloping down|downward`, []string{"trend.sma50_slope"}},
		{`term (?:structure|slope)`, `positive|upward|rising|contango`, `negative|downward|falling|inverted|backwardat\w+`, []string{"options.term_slope"}},
		{`correlation`, `positive`, `negative`, []string{"risk.correlation", "risk.held_correlation"}},
	} {
		of := valueOf(s.ids...)
		list = append(list, both(`\b`+s.subject+`\s+`+few+`(?:`+s.up+`)\b`, `\b`+s.subject+`\s+`+few+`(?:`+s.down+`)\b`, nil, of, 0, 0)...)
		list = append(list, both(`\b(?:`+s.up+`)\s+(?:[^\s,]+\s+){0,1}`+s.subject+`\b`, `\b(?:`+s.down+`)\s+(?:[^\s,]+\s+){0,1}`+s.subject+`\b`, nil, of, 0, 0)...)
	}
	list = append(list, both(`\bupward movement dominates|\bdi\+ (?:is )?above di`, `\bdownward movement dominates|\bdi\+ (?:is )?below di`, nil, valueOf("trend.di_difference"), 0, 0)...)
	list = append(list, both(`\brising with time\b`, `\bfalling with time\b`, nil, valueOf("options.term_slope"), 0, 0)...)
	list = append(list, both(`\bhigher (?:highs|lows)\b`, `\blower (?:highs|lows)\b`, nil, valueOf("trend.structure"), 0, 0)...)
	others := regexp.MustCompile(`(?i)\b(?:iv|volatility|volume|interest|spy|market|benchmark|average)\b`)
	for _, c := range [][2]string{{"week", "5"}, {"month", "21"}, {"quarter", "63"}, {"year", "252"}} {
		span := `\b(?:\s+[^\s,]+){0,3}?\s+(?:over|in|for) the (?:last|past) (?:` + c[0] + `|` + c[1] + ` (?:bars|days|sessions))\b`
		list = append(list, both(`\b`+rise+span, `\b`+fall+span, others, valueOf("momentum.roc"+c[1]), 0, 0)...)
	}
	return list
}

func placeClaims() []claim {
	year := valueOf("levels.position52")
	return both(`\b(?:at|close to|upper (?:half|part|end) of) (?:its|the) 52-week (?:high|range)`, `\b(?:at|close to|lower (?:half|part|end) of) (?:its|the) 52-week (?:low|range)`, nil, year, 0.5, 0.5)
}

const (
	rise = `(?:rose|risen|rises|rising|gained|gains|climbed|climbs|advanced|rallied|up)`
	fall = `(?:fell|fallen|falls|falling|lost|loses|dropped|drops|declined|slid|down)`
)

// moved finds a change in percent with its direction, before or behind.
var moved = []struct {
	says *regexp.Regexp // the number is the first group
	up   bool
}{
	{regexp.MustCompile(`(?i)\b` + rise + `\s+(?:by\s+|about\s+|some\s+)?(\d+(?:\.\d+)?)\s?%`), true},
	{regexp.MustCompile(`(?i)\b` + fall + `\s+(?:by\s+|about\s+|some\s+)?(\d+(?:\.\d+)?)\s?%`), false},
	{regexp.MustCompile(`(?i)(?:^|[^-−+.\d])(\d+(?:\.\d+)?)\s?%\s+(?:higher|gain|rise|increase|advance)\b`), true},
	{regexp.MustCompile(`(?i)(?:^|[^-−+.\d])(\d+(?:\.\d+)?)\s?%\s+(?:lower|loss|fall|drop|decline|decrease)\b`), false},
}

// changes are evidence that is the change of a price.
var changes = []string{"quote.change", "trend.sma50_slope", "momentum.roc5", "momentum.roc21", "momentum.roc63", "momentum.roc252", "market.roc21"}

// misdirected finds changes by a number that went the other way.
func misdirected(clause string, cited []Evidence) []string {
	var wrong []string
	for _, m := range moved {
		found := m.says.FindStringSubmatch(clause)
		if found == nil {
			continue
		}
		read := numbers(found[1])
		var against *Evidence
		for _, e := range cited {
			if len(read) == 0 || !slices.Contains(changes, e.ID) || !read[0].near(100*float64(e.Value)) {
				continue
			}
			if e.Value == 0 || (e.Value > 0) == m.up {
				against = nil
				break
			}
			against = &e
		}
		if against != nil {
			wrong = append(wrong, contradiction(found[0], *against))
		}
	}
	return wrong
}

// compared is a comparison of two numbers whose units are both none, or both percent.
var compared = regexp.MustCompile(`(?i)(?:^|[^-−+.,\w])\$?(\d[\d,]*(?:\.\d+)?)(%?)(?:\s+(?:is|stands|sits|closed|trades|well|just|far|slightly|now|lies)){0,3}\s+(?:(above|over|exceeds|higher than|greater than|more than)|(below|under|lower than|less than))(?:\s+(?:the|its|a|an|last|nearest|second|support|resistance|level|of|at|historical|realised|implied|volatility|hv|iv|average|close|price|strike|spot)){0,5}\s+\$?(\d[\d,]*(?:\.\d+)?)(%?)(\s?[-\w]*)`)

// unitBehind is a word that makes of a number something else than a price.
var unitBehind = regexp.MustCompile(`(?i)^(?:\s?(?:days?|bars?|sessions?|weeks?|months?|years?|atr|points?|delta|percent|shares|contracts|minutes|million|billion)\b|-|[a-z])`)

func miscompared(sentence string) []string {
	var wrong []string
	for _, m := range compared.FindAllStringSubmatch(sentence, -1) {
		a, errA := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
		b, errB := strconv.ParseFloat(strings.ReplaceAll(m[5], ",", ""), 64)
		if errA != nil || errB != nil || m[2] != m[6] || unitBehind.MatchString(m[7]) || unsure.MatchString(m[0]) {
			continue
		}
		if m[3] != "" && a < b || m[4] != "" && a > b {
			wrong = append(wrong, fmt.Sprintf("%q compares its numbers the wrong way round", strings.TrimSpace(m[0])))
		}
	}
	return wrong
}
