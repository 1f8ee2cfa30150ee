package tastytrade

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// monthCodes are the letters of the delivery months, January first.
const monthCodes = "FGHJKMNQUVXZ"

// MonthCode returns the letter of a delivery month: F for January, Z for
// December; 0 for what is no month.
func MonthCode(m time.Month) byte {
	if m < time.January || m > time.December {
		return 0
	}
	return monthCodes[m-1]
}

// A FutureSymbol is the content of a future's symbol.
type FutureSymbol struct {
	Product string // "ES", "6B", "2YY"
	Month   time.Month
	Year    int // four digits
	// YearDigits is how many of them the broker writes: 2 for some products of
	// CFE; 0 and 1 mean one.
	YearDigits int
	// Exchange is the streamer's code of the exchange, "XCME". The broker's
	// symbol does not say it, so that it is empty there: it comes from the
	// future's product (streamer-exchange-code) or a [SymbolIndex].
	Exchange string
}

var (
	futurePattern         = regexp.MustCompile(`^/([A-Z0-9]{1,6})([FGHJKMNQUVXZ])(\d{1,2})$`)
	futureStreamerPattern = regexp.MustCompile(`^/([A-Z0-9]{1,6})([FGHJKMNQUVXZ])(\d{2}):([A-Z0-9]{1,8})$`)
)

// ParseFuture reads the broker's symbol of a future, "/ESZ6", or the
// streamer's, "/ESZ26:XCME". A year of one or two digits is the one nearest to
// near that ends so, of two equally near ones the later. The zero Date means
// today, by the clock of the machine.
func ParseFuture(symbol string, near Date) (FutureSymbol, error) {
	m := futurePattern.FindStringSubmatch(symbol)
	exchange := ""
	if m == nil {
		if m = futureStreamerPattern.FindStringSubmatch(symbol); m != nil {
			exchange = m[4]
		}
	}
	if m == nil {
		return FutureSymbol{}, invalid.Field("symbol", symbol, "a future such as /ESZ6 or /ESZ26:XCME")
	}
	s := FutureSymbol{Product: m[1], Month: monthOf(m[2]), Year: nearestYear(m[3], near.Year), YearDigits: len(m[3]), Exchange: exchange}
	if exchange != "" {
		s.YearDigits = 1 // what the streamer writes says nothing about the broker
	}
	return s, nil
}

func monthOf(code string) time.Month { return time.Month(strings.Index(monthCodes, code) + 1) }

// nearestYear completes a year of which the last digits are known.
func nearestYear(digits string, near int) int {
	if near == 0 {
		near = time.Now().Year()
	}
	end, _ := strconv.Atoi(digits)
	span := 10
	if len(digits) == 2 {
		span = 100
	}
	year := near - near%span + end
	switch {
	case year-near > span/2:
		year -= span
	case near-year >= span/2:
		year += span
	}
	return year
}

// String returns the broker's symbol: "/ESZ6".
func (s FutureSymbol) String() string {
	if s.YearDigits == 2 {
		return fmt.Sprintf("/%s%c%02d", s.Product, MonthCode(s.Month), s.Year%100)
	}
	return fmt.Sprintf("/%s%c%d", s.Product, MonthCode(s.Month), s.Year%10)
}

// Streamer returns the streamer's symbol, "/ESZ26:XCME"; empty when the
// exchange is not known.
func (s FutureSymbol) Streamer() string {
	if s.Exchange == "" {
		return ""
	}
	return fmt.Sprintf("/%s%c%02d:%s", s.Product, MonthCode(s.Month), s.Year%100, s.Exchange)
}

// A FutureOptionSymbol is the content of the symbol of a future's option.
type FutureOptionSymbol struct {
	Future FutureSymbol // what it is exercised into; its month can differ from the contract's
	// The option's own contract: root "EW3", month and year.
	Root       string
	Month      time.Month
	Year       int // four digits
	YearDigits int // as those of a FutureSymbol
	Expiration Date
	Put        bool
	Strike     decimal.Decimal
	Exchange   string // as that of a FutureSymbol
}

var (
	futureOptionTail     = regexp.MustCompile(`^(\d{6})([CP])(\d{1,9}(?:\.\d{1,9})?)$`)
	contractPattern      = regexp.MustCompile(`^([A-Z0-9]{1,6})([FGHJKMNQUVXZ])(\d{1,2})$`)
	futureOptionStreamer = regexp.MustCompile(`^\./([A-Z0-9]{1,6})([FGHJKMNQUVXZ])(\d{2})([CP])(\d{1,9}(?:\.\d{1,9})?):([A-Z0-9]{1,8})$`)
)

// fieldWidth is how wide the future and the contract are in the broker's symbol
// of a future's option.
const fieldWidth = 6

// ParseFutureOption reads the broker's symbol of a future's option,
// "./ESU6 E1AN6 260706C6260". Years are the ones nearest to the expiration. The
// streamer's symbol has neither the expiration nor the future and cannot be
// read back: a [SymbolIndex] finds it.
func ParseFutureOption(symbol string) (FutureOptionSymbol, error) {
	bad := func() (FutureOptionSymbol, error) {
		return FutureOptionSymbol{}, invalid.Field("symbol", symbol, "a future's option such as \"./ESZ6 ESZ6  261218C100\"")
	}
	text, found := strings.CutPrefix(symbol, ".")
	if !found || len(text) <= 2*fieldWidth {
		return bad()
	}
	tail := futureOptionTail.FindStringSubmatch(text[2*fieldWidth:])
	contract := contractPattern.FindStringSubmatch(strings.TrimRight(text[fieldWidth:2*fieldWidth], " "))
	if tail == nil || contract == nil {
		return bad()
	}
	day, err := time.Parse("060102", tail[1])
	if err != nil {
		return bad()
	}
	y, month, d := day.Date()
	if y < 2000 {
		y += 100
	}
	s := FutureOptionSymbol{
		Root: contract[1], Month: monthOf(contract[2]), YearDigits: len(contract[3]),
		Expiration: Date{Year: y, Month: month, Day: d}, Put: tail[2] == "P",
	}
	s.Year = nearestYear(contract[3], y)
	if s.Future, err = ParseFuture(strings.TrimRight(text[:fieldWidth], " "), s.Expiration); err != nil {
		return bad()
	}
	if s.Strike, err = decimal.NewFromString(tail[3]); err != nil || s.String() != symbol {
		return bad() // a strike with needless zeros, or a field out of its place
	}
	return s, nil
}

// String returns the broker's symbol.
func (s FutureOptionSymbol) String() string {
	contract := FutureSymbol{Product: s.Root, Month: s.Month, Year: s.Year, YearDigits: s.YearDigits}.String()[1:]
	return fmt.Sprintf(".%-6s%-6s%02d%02d%02d%s%s", s.Future.String(), contract,
		s.Expiration.Year%100, int(s.Expiration.Month), s.Expiration.Day, right(s.Put), s.Strike)
}

// Streamer returns the streamer's symbol, "./E1AN26C6260:XCME"; empty when the
// exchange is not known.
func (s FutureOptionSymbol) Streamer() string {
	if s.Exchange == "" {
		return ""
	}
	return fmt.Sprintf("./%s%c%02d%s%s:%s", s.Root, MonthCode(s.Month), s.Year%100, right(s.Put), s.Strike, s.Exchange)
}

func right(put bool) string {
	if put {
		return "P"
	}
	return "C"
}

// A FutureOptionStreamerSymbol is what the streamer's symbol of a future's
// option says: not when it expires, nor into which future it is exercised.
type FutureOptionStreamerSymbol struct {
	Root     string
	Month    time.Month
	Year     int
	Put      bool
	Strike   decimal.Decimal
	Exchange string
}

// ParseFutureOptionStreamer reads "./E1AN26C6260:XCME". The year is taken as by
// [ParseFuture].
func ParseFutureOptionStreamer(symbol string, near Date) (FutureOptionStreamerSymbol, error) {
	bad := func() (FutureOptionStreamerSymbol, error) {
		return FutureOptionStreamerSymbol{}, invalid.Field("symbol", symbol, "a future's option as ./ESZ26C100:XCME")
	}
	m := futureOptionStreamer.FindStringSubmatch(symbol)
	if m == nil {
		return bad()
	}
	strike, err := decimal.NewFromString(m[5])
	if err != nil {
		return bad()
	}
	s := FutureOptionStreamerSymbol{Root: m[1], Month: monthOf(m[2]), Year: nearestYear(m[3], near.Year), Put: m[4] == "P", Strike: strike, Exchange: m[6]}
	if s.String() != symbol {
		return bad()
	}
	return s, nil
}

// String returns the streamer's symbol.
func (s FutureOptionStreamerSymbol) String() string {
	return FutureOptionSymbol{Root: s.Root, Month: s.Month, Year: s.Year, Put: s.Put, Strike: s.Strike, Exchange: s.Exchange}.Streamer()
}
