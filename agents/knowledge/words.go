package knowledge

import (
	"strings"
	"sync"
	"unicode"
)

// analysed is a text as the rankings see it.
type analysed struct {
	stems    []string // of its words, in order, without those that say nothing
	subjects []string // what the thesaurus knows it to speak of, in order, repeated
}

var genitives = strings.NewReplacer("’", "'", "'s ", " ", "'s.", " ", "'s,", " ")

// wordsOf returns the runs of letters and digits of text, in lower case. The 's
// of a genitive is dropped.
func wordsOf(text string) []string {
	text = genitives.Replace(strings.ToLower(text))
	text = strings.ReplaceAll(text, "'", "")
	return strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

func analyse(text string) analysed {
	words := wordsOf(text)
	stems := make([]string, len(words))
	for i, w := range words {
		stems[i] = stem(w)
	}
	var a analysed
	said := silent()
	for i, w := range words {
		if !said[w] {
			a.stems = append(a.stems, stems[i])
		}
	}
	known := subjects()
	for i := 0; i < len(stems); i++ {
		var best phrase
		for _, p := range known.starting[stems[i]] {
			if len(p.stems) > len(best.stems) && starts(stems[i:], p.stems) {
				best = p
			}
		}
		if best.subject != "" {
			a.subjects = append(a.subjects, best.subject)
			i += len(best.stems) - 1
		}
	}
	return a
}

func starts(text, with []string) bool {
	if len(text) < len(with) {
		return false
	}
	for i := range with {
		if text[i] != with[i] {
			return false
		}
	}
	return true
}

// stem takes the endings of plurals and verbs off an English word, so that
// hedges, hedged and hedging are one. It is lighter than Porter's: nouns and
// adjectives of one root stay apart.
func stem(w string) string {
	if len(w) <= 3 || w[0] >= '0' && w[0] <= '9' {
		return w
	}
	switch {
	case strings.HasSuffix(w, "sses"):
		w = w[:len(w)-2]
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		w = w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "xes"), strings.HasSuffix(w, "ches"), strings.HasSuffix(w, "shes"), strings.HasSuffix(w, "zes"):
		w = w[:len(w)-2]
	case strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && !strings.HasSuffix(w, "is"):
		w = w[:len(w)-1]
	}
	for _, ending := range []string{"ing", "ed"} {
		root, ok := strings.CutSuffix(w, ending)
		if !ok || len(root) < 3 || !strings.ContainsAny(root, "aeiouy") {
			continue
		}
		w = root
		if n := len(w); w[n-1] == w[n-2] && !strings.ContainsRune("lsz", rune(w[n-1])) {
			w = w[:n-1]
		}
		break
	}
	if len(w) > 4 {
		w = strings.TrimSuffix(w, "e")
	}
	return w
}

// silent are words that say nothing of a text's subject.
var silent = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`a about after again against all also am an and any are as at be because been before being
		both but by can could did do does doing dont down during each few for from further get gets getting go goes going got had
		has have having he her here hers him his how i if im in into is it its ive just know let like made make makes many may me
		might more most much must my near need no nor not now of off on once one only or other our out over own please same
		say see she should so some still such take than that the their them then there these they thing things this those
		through to too under until up use used using very want was way we well were what whats when where whether which while who
		whom whose why will with without would yes you your yours`) {
		out[w] = true
	}
	return out
})

// A phrase is one way of naming a subject.
type phrase struct {
	stems   []string
	subject string
}

// A lexicon is the thesaurus made ready.
type lexicon struct {
	starting map[string][]phrase // by the first stem
	words    map[string][]string // subject → the words of all its phrases
}

var subjects = sync.OnceValue(func() lexicon {
	l := lexicon{starting: map[string][]phrase{}, words: map[string][]string{}}
	said := silent()
	for line := range strings.Lines(thesaurus) {
		subject := ""
		for written := range strings.SplitSeq(line, ",") {
			words := wordsOf(written)
			if len(words) == 0 {
				continue
			}
			if subject == "" {
				subject = strings.Join(words, " ")
			}
			p := phrase{subject: subject}
			for _, w := range words {
				p.stems = append(p.stems, stem(w))
				if !said[w] {
					l.words[subject] = append(l.words[subject], w)
				}
			}
			l.starting[p.stems[0]] = append(l.starting[p.stems[0]], p)
		}
	}
	return l
})
