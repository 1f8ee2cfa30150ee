package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
)

type evalCommand struct {
	app.ModelFlags
	Only []string `help:"Only these scenarios." placeholder:"NAME,…"`
	Data string   `help:"Folder of real market data (daily/ and options/) for further scenarios." placeholder:"DIR" type:"existingdir"`
	List bool     `help:"List the scenarios and what is right in each."`
	JSON bool     `name:"json" help:"Print the results as JSON."`
}

// Help is shown below the flags.
func (evalCommand) Help() string {
	return `Examples:
  ttai eval                                            the rules alone
  ttai eval --model anthropic/claude-sonnet-4-6        a model over the same evidence
  ttai eval --only earnings-tomorrow,halted --json

Each scenario is a market with a trap whose right answer is known: earnings tomorrow,
an illiquid chain, broken data. A check is passed or not; every analysis is also
checked for numbers and ids that are not in its evidence. The markets are synthetic
and the same each time.`
}

// A checked is one check of one scenario.
type checked struct {
	What   string `json:"what"`
	Passed bool   `json:"passed"`
}

// An evaluated is the result of one scenario.
type evaluated struct {
	Scenario string            `json:"scenario"`
	Decision analysts.Decision `json:"decision,omitempty"`
	Score    float64           `json:"score"`
	Checks   []checked         `json:"checks"`
	Passed   int               `json:"passed"`
	// Answers of the model that were taken, of those that were asked for.
	Taken    int    `json:"taken"`
	Asked    int    `json:"asked"`
	Fallback string `json:"fallback,omitempty"`
	Error    string `json:"error,omitempty"`

	cost *decimal.Decimal
}

// An evaluation is the result of all scenarios.
type evaluation struct {
	Model     string           `json:"model"`
	Scenarios []evaluated      `json:"scenarios"`
	Passed    int              `json:"passed"`
	Checks    int              `json:"checks"`
	Taken     int              `json:"taken"`
	Asked     int              `json:"asked"`
	Cost      *decimal.Decimal `json:"cost,omitempty"` // US dollars
}

// Run evaluates the analysts.
func (c evalCommand) Run(s *session) error {
	scenarios, err := evalScenarios(c.Data)
	if err != nil {
		return err
	}
	if scenarios, err = only(scenarios, c.Only); err != nil {
		return err
	}
	if c.List {
		return listScenarios(s.std.Out, scenarios)
	}
	mind, err := c.Mind(s.sources)
	if err != nil {
		return err
	}
	result, err := evaluate(s.ctx, scenarios, mind, func(done int, name string) {
		fmt.Fprintf(s.std.Err, "%*d/%d %s\n", len(fmt.Sprint(len(scenarios))), done, len(scenarios), name)
	})
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(s.std.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	return result.write(s.std.Out)
}

func only(all []scenario, names []string) ([]scenario, error) {
	if len(names) == 0 {
		return all, nil
	}
	known := map[string]scenario{}
	var list []string
	for _, s := range all {
		known[s.name] = s
		list = append(list, s.name)
	}
	var out []scenario
	for _, n := range names {
		s, ok := known[n]
		if !ok {
			return nil, invalid.Field("only", n, "one of "+strings.Join(list, ", "))
		}
		out = append(out, s)
	}
	return out, nil
}

func listScenarios(w io.Writer, scenarios []scenario) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SCENARIO\tTHE TRAP\tRIGHT IS")
	for _, s := range scenarios {
		var right []string
		for _, c := range s.checks {
			right = append(right, c.what)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.name, s.trap, strings.Join(right, "; "))
	}
	return table.Flush()
}

// evaluate runs the scenarios one after the other.
func evaluate(ctx context.Context, scenarios []scenario, mind *analysts.Mind, progress func(done int, name string)) (*evaluation, error) {
	out := &evaluation{Model: analysts.NoModel}
	if mind != nil {
		out.Model = mind.Model.Name()
	}
	for i, s := range scenarios {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		progress(i+1, s.name)
		e := s.run(ctx, mind)
		out.Scenarios = append(out.Scenarios, e)
		out.Passed += e.Passed
		out.Checks += len(e.Checks)
		out.Taken += e.Taken
		out.Asked += e.Asked
		if e.cost != nil {
			sum := *e.cost
			if out.Cost != nil {
				sum = sum.Add(*out.Cost)
			}
			out.Cost = &sum
		}
	}
	return out, nil
}

// run analyses the scenario's market and makes the checks.
func (s scenario) run(ctx context.Context, mind *analysts.Mind) evaluated {
	e := evaluated{Scenario: s.name}
	fail := func(err error) evaluated {
		e.Error = err.Error()
		for _, c := range s.checks {
			e.Checks = append(e.Checks, checked{What: c.what, Passed: s.fails && errors.Is(err, s.with)})
		}
		for _, c := range e.Checks {
			if c.Passed {
				e.Passed++
			}
		}
		return e
	}
	deps, err := s.deps()
	if err != nil {
		return fail(err)
	}
	deps.Mind = mind
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	analyst, err := analysts.New(deps)
	if err != nil {
		return fail(err)
	}
	a, err := analyst.Analyze(ctx, analysts.Request{Symbol: s.symbol, At: s.at, Strategies: s.strategies})
	if err != nil {
		return fail(err)
	}
	e.Decision, e.Score, e.Fallback, e.cost = a.Verdict.Decision, a.Verdict.Score, a.Fallback, a.Cost
	for _, c := range append(s.checks, groundedChecks()...) {
		ok := c.holds(a)
		if ok {
			e.Passed++
		}
		e.Checks = append(e.Checks, checked{c.what, ok})
	}
	if mind != nil {
		for _, v := range a.Views {
			if v.Stance != analysts.NoStance {
				e.Asked++
			}
			if v.By != "" {
				e.Taken++
			}
		}
		e.Asked++ // the panel
		if a.Verdict.By != "" {
			e.Taken++
		}
	}
	return e
}

// write prints a table, and what was missed.
func (r *evaluation) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "SCENARIO\tDECISION\tSCORE\tCHECKS\tANSWERS TAKEN\n")
	for _, e := range r.Scenarios {
		decision := string(e.Decision)
		if e.Error != "" {
			decision = "error"
		}
		fmt.Fprintf(table, "%s\t%s\t%.1f\t%d of %d\t%s\n", e.Scenario, decision, e.Score, e.Passed, len(e.Checks), taken(e.Taken, e.Asked))
	}
	fmt.Fprintf(table, "all\t\t\t%d of %d\t%s\n", r.Passed, r.Checks, taken(r.Taken, r.Asked))
	if err := table.Flush(); err != nil {
		return err
	}
	for _, e := range r.Scenarios {
		for _, c := range e.Checks {
			if !c.Passed {
				fmt.Fprintf(w, "missed in %s: %s\n", e.Scenario, c.What)
			}
		}
		if e.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", e.Scenario, e.Error)
		}
		if e.Fallback != "" {
			fmt.Fprintf(w, "%s: %s\n", e.Scenario, e.Fallback)
		}
	}
	fmt.Fprintf(w, "Model: %s.", r.Model)
	if r.Cost != nil {
		fmt.Fprintf(w, " Cost: %s US dollars.", r.Cost.StringFixed(4))
	}
	_, err := fmt.Fprintln(w)
	return err
}

func taken(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d", n, of)
}
