package dxlink

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMoreGapsThanAreKeptAreJoined(t *testing.T) {
	var b buffer[int]
	b.init(KeepAll, 2)
	base := time.Unix(1_789_000_000, 0)
	const rounds = mostGaps + 100
	for i := range rounds {
		for range 3 {
			b.put(&i, nil, false, place{})
		}
		b.gap(Gap{Since: base.Add(time.Duration(i) * time.Minute), Until: base.Add(time.Duration(i)*time.Minute + time.Second), Losses: 1})
	}
	var e int
	var g, last Gap
	losses, gaps, events := 0, 0, 0
	for {
		what, _ := b.take(&e, &g)
		if what == nothing {
			break
		}
		if what == anEvent {
			events++
			assert.Equal(t, rounds-1, e)
			continue
		}
		gaps++
		losses += g.Losses
		assert.True(t, g.Since.After(last.Since))
		last = g
	}
	assert.Equal(t, mostGaps, gaps)
	assert.Equal(t, rounds, losses, "none is lost")
	assert.Equal(t, base.Add((rounds-1)*time.Minute+time.Second), last.Until, "the last one reaches to the end")
	assert.Equal(t, 2, events)
}

// TestTheBufferKeepsWhatItsPolicySays compares it with a slice that is searched.
func TestTheBufferKeepsWhatItsPolicySays(t *testing.T) {
	type event struct{ symbol, index, n int }
	type item struct {
		e     event
		plain bool // may be replaced
		gap   bool
	}
	for _, policy := range []Policy{Conflate, KeepAll} {
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(seed, 7))
			size := 1 + r.IntN(12)
			byIndex := seed%2 == 0
			var b buffer[event]
			b.init(policy, size)
			slots := make([]slot, 4)
			var model []item
			dropped := uint64(0)
			count := func() (n int) {
				for _, it := range model {
					if !it.gap {
						n++
					}
				}
				return n
			}
			for n := range 2000 {
				switch r.IntN(10) {
				case 0:
					b.gap(Gap{Losses: 1})
					model = append(model, item{gap: true})
				case 1, 2, 3:
					var e event
					var g Gap
					what, _ := b.take(&e, &g)
					if len(model) == 0 {
						require.Equal(t, nothing, what)
						continue
					}
					want := model[0]
					model = model[1:]
					require.Equal(t, want.gap, what == aGap)
					if !want.gap {
						require.Equal(t, want.e, e)
					}
				default:
					e := event{r.IntN(4), r.IntN(3), n}
					at := place{index: int64(e.index)}
					if r.IntN(4) == 0 {
						at.flags = TxPending
					}
					s := &slots[e.symbol]
					if policy != Conflate {
						s = nil
					}
					b.put(&e, s, byIndex, at)
					replaced := false
					for i := len(model) - 1; i >= 0 && !model[i].gap && policy == Conflate && at.flags == 0; i-- {
						o := model[i]
						if o.e.symbol == e.symbol && !o.plain {
							break // nothing moves before a part of a snapshot
						}
						if o.plain && o.e.symbol == e.symbol && (!byIndex || o.e.index == e.index) {
							model[i].e, replaced = e, true
							dropped++
							break
						}
					}
					if replaced {
						continue
					}
					if count() == size {
						for i := range model { // gaps stay
							if !model[i].gap {
								model = append(model[:i:i], model[i+1:]...)
								break
							}
						}
						dropped++
					}
					model = append(model, item{e: e, plain: at.flags == 0})
				}
				waiting, lost, _, _ := b.counts()
				require.Equal(t, count(), waiting)
				require.Equal(t, dropped, lost)
				require.LessOrEqual(t, waiting, size)
			}
			for i := range slots {
				assert.LessOrEqual(t, len(slots[i].indices), 64+2*size)
			}
		}
	}
}
