package synthetic

import (
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// ParseScenario reads a scenario as a person writes it on a command line: the
// kind, then what differs from the usual, in any order:
//
//	crash
//	crash,size=0.15,date=2026-09-17
//	squeeze,symbol=AMD,size=1.2
//	halt,symbol=KO,after=45m,length=20m
//
// It checks the form alone; [New] checks the rest.
func ParseScenario(text string) (Scenario, error) {
	const allowed = "crash, squeeze or halt, then size=, symbol=, date=, after= or length= behind commas, such as squeeze,symbol=AMD,size=1.2"
	kind, rest, more := strings.Cut(strings.ToLower(strings.TrimSpace(text)), ",")
	s := Scenario{Kind: ScenarioKind(kind)}
	if s.Kind != Crash && s.Kind != Squeeze && s.Kind != Halt {
		return Scenario{}, invalid.Field("scenario", text, allowed)
	}
	seen := map[string]bool{}
	for more {
		var setting string
		setting, rest, more = strings.Cut(rest, ",")
		name, value, ok := strings.Cut(strings.TrimSpace(setting), "=")
		if !ok || seen[name] {
			return Scenario{}, invalid.Field("scenario", text, allowed)
		}
		seen[name] = true
		var err error
		switch name {
		case "size":
			s.Size, err = strconv.ParseFloat(value, 64)
		case "symbol":
			s.Symbol, err = market.ParseSymbol(value)
		case "date":
			s.Date, err = market.ParseDate(value)
		case "after":
			s.After, err = time.ParseDuration(value)
		case "length":
			s.Length, err = time.ParseDuration(value)
		default:
			return Scenario{}, invalid.Field("scenario", text, allowed)
		}
		if err != nil {
			return Scenario{}, invalid.Fieldf("scenario", text, "a %s that can be read, such as crash,size=0.15,date=2026-09-17 or halt,symbol=KO,after=45m", name)
		}
	}
	return s, nil
}
