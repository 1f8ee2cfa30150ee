package paper_test

// firstDifference shows where two texts part.
func firstDifference(a, b string) string {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			from := max(0, i-150)
			return a[from:min(i+80, len(a))] + "\n≠\n" + b[from:min(i+80, len(b))]
		}
	}
	return "one is longer"
}
