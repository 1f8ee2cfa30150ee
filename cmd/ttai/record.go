package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/simulator/cassette"
	"github.com/ttai-go/ttai/tastytrade"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

type recordCommand struct {
	File string `arg:"" help:"File to write; compressed when its name ends in .gz."`
	app.Config
	Symbols []string      `help:"Underlyings to ask about." default:"SPY,AAPL" placeholder:"SYMBOL,…"`
	Stream  time.Duration `help:"How long to listen to the two streams; 0s: not at all." default:"20s"`
	Timeout time.Duration `help:"How long one call may take." default:"30s"`
	Force   bool          `help:"Overwrite the file."`
}

// Help is shown below the flags.
func (recordCommand) Help() string {
	return `Examples:
  ttai record simulator.jsonl                          the simulator's own answers
  ttai record sandbox.jsonl.gz --env sandbox --symbols SPY,KO --stream 1m

It only reads: it asks for what your account and the market show, listens to the market-data and the account stream, and
writes the answers into one file, a cassette. Account numbers, names, tokens, identifiers and free text are replaced before
anything is written, each by the same substitute everywhere. Amounts, positions, orders and dates are kept: read the file
before you give it to anybody. 'ttai contract FILE' compares it with this program.
Exit code: 0 written, 1 nothing could be recorded, 2 the settings are wrong.`
}

// Run records and writes.
func (c recordCommand) Run(s *session) error {
	if len(c.Symbols) == 0 {
		return app.Usage(errors.New("--symbols needs at least one symbol"))
	}
	config, err := c.Complete(s.sources)
	if err != nil {
		return err
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_EXCL
	if c.Force {
		flags = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	}
	file, err := os.OpenFile(c.File, flags, 0o600)
	if errors.Is(err, os.ErrExist) {
		return app.Usage(fmt.Errorf("%s is there already: name another file, or overwrite it with --force", c.File))
	}
	if err != nil {
		return err
	}
	defer file.Close()
	tape, err := c.record(s, config)
	if err == nil {
		err = writeCassette(file, tape)
	}
	if err != nil {
		return errors.Join(err, os.Remove(c.File))
	}
	frames := 0
	for _, e := range tape.Entries {
		if e.Frame != nil {
			frames++
		}
	}
	_, err = fmt.Fprintf(s.std.Out, "wrote %s: %d answers, %d stream messages of the %s, redacted. Read it before you give it away.\n", c.File, len(tape.Entries)-frames, frames, tape.Header.Environment)
	return err
}

// record asks for everything once.
func (c recordCommand) record(s *session, config app.Config) (*cassette.Cassette, error) {
	recorder := cassette.NewRecorder(nil)
	defer recorder.CloseIdleConnections()
	opened, err := app.Open(config, &app.OpenOptions{Transport: recorder})
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	now := opened.Clock.Now()
	at := newCallScope(c.Symbols, now)
	answered := 0
	for i, call := range brokerCalls {
		fmt.Fprintf(s.std.Err, "%3d/%d %s", i+1, len(brokerCalls), call.name)
		recorder.Call(call.name)
		ctx, cancel := context.WithTimeout(s.ctx, c.Timeout)
		_, err := call.run(ctx, opened.Client, at)
		cancel()
		if s.ctx.Err() != nil {
			return nil, s.ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(s.std.Err, ": %v", err)
		} else {
			answered++
		}
		fmt.Fprintln(s.std.Err)
	}
	if answered == 0 {
		return nil, errors.New("no call was answered: 'ttai doctor' says why")
	}
	if c.Stream > 0 {
		recorder.Call("streams")
		fmt.Fprintf(s.std.Err, "listening to the streams for %s\n", c.Stream)
		if err := listen(s.ctx, opened, at, c.Stream); err != nil {
			fmt.Fprintf(s.std.Err, "streams: %v\n", err)
		}
	}
	if s.ctx.Err() != nil {
		return nil, s.ctx.Err()
	}
	header := cassette.Header{Environment: string(opened.Environment), Recorded: now.UTC(), Note: opened.Notice}
	secrets := []string{config.ClientID, config.ClientSecret, config.RefreshToken}
	if token, err := opened.Tokens.Token(s.ctx); err == nil {
		secrets = append(secrets, token.AccessToken)
	}
	return cassette.Redact(header, recorder.Entries(), secrets...), nil
}

// listen opens both streams, whose messages the client's transport takes down.
func listen(ctx context.Context, opened *app.Opened, at *callScope, how time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, how)
	defer cancel()
	var failed []error
	accounts, err := opened.Client.DialAccounts(ctx, &tastytrade.AccountStreamerOptions{
		Accounts: []tastytrade.AccountNumber{at.account}, URL: opened.AccountStreamer, MaxAttempts: 1,
	})
	if err == nil {
		defer accounts.Close()
	}
	failed = append(failed, err)
	conn, err := opened.Client.DialMarketData(ctx, &dxlink.Options{MaxAttempts: 1})
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	defer conn.Close()
	for _, subscribe := range []func() (io.Closer, error){
		func() (io.Closer, error) { return dxlink.Subscribe[dxlink.Quote](ctx, conn, at.symbols...) },
		func() (io.Closer, error) { return dxlink.Subscribe[dxlink.Trade](ctx, conn, at.symbols...) },
		func() (io.Closer, error) { return dxlink.Subscribe[dxlink.Summary](ctx, conn, at.symbols...) },
		func() (io.Closer, error) { return dxlink.Subscribe[dxlink.Profile](ctx, conn, at.symbols...) },
		func() (io.Closer, error) { return dxlink.Subscribe[dxlink.TimeAndSale](ctx, conn, at.symbols...) },
	} {
		subscription, err := subscribe()
		if err != nil {
			failed = append(failed, err)
			continue
		}
		defer subscription.Close()
	}
	_, err = conn.Candles(ctx, dxlink.CandleRequest{Symbol: at.symbols[0], Period: "1d", From: time.Date(at.today.Year, at.today.Month, at.today.Day-14, 0, 0, 0, 0, time.UTC)})
	failed = append(failed, err)
	<-ctx.Done()
	return errors.Join(failed...)
}

func writeCassette(file *os.File, tape *cassette.Cassette) error {
	if !strings.HasSuffix(file.Name(), ".gz") {
		return errors.Join(tape.Write(file), file.Close())
	}
	z := gzip.NewWriter(file)
	return errors.Join(tape.Write(z), z.Close(), file.Close())
}
