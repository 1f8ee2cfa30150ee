package sharedtest

import "flag"

// FixSeeds makes property tests draw the same values in each run, unless the
// command line names another seed. Call it in TestMain before m.Run.
func FixSeeds() {
	if seed := flag.Lookup("rapid.seed"); seed != nil {
		_ = seed.Value.Set("1") // a number is what the flag takes
	}
}
