package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

type indicatorsCommand struct {
	Name   string             `arg:"" optional:"" help:"Indicator, such as RSI; see --list."`
	File   string             `arg:"" optional:"" type:"existingfile" help:"CSV file of bars."`
	List   bool               `help:"List the indicators with their parameters."`
	Param  map[string]float64 `help:"Set a parameter. Repeatable." placeholder:"NAME=VALUE"`
	Input  []string           `help:"Columns to use, in the order of the indicator's inputs." placeholder:"COLUMN|…" sep:"|"`
	JSONL  bool               `name:"jsonl" help:"Print one JSON object a bar instead of CSV."`
	Symbol string             `help:"Symbol to take from a file with several."`
	app.FileFlags
}

// Help is shown below the flags.
func (indicatorsCommand) Help() string {
	return `Examples:
  ttai indicators --list
  ttai indicators RSI --param n=21 bars.csv
  ttai indicators SMA --input volume --param n=20 bars.csv.gz

Output: a column 'time' and one per output, empty while the indicator warms up.`
}

// Run prints an indicator's values, or the list of all.
func (c indicatorsCommand) Run(s *session) error {
	if c.List {
		return listIndicators(s.std.Out)
	}
	if c.Name == "" || c.File == "" {
		return invalid.Missing("NAME FILE", "an indicator and a CSV file, or --list")
	}
	indicator, err := indicators.Find(c.Name)
	if err != nil {
		return err
	}
	parameters, err := indicatorParameters(indicator, c.Param)
	if err != nil {
		return err
	}
	file, err := c.OpenBars(c.File, market.Symbol(strings.ToUpper(c.Symbol)), s.std.Err)
	if err != nil {
		return err
	}
	series := market.NewSeries(file.Symbol, file.Interval, file.Bars)
	inputs, err := indicatorInputs(indicator, c.Input, series)
	if err != nil {
		return err
	}
	outputs, err := indicator.Batch(nil, inputs, parameters)
	if err != nil {
		return err
	}
	layout := time.RFC3339
	if !file.Interval.Intraday() {
		layout = time.DateOnly
	}
	w := bufio.NewWriter(s.std.Out)
	if c.JSONL {
		err = writeJSONL(w, indicator, series.Time, layout, outputs)
	} else {
		err = writeCSV(w, indicator, series.Time, layout, outputs)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// indicatorParameters returns the values in the indicator's order, defaults
// where none is given.
func indicatorParameters(indicator indicators.Indicator, given map[string]float64) ([]float64, error) {
	values := make([]float64, len(indicator.Params))
	names := make([]string, len(indicator.Params))
	used := 0
	for i, p := range indicator.Params {
		values[i], names[i] = p.Default, p.Name
		for name, value := range given {
			if strings.EqualFold(name, p.Name) {
				values[i] = value
				used++
			}
		}
	}
	if used < len(given) {
		for name := range given {
			if !slices.ContainsFunc(names, func(known string) bool { return strings.EqualFold(known, name) }) {
				return nil, invalid.Fieldf("param", name, "one of %s", strings.Join(names, ", "))
			}
		}
	}
	return values, nil
}

// indicatorInputs picks the columns of the bars: the indicator's own inputs, or
// the named ones in their place.
func indicatorInputs(indicator indicators.Indicator, named []string, series market.Series) ([][]float64, error) {
	if len(named) == 0 {
		return indicators.Columns(series, indicator.Inputs)
	}
	if len(named) != len(indicator.Inputs) {
		return nil, invalid.Fieldf("input", strings.Join(named, "|"), "%d columns, for %s", len(indicator.Inputs), strings.Join(indicator.Inputs, ", "))
	}
	return indicators.Columns(series, named)
}

func writeCSV(w io.Writer, indicator indicators.Indicator, times []time.Time, layout string, outputs [][]float64) error {
	out := csv.NewWriter(w)
	row := []string{"time"}
	for _, o := range indicator.Outputs {
		row = append(row, o.Name)
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i, t := range times {
		row = append(row[:0], t.Format(layout))
		for _, values := range outputs {
			text := ""
			if !math.IsNaN(values[i]) {
				text = strconv.FormatFloat(values[i], 'g', -1, 64)
			}
			row = append(row, text)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func writeJSONL(w io.Writer, indicator indicators.Indicator, times []time.Time, layout string, outputs [][]float64) error {
	encoder := json.NewEncoder(w)
	for i, t := range times {
		row := map[string]any{"time": t.Format(layout)}
		for k, values := range outputs {
			row[indicator.Outputs[k].Name] = market.Float(values[i])
		}
		if err := encoder.Encode(row); err != nil {
			return err
		}
	}
	return nil
}

func listIndicators(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tINPUTS\tPARAMETERS\tOUTPUTS\tMEANING")
	for _, indicator := range indicators.All() {
		var parameters, outputs []string
		for _, p := range indicator.Params {
			parameters = append(parameters, fmt.Sprintf("%s=%v", p.Name, p.Default))
		}
		for _, o := range indicator.Outputs {
			outputs = append(outputs, o.Name)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", indicator.Name, strings.Join(indicator.Inputs, ","), strings.Join(parameters, " "), strings.Join(outputs, ","), indicator.Summary)
	}
	return table.Flush()
}
