package alpaca_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
)

// stages are where a write can go wrong, and what the client may conclude.
var stages = []struct {
	name    string
	fault   alpacatest.Fault
	acted   bool // the fake did what was asked
	certain bool // the client can know that it did not
}{
	{"the connection is cut before the request is handled", alpacatest.Fault{CutBefore: true}, false, false},
	{"the connection is cut after the request is handled", alpacatest.Fault{CutAfter: true}, true, false},
	{"the connection is cut within the answer", alpacatest.Fault{CutBody: true}, true, false},
	{"a gateway fails before", alpacatest.Fault{Status: 502}, false, false},
	{"a gateway gives up after", alpacatest.Fault{Status: 504, After: true}, true, false},
	{"the server fails after", alpacatest.Fault{Status: 500, After: true, Body: "<html>oops</html>"}, true, false},
	{"a redirect", alpacatest.Fault{Status: 307}, false, false},
	{"an answer that is no JSON", alpacatest.Fault{Status: 200, After: true, Body: "ok"}, true, false},
	{"an answer without an order", alpacatest.Fault{Status: 200, After: true, Body: "{}"}, true, false},
	{"too many requests", alpacatest.Fault{Status: 429}, false, true},
	{"credentials are refused", alpacatest.Fault{Status: 401, Body: `{"message":"unauthorized."}`}, false, true},
	{"forbidden without a code", alpacatest.Fault{Status: 403, Body: `{"message":"forbidden."}`}, false, true},
	{"the order is refused", alpacatest.Fault{Status: 422, Body: `{"code":42210000,"message":"no"}`}, false, true},
}

// sent counts the writes that arrived, and how many of them the fake handled.
func sent(fake *alpacatest.Server) (arrived, handled int) {
	for _, w := range fake.Writes() {
		arrived++
		if w.Handled {
			handled++
		}
	}
	return arrived, handled
}

func bookOrder(book []alpacatest.BookOrder, id broker.OrderID) alpacatest.BookOrder {
	for _, o := range book {
		if o.ID == string(id) {
			return o
		}
	}
	return alpacatest.BookOrder{}
}

// tickets are one of each form that a placement has on the wire.
func tickets() map[string]broker.Ticket {
	spread := broker.Order{Tag: "a-1", Type: broker.Limit, Limit: dec("3.5"), Legs: legs("2", call100, broker.SellToOpen, call105, broker.BuyToOpen)}
	return map[string]broker.Ticket{"shares": broker.NewTicket(limit("a-1", "ACME", 10, "100")), "a spread": broker.NewTicket(spread), "a bracket": bracket(nil)}
}

func TestAPlacementIsNeverSentTwiceAndItsEndIsNeverGuessed(t *testing.T) {
	for form, ticket := range tickets() {
		for _, reconcile := range []time.Duration{100 * time.Millisecond, -1} {
			for _, stage := range stages {
				t.Run(fmt.Sprint(form, ", ", stage.name, ", ", reconcile), func(t *testing.T) {
					fake := newFake(t, nil)
					fake.AddStock("ACME")
					require.NoError(t, fake.AddOption(string(call100)))
					require.NoError(t, fake.AddOption(string(call105)))
					fake.Quote("ACME", alpacatest.Quote{Bid: 99, Ask: 101, BidSize: 100, AskSize: 100})
					a := newAdapter(t, fake, func(o *alpaca.Options) { o.Reconcile = reconcile })
					_, err := a.Balances(t.Context(), account) // the account is known before the fault
					require.NoError(t, err)
					fault := stage.fault
					fault.Method, fault.Path = "POST", "/v2/orders"
					fake.Inject(fault)

					states, err := a.Place(t.Context(), account, ticket)

					arrived, _ := sent(fake)
					assert.Equal(t, 1, arrived, "one request, whatever happens")
					book := fake.Orders()
					if stage.acted {
						require.Len(t, book, len(ticket.Orders))
					} else {
						require.Empty(t, book)
					}
					uncertain, isUncertain := errors.AsType[*broker.UncertainError](err)
					switch {
					case err == nil:
						require.True(t, stage.acted, "said to be placed")
						require.Len(t, states, len(ticket.Orders))
						for i, state := range states {
							assert.Equal(t, ticket.Orders[i].Tag, state.Order.Tag)
							kept := bookOrder(book, state.ID)
							assert.Equal(t, strings.ReplaceAll(string(state.Order.Type), " ", "_"), kept.Type, "the book has it, as it was asked for")
							assert.True(t, kept.Qty.Equal(ticket.Orders[i].Units()))
						}
						assert.Equal(t, broker.Live, states[0].Status)
					case isUncertain:
						assert.False(t, stage.certain, "it can be known: %v", err)
						require.Len(t, uncertain.Tags, len(ticket.Orders))
						assert.Equal(t, ticket.Orders[0].Tag, uncertain.Tags[0])
						assert.NotErrorIs(t, err, broker.ErrUnavailable, "which would say that nothing happened")
						assert.NotErrorIs(t, err, broker.ErrRejected)
						assert.False(t, stage.acted && reconcile > 0, "an order that is there is found: %v", err)
					default:
						assert.True(t, stage.certain, "it cannot be known: %v", err)
						assert.False(t, stage.acted)
						assert.True(t, errors.Is(err, broker.ErrUnavailable) || errors.Is(err, broker.ErrUnauthorized) || errors.Is(err, broker.ErrRejected), "%v", err)
					}
				})
			}
		}
	}
}

func TestACancellationAndAReplacementAreNeverSentTwice(t *testing.T) {
	for _, stage := range stages {
		for _, replace := range []bool{false, true} {
			t.Run(fmt.Sprint(stage.name, " replace ", replace), func(t *testing.T) {
				fake := newFake(t, nil)
				fake.AddStock("ACME")
				fake.Quote("ACME", alpacatest.Quote{Bid: 99, Ask: 101, BidSize: 100, AskSize: 100})
				a := newAdapter(t, fake, nil)
				placed, err := a.Place(t.Context(), account, broker.NewTicket(limit("a-1", "ACME", 10, "100")))
				require.NoError(t, err)
				id := placed[0].ID
				fault := stage.fault
				fault.Write, fault.Path = true, "/v2/orders/"
				fake.Inject(fault)

				var state *broker.OrderState
				if replace {
					state, err = a.Replace(t.Context(), account, id, limit("a-2", "ACME", 10, "100.5"))
				} else {
					state, err = a.Cancel(t.Context(), account, id)
				}

				arrived, _ := sent(fake)
				assert.Equal(t, 2, arrived, "the placement and one more")
				now, readErr := a.Order(t.Context(), account, id)
				require.NoError(t, readErr)
				assert.Equal(t, stage.acted, now.Status.Terminal())
				uncertain, isUncertain := errors.AsType[*broker.UncertainError](err)
				switch {
				case err == nil && stage.fault.Status == 200 && !replace: // an answer to a cancellation has no content to doubt
				case err == nil:
					require.True(t, stage.acted)
					if replace {
						assert.Equal(t, now.ReplacedBy, state.ID)
						assert.Equal(t, id, state.Replaces)
					} else {
						assert.Equal(t, broker.Cancelled, state.Status)
					}
				case isUncertain:
					assert.False(t, stage.certain)
					assert.False(t, stage.acted, "what has happened is found: %v", err)
					assert.Equal(t, id, uncertain.Order)
				default:
					assert.True(t, stage.certain, "%v", err)
					assert.False(t, stage.acted)
				}
			})
		}
	}
}

func TestNothingIsSentWhenItCannotBe(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	ticket := broker.NewTicket(limit("a-1", "ACME", 10, "100"))
	for name, change := range map[string]func(*alpaca.Options){
		"no credentials": func(o *alpaca.Options) {
			o.Client.Credentials = func(context.Context) (alpaca.Credentials, error) {
				return alpaca.Credentials{}, errors.New("the vault is locked")
			}
		},
		"empty": func(o *alpaca.Options) { o.Client.Credentials = alpaca.Static(alpaca.Credentials{KeyID: "x"}) },
		"a line break": func(o *alpaca.Options) {
			o.Client.Credentials = alpaca.Static(alpaca.Credentials{KeyID: "x", Secret: "y\r\nz"})
		},
		"wrong": func(o *alpaca.Options) {
			o.Client.Credentials = alpaca.Static(alpaca.Credentials{KeyID: "x", Secret: "y"})
		},
	} {
		a := newAdapter(t, fake, change)
		_, err := a.Place(t.Context(), account, ticket)
		assert.ErrorIs(t, err, broker.ErrUnauthorized, name)
		assert.NotErrorIs(t, err, broker.ErrUncertain, name)
	}
	gone := newFake(t, nil)
	a := newAdapter(t, gone, nil)
	_, err := a.Balances(t.Context(), account)
	require.NoError(t, err)
	gone.Close()
	_, err = a.Place(t.Context(), account, ticket)
	assert.True(t, errors.Is(err, broker.ErrUnavailable) || errors.Is(err, broker.ErrUncertain), "%v", err)
	arrived, _ := sent(fake)
	assert.Zero(t, arrived)
}

func TestAPlacementThatIsCancelledOnItsWayIsUncertain(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	a := newAdapter(t, fake, nil)
	_, err := a.Balances(t.Context(), account)
	require.NoError(t, err)
	fake.Inject(alpacatest.Fault{Method: "POST", Path: "/v2/orders", Delay: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = a.Place(ctx, account, broker.NewTicket(limit("a-1", "ACME", 10, "100")))
	assert.ErrorIs(t, err, broker.ErrUncertain)
	arrived, _ := sent(fake)
	assert.LessOrEqual(t, arrived, 1)
}

func TestReadsAreRepeated(t *testing.T) {
	fake := newFake(t, nil)
	a := newAdapter(t, fake, nil)
	fake.Inject(alpacatest.Fault{Method: "GET", Path: "/v2/account", CutBefore: true})
	fake.Inject(alpacatest.Fault{Method: "GET", Path: "/v2/account", Status: 503})
	balances, err := a.Balances(t.Context(), account)
	require.NoError(t, err)
	assert.True(t, balances.Cash.Equal(decimal.NewFromInt(100_000)))
}

func TestADuplicateTagIsRefusedByTheBroker(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	a := newAdapter(t, fake, nil)
	ticket := broker.NewTicket(limit("a-1", "ACME", 10, "100"))
	_, err := a.Place(t.Context(), account, ticket)
	require.NoError(t, err)
	_, err = a.Place(t.Context(), account, ticket)
	rejected, ok := errors.AsType[*broker.RejectedError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "duplicate_tag", rejected.Notices[0].Code)
	assert.Len(t, fake.Orders(), 1)
}

func TestAnOlderOrderOfTheSameTagIsNotTakenForOurs(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	a := newAdapter(t, fake, nil)
	_, err := a.Place(t.Context(), account, broker.NewTicket(limit("a-1", "ACME", 10, "100")))
	require.NoError(t, err)
	fake.Inject(alpacatest.Fault{Method: "POST", Path: "/v2/orders", CutBefore: true})
	_, err = a.Place(t.Context(), account, broker.NewTicket(limit("a-1", "ACME", 20, "100")))
	assert.ErrorIs(t, err, broker.ErrUncertain)
}

func TestARefusalKeepsWhatTheBrokerSays(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	a := newAdapter(t, fake, nil)
	_, err := a.Place(t.Context(), account, broker.NewTicket(limit("a-1", "ACME", 100_000, "100")))
	rejected, ok := errors.AsType[*broker.RejectedError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, []broker.Notice{{Code: "insufficient_buying_power", Message: "insufficient buying power"}}, rejected.Notices)
	api, ok := errors.AsType[*alpaca.APIError](err)
	require.True(t, ok)
	assert.Equal(t, 403, api.Status)
	assert.Equal(t, 40310000, api.Code)
	assert.Equal(t, "10000000", api.Field("cost_basis"))
	assert.Equal(t, "200000", api.Field("buying_power"))
}

// Secrets are looked for in everything that a program could print.
func TestSecretsAreNowhere(t *testing.T) {
	fake := newFake(t, nil)
	var log bytes.Buffer
	a := newAdapter(t, fake, func(o *alpaca.Options) {
		o.Client.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	secrets := []string{alpacatest.Secret, alpacatest.KeyID}
	texts := []string{
		fmt.Sprint(creds), fmt.Sprintf("%+v %#v %s %q %x", creds, creds, creds, creds, creds), fmt.Sprintf("%v", &creds),
	}
	for _, fault := range []alpacatest.Fault{
		{Status: 403, Body: `{"message":"key ` + alpacatest.KeyID + ` with ` + alpacatest.Secret + ` is not allowed","echo":"` + alpacatest.Secret + `"}`},
		{Status: 500, Times: -1, Body: "upstream said " + alpacatest.Secret},
	} {
		fake.ClearFaults()
		fake.Inject(fault)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := a.Client().Account(ctx)
		cancel()
		require.Error(t, err)
		texts = append(texts, err.Error(), fmt.Sprintf("%+v", err))
		if api, ok := errors.AsType[*alpaca.APIError](err); ok {
			texts = append(texts, fmt.Sprintf("%s", api.Fields))
		}
	}
	fake.ClearFaults()
	fake.Inject(alpacatest.Fault{Status: 200, Body: `"` + alpacatest.Secret + `"`})
	_, err := a.Client().Account(t.Context())
	require.Error(t, err)
	slog.New(slog.NewTextHandler(&log, nil)).Info("credentials", "value", creds)
	texts = append(texts, err.Error(), log.String())
	for _, text := range texts {
		for _, secret := range secrets {
			assert.NotContains(t, text, secret)
		}
	}
	assert.True(t, strings.Contains(log.String(), "GET /v2/account"), "the log was looked through")
}

// The answer to a group is lost, and so are those of all looks for it.
func TestAGroupThatIsFoundLaterIsKnownByAllItsTags(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	a := newAdapter(t, fake, func(o *alpaca.Options) { o.Reconcile = -1 })
	_, err := a.Balances(t.Context(), account)
	require.NoError(t, err)
	fake.Inject(alpacatest.Fault{Method: "POST", CutAfter: true})
	_, err = a.Place(t.Context(), account, bracket(nil))
	uncertain, ok := errors.AsType[*broker.UncertainError](err)
	require.True(t, ok)
	assert.Equal(t, []string{"b-0", "b-1", "b-2"}, uncertain.Tags)
	for i, tag := range uncertain.Tags {
		found, err := a.Orders(t.Context(), account, broker.OrdersQuery{Tag: tag})
		require.NoError(t, err)
		require.Len(t, found, 1, tag)
		assert.Equal(t, bracket(nil).Orders[i].Type, found[0].Order.Type)
	}
	later := newAdapter(t, fake, nil)
	all, err := later.Orders(t.Context(), account, broker.OrdersQuery{})
	require.NoError(t, err)
	require.Len(t, all, 3, "an adapter that is made later finds the group by its first tag")
	assert.Equal(t, "b-0", all[0].Order.Tag)
	assert.Equal(t, all[0].Group, all[2].Group)
}

func TestAnOrderThatArrivesLateIsFoundByTheSecondLook(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	a := newAdapter(t, fake, nil)
	_, err := a.Balances(t.Context(), account)
	require.NoError(t, err)
	fake.Inject(alpacatest.Fault{Method: "POST", CutAfter: true})
	fake.Inject(alpacatest.Fault{Path: "/v2/orders:by_client_order_id", Status: 404})
	states, err := a.Place(t.Context(), account, broker.NewTicket(limit("a-1", "ACME", 10, "100")))
	require.NoError(t, err)
	assert.Len(t, states, 1)
	arrived, _ := sent(fake)
	assert.Equal(t, 1, arrived)
}
