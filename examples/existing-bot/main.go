// Command existing-bot is a bot that someone already has, with one package
// dropped into its loop: the RSI of package indicators decides when it speaks.
// Its feed is its own; here it is a made-up walk of prices.
package main

import (
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"github.com/ttai-go/ttai/indicators"
)

func main() {
	if err := run(os.Stdout, feed(500)); err != nil {
		log.Fatal(err)
	}
}

// run is the bot's loop: it was here before, but for the lines about rsi.
func run(out io.Writer, prices <-chan float64) error {
	rsi, err := indicators.NewRSI(14)
	if err != nil {
		return err
	}
	tick, armed := 0, true
	for price := range prices {
		tick++
		switch value := rsi.Update(price); { // NaN during warm-up: no case holds
		case value < 30 && armed:
			fmt.Fprintf(out, "tick %3d: %.2f is oversold (RSI %.1f)\n", tick, price, value)
			armed = false
		case value > 50:
			armed = true
		}
	}
	return nil
}

// feed makes n prices, the same ones each time.
func feed(n int) <-chan float64 {
	prices := make(chan float64)
	go func() {
		defer close(prices)
		random := rand.New(rand.NewPCG(1, 2))
		price := 100.0
		for range n {
			price *= math.Exp(0.01 * random.NormFloat64())
			prices <- price
		}
	}()
	return prices
}
