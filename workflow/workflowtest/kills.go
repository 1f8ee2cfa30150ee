package workflowtest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ttai-go/ttai/workflow"
)

// killFolder is the variable by which a test binary knows that it is to be killed.
const killFolder = "WORKFLOWTEST_KILL_FOLDER"

// OpenFolder opens an engine on the data in a folder, with a lease of at most a
// second, and returns what closes both.
type OpenFolder func(ctx context.Context, folder string, workflows ...workflow.Workflow) (workflow.Engine, func() error, error)

// KillMain is for the TestMain of an engine that calls TestKills, before
// anything else: it returns at once, except in the processes that TestKills
// starts, which end there.
func KillMain(open OpenFolder) {
	folder := os.Getenv(killFolder)
	if folder == "" {
		return
	}
	if err := victim(open, folder); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	os.Exit(0)
}

// TestKills kills the process that executes a run so many times, before, inside
// and after its steps, and checks that each step's effect happened once by its
// key, that no step ran again after it was recorded, and that the run completed.
func TestKills(t *testing.T, kills int) {
	folder := t.TempDir()
	steps := (kills + len(points) - 1) / len(points)
	if err := os.WriteFile(filepath.Join(folder, "steps"), []byte(strconv.Itoa(steps)), 0o600); err != nil {
		t.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	died := 0
	for {
		victim := exec.CommandContext(t.Context(), binary, "-test.run=^$")
		victim.Env = append(os.Environ(), killFolder+"="+folder)
		out, err := victim.CombinedOutput()
		if err == nil {
			break
		}
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok || exit.ExitCode() == 3 || exit.ExitCode() == 2 || died > steps*len(points) {
			t.Fatalf("after %d deaths: %v\n%s", died, err, out)
		}
		died++
	}
	if want := steps * len(points); died != want {
		t.Errorf("the process died %d times, want %d", died, want)
	}
	calls := map[string]int{}
	file, err := os.Open(filepath.Join(folder, "calls"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		calls[lines.Text()]++
	}
	effects, err := filepath.Glob(filepath.Join(folder, "effect-*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(effects) != steps || len(calls) != steps {
		t.Errorf("%d effects under %d keys, want %d of each", len(effects), len(calls), steps)
	}
	for key, n := range calls {
		if n != 3 { // it died before its effect, it died after it, it ended
			t.Errorf("step %s was called %d times, want 3", key, n)
		}
	}
}

// points are where a process dies in each step.
var points = []string{"before", "inside", "effect", "after"}

// victim executes the run until it dies or the run has ended.
func victim(open OpenFolder, folder string) error {
	ctx := context.Background()
	text, err := os.ReadFile(filepath.Join(folder, "steps"))
	if err != nil {
		return err
	}
	steps, err := strconv.Atoi(string(text))
	if err != nil {
		return err
	}
	w := of("victim", func(ctx *workflow.Ctx, _ int) (int, error) {
		sum := 0
		for i := range steps {
			die(folder, "before", i)
			n, err := workflow.Step(ctx, fmt.Sprintf("step-%d", i), workflow.Policy{}, func(_ context.Context, call workflow.Call) (int, error) {
				if err := appendLine(filepath.Join(folder, "calls"), call.Key); err != nil {
					return 0, err
				}
				die(folder, "inside", i)
				// What the effect is told to takes a key once.
				sum := sha256.Sum256([]byte(call.Key))
				if _, err := mark(filepath.Join(folder, "effect-"+hex.EncodeToString(sum[:]))); err != nil {
					return 0, err
				}
				die(folder, "effect", i)
				return i, nil
			})
			if err != nil {
				return 0, err
			}
			die(folder, "after", i)
			sum += n
		}
		return sum, nil
	})
	e, closeBoth, err := open(ctx, folder, w)
	if err != nil {
		return err
	}
	if _, err := e.Start(ctx, "victim", "victim", 0); err != nil {
		return err
	}
	sum, err := workflow.Result[int](ctx, e, "victim")
	if err == nil && sum != steps*(steps-1)/2 {
		err = fmt.Errorf("the run returned %d", sum)
	}
	return errors.Join(err, closeBoth())
}

// die kills the process the first time that any comes to a point.
func die(folder, point string, i int) {
	first, err := mark(filepath.Join(folder, fmt.Sprintf("died-%s-%d", point, i)))
	if err != nil || !first {
		return
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	select {} // until the signal has come
}

// mark makes an empty file; false when there was one.
func mark(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.TrimSpace(line) + "\n")
	return errors.Join(err, f.Close())
}
