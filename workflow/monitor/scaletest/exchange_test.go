package scaletest

import (
	"encoding/json"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
)

// A setup is what a process is to do.
type setup struct {
	Tenants  int           // of all instances
	Shares   int           // that are quoted
	Factor   float64       // how many times as fast as the computer's the market's clock runs
	Begin    time.Time     // the computer's time at which the market's hour begins
	Period   time.Duration // of the computer's time, in which each share's quote changes once
	Shared   bool          // one licensed feed for all tenants of an instance
	Paced    bool          // quotes are made in the instance
	Store    string        // file or URL
	Schema   string
	Quota    int // tenants that one instance takes
	Procs    int // GOMAXPROCS; 0: as it is
	Sample   int // tenants with a witness
	Address  string
	Accounts []simulator.Credentials // of the tenants
}

// clock is the market's time, the same in all processes.
func (s setup) clock() (*market.ScaledClock, error) {
	ahead := time.Duration(float64(time.Since(s.Begin)) * s.Factor)
	return market.NewScaledClock(market.SystemClock(), open.Add(ahead), s.Factor)
}

// marketPeriod is the period in the market's time.
func (s setup) marketPeriod() time.Duration { return time.Duration(float64(s.Period) * s.Factor) }

// An opening is what an exchange says when it is open.
type opening struct {
	Address  string
	Accounts []simulator.Credentials
}

// exchange is the simulator by itself, with one customer for each tenant.
func exchange(s setup, in *json.Decoder, out *json.Encoder) error {
	clock, err := s.clock()
	if err != nil {
		return err
	}
	opts := &simulator.Options{Market: newWalk(clock, s.Shares, s.marketPeriod()), Clock: clock, Note: "A walk of waves and noise."}
	for range s.Tenants {
		opts.Customers = append(opts.Customers, simulator.Customer{Accounts: []simulator.AccountState{}})
	}
	sim, err := simulator.New(opts)
	if err != nil {
		return err
	}
	defer sim.Close()
	server, err := sim.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	o := opening{Address: server.URL()}
	for _, id := range sim.Customers() {
		c, _ := sim.CredentialsOf(id)
		o.Accounts = append(o.Accounts, c)
	}
	if err := out.Encode(o); err != nil {
		return err
	}
	for { // each line is answered with what was used so far
		if err := in.Decode(&struct{}{}); err != nil {
			return nil
		}
		if err := out.Encode(usageNow()); err != nil {
			return err
		}
	}
}
