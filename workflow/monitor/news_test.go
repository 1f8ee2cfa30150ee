package monitor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow/monitor"
)

func story(source, id, headline string, symbols ...market.Symbol) market.Story {
	return market.Story{ID: id, Source: source, Time: noon, Headline: headline, Symbols: symbols}
}

func ids(fired []monitor.Firing) []string {
	out := []string{}
	for _, f := range fired {
		out = append(out, f.Rule)
	}
	return out
}

func TestNewsIsFoundBySymbolsAndKeywords(t *testing.T) {
	c := newCore(t, nil)
	add(t, c, "aapl", `{"kind":"news","symbols":["aapl"]}`)
	add(t, c, "fed", `{"kind":"news","keywords":["Federal Reserve","rate cut"]}`)
	add(t, c, "both", `{"kind":"news","symbols":["AAPL","MSFT"],"keywords":["recall"]}`)
	add(t, c, "first", `{"kind":"news","symbols":["MSFT"],"mode":"once"}`)
	symbols, all := c.NewsSymbols()
	assert.Equal(t, []market.Symbol{"AAPL", "MSFT"}, symbols)
	assert.True(t, all, "a rule goes by keywords alone")
	for i, tt := range []struct {
		story market.Story
		want  []string
	}{
		{story("a", "1", "Apple reports its quarterly results", "AAPL"), []string{"aapl"}},
		{story("a", "2", "Apple announces recall of chargers", "AAPL"), []string{"aapl", "both"}},
		{story("a", "3", "Carmaker announces a large recall", "TSLA"), []string{}},
		{story("a", "4", "Traders expect a RATE CUT, says survey"), []string{"fed"}},
		{story("a", "5", "The federal budget and a reserve fund"), []string{}},
		{story("a", "6", "Fed's view: the Federal Reserve's chair speaks"), []string{"fed"}},
		{story("a", "7", "Microsoft opens a new data centre", "MSFT"), []string{"first"}},
		{story("a", "8", "Microsoft closes an old data centre", "MSFT"), []string{}},
	} {
		got := c.Story(tt.story, noon.Add(time.Duration(i)*time.Second))
		assert.Equal(t, tt.want, ids(got), tt.story.Headline)
		for _, f := range got {
			assert.Equal(t, tt.story.Headline, f.Story.Headline)
		}
	}
	old := story("a", "9", "Apple news of yesterday, told late", "AAPL")
	old.Time = noon.Add(-24 * time.Hour)
	require.Empty(t, c.Story(old, noon), "what was published before the rule was made is not news for it")
	c.Remove("anna", "fed")
	_, all = c.NewsSymbols()
	require.False(t, all)
}

func TestTheSameStoryIsToldOnce(t *testing.T) {
	base := story("benzinga", "17", "Apple unveils new chip for data centers", "AAPL")
	base.URL = "https://www.example.com/news/apple-chip?utm_source=feed"
	for name, tt := range map[string]struct {
		change func(*market.Story)
		again  bool
	}{
		"the same":             {func(*market.Story) {}, false},
		"updated under its id": {func(s *market.Story) { s.Headline = "UPDATE: Apple unveils new chip"; s.URL = "" }, false},
		"from another source by its address": {func(s *market.Story) {
			s.Source, s.ID, s.Headline, s.URL = "rss", "x", "Apple's chip", "https://example.com/news/apple-chip/"
		}, false},
		"from another source by its headline": {func(s *market.Story) {
			s.Source, s.ID, s.URL, s.Headline = "rss", "x", "https://other.com/1", "Apple Unveils New Chip — for Data Centers!"
		}, false},
		"by its headline over midnight": {func(s *market.Story) {
			s.Source, s.ID, s.URL = "rss", "x", ""
			s.Time = s.Time.Add(12*time.Hour + 5*time.Minute)
		}, false},
		"another story": {func(s *market.Story) {
			s.ID, s.URL, s.Headline = "18", "https://www.example.com/2", "Apple opens a store in Vienna"
		}, true},
		"the same id of another source": {func(s *market.Story) {
			s.Source, s.URL, s.Headline = "rss", "https://x.com/2", "Apple opens a store in Vienna"
		}, true},
		"a headline that is said every day": {func(s *market.Story) { s.ID, s.URL = "19", ""; s.Time = s.Time.Add(48 * time.Hour) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCore(t, nil)
			add(t, c, "r", `{"kind":"news","symbols":["AAPL"]}`)
			require.Len(t, c.Story(base, noon), 1)
			other := base
			tt.change(&other)
			assert.Len(t, c.Story(other, noon.Add(time.Minute)), map[bool]int{true: 1}[tt.again])
		})
	}
}

func TestTwoSourcesGiveAStoryOneKey(t *testing.T) {
	a, b := story("benzinga", "17", "Apple unveils new chip for data centers", "AAPL"), story("rss", "guid", "Apple Unveils New Chip for Data Centers", "AAPL")
	one, two := newCore(t, nil), newCore(t, nil)
	add(t, one, "r", `{"kind":"news","symbols":["AAPL"]}`)
	add(t, two, "r", `{"kind":"news","symbols":["AAPL"]}`)
	assert.Equal(t, one.Story(a, noon)[0].Key(), two.Story(b, noon)[0].Key(), "so a crash before it was remembered does not tell it twice")
}

func TestWhatWasSeenIsBoundedAndSurvives(t *testing.T) {
	c := newCore(t, &monitor.CoreOptions{Stories: 100})
	add(t, c, "r", `{"kind":"news","symbols":["AAPL"]}`)
	for i := range 1000 {
		require.Len(t, c.Story(story("a", fmt.Sprint(i), fmt.Sprintf("Apple does thing number %d", i), "AAPL"), noon), 1)
	}
	marks := c.Marks(nil)
	require.LessOrEqual(t, len(marks.Stories), 400, "at most four names for each story")
	require.Empty(t, c.Story(story("a", "950", "Apple does thing number 950", "AAPL"), noon), "the last hundred are known")
	again := newCore(t, &monitor.CoreOptions{Stories: 100})
	add(t, again, "r", `{"kind":"news","symbols":["AAPL"]}`)
	again.Restore(marks)
	require.Empty(t, again.Story(story("a", "999", "Apple does thing number 999", "AAPL"), noon))
	require.Len(t, again.Story(story("a", "1000", "Apple does thing number 1000", "AAPL"), noon), 1)
}
