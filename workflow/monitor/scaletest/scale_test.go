package scaletest

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// A process is the test binary in a role.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  *json.Encoder
	end io.Closer
	out *json.Decoder
}

func start(t *testing.T, role string, s setup) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{t: t, cmd: exec.CommandContext(t.Context(), self)}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.in, p.end, p.out = json.NewEncoder(in), in, json.NewDecoder(out)
	require.NoError(t, p.cmd.Start())
	p.tell(s)
	return p
}

func (p *process) tell(v any) {
	p.t.Helper()
	require.NoError(p.t, p.in.Encode(v))
}

func (p *process) hear(v any) {
	p.t.Helper()
	require.NoError(p.t, p.out.Decode(v), "the process ended")
}

func (p *process) wait() {
	p.t.Helper()
	require.NoError(p.t, p.end.Close())
	require.NoError(p.t, p.cmd.Wait())
}

// A trial is a run: some instances on one store and one exchange.
type trial struct {
	name      string
	setup     setup
	instances int
	wall      time.Duration // that counts
	filled    string        // a store with the rules, to be copied; empty: they are written anew
}

// An outcome is what a trial measured.
type outcome struct {
	trial
	parts    []result
	exchange float64 // CPU seconds of the simulator while it counted
	seeded   int64   // bytes of the store with the rules, before anything ran
	grown    int64   // bytes that the store grew by
	load     string  // of the computer, at the end
}

// run plays a trial.
func run(t *testing.T, tr trial) outcome {
	t.Helper()
	s := tr.setup
	if s.Store == "" {
		s.Store = filepath.Join(t.TempDir(), "ttai.db")
	}
	s.Quota = (s.Tenants + tr.instances - 1) / tr.instances
	if tr.filled == "" {
		fillAt(t, s)
	} else {
		copyFile(t, tr.filled, s.Store)
	}
	o := outcome{trial: tr, seeded: size(t, s), parts: make([]result, tr.instances)}
	// Quotes stand still until everybody is connected.
	s.Begin = time.Now()
	if !s.Paced && !s.Shared {
		s.Begin = s.Begin.Add(time.Duration(s.Tenants) * 60 * time.Millisecond)
	}
	var venue *process
	if !s.Paced {
		venue = start(t, "exchange", s)
		var at opening
		venue.hear(&at)
		s.Address, s.Accounts = at.Address, at.Accounts
	}
	var instances []*process
	for range tr.instances {
		instances = append(instances, start(t, "instance", s))
	}
	for i, p := range instances {
		p.hear(&o.parts[i])
	}
	spent := func() (u usage) {
		if venue != nil {
			venue.tell(struct{}{})
			venue.hear(&u)
		}
		return u
	}
	<-time.After(time.Until(s.Begin))
	before, bytes := spent(), size(t, s)
	for _, p := range instances {
		p.tell(struct{}{})
	}
	<-time.After(tr.wall) // the market goes on meanwhile
	for _, p := range instances {
		p.tell(struct{}{})
	}
	o.exchange, o.load = spent().CPU-before.CPU, load()
	for i, p := range instances {
		p.hear(&o.parts[i])
		p.wait()
	}
	o.grown = size(t, s) - bytes
	if venue != nil {
		venue.wait()
	}
	return o
}

// fillAt writes the rules of all tenants to a store.
func fillAt(t *testing.T, s setup) {
	t.Helper()
	store, err := openStore(t.Context(), s)
	require.NoError(t, err)
	require.NoError(t, fill(t.Context(), store, s))
	require.NoError(t, store.Close())
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	require.NoError(t, err)
	defer func() { require.NoError(t, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

// load is how busy the computer was in the last minute, where it tells.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// size is how many bytes the store has on disk.
func size(t *testing.T, s setup) int64 {
	t.Helper()
	if strings.HasPrefix(s.Store, "postgres://") {
		return sizeOfSchema(t, s)
	}
	total := int64(0)
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(s.Store + suffix); err == nil {
			total += info.Size()
		}
	}
	return total
}

// total adds up a figure of all instances.
func (o outcome) total(of func(result) float64) float64 {
	sum := 0.0
	for _, r := range o.parts {
		sum += of(r)
	}
	return sum
}

func (o outcome) lag(share float64, of func(result) []int64) time.Duration {
	var all []int64
	for _, r := range o.parts {
		if all == nil {
			all = make([]int64, len(of(r)))
		}
		for i, n := range of(r) {
			all[i] += n
		}
	}
	return lagAt(all, share)
}

func (o outcome) ticks() float64 {
	return o.total(func(r result) float64 { return float64(r.Ticks) / r.Wall.Seconds() })
}
func (o outcome) cpu() float64 {
	return o.total(func(r result) float64 { return r.End.CPU - r.Begin.CPU })
}
func (o outcome) memory() float64 {
	return o.total(func(r result) float64 { return float64(max(r.Begin.Memory, r.End.Memory)) })
}

func whole(r result) []int64  { return r.Whole }
func inside(r result) []int64 { return r.Inside }

// session is how long a day of quotes is.
const session = 6*time.Hour + 30*time.Minute

// report prints what a trial measured.
func (o outcome) report(t *testing.T) {
	t.Helper()
	n := float64(o.setup.Tenants)
	wall := o.parts[0].Wall
	day := session.Seconds() / wall.Seconds() // a session at the computer's pace has as many of this run
	hours := wall.Seconds() * o.setup.Factor / 3600
	fired := o.total(func(r result) float64 { return float64(r.Fired) })
	in := o.total(func(r result) float64 { return float64(r.In) })
	out := o.total(func(r result) float64 { return float64(r.Out) })
	rules := o.total(func(r result) float64 { return float64(r.Rules) })
	ms := func(d time.Duration) string { return fmt.Sprintf("%.3g ms", float64(d)/1e6) }
	t.Logf(`%s: %d tenants, %.0f rules, %d instance(s) on %d processors, load %s
  %v of the computer's time at %v×: %.2f h of the market
  ticks decided            %.0f/s
  CPU of the instances     %.1f s: %.2f of a processor; %.2f µs a tick; %.1f s for each user and day
  CPU of the simulator     %.1f s
  memory                   %.0f MB; %.0f kB a user; %.0f B a rule; %.0f goroutines
  sockets                  %.0f
  bytes on the wire        in %.1f MB, out %.2f MB; %.1f MB in for each user and day
  store                    %.0f B a rule at the start; grew by %.2f MB; %.0f firings, %.0f handed over, %.0f left, %v after the last quote
  change to decision       p50 %s, p99 %s, most %s
  arrival to decision      p50 %s, p99 %s, most %s
  witnesses                %.0f firings counted, %.0f rules differ, %.0f notices twice`,
		o.name, o.setup.Tenants, rules, len(o.parts), runtime.NumCPU(), o.load,
		wall.Round(time.Millisecond), o.setup.Factor, hours,
		o.ticks(),
		o.cpu(), o.cpu()/wall.Seconds(), 1e6*o.cpu()/max(1, o.ticks()*wall.Seconds()), o.cpu()*day/n,
		o.exchange,
		o.memory()/1e6, o.memory()/n/1e3, o.memory()/max(1, rules), o.total(func(r result) float64 { return float64(r.Begin.Goroutines) }),
		o.total(func(r result) float64 { return float64(r.Sockets) }),
		in/1e6, out/1e6, in*day/n/1e6,
		float64(o.seeded)/max(1, n*perTenant), float64(o.grown)/1e6, fired, o.total(func(r result) float64 { return float64(r.Delivered) }), o.total(func(r result) float64 { return float64(r.Left) }), o.parts[0].Behind.Round(time.Millisecond),
		ms(o.lag(0.5, whole)), ms(o.lag(0.99, whole)), ms(o.lag(1, whole)),
		ms(o.lag(0.5, inside)), ms(o.lag(0.99, inside)), ms(o.lag(1, inside)),
		o.total(func(r result) float64 { return float64(r.Checked) }), o.total(func(r result) float64 { return float64(r.Wrong) }), o.total(func(r result) float64 { return float64(r.Twice) }))
}

// right checks what must hold at any speed: every tenant has one instance, what fired
// was told, and the witnesses counted the same.
func (o outcome) right(t *testing.T) {
	t.Helper()
	watched := map[int]int{}
	for _, r := range o.parts {
		for _, i := range r.Tenants {
			watched[i]++
		}
		assert.Zero(t, r.Wrong, r.FirstDisagreement)
		assert.Zero(t, r.Twice, "notices told twice")
		assert.Zero(t, r.Left, "notices not told")
		assert.Equal(t, r.Fired, r.Delivered)
		assert.Equal(t, len(r.Tenants)*perTenant, r.Rules)
	}
	assert.Len(t, watched, o.setup.Tenants)
	for i, n := range watched {
		assert.Equal(t, 1, n, "tenant %d", i)
	}
	assert.Positive(t, o.total(func(r result) float64 { return float64(r.Checked) }), "no witness saw anything fire")
	assert.Positive(t, o.ticks())
}

// wanted skips tests that run by the computer's time over sockets, unless they are
// asked for.
func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("TTAI_SCALE") == "" {
		t.Skip("TTAI_SCALE is neither small nor full")
	}
}

// full tells whether the sizes are those of docs/operations.md.
func full() bool { return os.Getenv("TTAI_SCALE") == "full" }

func base1000(t *testing.T) setup {
	t.Helper()
	if full() {
		s := setup{Tenants: 1000, Shares: 500, Factor: 60, Period: 500 * time.Millisecond, Sample: 5}
		if n, err := strconv.Atoi(os.Getenv("TTAI_SCALE_TENANTS")); err == nil {
			s.Tenants = n
		}
		return s
	}
	return setup{Tenants: 2, Shares: 60, Factor: 1500, Period: 100 * time.Millisecond, Sample: 2}
}

func wallOf(t *testing.T, hours float64, s setup) time.Duration {
	t.Helper()
	return time.Duration(hours * float64(time.Hour) / s.Factor)
}

func hours() float64 {
	if full() {
		return 1
	}
	return 0.3
}

func TestEachTenantOnAQuoteTokenOfItsOwn(t *testing.T) {
	wanted(t)
	s := base1000(t)
	o := run(t, trial{name: "own tokens", setup: s, instances: 1, wall: wallOf(t, hours(), s)})
	o.report(t)
	o.right(t)
	assert.GreaterOrEqual(t, o.total(func(r result) float64 { return float64(r.Sockets) }), float64(s.Tenants), "a websocket for each")
}

// What the engines cost without the wire.
func TestEachTenantOnAFeedWithinTheProcess(t *testing.T) {
	wanted(t)
	if !full() {
		t.Skip("TTAI_SCALE is not full: the second instance's test has such feeds at a small size")
	}
	s := base1000(t)
	s.Paced = true
	o := run(t, trial{name: "own engines, quotes made in the process", setup: s, instances: 1, wall: wallOf(t, hours(), s)})
	o.report(t)
	o.right(t)
}

func TestOneLicensedFeedForAll(t *testing.T) {
	wanted(t)
	s := base1000(t)
	s.Shared = true
	if full() {
		s.Shares, s.Period, s.Factor = 10_000, 100*time.Millisecond, 60
	}
	o := run(t, trial{name: "one feed", setup: s, instances: 1, wall: wallOf(t, hours(), s)})
	o.report(t)
	o.right(t)
}

// One instance may use one processor, two one each. Quotes are made in the instances,
// at the full size more than one instance takes.
func TestASecondInstanceTakesHalfOfTheTenants(t *testing.T) {
	wanted(t)
	s := base1000(t)
	s.Paced, s.Procs = true, 1
	wall := wallOf(t, hours(), s)
	if full() {
		s.Factor, s.Period, wall = 10, 100*time.Millisecond, 20*time.Second
	}
	s.Store = filepath.Join(t.TempDir(), "filled.db")
	fillAt(t, s)
	filled := s.Store
	s.Store = ""
	var ticks, each []float64
	for n := 1; n <= 2; n++ {
		o := run(t, trial{name: fmt.Sprint(n, " instance(s)"), setup: s, instances: n, wall: wall, filled: filled})
		o.report(t)
		o.right(t)
		ticks, each = append(ticks, o.ticks()), append(each, o.ticks()*wall.Seconds()/max(o.cpu(), 1e-3))
	}
	t.Logf("two instances decide %.2f times as many ticks a second as one, and %.2f times as many for a second of CPU", ticks[1]/ticks[0], each[1]/each[0])
	assert.Positive(t, ticks[1]/ticks[0])
}

// The rate is doubled until the market runs away: a tenth of what was offered is not
// decided, because changes of one symbol have become one, or one change in a hundred
// waits for longer than a second.
func TestWhereItBreaksFirst(t *testing.T) {
	wanted(t)
	s := base1000(t)
	s.Paced = true
	periods, wall := []time.Duration{200 * time.Millisecond}, 500*time.Millisecond
	if full() {
		periods, wall = []time.Duration{time.Second, 500 * time.Millisecond, 250 * time.Millisecond, 125 * time.Millisecond}, 15*time.Second
	}
	s.Store = filepath.Join(t.TempDir(), "filled.db")
	fillAt(t, s)
	filled := s.Store
	s.Store = ""
	offers := 0.0 // changes in a period
	for i := range s.Tenants {
		symbols := map[market.Symbol]bool{}
		for _, h := range holdings(i, s.Shares) {
			symbols[h.symbol], symbols[share(h.share)] = true, true
		}
		offers += float64(len(symbols))
	}
	for _, period := range periods {
		s.Period = period
		o := run(t, trial{name: fmt.Sprint("a change every ", period), setup: s, instances: 1, wall: wall, filled: filled})
		o.report(t)
		for _, r := range o.parts {
			assert.Zero(t, r.Wrong, r.FirstDisagreement)
			assert.Zero(t, r.Twice)
		}
		offered, late := offers/period.Seconds(), o.lag(0.99, whole)
		t.Logf("offered %.0f ticks a second, decided %.0f; %.2f processors; p99 %v", offered, o.ticks(), o.cpu()/wall.Seconds(), late)
		if o.ticks() < 0.9*offered || late > time.Second {
			t.Logf("here it breaks")
			break
		}
	}
}

// With a PostgreSQL server: what the same costs there.
func TestOnPostgreSQL(t *testing.T) {
	wanted(t)
	address := os.Getenv("TTAI_TEST_POSTGRES")
	if address == "" {
		t.Skip("TTAI_TEST_POSTGRES names no PostgreSQL server")
	}
	s := base1000(t)
	s.Paced, s.Store, s.Schema = true, address, fmt.Sprintf("ttai_scale_%d", os.Getpid())
	t.Cleanup(func() { dropSchema(t, s) })
	wall := wallOf(t, hours(), s)
	if full() {
		wall = 20 * time.Second
	}
	o := run(t, trial{name: "two instances on PostgreSQL", setup: s, instances: 2, wall: wall})
	o.report(t)
	o.right(t)
}
