// Package deploy_test checks what is handed to other programs: install links,
// the registry's entry, the bundle, the image and the workflows.
package deploy_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{".."}, path...)...))
	require.NoError(t, err)
	return string(text)
}

// clientEntry is the entry for clients that the README tells people to paste.
func clientEntry(t *testing.T) map[string]any {
	t.Helper()
	_, after, found := strings.Cut(read(t, "README.md"), `"mcpServers"`)
	require.True(t, found)
	block, _, _ := strings.Cut(`{"mcpServers"`+after, "```")
	var config struct {
		MCPServers map[string]map[string]any `json:"mcpServers"`
	}
	require.NoError(t, json.Unmarshal([]byte(block), &config))
	require.Contains(t, config.MCPServers, "ttai")
	return config.MCPServers["ttai"]
}

// Cursor reads the base64 of the entry's JSON, VS Code the JSON itself, both as
// a query parameter.
func TestInstallLinksCarryTheEntryThatTheREADMEShows(t *testing.T) {
	want := clientEntry(t)
	found := map[string]int{}
	for _, document := range []string{"README.md", "deploy/README.md"} {
		for _, link := range regexp.MustCompile(`https://[^\s)>"]+`).FindAllString(read(t, document), -1) {
			address, err := url.Parse(link)
			require.NoError(t, err, link)
			query, err := url.ParseQuery(address.RawQuery)
			require.NoError(t, err, link)
			var config []byte
			switch {
			case address.Host == "cursor.com" && strings.HasSuffix(address.Path, "/install-mcp"):
				config, err = base64.StdEncoding.DecodeString(query.Get("config"))
				require.NoError(t, err, link)
			case address.Host == "insiders.vscode.dev" && address.Path == "/redirect/mcp/install":
				config = []byte(query.Get("config"))
			default:
				continue
			}
			found[address.Host]++
			assert.Equal(t, "ttai", query.Get("name"), link)
			var entry map[string]any
			require.NoError(t, json.Unmarshal(config, &entry), link)
			assert.Equal(t, want, entry, "%s in %s", link, document)
		}
	}
	assert.Positive(t, found["cursor.com"])
	assert.Positive(t, found["insiders.vscode.dev"])
}

// The registry publishes under a namespace that the module's owner has, and
// looks for its name in the image.
func TestTheRegistrysEntryAndTheImageHaveOneName(t *testing.T) {
	var entry struct {
		Schema      string `json:"$schema"`
		Name, Title string
		Description string
		Repository  struct{ URL, Source string }
		Packages    []struct {
			RegistryType, Identifier, FileSha256 string
			Transport                            struct{ Type string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "server.json")), &entry))
	assert.Equal(t, "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json", entry.Schema)
	assert.LessOrEqual(t, len(entry.Description), 100, "the schema's limit")
	owner := strings.Split(strings.TrimPrefix(entry.Repository.URL, "https://github.com/"), "/")[0]
	assert.Equal(t, "io.github."+owner+"/ttai", entry.Name)
	assert.Contains(t, read(t, "go.mod"), "module github.com/"+owner+"/ttai\n")
	assert.Contains(t, read(t, "deploy", "Dockerfile"), `io.modelcontextprotocol.server.name="`+entry.Name+`"`)
	require.Len(t, entry.Packages, 2)
	for _, p := range entry.Packages {
		assert.Equal(t, "stdio", p.Transport.Type)
	}
	assert.Equal(t, "mcpb", entry.Packages[0].RegistryType)
	assert.Regexp(t, `^https://github\.com/`+owner+`/ttai/releases/download/v[^/]+/ttai-mcp_[^/]+\.mcpb$`, entry.Packages[0].Identifier)
	assert.Regexp(t, `^[0-9a-f]{64}$`, entry.Packages[0].FileSha256)
	assert.Equal(t, "oci", entry.Packages[1].RegistryType)
	assert.Regexp(t, `^ghcr\.io/`+owner+`/ttai-mcp:\d+\.\d+\.\d+$`, entry.Packages[1].Identifier)
	assert.Contains(t, read(t, "deploy", "compose.yaml"), "image: ghcr.io/"+owner+"/ttai-mcp:")
}

// There is no container engine to build the image with in every check, so what
// would go wrong quietly is read off the files.
func TestTheImageAndItsServiceHaveNoMoreRightsThanTheyNeed(t *testing.T) {
	image := read(t, "deploy", "Dockerfile")
	last := image[strings.LastIndex(image, "\nFROM "):]
	assert.Contains(t, last, "FROM gcr.io/distroless/static-debian12:nonroot\n")
	assert.Contains(t, last, "USER 65532:65532\n")
	assert.NotContains(t, last, "RUN ", "there is no shell to run anything with")
	assert.Contains(t, last, `ENTRYPOINT ["/usr/local/bin/ttai-mcp"]`)

	service := read(t, "deploy", "compose.yaml")
	for _, line := range []string{
		`test: ["CMD", "/usr/local/bin/ttai-mcp", "--check", "127.0.0.1:8765"]`, `ports: ["127.0.0.1:8765:8765"]`, `volumes: ["ttai-data:/data"]`,
		"read_only: true", "cap_drop: [ALL]", `security_opt: ["no-new-privileges:true"]`, "TTAI_HTTP_TOKEN: ${TTAI_HTTP_TOKEN:?",
	} {
		assert.Contains(t, service, line)
	}
	assert.Contains(t, image, "XDG_CONFIG_HOME=/data\n")
}

// A workflow that has steps of its own instead of a script cannot be run by hand.
func TestWorkflowsCallTheScriptsThatContributorsRun(t *testing.T) {
	checks, release := read(t, ".github", "workflows", "ci.yml"), read(t, ".github", "workflows", "release.yml")
	assert.Contains(t, checks, "run: bash .ci/run\n")
	assert.Contains(t, release, "bash .ci/run\n")
	assert.Contains(t, release, "bash deploy/release --verify dist\n")
	assert.Contains(t, release, "run: bash deploy/validate dist\n")
	for name, workflow := range map[string]string{"ci.yml": checks, "release.yml": release} {
		assert.Contains(t, workflow, "\npermissions:\n  contents: read\n", "%s: jobs ask for more by themselves", name)
		for _, called := range regexp.MustCompile(`bash ((?:\.ci|deploy)/\w+)`).FindAllStringSubmatch(workflow, -1) {
			assert.FileExists(t, filepath.Join("..", called[1]), name)
		}
	}
}

// The bundle holds a program for each system; the script finds the one of this machine.
func TestTheBundlesScriptStartsTheProgramOfThisMachine(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("the bundle uses sh on Linux and macOS only")
	}
	folder := t.TempDir()
	script, err := os.ReadFile("launch")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "launch"), script, 0o600))
	fake := filepath.Join(folder, "bin")
	require.NoError(t, os.Mkdir(fake, 0o700))
	for machine, program := range map[string]string{
		"Linux x86_64": "linux_amd64", "Linux aarch64": "linux_arm64", "Darwin x86_64": "darwin_amd64", "Darwin arm64": "darwin_arm64",
	} {
		system, kind, _ := strings.Cut(machine, " ")
		require.NoError(t, os.WriteFile(filepath.Join(fake, "uname"), []byte("#!/bin/sh\ncase $1 in -s) echo "+system+" ;; -m) echo "+kind+" ;; esac\n"), 0o700))
		// Not executable, as after unpacking with a program that forgets permissions.
		require.NoError(t, os.WriteFile(filepath.Join(folder, "ttai-mcp_"+program), []byte("#!/bin/sh\necho "+program+" \"$@\"\n"), 0o600))
		cmd := exec.CommandContext(t.Context(), shell, filepath.Join(folder, "launch"), "--version")
		cmd.Env = append(os.Environ(), "PATH="+fake+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		assert.Equal(t, program+" --version", strings.TrimSpace(string(out)))
	}
	require.NoError(t, os.WriteFile(filepath.Join(fake, "uname"), []byte("#!/bin/sh\necho Plan9\n"), 0o700))
	cmd := exec.CommandContext(t.Context(), shell, filepath.Join(folder, "launch"))
	cmd.Env = append(os.Environ(), "PATH="+fake+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "go install")
}
