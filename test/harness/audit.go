// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts"]
- level: None
`

// Audited lets the API server write down what the ServiceAccounts do.
func Audited(e *Environment) error {
	policy := filepath.Join(e.dir, "audit-policy.yaml")
	e.plane.ControlPlane.GetAPIServer().Configure().Set("audit-policy-file", policy).Set("audit-log-path", e.auditLog())
	return os.WriteFile(policy, []byte(auditPolicy), 0o600)
}

func (e *Environment) auditLog() string { return filepath.Join(e.dir, "audit.log") }

// Audit returns what the API server has written down of a ServiceAccount, as the API server decided on it.
func (e *Environment) Audit(namespace, name string) ([]auditv1.Event, error) {
	file, err := os.Open(e.auditLog())
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var events []auditv1.Event
	for lines := bufio.NewReader(file); ; {
		row, err := lines.ReadString('\n')
		if err != nil {
			return events, nil //nolint:nilerr // the end, or a line that is still being written
		}
		var event auditv1.Event
		if err := json.Unmarshal([]byte(row), &event); err != nil {
			return nil, err
		}
		if strings.TrimPrefix(event.User.Username, "system:serviceaccount:") == namespace+":"+name {
			events = append(events, event)
		}
	}
}
