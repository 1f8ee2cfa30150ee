package alpaca

// A Trade is a print.
type Trade struct {
	Object
	Time       Time       `json:"t"`
	Price      Number     `json:"p"`
	Size       Number     `json:"s"`
	Exchange   string     `json:"x"`
	Conditions Conditions `json:"c"`
	ID         int64      `json:"i"`
	Tape       string     `json:"z"`
	TakerSide  string     `json:"tks"` // crypto: B or S
	Update     string     `json:"u"`   // a correction of an earlier print
	Symbol     string     `json:"S"`   // in streams
	Message    string     `json:"T"`   // in streams: t, q, b, d, u
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Trade) UnmarshalJSON(data []byte) error {
	type plain Trade
	return decode(data, (*plain)(v), &v.raw)
}

// A Quote is a best bid and offer. Sizes of shares are in round lots.
type Quote struct {
	Object
	Time        Time       `json:"t"`
	BidPrice    Number     `json:"bp"`
	BidSize     Number     `json:"bs"`
	BidExchange string     `json:"bx"`
	AskPrice    Number     `json:"ap"`
	AskSize     Number     `json:"as"`
	AskExchange string     `json:"ax"`
	Conditions  Conditions `json:"c"`
	Tape        string     `json:"z"`
	Symbol      string     `json:"S"` // in streams
	Message     string     `json:"T"` // in streams: t, q, b, d, u
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Quote) UnmarshalJSON(data []byte) error {
	type plain Quote
	return decode(data, (*plain)(v), &v.raw)
}

// A Bar is the trading of one interval, which starts at Time.
type Bar struct {
	Object
	Time    Time   `json:"t"`
	Open    Number `json:"o"`
	High    Number `json:"h"`
	Low     Number `json:"l"`
	Close   Number `json:"c"`
	Volume  Number `json:"v"`
	Trades  Number `json:"n"`
	VWAP    Number `json:"vw"`
	Symbol  string `json:"S"` // in streams
	Message string `json:"T"` // in streams: t, q, b, d, u
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Bar) UnmarshalJSON(data []byte) error {
	type plain Bar
	return decode(data, (*plain)(v), &v.raw)
}

// An Auction is one print of an opening or closing auction.
type Auction struct {
	Object
	Time       Time       `json:"t"`
	Price      Number     `json:"p"`
	Size       Number     `json:"s"`
	Exchange   string     `json:"x"`
	Conditions Conditions `json:"c"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Auction) UnmarshalJSON(data []byte) error {
	type plain Auction
	return decode(data, (*plain)(v), &v.raw)
}

// DayAuctions are the auctions of one day.
type DayAuctions struct {
	Object
	Date  Day       `json:"d"`
	Open  []Auction `json:"o"`
	Close []Auction `json:"c"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *DayAuctions) UnmarshalJSON(data []byte) error {
	type plain DayAuctions
	return decode(data, (*plain)(v), &v.raw)
}

// A Snapshot is the latest of everything about an instrument; options have Greeks
// and implied volatility when Alpaca could count them.
type Snapshot struct {
	Object
	Symbol            string  `json:"symbol"`
	LatestTrade       *Trade  `json:"latestTrade"`
	LatestQuote       *Quote  `json:"latestQuote"`
	MinuteBar         *Bar    `json:"minuteBar"`
	DailyBar          *Bar    `json:"dailyBar"`
	PrevDailyBar      *Bar    `json:"prevDailyBar"`
	ImpliedVolatility Number  `json:"impliedVolatility"` // decimal
	Greeks            *Greeks `json:"greeks"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Snapshot) UnmarshalJSON(data []byte) error {
	type plain Snapshot
	return decode(data, (*plain)(v), &v.raw)
}

// Greeks are per share: theta per day, vega and rho per percentage point.
type Greeks struct {
	Object
	Delta Number `json:"delta"`
	Gamma Number `json:"gamma"`
	Theta Number `json:"theta"`
	Vega  Number `json:"vega"`
	Rho   Number `json:"rho"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Greeks) UnmarshalJSON(data []byte) error {
	type plain Greeks
	return decode(data, (*plain)(v), &v.raw)
}

// A BarsPage is one page of bars by symbol.
type BarsPage struct {
	Object
	Bars          map[string][]Bar `json:"bars"`
	NextPageToken string           `json:"next_page_token"`
	Currency      string           `json:"currency"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *BarsPage) UnmarshalJSON(data []byte) error {
	type plain BarsPage
	return decode(data, (*plain)(v), &v.raw)
}

// A TradesPage is one page of trades by symbol.
type TradesPage struct {
	Object
	Trades        map[string][]Trade `json:"trades"`
	NextPageToken string             `json:"next_page_token"`
	Currency      string             `json:"currency"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *TradesPage) UnmarshalJSON(data []byte) error {
	type plain TradesPage
	return decode(data, (*plain)(v), &v.raw)
}

// A QuotesPage is one page of quotes by symbol.
type QuotesPage struct {
	Object
	Quotes        map[string][]Quote `json:"quotes"`
	NextPageToken string             `json:"next_page_token"`
	Currency      string             `json:"currency"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *QuotesPage) UnmarshalJSON(data []byte) error {
	type plain QuotesPage
	return decode(data, (*plain)(v), &v.raw)
}

// An AuctionsPage is one page of auctions by symbol.
type AuctionsPage struct {
	Object
	Auctions      map[string][]DayAuctions `json:"auctions"`
	NextPageToken string                   `json:"next_page_token"`
	Currency      string                   `json:"currency"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *AuctionsPage) UnmarshalJSON(data []byte) error {
	type plain AuctionsPage
	return decode(data, (*plain)(v), &v.raw)
}

// A SnapshotsPage is one page of option or crypto snapshots by symbol.
type SnapshotsPage struct {
	Object
	Snapshots     map[string]*Snapshot `json:"snapshots"`
	NextPageToken string               `json:"next_page_token"`
	Currency      string               `json:"currency"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *SnapshotsPage) UnmarshalJSON(data []byte) error {
	type plain SnapshotsPage
	return decode(data, (*plain)(v), &v.raw)
}

// LatestBars are the latest minute bars by symbol.
type LatestBars struct {
	Object
	Bars          map[string]*Bar `json:"bars"`
	NextPageToken string          `json:"next_page_token"`
	Currency      string          `json:"currency"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *LatestBars) UnmarshalJSON(data []byte) error {
	type plain LatestBars
	return decode(data, (*plain)(v), &v.raw)
}

// LatestTrades are the latest trades by symbol.
type LatestTrades struct {
	Object
	Trade         map[string]*Trade `json:"trade"` // as examples of options name it
	Trades        map[string]*Trade `json:"trades"`
	NextPageToken string            `json:"next_page_token"`
	Currency      string            `json:"currency"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *LatestTrades) UnmarshalJSON(data []byte) error {
	type plain LatestTrades
	return decode(data, (*plain)(v), &v.raw)
}

// LatestQuotes are the latest quotes by symbol.
type LatestQuotes struct {
	Object
	Quotes        map[string]*Quote `json:"quotes"`
	NextPageToken string            `json:"next_page_token"`
	Currency      string            `json:"currency"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *LatestQuotes) UnmarshalJSON(data []byte) error {
	type plain LatestQuotes
	return decode(data, (*plain)(v), &v.raw)
}

// A LatestOne is the latest trade or quote of one symbol, as the routes of a
// single symbol answer.
type LatestOne struct {
	Object
	Symbol string `json:"symbol"`
	Trade  *Trade `json:"trade"`
	Quote  *Quote `json:"quote"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *LatestOne) UnmarshalJSON(data []byte) error {
	type plain LatestOne
	return decode(data, (*plain)(v), &v.raw)
}

// A Perpetual is the pricing of a perpetual future.
type Perpetual struct {
	Object
	Time         Time   `json:"t"`
	NextFunding  Time   `json:"ft"`
	OpenInterest Number `json:"oi"`
	IndexPrice   Number `json:"ip"`
	MarkPrice    Number `json:"mp"`
	FundingRate  Number `json:"fr"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Perpetual) UnmarshalJSON(data []byte) error {
	type plain Perpetual
	return decode(data, (*plain)(v), &v.raw)
}

// PerpetualPricing is the pricing of perpetual futures by symbol.
type PerpetualPricing struct {
	Object
	Pricing map[string]*Perpetual `json:"pricing"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *PerpetualPricing) UnmarshalJSON(data []byte) error {
	type plain PerpetualPricing
	return decode(data, (*plain)(v), &v.raw)
}

// A BondPrice is the latest price of a bond, in percent of its face value.
type BondPrice struct {
	Object
	Time            Time   `json:"t"`
	Price           Number `json:"p"`
	YieldToMaturity Number `json:"ytm"` // percent
	YieldToWorst    Number `json:"ytw"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *BondPrice) UnmarshalJSON(data []byte) error {
	type plain BondPrice
	return decode(data, (*plain)(v), &v.raw)
}

// BondPrices are the latest prices by ISIN.
type BondPrices struct {
	Object
	Prices map[string]*BondPrice `json:"prices"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *BondPrices) UnmarshalJSON(data []byte) error {
	type plain BondPrices
	return decode(data, (*plain)(v), &v.raw)
}

// A News item is an article.
type News struct {
	Object
	ID        int64       `json:"id"`
	Headline  string      `json:"headline"`
	Author    string      `json:"author"`
	Source    string      `json:"source"`
	Summary   string      `json:"summary"`
	Content   string      `json:"content"`
	URL       string      `json:"url"`
	CreatedAt Time        `json:"created_at"`
	UpdatedAt Time        `json:"updated_at"`
	Symbols   []string    `json:"symbols"`
	Images    []NewsImage `json:"images"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *News) UnmarshalJSON(data []byte) error {
	type plain News
	return decode(data, (*plain)(v), &v.raw)
}

// A NewsImage is a picture of an article.
type NewsImage struct {
	Object
	Size string `json:"size"` // large, small, thumb
	URL  string `json:"url"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *NewsImage) UnmarshalJSON(data []byte) error {
	type plain NewsImage
	return decode(data, (*plain)(v), &v.raw)
}

// A NewsPage is one page of articles, newest first.
type NewsPage struct {
	Object
	News          []News `json:"news"`
	NextPageToken string `json:"next_page_token"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *NewsPage) UnmarshalJSON(data []byte) error {
	type plain NewsPage
	return decode(data, (*plain)(v), &v.raw)
}

// A CorporateActionsPage is one page of corporate actions by kind:
// forward_splits, reverse_splits, cash_dividends and more.
type CorporateActionsPage struct {
	Object
	Actions       map[string][]CorporateAction `json:"corporate_actions"`
	NextPageToken string                       `json:"next_page_token"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *CorporateActionsPage) UnmarshalJSON(data []byte) error {
	type plain CorporateActionsPage
	return decode(data, (*plain)(v), &v.raw)
}

// A CorporateAction has the fields of its kind; the others are unknown.
type CorporateAction struct {
	Object
	ID                    string `json:"id"`
	Symbol                string `json:"symbol"`
	CUSIP                 string `json:"cusip"`
	OldSymbol             string `json:"old_symbol"`
	NewSymbol             string `json:"new_symbol"`
	SourceSymbol          string `json:"source_symbol"`
	AcquireeSymbol        string `json:"acquiree_symbol"`
	AcquirerSymbol        string `json:"acquirer_symbol"`
	AlternateSymbol       string `json:"alternate_symbol"`
	OldCUSIP              string `json:"old_cusip"`
	NewCUSIP              string `json:"new_cusip"`
	SourceCUSIP           string `json:"source_cusip"`
	AcquireeCUSIP         string `json:"acquiree_cusip"`
	AcquirerCUSIP         string `json:"acquirer_cusip"`
	AlternateCUSIP        string `json:"alternate_cusip"`
	Rate                  Number `json:"rate"` // dollars per share of a cash dividend
	CashRate              Number `json:"cash_rate"`
	OldRate               Number `json:"old_rate"`
	NewRate               Number `json:"new_rate"`
	SourceRate            Number `json:"source_rate"`
	AcquireeRate          Number `json:"acquiree_rate"`
	AcquirerRate          Number `json:"acquirer_rate"`
	AlternateRate         Number `json:"alternate_rate"`
	Special               bool   `json:"special"`
	Foreign               bool   `json:"foreign"`
	ExDate                Day    `json:"ex_date"`
	ProcessDate           Day    `json:"process_date"`
	EffectiveDate         Day    `json:"effective_date"`
	RecordDate            Day    `json:"record_date"`
	PayableDate           Day    `json:"payable_date"`
	ExpirationDate        Day    `json:"expiration_date"`
	DueBillRedemptionDate Day    `json:"due_bill_redemption_date"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *CorporateAction) UnmarshalJSON(data []byte) error {
	type plain CorporateAction
	return decode(data, (*plain)(v), &v.raw)
}

// A Mover is a share whose price changed most.
type Mover struct {
	Object
	Symbol        string `json:"symbol"`
	Price         Number `json:"price"`
	Change        Number `json:"change"`
	PercentChange Number `json:"percent_change"` // percent
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Mover) UnmarshalJSON(data []byte) error {
	type plain Mover
	return decode(data, (*plain)(v), &v.raw)
}

// Movers are the largest gains and losses of the day.
type Movers struct {
	Object
	Gainers     []Mover `json:"gainers"`
	Losers      []Mover `json:"losers"`
	MarketType  string  `json:"market_type"`
	LastUpdated Time    `json:"last_updated"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Movers) UnmarshalJSON(data []byte) error {
	type plain Movers
	return decode(data, (*plain)(v), &v.raw)
}

// A MostActive is a share that trades most.
type MostActive struct {
	Object
	Symbol     string `json:"symbol"`
	Volume     Number `json:"volume"`
	TradeCount Number `json:"trade_count"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *MostActive) UnmarshalJSON(data []byte) error {
	type plain MostActive
	return decode(data, (*plain)(v), &v.raw)
}

// MostActives are the shares that trade most, by volume or by trades.
type MostActives struct {
	Object
	MostActives []MostActive `json:"most_actives"`
	LastUpdated Time         `json:"last_updated"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *MostActives) UnmarshalJSON(data []byte) error {
	type plain MostActives
	return decode(data, (*plain)(v), &v.raw)
}
