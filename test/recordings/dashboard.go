// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

const (
	scraped = 75 * time.Second // for how long the operator is scraped, once a second
	objects = 900
)

// drawDashboard scrapes an operator with two accounts, one of which another program uses for a while, and draws what the dashboard shows then.
func drawDashboard(ctx context.Context) error {
	e, err := harness.Start(ctx)
	if err != nil {
		return err
	}
	defer e.Stop()
	e.Cloud.SetLatency(func() time.Duration { return 60 * time.Millisecond })
	if err := e.Build(ctx); err != nil {
		return err
	}
	t, err := e.NewTenant(ctx, "shop")
	if err != nil {
		return err
	}
	address, err := harness.FreeAddress()
	if err != nil {
		return err
	}
	operator, err := t.Run(ctx, "--metrics-bind-address="+address, "--metrics-secure=false", "--leader-elect", "--leader-election-namespace="+harness.Namespace)
	if err != nil {
		return err
	}
	defer operator.Kill()
	folder, err := os.MkdirTemp("", "scrapes")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	playing, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	played := make(chan error, 1)
	go func() { played <- play(playing, t) }()
	if err := scrape(playing, address, folder); err != nil {
		return err
	}
	if err := <-played; err != nil {
		return err
	}
	draw := exec.CommandContext(ctx, "go", "run", "-C", harness.Path("hack/tools/dashboard"), "-buildvcs=false", ".",
		harness.Path("config/grafana/dashboard.json"), folder, harness.Path("docs/pictures/dashboard.svg"))
	draw.Stdout, draw.Stderr = os.Stdout, os.Stderr
	return draw.Run()
}

// scrape writes the metrics as they are in each second, each into a file whose name is the time.
func scrape(ctx context.Context, address, folder string) error {
	for begin := time.Now(); time.Since(begin) < scraped; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(time.Now().UnixMilli())), text, 0o644); err != nil {
			return err
		}
		if err := harness.Pause(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// play asks for the stops of two accounts, and for some that fail or wait for their Secret. Meanwhile another program takes half of a quota for a while.
func play(ctx context.Context, t *harness.Tenant) error {
	for _, account := range []string{"orders", "stock"} {
		if err := t.CreateAccount(ctx, account); err != nil {
			return err
		}
	}
	t.SetImport("other-program", cdbsim.Import{})
	others := make(chan error, 1)
	for i := range objects {
		if i == objects/2 {
			go func() { others <- t.OtherProgram(ctx, "orders", 15*time.Second) }()
		}
		name, account := fmt.Sprintf("import-%d", i), "orders"
		if i%3 == 0 {
			account = "stock"
		}
		if err := t.StopImport(ctx, name, harness.UsesSecret(account)); err != nil {
			return err
		}
		if i%40 == 0 {
			if err := t.Client.Create(ctx, t.Object(fmt.Sprintf("unknown-%d", i), harness.UsesSecret("stock"))); err != nil {
				return err
			}
			if err := t.StopImport(ctx, fmt.Sprintf("early-%d", i), harness.UsesSecret("not-there")); err != nil {
				return err
			}
		}
	}
	return <-others
}
