package rooms_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/rooms"
)

func TestAShelfGivesRoomOnce(t *testing.T) {
	s := rooms.Shelf[int]{Piece: 4}
	var all [][]int
	for i := range 20 {
		room := s.Take(1 + i%6)
		for j := range room {
			require.Zero(t, room[j])
			room[j] = i + 1
		}
		all = append(all, room, append(room, -1)) // which must not reach its neighbour
	}
	for i := range 20 {
		for _, x := range all[2*i] {
			require.Equal(t, i+1, x)
		}
	}
	*s.One() = 7
	assert.Zero(t, *s.One())
}

func TestAListIsWhatWasAdded(t *testing.T) {
	var l rooms.List[int]
	assert.Nil(t, l.All())
	var want []int
	for i := range 5000 {
		require.Equal(t, i, *l.Add(i))
		want = append(want, i)
		if i == 700 || i == 4321 {
			require.Equal(t, want, l.All())
		}
		require.Equal(t, len(want), l.Len())
	}
	require.Equal(t, want, l.All())
	l.Keep(100)
	require.Equal(t, want[4900:], l.All())
	l.Add(-1)
	l.Keep(200)
	require.Equal(t, append(want[4900:], -1), l.All())
}

func TestNamesEndWithTheirNumber(t *testing.T) {
	n := rooms.Names{Prefix: "F"}
	for _, i := range []uint64{0, 1, 2, 63, 64, 65, 1000, 999, 1 << 40, 5} {
		require.Equal(t, "F"+strconv.FormatUint(i, 10), n.Of(i))
	}
	var bare rooms.Names
	for i := range uint64(300) {
		require.Equal(t, strconv.FormatUint(i, 10), bare.Of(i))
	}
}

func TestAnIndexIsAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var x rooms.Index[string, int]
	want := map[string]int{}
	for i := range 20_000 {
		key := strconv.Itoa(random.IntN(1 + i/500%30))
		if random.IntN(2) == 0 {
			x.Set(key, i)
			want[key] = i
		} else {
			x.Delete(key)
			delete(want, key)
		}
		require.Equal(t, len(want), x.Len())
		for k := range 30 {
			key := strconv.Itoa(k)
			got, ok := x.Get(key)
			value, there := want[key]
			require.Equal(t, there, ok)
			require.Equal(t, value, got)
		}
	}
}

// names are some that are numbered and some that only look like it.
func names() []string {
	list := []string{"", "a", "a0", "a00", "a01", "0", "00", "007", "x_1", "x_01", "999999999999999999", "1000000000000000000", "a999999999999999999", "a18446744073709551617"}
	for i := range 30 {
		list = append(list, "a"+strconv.Itoa(i), strconv.Itoa(i), "run"+strconv.Itoa(i)+"_"+strconv.Itoa(i/2), strconv.Itoa(i)+"b")
	}
	return list
}

func TestASetIsASet(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	list := names()
	for range 20 {
		var s rooms.Set
		want := map[string]bool{}
		for range 500 {
			name := list[random.IntN(len(list))]
			if random.IntN(3) > 0 {
				require.Equal(t, !want[name], s.Add(name), "%q", name)
				want[name] = true
			} else {
				s.Delete(name)
				delete(want, name)
			}
			for _, n := range list {
				require.Equal(t, want[n], s.Has(n), "%q after %q", n, name)
			}
		}
	}
}

func TestNumberedNamesCostNothing(t *testing.T) {
	var s rooms.Set
	n := rooms.Names{Prefix: "cross_1_"}
	i := uint64(0)
	s.Add(n.Of(i))
	assert.Less(t, testing.AllocsPerRun(640, func() {
		i++
		if name := n.Of(i); s.Has(name) {
			t.Fatal(name)
		} else {
			s.Add(name)
		}
	}), 0.5)
}
