package app

import (
	"fmt"
	"io"
)

// Orient tells something to people who have configured nothing yet. It writes
// nothing for anybody else: who has settings knows.
func Orient(w io.Writer, command string, sources *Sources, text string) {
	if !sources.Configured() {
		fmt.Fprintf(w, "%s: %s\n", command, text)
	}
}

// Orient tells such people that a command that was given no environment runs
// on the simulator, and what to try next.
func (c Config) Orient(w io.Writer, command string, sources *Sources, next string) {
	if c.Env == "" && c.URL == "" {
		Orient(w, command, sources, "nothing is configured, so this is the simulator: made-up prices, made-up accounts. "+next)
	}
}
