package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

type simCommand struct {
	Addr     string   `help:"Listen at this address." default:"127.0.0.1:8766"`
	Bars     []string `help:"Serve these bars instead of synthetic ones: FILE, or SYMBOL=FILE. Repeatable." placeholder:"FILE" sep:"none"`
	Chain    []string `help:"Serve these recorded option chains instead of synthetic ones. Repeatable." placeholder:"FILE" sep:"none"`
	Limits   bool     `help:"Enforce the broker's rate limits."`
	Cassette string   `help:"Answer what this recording of 'ttai record' has as it was answered." placeholder:"FILE"`
	Start    string   `help:"Time at which the clock begins. Default: the simulator's day, with --bars the close after the last bar, or with --cassette the time of the recording." placeholder:"TIME"`
	Speed    float64  `help:"How many times as fast as real time the clock runs." default:"1"`
	Seed     uint64   `help:"Seed of the synthetic market." default:"1"`
	Scenario []string `help:"An extraordinary day: crash, crash,size=0.15,date=2026-09-17, squeeze,symbol=AMD or halt,symbol=KO,after=45m. Repeatable." placeholder:"SCENARIO" sep:"none"`
	Clock    string   `help:"'day': a simulated clock; 'real': the wall clock." enum:"day,real" default:"day"`
	JSON     bool     `name:"json" help:"Print the addresses and credentials as one JSON object."`
	app.FileFlags
}

// Help is shown below the flags.
func (simCommand) Help() string {
	return `Examples:
  ttai sim                                             a synthetic market on a simulated day
  ttai sim --bars spy.csv.gz --start '2020-03-02 09:30' --speed 60
  ttai sim --bars SPY=a.csv --bars AAPL=b.csv
  ttai sim --bars spy.csv.gz --chain spy-options.csv.gz
  ttai sim --cassette sandbox.jsonl.gz

It speaks tastytrade's protocol: OAuth, REST and the websockets. With --cassette, a request that was recorded
(method, path and query) gets the recorded answers in turn, and then the last of them each time; all else is the simulator's own:
streams, orders, and the accounts of the recording, which hold nothing but made-up cash there. Point a client at the printed address:
  TTAI_ENV=simulator TTAI_URL=http://127.0.0.1:8766 ttai-mcp`
}

// addresses is what a client needs to connect.
type addresses struct {
	BaseURL      string   `json:"base_url"`
	DXLinkURL    string   `json:"dxlink_url"`
	StreamerURL  string   `json:"account_streamer_url"`
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	RefreshToken string   `json:"refresh_token"`
	Accounts     []string `json:"accounts"`
	Now          string   `json:"now"`
	Note         string   `json:"note"`
}

// Run serves until it is interrupted.
func (c simCommand) Run(s *session) error {
	options, err := c.options(s)
	if err != nil {
		return err
	}
	sim, err := simulator.New(options)
	if err != nil {
		return err
	}
	defer sim.Close()
	server, err := sim.Start(c.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen at %s: %w", c.Addr, err)
	}
	credentials := sim.Credentials()
	at := addresses{
		BaseURL: server.URL(), DXLinkURL: server.DXLinkURL(), StreamerURL: server.AccountStreamerURL(),
		ClientID: credentials.ClientID, ClientSecret: credentials.ClientSecret, RefreshToken: credentials.RefreshToken,
		Now: sim.Clock().Now().Format(time.RFC3339), Note: sim.Note(),
	}
	for _, account := range credentials.Accounts {
		at.Accounts = append(at.Accounts, string(account))
	}
	if c.JSON {
		err = json.NewEncoder(s.std.Out).Encode(at)
	} else {
		_, err = fmt.Fprintf(s.std.Out, `%s

  base URL        %s
  DXLink          %s
  account stream  %s
  client id       %s
  client secret   %s
  refresh token   %s
  accounts        %s

  TTAI_ENV=simulator TTAI_URL=%s ttai-mcp

Ctrl-C ends it.
`, at.Note, at.BaseURL, at.DXLinkURL, at.StreamerURL, at.ClientID, at.ClientSecret, at.RefreshToken, strings.Join(at.Accounts, ", "), at.BaseURL)
	}
	if err != nil {
		return err
	}
	if !c.JSON {
		app.Orient(s.std.Err, "ttai sim", s.sources, "this is the simulator by itself; no account is behind it. Next, in another terminal: ttai doctor --url "+at.BaseURL+", ttai analyze SPY --url "+at.BaseURL+", or the line above for an assistant.")
	}
	<-s.ctx.Done()
	return nil
}

// options makes the simulator's market and clock from the flags.
func (c simCommand) options(s *session) (*simulator.Options, error) {
	calendar := market.NYSE()
	options := &simulator.Options{Seed: c.Seed, Speed: c.Speed, RealClock: c.Clock == "real", Calendar: calendar, Credentials: app.DemoCredentials}
	if c.Limits {
		options.RateLimits = simulator.PublishedRateLimits()
	}
	if c.Start != "" {
		if options.RealClock {
			return nil, invalid.Field("start", c.Start, "no start with --clock=real")
		}
		location, err := time.LoadLocation(c.TZ)
		if err != nil {
			return nil, invalid.Field("tz", c.TZ, "a zone such as America/New_York")
		}
		if options.Start, err = calendar.ParseInstant("start", c.Start, location); err != nil {
			return nil, err
		}
	}
	for _, text := range c.Scenario {
		scenario, err := synthetic.ParseScenario(text)
		if err != nil {
			return nil, err
		}
		options.Scenarios = append(options.Scenarios, scenario)
	}
	if c.Cassette != "" {
		if err := c.replayCassette(options); err != nil {
			return nil, err
		}
	}
	if len(c.Bars) == 0 && len(c.Chain) == 0 {
		return options, nil
	}
	replay, end, err := c.replay(s, calendar)
	if err != nil {
		return nil, err
	}
	chains, last, err := c.chains(s)
	if err != nil {
		return nil, err
	}
	if len(replay) == 0 {
		end = last
	}
	if options.RealClock {
		return nil, errors.New("--bars and --chain replay the past: leave --clock=real out")
	}
	if options.Start.IsZero() {
		options.Start = end
	}
	if options.Clock, err = simulator.NewClock(nil, options.Start, c.Speed); err != nil {
		return nil, err
	}
	options.Start, options.Speed = time.Time{}, 0 // the clock has them
	replayed := make([]string, 0, len(replay))
	for symbol := range replay {
		replayed = append(replayed, string(symbol))
	}
	slices.Sort(replayed)
	note := fmt.Sprintf(" The bars of %s are replayed from files; everything else, options on them included, is synthetic.", strings.Join(replayed, ", "))
	switch {
	case len(replay) == 0:
		note = " The option chains are replayed from files; everything else is synthetic."
	case len(chains) > 0:
		note = fmt.Sprintf(" The bars of %s and the option chains are replayed from files; everything else is synthetic.", strings.Join(replayed, ", "))
	}
	options.Note = strings.TrimSpace(options.Note + note)
	options.Market, err = simulator.NewReplay(simulator.ReplayOptions{Clock: options.Clock, Seed: c.Seed, Bars: replay, Chains: chains, Scenarios: options.Scenarios})
	options.Scenarios = nil // the market has them
	return options, err
}

// chains reads the files of option chains and returns the time of the last quote.
func (c simCommand) chains(s *session) (files []*market.ChainFile, end time.Time, err error) {
	for _, path := range c.Chain {
		file, err := c.OpenChain(path, "", s.std.Err)
		if err != nil {
			return nil, end, err
		}
		for i := range file.Quotes {
			if at := file.Quotes[i].Time; at.After(end) {
				end = at
			}
		}
		files = append(files, file)
	}
	return files, end, nil
}

// replay reads the files and returns the close of the last bar of all.
func (c simCommand) replay(s *session, calendar *market.Calendar) (map[market.Symbol]*market.BarFile, time.Time, error) {
	replay := map[market.Symbol]*market.BarFile{}
	var end time.Time
	usual, err := synthetic.New(c.Seed, nil)
	if err != nil {
		return nil, end, err
	}
	var known []market.Symbol
	for _, instrument := range usual.Symbols() {
		known = append(known, instrument.Symbol)
	}
	for _, argument := range c.Bars {
		name, path, named := strings.Cut(argument, "=")
		if !named {
			path = argument
			name = string(app.SymbolOfFile(path, known))
			if name == "" {
				return nil, end, invalid.Field("bars", argument, "SYMBOL=FILE, because the file's name does not tell the symbol")
			}
		}
		symbol, err := market.ParseSymbol(name)
		if err != nil {
			return nil, end, err
		}
		file, err := c.OpenBars(path, symbol, s.std.Err)
		if err != nil {
			return nil, end, err
		}
		replay[symbol] = file
		if last := calendar.BarEnd(file.Bars[len(file.Bars)-1].Time, file.Interval); last.After(end) {
			end = last
		}
	}
	return replay, end, nil
}
