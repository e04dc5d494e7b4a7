// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/harness"
)

// Every key and token begins and ends alike, so that the oracle looks for few texts. They hold what each way of escaping escapes,
// and are so long that nothing holds a part of them by chance.
const (
	secretBegin = `Canary-"<&>+/%\=5bXw9Tq2`
	secretEnd   = `Zr7-%>"&<+\/=end-of-Canary`
)

// accountOf is the account of a name. That of creds, which nearly all use, is a temporary one with a token.
func accountOf(name string) cdbsim.Account {
	a := cdbsim.Account{SecretID: "AKID" + name, SecretKey: secretBegin + "key-of-" + name + secretEnd}
	if name == "creds" {
		a.Token = secretBegin + "token-of-" + name + secretEnd
	}
	return a
}

func dataOf(a cdbsim.Account) map[string]string {
	data := map[string]string{"secretId": a.SecretID, "secretKey": a.SecretKey}
	if a.Token != "" {
		data["token"] = a.Token
	}
	return data
}

// Account creates a Secret whose account the cloud knows.
func (f *fixture) Account(name string) {
	f.Helper()
	f.Cloud.SetAccount(accountOf(name))
	f.Create(f.secret(name, dataOf(accountOf(name))))
}

// secret also tells the oracle what must not be seen anywhere else.
func (f *fixture) secret(name string, data map[string]string) *corev1.Secret {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets = append(f.secrets, data["secretKey"], data["token"])
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: f.Namespace, Name: name}, StringData: data}
}

// secrets are wrong in each way that the status can tell.
func secrets(f *fixture) {
	for name, data := range map[string]map[string]string{
		"missing": nil,
		"no-key":  {"secretId": "AKIDcreds"},
		"empty":   {"secretId": "AKIDcreds", "secretKey": " \n"},
		"binary":  {"secretId": "AKIDcreds", "secretKey": "\xff\x00\xfe"},
		"long":    {"secretId": "AKIDcreds", "secretKey": strings.Repeat("k", 1000<<10)},
	} {
		if data != nil {
			f.Create(f.secret(name, data))
		}
		f.StopImport("with-"+name, harness.UsesSecret(name))
	}
	creds := accountOf("creds")
	f.Create(f.secret("newline", map[string]string{"secretId": creds.SecretID + "\n", "secretKey": "\t" + creds.SecretKey + " \r\n", "token": creds.Token + "\n"}))
	f.StopImport("with-newline", harness.UsesSecret("newline"))
	f.Start()
	f.inject("bad Secret", 5)
	f.settle(6, func(o *cdbv1.ImportJobStop) bool {
		if o.Name == "with-newline" {
			return isDone(o)
		}
		return harness.HasReason(o, cdbv1.ReasonCredentialsNotFound)
	})
	for _, name := range []string{"missing", "no-key", "empty", "binary", "long"} {
		right := f.secret(name, dataOf(creds))
		if err := env.Client.Update(f.Context(), right); err != nil {
			f.Create(right)
		}
	}
	f.settle(6, isDone)
}
