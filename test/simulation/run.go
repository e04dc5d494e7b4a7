// SPDX-License-Identifier: Apache-2.0

// Package simulation runs the whole operator in the virtual time of testing/synctest: the wiring that ships, an API server in memory, a
// simulated cloud, and whatever goes wrong between them. test/oracle says whether a promise was broken.
package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
	"github.com/tencentcloud-cdb/importjobstop-operator/internal/operator"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/fakeapi"
	"github.com/tencentcloud-cdb/importjobstop-operator/test/oracle"
)

const (
	namespace = "shop"
	// leaseNamespace is that of the operator.
	leaseNamespace = "importjobstop-system"
	region         = "ap-guangzhou"
	account        = "AKIDsimulatedaccount" // the first part of each SecretId of the operator, and the sub-account of all

	ownAccount = "AKIDaccountof" // and a namespace: the SecretId of an account that it uses alone
)

// scheme has the kinds that people and tools use.
var scheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(s)
	_ = cdbv1.AddToScheme(s)
	return s
}()

// run is one schedule as it plays.
type run struct {
	api       *fakeapi.Server
	transport http.RoundTripper // to api
	cloud     *cdbsim.Server
	client    client.Client // of the people and tools that use the operator
	replicas  []*replica
	slowest   time.Duration // how long a request of the operator travels at most

	mu          sync.Mutex
	random      *rand.Rand
	ending      bool
	inFocus     string // the short name of an object or an import; empty: none
	processes   []*process
	kills       []time.Time
	byHand      map[types.UID][]cdbv1.ImportJobStopStatus
	secrets     []string
	secretSince map[string]time.Time // when each Secret of a namespace of its own came
	secretID    string               // that the Secret has now
	writes      []oracle.Write
	story       []entry
	lost        map[string]bool               // RequestIds of answers that the network lost
	done        map[string]int                // deeds by kind
	onInstance  map[string]cdbv1.ImportFilter // what each import on an instance is, by its id
	imports     map[string]bool               // true: there; false: an object asks for it, and it was not there
}

// entry is a sentence of the story that a failure prints.
type entry struct {
	at   time.Time
	text string
}

// newRun makes the run of a schedule. Requests to the API server go through what record returns, unless that is nil.
func newRun(seed uint64, replicas int, record func(http.RoundTripper) http.RoundTripper) (*run, error) {
	r := &run{
		api: fakeapi.New(), cloud: cdbsim.New(), random: rand.New(rand.NewPCG(seed, 1)),
		byHand: map[types.UID][]cdbv1.ImportJobStopStatus{}, done: map[string]int{}, imports: map[string]bool{}, secretSince: map[string]time.Time{}, onInstance: map[string]cdbv1.ImportFilter{}, lost: map[string]bool{},
	}
	r.transport, r.slowest = r.api, 3*time.Millisecond
	if record != nil {
		r.transport = record(r.api)
	}
	jitter := r.fork()
	var mu sync.Mutex
	r.cloud.SetLatency(func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(jitter.Int64N(int64(40 * time.Millisecond)))
	})
	config := &rest.Config{Host: "http://api.invalid", Transport: r.transport, QPS: -1, ContentConfig: fakeapi.ContentConfig()}
	var err error
	if r.client, err = client.New(config, client.Options{Scheme: scheme, Mapper: operator.Mapper()}); err != nil {
		return nil, err
	}
	for i := range replicas {
		r.replicas = append(r.replicas, &replica{run: r, name: fmt.Sprintf("replica %c", 'a'+i), ended: make(chan struct{})})
	}
	return r, nil
}

// fork returns a source of randomness of its own, so that one part does not change what another one draws.
func (r *run) fork() *rand.Rand {
	r.mu.Lock()
	defer r.mu.Unlock()
	return rand.New(rand.NewPCG(r.random.Uint64(), r.random.Uint64()))
}

func (r *run) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ending
}

func (r *run) keep(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.processes = append(r.processes, p)
}

// killed says that a process lost what it knew, and perhaps its calls.
func (r *run) killed(what string) {
	r.say("%s", what)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kills = append(r.kills, time.Now())
}

// requestIDs finds the RequestId in an answer of the cloud.
var requestIDs = regexp.MustCompile(`"RequestId":"([^"]+)"`)

// lose notes that the network lost an answer.
func (r *run) lose(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id := requestIDs.FindStringSubmatch(text); id != nil {
		r.lost[id[1]] = true
	}
}

// say adds a sentence to the story.
func (r *run) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.story = append(r.story, entry{time.Now(), fmt.Sprintf(format, args...)})
}

// secret creates or renews the Secret of all objects, with another SecretId of the same sub-account each time.
func (r *run) secret() error {
	r.mu.Lock()
	if r.secretID != "" { // the old one is disabled
		r.cloud.SetAccount(cdbsim.Account{SecretID: r.secretID, SecretKey: "disabled"})
	}
	r.secretID = fmt.Sprintf("%s%016d", account, len(r.secrets))
	r.mu.Unlock()
	return r.renew("")
}

// renewToken renews the credentials and keeps the SecretId, as temporary ones may.
func (r *run) renewToken() error {
	r.mu.Lock()
	token := fmt.Sprintf("simulatedtoken%020d%020d", len(r.secrets), r.random.Uint64())
	r.secrets = append(r.secrets, token)
	r.mu.Unlock()
	return r.renew(token)
}

// renew writes the Secret, with a new key. The old one is refused from now on.
func (r *run) renew(token string) error {
	r.mu.Lock()
	key, id := fmt.Sprintf("simulatedkey%020d%020d", len(r.secrets), r.random.Uint64()), r.secretID
	r.secrets = append(r.secrets, key)
	r.mu.Unlock()
	r.cloud.SetAccount(cdbsim.Account{SecretID: id, SecretKey: key, Token: token})
	r.cloud.SetIdentity(id, cdbsim.Identity{SubAccount: account})
	return r.putSecret(namespace, "creds", cdbsim.Account{SecretID: id, SecretKey: key, Token: token})
}

// putSecret creates or replaces a Secret.
func (r *run) putSecret(namespace, name string, a cdbsim.Account) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Data:       map[string][]byte{"secretId": []byte(a.SecretID), "secretKey": []byte(a.SecretKey), "token": []byte(a.Token)},
	}
	err := r.client.Create(context.Background(), secret)
	if apierrors.IsAlreadyExists(err) {
		err = r.client.Update(context.Background(), secret)
	}
	return err
}

// importID is that of an import that this run knows by a short name.
func importID(name string) string { return "import-" + name }

// importing starts an import. Some take their time to end once they are stopped.
func (r *run) importing(name string, random *rand.Rand) {
	i := cdbsim.Import{ID: importID(name), Status: "RUNNING"}
	if random.IntN(2) == 0 {
		i.RunsOn, i.EndsAfter = time.Duration(random.Int64N(int64(20*time.Second))), time.Duration(random.Int64N(int64(20*time.Second)))
	}
	r.setImport(i)
}

func (r *run) setImport(i cdbsim.Import) {
	r.mu.Lock()
	if _, known := r.imports[i.ID]; !known {
		r.imports[i.ID] = true
	}
	r.mu.Unlock()
	i.Region = region
	r.cloud.SetImport(i)
}

func object(name string) *cdbv1.ImportJobStop {
	return &cdbv1.ImportJobStop{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       cdbv1.ImportJobStopSpec{Region: region, AsyncRequestID: importID(name), CredentialsSecretRef: cdbv1.SecretReference{Name: "creds"}},
	}
}

// create makes the object, unless it is there.
func (r *run) create(o *cdbv1.ImportJobStop) error {
	return client.IgnoreAlreadyExists(r.client.Create(context.Background(), o))
}

// update edits an object with the newest version, as a person does. An object that is gone is left alone.
func (r *run) update(key client.ObjectKey, edit func(*cdbv1.ImportJobStop)) error {
	for {
		o := &cdbv1.ImportJobStop{}
		if err := r.client.Get(context.Background(), key, o); err != nil {
			return client.IgnoreNotFound(err)
		}
		edit(o)
		if err := r.client.Update(context.Background(), o); !apierrors.IsConflict(err) {
			return err
		}
	}
}

func (r *run) isThere(name string) bool {
	return r.client.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: name}, &cdbv1.ImportJobStop{}) == nil
}

// objects are all that are there.
func (r *run) objects() ([]cdbv1.ImportJobStop, error) {
	list := &cdbv1.ImportJobStopList{}
	err := r.client.List(context.Background(), list)
	return list.Items, err
}

// missing notes that an object asks for an import that is not there.
func (r *run) missing(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.imports[id]; !known {
		r.imports[id] = false
	}
}

// tell is the story of the objects that are wrong, oldest first: what was done, what the cloud was asked, and each version. Without a name
// in what is wrong it is that of all objects.
func (r *run) tell(wrong []string) string {
	r.mu.Lock()
	story := slices.Clone(r.story)
	r.mu.Unlock()
	for _, c := range r.cloud.CallLog() {
		if !strings.HasPrefix(c.SecretID, account) || !concerns(wrong, c.AsyncRequestID) {
			continue
		}
		story = append(story, entry{c.Time, fmt.Sprintf("the cloud: %s %s: %s%s %s", c.Action, c.AsyncRequestID, c.RequestID, c.Code, c.Fault)})
	}
	for _, versions := range r.versions() {
		for _, o := range versions {
			if concerns(wrong, o.Spec.AsyncRequestID) || concerns(wrong, o.Name) {
				story = append(story, entry{o.Seen, inWords(o)})
			}
		}
	}
	slices.SortStableFunc(story, func(a, b entry) int { return a.at.Compare(b.at) })
	var text strings.Builder
	for _, e := range story {
		fmt.Fprintf(&text, "%10.3f s  %s\n", e.at.Sub(story[0].at).Seconds(), e.text)
	}
	return text.String()
}

// named finds the names of objects and imports in a text.
var named = regexp.MustCompile(`\b(o|i|other)-\d+\b`)

// concerns returns true if what is wrong names this object or import, or none at all.
func concerns(wrong []string, what string) bool {
	names := named.FindAllString(strings.Join(wrong, " "), -1)
	return len(names) == 0 || slices.Contains(names, named.FindString(what))
}
