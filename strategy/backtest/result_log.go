package backtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"math"
	"sync"

	"github.com/ttai-go/ttai/broker"
)

// A Log keeps the lines of a run, so that any number of readers can follow it, come
// late, and come back after the last line they saw. It is an [Observer]. It is safe
// for concurrent use.
type Log struct {
	limit int

	mu       sync.Mutex
	lines    [][]byte // each with its newline
	first    int64    // the number of lines[0]
	size     int
	accounts []broker.AccountID
	progress []byte // the latest
	changes  int64  // of progress
	ended    bool
	changed  chan struct{} // closed at the next change
}

// DefaultLogBytes is how much of a log is kept when nothing else is said.
const DefaultLogBytes = 64 << 20

// NewLog returns a log that keeps at most limit bytes: then the oldest lines are
// given up, and readers that come for them are told by a line of kind gap. 0 means
// [DefaultLogBytes].
func NewLog(limit int) *Log {
	if limit <= 0 {
		limit = DefaultLogBytes
	}
	return &Log{limit: limit, first: 1, changed: make(chan struct{})}
}

// Observe keeps what happens in a run.
func (l *Log) Observe(item *Item) error {
	return l.Add(l.line(item))
}

// line translates an item.
func (l *Log) line(item *Item) Line {
	out := Line{Time: item.Time}
	if item.Begin != nil {
		l.mu.Lock()
		for _, s := range item.Begin.Strategies {
			l.accounts = append(l.accounts, s.Account)
		}
		l.mu.Unlock()
	}
	if item.Account >= 0 && item.Account < len(l.accounts) {
		out.Account = l.accounts[item.Account]
	}
	switch {
	case item.Begin != nil:
		out.Kind, out.Begin = "begin", item.Begin
	case item.Point != nil:
		v := newPointLine(*item.Point)
		out.Kind, out.Point = "point", &v
	case item.Order != nil:
		v := newOrderLine(*item.Order)
		out.Kind, out.Order = "order", &v
	case item.Fill != nil:
		v := newFillLine(*item.Fill)
		out.Kind, out.Fill = "fill", &v
	case item.Trade != nil:
		v := newTradeLine(*item.Trade)
		out.Kind, out.Trade = "trade", &v
	case item.Transaction != nil:
		v := newTransactionLine(*item.Transaction)
		out.Kind, out.Transaction = "transaction", &v
	case item.Note != nil:
		v := newNoteLine(*item.Note)
		out.Kind, out.Note = "note", &v
	case item.Greeks != nil:
		v := newGreeksLine(*item.Greeks)
		out.Kind, out.Greeks = "greeks", &v
	}
	return out
}

// Add appends a line, whose number it sets.
func (l *Log) Add(line Line) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil
	}
	line.N = l.first + int64(len(l.lines))
	data, err := encodeLine(line)
	if err != nil {
		return err
	}
	l.lines = append(l.lines, data)
	l.size += len(data)
	drop := 0
	for l.size > l.limit && drop < len(l.lines)-1 {
		l.size -= len(l.lines[drop])
		drop++
	}
	if drop > 0 {
		// Copied now and then, so that what was given up is freed.
		clear(l.lines[:drop])
		l.lines, l.first = l.lines[drop:], l.first+int64(drop)
	}
	l.ended = line.End != nil
	l.wake()
	return nil
}

// Progress tells those who are watching how far it is. It is not kept.
func (l *Log) Progress(p Progress) {
	v := newProgressLine(p)
	data, err := encodeLine(Line{Kind: "progress", Progress: &v})
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.progress = data
		l.changes++
		l.wake()
	}
}

func (l *Log) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func encodeLine(line Line) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(line); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Len is the number of the last line.
func (l *Log) Len() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first + int64(len(l.lines)) - 1
}

// Ended tells whether the last line was written.
func (l *Log) Ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// batch is how many lines a reader takes at once, so that it holds the log briefly.
const batch = 512

// take returns lines after a number without waiting, and what changes next.
func (l *Log) take(after, seen int64) (lines [][]byte, gap *GapLine, progress []byte, changes int64, ended bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after+1 < l.first {
		gap = &GapLine{after + 1, l.first - 1}
		after = l.first - 1
	}
	from := min(max(after+1-l.first, 0), int64(len(l.lines)))
	to := min(from+batch, int64(len(l.lines)))
	lines = l.lines[from:to:to]
	if l.changes > seen && to == int64(len(l.lines)) {
		progress = l.progress
	}
	return lines, gap, progress, l.changes, l.ended && to == int64(len(l.lines)), l.changed
}

// All yields the lines after a number, each as JSON with its newline, and waits for
// those to come: until the last one, or until ctx ends, whose error is then
// yielded. Lines must not be changed.
func (l *Log) All(ctx context.Context, after int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		at, seen := seenLine(after), int64(0)
		for {
			lines, gap, progress, changes, ended, changed := l.take(at, seen)
			if gap != nil {
				data, err := encodeLine(Line{Kind: "gap", Gap: gap})
				if !yield(data, err) {
					return
				}
				at = gap.To
			}
			for _, line := range lines {
				if !yield(line, nil) {
					return
				}
				at++
			}
			if progress != nil {
				seen = changes
				if !ended && !yield(progress, nil) {
					return
				}
			}
			if ended {
				return
			}
			if len(lines) > 0 {
				continue
			}
			select {
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			case <-changed:
			}
		}
	}
}

// seenLine keeps the number of a line where the next one has a number, too.
func seenLine(n int64) int64 { return min(max(n, 0), math.MaxInt64-1) }

// Lines returns up to most lines after a number that are there now, and whether the
// run has ended with them.
func (l *Log) Lines(after int64, most int) (lines [][]byte, ended bool) {
	at := seenLine(after)
	for len(lines) < most {
		got, gap, _, _, over, _ := l.take(at, 0)
		if gap != nil {
			if data, err := encodeLine(Line{Kind: "gap", Gap: gap}); err == nil {
				lines = append(lines, data)
			}
			at = gap.To
		}
		if over && len(got) <= most-len(lines) {
			return append(lines, got...), true
		}
		if len(got) == 0 {
			return lines, false
		}
		got = got[:min(len(got), most-len(lines))]
		lines = append(lines, got...)
		at += int64(len(got))
	}
	return lines, false
}

// CopyTo writes the lines after a number to w as they come: see [Log.All]. Each
// goes out at once when w is a flusher, as an http.ResponseWriter is.
func (l *Log) CopyTo(ctx context.Context, w io.Writer, after int64) error {
	flusher, _ := w.(interface{ Flush() })
	for line, err := range l.All(ctx, after) {
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
		if flusher != nil {
			flusher.Flush()
		}
	}
	return nil
}
