package tools

import "slices"

// A toolset is a name for tools that belong together, so that an operator can
// expose some of them.
const (
	setAccount   = "account"
	setMarket    = "market"
	setAnalytics = "analytics"
	setTrade     = "trade"
	setResearch  = "research"
	setAlerts    = "alerts"
)

// catalog lists every tool in the order in which [New] returns them.
func catalog() []struct{ name, set string } {
	return []struct{ name, set string }{
		{"audit", setAccount},
		{"portfolio", setAccount},
		{"candles", setMarket},
		{"instrument", setMarket},
		{"market_status", setMarket},
		{"metrics", setMarket},
		{"option_chain", setMarket},
		{"quote", setMarket},
		{"analyst", setAnalytics},
		{"knowledge", setAnalytics},
		{"price_option", setAnalytics},
		{"backtest", setResearch},
		{"find_trades", setResearch},
		{"kill_switch", setTrade},
		{"orders", setTrade},
		{"place_order", setTrade},
		{"preview_order", setTrade},
		{"alerts", setAlerts},
	}
}

// Sets returns the names of the toolsets.
func Sets() []string {
	return []string{setAccount, setMarket, setAnalytics, setResearch, setTrade, setAlerts}
}

// OnRequest tells whether the tools of a set are exposed only to who names the set:
// every tool that is listed costs each conversation, whether it is used or not.
func OnRequest(set string) bool { return set == setResearch || set == setAlerts }

// Usual returns the names of the tools that are exposed when no set is named.
func Usual() []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return OnRequest(SetOf(name)) })
}

// Names returns the names of all tools, whether or not their means are there.
func Names() []string {
	var names []string
	for _, t := range catalog() {
		names = append(names, t.name)
	}
	slices.Sort(names)
	return names
}

// SetOf returns the toolset of a tool, and "" for a name that no tool has.
func SetOf(name string) string {
	for _, t := range catalog() {
		if t.name == name {
			return t.set
		}
	}
	return ""
}
