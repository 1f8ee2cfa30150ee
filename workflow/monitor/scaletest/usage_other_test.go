//go:build !unix

package scaletest

// cpuSeconds is 0 where the system has no getrusage.
func cpuSeconds() float64 { return 0 }
