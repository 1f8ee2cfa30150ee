package knowledge_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/knowledge"
)

var (
	exampleBlock = regexp.MustCompile("(?s)## Example\n(.*?)```example\n(.*?)```\n?(.*)$")
	figure       = regexp.MustCompile(`\d[\d,]*(?:\.\d+)?`)
)

// says tells whether a number of the prose is a value of the sheet, as far as it is
// written out: as it is, or in percent.
func (s sheet) says(written string) bool {
	n, err := strconv.ParseFloat(strings.ReplaceAll(written, ",", ""), 64)
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(written, ".")
	half := 0.5*math.Pow10(-len(after))*(1+1e-9) + 1e-12
	for _, v := range s.values {
		if v = math.Abs(v); math.Abs(v-n) <= half || math.Abs(100*v-n) <= half {
			return true
		}
	}
	return false
}

func TestEveryNumberOfTheStarterLibraryIsComputed(t *testing.T) {
	library, err := knowledge.Starter()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(library), 40)
	for _, d := range library {
		t.Run(strings.TrimPrefix(d.ID, "starter/"), func(t *testing.T) {
			require.Len(t, exampleBlock.FindAllString(d.Text, -1), 1, "one example each")
			m := exampleBlock.FindStringSubmatch(d.Text)
			s := work(m[2])
			require.NoError(t, s.err)
			assert.NotEmpty(t, s.stated, "an example computes something")
			numbers := figure.FindAllString(m[1]+m[3], -1)
			assert.NotEmpty(t, numbers, "the words tell the numbers")
			for _, n := range numbers {
				assert.True(t, s.says(n), "%s stands in the words and in no line of the example", n)
			}
		})
	}
}

func TestTheStarterLibraryIsWhole(t *testing.T) {
	library, err := knowledge.Starter()
	require.NoError(t, err)
	subjects := map[string]int{}
	titles := map[string]bool{}
	for _, d := range library {
		assert.NotEmpty(t, d.Title, d.ID)
		assert.False(t, titles[d.Title], d.Title)
		titles[d.Title] = true
		assert.NotEmpty(t, d.Aliases, d.ID)
		words := len(strings.Fields(d.Text))
		assert.Greater(t, words, 90, d.ID)
		assert.Less(t, words, 600, "%s: short documents", d.ID)
		for _, tag := range d.Tags {
			subjects[tag]++
		}
	}
	for _, subject := range []string{"strategy", "greeks", "volatility", "risk", "orders", "levels", "indicators"} {
		assert.GreaterOrEqual(t, subjects[subject], 4, subject)
	}
}

func TestAWrongNumberInAnExampleIsFound(t *testing.T) {
	require.NoError(t, work("spot = 100\nc = price(call, spot, 105, 30, 0.04, 0.25) => 1.17").err)
	assert.ErrorContains(t, work("spot = 100\nc = price(call, spot, 105, 30, 0.04, 0.25) => 1.18").err, "it is 1.167")
	assert.ErrorContains(t, work("a = 2\nb = a * 3").err, "not stated")
	s := work("a = 2\nb = a / 3 => 0.667")
	require.NoError(t, s.err)
	assert.True(t, s.says("2") && s.says("0.67") && s.says("66.7"))
	assert.False(t, s.says("0.66") || s.says("67.7") || s.says("3"))
}
