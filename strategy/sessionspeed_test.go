package strategy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

func TestABarThatChangesNothingAllocatesNothing(t *testing.T) {
	b := newCounter(t, built(t, "ma-cross", `{"symbol":"ACME","fast":20,"slow":80}`))
	day := time.Date(2020, 1, 2, 0, 0, 0, 0, market.NYSE().Location())
	e := strategy.Event{Kind: strategy.BarEvent, Symbol: "ACME", Bar: market.Bar{Open: 1, High: 1, Low: 1, Close: 1}}
	allocs := testing.AllocsPerRun(1000, func() {
		day = day.Add(time.Minute)
		e.Time, e.Bar.Time = day.Add(time.Minute), day
		if err := b.s.Deliver(&e); err != nil {
			t.Fatal(err)
		}
	})
	assert.Zero(t, allocs)
}

func BenchmarkMovingAverageCross(b *testing.B) {
	st := built(b, "ma-cross", `{"symbol":"ACME","fast":20,"slow":80}`)
	r := newReplay(b, st, tuesdayAt10)
	bars := walk(5, 4096)
	for i := range bars { // it goes up for ever: nothing to do but to look
		bars[i].Close = 100 + float64(i)/100
	}
	e := strategy.Event{Kind: strategy.BarEvent, Symbol: "ACME"}
	at := tuesdayAt10
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		at = at.Add(time.Minute)
		e.Bar = bars[i&4095]
		e.Bar.Close += float64(i &^ 4095)
		e.Time, e.Bar.Time = at.Add(time.Minute), at
		if err := r.session.Deliver(&e); err != nil {
			b.Fatal(err)
		}
	}
}
