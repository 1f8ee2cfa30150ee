package broker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

func TestTheDefaultStateAndJournalObeyTheContext(t *testing.T) {
	gone, stop := context.WithCancel(t.Context())
	stop()
	s := &broker.MemoryState{}
	_, _, err := s.Get(gone, "a")
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.CompareAndSet(gone, "a", 0, nil, 0)
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = s.Get(t.Context(), "a")
	require.ErrorIs(t, err, broker.ErrNoState)
	require.ErrorIs(t, (&broker.MemoryJournal{}).Append(gone, "a", nil), context.Canceled)
}

func TestTheDefaultStateForgetsInTime(t *testing.T) {
	now := deskTime
	s := &broker.MemoryState{Now: func() time.Time { return now }}
	_, err := s.CompareAndSet(t.Context(), "a", 0, []byte("x"), time.Minute)
	require.NoError(t, err)
	now = now.Add(time.Minute - 1)
	_, _, err = s.Get(t.Context(), "a")
	require.NoError(t, err)
	now = now.Add(1)
	_, _, err = s.Get(t.Context(), "a")
	require.ErrorIs(t, err, broker.ErrNoState)
	_, err = s.CompareAndSet(t.Context(), "a", 0, []byte("y"), 0)
	require.NoError(t, err)
	now = now.Add(1000 * time.Hour)
	_, _, err = s.Get(t.Context(), "a")
	require.NoError(t, err)
}

func TestTheDefaultJournalReadsFromAnEntryOn(t *testing.T) {
	j := &broker.MemoryJournal{}
	for _, kind := range []string{"a", "b", "c"} {
		require.NoError(t, j.Append(t.Context(), kind, []byte(kind)))
	}
	var got []string
	for e, err := range j.Read(t.Context(), 2) {
		require.NoError(t, err)
		got = append(got, fmt.Sprint(e.Seq, e.Kind, string(e.Data), e.Time.IsZero()))
	}
	assert.Equal(t, []string{"2bbfalse", "3ccfalse"}, got)
	for range j.Read(t.Context(), 0) {
		break
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	for _, err := range j.Read(gone, 0) {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.ErrorIs(t, j.Append(gone, "d", nil), context.Canceled)
}
