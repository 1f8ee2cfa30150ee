package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/ttai-go/ttai/strategy/backtest"
)

// A progressLine shows on a terminal how far it is, in one line that goes away.
type progressLine struct {
	w     io.Writer
	shown bool
}

func (c backtestCommand) progress(s *session) *progressLine {
	if file, ok := s.std.Err.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return &progressLine{w: s.std.Err}
	}
	return &progressLine{}
}

func (p *progressLine) tell(at backtest.Progress) {
	if p.w == nil {
		return
	}
	p.shown = true
	left := ""
	if at.Left > 0 {
		left = fmt.Sprintf(", %s left", at.Left.Round(time.Second))
	}
	when := ""
	if !at.Now.IsZero() {
		when = at.Now.Format(" (2006-01-02)")
	}
	fmt.Fprintf(p.w, "\r\x1b[K%3.0f %%%s%s", at.Done*100, when, left)
}

func (p *progressLine) end() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
