package options

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
)

// A Shape is a named structure before its strikes and expiries are chosen.
type Shape struct {
	Name     string
	View     string // what it is for: "bullish", "bearish", "neutral" or "volatile"
	Strikes  int    // how many different strikes, ascending
	Expiries int    // how many different expiries, ascending; 0 for shares alone
	Legs     []ShapeLeg

	spacing spacing
}

// A ShapeLeg is one leg of a shape for one unit of it.
type ShapeLeg struct {
	Kind     Kind    // the zero value means shares
	Quantity float64 // contracts, or hundreds of shares; negative when short
	Strike   int     // index among the shape's strikes
	Expiry   int     // index among the shape's expiries
}

// spacing tells shapes of the same legs apart by the distances of strikes.
type spacing int8

const (
	anySpacing   spacing = iota
	evenSpacing          // first gap equals last gap
	unevenSpaces         // it does not
)

// Shapes returns the structures that [Recognize] and [Build] know, grouped by
// family. The slice is the caller's.
func Shapes() []Shape {
	shapes := make([]Shape, 0, len(shapeTable))
	for _, row := range shapeTable {
		shapes = append(shapes, row.shape())
	}
	return shapes
}

// LookupShape returns the shape of that name; case, hyphens and underscores do
// not matter.
func LookupShape(name string) (Shape, bool) {
	name = plainName(name)
	for _, row := range shapeTable {
		if row.name == name {
			return row.shape(), true
		}
	}
	if other, ok := shapeAliases(name); ok {
		return LookupShape(other)
	}
	return Shape{}, false
}

func plainName(name string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(name))), " ")
}

// Recognize returns the name of the structure that legs make up, in any order
// and any multiple. Legs of the same contract count as one, and prices do not
// matter; shares count in lots of a contract's multiplier.
func Recognize(legs []Leg) (name string, ok bool) {
	unit, strikes, ok := shapeOf(legs)
	if !ok {
		return "", false
	}
	key := signature(unit)
	for _, row := range shapeTable {
		shape := row.shape()
		if signature(shape.Legs) == key && shape.spaced(strikes) {
			return shape.Name, true
		}
	}
	return ratioName(unit)
}

// shapeOf reduces legs to a unit with ranks in place of strikes and expiries.
func shapeOf(legs []Leg) (unit []ShapeLeg, strikes []float64, ok bool) {
	lot := 100.0
	var years []float64
	for _, l := range legs {
		if l.Shares() {
			continue
		}
		if l.Multiplier > 0 {
			lot = l.Multiplier
		}
		strikes, years = append(strikes, l.Strike), append(years, l.Years)
	}
	slices.Sort(strikes)
	slices.Sort(years)
	strikes, years = slices.Compact(strikes), slices.Compact(years)
	for _, l := range legs {
		leg := ShapeLeg{Kind: l.Kind, Quantity: l.Size() / lot}
		if !l.Shares() {
			leg.Strike, _ = slices.BinarySearch(strikes, l.Strike)
			leg.Expiry, _ = slices.BinarySearch(years, l.Years)
		}
		same := func(o ShapeLeg) bool {
			return o.Kind == leg.Kind && o.Strike == leg.Strike && o.Expiry == leg.Expiry
		}
		if i := slices.IndexFunc(unit, same); i >= 0 {
			unit[i].Quantity += leg.Quantity
		} else {
			unit = append(unit, leg)
		}
	}
	unit = slices.DeleteFunc(unit, func(l ShapeLeg) bool { return l.Quantity == 0 })
	least := math.Inf(1)
	for _, l := range unit {
		least = min(least, math.Abs(l.Quantity))
	}
	// The unit is the largest number of which all quantities are multiples.
	for parts := 1.0; parts <= 10; parts++ {
		whole := true
		for _, l := range unit {
			n := l.Quantity * parts / least
			whole = whole && math.Abs(n-math.Round(n)) < 1e-9
		}
		if whole {
			for i := range unit {
				unit[i].Quantity = math.Round(unit[i].Quantity * parts / least)
			}
			return unit, strikes, len(unit) > 0
		}
	}
	return nil, nil, false
}

func (s Shape) spaced(strikes []float64) bool {
	n := len(strikes)
	if s.spacing == anySpacing || n < 3 {
		return true
	}
	first, last := strikes[1]-strikes[0], strikes[n-1]-strikes[n-2]
	even := math.Abs(first-last) < 1e-9*(first+last)
	return even == (s.spacing == evenSpacing)
}

// ratioName names two options of a kind and expiry on either side in unequal
// numbers: more sold than bought is a ratio spread, the reverse a backspread.
func ratioName(unit []ShapeLeg) (string, bool) {
	if len(unit) != 2 || unit[0].Kind == 0 || unit[0].Kind != unit[1].Kind || unit[0].Expiry != unit[1].Expiry ||
		unit[0].Quantity*unit[1].Quantity >= 0 || unit[0].Quantity == -unit[1].Quantity {
		return "", false
	}
	name := unit[0].Kind.String() + " ratio spread"
	if unit[0].Quantity+unit[1].Quantity > 0 {
		name = unit[0].Kind.String() + " backspread"
	}
	return name, true
}

// signature is the same for the same legs in any order.
func signature(legs []ShapeLeg) string {
	legs = slices.Clone(legs)
	slices.SortFunc(legs, func(a, b ShapeLeg) int {
		return cmp.Or(cmp.Compare(a.Expiry, b.Expiry), cmp.Compare(a.Strike, b.Strike), cmp.Compare(a.Kind, b.Kind))
	})
	var b strings.Builder
	for _, l := range legs {
		b.WriteByte(byte('0' + l.Expiry))
		b.WriteByte(byte('0' + l.Strike))
		b.WriteByte("psc"[l.Kind+1])
		n := int(l.Quantity)
		if n < 0 {
			b.WriteByte('-')
			n = -n
		}
		b.WriteByte(byte('0' + min(n, 70)))
	}
	return b.String()
}

// Build makes quantity units of a named shape from strikes and times to expiry,
// both ascending and as many as the shape has. Prices are unknown and the
// volatilities those of Conditions; [Structure.Priced] and [Chain.Build] fill
// them in. The error is a *[FieldError].
func Build(name string, quantity float64, strikes, years []float64) (Structure, error) {
	shape, err := findShape(name)
	if err != nil {
		return Structure{}, err
	}
	if quantity == 0 || !finite(quantity) {
		return Structure{}, invalid.Field("quantity", quantity, "a number of units other than 0")
	}
	if len(strikes) != shape.Strikes || !ascending(strikes) {
		return Structure{}, invalid.Fieldf("strikes", strikes, "%d ascending strikes for the %s", shape.Strikes, shape.Name)
	}
	if len(years) != shape.Expiries || !slices.IsSorted(years) || len(slices.Compact(slices.Clone(years))) != len(years) {
		return Structure{}, invalid.Fieldf("years", years, "%d ascending times to expiry for the %s", shape.Expiries, shape.Name)
	}
	s := Structure{Name: shape.Name}
	for _, l := range shape.Legs {
		leg := Leg{Kind: l.Kind, Quantity: quantity * l.Quantity, Price: math.NaN()}
		if leg.Shares() {
			leg.Quantity *= 100
		} else {
			leg.Strike, leg.Years = strikes[l.Strike], years[l.Expiry]
		}
		s.Legs = append(s.Legs, leg)
	}
	if err := s.check(); err != nil {
		return Structure{}, err
	}
	if name, ok := Recognize(s.Legs); ok {
		s.Name = name // strikes may make a broken wing of it, a negative quantity its reverse
	} else if quantity < 0 {
		s.Name = ""
	}
	return s, nil
}

func findShape(name string) (Shape, error) {
	shape, ok := LookupShape(name)
	if !ok {
		names := make([]string, len(shapeTable))
		for i, row := range shapeTable {
			names[i] = row.name
		}
		if guess := nearest.Of(plainName(name), names); guess != "" {
			return Shape{}, invalid.Fieldf("name", name, "the name of a structure; perhaps %s", guess)
		}
		return Shape{}, invalid.Field("name", name, "the name of a structure, such as iron condor or long straddle")
	}
	return shape, nil
}

func ascending(values []float64) bool {
	for i, v := range values {
		if !(v > 0) || i > 0 && !(v > values[i-1]) {
			return false
		}
	}
	return true
}

// Priced returns the structure with the unknown prices of its legs replaced by
// what the model says they are worth under c.
func (s Structure) Priced(c Conditions) (Structure, error) {
	if err := c.check(); err != nil {
		return Structure{}, err
	}
	if err := s.check(); err != nil {
		return Structure{}, err
	}
	s.Legs = slices.Clone(s.Legs)
	for i := range s.Legs {
		if l := &s.Legs[i]; math.IsNaN(l.Price) {
			if l.Price = l.worth(c, 0, 0); math.IsNaN(l.Price) {
				return Structure{}, invalid.Missing("vol", "a volatility for every option without a price")
			}
		}
	}
	return s, nil
}
