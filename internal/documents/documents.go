// Package documents keeps the documents equal to the code: tests write what a
// command line declares into marked parts of a document, and fail when a
// document says something else. No program links it.
package documents

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Section fails the test unless the part of the document at path between
//
//	<!-- generated: NAME -->
//	<!-- end: NAME -->
//
// is want. With update it writes the part instead.
func Section(t *testing.T, path, name, want string, update bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	start, end := "<!-- generated: "+name+" -->\n", "<!-- end: "+name+" -->"
	before, rest, found := strings.Cut(string(text), start)
	old, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no part between %q and %q", path, strings.TrimSpace(start), end)
	}
	want = "\n" + strings.TrimSpace(want) + "\n\n"
	if old == want {
		return
	}
	if !update {
		t.Errorf("%s: the part %q is not what the code says; this test with -update writes it.\n%s", path, name, difference(old, want))
		return
	}
	if err := os.WriteFile(path, []byte(before+start+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// difference shows the first lines that are not equal.
func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		var one, other string
		if i < len(a) {
			one = a[i]
		}
		if i < len(b) {
			other = b[i]
		}
		if one != other {
			return fmt.Sprintf("line %d of the part:\n  document: %s\n  code:     %s", i+1, one, other)
		}
	}
	return ""
}

// Commands describes every command of a command line with its arguments and
// flags, as a document's part. setting tells which environment variable stands
// behind a flag, "" for none.
func Commands(model *kong.Application, setting func(flag string) string) string {
	var b strings.Builder
	for _, command := range commands(model) {
		first, _, _ := strings.Cut(command.Help, "\n\n")
		fmt.Fprintf(&b, "### `%s`\n\n%s\n\n", usage(model, command), first)
		if rows := rows(command, setting); rows != "" {
			b.WriteString("| flag | default | variable | meaning |\n|---|---|---|---|\n" + rows + "\n")
		}
	}
	return b.String()
}

// commands are the visible commands, or the program itself when it has none.
func commands(model *kong.Application) []*kong.Node {
	if leaves := model.Leaves(true); len(leaves) > 0 {
		return leaves
	}
	return []*kong.Node{model.Node}
}

func usage(model *kong.Application, command *kong.Node) string {
	words := []string{model.Name}
	if command != model.Node {
		words = strings.Fields(model.Name + " " + command.Path())
	}
	for _, argument := range command.Positional {
		if !strings.Contains(strings.Join(words, " "), "<"+argument.Name+">") {
			words = append(words, argument.Summary())
		}
	}
	return strings.Join(words, " ")
}

func rows(command *kong.Node, setting func(string) string) string {
	var b strings.Builder
	for _, argument := range command.Positional {
		fmt.Fprintf(&b, "| `%s` | | | %s |\n", argument.Summary(), cell(argument.Help))
	}
	seen := map[string]bool{"help": true} // every command has it
	for _, group := range command.AllFlags(true) {
		for _, flag := range group {
			if seen[flag.Name] {
				continue
			}
			seen[flag.Name] = true
			name := "--" + flag.Name
			if !flag.IsBool() {
				name += " " + placeholder(flag)
			}
			usual := ""
			if flag.HasDefault && flag.Default != "" && !flag.IsBool() {
				usual = "`" + flag.Default + "`"
			}
			variable := setting(flag.Name)
			if variable != "" {
				variable = "`" + variable + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", cell(name), usual, variable, cell(flag.Help))
		}
	}
	return b.String()
}

func placeholder(flag *kong.Flag) string {
	switch {
	case flag.PlaceHolder != "":
		return flag.PlaceHolder
	case flag.Enum != "":
		return strings.Trim(strings.ReplaceAll(flag.Enum, ",", "|"), "|")
	}
	return strings.ToUpper(flag.Name)
}

// cell makes text fit into a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

// Mentions fails the test for each command line of the program in the documents
// at paths that names a command or a flag which the program does not have.
// Command lines are looked for in code only: in fences and in spans.
func Mentions(t *testing.T, model *kong.Application, paths ...string) {
	t.Helper()
	found := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range codeOf(string(text)) {
			for _, problem := range wrong(model, code) {
				t.Errorf("%s: %q: %s", filepath.Base(path), strings.TrimSpace(code), problem)
			}
			found++
		}
	}
	if found == 0 {
		t.Errorf("no code in %v: what was to be checked?", paths)
	}
}

var (
	fence = regexp.MustCompile("(?ms)^ *```[a-z]*\\n(.*?)^ *```")
	span  = regexp.MustCompile("`([^`\\n]+)`")
	block = regexp.MustCompile(`(?m)^    +\S.*$`)
)

// codeOf lists the lines of code in a document.
func codeOf(text string) []string {
	var code []string
	for _, match := range fence.FindAllStringSubmatch(text, -1) {
		code = append(code, strings.Split(match[1], "\n")...)
	}
	text = fence.ReplaceAllString(text, "")
	code = append(code, block.FindAllString(text, -1)...)
	for _, match := range span.FindAllStringSubmatch(text, -1) {
		code = append(code, match[1])
	}
	return code
}

var flagName = regexp.MustCompile(`(?:^|\s)--([a-z][a-z0-9-]*)`)

// wrong lists, for the places of a line of code where a command can begin, what
// its command line has that the program has not.
func wrong(model *kong.Application, code string) []string {
	call := regexp.MustCompile(`(?:^|[/|&;$'"(]|[A-Z_]+=\S+|\s--)\s*` + regexp.QuoteMeta(model.Name) + `((?:\s+[^\s#|;&)]+)*)`)
	var problems []string
	for _, match := range call.FindAllStringSubmatch(code, -1) {
		words := strings.Fields(match[1])
		if len(words) == 0 {
			continue
		}
		nodes := []*kong.Node{model.Node}
		if len(model.Leaves(true)) > 0 && regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(words[0]) {
			nodes = nil
			for _, leaf := range commands(model) {
				path := strings.Fields(leaf.Path())
				if path[0] != words[0] {
					continue
				}
				if len(path) > 1 && len(words) > 1 && path[1] == words[1] {
					nodes = []*kong.Node{leaf}
					break
				}
				nodes = append(nodes, leaf) // one of them may be the default
			}
			if nodes == nil {
				problems = append(problems, "there is no command "+words[0])
				continue
			}
		}
		known := map[string]bool{"help": true}
		for _, node := range nodes {
			for _, group := range node.AllFlags(false) {
				for _, flag := range group {
					known[flag.Name] = true
				}
			}
		}
		for _, name := range flagName.FindAllStringSubmatch(match[1], -1) {
			if !known[name[1]] {
				problems = append(problems, "there is no flag --"+name[1])
			}
		}
	}
	return problems
}
