package schedule

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"math/bits"
	"time"
)

// setBack is how far behind the last occurrence dealt with the clock may be before
// the job begins anew at what it shows: by less it is waited for.
const setBack = time.Hour

// Bounds of what is looked at and kept of a gap.
const (
	mostLooked = 20_000
	mostListed = 100
)

// begins is when an occurrence's run is to begin: its time and its jitter, which is
// less than the job's and the same in every process.
func (b *Board) begins(job Job, o Occurrence) time.Time {
	if job.Jitter <= 0 {
		return o.At
	}
	h := fnv.New64a()
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], b.opts.Seed)
	h.Write(seed[:])
	h.Write([]byte(job.Name + "/" + o.Session))
	// FNV's low bits change with the last bytes only: mix them, as in SplitMix64.
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	share, _ := bits.Mul64(x^x>>31, uint64(job.Jitter)) // ⌊jitter · x / 2⁶⁴⌋
	return o.At.Add(time.Duration(share))
}

// A plan is what is to be done with a job at one time.
type plan struct {
	through time.Time
	next    time.Time // when the next occurrence begins; zero: none is known
	run     []Input   // oldest first
	skipped gap
	missed  gap // all that were missed, made up for or not
}

// A gap counts missed occurrences.
type gap struct {
	count       int
	first, last Occurrence
}

func (g *gap) add(o Occurrence) {
	if g.count == 0 {
		g.first = o
	}
	g.last = o
	g.count++
}

// A backlog is the newest of some occurrences, and how many they are.
type backlog struct {
	gap
	newest []Occurrence // at most mostListed, oldest first
}

func (l *backlog) add(o Occurrence) {
	l.gap.add(o)
	if l.newest = append(l.newest, o); len(l.newest) > 2*mostListed {
		l.newest = append(l.newest[:0], l.newest[len(l.newest)-mostListed:]...)
	}
}

// last returns the newest n.
func (l *backlog) lastOf(n int) []Occurrence { return l.newest[max(0, len(l.newest)-n):] }

// plan says what is to be done at now with what came since the row's Through.
func (b *Board) plan(ctx context.Context, job Job, since, now time.Time) (plan, error) {
	p := plan{through: since}
	var missed, due backlog
	oldest := now.Add(-job.within())
	from := since
	for looked := 0; ; {
		again := false
		for o, err := range job.Trigger.All(ctx, b.world, from) {
			if err != nil {
				// What is known is run, and all is looked at again: whatever has a run
				// then is known by it.
				p.through = since
				p.choose(job, missed, due)
				p.skipped, p.missed = gap{}, gap{}
				return p, err
			}
			begin := b.begins(job, o)
			if begin.After(now) {
				p.next = begin
				break
			}
			p.through = o.At
			late := now.Sub(begin)
			switch {
			case late <= job.grace():
				due.add(o)
			case begin.Before(oldest):
				p.skipped.add(o)
				p.missed.add(o)
				if looked++; looked == mostLooked {
					from, again = oldest.Add(-job.Jitter-time.Nanosecond), true
				}
			default:
				missed.add(o)
				p.missed.add(o)
			}
			if again {
				break
			}
		}
		if !again {
			break
		}
	}
	p.choose(job, missed, due)
	return p, nil
}

// choose turns what was missed and what is due into runs.
func (p *plan) choose(job Job, missed, due backlog) {
	input := func(o Occurrence, late bool) Input {
		return Input{Job: job.Name, Occurrence: o, Missed: late, Data: job.Data}
	}
	skip := func(l backlog, kept []Occurrence) {
		left := l.count - len(kept)
		if left == 0 {
			return
		}
		last := l.last
		if i := len(l.newest) - len(kept) - 1; i >= 0 {
			last = l.newest[i]
		}
		if p.skipped.count == 0 {
			p.skipped.first = l.first
		}
		p.skipped.last = last
		p.skipped.count += left
	}
	switch {
	case missed.count > 0 && job.missed() == Merge:
		all := missed
		for _, o := range due.newest {
			all.add(o)
		}
		list := all.lastOf(mostListed + 1)
		in := input(list[len(list)-1], due.count == 0)
		in.Merged, in.MergedCount = list[:len(list)-1], all.count-1
		p.run = append(p.run, in)
		return
	case missed.count > 0 && job.missed() == CatchUp:
		kept := missed.lastOf(job.most())
		skip(missed, kept)
		for _, o := range kept {
			p.run = append(p.run, input(o, true))
		}
	case missed.count > 0:
		skip(missed, nil)
	}
	for _, o := range due.lastOf(mostListed) {
		p.run = append(p.run, input(o, false))
	}
}
