package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/indicators/talib"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

type indicatorsCommand struct {
	Name   string   `arg:"" optional:"" help:"Indicator, such as RSI or talib:RSI, or several: 'RSI,SMA(50)'. With --list, what to look for."`
	File   string   `arg:"" optional:"" type:"existingfile" help:"CSV file of bars or other columns, plain or .gz; - for standard input."`
	List   bool     `help:"List the indicators with their parameters, TA-Lib's functions too."`
	Param  []string `help:"Set a parameter. Repeatable. Several indicators: NAME.PARAMETER=VALUE." placeholder:"NAME=VALUE" sep:"none"`
	Input  []string `help:"Columns of the file to use, in the order of the indicator's inputs." placeholder:"COLUMN,…" sep:"none"`
	JSONL  bool     `name:"jsonl" help:"Print one JSON object a row instead of CSV."`
	Plot   bool     `help:"Draw in the terminal instead of printing CSV."`
	SVG    string   `name:"svg" help:"Write a picture to this file instead of printing CSV." placeholder:"FILE"`
	Symbol string   `help:"Symbol to take from a file with several."`
	app.FileFlags
	drawingFlags
}

// Help is shown below the flags.
func (indicatorsCommand) Help() string {
	return `Examples:
  ttai indicators --list momentum
  ttai indicators RSI --param n=21 bars.csv
  ttai indicators SMA --input volume --param n=20 bars.csv.gz
  ttai indicators talib:BBANDS --param TimePeriod=20 --param MAType=EMA bars.csv
  ttai indicators talib:MAVP --input close,my_periods bars.csv
  ttai indicators 'SMA(20),SMA(50),MACD(12,26,9)' --plot bars.csv
  zcat bars.csv.gz | ttai indicators ATR --svg atr.svg -

Output: a column 'time' and one for each result, empty while the indicator warms
up and where an input is missing. Rows are the file's; one without a time is
counted from 0. Inputs may also be hl2, hlc3, ohlc4 and hlcc4.`
}

// Run prints or draws indicators of a file's columns, or the list of all.
func (c indicatorsCommand) Run(s *session) error {
	if c.List {
		return listIndicators(s.std.Out, c.Name)
	}
	if c.Name == "" || c.File == "" {
		return invalid.Missing("NAME FILE", "an indicator and a CSV file (- for standard input), or --list")
	}
	requests, err := parseRequests(c.Name, c.Param)
	if err != nil {
		return err
	}
	file, err := c.open(s)
	if err != nil {
		return err
	}
	var results []indicatorResult
	for _, r := range requests {
		result, err := r.compute(file, splitInputs(c.Input, file))
		if err != nil {
			return err
		}
		results = append(results, result)
	}
	nameColumns(results)
	if c.SVG != "" {
		if err := writeFile(c.SVG, indicatorsChart(file, results).SVG); err != nil {
			return err
		}
		fmt.Fprintln(s.std.Err, "wrote", c.SVG)
	}
	if c.Plot {
		if err := c.draw(s, indicatorsChart(file, results)); err != nil {
			return err
		}
	}
	if !c.JSONL && (c.Plot || c.SVG != "") {
		return nil
	}
	w := bufio.NewWriterSize(s.std.Out, 1<<16)
	if c.JSONL {
		err = writeJSONL(w, file.Label, results)
	} else {
		err = writeCSV(w, file.Label, results)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

func (c indicatorsCommand) open(s *session) (*market.ColumnFile, error) {
	options, err := c.Options(market.Symbol(strings.ToUpper(c.Symbol)))
	if err != nil {
		return nil, err
	}
	var file *market.ColumnFile
	if c.File == "-" {
		file, err = market.ReadColumns(s.std.In, options)
	} else {
		file, err = market.OpenColumns(c.File, options)
	}
	if err != nil {
		if options.BadRows != market.SkipBadRows && strings.Contains(err.Error(), "line ") {
			return nil, fmt.Errorf("%w (--bad-rows=skip leaves bad rows out)", err)
		}
		return nil, err
	}
	if len(file.Problems) > 0 {
		p := file.Problems[0]
		fmt.Fprintf(s.std.Err, "%s: %d rows have a problem; the first is line %d: %s\n", c.File, len(file.Problems), p.Line, p.Reason)
	}
	return file, nil
}

// writeCSV writes numbers with as many digits as tell them from all others.
func writeCSV(w io.Writer, labels []string, results []indicatorResult) error {
	line := []byte("time")
	for _, r := range results {
		for _, name := range r.names {
			line = append(append(line, ','), csvCell(name)...)
		}
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return err
	}
	for i, label := range labels {
		line = append(line[:0], csvCell(label)...)
		for _, r := range results {
			for _, values := range r.values {
				line = append(line, ',')
				if !math.IsNaN(values[i]) {
					line = strconv.AppendFloat(line, values[i], 'g', -1, 64)
				}
			}
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// csvCell quotes a text that would not be one cell by itself.
func csvCell(s string) string {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// writeJSONL writes the same rows as objects, columns in the same order.
func writeJSONL(w io.Writer, labels []string, results []indicatorResult) error {
	var line []byte
	for i, label := range labels {
		line = append(append(line[:0], `{"time":`...), jsonText(label)...)
		for _, r := range results {
			for k, values := range r.values {
				line = append(append(append(line, ','), jsonText(r.names[k])...), ':')
				number, err := market.Float(values[i]).MarshalJSON()
				if err != nil {
					return err
				}
				line = append(line, number...)
			}
		}
		if _, err := w.Write(append(line, '}', '\n')); err != nil {
			return err
		}
	}
	return nil
}

// listIndicators prints the indicators whose name, other names or meaning have
// the text in them.
func listIndicators(w io.Writer, text string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tINPUTS\tPARAMETERS\tOUTPUTS\tMEANING")
	found := 0
	for _, d := range append(indicators.All(), talib.All()...) {
		if !strings.Contains(strings.ToLower(strings.Join(append([]string{d.Name, d.Summary}, d.Aliases...), "\n")), strings.ToLower(text)) {
			continue
		}
		found++
		var parameters, outputs []string
		for _, p := range d.Params {
			parameters = append(parameters, fmt.Sprintf("%s=%v", p.Name, p.Default))
		}
		for _, o := range d.Outputs {
			outputs = append(outputs, o.Name)
		}
		name := d.Name
		if len(d.Aliases) > 0 {
			name += " (" + strings.Join(d.Aliases, ", ") + ")"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", name, strings.Join(d.Inputs, ","), strings.Join(parameters, " "), strings.Join(outputs, ","), d.Summary)
	}
	if found == 0 {
		if _, err := indicators.Find(text); err != nil {
			return err
		}
	}
	return table.Flush()
}
