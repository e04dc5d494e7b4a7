// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

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
	k.Clusters["local"] = &clientcmdapi.Cluster{Server: "https://" + strings.TrimPrefix(strings.TrimPrefix(config.Host, "https://"), "http://"), CertificateAuthorityData: config.CAData}
	k.AuthInfos[name] = &user
	k.Contexts["local"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: name, Namespace: "default"}
	k.CurrentContext = "local"
	path := filepath.Join(e.dir, name+".kubeconfig")
	return path, clientcmd.WriteToFile(*k, path)
}

// Kubectl runs the control plane's kubectl as the administrator and returns what it printed, which an error has too.
func (e *Environment) Kubectl(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(e.Assets(), "kubectl"), args...)
	command.Env = e.KubectlEnv()
	command.Stdin = stdin
	output, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, output)
	}
	return string(output), err
}

// KubectlEnv is the environment of kubectl as the administrator, who has the plugin in the PATH.
func (e *Environment) KubectlEnv() []string {
	path := []string{e.dir, e.Assets(), os.Getenv("PATH")}
	return append(os.Environ(), "KUBECONFIG="+e.Kubeconfig, "PATH="+strings.Join(path, string(os.PathListSeparator)))
}

// Assets is the folder of kubectl, kube-apiserver and etcd.
func (e *Environment) Assets() string { return e.plane.BinaryAssetsDirectory }
