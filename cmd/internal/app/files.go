package app

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// FileFlags say how CSV files are read.
type FileFlags struct {
	TZ      string            `name:"tz" help:"Time zone of times without one." default:"America/New_York"`
	BadRows string            `help:"What to do with bad rows: refuse the file, or skip them." enum:"refuse,skip" default:"refuse"`
	Map     map[string]string `help:"Columns by other names." placeholder:"THEIRS=OURS"`
}

// Options turns the flags into options of the CSV readers.
func (f FileFlags) Options(symbol market.Symbol) (*market.CSVOptions, error) {
	location, err := time.LoadLocation(f.TZ)
	if err != nil {
		return nil, invalid.Field("tz", f.TZ, "a zone such as America/New_York, America/Chicago or UTC")
	}
	options := &market.CSVOptions{Location: location, Map: f.Map, Symbol: symbol}
	if f.BadRows == "skip" {
		options.BadRows = market.SkipBadRows
	}
	return options, nil
}

// OpenBars reads the bars of symbol from a CSV file. Problems that dropped no
// row or were skipped are counted on warnings.
func (f FileFlags) OpenBars(path string, symbol market.Symbol, warnings io.Writer) (*market.BarFile, error) {
	options, err := f.Options(symbol)
	if err != nil {
		return nil, err
	}
	file, err := market.OpenBars(path, options)
	if err != nil {
		if options.BadRows != market.SkipBadRows && strings.Contains(err.Error(), "line ") {
			return nil, fmt.Errorf("%w (--bad-rows=skip leaves bad rows out)", err)
		}
		return nil, err
	}
	if file.Symbol == "" {
		file.Symbol = symbol
	}
	if len(file.Bars) == 0 {
		return nil, fmt.Errorf("%s has no bars: %w", path, market.ErrNoData)
	}
	warn(warnings, path, file.Problems)
	return file, nil
}

// OpenChain reads an option chain from a CSV file. Chain files are snapshots of
// a whole market and always have odd rows, so those are skipped and counted.
func (f FileFlags) OpenChain(path string, symbol market.Symbol, warnings io.Writer) (*market.ChainFile, error) {
	options, err := f.Options(symbol)
	if err != nil {
		return nil, err
	}
	options.BadRows = market.SkipBadRows
	file, err := market.OpenChain(path, options)
	if err != nil {
		return nil, err
	}
	warn(warnings, path, file.Problems)
	return file, nil
}

// warn tells how many rows had something odd about them, and the first.
func warn(w io.Writer, path string, problems []market.RowProblem) {
	if len(problems) == 0 || w == nil {
		return
	}
	p := problems[0]
	fmt.Fprintf(w, "%s: %d rows have a problem; the first is line %d: %s\n", path, len(problems), p.Line, p.Reason)
}

// SymbolOfFile finds which of the known symbols a file's name is about:
// "yahoo_spy_2005_2021.csv.gz" is about SPY. It returns "" when none or several are.
func SymbolOfFile(path string, known []market.Symbol) market.Symbol {
	name := strings.ToUpper(filepath.Base(path))
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == ' ' })
	var found market.Symbol
	for _, symbol := range known {
		for _, word := range words {
			if word != string(symbol) || symbol == found {
				continue
			}
			if found != "" {
				return ""
			}
			found = symbol
		}
	}
	return found
}
