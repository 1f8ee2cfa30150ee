package main

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
)

// units are the descriptions by which a system runs the scheduler all the time, as
// the user who installs it, so that it finds that user's settings and data.
var units = map[string]string{
	"systemd": `# systemctl --user: {{.Program}} all the time, from log-in on.
#
#   mkdir -p ~/.config/systemd/user
#   ttai-scheduler --unit systemd > ~/.config/systemd/user/ttai-scheduler.service
#   systemctl --user daemon-reload
#   systemctl --user enable --now ttai-scheduler
#   loginctl enable-linger            (to run without being logged in)
#   journalctl --user -u ttai-scheduler -f
#
# Credentials belong into config.json, which only you can read, or into a file
# that EnvironmentFile= names.
[Unit]
Description=ttai scheduler: jobs, alerts and reports
Documentation=https://github.com/ttai-go/ttai/blob/main/docs/scheduler.md
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={{.Systemd}}
Restart=on-failure
RestartSec=10
# Settings that are wrong do not get right by trying again.
RestartPreventExitStatus=2
KillSignal=SIGTERM
TimeoutStopSec=30
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=full
UMask=0077

[Install]
WantedBy=default.target
`,
	"launchd": `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Credentials belong into config.json, which only you can read. How to install it: docs/scheduler.md. -->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>com.github.ttai-go.scheduler</string>
	<key>ProgramArguments</key>
	<array>
		<string>{{.XML}}</string>
	</array>
	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<dict>
		<key>SuccessfulExit</key>
		<false/>
	</dict>
	<key>ThrottleInterval</key>
	<integer>10</integer>
	<key>ExitTimeOut</key>
	<integer>30</integer>
	<key>ProcessType</key>
	<string>Background</string>
	<key>StandardOutPath</key>
	<string>{{.Log}}</string>
	<key>StandardErrorPath</key>
	<string>{{.Log}}</string>
</dict>
</plist>
`,
	// No encoding is declared: PowerShell writes what is redirected in UTF-16.
	"windows": `<?xml version="1.0"?>
<!-- Credentials belong into config.json, which only you can read. How to install it: docs/scheduler.md. -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>ttai scheduler: jobs, alerts and reports</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{{.XML}}</Command>
    </Exec>
  </Actions>
</Task>
`,
}

// writeUnit writes the description for one system; it names the program that runs.
func writeUnit(out io.Writer, system, home string) error {
	text, ok := units[system]
	if !ok {
		return app.Usage(invalid.Field("unit", system, "systemd, launchd or windows"))
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	var escaped, log strings.Builder
	if err := xml.EscapeText(&escaped, []byte(program)); err != nil {
		return err
	}
	if err := xml.EscapeText(&log, []byte(filepath.Join(home, "Library", "Logs", "ttai-scheduler.log"))); err != nil {
		return err
	}
	unit, err := template.New(system).Parse(text)
	if err != nil {
		return err
	}
	return unit.Execute(out, map[string]string{"Program": program, "XML": escaped.String(), "Log": log.String(), "Systemd": systemdQuoted(program)})
}

// systemdQuoted is a path as the first word of ExecStart, where %, $, quotes and
// backslashes mean something.
func systemdQuoted(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`).Replace(path) + `"`
}
