package scaletest

import "runtime"

// A usage is what a process has used until now.
type usage struct {
	CPU        float64 // seconds; 0 on systems that do not tell
	Memory     uint64  // bytes of heap and stacks in use
	Goroutines int
}

func usageNow() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{CPU: cpuSeconds(), Memory: m.HeapInuse + m.StackInuse, Goroutines: runtime.NumGoroutine()}
}
