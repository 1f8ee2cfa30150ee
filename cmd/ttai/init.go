package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
)

type initCommand struct {
	Env        string   `help:"Environment: simulator, sandbox or production." placeholder:"NAME"`
	Accounts   []string `help:"Only these account numbers; 'all' for all that the grant reaches." placeholder:"NUMBER,…"`
	Client     string   `help:"MCP client to add ttai-mcp to: claude-code, claude-desktop, codex, cursor, gemini, vscode, windsurf or none." placeholder:"NAME"`
	ClientFile string   `help:"The client's configuration file, when it is not in its usual place." placeholder:"FILE"`
	Command    string   `help:"Path of ttai-mcp. Default: beside this program, else in PATH." placeholder:"FILE"`
	Force      bool     `help:"Replace an entry 'ttai' that the client already has."`
	Print      bool     `help:"Show what would be written, without secrets, and write nothing."`
}

// Help is shown below the flags.
func (initCommand) Help() string {
	return `Examples:
  ttai init                                     asks four questions at a terminal
  ttai init --print                             asks, and only shows what it would write
  ttai init --env simulator --client cursor     answers without questions
  TTAI_CLIENT_SECRET=… TTAI_REFRESH_TOKEN=… ttai init --env sandbox --client claude-code </dev/null

It writes config.json, readable by you only, and adds ttai-mcp to the client's own file, where everything else stays.
Secrets are typed without being shown, or come from the two variables; they never enter the client's file.`
}

// An answers is what the four questions found out.
type answers struct {
	env            string
	clientID       string
	secret, token  string
	accounts       []string
	client         mcpClient
	clientSettings string // path of the client's file; empty for none
}

// Run asks what the flags do not say, then writes both files.
func (c initCommand) Run(line *kong.Context, s *session) error {
	ask := asker{session: s, in: os.Stdin, out: s.std.Err}
	file, ok := s.std.In.(*os.File)
	interactive := ok && term.IsTerminal(int(file.Fd()))
	if interactive {
		ask.in = file
	}
	return c.run(given(line), s, ask, interactive)
}

// given lists the flags of the command line itself: the settings that the
// others hold are what the questions offer to keep.
func given(line *kong.Context) map[string]bool {
	flags := map[string]bool{}
	for _, step := range line.Path {
		if step.Flag != nil && !step.Resolved {
			flags[step.Flag.Name] = true
		}
	}
	return flags
}

func (c initCommand) run(given map[string]bool, s *session, ask questions, interactive bool) error {
	config, err := readConfigFile(s.std.Environment)
	if err != nil {
		return err
	}
	if interactive {
		fmt.Fprintf(s.std.Err, "Four questions; Enter takes what stands in brackets. Nothing is written before the last answer.\n")
	} else {
		ask = nil
	}
	answer, err := c.questions(given, s, config, ask)
	if err != nil {
		return err
	}
	notes := config.apply(answer)
	plans := []plannedFile{config.planned()}
	entry := clientEntry{Command: c.Command}
	if answer.clientSettings != "" {
		if entry.Command, err = c.serverCommand(s); err != nil {
			return err
		}
		if dir := s.std.Environment.Getenv("XDG_CONFIG_HOME"); dir != "" && runtime.GOOS == "linux" {
			// Clients start their servers without most variables, and this
			// one says where config.json is.
			entry.Env = map[string]string{"XDG_CONFIG_HOME": dir}
		}
		plan, err := answer.client.plan(answer.clientSettings, entry, c.Force)
		if errors.Is(err, errHasEntry) && ask != nil && answer.client.key != "" {
			var text string
			if text, err = ask.line("    "+answer.clientSettings+" has another entry 'ttai' already. Replace it, yes or no?", "yes"); err != nil {
				return err
			}
			plan, err = answer.client.plan(answer.clientSettings, entry, strings.HasPrefix(strings.ToLower(text), "y"))
		}
		if err != nil {
			return err
		}
		plans = append(plans, plan)
	}
	for _, plan := range plans {
		if c.Print {
			fmt.Fprintf(s.std.Out, "would write %s (%s)\n\n%s\n", plan.path, plan.mode, plan.shown)
			continue
		}
		changed, err := plan.write()
		if err != nil {
			return err
		}
		if !changed {
			fmt.Fprintf(s.std.Out, "%s needs no change\n", plan.path)
			continue
		}
		fmt.Fprintf(s.std.Out, "wrote %s (%s)\n", plan.path, plan.mode)
	}
	for _, note := range notes {
		fmt.Fprintln(s.std.Out, note)
	}
	c.sayNext(s, answer, entry)
	return nil
}

// sayNext tells what to do now.
func (c initCommand) sayNext(s *session, answer answers, entry clientEntry) {
	out := s.std.Out
	if c.Print {
		fmt.Fprintln(out, "Nothing was written.")
		return
	}
	if answer.env == string(broker.Production) {
		fmt.Fprintln(out, "Real accounts are read, never traded. Whoever can read config.json can use the grant; delete it at tastytrade when you no longer need it.")
	}
	fmt.Fprintf(out, "\nNext:\n  ttai doctor            checks the %s step by step\n  ttai analyze SPY       a first analysis\n", answer.env)
	if answer.clientSettings == "" {
		fmt.Fprintln(out, "  ttai-mcp               serves MCP on this machine and prints the address")
		return
	}
	fmt.Fprintf(out, "  Restart %s and ask: Analyse SPY. Is a cash-secured put worth it?\n", answer.client.title)
	if answer.client.name == "claude-code" {
		fmt.Fprintf(out, "  The entry is for this folder. For all of them: claude mcp add --scope user ttai -- %s\n", entry.Command)
	}
	if !filepath.IsAbs(entry.Command) {
		fmt.Fprintln(out, "  ttai-mcp was not found, so the entry names it without a folder. Install it: go install github.com/ttai-go/ttai/cmd/ttai-mcp@latest")
	}
}

// questions collects the answers: from the flags, then by asking; without a
// terminal, from the settings there are.
func (c initCommand) questions(given map[string]bool, s *session, config *configFile, ask questions) (answers, error) {
	var a answers
	for _, step := range []func(map[string]bool, *session, *configFile, questions, *answers) error{
		c.askEnvironment, c.askCredentials, c.askAccounts, c.askClient,
	} {
		if err := step(given, s, config, ask, &a); err != nil {
			return a, err
		}
	}
	return a, nil
}

// grantPage is where a user makes an OAuth application.
var grantPage = map[string]string{
	string(broker.Sandbox):    "developer.tastytrade.com",
	string(broker.Production): "my.tastytrade.com",
}

const wantEnvironment = "simulator, sandbox or production"

func (c initCommand) askEnvironment(given map[string]bool, _ *session, _ *configFile, ask questions, a *answers) error {
	check := func(text string) error {
		switch broker.Environment(text) {
		case broker.Simulator, broker.Sandbox, broker.Production:
			a.env = text
			return nil
		}
		return invalid.Field("env", text, wantEnvironment)
	}
	switch {
	case given["env"] || ask == nil && c.Env != "":
		return check(c.Env)
	case ask == nil:
		return invalid.Missing("env", "--env with "+wantEnvironment+": standard input is no terminal to ask at")
	}
	usual := c.Env
	if usual == "" {
		usual = string(broker.Simulator)
	}
	return untilAccepted(ask, "1/4 Environment: simulator (no account needed), sandbox (tastytrade's test system) or production (your account, read only)", usual, func(text string) error {
		return check(strings.ToLower(text))
	})
}

func (c initCommand) askCredentials(_ map[string]bool, s *session, config *configFile, ask questions, a *answers) error {
	if a.env == string(broker.Simulator) {
		if ask != nil {
			ask.say("Questions 2 and 3 are about credentials and accounts, of which the simulator has its own.")
		}
		return nil
	}
	a.clientID = s.sources.Lookup("client-id")
	// A grant of one environment does not work in the other.
	same := config.text("env") == "" || config.text("env") == a.env
	for _, secret := range []struct {
		into           *string
		flag, question string
	}{
		{&a.secret, "client-secret", "2/4 OAuth client secret, not shown while you type"},
		{&a.token, "refresh-token", "    Refresh token of the grant, not shown either"},
	} {
		setting, _ := app.SettingOf(secret.flag)
		known, from := s.std.Environment.Getenv(setting.Variable), setting.Variable
		if known == "" && same {
			known, from = config.text(setting.Key), "config.json"
		}
		switch {
		case ask == nil && known == "" && !same && config.text(setting.Key) != "":
			return invalid.Secret(setting.Variable, fmt.Sprintf("the %s's own: config.json holds one for the %s, and they are not interchangeable", a.env, config.text("env")))
		case ask == nil && known == "":
			return invalid.Missing(setting.Variable, "a variable with the "+strings.ReplaceAll(secret.flag, "-", " ")+": standard input is no terminal to ask at")
		case ask == nil:
			*secret.into = known
		default:
			offer := ""
			if known != "" {
				offer = "the one of " + from
			}
			for {
				text, err := ask.secret(secret.question, offer)
				if err != nil {
					return err
				}
				if text == "" {
					text = known
				}
				if text != "" {
					*secret.into = text
					break
				}
				ask.say("It is needed; docs/getting-started.md says where " + grantPage[a.env] + " shows it. Ctrl-C ends without a change.")
			}
		}
		if strings.ContainsFunc(*secret.into, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return invalid.Secret(setting.Variable, "one word without spaces or line breaks; was more than the value copied?")
		}
	}
	return nil
}

var accountNumber = regexp.MustCompile(`^[A-Z0-9]{4,20}$`)

func (c initCommand) askAccounts(given map[string]bool, s *session, config *configFile, ask questions, a *answers) error {
	check := func(numbers []string) error {
		a.accounts = nil
		for _, number := range numbers {
			number = strings.ToUpper(strings.TrimSpace(number))
			switch {
			case number == "":
			case number == "ALL" && len(numbers) == 1:
				return nil
			case !accountNumber.MatchString(number):
				return invalid.Field("accounts", number, "account numbers such as 5WT00001, separated by commas, or all")
			case !slices.Contains(a.accounts, number):
				a.accounts = append(a.accounts, number)
			}
		}
		return nil
	}
	usual := "all"
	if len(c.Accounts) > 0 && (config.text("env") == a.env || s.std.Environment.Getenv("TTAI_ACCOUNTS") != "") {
		usual = strings.Join(c.Accounts, ",") // numbers of another environment mean nothing here
	}
	switch {
	case given["accounts"]:
		return check(c.Accounts)
	case ask == nil:
		return check(strings.Split(usual, ","))
	case a.env == string(broker.Simulator):
		return nil
	}
	return untilAccepted(ask, "3/4 Account numbers that the assistant may see, separated by commas, or all", usual, func(text string) error {
		return check(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }))
	})
}

func (c initCommand) askClient(given map[string]bool, s *session, _ *configFile, ask questions, a *answers) error {
	check := func(name string) error {
		if name == "none" {
			a.client, a.clientSettings = mcpClient{}, ""
			return nil
		}
		client, ok := findClient(name)
		if !ok {
			return invalid.Field("client", name, strings.Join(clientNames(), ", "))
		}
		path := c.ClientFile
		if path == "" {
			var err error
			if path, err = client.path(runtime.GOOS, s.std.Environment.Getenv); err != nil {
				return err
			}
		}
		a.client, a.clientSettings = client, path
		return nil
	}
	if given["client"] {
		return check(c.Client)
	}
	if c.ClientFile != "" && ask == nil {
		return invalid.Missing("client", "the name of the client whose file --client-file is")
	}
	if ask == nil {
		return check("none")
	}
	usual := "none"
	for _, client := range clients {
		path, err := client.path(runtime.GOOS, s.std.Environment.Getenv)
		if err != nil || client.name == "claude-code" {
			continue // its file says nothing about whether it is installed
		}
		if _, err := os.Stat(filepath.Dir(path)); err == nil {
			usual = client.name
			break
		}
	}
	return untilAccepted(ask, "4/4 Add ttai-mcp to which MCP client: "+strings.Join(clientNames(), ", "), usual, func(text string) error {
		return check(strings.ToLower(text))
	})
}

// serverCommand finds ttai-mcp: beside this program, else in PATH, else by name.
func (c initCommand) serverCommand(s *session) (string, error) {
	if c.Command != "" {
		path, err := filepath.Abs(c.Command)
		if err != nil {
			return "", err
		}
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return "", invalid.Field("command", c.Command, "the path of the program ttai-mcp")
		}
		return path, nil
	}
	name := "ttai-mcp"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), name)
		if info, err := os.Stat(beside); err == nil && !info.IsDir() {
			return beside, nil
		}
	}
	if path, err := exec.LookPath("ttai-mcp"); err == nil {
		return filepath.Abs(path)
	}
	return "ttai-mcp", nil
}
