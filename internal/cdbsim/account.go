// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"net/http"
	"slices"
	"time"
)

// Account is a key that may call the API. The zero Token is a long-lived key.
type Account struct {
	SecretID, SecretKey, Token string
}

// Identity is whom a SecretId belongs to, and what its policy forbids.
// The zero value is a sub-account of its own, under the default main account of the China site, that may call every action.
type Identity struct {
	// SubAccount has the quota; SecretIds can share one. Empty: the SecretId itself.
	SubAccount string
	// Owner is the main account ("uin"), to which the imports belong. Empty: the default main account.
	Owner string
	// International accounts may call cdb.intl.tencentcloudapi.com.
	International bool
	// Denied are the actions that the policy (CAM) does not allow, as in StopDBImportJob.
	Denied []string
	// Instances are the only ones whose imports the policy allows to list. Empty: all. The other actions know no resource.
	Instances []string
}

// allows says whether the policy allows a call.
func (i Identity) allows(call Call) bool {
	return !slices.Contains(i.Denied, call.Action) &&
		(call.Action != actionList || len(i.Instances) == 0 || slices.Contains(i.Instances, call.InstanceID))
}

// SetAccount lets an account in, or changes its key or token. Its Identity stays.
func (s *Server) SetAccount(a Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[a.SecretID] = a
}

// SetIdentity says whom a SecretId belongs to, before or after SetAccount lets it in.
func (s *Server) SetIdentity(secretID string, i Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i.Denied, i.Instances = slices.Clone(i.Denied), slices.Clone(i.Instances)
	s.identities[secretID] = i
}

// identity of a SecretId, with its sub-account filled in.
func (s *Server) identity(secretID string) Identity {
	i := s.identities[secretID]
	if i.SubAccount == "" {
		i.SubAccount = secretID
	}
	return i
}

// authenticate returns the code of what is wrong with the key or the signature of a request.
func (s *Server) authenticate(r *http.Request, body []byte, now time.Time) string {
	id := secretID(r)
	account, known := s.accounts[id]
	switch {
	case r.Header.Get("Authorization") == "":
		return "AuthFailure.InvalidAuthorization"
	case id != "" && !known:
		return "AuthFailure.SecretIdNotFound"
	}
	return verify(r, body, account, now.Add(s.clock))
}
