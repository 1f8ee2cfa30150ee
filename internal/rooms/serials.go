package rooms

// mostDigits is how long a number at the end of a name may be.
const mostDigits = 18

// serial splits a name into what stands before its number and the number: false
// when there is none, or one that is written in another way than strconv does.
func serial(name string) (prefix string, number uint64, ok bool) {
	at, by := len(name), uint64(1)
	for at > 0 && len(name)-at < mostDigits && name[at-1] >= '0' && name[at-1] <= '9' {
		at--
		number += uint64(name[at]-'0') * by
		by *= 10
	}
	if at == len(name) || name[at] == '0' && at+1 < len(name) || at > 0 && name[at-1] >= '0' && name[at-1] <= '9' {
		return "", 0, false
	}
	return name[:at], number, true
}

// A Set is a set of names. Those that are numbered in their order cost nothing:
// of them it remembers the first and the last.
type Set struct {
	runs   []run
	others map[string]bool
}

// A run is all names of a prefix with the numbers from first to last.
type run struct {
	prefix      string
	first, last uint64
}

// run is the run that has a number, and otherwise one that ends just before it;
// nil when there is neither.
func (s *Set) run(prefix string, number uint64) (found *run, in bool) {
	for i := range s.runs {
		if r := &s.runs[i]; r.prefix == prefix {
			if number >= r.first && number <= r.last {
				return r, true
			}
			if number == r.last+1 {
				found = r
			}
		}
	}
	return found, false
}

// Has tells whether a name is in it.
func (s *Set) Has(name string) bool {
	if prefix, number, ok := serial(name); ok {
		if _, in := s.run(prefix, number); in {
			return true
		}
	}
	return s.others[name]
}

// mostRuns is how many runs there are before names are kept one by one.
const mostRuns = 8

// Add puts a name in it, and tells whether it was not there.
func (s *Set) Add(name string) bool {
	if s.others[name] {
		return false
	}
	if prefix, number, ok := serial(name); ok {
		switch r, in := s.run(prefix, number); {
		case in:
			return false
		case r != nil:
			r.last = number
			return true
		case len(s.runs) < mostRuns:
			s.runs = append(s.runs, run{prefix, number, number})
			return true
		}
	}
	if s.others == nil {
		s.others = map[string]bool{}
	}
	s.others[name] = true
	return true
}

// Delete takes a name out.
func (s *Set) Delete(name string) {
	if prefix, number, ok := serial(name); ok {
		if r, in := s.run(prefix, number); in {
			switch before, after := *r, *r; {
			case r.first == r.last:
				for i := range s.runs {
					if &s.runs[i] == r {
						s.runs = append(s.runs[:i], s.runs[i+1:]...)
						return
					}
				}
			case number == r.first:
				r.first++
			case number == r.last:
				r.last--
			default:
				before.last, after.first = number-1, number+1
				*r = after
				s.runs = append(s.runs, before)
			}
			return
		}
	}
	delete(s.others, name)
}
