package strategy

// optionDefinitions are the strategies with options.
func optionDefinitions() []Definition {
	shortParams, shortManaged := shortVolDefaults()
	longParams, longManaged := longVolDefaults()
	vertical := func(which Vertical) func(VerticalParams) (Strategy, error) {
		return func(p VerticalParams) (Strategy, error) { return NewVertical(which, p) }
	}
	straddle := func(long bool) func(StraddleParams) (Strategy, error) {
		return func(p StraddleParams) (Strategy, error) { return NewStraddle(long, p) }
	}
	strangle := func(long bool) func(StrangleParams) (Strategy, error) {
		return func(p StrangleParams) (Strategy, error) { return NewStrangle(long, p) }
	}
	return []Definition{
		Define("gamma-scalping", "Gamma scalping",
			"Buys options and trades shares against their delta, so that movement pays for the time decay.", gammaDefaults(), NewGammaScalp),
		Define("wheel", "Wheel",
			"Sells puts until shares are assigned, then calls on them until they are called away.", wheelDefaults(), NewWheel),
		Define("cash-secured-put", "Cash-secured put",
			"Sells puts and keeps the money for the shares.", putSellDefaults(), NewPutSell),
		Define("covered-call", "Covered call",
			"Holds shares and sells calls on them.", coveredCallDefaults(), NewCoveredCall),
		Define("bull-put-spread", "Bull put spread",
			"Sells a put and buys one further down, for a credit that is kept when the price does not fall.", creditDefaults(), vertical(BullPut)),
		Define("bear-call-spread", "Bear call spread",
			"Sells a call and buys one further up, for a credit that is kept when the price does not rise.", creditDefaults(), vertical(BearCall)),
		Define("bull-call-spread", "Bull call spread",
			"Buys a call and sells one further up, which gains when the price rises.", debitDefaults(), vertical(BullCall)),
		Define("bear-put-spread", "Bear put spread",
			"Buys a put and sells one further down, which gains when the price falls.", debitDefaults(), vertical(BearPut)),
		Define("iron-condor", "Iron condor",
			"Sells a put spread below and a call spread above the price, for a credit that is kept when the price stays between them.", condorDefaults(), NewCondor),
		Define("iron-butterfly", "Iron butterfly",
			"Sells a straddle at the price and buys wings, for a larger credit that is kept when the price hardly moves.", butterflyDefaults(), NewButterfly),
		Define("long-straddle", "Long straddle",
			"Buys call and put at the price, which gains when the price moves far or volatility rises.", StraddleParams{longParams, longManaged}, straddle(true)),
		Define("short-straddle", "Short straddle",
			"Sells call and put at the price, which gains when the price stays; the loss is not bounded.", StraddleParams{shortParams, shortManaged}, straddle(false)),
		Define("long-strangle", "Long strangle",
			"Buys a put below and a call above the price, which gains when the price moves very far or volatility rises.",
			StrangleParams{OptionParams: longParams, Delta: 0.30, Management: longManaged}, strangle(true)),
		Define("short-strangle", "Short strangle",
			"Sells a put below and a call above the price, which gains when the price stays between them; the loss is not bounded.",
			StrangleParams{OptionParams: shortParams, Delta: 0.16, Management: shortManaged}, strangle(false)),
		Define("calendar", "Calendar spread",
			"Sells an option and buys a later one of the same strike, which gains when the price stays near it.", calendarDefaults(), NewCalendar),
		Define("zero-dte-put-spread", "Zero-DTE put spread",
			"Sells a put spread in the morning of its expiry.", zeroDTEDefaults(), NewZeroDTE),
		Define("collar", "Collar",
			"Holds shares with a put below the price, paid for by a call above it.", collarDefaults(), NewCollar),
	}
}
