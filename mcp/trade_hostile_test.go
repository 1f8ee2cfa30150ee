package mcp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/mcp"
)

func TestAnAnswerThatIsNotTheFormsYesSendsNothing(t *testing.T) {
	for name, answer := range map[string]string{
		"another name of the question": `{"question2":{"action":"accept","content":{"approve":true}}}`,
		"a text":                       `{"question":{"action":"accept","content":{"approve":"true"}}}`,
		"a number":                     `{"question":{"action":"accept","content":{"approve":1}}}`,
		"no content":                   `{"question":{"action":"accept"}}`,
		"declined with a yes":          `{"question":{"action":"decline","content":{"approve":true}}}`,
		"cancelled with a yes":         `{"question":{"action":"cancel","content":{"approve":true}}}`,
		"an action in capitals":        `{"question":{"action":"ACCEPT","content":{"approve":true}}}`,
		"a no last":                    `{"question":{"action":"accept","content":{"approve":true,"approve":false}}}`,
	} {
		f := newFloor(t, nil, nil)
		at := serve(t, f.server)
		id := previewed(t, f.dial(newRevision, declining))
		first := rpc(t, at, `{"name":"place_order","arguments":{"preview_id":"`+id+`"},`+forgersMeta+`}`)
		state, err := json.Marshal(first["requestState"])
		require.NoError(t, err)
		_ = rpc(t, at, `{"name":"place_order","arguments":{"preview_id":"`+id+`"},"inputResponses":`+answer+`,"requestState":`+string(state)+`,`+forgersMeta+`}`)
		assert.Zero(t, f.placed(), name)
	}
}

func TestAStateIsOfOneServerAndOneCall(t *testing.T) {
	f, other := newFloor(t, nil, nil), newFloor(t, nil, nil)
	at, elsewhere := serve(t, f.server), serve(t, other.server)
	id, there := previewed(t, f.dial(newRevision, declining)), previewed(t, other.dial(newRevision, declining))
	first := rpc(t, elsewhere, `{"name":"place_order","arguments":{"preview_id":"`+there+`"},`+forgersMeta+`}`)
	foreign, err := json.Marshal(first["requestState"])
	require.NoError(t, err)
	yes := `"inputResponses":{"question":{"action":"accept","content":{"approve":true}}},`
	_ = rpc(t, at, `{"name":"place_order","arguments":{"preview_id":"`+id+`"},`+yes+`"requestState":`+string(foreign)+`,`+forgersMeta+`}`)
	assert.Zero(t, f.placed(), "the state of another server")

	first = rpc(t, at, `{"name":"place_order","arguments":{"preview_id":"`+id+`"},`+forgersMeta+`}`)
	own, err := json.Marshal(first["requestState"])
	require.NoError(t, err)
	_ = rpc(t, at, `{"name":"place_order","arguments":{"preview_id":"`+id+`","code":"1"},`+yes+`"requestState":`+string(own)+`,`+forgersMeta+`}`)
	assert.Zero(t, f.placed(), "the state of other arguments")
	_ = rpc(t, at, `{"name":"place_order","arguments":{"preview_id":"`+id+`"},`+yes+`"requestState":`+string(own)+`,`+forgersMeta+`}`)
	_ = rpc(t, at, `{"name":"place_order","arguments":{"preview_id":"`+id+`"},`+yes+`"requestState":`+string(own)+`,`+forgersMeta+`}`)
	assert.Equal(t, 1, f.placed(), "the right one sends, and sends once")
}

// press sends the page's form.
func press(t *testing.T, at string, form url.Values, change func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/", strings.NewReader(form.Encode()))
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

func (f *floor) prepare() string {
	f.t.Helper()
	limit := decimal.RequireFromString("-100.01")
	p, err := f.guard.Prepare(f.t.Context(), "PAPER1", broker.Intent{Kind: broker.IntentPlace, Ticket: broker.NewTicket(broker.Order{
		Type: broker.Limit, Limit: &limit, Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(1)}},
	})})
	require.NoError(f.t, err)
	return p.ID
}

func TestNoWebsiteAndNoOtherPortPressesAButtonOfThePage(t *testing.T) {
	f := newFloor(t, &mcp.Options{Bearer: bearer}, func(l *broker.Limits) { l.Approval.Grade = broker.GradeLoopback })
	at := f.approvals(approvalKey)
	answer, _ := visit(t, http.MethodGet, at+"/?key="+approvalKey, nil)
	cookie := answer.Cookies()[0]
	assert.Equal(t, "./", answer.Header.Get("Location"), "the key is not in the address that follows, which is a place of this page")
	assert.Equal(t, "same-origin", answer.Header.Get("Referrer-Policy"), "the address with the key is told to nobody else")
	id := f.prepare()
	approve := url.Values{"preview": {id}, "decision": {"approve"}}
	for name, change := range map[string]func(*http.Request){
		"another website":         func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"no origin at all":        func(r *http.Request) { r.Header.Set("Origin", "null") },
		"another port":            func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"a website by its fetch":  func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"a name that is rebound":  func(r *http.Request) { r.Host = "evil.example" },
		"a name that looks right": func(r *http.Request) { r.Host = "localhost.evil.example" },
		"an address elsewhere":    func(r *http.Request) { r.Host = "192.0.2.1" },
		"a rebound name as origin": func(r *http.Request) {
			r.Host = "evil.example"
			r.Header.Set("Origin", "http://evil.example")
		},
	} {
		status, body := press(t, at, approve, func(r *http.Request) {
			r.AddCookie(cookie)
			change(r)
		})
		assert.Equal(t, http.StatusForbidden, status, name)
		assert.NotContains(t, body, id, name)
	}
	answer, body := visit(t, http.MethodGet, at+"/", func(r *http.Request) {
		r.AddCookie(cookie)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "iframe")
	})
	assert.Equal(t, http.StatusForbidden, answer.StatusCode, "it stands in no frame: %s", body)
	assert.Contains(t, answer.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	// A decision in the address is none, whoever follows it.
	answer, _ = visit(t, http.MethodGet, at+"/?"+approve.Encode(), with(cookie))
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	status, _ := press(t, at+"/?"+approve.Encode(), url.Values{}, with(cookie))
	assert.NotEqual(t, http.StatusOK, status)
	_, err := f.guard.Submit(t.Context(), id)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	assert.Zero(t, f.placed())
}

func TestACookieOfThePageForReadingOpensNoApprovals(t *testing.T) {
	f := newFloor(t, &mcp.Options{Bearer: bearer}, nil)
	at := f.approvals(approvalKey)
	reading := servePage(t, f.server, nil)
	answer, _ := visit(t, http.MethodGet, reading+"/?token="+bearer, nil)
	require.NotEmpty(t, answer.Cookies())
	theirs := *answer.Cookies()[0]
	entered, _ := visit(t, http.MethodGet, at+"/?key="+approvalKey, nil)
	theirs.Name = entered.Cookies()[0].Name
	answer, _ = visit(t, http.MethodGet, at+"/", with(&theirs))
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
}

func TestAnApprovedLiftIsDoneByThePageAndByNoModel(t *testing.T) {
	f := newFloor(t, &mcp.Options{Bearer: bearer}, nil)
	require.NoError(t, f.guard.Engage(t.Context(), "model", `<script>alert(1)</script>`+"\u202e"))
	at := f.approvals(approvalKey)
	entered, _ := visit(t, http.MethodGet, at+"/?key="+approvalKey, nil)
	cookie := entered.Cookies()[0]
	lift, err := f.guard.PrepareLift(t.Context())
	require.NoError(t, err)
	_, body := visit(t, http.MethodGet, at+"/", with(cookie))
	assert.Contains(t, body, lift.ID)
	assert.NotContains(t, body, "<script>alert")
	assert.NotContains(t, body, "\u202e")
	status, body := press(t, at, url.Values{"preview": {lift.ID}, "decision": {"approve"}}, with(cookie))
	assert.Equal(t, http.StatusOK, status, body)
	k, err := f.guard.Killed(t.Context())
	require.NoError(t, err)
	assert.False(t, k.Engaged)
}

func TestAnApprovalAfterTheLastMomentIsNone(t *testing.T) {
	f := newFloor(t, &mcp.Options{Bearer: bearer}, func(l *broker.Limits) { l.Approval.Valid = broker.Window(time.Second) })
	at := f.approvals(approvalKey)
	entered, _ := visit(t, http.MethodGet, at+"/?key="+approvalKey, nil)
	id := f.prepare()
	f.clock.Advance(time.Second) // the very moment
	status, _ := press(t, at, url.Values{"preview": {id}, "decision": {"approve"}}, with(entered.Cookies()[0]))
	assert.Equal(t, http.StatusConflict, status)
	_, err := f.guard.Submit(t.Context(), id)
	require.ErrorIs(t, err, broker.ErrUnknownPreview)
}
