package monitor

// Entries returns how many thresholds lie in the heaps, dead ones included.
func (c *Core) Entries() int {
	n := 0
	for i := range c.series {
		n += len(c.series[i].rise) + len(c.series[i].fall)
	}
	return n
}
