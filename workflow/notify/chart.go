package notify

import (
	"bytes"
	"time"

	"github.com/ttai-go/ttai/internal/chart"
)

// A Chart is curves over time, to be attached to a notification. Unknown values are
// NaN and leave gaps.
type Chart struct {
	Title string
	Times []time.Time
	Lines []Line // each with a value per time
	Marks []Mark // horizontal lines
}

// A Line is a named curve.
type Line struct {
	Name   string
	Values []float64
}

// A Mark is a named price.
type Mark struct {
	Name  string
	Price float64
}

// Attach draws the chart as an SVG file, with the same drawing in letters for
// channels that take no files. Name is the file's, without its ending.
func (c Chart) Attach(name string) (Attachment, error) {
	pane := chart.Pane{Title: c.Title}
	for _, l := range c.Lines {
		pane.Lines = append(pane.Lines, chart.Line{Name: l.Name, Values: l.Values})
	}
	for _, m := range c.Marks {
		pane.Levels = append(pane.Levels, chart.Mark{Name: m.Name, Price: m.Price, Low: m.Price, High: m.Price})
	}
	return Draw(name, chart.Chart{Title: c.Title, Times: c.Times, Panes: []chart.Pane{pane}})
}

// Draw is [Chart.Attach] for drawings of other packages of this module.
func Draw(name string, c chart.Chart) (Attachment, error) {
	var svg, letters bytes.Buffer
	if err := c.SVG(&svg); err != nil {
		return Attachment{}, err
	}
	// Phones show about sixty letters of equal width, and Slack takes 3,000 in all.
	if err := c.Terminal(&letters, chart.TerminalOptions{Width: 60, Height: 14}); err != nil {
		return Attachment{}, err
	}
	a := Attachment{Name: name + ".svg", ContentType: "image/svg+xml", Data: svg.Bytes(), Text: letters.String()}
	return a, a.validate("")
}
