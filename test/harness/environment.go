// SPDX-License-Identifier: Apache-2.0

// Package harness runs the real manager, with the permissions that it ships with, against a real API server and a simulated cloud.
//
// An Environment is the API server and the cloud. A Tenant is a namespace in it that shares nothing with others; a Fixture is one in a test.
package harness

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/go-logr/logr"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// Namespace is where config/default installs the operator.
const Namespace = "importjobstop-system"

// Account is one that the simulated cloud knows.
var Account = cdbsim.Account{SecretID: "AKIDEXAMPLE", SecretKey: "example-secret-key"}

// Environment is a control plane with config/default applied, and a cloud.
type Environment struct {
	Client     client.WithWatch
	Config     *rest.Config // of the administrator
	Cloud      *cdbsim.Server
	CloudURL   string
	Kubeconfig string // of the administrator
	dir        string
	program    string   // the operator's, once it is built
	variables  []string // of the operator's process
	plane      *envtest.Environment
	cloud      *httptest.Server
	restarted  []*exec.Cmd
	token      string // of the operator's ServiceAccount
	restricted string // kubeconfig of it
}

// Root is the folder of the project.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Path is that of a file of the project.
func Path(elements ...string) string {
	return filepath.Join(append([]string{Root()}, elements...)...)
}

// With starts an environment, builds the operator with the given build flags, and leaves nothing behind when use is through with it.
// It returns an exit code, for TestMain.
func With(use func(*Environment) int, build []string, options ...Option) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	e, err := Start(ctx, options...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer e.Stop()
	if err := e.Build(ctx, build...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return use(e)
}

// Option changes how the environment starts.
type Option func(*Environment) error

// Start starts the control plane and the cloud. Stop what it returns.
func Start(ctx context.Context, options ...Option) (e *Environment, err error) {
	ctrl.SetLogger(logr.Discard()) // envtest's; what matters comes as an error
	e = &Environment{Cloud: cdbsim.New(), plane: &envtest.Environment{
		BinaryAssetsDirectory:    Path("bin/controlplane"),
		ControlPlaneStartTimeout: time.Minute, // a busy machine takes longer than the default of 20 s
		ControlPlaneStopTimeout:  30 * time.Second,
		AttachControlPlaneOutput: os.Getenv("HARNESS_DEBUG") != "",
	}}
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		if e.plane.BinaryAssetsDirectory, err = filepath.Abs(assets); err != nil { // for who reads it elsewhere
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			e.Stop()
		}
	}()
	if e.dir, err = os.MkdirTemp("", "importjobstop-"); err != nil {
		return e, err
	}
	for _, option := range options {
		if err := option(e); err != nil {
			return e, err
		}
	}
	e.cloud = httptest.NewServer(e.Cloud)
	e.CloudURL = e.cloud.URL
	e.Cloud.SetAccount(Account)
	config, err := e.plane.Start()
	if err != nil {
		return e, fmt.Errorf("starting the control plane: %w", err)
	}
	return e, e.install(ctx, config)
}

func (e *Environment) install(ctx context.Context, config *rest.Config) (err error) {
	config.QPS, e.Config = -1, config
	scheme := apiruntime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = cdbv1.AddToScheme(scheme)
	if e.Client, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if e.Kubeconfig, err = e.writeKubeconfig("admin", config, clientcmdapi.AuthInfo{
		ClientCertificateData: config.CertData, ClientKeyData: config.KeyData,
	}); err != nil {
		return err
	}
	for _, args := range [][]string{{"apply", "-k", Path("config/default")}, {"wait", "--for=condition=Established", "crd/importjobstops.cdb.tencentcloud.com"}} {
		if _, err := e.Kubectl(ctx, nil, args...); err != nil {
			return err
		}
	}
	if e.token, err = e.Token(ctx, Namespace, "importjobstop-controller-manager"); err != nil {
		return err
	}
	e.restricted, err = e.KubeconfigVia("operator", config.Host, config.CAData)
	return err
}

// Stop stops the control plane and the cloud, and leaves nothing behind.
func (e *Environment) Stop() {
	for _, command := range e.restarted {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	_ = e.plane.Stop()
	if e.cloud != nil {
		e.cloud.CloseClientConnections()
		e.cloud.Close()
	}
	if e.dir != "" {
		_ = os.RemoveAll(e.dir)
	}
}
