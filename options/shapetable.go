package options

import "strings"

// A shapeRow writes a shape in one line. Each leg is a signed quantity, a
// letter (C call, P put, S a hundred shares), for options the strike's index
// as a letter from a, and for the second expiry an apostrophe.
type shapeRow struct {
	name, legs, view string
	spacing          spacing
}

var shapeTable = [...]shapeRow{
	{"long stock", "+1S", "bullish", 0},
	{"short stock", "-1S", "bearish", 0},
	{"long call", "+1Ca", "bullish", 0},
	{"short call", "-1Ca", "bearish", 0},
	{"long put", "+1Pa", "bearish", 0},
	{"short put", "-1Pa", "bullish", 0},

	// With shares.
	{"covered call", "+1S -1Ca", "bullish", 0},
	{"protective put", "+1S +1Pa", "bullish", 0},
	{"collar", "+1S +1Pa -1Cb", "bullish", 0},
	{"covered put", "-1S -1Pa", "bearish", 0},
	{"protective call", "-1S +1Ca", "bearish", 0},
	{"short collar", "-1S -1Pa +1Cb", "bearish", 0},
	{"covered straddle", "+1S -1Ca -1Pa", "bullish", 0},
	{"covered strangle", "+1S -1Pa -1Cb", "bullish", 0},
	{"conversion", "+1S +1Pa -1Ca", "neutral", 0},
	{"reversal", "-1S -1Pa +1Ca", "neutral", 0},
	{"stock repair", "+1S +1Ca -2Cb", "bullish", 0},

	// Verticals and combinations.
	{"bull call spread", "+1Ca -1Cb", "bullish", 0},
	{"bear call spread", "-1Ca +1Cb", "bearish", 0},
	{"bull put spread", "+1Pa -1Pb", "bullish", 0},
	{"bear put spread", "-1Pa +1Pb", "bearish", 0},
	{"long synthetic stock", "+1Ca -1Pa", "bullish", 0},
	{"short synthetic stock", "-1Ca +1Pa", "bearish", 0},
	{"bullish risk reversal", "-1Pa +1Cb", "bullish", 0},
	{"bearish risk reversal", "+1Pa -1Cb", "bearish", 0},
	{"long box", "+1Ca -1Pa -1Cb +1Pb", "neutral", 0},
	{"short box", "-1Ca +1Pa +1Cb -1Pb", "neutral", 0},
	{"bullish seagull", "-1Pa +1Cb -1Cc", "bullish", 0},
	{"bearish seagull", "-1Pa +1Pb -1Cc", "bearish", 0},

	// Straddles and strangles.
	{"long straddle", "+1Ca +1Pa", "volatile", 0},
	{"short straddle", "-1Ca -1Pa", "neutral", 0},
	{"long strangle", "+1Pa +1Cb", "volatile", 0},
	{"short strangle", "-1Pa -1Cb", "neutral", 0},
	{"long guts", "+1Ca +1Pb", "volatile", 0},
	{"short guts", "-1Ca -1Pb", "neutral", 0},
	{"strip", "+1Ca +2Pa", "volatile", 0},
	{"strap", "+2Ca +1Pa", "volatile", 0},

	// Ratios and ladders.
	{"call ratio spread", "+1Ca -2Cb", "neutral", 0},
	{"put ratio spread", "-2Pa +1Pb", "neutral", 0},
	{"call backspread", "-1Ca +2Cb", "volatile", 0},
	{"put backspread", "+2Pa -1Pb", "volatile", 0},
	{"long call ladder", "+1Ca -1Cb -1Cc", "neutral", 0},
	{"short call ladder", "-1Ca +1Cb +1Cc", "volatile", 0},
	{"long put ladder", "-1Pa -1Pb +1Pc", "neutral", 0},
	{"short put ladder", "+1Pa +1Pb -1Pc", "volatile", 0},
	{"jade lizard", "-1Pa -1Cb +1Cc", "bullish", 0},
	{"reverse jade lizard", "+1Pa -1Pb -1Cc", "bearish", 0},
	{"big lizard", "-1Pa -1Ca +1Cb", "neutral", 0},

	// Butterflies and condors.
	{"long call butterfly", "+1Ca -2Cb +1Cc", "neutral", evenSpacing},
	{"short call butterfly", "-1Ca +2Cb -1Cc", "volatile", evenSpacing},
	{"long put butterfly", "+1Pa -2Pb +1Pc", "neutral", evenSpacing},
	{"short put butterfly", "-1Pa +2Pb -1Pc", "volatile", evenSpacing},
	{"broken wing call butterfly", "+1Ca -2Cb +1Cc", "neutral", unevenSpaces},
	{"broken wing put butterfly", "+1Pa -2Pb +1Pc", "neutral", unevenSpaces},
	{"short broken wing call butterfly", "-1Ca +2Cb -1Cc", "volatile", unevenSpaces},
	{"short broken wing put butterfly", "-1Pa +2Pb -1Pc", "volatile", unevenSpaces},
	{"iron butterfly", "+1Pa -1Pb -1Cb +1Cc", "neutral", 0},
	{"reverse iron butterfly", "-1Pa +1Pb +1Cb -1Cc", "volatile", 0},
	{"call christmas tree", "+1Ca -3Cb +2Cc", "neutral", 0},
	{"put christmas tree", "+2Pa -3Pb +1Pc", "neutral", 0},
	{"long call condor", "+1Ca -1Cb -1Cc +1Cd", "neutral", 0},
	{"short call condor", "-1Ca +1Cb +1Cc -1Cd", "volatile", 0},
	{"long put condor", "+1Pa -1Pb -1Pc +1Pd", "neutral", 0},
	{"short put condor", "-1Pa +1Pb +1Pc -1Pd", "volatile", 0},
	{"iron condor", "+1Pa -1Pb -1Cc +1Cd", "neutral", 0},
	{"reverse iron condor", "-1Pa +1Pb +1Cc -1Cd", "volatile", 0},

	// Several expiries: the first one is sold unless the name says short.
	{"call calendar", "-1Ca +1Ca'", "neutral", 0},
	{"put calendar", "-1Pa +1Pa'", "neutral", 0},
	{"short call calendar", "+1Ca -1Ca'", "volatile", 0},
	{"short put calendar", "+1Pa -1Pa'", "volatile", 0},
	{"call diagonal", "+1Ca' -1Cb", "bullish", 0},
	{"call diagonal, short lower", "-1Ca +1Cb'", "bearish", 0},
	{"put diagonal", "-1Pa +1Pb'", "bearish", 0},
	{"put diagonal, short higher", "+1Pa' -1Pb", "bullish", 0},
	{"straddle swap", "-1Ca -1Pa +1Ca' +1Pa'", "neutral", 0},
	{"double calendar", "-1Pa +1Pa' -1Cb +1Cb'", "neutral", 0},
	{"double diagonal", "+1Pa' -1Pb -1Cc +1Cd'", "neutral", 0},
}

// shapeAliases are other names that traders use.
func shapeAliases(name string) (string, bool) {
	switch name {
	case "buy write":
		return "covered call", true
	case "married put":
		return "protective put", true
	case "cash secured put", "naked put":
		return "short put", true
	case "naked call":
		return "short call", true
	case "risk reversal":
		return "bullish risk reversal", true
	case "poor mans covered call", "poor man's covered call":
		return "call diagonal", true
	case "calendar", "calendar spread":
		return "call calendar", true
	case "butterfly", "call butterfly":
		return "long call butterfly", true
	case "put butterfly":
		return "long put butterfly", true
	case "condor", "call condor":
		return "long call condor", true
	case "put condor":
		return "long put condor", true
	case "straddle", "strangle", "box", "guts":
		return "long " + name, true
	case "twisted sister":
		return "reverse jade lizard", true
	case "double straddle calendar":
		return "straddle swap", true
	}
	return "", false
}

// shape reads a row.
func (r shapeRow) shape() Shape {
	s := Shape{Name: r.name, View: r.view, spacing: r.spacing}
	for _, text := range strings.Fields(r.legs) {
		leg := ShapeLeg{Quantity: float64(text[1] - '0')}
		if text[0] == '-' {
			leg.Quantity = -leg.Quantity
		}
		switch text[2] {
		case 'C':
			leg.Kind = Call
		case 'P':
			leg.Kind = Put
		}
		if leg.Kind != 0 {
			leg.Strike = int(text[3] - 'a')
			leg.Expiry = strings.Count(text, "'")
			s.Strikes, s.Expiries = max(s.Strikes, leg.Strike+1), max(s.Expiries, leg.Expiry+1)
		}
		s.Legs = append(s.Legs, leg)
	}
	return s
}
