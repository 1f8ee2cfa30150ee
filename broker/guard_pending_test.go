package broker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

func TestAWitnessIsBelievedOnlyForTheOrderItSaw(t *testing.T) {
	secret := make([]byte, 32)
	key := func(context.Context) ([]byte, error) { return secret, nil }
	witness, err := broker.NewWitness("page", broker.GradeLoopback, key)
	require.NoError(t, err)
	o := newOffice(t)
	o.person.grade, o.person.always = broker.GradePolicy, false
	o.limits.Approval.Grade = broker.GradeLoopback
	o.others = []broker.Approver{witness}
	g := o.guard(t)
	a, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	b, err := g.Prepare(t.Context(), desk, place(buy("SPY", "2", "-500")))
	require.NoError(t, err)
	assert.Equal(t, []string{"page"}, a.Methods)
	_, err = g.Submit(t.Context(), a.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)

	stranger, err := broker.NewWitness("page", broker.GradeLoopback, nil)
	require.NoError(t, err)
	sameKey, err := broker.NewWitness("other", broker.GradeLoopback, key)
	require.NoError(t, err)
	request := broker.ApprovalRequest{PreviewID: a.ID, Digest: a.Digest, Expires: a.Expires}
	for name, forge := range map[string]func() (broker.Evidence, error){
		"another order":  func() (broker.Evidence, error) { return witness.Evidence(t.Context(), b, "Ann") },
		"another key":    func() (broker.Evidence, error) { return stranger.Evidence(t.Context(), a, "Ann") },
		"another method": func() (broker.Evidence, error) { return sameKey.Evidence(t.Context(), a, "Ann") },
		"no JSON":        func() (broker.Evidence, error) { return broker.Evidence{Data: []byte("yes")}, nil },
	} {
		evidence, err := forge()
		require.NoError(t, err)
		_, err = witness.Approve(t.Context(), request, &evidence)
		require.ErrorIs(t, err, broker.ErrDeclined, name)
	}
	twin, err := broker.NewWitness("page", broker.GradeLoopback, key) // in another process with the same key
	require.NoError(t, err)
	evidence, err := twin.Evidence(t.Context(), a, "Ann")
	require.NoError(t, err)
	out, err := g.Submit(t.Context(), a.ID, evidence)
	require.NoError(t, err)
	assert.Equal(t, "Ann", out.Approval.By)
	assert.NotEmpty(t, witness.Fingerprint())

	for _, bad := range []struct {
		method string
		grade  broker.Grade
	}{{"", broker.GradeChat}, {"A", broker.GradeChat}, {"a", broker.GradePolicy}, {"a", broker.GradePasskey}} {
		_, err := broker.NewWitness(bad.method, bad.grade, nil)
		_, ok := errors.AsType[*broker.FieldError](err)
		assert.True(t, ok, "%+v", bad)
	}
	for _, grade := range []broker.Grade{broker.GradeElicitation, broker.GradeChat} {
		_, err := broker.NewWitness("a", grade, nil)
		require.NoError(t, err)
	}
	broken := errors.New("no key")
	for name, key := range map[string]func(context.Context) ([]byte, error){
		"broken": func(context.Context) ([]byte, error) { return nil, broken },
		"short":  func(context.Context) ([]byte, error) { return make([]byte, 31), nil },
	} {
		w, err := broker.NewWitness("a", broker.GradeChat, key)
		require.NoError(t, err)
		_, err = w.Evidence(t.Context(), a, "Ann")
		require.Error(t, err, name)
		_, err = w.Approve(t.Context(), request, &broker.Evidence{Data: []byte(`{"by":"Ann"}`)})
		require.Error(t, err, name)
		assert.NotErrorIs(t, err, broker.ErrDeclined, name)
	}
}

func TestWhatWaitsForAPersonIsListed(t *testing.T) {
	o := newOffice(t)
	o.person.always = false
	g := o.guard(t)
	state := o.broker.add(desk, buy("SPY", "1", "-500").Orders[0], "")
	free, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentCancel, Order: state.ID})
	require.NoError(t, err)
	assert.Equal(t, broker.GradeNone, free.Grade)
	old, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	o.clock.Advance(time.Minute)
	var ids []string
	for _, quantity := range []string{"2", "3", "4"} {
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", quantity, "-500")))
		require.NoError(t, err)
		ids = append(ids, p.ID)
	}
	_, err = g.Submit(t.Context(), ids[1], yes)
	require.NoError(t, err)
	pending := func() []string {
		listed, err := o.guard(t).Pending(t.Context())
		require.NoError(t, err)
		var out []string
		for _, p := range listed {
			out = append(out, p.ID)
		}
		return out
	}
	assert.Equal(t, []string{ids[2], ids[0], old.ID}, pending())
	o.clock.Advance(time.Minute)
	assert.Equal(t, []string{ids[2], ids[0]}, pending(), "one has expired")
	healthy := o.state
	o.state = keyState{healthy, "preview"}
	_, err = o.guard(t).Pending(t.Context())
	require.ErrorContains(t, err, "unreadable")
}
