// SPDX-License-Identifier: Apache-2.0

// Package harness runs the real manager, with the permissions that it ships with, against a real API server and a simulated cloud.
package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

// Namespace is where config/default installs the operator.
const Namespace = "importjobstop-system"

// Account is let in by the simulated cloud.
var Account = cdbsim.Account{SecretID: "AKIDEXAMPLE", SecretKey: "example-secret-key"}

// Environment is a control plane with config/default applied, and a cloud.
type Environment struct {
	Client     client.WithWatch
	Config     *rest.Config // of the administrator
	Cloud      *cdbsim.Server
	CloudURL   string
	Kubeconfig string // of the administrator
	dir        string
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

// With starts an environment, builds the operator with the given flags of go build, and leaves nothing behind when use is through with
// them. It returns an exit code, for TestMain.
func With(use func(e *Environment, program string) int, build []string, options ...Option) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	e, err := Start(ctx, options...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer e.Stop()
	program, err := e.Build(ctx, build...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return use(e, program)
}

// Option changes how the environment starts.
type Option func(*Environment) error

// Start starts the control plane and the cloud. Stop what it returns.
func Start(ctx context.Context, options ...Option) (e *Environment, err error) {
	ctrl.SetLogger(logr.Discard()) // envtest's; what matters comes as an error
	e = &Environment{Cloud: cdbsim.New(), plane: &envtest.Environment{
		BinaryAssetsDirectory:    filepath.Join(Root(), "bin", "controlplane"),
		ControlPlaneStopTimeout:  30 * time.Second,
		AttachControlPlaneOutput: os.Getenv("HARNESS_DEBUG") != "",
	}}
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		e.plane.BinaryAssetsDirectory = assets
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
	if output, err := e.Kubectl(ctx, nil, "apply", "-k", filepath.Join(Root(), "config", "default")); err != nil {
		return fmt.Errorf("installing config/default: %w: %s", err, output)
	}
	if output, err := e.Kubectl(ctx, nil, "wait", "--for=condition=Established", "crd/importjobstops.cdb.tencentcloud.com"); err != nil {
		return fmt.Errorf("waiting for the CRD: %w: %s", err, output)
	}
	if e.token, err = e.Token(ctx, Namespace, "importjobstop-controller-manager"); err != nil {
		return err
	}
	e.restricted, err = e.KubeconfigVia("operator", config.Host, config.CAData)
	return err
}

// Token is one of a ServiceAccount that exists.
func (e *Environment) Token(ctx context.Context, namespace, name string) (string, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	token := &authenticationv1.TokenRequest{}
	if err := e.Client.SubResource("token").Create(ctx, account, token); err != nil {
		return "", fmt.Errorf("asking for the token of %s: %w", name, err)
	}
	return token.Status.Token, nil
}

// KubeconfigVia is one of the operator's ServiceAccount, for a server that is the API server or stands before it.
func (e *Environment) KubeconfigVia(name, server string, ca []byte) (string, error) {
	return e.writeKubeconfig(name, &rest.Config{Host: server, TLSClientConfig: rest.TLSClientConfig{CAData: ca}}, clientcmdapi.AuthInfo{Token: e.token})
}

// KubeconfigOf is one of whom a token is for.
func (e *Environment) KubeconfigOf(name, token string) (string, error) {
	return e.writeKubeconfig(name, e.Config, clientcmdapi.AuthInfo{Token: token})
}

func (e *Environment) writeKubeconfig(name string, config *rest.Config, user clientcmdapi.AuthInfo) (string, error) {
	k := clientcmdapi.NewConfig()
	k.Clusters["local"] = &clientcmdapi.Cluster{Server: "https://" + hostOf(config.Host), CertificateAuthorityData: config.CAData}
	k.AuthInfos[name] = &user
	k.Contexts["local"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: name, Namespace: "default"}
	k.CurrentContext = "local"
	path := filepath.Join(e.dir, name+".kubeconfig")
	return path, clientcmd.WriteToFile(*k, path)
}

func hostOf(address string) string {
	for _, scheme := range []string{"https://", "http://"} {
		if len(address) > len(scheme) && address[:len(scheme)] == scheme {
			return address[len(scheme):]
		}
	}
	return address
}

// Kubectl runs the control plane's kubectl as the administrator and returns what it printed.
func (e *Environment) Kubectl(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(e.plane.BinaryAssetsDirectory, "kubectl"), args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+e.Kubeconfig, "PATH="+e.dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	command.Stdin = stdin
	output, err := command.CombinedOutput()
	return string(output), err
}

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

// Assets is the folder of kubectl, kube-apiserver and etcd.
func (e *Environment) Assets() string { return e.plane.BinaryAssetsDirectory }

// EtcdURL is where etcd serves, over its gateway for HTTP too.
func (e *Environment) EtcdURL() string { return e.plane.ControlPlane.Etcd.URL.String() }

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

// Build makes the operator's program, which lives as long as the environment.
func (e *Environment) Build(ctx context.Context, flags ...string) (string, error) {
	return e.goBuild(ctx, "manager", ".", flags...)
}

// BuildPlugin makes the kubectl plugin, where Kubectl finds it.
func (e *Environment) BuildPlugin(ctx context.Context) error {
	_, err := e.goBuild(ctx, "kubectl-stop_import", "./cmd/kubectl-stop_import")
	return err
}

func (e *Environment) goBuild(ctx context.Context, name, source string, flags ...string) (string, error) {
	path := filepath.Join(e.dir, name)
	command := exec.CommandContext(ctx, "go", append(append([]string{"build", "-buildvcs=false"}, flags...), "-o", path, source)...)
	command.Dir = Root()
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w: %s", name, err, output)
	}
	return path, nil
}

// Operator is a running manager.
type Operator struct {
	command *exec.Cmd
	probe   string // address of its probes
	done    chan struct{}
	mu      sync.Mutex
	log     bytes.Buffer
	err     error
}

// Write takes the manager's log.
func (o *Operator) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(p)
}

// Log is what the manager has printed so far.
func (o *Operator) Log() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.String()
}

// Pid of the manager's process.
func (o *Operator) Pid() int { return o.command.Process.Pid }

// Kill is kill -9.
func (o *Operator) Kill() {
	_ = o.command.Process.Kill()
	<-o.done
}

// Signal sends a signal to the manager's process.
func (o *Operator) Signal(s syscall.Signal) { _ = o.command.Process.Signal(s) }

// Ended is closed when the process has ended.
func (o *Operator) Ended() <-chan struct{} { return o.done }

// Terminate asks the manager to stop, and returns how it ended.
func (o *Operator) Terminate() error {
	_ = o.command.Process.Signal(syscall.SIGTERM)
	<-o.done
	return o.err
}

// Run starts the manager with the permissions of its ServiceAccount and waits until it is ready. Later flags win over earlier ones.
func (e *Environment) Run(ctx context.Context, program string, args ...string) (*Operator, error) {
	o, err := e.Launch(program, args...)
	if err != nil {
		return nil, err
	}
	return o, o.untilReady(ctx)
}

// Launch starts the manager as Run does, and does not wait.
func (e *Environment) Launch(program string, args ...string) (*Operator, error) {
	probe, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	o := &Operator{done: make(chan struct{}), probe: probe}
	args = append([]string{"--kubeconfig=" + e.restricted, "--endpoint=" + e.CloudURL, "--health-probe-bind-address=" + probe}, args...)
	o.command = exec.Command(program, args...)
	o.command.Stdout, o.command.Stderr = o, o
	o.command.Env = append(os.Environ(), "POD_NAMESPACE="+Namespace, "GOMEMLIMIT=440MiB") // as config/manager has it
	if err := o.command.Start(); err != nil {
		return nil, err
	}
	go func() { o.err = o.command.Wait(); close(o.done) }()
	return o, nil
}

func (o *Operator) untilReady(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if response, err := http.Get("http://" + o.probe + "/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-o.done:
			return fmt.Errorf("the operator ended: %w: %s", o.err, o.Log())
		case <-ctx.Done():
			o.Kill()
			return fmt.Errorf("the operator is not ready: %w: %s", ctx.Err(), o.Log())
		case <-tick.C:
		}
	}
}

// FreeAddress is an address of this machine that nobody listens on.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
