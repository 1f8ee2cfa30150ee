package backtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
)

// ruleOptions are what follows the name of fill rules. Each is asked for once; what
// nobody asked for is an option that the rules do not have.
type ruleOptions struct {
	name   string
	values map[string]string // "" for those without a value
	asked  map[string]bool
	failed error
}

// readRules takes "name+option+option=1" apart.
func readRules(name string) (base string, o *ruleOptions, err error) {
	base, rest, _ := strings.Cut(name, "+")
	o = &ruleOptions{name: name, values: map[string]string{}, asked: map[string]bool{}}
	for text := range strings.SplitSeq(rest, "+") {
		if text == "" {
			continue
		}
		option, value, given := strings.Cut(text, "=")
		if _, twice := o.values[option]; twice {
			return "", nil, invalid.Fieldf("rules", name, "%q once", option)
		}
		if given && value == "" {
			return "", nil, invalid.Fieldf("rules", name, "a number after %q", text)
		}
		o.values[option] = value
	}
	return base, o, nil
}

func (o *ruleOptions) set(option string) bool {
	_, set := o.values[option]
	return set
}

// on takes an option without a value.
func (o *ruleOptions) on(option string) bool {
	o.asked[option] = true
	value, set := o.values[option]
	if set && value != "" && o.failed == nil {
		o.failed = invalid.Fieldf("rules", o.name, "%s without a value", option)
	}
	return set
}

// number takes an option with a positive number of at most so much; 0 without it.
func (o *ruleOptions) number(option string, most float64) float64 {
	o.asked[option] = true
	text, set := o.values[option]
	if !set {
		return 0
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x > 0 && x <= most) {
		if o.failed == nil {
			o.failed = invalid.Fieldf("rules", o.name, "a positive number for %s", option)
			if most == 1 {
				o.failed = invalid.Fieldf("rules", o.name, "a number above 0 and up to 1 for %s", option)
			}
		}
		return 0
	}
	return x
}

// err tells of options that are wrong or that the rules do not have.
func (o *ruleOptions) err() error {
	if o.failed != nil {
		return o.failed
	}
	var unknown []string
	for option := range o.values {
		if !o.asked[option] {
			unknown = append(unknown, option)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return invalid.Fieldf("rules", o.name, "no option %q: %s", unknown[0], strings.Join(RuleNames(), ", "))
}
