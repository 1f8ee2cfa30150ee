package simulator

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

type wireSPANRow struct {
	FileDate string `json:"file-date"`
	RowIndex int    `json:"row-index"`
	Exchange string `json:"exchange"`
	RowData  string `json:"row-data"`
}

// The sixteen scenarios of SPAN: moves of the price in thirds of the scan range,
// with the volatility up and down, and two extreme moves of which 35 % count.
var spanMoves = [16]struct {
	thirds float64
	share  float64
}{
	{0, 1}, {0, 1}, {1, 1}, {1, 1}, {-1, 1}, {-1, 1}, {2, 1}, {2, 1}, {-2, 1}, {-2, 1}, {3, 1}, {3, 1}, {-3, 1}, {-3, 1}, {9, 0.35}, {-9, 0.35},
}

// spanScan is the scan range as a part of the price.
const spanScan = 0.08

// listSPAN serves GET /span/rows: a small risk file of the market's own futures.
// It has the records of SPAN's extended format that a margin can be counted from:
// the file's header, a combined commodity each, and the risk array of each future
// at its settlement, in whole dollars. Options are not in it.
func (s *Simulator) listSPAN(w http.ResponseWriter, r *http.Request) {
	exchange := r.URL.Query().Get("exchange")
	for _, name := range []string{"date", "exchange"} {
		if r.URL.Query().Get(name) == "" {
			s.invalidParameter(w, name, "is missing")
			return
		}
	}
	day, ok := s.dateParameter(w, r, "date")
	if !ok {
		return
	}
	rows, err := s.spanRows(r, day, exchange)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	list := make([]wireSPANRow, 0, len(rows))
	for i, row := range rows {
		list = append(list, wireSPANRow{FileDate: day.String(), RowIndex: i, Exchange: exchange, RowData: row})
	}
	list, p := page(r, list, 50_000)
	writeItems(w, r, list, p)
}

// spanRows are the lines of the file of one exchange; none for a day without a
// session, in the future, or that the market does not remember.
func (s *Simulator) spanRows(r *http.Request, day market.Date, exchange string) ([]string, error) {
	sessions := s.calendar.Sessions(day, day)
	past, remembers := s.base.(pastMarket)
	if exchange != futuresExchange || len(sessions) == 0 || day.After(s.today()) || !remembers {
		return nil, nil
	}
	at := sessions[0].Close
	if now := s.clock.Now(); at.After(now) {
		at = now
	}
	contracts, err := s.futures("")
	if err != nil {
		return nil, err
	}
	stamp := fmt.Sprintf("%04d%02d%02d", day.Year, int(day.Month), day.Day)
	rows := []string{}
	var products []string
	for _, c := range contracts {
		q, err := past.QuoteAt(c.Symbol, at)
		price := q.Mid()
		if absence(err) != nil {
			return nil, err
		}
		if err != nil || math.IsNaN(price) {
			continue
		}
		if len(rows) == 0 {
			rows = append(rows, fmt.Sprintf("0 %-6s%sS%s", exchange, stamp, at.In(s.calendar.Location()).Format("1504")))
		}
		code := c.Product
		if !slices.Contains(products, code) {
			products = append(products, code)
			rows = append(rows, fmt.Sprintf("2 %-6s%-10sFUT", exchange, code))
		}
		rows = append(rows, spanArray(exchange, code, c.Symbol, price, c.Multiplier))
	}
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	return rows, nil
}

// spanArray is the risk array of one long future: what it loses in each scenario.
func spanArray(exchange, code string, symbol market.Symbol, price, multiplier float64) string {
	row := fmt.Sprintf("81%-6s%-10s%-8s%014.4f", exchange, code, symbol, price)
	for _, move := range spanMoves {
		loss := -move.thirds / 3 * spanScan * price * multiplier * move.share
		row += fmt.Sprintf("%+08.0f", loss)
	}
	return row
}

type wireWarrant struct {
	Symbol         string `json:"symbol"`
	InstrumentType string `json:"instrument-type"`
	ListedMarket   string `json:"listed-market"`
	Description    string `json:"description"`
	IsClosingOnly  bool   `json:"is-closing-only"`
	Active         bool   `json:"active"`
}

// warrants are described, like coins, and have no prices.
var warrants = [...]wireWarrant{
	{"TTAIW", "Warrant", "XNAS", "Simulated Warrant A", true, true},
	{"TTBIW", "Warrant", "XNYS", "Simulated Warrant B - expired", true, false},
}

func (s *Simulator) listWarrants(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	wanted := append(query["symbol[]"], query["symbol"]...)
	list := slices.DeleteFunc(slices.Clone(warrants[:]), func(x wireWarrant) bool {
		return len(wanted) > 0 && !slices.Contains(wanted, x.Symbol)
	})
	writeItems(w, r, list, nil)
}

func (s *Simulator) getWarrant(w http.ResponseWriter, r *http.Request) {
	for _, x := range warrants {
		if x.Symbol == r.PathValue("symbol") {
			writeData(w, r, x)
			return
		}
	}
	s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find warrant "+r.PathValue("symbol"))
}

type wireSearchToken struct {
	Token     string `json:"token"`
	ExpiresAt string `json:"expires-at"`
}

// searchToken serves POST /instruments/ai-search-token. What the token is for is
// not published; the simulator has nothing that takes it.
func (s *Simulator) searchToken(w http.ResponseWriter, r *http.Request) {
	token, err := newSecret(s.random, 32)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	created(w, r, wireSearchToken{token, wireTime(s.wall.Now().Add(time.Hour))})
}
