package notify_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/files"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/notify"
)

// One program accepts and ends; another, on the same file, sends, once.
func TestWhatWasAcceptedIsSentByAnotherProgramOnTheSameFile(t *testing.T) {
	dir := t.TempDir()
	open := func() (storage.Tenant, func()) {
		records, err := sqlite.Open(t.Context(), filepath.Join(dir, "ttai.db"), nil)
		require.NoError(t, err)
		objects, err := files.Open(filepath.Join(dir, "objects"), nil)
		require.NoError(t, err)
		store := storage.Combine(records, storage.Parts{Objects: objects})
		tenant, err := store.For(storage.Local)
		require.NoError(t, err)
		return tenant, func() { require.NoError(t, store.Close()) }
	}
	note := notify.Notification{User: "ann", Title: "one", Key: "k", Attachments: []notify.Attachment{svg}}
	options := func(p *pretend) *notify.Options {
		return &notify.Options{Senders: map[notify.Kind]notify.Sender{"pretend": p}, Batches: workflow.Batches{Wait: 20 * time.Millisecond}}
	}

	tenant, end := open()
	s, err := notify.New(tenant, options(&pretend{}))
	require.NoError(t, err)
	require.NoError(t, s.Add(t.Context(), notify.Channel{ID: "a", User: "ann", Kind: "pretend"}, nil))
	r, err := s.Notify(t.Context(), note)
	require.NoError(t, err)
	assert.False(t, r.Duplicate)
	end()

	tenant, end = open()
	defer end()
	p := &pretend{}
	sent := make(chan notify.Outcome, 8)
	o := options(p)
	o.Observer = func(x notify.Outcome) { sent <- x }
	s, err = notify.New(tenant, o)
	require.NoError(t, err)
	again, err := s.Notify(t.Context(), note)
	require.NoError(t, err)
	assert.True(t, again.Duplicate)
	assert.Equal(t, r.ID, again.ID)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	assert.Equal(t, "sent", (<-sent).State)
	cancel()
	require.NoError(t, <-done)
	assert.Equal(t, []string{"one"}, p.titles("a"))
	assert.Equal(t, []notify.Attachment{svg}, p.last().message.Attachments)
}
