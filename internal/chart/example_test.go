package chart_test

import (
	"fmt"
	"os"

	"github.com/ttai-go/ttai/internal/chart"
)

func ExampleChart_Terminal() {
	c := chart.Chart{
		Title: "Long call, strike 100, paid 3", XLabel: "price at expiration",
		X:     []float64{80, 100, 120},
		Panes: []chart.Pane{{Lines: []chart.Line{{Name: "profit", Values: []float64{-300, -300, 1700}}}, Levels: []chart.Mark{{Name: "paid", Price: -300}}}},
	}
	if err := c.Terminal(os.Stdout, chart.TerminalOptions{Width: 50, Height: 12}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Long call, strike 100, paid 3
	// ⠒ profit
	//                                      ⡠⠔│
	//                                   ⡠⠔⠉  │
	//                                ⡠⠔⠉     ┤1000
	//                            ⢀⡠⠒⠉        │
	//                         ⢀⡠⠒⠁           │
	// ─────────────────────⢀⡠⠒⠁──────────────┤   0
	// ⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠒⠁  ┄  ┄  ┄  ┄  ┄  ├-300 paid
	// ┴──────────────────┴──────────────────┴╯
	// 80                100                120
	// price at expiration
}
