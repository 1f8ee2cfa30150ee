package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Kill is the state of the kill switch, one for all processes of a home. It
// survives restarts.
type Kill struct {
	Engaged bool      `json:"engaged"`
	By      string    `json:"by,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Time    time.Time `json:"time,omitzero"`
	version uint64
}

// Killed tells whether the kill switch is engaged.
func (g *Guard) Killed(ctx context.Context) (Kill, error) {
	data, version, err := g.state.Get(ctx, g.key("kill"))
	if errors.Is(err, ErrNoState) {
		return Kill{}, nil
	}
	if err != nil {
		return Kill{Engaged: true}, fmt.Errorf("reading the kill switch: %w", err)
	}
	var k Kill
	if err := json.Unmarshal(data, &k); err != nil {
		return Kill{Engaged: true}, fmt.Errorf("the kill switch is damaged: %w", err)
	}
	k.version = version
	return k, nil
}

// Engage blocks every order of every process from now on, cancels excepted. It is
// for everybody, models included. What is being sent at this moment may still
// arrive. Engaging it again changes nothing.
func (g *Guard) Engage(ctx context.Context, by, reason string) error {
	for range conflicts {
		k, err := g.Killed(ctx)
		if k.Engaged && err == nil {
			return nil
		}
		data, version := []byte(nil), k.version
		if err != nil { // damaged: replaced; unreadable: the write will say so
			if _, version, err = g.state.Get(ctx, g.key("kill")); err != nil {
				return err
			}
		}
		if data, err = json.Marshal(Kill{Engaged: true, By: by, Reason: reason, Time: g.clock.Now()}); err != nil {
			return err
		}
		_, err = g.state.CompareAndSet(ctx, g.key("kill"), version, data, 0)
		if errors.Is(err, ErrStateChanged) {
			continue
		}
		if err != nil {
			return fmt.Errorf("engaging the kill switch: %w", err)
		}
		// The switch comes before the journal: blocking must not wait for it.
		return g.write(ctx, EntryEngaged, Entry{By: by, Reason: reason})
	}
	return fmt.Errorf("engaging the kill switch: %w", ErrStateChanged)
}

// A Stopped is what [Guard.Stop] did.
type Stopped struct {
	Cancelled []OrderState // asked to end; each has ended only when its status says so
	Left      []OrderState // what only closes positions: profit targets and stops
	Failed    []OrderID    // whose cancel failed; see the error
}

// Stop engages the kill switch, and then cancels the orders of the accounts that
// could open or enlarge a position. Those that only close are left, since they
// protect what is held. It is for everybody, models included.
func (g *Guard) Stop(ctx context.Context, by, reason string, accounts ...AccountID) (*Stopped, error) {
	if err := g.Engage(ctx, by, reason); err != nil && !errors.Is(err, ErrJournal) {
		return nil, err
	}
	out := &Stopped{}
	var errs []error
	for _, account := range accounts {
		working, err := g.broker.Orders(ctx, account, OrdersQuery{Working: true})
		if err != nil {
			errs = append(errs, fmt.Errorf("reading working orders: %w", err))
			continue
		}
		for _, o := range working {
			switch {
			case !o.Status.CanFill() || o.Status == CancelRequested:
			case !o.Order.Opens():
				out.Left = append(out.Left, o)
			default:
				state, err := g.stopOrder(ctx, account, o.ID)
				if err != nil {
					out.Failed = append(out.Failed, o.ID)
					errs = append(errs, fmt.Errorf("cancelling order %s: %w", o.ID, err))
					continue
				}
				out.Cancelled = append(out.Cancelled, *state)
			}
		}
	}
	return out, errors.Join(errs...)
}

// stopOrder cancels without a preview: a cancel of what opens lowers the risk, and
// stopping must not wait for anybody. It needs the settings to allow trading in
// the account at all.
func (g *Guard) stopOrder(ctx context.Context, account AccountID, id OrderID) (*OrderState, error) {
	if g.limits.Mode != ModeTrade || !g.limits.allowsAccount(account) {
		return nil, refuse("mode", "trading is off for this account: nothing is cancelled either", ErrTradingOff)
	}
	e := Entry{Kind: IntentCancel, Account: account, By: "kill switch", Orders: []EntryOrder{{ID: id}}}
	if err := g.write(ctx, EntrySending, e); err != nil {
		return nil, err
	}
	state, err := g.broker.Cancel(ctx, account, id)
	if err != nil {
		e.Reason = err.Error()
		kind := EntryUncertain
		if certainlyNot(err) || errors.Is(err, ErrRejected) {
			kind = EntryNotSent
		}
		return nil, errors.Join(err, g.write(context.WithoutCancel(ctx), kind, e))
	}
	e.Orders = entryOrders([]OrderState{*state})
	return state, g.write(context.WithoutCancel(ctx), EntryAnswered, e)
}

// PrepareLift prepares the lifting of the kill switch, which is submitted like an
// order and needs an approval of the environment's grade, a person's in any case.
// It is for the operator's programs; a [Desk] has no such method.
func (g *Guard) PrepareLift(ctx context.Context) (*Prepared, error) {
	if refusal := g.closed(ctx, IntentLift, ModeTrade); refusal != nil {
		return nil, g.refused(ctx, Entry{Kind: IntentLift}, refusal)
	}
	k, err := g.Killed(ctx)
	if err != nil {
		return nil, err
	}
	if !k.Engaged {
		return nil, fmt.Errorf("broker: the kill switch is not engaged: %w", ErrTooLate)
	}
	m := &message{Version: 1, Kind: IntentLift, Environment: g.Environment(),
		Subject: fmt.Sprintf("engaged by %q at %s because of %q", k.By, k.Time.UTC().Format(time.RFC3339), k.Reason)}
	m.Order = OrderID(fmt.Sprint(k.version))
	return g.store(ctx, m, shown{RiskIncreasing: true})
}

// lift disengages the switch that the message names: one engaged again since was
// not meant.
func (g *Guard) lift(ctx context.Context, m *message) error {
	k, err := g.Killed(ctx)
	if err != nil {
		return err
	}
	if fmt.Sprint(k.version) != string(m.Order) {
		return fmt.Errorf("lifting the kill switch: %w", ErrStateChanged)
	}
	data, err := json.Marshal(Kill{Time: g.clock.Now()})
	if err == nil {
		_, err = g.state.CompareAndSet(ctx, g.key("kill"), k.version, data, 0)
	}
	if err != nil {
		return fmt.Errorf("lifting the kill switch: %w", err)
	}
	return nil
}
