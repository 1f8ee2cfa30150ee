package analysts

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ttai-go/ttai/market"
)

// summary is one paragraph. It repeats evidence and adds no number.
func (f *findings) summary(a *Analysis) string {
	var b strings.Builder
	if n := f.series.Len(); n > 0 {
		fmt.Fprintf(&b, "%s closed at %s on %s", a.Symbol, f.text("trend.close"), market.DateOf(f.local(f.series.Time[n-1])))
	} else {
		fmt.Fprintf(&b, "%s has no daily bars here", a.Symbol)
	}
	if f.known("trend.sma200_distance") {
		fmt.Fprintf(&b, ", %s", f.text("trend.sma200_distance"))
	}
	if f.known("momentum.rsi") {
		fmt.Fprintf(&b, ", with an RSI of %s", f.text("momentum.rsi"))
	}
	b.WriteString(".")
	for _, id := range []string{"levels.support.1", "levels.resistance.1", "options.iv_rank", "options.iv_hv", "options.expected_move.1", "events.earnings"} {
		if f.known(id) {
			fmt.Fprintf(&b, " %s.", f.says(id))
		}
	}
	fmt.Fprintf(&b, " Verdict: %s, %s of 100", a.Verdict.Decision, trimmed(a.Verdict.Score))
	var parts []string
	for _, v := range a.Views {
		if v.Stance == NoStance {
			parts = append(parts, "no view on "+v.Name)
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s", v.Name, v.Stance))
	}
	fmt.Fprintf(&b, " (%s).", strings.Join(parts, ", "))
	for _, v := range a.Verdict.Vetoes {
		fmt.Fprintf(&b, " Veto: %s.", v.Text)
	}
	if i := slices.IndexFunc(a.Candidates, func(c Candidate) bool { return len(c.Vetoes) == 0 }); i >= 0 && a.Verdict.Decision != DecisionReject {
		fmt.Fprintf(&b, " First candidate: %s.", a.Candidates[i].describe())
	}
	return b.String()
}

func trimmed(x float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0") }

// describe is a candidate in one sentence.
func (c Candidate) describe() string {
	if len(c.Legs) > 0 {
		return c.describeLegs()
	}
	kind := "put"
	if c.Strategy == CoveredCall {
		kind = "call"
	}
	return fmt.Sprintf("sell the %s %s %s for %s a contract at mid, %s on %s, breakeven %s, %s probability of profit",
		c.Expiration, trimmedPrice(float64(c.Strike)), kind, c.CreditMid.StringFixed(2), share(float64(c.Return)), c.CapitalRequired.StringFixed(2),
		price(float64(c.Breakeven)), share(float64(c.ProbabilityOfProfit)))
}

func trimmedPrice(x float64) string { return strings.TrimSuffix(price(x), ".00") }

// WriteText writes a report for a terminal: plain text without colour, lines of
// at most 100 columns where words allow it.
func (a *Analysis) WriteText(w io.Writer) error {
	out := bufio.NewWriter(w)
	a.writeHead(out)
	a.writeVerdict(out)
	a.writeCandidates(out)
	a.writeEvidence(out)
	fmt.Fprintf(out, "\nModel: %s. %s\n", a.Model, a.Disclaimer)
	if a.Fallback != "" {
		wrap(out, "", a.Fallback)
	}
	if a.Notice != "" {
		wrap(out, "", a.Notice)
	}
	return out.Flush() // the first error of all writes
}

func (a *Analysis) writeHead(out *bufio.Writer) {
	title := string(a.Symbol)
	if a.Description != "" {
		title += ", " + a.Description
	}
	fmt.Fprintf(out, "%s\n%s", title, a.At.Format("Mon 2006-01-02 15:04 MST"))
	if a.Environment != "" {
		fmt.Fprintf(out, ", %s", a.Environment)
	}
	out.WriteString("\n\n")
	wrap(out, "", a.Summary)
}

func (a *Analysis) writeVerdict(out *bufio.Writer) {
	fmt.Fprintf(out, "\nVERDICT  %s  %s of 100\n", strings.ToUpper(string(a.Verdict.Decision)), trimmed(a.Verdict.Score))
	for _, r := range a.Verdict.Reasons {
		wrap(out, weight(r), r.Text)
	}
	for _, r := range a.Verdict.Vetoes {
		wrap(out, "   veto  ", r.Text)
	}
	for _, r := range a.Verdict.Dissent {
		wrap(out, "    but  ", r.Text)
	}
	for _, v := range a.Views {
		if v.Stance == NoStance {
			fmt.Fprintf(out, "\n%s: no view, %s\n", v.Name, v.Absent)
			continue
		}
		fmt.Fprintf(out, "\n%s: %s (%s)\n", v.Name, v.Stance, signed(float64(v.Score), 2))
		for _, r := range v.Reasons {
			wrap(out, weight(r), fmt.Sprintf("%s  [%s]", r.Text, strings.Join(r.Evidence, ", ")))
		}
	}
}

// weight is a reason's weight as a column.
func weight(r Reason) string { return fmt.Sprintf("  %5s  ", signed(r.Weight, 2)) }

func (a *Analysis) writeCandidates(out *bufio.Writer) {
	if len(a.Candidates) == 0 {
		return
	}
	out.WriteString("\nCANDIDATES\n")
	for _, c := range a.Candidates {
		fmt.Fprintf(out, "  %s  %s\n", strings.ReplaceAll(string(c.Strategy), "_", " "), c.Symbol)
		if len(c.Legs) > 0 {
			wrap(out, "    ", c.describe()+"; "+plural(c.Days, "day", "days")+"; needs "+c.Needs)
			writeRemarks(out, c)
			continue
		}
		wrap(out, "    ", c.describe()+fmt.Sprintf("; %s; delta %s, IV %s; bid %s, mid %s, ask %s; %s a year; needs %s",
			plural(c.Days, "day", "days"), signed(float64(c.Delta), 2), share(float64(c.IV)), price(float64(c.Bid)), price(float64(c.Mid)), price(float64(c.Ask)),
			share(float64(c.Annualized)), c.Needs))
		if c.SupportID != "" {
			wrap(out, "    ", fmt.Sprintf("strike %s ATR (%s) from the support %s", signed(float64(c.SupportDistanceATR), 1), percent(float64(c.SupportDistance)), c.SupportID))
		}
		writeRemarks(out, c)
	}
	wrap(out, "  ", a.CandidateMethod)
}

func writeRemarks(out *bufio.Writer, c Candidate) {
	for _, r := range c.Vetoes {
		wrap(out, "    ", "veto: "+r.Text)
	}
	for _, r := range c.Warnings {
		wrap(out, "    ", "warning: "+r.Text)
	}
}

func (a *Analysis) writeEvidence(out *bufio.Writer) {
	var width int
	for _, e := range a.Evidence {
		if e.Known() {
			width = max(width, utf8.RuneCountInString(e.Name))
		}
	}
	group := Group("")
	absent := map[string][]string{}
	var reasons []string
	for _, e := range a.Evidence {
		if !e.Known() {
			if absent[e.Absent] == nil {
				reasons = append(reasons, e.Absent)
			}
			absent[e.Absent] = append(absent[e.Absent], e.ID)
			continue
		}
		if e.Group() != group {
			group = e.Group()
			fmt.Fprintf(out, "\n%s (%s)\n", strings.ToUpper(string(group)), e.At.Format("2006-01-02 15:04 MST"))
		}
		wrap(out, "  "+e.Name+strings.Repeat(" ", width-utf8.RuneCountInString(e.Name))+"  ", e.Text)
	}
	if len(reasons) > 0 {
		out.WriteString("\nABSENT\n")
		for _, reason := range reasons {
			wrap(out, "  ", reason+": "+strings.Join(absent[reason], ", "))
		}
	}
}

// columns is the width of the report.
const columns = 100

// wrap writes words in lines of at most columns runes: the first after prefix,
// the others as far to the right.
func wrap(out *bufio.Writer, prefix, text string) {
	indent := strings.Repeat(" ", utf8.RuneCountInString(prefix))
	line, used, start := prefix, len(indent), true
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		if !start && used+1+n > columns {
			out.WriteString(line + "\n")
			line, used, start = indent, len(indent), true
		}
		if !start {
			line += " "
			used++
		}
		line += word
		used, start = used+n, false
	}
	out.WriteString(line + "\n")
}
