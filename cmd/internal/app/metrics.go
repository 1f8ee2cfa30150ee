package app

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Metrics are counters and gauges that a program serves in the text format of
// Prometheus, version 0.0.4. It is safe for concurrent use.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/
type Metrics struct {
	mu       sync.Mutex
	families map[string]*family
	collect  []func(ctx context.Context, set func(name string, value float64, labels ...string))
}

// A family is all that has one name.
type family struct {
	kind, help string
	labels     []string
	values     map[string]float64 // by the labels' text
}

// NewMetrics returns metrics with those of the Go runtime and the process.
func NewMetrics(started time.Time) *Metrics {
	m := &Metrics{families: map[string]*family{}}
	m.Gauge("process_start_time_seconds", "Start of the process in seconds since 1970.")
	m.Gauge("go_goroutines", "Number of goroutines.")
	m.Gauge("go_memstats_heap_alloc_bytes", "Bytes of heap in use.")
	m.Gauge("ttai_build_info", "The program's version.", "version")
	m.Set("process_start_time_seconds", float64(started.UnixMilli())/1000)
	m.Set("ttai_build_info", 1, Version())
	m.Collect(func(_ context.Context, set func(string, float64, ...string)) {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		set("go_goroutines", float64(runtime.NumGoroutine()))
		set("go_memstats_heap_alloc_bytes", float64(memory.HeapAlloc))
	})
	return m
}

// Counter declares what only grows, with the names of its labels. One without
// labels begins at 0.
func (m *Metrics) Counter(name, help string, labels ...string) {
	m.declare(name, "counter", help, labels)
}

// Gauge declares what goes up and down.
func (m *Metrics) Gauge(name, help string, labels ...string) { m.declare(name, "gauge", help, labels) }

func (m *Metrics) declare(name, kind, help string, labels []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &family{kind: kind, help: help, labels: labels, values: map[string]float64{}}
	if len(labels) == 0 {
		f.values[""] = 0
	}
	m.families[name] = f
}

// Add adds to a declared metric; the labels' values stand in the order of their
// names. What was not declared is a mistake of the program, and panics.
func (m *Metrics) Add(name string, by float64, labels ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.families[name]
	f.values[f.key(name, labels)] += by
}

// Set sets a declared metric.
func (m *Metrics) Set(name string, to float64, labels ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.families[name]
	f.values[f.key(name, labels)] = to
}

// Collect has f called at each look, to set gauges that cost something to know.
func (m *Metrics) Collect(f func(ctx context.Context, set func(name string, value float64, labels ...string))) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.collect = append(m.collect, f)
}

// escapes are those of label values.
var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (f *family) key(name string, labels []string) string {
	if len(labels) != len(f.labels) {
		panic(fmt.Sprintf("metric %s has the labels %v, not %d", name, f.labels, len(labels)))
	}
	if len(labels) == 0 {
		return ""
	}
	parts := make([]string, len(labels))
	for i, v := range labels {
		parts[i] = f.labels[i] + `="` + escapes.Replace(v) + `"`
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// collectTime bounds how long gauges may take to be known.
const collectTime = 5 * time.Second

// ServeHTTP writes all metrics.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), collectTime)
	defer cancel()
	m.mu.Lock()
	collect := slices.Clone(m.collect)
	m.mu.Unlock()
	for _, f := range collect {
		f(ctx, m.Set)
	}
	m.mu.Lock()
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(m.families)) {
		f := m.families[name]
		if len(f.values) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, f.help, name, f.kind)
		for _, labels := range slices.Sorted(maps.Keys(f.values)) {
			fmt.Fprintf(&b, "%s%s %s\n", name, labels, strconv.FormatFloat(f.values[labels], 'g', -1, 64))
		}
	}
	m.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // who asked may have gone
}
