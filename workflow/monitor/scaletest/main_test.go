// Package scaletest tries the monitor at the size of a small broker: a thousand
// tenants with fifty positions and ten rules on each, on live simulated quotes. It
// holds tests only: with TTAI_SCALE=small they take seconds, with TTAI_SCALE=full
// they have the size that docs/operations.md reports. Without it they are skipped.
package scaletest

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// roleVariable makes the test binary be one of the processes of a run; what it is to
// do comes as one line of JSON on its input.
const roleVariable = "TTAI_SCALETEST_ROLE"

func TestMain(m *testing.M) {
	var err error
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "exchange":
		err = play(exchange)
	case "instance":
		err = play(instance)
	default:
		err = fmt.Errorf("no role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// play reads a role's orders and plays it. A second line on the input, or its end,
// tells the role to come to an end.
func play(role func(setup, *json.Decoder, *json.Encoder) error) error {
	in := json.NewDecoder(os.Stdin)
	var s setup
	if err := in.Decode(&s); err != nil {
		return err
	}
	return role(s, in, json.NewEncoder(os.Stdout))
}
