package tastytrade

// An Effect says which way an amount of money goes. Amounts of this package are
// signed already, credit positive; effects are kept for what has no amount.
type Effect string

// The effects.
const (
	Credit   Effect = "Credit"
	Debit    Effect = "Debit"
	NoEffect Effect = "None"
)

// A Direction says whether a position is owned or owed.
type Direction string

// The directions of a position.
const (
	Long  Direction = "Long"
	Short Direction = "Short"
	Zero  Direction = "Zero"
)

// An InstrumentType is the broker's name for a kind of instrument. Values that
// are not listed here are kept as they are.
type InstrumentType string

// The instrument types.
const (
	TypeBond           InstrumentType = "Bond"
	TypeCryptocurrency InstrumentType = "Cryptocurrency"
	TypeCurrencyPair   InstrumentType = "Currency Pair"
	TypeEquity         InstrumentType = "Equity"
	TypeEquityOffering InstrumentType = "Equity Offering"
	TypeEquityOption   InstrumentType = "Equity Option"
	TypeEventContract  InstrumentType = "Event Contract"
	TypeFixedIncome    InstrumentType = "Fixed Income Security"
	TypeFuture         InstrumentType = "Future"
	TypeFutureOption   InstrumentType = "Future Option"
	TypeIndex          InstrumentType = "Index"
	TypeLiquidityPool  InstrumentType = "Liquidity Pool"
	TypeMutualFund     InstrumentType = "Mutual Fund"
	TypeUnknown        InstrumentType = "Unknown"
	TypeWarrant        InstrumentType = "Warrant"
)

// A SettlementType says at which price of the last day an option settles.
type SettlementType string

// The settlement types of equity options.
const (
	SettlementAM SettlementType = "AM" // at the opening price
	SettlementPM SettlementType = "PM" // at the closing price
)

// An ExpirationType is the broker's name for the series that an expiration belongs to.
type ExpirationType string

// The expiration types.
const (
	ExpirationRegular    ExpirationType = "Regular"
	ExpirationWeekly     ExpirationType = "Weekly"
	ExpirationQuarterly  ExpirationType = "Quarterly"
	ExpirationEndOfMonth ExpirationType = "End-Of-Month"
)

// A SessionState says what a market is doing.
type SessionState string

// The session states.
const (
	SessionOpen      SessionState = "Open"
	SessionClosed    SessionState = "Closed"
	SessionPreMarket SessionState = "Pre-market"
	SessionExtended  SessionState = "Extended"
)

// An InstrumentCollection is a group of instruments that trade in the same sessions.
type InstrumentCollection string

// The instrument collections.
const (
	CollectionEquity InstrumentCollection = "Equity"
	CollectionCME    InstrumentCollection = "CME"
	CollectionCFE    InstrumentCollection = "CFE"
)
