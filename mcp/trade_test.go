package mcp_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/mcp"
)

// A floor is a server whose tools trade before a paper exchange.
type floor struct {
	t        testing.TB
	exchange *paper.Exchange
	clock    *market.ManualClock
	guard    *broker.Guard
	page     *broker.Witness
	server   *mcp.Server
}

func newFloor(t testing.TB, opts *mcp.Options, change func(*broker.Limits)) *floor {
	t.Helper()
	clock := market.NewManualClock(now)
	exchange, err := paper.New(&paper.Options{Start: now, Accounts: []paper.Account{{Account: broker.Account{ID: "PAPER1", Margin: true}, Cash: decimal.NewFromInt(100_000)}}})
	require.NoError(t, err)
	require.NoError(t, exchange.Quote(paper.Quote{Symbol: "SPY", Time: now, Bid: 99.99, Ask: 100.01}))
	limits := broker.PaperLimits()
	limits.Approval.Grade = broker.GradeElicitation
	if change != nil {
		change(&limits)
	}
	elicitation, err := broker.NewWitness("elicitation", broker.GradeElicitation, nil)
	require.NoError(t, err)
	page, err := broker.NewWitness("page", broker.GradeLoopback, nil)
	require.NoError(t, err)
	guard, err := broker.NewGuard(exchange.Broker(), broker.GuardOptions{Limits: limits, Approvers: []broker.Approver{elicitation, page}, Clock: clock})
	require.NoError(t, err)
	library := starter(t)
	server, err := mcp.New(func(context.Context, mcp.Principal) (tools.Deps, error) {
		return tools.Deps{Knowledge: library, Market: &fakeMarket{}, Broker: guard, Elicitation: elicitation, Clock: clock, Environment: broker.Paper, Notice: "Simulated data."}, nil
	}, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return &floor{t, exchange, clock, guard, page, server}
}

func (f *floor) placed() int {
	f.t.Helper()
	orders, err := f.exchange.Broker().Orders(f.t.Context(), "PAPER1", broker.OrdersQuery{Since: time.Unix(0, 0)})
	require.NoError(f.t, err)
	return len(orders)
}

// A user answers questions, or has a client that cannot ask.
type user func(message string) *sdk.ElicitResult

var (
	accepting user = func(string) *sdk.ElicitResult {
		return &sdk.ElicitResult{Action: "accept", Content: map[string]any{"approve": true}}
	}
	declining user = func(string) *sdk.ElicitResult { return &sdk.ElicitResult{Action: "decline"} }
)

// dial connects a client of a revision with a user behind it.
func (f *floor) dial(revision string, answers user) *sdk.ClientSession {
	f.t.Helper()
	options := &sdk.ClientOptions{}
	if answers != nil {
		options.ElicitationHandler = func(_ context.Context, req *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
			return answers(req.Params.Message), nil
		}
	}
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, options)
	transport := &http.Transport{}
	f.t.Cleanup(transport.CloseIdleConnections)
	session, err := client.Connect(f.t.Context(), &sdk.StreamableClientTransport{
		Endpoint: serve(f.t, f.server), HTTPClient: &http.Client{Transport: transport}, MaxRetries: -1,
	}, &sdk.ClientSessionOptions{ProtocolVersion: revision})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { session.Close() })
	return session
}

var buyOne = json.RawMessage(`{"op":"place","order":{"type":"limit","price":"100.01","legs":[{"action":"BTO","qty":1,"symbol":"SPY"}]}}`)

func previewed(t testing.TB, session *sdk.ClientSession) string {
	t.Helper()
	text, failed := callTool(t, session, "preview_order", buyOne)
	require.False(t, failed, text)
	var out struct {
		PreviewID string `json:"preview_id"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	return out.PreviewID
}

func TestAnOrderNeedsTheUsersAnswerInBothErasOfTheProtocol(t *testing.T) {
	for _, revision := range []string{oldRevision, newRevision} {
		t.Run(revision, func(t *testing.T) {
			f := newFloor(t, nil, nil)
			var asked []string
			session := f.dial(revision, func(message string) *sdk.ElicitResult {
				asked = append(asked, message)
				return accepting(message)
			})
			id := previewed(t, session)
			text, failed := callTool(t, session, "place_order", map[string]any{"preview_id": id})
			require.False(t, failed, text)
			require.Len(t, asked, 1)
			assert.Contains(t, asked[0], "SPY")
			assert.Contains(t, asked[0], "PAPER1")
			assert.Equal(t, 1, f.placed())
			text, failed = callTool(t, session, "place_order", map[string]any{"preview_id": id})
			assert.True(t, failed)
			assert.Contains(t, text, "already used")
			assert.Len(t, asked, 1, "a used preview asks nobody")
			assert.Equal(t, 1, f.placed())

			session = f.dial(revision, declining)
			text, failed = callTool(t, session, "place_order", map[string]any{"preview_id": previewed(t, session)})
			assert.True(t, failed)
			assert.Contains(t, text, "the user said no")

			session = f.dial(revision, nil)
			text, failed = callTool(t, session, "place_order", map[string]any{"preview_id": previewed(t, session)})
			assert.True(t, failed)
			assert.Contains(t, text, "/approve")
			assert.Equal(t, 1, f.placed(), "without a yes nothing is sent")
		})
	}
}

// rpc sends one request of the newer revision, as a client that makes its own
// would, and returns the result.
func rpc(t *testing.T, url, params string) map[string]any {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + params + `}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("MCP-Protocol-Version", newRevision)
	r.Header.Set("MCP-Method", "tools/call")
	r.Header.Set("MCP-Name", "place_order")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	decoder := json.NewDecoder(eventBody(t, response))
	var answer struct {
		Result map[string]any `json:"result"`
		Error  any            `json:"error"`
	}
	require.NoError(t, decoder.Decode(&answer))
	require.Nil(t, answer.Error, "%v", answer.Error)
	return answer.Result
}

// eventBody is the JSON of an answer that comes plain or as one event.
func eventBody(t *testing.T, response *http.Response) *strings.Reader {
	t.Helper()
	whole, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	text := string(whole)
	if _, data, ok := strings.Cut(text, "data: "); ok {
		text = data
	}
	return strings.NewReader(text)
}

const forgersMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + newRevision + `","io.modelcontextprotocol/clientInfo":{"name":"forger","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}}}`

func TestAnAnswerToWhatWasNotAskedSendsNothing(t *testing.T) {
	f := newFloor(t, nil, nil)
	at := serve(t, f.server)
	session := f.dial(newRevision, declining)
	id, other := previewed(t, session), previewed(t, session)
	call := func(preview, state string) map[string]any {
		extra := ""
		if state != "" {
			extra = `,"requestState":` + state
		}
		return rpc(t, at, `{"name":"place_order","arguments":{"preview_id":"`+preview+`"},"inputResponses":{"question":{"action":"accept","content":{"approve":true}}}`+extra+`,`+forgersMeta+`}`)
	}
	first := call(id, "")
	require.Contains(t, first, "requestState", "it is asked, whatever answer came along: %v", first)
	state, err := json.Marshal(first["requestState"])
	require.NoError(t, err)
	assert.Contains(t, call(id, `"forged"`), "requestState", "a state that this server did not make")
	assert.Contains(t, call(other, string(state)), "requestState", "the state of another order")
	assert.Zero(t, f.placed())

	done := call(id, string(state))
	assert.NotContains(t, done, "requestState", "the answer to the question that was asked: %v", done)
	assert.Equal(t, 1, f.placed())
}

func (f *floor) approvals(key string) string {
	f.t.Helper()
	handler, err := f.server.Approvals(mcp.ApprovalsOptions{Guard: f.guard, Key: key, Button: f.page})
	require.NoError(f.t, err)
	ts := httptest.NewServer(handler)
	f.t.Cleanup(ts.Close)
	return ts.URL
}

const approvalKey = "approval-key-of-a-test"

func TestAPersonApprovesOnThePageWithAKeyOfItsOwn(t *testing.T) {
	f := newFloor(t, &mcp.Options{Bearer: bearer}, func(l *broker.Limits) { l.Approval.Grade = broker.GradeLoopback })
	at := f.approvals(approvalKey)
	limit := decimal.RequireFromString("-100.01")
	prepare := func() string {
		p, err := f.guard.Prepare(t.Context(), "PAPER1", broker.Intent{Kind: broker.IntentPlace, Ticket: broker.NewTicket(broker.Order{
			Type: broker.Limit, Limit: &limit, Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(1)}},
		})})
		require.NoError(t, err)
		return p.ID
	}
	id := prepare()
	for name, change := range map[string]func(*http.Request){
		"nothing":           nil,
		"the MCP bearer":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+bearer) },
		"the bearer as key": func(r *http.Request) { r.URL.RawQuery = "key=" + bearer },
		"a made-up cookie":  func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "ttai_page_approve", Value: "x"}) },
	} {
		answer, body := visit(t, http.MethodGet, at+"/", change)
		assert.Equal(t, http.StatusUnauthorized, answer.StatusCode, name)
		assert.NotContains(t, body, id, name)
	}

	answer, _ := visit(t, http.MethodGet, at+"/?key="+approvalKey, nil)
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	require.Len(t, answer.Cookies(), 1)
	cookie := answer.Cookies()[0]
	assert.True(t, cookie.HttpOnly)
	assert.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
	answer, body := visit(t, http.MethodGet, at+"/", with(cookie))
	require.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Contains(t, body, id)
	assert.Contains(t, body, "Approve this order")
	assert.NotContains(t, body, approvalKey)
	wellFormed(t, body)

	decide := func(id, decision string, change func(*http.Request)) (int, string) {
		form := url.Values{"preview": {id}, "decision": {decision}}.Encode()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/", strings.NewReader(form))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if change != nil {
			change(r)
		}
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(text)
	}
	status, _ := decide(id, "approve", nil)
	assert.Equal(t, http.StatusUnauthorized, status)
	status, _ = decide(id, "approve", func(r *http.Request) {
		r.AddCookie(cookie)
		r.Header.Set("Origin", "https://evil.example")
	})
	assert.Equal(t, http.StatusForbidden, status, "another website presses no button")
	_, err := f.guard.Submit(t.Context(), id)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	require.Zero(t, f.placed())

	status, body = decide(id, "approve", with(cookie))
	assert.Equal(t, http.StatusOK, status, body)
	assert.Zero(t, f.placed(), "approving does not send")
	_, err = f.guard.Submit(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, 1, f.placed())

	second := prepare()
	status, _ = decide(second, "decline", with(cookie))
	assert.Equal(t, http.StatusOK, status)
	_, err = f.guard.Submit(t.Context(), second)
	require.ErrorIs(t, err, broker.ErrSpent)
	status, _ = decide(second, "approve", with(cookie))
	assert.Equal(t, http.StatusConflict, status)
	assert.Equal(t, 1, f.placed())
}

func TestThePageOfApprovalsIsNotOpenedByTheClientsToken(t *testing.T) {
	f := newFloor(t, &mcp.Options{Bearer: bearer}, nil)
	for _, opts := range []mcp.ApprovalsOptions{
		{Key: approvalKey},
		{Guard: f.guard},
		{Guard: f.guard, Key: "short"},
		{Guard: f.guard, Key: bearer},
	} {
		_, err := f.server.Approvals(opts)
		var fe *mcp.FieldError
		require.ErrorAs(t, err, &fe)
	}
}
