package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// questions is whom 'ttai init' asks. An answer of nothing is what the
// brackets offered.
type questions interface {
	line(question, usual string) (string, error)
	secret(question, offer string) (string, error) // the answer may be empty
	say(text string)
}

// errUnanswered ends a dialogue that nobody goes on with.
var errUnanswered = errors.New("the input ended before the last question; nothing was written")

// untilAccepted repeats a question until take has no objection to the answer.
func untilAccepted(ask questions, question, usual string, take func(string) error) error {
	for {
		text, err := ask.line(question, usual)
		if err != nil {
			return err
		}
		if err = take(text); err == nil {
			return nil
		}
		ask.say(err.Error())
	}
}

// asker asks at a terminal.
type asker struct {
	*session
	in  *os.File
	out io.Writer
}

func (a asker) say(text string) { fmt.Fprintln(a.out, "    "+text) }

func (a asker) line(question, usual string) (string, error) {
	fmt.Fprintf(a.out, "%s [%s]: ", question, usual)
	text, err := a.wait(func() ([]byte, error) { return readLine(a.in) })
	if err != nil {
		return "", err
	}
	if text == "" {
		text = usual
	}
	return text, nil
}

func (a asker) secret(question, offer string) (string, error) {
	if offer != "" {
		question += " [" + offer + "]"
	}
	fmt.Fprintf(a.out, "%s: ", question)
	text, err := a.wait(func() ([]byte, error) { return term.ReadPassword(int(a.in.Fd())) })
	fmt.Fprintln(a.out)
	return text, err
}

// wait reads an answer. When the command is interrupted it gives the terminal
// back as it was, because a read that hides the answer has changed it.
func (a asker) wait(read func() ([]byte, error)) (string, error) {
	before, _ := term.GetState(int(a.in.Fd()))
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() { // an interrupt leaves it reading; the process ends right after
		text, err := read()
		answered <- answer{text, err}
	}()
	select {
	case got := <-answered:
		if errors.Is(got.err, io.EOF) {
			return "", errUnanswered
		}
		return strings.TrimSpace(string(got.text)), got.err
	case <-a.ctx.Done():
		if before != nil {
			term.Restore(int(a.in.Fd()), before)
		}
		fmt.Fprintln(a.out)
		return "", errors.New("interrupted; nothing was written")
	}
}

// readLine reads one line and not a byte more: what follows belongs to the
// next question, which may be read in another way.
func readLine(in io.Reader) ([]byte, error) {
	var text []byte
	one := make([]byte, 1)
	for {
		n, err := in.Read(one)
		if n == 1 {
			if one[0] == '\n' {
				return bytes.TrimSuffix(text, []byte("\r")), nil
			}
			text = append(text, one[0])
		}
		if err != nil {
			return nil, err
		}
	}
}
