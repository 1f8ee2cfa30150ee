package simtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/simtest"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A robot is what a person would test with package simtest: a small client.
type robot struct {
	t     testing.TB
	sim   *simtest.Sim
	http  *http.Client
	token string
}

func login(t testing.TB, sim *simtest.Sim) *robot {
	r := &robot{t: t, sim: sim, http: sim.Client()}
	resp, err := r.http.PostForm(sim.URL+"/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {sim.RefreshToken}, "client_secret": {sim.ClientSecret}})
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	r.token = answer.AccessToken
	return r
}

func (r *robot) ask(method, path, body string, into any) (int, error) {
	req, err := http.NewRequest(method, r.sim.URL+path, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && into != nil && resp.StatusCode < 300 {
		require.NoError(r.t, json.Unmarshal(data, into), string(data))
	}
	return resp.StatusCode, err
}

type order struct {
	ID     int64  `json:"id"`
	Status string `json:"status"`
}

func (r *robot) buy(symbol string, price string) order {
	r.t.Helper()
	var answer struct{ Data struct{ Order order } }
	status, err := r.ask("POST", "/accounts/"+r.sim.Accounts[0]+"/orders", `{"order-type":"Limit","time-in-force":"Day","price":"`+price+`","price-effect":"Debit",
		"legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"`+symbol+`","quantity":1}]}`, &answer)
	require.NoError(r.t, err)
	require.Equal(r.t, 201, status)
	return answer.Data.Order
}

func (r *robot) orders() []order {
	var answer struct{ Data struct{ Items []order } }
	_, err := r.ask("GET", "/accounts/"+r.sim.Accounts[0]+"/orders", "", &answer)
	require.NoError(r.t, err)
	return answer.Data.Items
}

func TestASimulatorIsReadyAndStandsStill(t *testing.T) {
	sim := simtest.New(t)
	assert.True(t, strings.HasPrefix(sim.URL, "http://127.0.0.1:"))
	assert.True(t, strings.HasPrefix(sim.AccountStreamerURL, "ws://127.0.0.1:"))
	assert.Len(t, sim.Accounts, 2)
	assert.Equal(t, synthetic.DefaultStart(), sim.Now())
	sim.Step(time.Hour)
	assert.Equal(t, synthetic.DefaultStart().Add(time.Hour), sim.Now())
	sim.StepTo(sim.Now().Add(time.Minute))
	assert.Equal(t, synthetic.DefaultStart().Add(61*time.Minute), sim.Now())
}

func TestATestMovesTheMarket(t *testing.T) {
	sim := simtest.NewInMemory(t)
	r := login(t, sim)
	sim.SetQuote("MSFT", 400, 400.10)
	r.buy("MSFT", "395.00")
	sim.Step(time.Second)
	assert.Equal(t, "Live", r.orders()[0].Status)
	sim.Halt("MSFT")
	sim.Step(time.Second)
	assert.Equal(t, "Live", r.orders()[0].Status, "halted")
	sim.SetSizes("MSFT", 394, 395, 100, 100)
	assert.Equal(t, "Filled", r.orders()[0].Status)
	sim.ClearQuotes()
}

func TestATestBreaksThings(t *testing.T) {
	sim := simtest.NewInMemory(t)
	r := login(t, sim)
	sim.Fail("GET /watchlists", 503)
	status, err := r.ask("GET", "/watchlists", "", nil)
	require.NoError(t, err)
	assert.Equal(t, 503, status)
	sim.LoseAnswers("POST /accounts/{account}/orders", 1)
	_, err = r.ask("POST", "/accounts/"+sim.Accounts[0]+"/orders", `{"order-type":"Market","time-in-force":"Day","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"KO","quantity":1}]}`, nil)
	assert.Error(t, err)
	assert.Len(t, r.orders(), 1, "it was placed")
	sim.ClearFaults()
	sim.ExpireTokens()
	status, err = r.ask("GET", "/watchlists", "", nil)
	require.NoError(t, err)
	assert.Equal(t, 401, status)
	sim.DropStreams()
}

func TestATestGoesBack(t *testing.T) {
	sim := simtest.NewInMemory(t, simtest.Accounts(simulator.AccountState{Number: "X1", Margin: true, Cash: decimal.NewFromInt(50_000)}))
	r := login(t, sim)
	r.buy("KO", "1000.00")
	before := sim.Snapshot()
	sim.Step(time.Second)
	assert.Equal(t, "Filled", r.orders()[0].Status)
	sim.Restore(before)
	assert.Equal(t, "Received", r.orders()[0].Status)
}

func TestOptions(t *testing.T) {
	at := time.Date(2026, 9, 17, 14, 0, 0, 0, time.UTC)
	sim := simtest.NewInMemory(t, simtest.At(at), simtest.Limited(), simtest.With(func(o *simulator.Options) { o.Seed = 9 }))
	assert.Equal(t, at, sim.Now())
	r := login(t, sim)
	statuses := []int{}
	for range 2 {
		status, err := r.ask("GET", "/customers/me/accounts", "", nil)
		require.NoError(t, err)
		statuses = append(statuses, status)
	}
	assert.Equal(t, []int{200, 429}, statuses)
	running := simtest.NewInMemory(t, simtest.Running(3600))
	begin := running.Now()
	require.Eventually(t, func() bool { return running.Now().After(begin) }, 5*time.Second, time.Millisecond)
	running.Pause()
	stands := running.Now()
	assert.Equal(t, stands, running.Now())
	running.Resume()
}

// A testing.TB stands in for the t of a test.
func ExampleNew() {
	t := new(exampleT)
	defer t.end()

	sim := simtest.New(t)
	r := login(t, sim)
	sim.SetQuote("MSFT", 400.00, 400.10)
	r.buy("MSFT", "400.10")
	fmt.Println(r.orders()[0].Status)
	sim.Step(time.Second)
	fmt.Println(r.orders()[0].Status)
	// Output:
	// Received
	// Filled
}

// An answer that does not come leaves open whether the order was placed: the test
// sees what its client does about it.
func ExampleSim_LoseAnswers() {
	t := new(exampleT)
	defer t.end()

	sim := simtest.NewInMemory(t)
	r := login(t, sim)
	sim.LoseAnswers("POST /accounts/{account}/orders", 1)
	_, err := r.ask("POST", "/accounts/"+sim.Accounts[0]+"/orders",
		`{"order-type":"Market","time-in-force":"Day","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"KO","quantity":1}]}`, nil)
	fmt.Println("answered:", err == nil)
	fmt.Println("orders:", len(r.orders()))
	// Output:
	// answered: false
	// orders: 1
}

// exampleT is a testing.TB for examples, which have none.
type exampleT struct {
	testing.TB
	cleanups []func()
}

func (t *exampleT) Helper()                        {}
func (t *exampleT) Cleanup(f func())               { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) Errorf(format string, a ...any) { fmt.Printf(format+"\n", a...) }
func (t *exampleT) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }
func (t *exampleT) FailNow()                       { panic("failed") }
func (t *exampleT) end() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}
