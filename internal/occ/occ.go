// Package occ reads and writes option symbols in the form of the Options
// Clearing Corporation: the root padded with spaces to six characters, the
// expiration as YYMMDD, C or P, and the strike times 1000 in eight digits:
//
//	SPY   261218C00500000
package occ

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/civil"
)

// An Option is the content of an OCC symbol.
type Option struct {
	Root       string // "SPY", "SPXW", adjusted "AAPL1", "BRKB"
	Expiration civil.Date
	Put        bool
	StrikeMils int64 // strike × 1000, so that it is exact
}

// ErrSyntax is what [Parse] returns, wrapped with the symbol.
var ErrSyntax = errors.New("not an OCC option symbol")

const tail = 15 // YYMMDD + C/P + eight digits

// Parse reads a padded (21 characters) or compact ("SPY261218C00500000")
// symbol. Years are 2000 to 2099.
func Parse(symbol string) (Option, error) {
	bad := func() (Option, error) { return Option{}, fmt.Errorf("%q: %w", symbol, ErrSyntax) }
	if len(symbol) <= tail || len(symbol) > 6+tail {
		return bad()
	}
	root := strings.TrimRight(symbol[:len(symbol)-tail], " ")
	rest := symbol[len(symbol)-tail:]
	if !validRoot(root) || !digits(rest[:6]) || !digits(rest[7:]) {
		return bad()
	}
	expiration, err := time.Parse("060102", rest[:6])
	if err != nil {
		return bad()
	}
	if rest[6] != 'C' && rest[6] != 'P' {
		return bad()
	}
	mils, err := strconv.ParseInt(rest[7:], 10, 64)
	if err != nil || mils == 0 {
		return bad()
	}
	y, m, d := expiration.Date()
	if y < 2000 {
		y += 100 // two-digit years of 69 to 99 are parsed as 19xx
	}
	return Option{Root: root, Expiration: civil.Date{Year: y, Month: m, Day: d}, Put: rest[6] == 'P', StrikeMils: mils}, nil
}

// String returns the padded symbol of 21 characters.
func (o Option) String() string {
	right := byte('C')
	if o.Put {
		right = 'P'
	}
	return fmt.Sprintf("%-6s%02d%02d%02d%c%08d", o.Root, o.Expiration.Year%100, int(o.Expiration.Month), o.Expiration.Day, right, o.StrikeMils)
}

// Strike returns the strike in dollars.
func (o Option) Strike() float64 { return float64(o.StrikeMils) / 1000 }

func validRoot(root string) bool {
	if root == "" || len(root) > 6 {
		return false
	}
	for i := range len(root) {
		c := root[i]
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// ParseStreamer reads the streamer form of an option symbol, ".SPY261218C500"
// or ".IRBT260116C22.5".
func ParseStreamer(symbol string) (Option, error) {
	bad := func() (Option, error) { return Option{}, fmt.Errorf("%q: %w", symbol, ErrSyntax) }
	text, found := strings.CutPrefix(symbol, ".")
	right := strings.LastIndexAny(text, "CP")
	if !found || right < 7 {
		return bad()
	}
	whole, fraction, _ := strings.Cut(text[right+1:], ".")
	if len(whole) > 5 || len(fraction) > 3 || whole+fraction == "" {
		return bad()
	}
	mils := strings.Repeat("0", 5-len(whole)) + whole + (fraction + "000")[:3]
	return Parse(text[:right+1] + mils)
}

// Streamer returns the streamer form: the strike is plain, without trailing zeros.
func (o Option) Streamer() string {
	right := "C"
	if o.Put {
		right = "P"
	}
	strike := strconv.FormatInt(o.StrikeMils/1000, 10)
	if mils := o.StrikeMils % 1000; mils != 0 {
		strike += "." + strings.TrimRight(fmt.Sprintf("%03d", mils), "0")
	}
	return fmt.Sprintf(".%s%02d%02d%02d%s%s", o.Root, o.Expiration.Year%100, int(o.Expiration.Month), o.Expiration.Day, right, strike)
}
