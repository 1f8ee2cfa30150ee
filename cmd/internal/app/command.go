package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/ttai-go/ttai/internal/invalid"
)

// The exit codes of every command.
const (
	ExitOK    = 0
	ExitError = 1 // it was tried and failed
	ExitUsage = 2 // the command line or the settings are wrong
)

// IO is what a command may touch of the outside world.
type IO struct {
	In          io.Reader
	Out, Err    io.Writer
	Environment Environment
}

// Main runs a command as a process: it ends on interrupt, or when a supervisor
// asks it to, and exits with run's code.
func Main(run func(ctx context.Context, args []string, std IO) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Environment: SystemEnvironment()})
	stop()
	os.Exit(code)
}

// exited carries the code of kong's own exits (--help, --version) out of Parse.
type exited int

// Parse reads args into cli, whose fields are kong's. done reports that the
// command has already been answered (help, version, or an error that was
// printed) and code is its exit code.
func Parse(name, description string, cli any, args []string, std IO) (parsed *kong.Context, sources *Sources, code int, done bool) {
	sources, err := std.Environment.Sources()
	if err != nil {
		fmt.Fprintf(std.Err, "%s: %v\n", name, err)
		return nil, nil, ExitUsage, true
	}
	defer func() {
		if r := recover(); r != nil {
			exit, ok := r.(exited)
			if !ok {
				panic(r)
			}
			code, done = int(exit), true
		}
	}()
	parser, err := kong.New(cli, kong.Name(name), kong.Description(description), kong.Writers(std.Out, std.Err),
		kong.Exit(func(code int) { panic(exited(code)) }), kong.Resolvers(sources.Resolver()),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		panic(err) // a mistake in the declaration of the flags
	}
	parsed, err = parser.Parse(args)
	if err != nil {
		fmt.Fprintf(std.Err, "%s: %v\nTry '%s --help'.\n", name, err, name)
		return nil, nil, ExitUsage, true
	}
	return parsed, sources, ExitOK, false
}

// Report prints err and returns the exit code that it stands for.
func Report(name string, err error, std IO) int {
	if err == nil {
		return ExitOK
	}
	fmt.Fprintf(std.Err, "%s: %v\n", name, err)
	if IsUsage(err) {
		return ExitUsage
	}
	return ExitError
}

// IsUsage tells whether err is a mistake in the command line or the settings.
func IsUsage(err error) bool {
	_, field := errors.AsType[*invalid.FieldError](err)
	_, usage := errors.AsType[usageError](err)
	return usage || field
}

// Usage marks err as a mistake in the command line or the settings, for the
// exit code.
func Usage(err error) error { return usageError{err} }

type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
