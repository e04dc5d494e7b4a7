// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build makes the operator's program, which Run starts.
func (e *Environment) Build(ctx context.Context, flags ...string) (err error) {
	e.program, err = e.goBuild(ctx, "manager", ".", flags...)
	return err
}

// WithProgram builds another program of the project, and returns an environment like e where Run and Launch start that one instead of the
// operator. That program must take the flags that Launch sets.
func (e *Environment) WithProgram(ctx context.Context, name, source string) (*Environment, error) {
	path, err := e.goBuild(ctx, name, source)
	other := *e
	other.program = path
	return &other, err
}

// UseProgramOf lets Run start the program that another environment has built.
func (e *Environment) UseProgramOf(other *Environment) { e.program = other.program }

// BuildPlugin makes the kubectl plugin, where Kubectl finds it.
func (e *Environment) BuildPlugin(ctx context.Context) error {
	_, err := e.goBuild(ctx, "kubectl-stop_import", "./cmd/kubectl-stop_import")
	return err
}

// goBuild builds with go run, because Go caches what go run links, and go build links again each time. With -exec=cp, go run copies the program
// to path instead of running it.
func (e *Environment) goBuild(ctx context.Context, name, source string, flags ...string) (string, error) {
	path := filepath.Join(e.dir, name)
	command := exec.CommandContext(ctx, "go", append(append([]string{"run", "-buildvcs=false", "-exec=cp"}, flags...), source, path)...)
	command.Dir = Root()
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w: %s", name, err, output)
	}
	return path, nil
}
