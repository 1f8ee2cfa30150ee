package conflate_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/conflate"
	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) { deptest.Check(t, deptest.Allow{}) }

// take reads what waits, "gap" for a gap.
func take(t *testing.T, q *conflate.Queue[string]) (keys []string, gaps []conflate.Gap) {
	t.Helper()
	q.End(errOver)
	for {
		key, gap, err := q.Next(t.Context())
		if err != nil {
			require.ErrorIs(t, err, errOver)
			return keys, gaps
		}
		if gap != nil {
			key, gaps = "gap", append(gaps, *gap)
		}
		keys = append(keys, key)
	}
}

var errOver = errors.New("over")

func TestASlowReaderFindsEachKeyOnceAndOneGap(t *testing.T) {
	q := conflate.New[string]()
	at := time.Unix(100, 0)
	for i := range 1000 {
		q.Put("a")
		q.Gap(conflate.Gap{From: at.Add(time.Duration(i) * time.Second), To: at.Add(time.Duration(i+1) * time.Second)})
		q.Put("b")
	}
	keys, gaps := take(t, q)
	assert.Equal(t, []string{"a", "gap", "b"}, keys)
	assert.Equal(t, []conflate.Gap{{From: at, To: at.Add(1000 * time.Second)}}, gaps, "from the first one's beginning to the last one's end")
}

func TestWhatWasReadCanHaveNewsAgain(t *testing.T) {
	q := conflate.New[string]()
	q.Put("a")
	q.Gap(conflate.Gap{})
	for range 2 {
		_, _, err := q.Next(t.Context())
		require.NoError(t, err)
	}
	q.Put("a")
	q.Gap(conflate.Gap{})
	keys, _ := take(t, q)
	assert.Equal(t, []string{"a", "gap"}, keys)
}

func TestWhatIsForgottenIsNotTold(t *testing.T) {
	q := conflate.New[string]()
	for _, k := range []string{"a", "b", "c"} {
		q.Put(k)
	}
	q.Forget("b")
	q.Forget("unknown")
	q.Put("b")
	keys, _ := take(t, q)
	assert.Equal(t, []string{"a", "c", "b"}, keys)

	q = conflate.New[string]()
	q.Put("a")
	q.Gap(conflate.Gap{})
	q.Clear()
	keys, _ = take(t, q)
	assert.Empty(t, keys)
}

func TestTheFirstEndCountsAndNothingComesAfterIt(t *testing.T) {
	q := conflate.New[string]()
	q.Put("a")
	q.End(errOver)
	q.End(errors.New("later"))
	q.Put("b")
	q.Gap(conflate.Gap{})
	keys, _ := take(t, q)
	assert.Equal(t, []string{"a"}, keys)
	assert.ErrorIs(t, q.Err(), errOver)
}

func TestAReaderWaitsForNewsOrItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := conflate.New[string]()
		go func() {
			time.Sleep(time.Second)
			q.Put("a")
		}()
		key, _, err := q.Next(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "a", key)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err = q.Next(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
