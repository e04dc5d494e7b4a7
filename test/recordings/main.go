// SPDX-License-Identifier: Apache-2.0

// recordings draws docs/pictures from real runs: the plugin and the demo as a pseudo-terminal showed them, and the dashboard over what was scraped.
// An argument picks one of them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// columns of the terminal that is recorded: a narrow screen still shows them.
const columns = 100

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "recordings:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) error {
	if err := os.MkdirAll(harness.Path("docs/pictures"), 0o755); err != nil {
		return err
	}
	pictures := map[string]func(context.Context) error{"plugin": drawPlugin, "demo": drawDemo, "dashboard": drawDashboard}
	if len(names) == 0 {
		names = []string{"plugin", "demo", "dashboard"}
	}
	for _, name := range names {
		if pictures[name] == nil {
			return fmt.Errorf("there is no picture %q: give plugin, demo or dashboard", name)
		}
		if err := pictures[name](ctx); err != nil {
			return err
		}
	}
	return nil
}

func drawDemo(ctx context.Context) error {
	demo := newScreen(columns)
	if err := record(demo, exec.CommandContext(ctx, "go", "run", "-buildvcs=false", harness.Path("test/demo")), nil); err != nil {
		return err
	}
	return save(demo, "demo")
}

// drawPlugin lets somebody stop the import that runs on an instance, and look at what happened to it.
func drawPlugin(ctx context.Context) error {
	e, err := harness.Start(ctx)
	if err != nil {
		return err
	}
	defer e.Stop()
	e.Cloud.SetImport(cdbsim.Import{
		Region: harness.Region, ID: "434e366f-beaf56d6-508b7f33-2abdb382", Status: "RUNNING", EndsAfter: 3 * time.Second,
		InstanceID: "cdb-c1nl9rpv", DatabaseName: "shop", FileName: "shop.sql.gz", Percent: 37,
	})
	if err := e.Build(ctx); err != nil {
		return err
	}
	if err := e.BuildPlugin(ctx); err != nil {
		return err
	}
	operator, err := e.Run(ctx)
	if err != nil {
		return err
	}
	defer operator.Kill()
	if err := e.Client.Create(ctx, e.Tenant("default").Secret("tencentcloud-credentials", harness.Account)); err != nil {
		return err
	}
	s := newScreen(columns)
	stop := []string{"kubectl", "stop-import", "--instance=cdb-c1nl9rpv", "--region=ap-guangzhou", "--secret=tencentcloud-credentials", "--until-stopped"}
	if err := typed(ctx, e, s, stop, map[string]string{"[y/N] ": "y\n"}); err != nil {
		return err
	}
	_, remaining, _ := strings.Cut(s.text(), "importjobstop.cdb.tencentcloud.com/")
	name, _, _ := strings.Cut(remaining, " ")
	if err := typed(ctx, e, s, []string{"kubectl", "stop-import", "status", name}, nil); err != nil {
		return err
	}
	return save(s, "plugin")
}

// typed is a command after a prompt.
func typed(ctx context.Context, e *harness.Environment, s *screen, args []string, replies map[string]string) error {
	s.write([]byte("$ "+strings.Join(args, " ")+"\r\n"), s.rows[len(s.rows)-1].at+longest)
	command := exec.CommandContext(ctx, e.Assets()+"/"+args[0], args[1:]...)
	command.Env = e.KubectlEnv()
	return record(s, command, replies)
}

// record runs a command in a pseudo-terminal. It types each reply after its question was shown.
func record(s *screen, command *exec.Cmd, replies map[string]string) error {
	began, before := time.Now(), s.rows[len(s.rows)-1].at
	file, err := pty.StartWithSize(command, &pty.Winsize{Rows: 50, Cols: uint16(s.width)})
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := file.Read(buffer)
		s.write(buffer[:n], before+time.Since(began))
		for question, reply := range replies {
			if strings.HasSuffix(strings.TrimRight(s.text(), "\n"), question) {
				time.Sleep(longest) // to be read
				_, _ = file.WriteString(reply)
			}
		}
		if err != nil { // as a terminal ends when its last program has
			break
		}
	}
	if err := command.Wait(); err != nil {
		return fmt.Errorf("%s: %w:\n%s", command, err, s.text())
	}
	return nil
}

func save(s *screen, name string) error {
	fmt.Print(s.text())
	return os.WriteFile(harness.Path("docs/pictures", name+".svg"), []byte(s.svg()), 0o644)
}
