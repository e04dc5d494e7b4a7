// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// buildPlugin is done once, however many tests use it.
var buildPlugin = sync.OnceValue(func() error { return env.BuildPlugin(context.Background()) })

// terminal is kubectl in a pseudo-terminal, and what it has shown.
type terminal struct {
	fixture
	command *exec.Cmd
	file    *os.File
	mu      sync.Mutex
	shown   bytes.Buffer
	ended   chan struct{}
}

// kubectl starts kubectl with these arguments, in the namespace of the fixture, as a person does.
func (f fixture) kubectl(args ...string) *terminal {
	f.Helper()
	f.Must(buildPlugin())
	x := &terminal{fixture: f, ended: make(chan struct{})}
	x.command = exec.CommandContext(f.Context(), filepath.Join(env.Assets(), "kubectl"), append(args, "--namespace="+f.Namespace)...)
	x.command.Env = env.KubectlEnv()
	var err error
	x.file, err = pty.StartWithSize(x.command, &pty.Winsize{Rows: 40, Cols: 160})
	f.Must(err)
	f.Cleanup(func() { _ = x.command.Process.Kill(); <-x.ended })
	go func() {
		_, _ = x.file.WriteTo(x)
		_ = x.command.Wait()
		_ = x.file.Close()
		close(x.ended)
	}()
	return x
}

// Write takes what is shown.
func (x *terminal) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.shown.Write(p)
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.shown.String()
}

// until waits for a text, and then types.
func (x *terminal) until(text, keys string) {
	x.Helper()
	x.Eventually(text+" on the terminal", func() (bool, error) {
		shown := x.text()
		if strings.Contains(shown, text) {
			return true, nil
		}
		return false, errors.New(shown)
	})
	_, err := x.file.WriteString(keys)
	x.Must(err)
}

// ends waits until kubectl has ended, and checks its exit code.
func (x *terminal) ends(want int) string {
	x.Helper()
	<-x.ended
	if got := x.command.ProcessState.ExitCode(); got != want {
		x.Fatalf("exit code %d, want %d:\n%s", got, want, x.text())
	}
	return x.text()
}

func (f fixture) running(name, file string, percent int) {
	f.SetImport(name, cdbsim.Import{InstanceID: "cdb-" + strings.ReplaceAll(f.Namespace, "-", ""), DatabaseName: "shop", FileName: file, Percent: percent})
}

// The plugin's whole conversation, with the operator and kubectl as they ship.
func TestPluginFindsAsksAndStops(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.start()
	f.running("shop", "shop.sql.gz", 37)
	stop := []string{"stop-import", "--instance=cdb-" + strings.ReplaceAll(f.Namespace, "-", ""), "--region=ap-guangzhou", "--secret=creds", "--name=found"}
	wantGone := func() {
		t.Helper()
		if _, err := f.Tenant.Get(t.Context(), "found"); !apierrors.IsNotFound(err) {
			t.Errorf("the preview stays: %v", err)
		}
		f.wantCalls("shop", 0)
	}

	x := f.kubectl(stop...)
	x.until("Stop it?", "n\n")
	if text := x.ends(1); !strings.Contains(text, "shop.sql.gz") || !strings.Contains(text, "37 %") {
		t.Errorf("it shows\n%s", text)
	}
	wantGone()

	x = f.kubectl(stop...)
	x.until("Stop it?", "\x03") // Ctrl-C
	x.ends(130)
	wantGone()

	f.running("stock", "stock.sql.gz", 5)
	x = f.kubectl(stop...)
	x.until("Which one", "\n")
	x.ends(1)
	wantGone()

	x = f.kubectl(append(stop, "--file=shop.sql.gz")...)
	x.until("Stop it?", "y\n")
	if text := x.ends(0); !strings.Contains(text, "StopAccepted: ") {
		t.Errorf("it shows\n%s", text)
	}
	f.wantCalls("shop", 1)
	f.wantCalls("stock", 0)
	if o := f.Get("found"); o.Spec.Suspend || o.Spec.AsyncRequestID != f.ImportID("shop") {
		t.Errorf("the spec is %+v", o.Spec)
	}
	if text := f.kubectl("stop-import", "status", "found").ends(0); !strings.Contains(text, "accepted ") || !strings.Contains(text, "37 %") {
		t.Errorf("its story is\n%s", text)
	}
	if text := f.kubectl("stop-import", "suspend", "found").ends(1); !strings.Contains(text, "was accepted") {
		t.Errorf("it shows\n%s", text)
	}
}

// What the verbs do is what the operator takes.
func TestPluginVerbs(t *testing.T) {
	f := newFixture(t)
	f.account()
	f.start()
	f.Create(f.Object("unknown"))
	f.UntilReason("unknown", cdbv1.ReasonImportNotFound)
	if text := f.kubectl("stop-import", "status", "unknown").ends(1); !strings.Contains(text, "stop-import retry unknown") {
		t.Errorf("its story is\n%s", text)
	}
	f.kubectl("stop-import", "retry", "unknown", "--wait").ends(1) // it fails again, by an answer of its own
	if o := f.Get("unknown"); o.Status.Attempts != 2 {
		t.Errorf("there were %d attempts", o.Status.Attempts)
	}
	f.kubectl("stop-import", f.ImportID("unknown"), "--name=unknown", "--region=ap-guangzhou", "--secret=creds").ends(1) // it has failed already
	f.kubectl("stop-import", "suspend", "unknown").ends(0)
	f.SetImport("unknown", cdbsim.Import{})
	if text := f.kubectl("stop-import", "resume", "unknown", "--wait").ends(0); !strings.Contains(text, "StopAccepted: ") {
		t.Errorf("it shows\n%s", text)
	}
}
