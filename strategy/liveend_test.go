package strategy_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/strategy"
)

func TestARunEndsAtUntilOrWithTheStrategysError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.opts.Until = time.Now().Add(7 * time.Minute)
		s.start(liveScript(nil))
		require.NoError(t, <-s.ended)
		assert.Equal(t, s.opts.Until, time.Now())
		failing := &failing{script: *liveScript(nil)}
		s.opts.Until = time.Time{}
		s.start(failing)
		require.ErrorIs(t, <-s.ended, errBroken)
	})
}

var errBroken = errors.New("broken")

type failing struct{ script }

func (f *failing) Handle(_ *strategy.Session, e *strategy.Event) error {
	if e.Kind == strategy.BarEvent {
		return errBroken
	}
	return nil
}

func TestLiveTimersFireAtTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		set := false
		st := liveScript(func(ss *strategy.Session, e *strategy.Event) {
			if !set {
				set = true
				ss.Timer("x", ss.Now().Add(90*time.Second))
			}
		})
		s.start(st)
		pass(5 * time.Minute)
		require.Len(t, s.of(strategy.TimerEvent), 1)
		assert.Equal(t, []string{"x 10:01:30"}, st.timers)
		require.NoError(t, s.stop())
	})
}

func TestARunIsRefusedWithEverythingThatStandsAgainstIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.opts.Account = "OTHER"
		st := liveScript(nil)
		st.needs.Symbols = append(st.needs.Symbols, "NOSUCH", "BTC/USD")
		s.start(st)
		var problems *strategy.ProblemsError
		require.ErrorAs(t, <-s.ended, &problems)
		assert.GreaterOrEqual(t, len(problems.Problems), 3)
		assert.ErrorContains(t, problems, "do not reach the account")
		assert.ErrorContains(t, problems, "no quote of NOSUCH")
	})
}

func TestRunOptionsThatMakeNoSenseAreRefusedByName(t *testing.T) {
	x, err := paper.New(&paper.Options{Start: tuesdayAt10})
	require.NoError(t, err)
	good := strategy.RunOptions{Strategy: scripted("ACME"), Broker: x.Broker(), Account: account, Source: &quotedSource{}}
	for field, change := range map[string]func(*strategy.RunOptions){
		"Strategy": func(o *strategy.RunOptions) { o.Strategy = nil },
		"Broker":   func(o *strategy.RunOptions) { o.Broker = nil },
		"Account":  func(o *strategy.RunOptions) { o.Account = "" },
		"Source":   func(o *strategy.RunOptions) { o.Source = nil },
		"Stop":     func(o *strategy.RunOptions) { o.Stop = "panic" },
		"Name":     func(o *strategy.RunOptions) { o.Name = "_"; o.Unchecked = true },
	} {
		opts := good
		change(&opts)
		var refused *invalid.FieldError
		require.ErrorAs(t, strategy.Run(t.Context(), opts), &refused)
		assert.Equal(t, field, refused.Field)
	}
}
