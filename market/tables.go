package market

// A TableRange says for which dates a table of the package is known to be
// right. After To its rules go on where it has rules, and it is silent where it
// has none: a newer release has newer tables.
type TableRange struct {
	Name     string
	From, To Date
	After    string // what answers for dates after To
}

// Tables returns the ranges of all dated tables in the package.
func Tables() []TableRange {
	const rules = "the rules, without what the exchange announces later"
	nyse, cme, cboe := NYSE(), CMEEquityIndex(), CboeIndexOptions()
	closures := TableRange{Name: nyse.Name() + " closures", After: rules}
	closures.From, closures.To = nyse.ClosureRange()
	sessions := TableRange{Name: nyse.Name() + " early closes", After: rules}
	sessions.From, sessions.To = nyse.Range()
	globex := TableRange{Name: cme.Name() + " hours", After: rules}
	globex.From, globex.To = cme.Range()
	index := TableRange{Name: cboe.Name() + " hours", After: rules}
	index.From, index.To = cboe.Range()
	decisions := TableRange{Name: "FOMC decisions", After: "nothing"}
	decisions.From, decisions.To = FOMC().EconomicRange()
	return []TableRange{closures, sessions, globex, index, decisions}
}

// TablesEnding returns the tables that end before a date. Asked for the date a
// year from now it says which ones are about to run out.
func TablesEnding(before Date) []TableRange {
	var ending []TableRange
	for _, t := range Tables() {
		if t.To.Before(before) {
			ending = append(ending, t)
		}
	}
	return ending
}
