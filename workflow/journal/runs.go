package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
)

// The collections that an engine keeps.
const (
	runsOf    = "workflow.runs"
	stepsOf   = "workflow.steps"
	signalsOf = "workflow.signals"
	cancelsOf = "workflow.cancels"
)

// A run is what is kept of a run.
type run struct {
	workflow.Status
	Owner string `json:"owner,omitempty"` // the name of its engine's lease
	Token uint64 `json:"token,omitempty"` // of that lease
}

func (e *Engine) kind() *storage.Collection[run] {
	return storage.NewCollection(e.records, storage.Kind[run]{
		Collection: runsOf,
		ID:         func(r *run) string { return r.ID },
		Fields: func(r *run) []storage.Field {
			fields := []storage.Field{storage.Text("state", string(r.State))}
			if r.Owner != "" {
				fields = append(fields, storage.Text("owner", r.Owner))
			}
			return fields
		},
	})
}

func (e *Engine) get(ctx context.Context, id string) (storage.Stored[run], error) {
	if err := workflow.CheckID(id); err != nil {
		return storage.Stored[run]{}, err
	}
	s, err := e.kind().Get(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf("%w: %q", workflow.ErrNoRun, id)
	}
	return s, err
}

// Start makes a run and executes it here.
func (e *Engine) Start(ctx context.Context, id, name string, input any) (workflow.Status, error) {
	data, err := workflow.Encode("input", input)
	if err != nil {
		return workflow.Status{}, err
	}
	return e.start(ctx, id, name, "", data)
}

func (e *Engine) start(ctx context.Context, id, name, parent string, input json.RawMessage) (workflow.Status, error) {
	if err := workflow.CheckID(id); err != nil {
		return workflow.Status{}, err
	}
	w, err := e.catalog.Newest(name)
	if err != nil {
		return workflow.Status{}, err
	}
	var a *active
	for a == nil {
		changed := e.changed(id)
		if a, err = e.reserve(id); err != nil {
			return workflow.Status{}, err
		}
		if a != nil {
			break
		}
		s, err := e.same(ctx, id, name)
		if !errors.Is(err, workflow.ErrNoRun) {
			return s, err
		}
		select { // another caller is just making it
		case <-ctx.Done():
			return workflow.Status{}, ctx.Err()
		case <-e.ctx.Done():
			return workflow.Status{}, workflow.ErrClosed
		case <-changed:
		}
	}
	lease := e.owner()
	r := run{Status: workflow.Status{
		ID: id, Name: name, Version: w.Version, State: workflow.Running, Input: input,
		Parent: parent, Started: e.opts.Clock.Now(), Epoch: 1,
	}, Owner: lease.Name, Token: lease.Token}
	version, err := e.kind().Create(ctx, r)
	if err != nil {
		e.leave(id, a)
		e.unsure.Store(true) // it may have been made
		if errors.Is(err, storage.ErrConflict) {
			return e.same(ctx, id, name)
		}
		return workflow.Status{}, err
	}
	go e.execute(a, r, version, w)
	return r.Status, nil
}

// same returns the run that has the id already.
func (e *Engine) same(ctx context.Context, id, name string) (workflow.Status, error) {
	s, err := e.get(ctx, id)
	if err == nil && s.Value.Name != name {
		return workflow.Status{}, fmt.Errorf("%w: %q is a run of %s", workflow.ErrOtherRun, id, s.Value.Name)
	}
	return s.Value.Status, err
}

// Status returns where a run stands.
func (e *Engine) Status(ctx context.Context, id string) (workflow.Status, error) {
	s, err := e.get(ctx, id)
	return s.Value.Status, err
}

// Wait returns the status of a run once it is final.
func (e *Engine) Wait(ctx context.Context, id string) (workflow.Status, error) {
	for {
		changed := e.changed(id)
		s, err := e.Status(ctx, id)
		if err != nil || s.State.Final() {
			return s, err
		}
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-e.ctx.Done():
			return s, workflow.ErrClosed
		case <-changed:
		}
	}
}

// History returns what a run recorded.
func (e *Engine) History(ctx context.Context, id string) ([]workflow.Entry, error) {
	if _, err := e.get(ctx, id); err != nil {
		return nil, err
	}
	return e.entries(ctx, id)
}

// List returns runs by state.
func (e *Engine) List(ctx context.Context, state workflow.State, after string, limit int) ([]workflow.Status, error) {
	if limit < 1 || limit > 1000 {
		return nil, fieldError("limit", limit, "1 to 1000")
	}
	q := storage.RecordQuery{Limit: limit}
	if state != "" {
		q.Where = []storage.Field{storage.Text("state", string(state))}
	}
	if after != "" { // bounds are inclusive, and the next id is the same with a NUL, which none has
		q.From = &storage.Field{Text: after}
		q.Limit = min(limit+1, 1000)
	}
	var out []workflow.Status
	for s, err := range e.kind().All(ctx, q) {
		if err != nil {
			return nil, err
		}
		if s.Value.ID == after {
			continue
		}
		if out = append(out, s.Value.Status); len(out) == limit {
			break
		}
	}
	return out, nil
}

// Signal sends a payload to a run.
func (e *Engine) Signal(ctx context.Context, id, name string, payload any) error {
	if err := storage.CheckName("name", name); err != nil {
		return err
	}
	data, err := workflow.Encode("payload", payload)
	if err != nil {
		return err
	}
	s, err := e.get(ctx, id)
	if err != nil {
		return err
	}
	if s.Value.State.Final() {
		return fmt.Errorf("%w: %q is %s", workflow.ErrFinal, id, s.Value.State)
	}
	for {
		last, err := e.records.List(ctx, signalsOf, storage.RecordQuery{Where: signalOf(id, name), Desc: true, Limit: 1})
		if err != nil {
			return err
		}
		n := 0
		if len(last.Records) > 0 {
			number := last.Records[0].ID[strings.LastIndexByte(last.Records[0].ID, '/')+1:]
			if n, err = strconv.Atoi(number); err != nil {
				return fmt.Errorf("signals of %q: %w", id, storage.ErrCorrupt)
			}
			n++
		}
		_, err = e.records.Write(ctx, storage.RecordWrite{
			Op: storage.OpCreate, Collection: signalsOf, ID: fmt.Sprintf("%s/%s/%012d", id, name, n),
			Data: data, Fields: append(signalOf(id, name), storage.Text("run", id)),
		})
		if errors.Is(err, storage.ErrConflict) {
			continue // somebody else sent one at the same time
		}
		if err == nil {
			e.tell(ctx, changedTopic, id)
		}
		return err
	}
}

func signalOf(id, name string) []storage.Field {
	return []storage.Field{storage.Text("await", id+"/"+name)}
}

// Cancel ends the context of a run, here or wherever it is executed.
func (e *Engine) Cancel(ctx context.Context, id, reason string) error {
	data, err := workflow.Encode("reason", reason)
	if err != nil {
		return err
	}
	for {
		s, err := e.get(ctx, id)
		if err != nil || s.Value.State.Final() {
			return err
		}
		// The check keeps a cancellation from outliving a run that ends meanwhile.
		_, err = e.records.Write(ctx,
			storage.RecordWrite{Op: storage.OpCheck, Collection: runsOf, ID: id, Version: s.Version},
			storage.RecordWrite{Op: storage.OpPut, Collection: cancelsOf, ID: id, Data: data})
		if errors.Is(err, storage.ErrConflict) {
			continue
		}
		if err == nil {
			e.cancelActive(id)
			e.tell(ctx, cancelTopic, id)
		}
		return err
	}
}

// cancelReason returns why a run was cancelled; false when it was not.
func (e *Engine) cancelReason(ctx context.Context, id string) (string, bool, error) {
	r, err := e.records.Get(ctx, cancelsOf, id)
	if errors.Is(err, storage.ErrNotFound) {
		return "", false, nil
	}
	var reason string
	if err == nil {
		err = json.Unmarshal(r.Data, &reason)
	}
	return reason, err == nil, err
}

// Forget removes a run that has ended, with all that it recorded. ErrNoRun; one
// that has not ended is a *FieldError. Its children are runs of their own.
func (e *Engine) Forget(ctx context.Context, id string) error {
	s, err := e.get(ctx, id)
	if err != nil {
		return err
	}
	if !s.Value.State.Final() {
		return fieldError("id", id, "a run that has ended")
	}
	for _, collection := range []string{signalsOf, stepsOf} {
		for {
			page, err := e.records.List(ctx, collection, storage.RecordQuery{Where: []storage.Field{storage.Text("run", id)}, Limit: 500})
			if err != nil {
				return err
			}
			if len(page.Records) == 0 {
				break
			}
			writes := make([]storage.RecordWrite, len(page.Records))
			for i, r := range page.Records {
				writes[i] = storage.RecordWrite{Op: storage.OpDelete, Collection: collection, ID: r.ID}
			}
			if _, err := e.records.Write(ctx, writes...); err != nil {
				return err
			}
		}
	}
	_, err = e.records.Write(ctx, storage.RecordWrite{Op: storage.OpDelete, Collection: cancelsOf, ID: id},
		storage.RecordWrite{Op: storage.OpDelete, Collection: runsOf, ID: id})
	return err
}
