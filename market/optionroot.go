package market

import (
	"strings"
	"time"
)

// An indexRoot is what is special about the options of an index.
type indexRoot struct {
	underlying Symbol
	style      ExerciseStyle
	settlement Settlement
}

// indexRoots are the option roots of cash-settled indices (Cboe and Nasdaq
// contract specifications). Everything else is taken for shares or an ETF.
var indexRoots = map[string]indexRoot{
	"SPX":   {"SPX", European, SettledAM},
	"SPXW":  {"SPX", European, SettledPM},
	"XSP":   {"XSP", European, SettledPM},
	"NDX":   {"NDX", European, SettledAM},
	"NDXP":  {"NDX", European, SettledPM},
	"XND":   {"XND", European, SettledPM},
	"RUT":   {"RUT", European, SettledAM},
	"RUTW":  {"RUT", European, SettledPM},
	"MRUT":  {"MRUT", European, SettledPM},
	"DJX":   {"DJX", European, SettledAM},
	"VIX":   {"VIX", European, SettledAM},
	"VIXW":  {"VIX", European, SettledAM},
	"OEX":   {"OEX", American, SettledPM},
	"XEO":   {"XEO", European, SettledPM},
	"MXEA":  {"MXEA", European, SettledAM},
	"MXEF":  {"MXEF", European, SettledAM},
	"CBTX":  {"CBTX", European, SettledPM},
	"MBTX":  {"MBTX", European, SettledPM},
	"SPEQX": {"SPEQX", European, SettledPM},
	"SPEQW": {"SPEQX", European, SettledPM},
}

// shareClassRoots are the option roots that lose the mark of a share class.
var shareClassRoots = map[string]Symbol{"BRKA": "BRK/A", "BRKB": "BRK/B", "BFA": "BF/A", "BFB": "BF/B"}

// Underlying returns what the contract is an option on, as far as its root
// tells: SPX for SPXW, BRK/B for BRKB, AAPL for the adjusted AAPL1, otherwise
// the root itself. A broker's own data go before it.
func (c Contract) Underlying() Symbol { return rootUnderlying(c.Root) }

// Terms returns the contract's exercise style, its settlement, and whether it
// settles in cash, as far as its root and date tell: cash-settled index options
// are known by their roots, everything else is taken for American options on
// shares. A broker's own data go before it.
func (c Contract) Terms() (style ExerciseStyle, settlement Settlement, cash bool) {
	style, settlement = rootTerms(c.Root, c.Expiration)
	_, cash = indexRoots[c.Root]
	return style, settlement, cash
}

func rootUnderlying(root string) Symbol {
	if index, ok := indexRoots[root]; ok {
		return index.underlying
	}
	plain := root
	if adjusted(root) {
		plain = root[:len(root)-1]
	}
	if share, ok := shareClassRoots[plain]; ok {
		return share
	}
	return Symbol(plain)
}

// adjusted reports whether a root is that of contracts changed by a corporate
// action, which the clearing corporation marks with a digit.
func adjusted(root string) bool {
	return len(root) > 1 && root[len(root)-1] >= '1' && root[len(root)-1] <= '9'
}

// terms returns the exercise style and settlement of a root's options that
// expire on d. Files often write weekly index options under the standard root;
// a standard one expires on the third Friday, so other days settle at the close.
func rootTerms(root string, d Date) (ExerciseStyle, Settlement) {
	index, ok := indexRoots[root]
	switch {
	case root == "":
		return "", ""
	case !ok:
		return American, SettledPM
	case index.settlement == SettledAM && index.underlying != "VIX" && !standardExpiration(d):
		return index.style, SettledPM
	}
	return index.style, index.settlement
}

// standardExpiration reports whether d is the third Friday of its month, the
// Thursday before it, or the Saturday after it, which was the formal date of
// monthly options until 2015.
func standardExpiration(d Date) bool {
	friday := nthWeekday(d.Year, d.Month, time.Friday, 3)
	distance := friday.DaysUntil(d)
	return distance >= -1 && distance <= 1
}

// optionRoot returns the root under which options on a symbol are listed.
func optionRoot(s Symbol) string {
	return strings.TrimPrefix(strings.ReplaceAll(string(s), "/", ""), "^")
}
