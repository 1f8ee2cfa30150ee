package app

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// commandLine is one command as its manual page and its completions see it:
// the visible part of kong's model.
type commandLine struct {
	Path  []string // the words after the program's name; empty for the program itself
	Help  string
	About string // longer text
	Usage string
	Flags []*kong.Flag
	Args  []*kong.Positional
	Below []*commandLine
}

// suggestions are values worth offering for flags whose values are checked
// elsewhere than in the flag's declaration.
var suggestions = map[string][]string{
	"env":      {"simulator", "sandbox", "production"},
	"toolsets": {"account", "market", "analytics"},
	"clock":    {"day", "real"},
	"client":   {"claude-code", "claude-desktop", "codex", "cursor", "gemini", "vscode", "windsurf", "none"},
}

// describe walks the model from node downwards.
func describe(node *kong.Node, path []string) *commandLine {
	c := &commandLine{Path: path, Help: node.Help, About: node.Detail, Args: node.Positional}
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			if !slices.ContainsFunc(c.Flags, func(seen *kong.Flag) bool { return seen.Name == flag.Name }) {
				c.Flags = append(c.Flags, flag)
			}
		}
	}
	slices.SortStableFunc(c.Flags, func(a, b *kong.Flag) int { return strings.Compare(a.Name, b.Name) })
	for _, child := range node.Children {
		if !child.Hidden && child.Type == kong.CommandNode {
			c.Below = append(c.Below, describe(child, append(slices.Clone(path), child.Name)))
		}
	}
	return c
}

// all lists c and the commands below it, parents first.
func (c *commandLine) all() []*commandLine {
	list := []*commandLine{c}
	for _, child := range c.Below {
		list = append(list, child.all()...)
	}
	return list
}

// takesValue reports whether a flag is followed by a value.
func takesValue(flag *kong.Flag) bool { return !flag.IsBool() && !flag.IsCounter() }

// spellings are the ways to write a flag.
func spellings(flag *kong.Flag) []string {
	names := []string{"--" + flag.Name}
	if flag.Short != 0 {
		names = append([]string{"-" + string(flag.Short)}, names...)
	}
	return names
}

// values are what a flag or an argument may be, when that is a short list.
func values(v *kong.Value) []string {
	if v.Enum != "" {
		return slices.DeleteFunc(v.EnumSlice(), func(s string) bool { return s == "" })
	}
	if v.Flag != nil {
		return suggestions[v.Name]
	}
	return nil
}

// isPath reports whether a flag or an argument names a file or a folder.
func isPath(v *kong.Value) bool {
	if v.Tag != nil && (strings.HasSuffix(v.Tag.Type, "file") || strings.HasSuffix(v.Tag.Type, "dir") || v.Tag.Type == "path") {
		return true
	}
	return v.Flag != nil && (v.Flag.PlaceHolder == "FILE" || v.Flag.PlaceHolder == "DIR")
}
