package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/oauth2"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/simulator/cassette"
	"github.com/ttai-go/ttai/tastytrade"
)

type contractCommand struct {
	File      string        `arg:"" help:"A cassette, as 'ttai record' writes it." type:"existingfile"`
	Simulator string        `help:"A cassette of the simulator to compare with. Default: one is recorded now." placeholder:"FILE" type:"existingfile"`
	Stream    time.Duration `help:"How long to listen to the simulator's streams; 0s: they are not compared." default:"3s"`
	JSON      bool          `name:"json" help:"Print one JSON object."`
}

// Help is shown below the flags.
func (contractCommand) Help() string {
	return `Examples:
  ttai contract sandbox.jsonl.gz
  ttai contract mine.jsonl --json

It reads every recorded answer with this program's client, and names what the client cannot read and what no field of it
claims. It compares the form of every answer and stream message with the simulator's, and names each member that only one
of the two has, and each of another type. What cannot be known, such as the form of an empty list, is no difference.
Exit code: 0 nothing differs, 1 something does, 2 the file is not a cassette.`
}

// A contractFinding is one difference.
type contractFinding struct {
	// With is whom the recording differs from: "client" or "simulator".
	With string `json:"with"`
	// Call is the method, or the kind of the stream's message.
	Call  string `json:"call"`
	Finds string `json:"finds"`
}

type contractReport struct {
	Recorded    time.Time         `json:"recorded"`
	Environment string            `json:"environment"`
	Calls       int               `json:"calls"`    // methods with answers that were compared
	Messages    int               `json:"messages"` // kinds of stream messages that were compared
	Findings    []contractFinding `json:"findings"`
}

var errContract = errors.New("the recording differs")

// Run compares.
func (c contractCommand) Run(s *session) error {
	tape, err := cassette.ReadFile(c.File)
	if err != nil {
		return app.Usage(err)
	}
	ours, err := c.simulated(s)
	if err != nil {
		return err
	}
	report := compareCassettes(s.ctx, tape, ours)
	if c.JSON {
		encoder := json.NewEncoder(s.std.Out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	} else {
		err = report.write(s.std.Out)
	}
	if err == nil && len(report.Findings) > 0 {
		err = fmt.Errorf("%w in %d places", errContract, len(report.Findings))
	}
	return err
}

// simulated is a cassette of the simulator.
func (c contractCommand) simulated(s *session) (*cassette.Cassette, error) {
	if c.Simulator != "" {
		tape, err := cassette.ReadFile(c.Simulator)
		if err != nil {
			return nil, app.Usage(err)
		}
		return tape, nil
	}
	quiet := *s
	quiet.std.Err = io.Discard
	record := recordCommand{Symbols: []string{"SPY", "AAPL"}, Stream: c.Stream, Timeout: 30 * time.Second}
	return record.record(&quiet, app.Config{Env: string(broker.Simulator), Seed: 1, Clock: "day"})
}

func (r contractReport) write(w io.Writer) error {
	fmt.Fprintf(w, "Recorded %s in %s: %d calls and %d kinds of stream messages compared.\n", r.Recorded.Format(time.RFC3339), r.Environment, r.Calls, r.Messages)
	if len(r.Findings) == 0 {
		_, err := fmt.Fprintln(w, "Nothing differs.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WITH\tCALL\tDIFFERENCE")
	for _, f := range r.Findings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.With, f.Call, f.Finds)
	}
	return table.Flush()
}

// compareCassettes names how a recording differs from this program's client and
// from a recording of the simulator.
func compareCassettes(ctx context.Context, tape, simulator *cassette.Cassette) contractReport {
	report := contractReport{Recorded: tape.Header.Recorded, Environment: tape.Header.Environment}
	names, answers := tape.Calls()
	_, simulated := simulator.Calls()
	add := func(with, call, finds string) {
		report.Findings = append(report.Findings, contractFinding{with, call, finds})
	}
	for _, name := range names {
		i := slices.IndexFunc(brokerCalls, func(c brokerCall) bool { return c.name == name })
		if i < 0 {
			if name != "streams" {
				add("client", name, "this program has no such call")
			}
			continue
		}
		report.Calls++
		for _, finds := range readByClient(ctx, brokerCalls[i], answers[name], tape.Header.Recorded) {
			add("client", name, finds)
		}
		if simulated[name] == nil {
			add("simulator", name, "the simulator does not answer it")
			continue
		}
		for _, d := range cassette.ShapeOf(answers[name]...).Compare(cassette.ShapeOf(simulated[name]...)) {
			add("simulator", name, d.String())
		}
	}
	theirs, mine := messages(tape), messages(simulator)
	for _, kind := range slices.Sorted(maps.Keys(theirs)) {
		report.Messages++
		if strings.HasPrefix(kind, "account ") {
			for _, finds := range readNotifications(theirs[kind]) {
				add("client", kind, finds)
			}
		}
		if mine[kind] == nil {
			if len(mine) > 0 {
				add("simulator", kind, "the simulator sent no such message")
			}
			continue
		}
		for _, d := range cassette.ShapeOf(theirs[kind]...).Compare(cassette.ShapeOf(mine[kind]...)) {
			add("simulator", kind, d.String())
		}
	}
	return report
}

// readByClient gives answers to the client as if the broker sent them, and returns
// what it cannot read.
func readByClient(ctx context.Context, call brokerCall, answers []json.RawMessage, now time.Time) []string {
	script := &scripted{answers: answers}
	client, err := tastytrade.NewClient(tastytrade.FromOAuth2(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "recorded"})), &tastytrade.ClientOptions{
		BaseURL: "http://127.0.0.1", HTTPClient: &http.Client{Transport: script}, Limiter: tastytrade.NoLimit(), Retries: -1,
	})
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for len(script.answers) > 0 {
		left := len(script.answers)
		value, err := call.run(ctx, client, newCallScope([]string{"SPY", "AAPL"}, now))
		switch {
		case err != nil:
			found = append(found, "cannot be read: "+err.Error())
		default:
			for _, path := range tastytrade.Unclaimed(value) {
				found = append(found, path+": no field of the client has it")
			}
		}
		if len(script.answers) == left {
			return append(found, "the client asked for nothing")
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// scripted answers every request with the next of its answers.
type scripted struct{ answers []json.RawMessage }

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	body, status := []byte(`{"error":{"code":"not_recorded","message":"the recording ends here"}}`), http.StatusNotFound
	if len(s.answers) > 0 {
		body, status = s.answers[0], http.StatusOK
		s.answers = s.answers[1:]
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// messages groups what servers sent on the streams by stream and kind.
func messages(tape *cassette.Cassette) map[string][]json.RawMessage {
	kinds := map[string][]json.RawMessage{}
	for _, e := range tape.Entries {
		if e.Frame == nil || e.Frame.Sent {
			continue
		}
		var head struct {
			Type   string          `json:"type"`
			Action string          `json:"action"`
			Data   json.RawMessage `json:"data"`
		}
		if json.Unmarshal(e.Frame.Data, &head) != nil {
			continue
		}
		stream := "account "
		if strings.Contains(e.Frame.Stream, "dxlink") || strings.Contains(e.Frame.Stream, "realtime") {
			stream = "market data "
		}
		kind, data := stream+head.Type+head.Action, e.Frame.Data
		if head.Type == "FEED_DATA" { // rows whose columns FEED_CONFIG names
			var rows []json.RawMessage
			if json.Unmarshal(head.Data, &rows) == nil && len(rows) > 0 {
				var name string
				if json.Unmarshal(rows[0], &name) == nil {
					kind += " " + name
				}
			}
		}
		if head.Type == "FEED_CONFIG" {
			data = fieldsAsMembers(data)
		}
		kinds[kind] = append(kinds[kind], data)
	}
	return kinds
}

// fieldsAsMembers writes the lists of fields of a FEED_CONFIG as objects, so that
// a field which one side lacks is a member that it lacks.
func fieldsAsMembers(data json.RawMessage) json.RawMessage {
	var message map[string]any
	if json.Unmarshal(data, &message) != nil {
		return data
	}
	fields, ok := message["eventFields"].(map[string]any)
	if !ok {
		return data
	}
	for kind, list := range fields {
		members := map[string]any{}
		if names, ok := list.([]any); ok {
			for _, name := range names {
				if text, ok := name.(string); ok {
					members[text] = true
				}
			}
		}
		fields[kind] = members
	}
	out, err := json.Marshal(message)
	if err != nil {
		return data
	}
	return out
}

// readNotifications returns what the client cannot read of the account stream.
func readNotifications(list []json.RawMessage) []string {
	var found []string
	for _, data := range list {
		var head struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(data, &head) != nil || head.Type == "" {
			continue // the answer to a request
		}
		var n tastytrade.Notification
		switch err := json.Unmarshal(data, &n); {
		case err != nil:
			found = append(found, "cannot be read: "+err.Error())
		case n.Err != nil:
			found = append(found, "cannot be read: "+n.Err.Error())
		case n.Value == nil:
			found = append(found, "the client does not know this kind")
		default:
			for _, path := range tastytrade.Unclaimed(n.Value) {
				found = append(found, path+": no field of the client has it")
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
