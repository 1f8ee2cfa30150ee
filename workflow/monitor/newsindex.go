package monitor

import (
	"hash/fnv"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ttai-go/ttai/market"
)

// A newsIndex finds the rules that a story is for by its symbols and words: a
// story costs its words and the rules it may be for.
type newsIndex struct {
	bySymbol map[market.Symbol][]uint32
	byWord   map[string][]uint32 // by the first word of a keyword, for rules without symbols
	seen     *seenSet
}

func newNewsIndex(n int) *newsIndex {
	return &newsIndex{bySymbol: map[market.Symbol][]uint32{}, byWord: map[string][]uint32{}, seen: newSeenSet(n)}
}

func (x *newsIndex) add(n uint32, r *Rule) {
	if len(r.Symbols) > 0 {
		for _, s := range r.Symbols {
			if !slices.Contains(x.bySymbol[s], n) {
				x.bySymbol[s] = append(x.bySymbol[s], n)
			}
		}
		return
	}
	for _, k := range r.Keywords {
		if w := words(k)[0]; !slices.Contains(x.byWord[w], n) {
			x.byWord[w] = append(x.byWord[w], n)
		}
	}
}

func (x *newsIndex) remove(n uint32, r *Rule) {
	same := func(m uint32) bool { return m == n }
	for _, s := range r.Symbols {
		if x.bySymbol[s] = slices.DeleteFunc(x.bySymbol[s], same); len(x.bySymbol[s]) == 0 {
			delete(x.bySymbol, s)
		}
	}
	for _, k := range r.Keywords {
		w := words(k)[0]
		if x.byWord[w] = slices.DeleteFunc(x.byWord[w], same); len(x.byWord[w]) == 0 {
			delete(x.byWord, w)
		}
	}
}

// words returns the words of a text in lower case: letters, digits, and what
// stands within them in "AT&T" and "U.S.".
func words(text string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '&' && c != '.' && c != '\'' && c != '’'
	}) {
		w = strings.TrimSuffix(strings.ReplaceAll(w, "’", "'"), "'s")
		if w = strings.Trim(w, ".&'"); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// Story takes a story and tells the rules it is for. A story that was seen before,
// from whatever source, is told to none.
func (c *Core) Story(s market.Story, at time.Time) []Firing {
	c.begin(at)
	if !c.stories.seen.add(&s) {
		return c.fired
	}
	text := words(s.Headline + " . " + s.Summary)
	var hits []uint32
	for _, sym := range s.Symbols {
		hits = append(hits, c.stories.bySymbol[sym]...)
	}
	for _, w := range text {
		hits = append(hits, c.stories.byWord[w]...)
	}
	slices.SortFunc(hits, func(a, b uint32) int {
		x, y := &c.rules[a], &c.rules[b]
		if x.tenant != y.tenant {
			return int(x.tenant) - int(y.tenant)
		}
		return strings.Compare(x.id, y.id)
	})
	for _, n := range slices.Compact(hits) {
		r := c.rules[n].spec
		if !s.Time.IsZero() && s.Time.UnixNano() < c.rules[n].created-int64(time.Minute) {
			continue // it was there before the rule was
		}
		if len(r.Keywords) > 0 && !slices.ContainsFunc(r.Keywords, func(k string) bool { return containsPhrase(text, words(k)) }) {
			continue
		}
		c.tellStory(n, &s)
	}
	return c.fired
}

func (c *Core) tellStory(n uint32, s *market.Story) {
	r := &c.rules[n]
	r.fires++
	f := Firing{
		Tenant: c.owners[r.tenant].id, Rule: r.id, Kind: KindNews, N: r.fires, Time: time.Unix(0, c.now).UTC(),
		Value: math.NaN(), Threshold: math.NaN(), Story: s, State: State{Fires: r.fires, Fired: time.Unix(0, c.now).UTC(), Done: !r.repeat},
	}
	for _, sym := range s.Symbols {
		if slices.Contains(r.spec.Symbols, sym) {
			f.Symbol = sym
			break
		}
	}
	if !r.repeat {
		c.drop(n)
	}
	c.fired = append(c.fired, f)
}

func containsPhrase(text, phrase []string) bool {
	for i := 0; i+len(phrase) <= len(text); i++ {
		if slices.Equal(text[i:i+len(phrase)], phrase) {
			return true
		}
	}
	return false
}

// storyHashes returns what a story is known by: the words of its headline with the
// day, its address without what only says where the reader came from, and the id
// its source gave it. Two sources agree at least on one when they carry the
// same story.
func storyHashes(s *market.Story) []uint64 {
	var out []uint64
	hash := func(parts ...string) {
		h := fnv.New64a()
		for _, p := range parts {
			h.Write([]byte(p))
			h.Write([]byte{0})
		}
		out = append(out, h.Sum64())
	}
	if w := words(s.Headline); len(w) >= 4 { // "Market update" is said every day by everybody
		hash("headline", strings.Join(w, " "), s.Time.UTC().Format("2006-01-02"))
		// around midnight UTC two sources may date it differently
		if s.Time.UTC().Hour() < 6 {
			hash("headline", strings.Join(w, " "), s.Time.UTC().AddDate(0, 0, -1).Format("2006-01-02"))
		}
	}
	if u, err := url.Parse(s.URL); err == nil && u.Host != "" {
		q := u.Query()
		for k := range q {
			if strings.HasPrefix(k, "utm_") || slices.Contains([]string{"ref", "src", "source", "cmpid", "fbclid", "gclid", "mod", "siteid", "yptr", ".tsrc", "guccounter"}, k) {
				q.Del(k)
			}
		}
		path := strings.TrimSuffix(u.Path, "/")
		if path != "" || len(q) > 0 { // a feed that gives its front page says nothing
			hash("url", strings.TrimPrefix(strings.ToLower(u.Host), "www."), path, q.Encode())
		}
	}
	if s.ID != "" {
		hash("id", s.Source, s.ID)
	}
	if len(out) == 0 {
		hash("short", s.Source, s.Headline, s.Time.UTC().Format(time.RFC3339))
	}
	return out
}

// storyIdentity is one number for a story, the same from every source when its
// headline says enough.
func storyIdentity(s *market.Story) uint64 { return storyHashes(s)[0] }

// A seenSet remembers the latest stories, the oldest are forgotten first.
type seenSet struct {
	most  int
	ring  []uint64
	next  int
	known map[uint64]int // how often it stands in the ring
	adds  uint64         // grows with every story
}

// hashesEach is how many hashes a story takes at most: the set has room for
// that many of each.
const hashesEach = 4

func newSeenSet(stories int) *seenSet {
	return &seenSet{most: stories * hashesEach, known: map[uint64]int{}}
}

// add reports whether the story is new, and remembers it, also under the names
// that another source gave it.
func (s *seenSet) add(story *market.Story) bool {
	fresh := true
	hashes := storyHashes(story)
	for _, h := range hashes {
		if s.known[h] > 0 {
			fresh = false
		}
	}
	for _, h := range hashes {
		if s.known[h] == 0 {
			s.put(h)
		}
	}
	return fresh
}

func (s *seenSet) put(h uint64) {
	if len(s.ring) < s.most {
		s.ring = append(s.ring, h)
	} else {
		old := s.ring[s.next]
		if s.known[old]--; s.known[old] <= 0 {
			delete(s.known, old)
		}
		s.ring[s.next] = h
		s.next = (s.next + 1) % s.most
	}
	s.known[h]++
	s.adds++
}

// export returns what is remembered, oldest first.
func (s *seenSet) export() []uint64 {
	return append(slices.Clone(s.ring[s.next:]), s.ring[:s.next]...)
}

func (s *seenSet) load(hashes []uint64) {
	for _, h := range hashes {
		if s.known[h] == 0 {
			s.put(h)
		}
	}
}
