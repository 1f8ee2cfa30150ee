package app

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// WriteManual writes a program's manual page, section 1, in the macros of man(7).
// It is generated from the declaration of its flags and settings. The page has
// no date: its version says how old it is, and the same source gives the same page.
func WriteManual(w io.Writer, model *kong.Application) error {
	root := describe(model.Node, nil)
	m := &manual{name: model.Name}
	summary, about, _ := strings.Cut(model.Help, "\n")
	fmt.Fprintf(&m.b, ".TH %s 1 \"\" %s \"User Commands\"\n", roffWord(strings.ToUpper(m.name)), roffWord("ttai "+Version()))
	m.section("NAME")
	m.line(fmt.Sprintf("%s \\- %s", roff(m.name), roff(strings.TrimSuffix(summary, "."))))
	m.section("SYNOPSIS")
	for _, c := range root.all() {
		if len(c.Below) == 0 {
			m.usage(c)
		}
	}
	m.section("DESCRIPTION")
	m.text(summary)
	m.text(about)
	if len(root.Below) == 0 {
		m.section("OPTIONS")
		m.arguments(root)
	} else {
		m.section("COMMANDS")
		for _, c := range root.all()[1:] {
			if len(c.Below) > 0 {
				continue // what it does is said by the commands below it
			}
			fmt.Fprintf(&m.b, ".SS %s\n", roffWord(strings.Join(c.Path, " ")))
			m.text(c.Help)
			m.arguments(c)
			m.text(c.About)
		}
	}
	m.section("ENVIRONMENT")
	m.text("A flag wins over a variable, which wins over the settings file. Credentials have no flag, because every user of a machine can read its command lines.")
	names := slices.SortedFunc(maps.Keys(settings), func(a, b string) int { return strings.Compare(settings[a].Variable, settings[b].Variable) })
	for _, name := range names {
		setting := settings[name]
		m.item("\\fB"+roff(setting.Variable)+"\\fR", upperFirst(strings.ReplaceAll(setting.Meaning, "`", ""))+". Key "+setting.Key+" of the settings file.")
	}
	m.section("FILES")
	m.item("\\fIttai/config.json\\fR", "The settings file, in the user's configuration folder: ~/.config on Linux, ~/Library/Application Support on macOS, %AppData% on Windows.")
	m.section("EXIT STATUS")
	m.item("0", "All is well.")
	m.item("1", "It was tried and failed.")
	m.item("2", "The command line or the settings are wrong.")
	m.section("SEE ALSO")
	m.text("https://github.com/ttai-go/ttai")
	return writeText(w, m.b.String())
}

type manual struct {
	name string
	b    strings.Builder
}

func (m *manual) section(name string) { fmt.Fprintf(&m.b, ".SH %s\n", roffWord(name)) }

// line writes text that is roff already.
func (m *manual) line(s string) {
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	m.b.WriteString(s + "\n")
}

// text writes paragraphs. Indented lines are examples and keep their breaks, and
// so does the line that introduces them.
func (m *manual) text(s string) {
	verbatim := false
	for i, line := range strings.Split(strings.TrimSpace(s), "\n") {
		if strings.TrimSpace(s) == "" {
			return
		}
		indented := strings.HasPrefix(line, "  ")
		switch {
		case indented && !verbatim:
			m.b.WriteString(".PP\n.RS 4\n.nf\n")
		case !indented && verbatim:
			m.b.WriteString(".fi\n.RE\n")
		}
		switch {
		case strings.TrimSpace(line) == "":
			if !indented {
				m.b.WriteString(".PP\n")
			}
		default:
			if i == 0 || !indented && verbatim {
				m.b.WriteString(".PP\n")
			}
			m.line(roff(strings.TrimSpace(line)))
		}
		verbatim = indented
	}
	if verbatim {
		m.b.WriteString(".fi\n.RE\n")
	}
}

// item writes a term, which is roff already, and its explanation, which is not.
func (m *manual) item(term, explanation string) {
	m.b.WriteString(".TP\n")
	m.line(term)
	m.line(roff(explanation))
}

func (m *manual) usage(c *commandLine) {
	words := []string{"\\fB" + roff(strings.Join(append([]string{m.name}, c.Path...), " ")) + "\\fR"}
	if len(c.Flags) > 0 {
		words = append(words, "[\\fIflags\\fR]")
	}
	for _, arg := range c.Args {
		words = append(words, "\\fI"+roff(arg.Summary())+"\\fR")
	}
	m.b.WriteString(".PP\n")
	m.line(strings.Join(words, " "))
}

func (m *manual) arguments(c *commandLine) {
	for _, arg := range c.Args {
		m.item("\\fI"+roff(arg.Summary())+"\\fR", arg.Help)
	}
	for _, flag := range c.Flags {
		term := "\\fB" + roff(strings.Join(spellings(flag), ", ")) + "\\fR"
		if takesValue(flag) {
			term += "=\\fI" + roff(flag.FormatPlaceHolder()) + "\\fR"
		}
		help := flag.Help
		if list := values(flag.Value); len(list) > 0 && flag.Enum != "" {
			help += " One of " + strings.Join(list, ", ") + "."
		}
		if setting, ok := settings[flag.Name]; ok {
			help += " Variable: " + setting.Variable + "."
		}
		m.item(term, help)
	}
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// roff escapes text: backslashes, hyphens that are typed as such, and what a
// terminal's encoding may not have.
func roff(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Split(s, "\n"), " ") {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '^' || r == '~' || r == '`':
			b.WriteString(map[rune]string{'^': `\(ha`, '~': `\(ti`, '`': `\(ga`}[r])
		case r < 0x80:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	return b.String()
}

// roffWord is text as one argument of a macro.
func roffWord(s string) string { return `"` + strings.ReplaceAll(roff(s), `"`, `\(dq`) + `"` }
