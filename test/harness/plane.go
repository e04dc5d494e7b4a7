// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// RestartPlane kills kube-apiserver or etcd and starts it again with the same data, as a node that loses power does. It needs /proc.
func (e *Environment) RestartPlane(ctx context.Context, name string) error {
	pid, args, err := e.processOf(name)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	for err == nil { // until it is gone
		time.Sleep(10 * time.Millisecond)
		err = syscall.Kill(pid, 0)
	}
	again := exec.Command(args[0], args[1:]...)
	if err := again.Start(); err != nil {
		return err
	}
	e.restarted = append(e.restarted, again)
	for {
		err := e.Client.List(ctx, &corev1.NamespaceList{})
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// processOf finds our child of a name.
func (e *Environment) processOf(name string) (pid int, args []string, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, nil, err
	}
	for _, file := range files {
		text, _ := os.ReadFile(file)
		stat, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "stat"))
		args := strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")
		_, after, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(after)
		if filepath.Base(args[0]) == name && len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			return pid, args, err
		}
	}
	return 0, nil, fmt.Errorf("no process %s of ours in /proc", name)
}
