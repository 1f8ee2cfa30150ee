package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/cassette"
)

// replayCassette has the recording answer what it can.
func (c simCommand) replayCassette(options *simulator.Options) error {
	tape, err := cassette.ReadFile(c.Cassette)
	if err != nil {
		return app.Usage(err)
	}
	player := cassette.NewPlayer(tape)
	options.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == quoteTokenPath || !player.Has(r.Method, r.URL.Path, r.URL.RawQuery) {
			return false
		}
		player.ServeHTTP(w, r)
		return true
	}
	options.Accounts = recordedAccounts(tape)
	options.Note = fmt.Sprintf("Recorded requests get the answers of a recording (%s, %s); everything else is synthetic.",
		plain(tape.Header.Environment), tape.Header.Recorded.UTC().Format(time.DateTime+" MST"))
	if options.Start.IsZero() && !options.RealClock && len(c.Bars) == 0 {
		options.Start = tape.Header.Recorded // requests that name dates are those that were recorded
	}
	return nil
}

// quoteTokenPath leads to the market-data stream, which is the simulator's.
const quoteTokenPath = "/api-quote-tokens"

// recordedCash is what the simulator's side of a recorded account holds.
var recordedCash = decimal.NewFromInt(100_000)

var accountPath = regexp.MustCompile(`^(?:/margin)?/accounts/([A-Za-z0-9-]+)(?:/|$)`)

// recordedAccounts are the accounts that a recording lists or asks about, in the
// order in which they come; nil when there are none.
func recordedAccounts(tape *cassette.Cassette) []simulator.AccountState {
	var accounts []simulator.AccountState
	seen := map[string]bool{}
	add := func(number, kind string, margin bool) {
		if number != "" && !seen[number] {
			seen[number] = true
			accounts = append(accounts, simulator.AccountState{Number: number, Nickname: "Recorded", Type: kind, Margin: margin, Cash: recordedCash})
		}
	}
	for _, e := range tape.Entries {
		x := e.Exchange
		if x == nil || x.Status != http.StatusOK {
			continue
		}
		var list struct {
			Data struct {
				Items []struct {
					Account struct {
						Number string `json:"account-number"`
						Type   string `json:"account-type-name"`
						Margin string `json:"margin-or-cash"`
					} `json:"account"`
				} `json:"items"`
			} `json:"data"`
		}
		if x.Path == "/customers/me/accounts" && json.Unmarshal(x.Body, &list) == nil {
			for _, item := range list.Data.Items {
				a := item.Account
				add(a.Number, a.Type, a.Margin == "Margin")
			}
		}
		if found := accountPath.FindStringSubmatch(x.Path); found != nil {
			add(found[1], "", true)
		}
	}
	return accounts
}
