// Package readme keeps the programs of the README running.
package readme

import (
	"context"
	"fmt"
	"go/format"
	"log"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
)

func Example_client() {
	ctx := context.Background()
	// README:
	sim, _ := simulator.New(nil)
	defer sim.Close()
	server, _ := sim.Listen()
	grant := sim.Credentials()
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL: server.URL(), Dial: server.DialContext, // tastytrade.Production, and no Dial
		ClientSecret: grant.ClientSecret, RefreshToken: grant.RefreshToken,
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	accounts, err := client.Accounts.List(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, account := range accounts {
		fmt.Println(account.Account.Nickname)
	}
	// Output:
	// Demo margin
	// Demo IRA
}

func Example_maths() {
	// README:
	put := options.BSM{Spot: 450, Strike: 440, Years: 30.0 / 365, Rate: 0.04, Vol: 0.18}
	greeks := put.Greeks(options.Put)
	fmt.Printf("put %.2f, delta %.2f\n", greeks.Price, greeks.Delta)

	vol, err := put.ImpliedVol(options.Put, 6.10)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("a price of 6.10 implies %.1f %%\n", 100*vol)

	closes := []float64{44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42}
	fmt.Printf("RSI %.1f\n", indicators.RSI(nil, closes, 5)[7])
	// Output:
	// put 4.54, delta -0.30
	// a price of 6.10 implies 21.4 %
	// RSI 72.8
}

// The programs in the README are the bodies of the examples above.
func TestTheReadmeShowsTheseExamples(t *testing.T) {
	source, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile(`(?s)<!-- example: internal/readme (\w+) -->\n`+"```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.Len(t, blocks, 2)
	for _, block := range blocks {
		body := regexp.MustCompile(`(?s)func ` + block[1] + `\(\) \{.*?// README:\n(.*?)\t// Output:`).FindSubmatch(source)
		require.NotNil(t, body, block[1])
		want, err := format.Source([]byte(strings.TrimSpace(string(body[1]))))
		require.NoError(t, err)
		got, err := format.Source([]byte(strings.TrimSpace(block[2])))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), block[1])
	}
}
