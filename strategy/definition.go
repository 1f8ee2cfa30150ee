package strategy

import "encoding/json"

// A Definition is a strategy that can be made by its name.
type Definition struct {
	Name    string // "covered-call"
	Title   string // "Covered call"
	Meaning string // one sentence
	Params  []Param
	// New makes one. Params are an object over the defaults; what is not a parameter
	// or out of its range is refused with a *FieldError for each.
	New func(params json.RawMessage) (Strategy, error)
}

// A Param describes one parameter. It is read from the tags of the typed struct
// of a strategy's parameters, see [Define]:
//
//	type CrossParams struct {
//		Symbol market.Symbol `json:"symbol" doc:"what is traded"`
//		Fast   int           `json:"fast" min:"1" max:"1000" doc:"bars of the faster average"`
//	}
type Param struct {
	Name     string
	Type     string  // "integer", "number", "boolean", "string", "duration"
	Default  any     // a duration as text
	Min, Max float64 // NaN: no bound; of a duration in seconds
	Choices  []string
	Meaning  string
}
