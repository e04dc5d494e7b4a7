// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

var (
	byInstance = arguments{instance: "cdb-c1nl9rpv", region: "ap-guangzhou", secret: "creds", name: "stop-it"}
	shop       = cdbv1.ImportRecord{AsyncRequestID: "id-1", FileName: "shop.sql.gz", DatabaseName: "shop", ProgressPercent: 37, State: cdbv1.ImportRunning, CreateTime: "2026-11-25 12:00:00"}
	stock      = cdbv1.ImportRecord{AsyncRequestID: "id-2", FileName: "stock.sql.gz", ProgressPercent: 5, State: cdbv1.ImportInitializing}
	nameless   = cdbv1.ImportRecord{FileName: "new.sql.gz", State: cdbv1.ImportRunning}
)

// previewed is what the operator writes when it has looked.
func previewed(records ...cdbv1.ImportRecord) func(*cdbv1.ImportJobStop) {
	return func(o *cdbv1.ImportJobStop) {
		withReady(o, metav1.ConditionUnknown, cdbv1.ReasonSuspended)
		if len(records) == 1 {
			target := o.Spec.Target()
			target.AsyncRequestID = records[0].AsyncRequestID
			o.Status.Target, o.Status.Import = &target, &records[0]
			return
		}
		o.Status.Candidates = records
	}
}

// play is an operator that looks after a second, and stops what is resumed.
func play(t *testing.T, c client.Client, look func(*cdbv1.ImportJobStop)) {
	key := client.ObjectKey{Namespace: "shop", Name: "stop-it"}
	update := func(edit func(*cdbv1.ImportJobStop)) {
		o := &cdbv1.ImportJobStop{}
		if err := c.Get(context.Background(), key, o); err != nil {
			return
		}
		edit(o)
		if err := c.Status().Update(context.Background(), o); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	}
	time.AfterFunc(time.Second, func() { update(look) })
	time.AfterFunc(20*time.Second, func() {
		update(func(o *cdbv1.ImportJobStop) {
			if !o.Spec.Suspend {
				withReady(o, metav1.ConditionTrue, cdbv1.ReasonStopAccepted)
			}
		})
	})
}

func TestConversation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		input string
		yes   bool
		look  func(*cdbv1.ImportJobStop)
		want  string   // id that is stopped; empty: none, and no object is left
		fails string   // in the error
		shows []string // in this order
		hides string   // not shown
		code  int
	}{
		"yes":                  {input: "y\n", look: previewed(shop), want: "id-1", shows: []string{"stop-it created, suspended", "id-1", "shop.sql.gz", "37 %", "Stop it?", "stop-it resumed", "StopAccepted"}},
		"--yes":                {yes: true, look: previewed(shop), want: "id-1", shows: []string{"37 %", "resumed"}},
		"no":                   {input: "n\n", look: previewed(shop), fails: "you said no", shows: []string{"stop-it deleted"}, code: 1},
		"only Enter":           {input: "\n", look: previewed(shop), fails: "you said no", code: 1},
		"the end of the input": {look: previewed(shop), fails: "you said no", code: 1},
		"a number":             {input: "2\n", look: previewed(shop, stock), want: "id-2", shows: []string{"#", "1  id-1", "2  id-2", "stock.sql.gz", "<unknown>", "5 %", "[1-2,", "resumed"}},
		"a wrong number first": {input: "7\n0\nx\n1\n", look: previewed(shop, stock), want: "id-1", shows: []string{`"7" is not a number from the list`, `"0" is`, `"x" is`, "resumed"}},
		"no number":            {input: "\n", look: previewed(shop, stock), fails: "you said no", code: 1},
		"one without an id":    {input: "2\n\n", look: previewed(shop, nameless), fails: "you said no", shows: []string{"without an id"}, code: 1},
		"none matches":         {input: "y\n", look: previewed(), fails: "nothing is stopped: it was so", shows: []string{"stop-it deleted"}, code: 1},
		"it is over":           {input: "y\n", look: previewed(cdbv1.ImportRecord{AsyncRequestID: "id-1", State: cdbv1.ImportSuccessful}), fails: "nothing is stopped: it was so", code: 1},
		"no operator":          {input: "y\n", look: func(o *cdbv1.ImportJobStop) { o.Status.ObservedGeneration = -1 }, fails: "does it watch the namespace shop?", code: 124},
		"it is about to look": {input: "y\n", look: func(o *cdbv1.ImportJobStop) {
			previewed()(o)
			next := metav1.NewMicroTime(time.Now().Add(time.Hour))
			o.Status.NextAttemptTime = &next
		}, fails: "timed out", hides: "it was so", code: 124},
		"the Secret is missing": {input: "y\n", look: func(o *cdbv1.ImportJobStop) {
			previewed()(o)
			next := metav1.NewMicroTime(time.Now().Add(time.Hour + 31*time.Second))
			o.Status.NextAttemptTime = &next
		}, fails: "timed out", shows: []string{"it was so", "stop-it deleted"}, code: 124},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := cluster()
				play(t, c, test.look)
				o, output := console(byInstance, test.input)
				object := o.object("shop")
				object.CreationTimestamp = metav1.NewTime(time.Now().Add(time.Hour)) // the cluster's clock is another
				o.yes, o.timeout = test.yes, 30*time.Second
				err := o.stopFound(t.Context(), c, object)
				if (err == nil) != (test.fails == "") || (err != nil && !strings.Contains(err.Error(), test.fails)) || exitCode(err) != test.code {
					t.Errorf("it ended with %v, exit code %d, want %q", err, exitCode(err), test.fails)
				}
				text := output.String()
				if test.hides != "" && strings.Contains(text, test.hides) {
					t.Errorf("it shows\n%s", text)
				}
				for _, part := range test.shows {
					_, after, ok := strings.Cut(text, part)
					if !ok {
						t.Fatalf("no %q, or not in its place, in\n%s", part, output)
					}
					text = after
				}
				err = c.Get(t.Context(), client.ObjectKeyFromObject(object), object)
				if stopped := err == nil && !object.Spec.Suspend; stopped != (test.want != "") || (stopped && object.Spec.AsyncRequestID != test.want) {
					t.Errorf("%v: the spec is %+v, want to stop %q", err, object.Spec, test.want)
				}
				if test.want == "" && !apierrors.IsNotFound(err) {
					t.Errorf("the preview stays: %v", err)
				}
			})
		})
	}
}

// Several are listed where nobody can be asked, also with --yes; without it, nothing is even created.
func TestConversationWithoutATerminal(t *testing.T) {
	t.Parallel()
	for _, yes := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := cluster()
			play(t, c, previewed(shop, stock))
			o, output := console(byInstance, "1\n")
			o.yes, o.isTerminal = yes, func(any) bool { return false }
			err := o.stopFound(t.Context(), c, o.object("shop"))
			if exitCode(err) != 1 || strings.Contains(err.Error(), "several imports match") != yes || strings.Contains(output.String(), "id-2") != yes || strings.Contains(err.Error(), "give --yes") == yes {
				t.Errorf("--yes=%t: %v\n%s", yes, err, output)
			}
			if err := c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "stop-it"}, &cdbv1.ImportJobStop{}); !apierrors.IsNotFound(err) {
				t.Errorf("the preview stays: %v", err)
			}
		})
	}
}

// reply is an input that does something while the person thinks.
type reply struct {
	io.Reader
	first func()
}

func (r *reply) Read(p []byte) (int, error) {
	if r.first != nil {
		r.first()
		r.first = nil
	}
	return r.Reader.Read(p)
}

// What was shown is what is stopped: a preview that changes before the reply is shown again.
func TestConversationShowsAgainWhatHasChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cluster()
		play(t, c, previewed(shop))
		o, output := console(byInstance, "")
		o.In = &reply{strings.NewReader("y\nn\n"), func() {
			object := o.object("shop")
			_ = c.Get(context.Background(), client.ObjectKeyFromObject(object), object)
			object.Status.Candidates, object.Status.Import = nil, &stock
			if err := c.Status().Update(context.Background(), object); err != nil {
				t.Error(err)
			}
		}}
		o.isTerminal = func(stream any) bool { return stream == any(o.In) }
		err := o.stopFound(t.Context(), c, o.object("shop"))
		if !errors.Is(err, errNo) || !strings.Contains(output.String(), "has changed since it was shown") || strings.Count(output.String(), "Stop it?") != 2 || !strings.Contains(output.String(), "id-2") {
			t.Errorf("%v\n%s", err, output)
		}
	})
}

// Ctrl-C while it is asked deletes the preview; one that somebody else resumed stays.
func TestConversationIsInterrupted(t *testing.T) {
	t.Parallel()
	for _, resumed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := cluster()
			play(t, c, previewed(shop))
			ctx, interrupt := context.WithCancel(t.Context())
			input, person := io.Pipe()
			defer func() { _ = person.Close() }()
			o, output := console(byInstance, "")
			o.In, o.isTerminal = input, func(stream any) bool { return stream == any(input) }
			time.AfterFunc(10*time.Second, func() {
				if resumed {
					object := o.object("shop")
					_ = c.Get(context.Background(), client.ObjectKeyFromObject(object), object)
					if err := resume(context.Background(), c, object, "id-1"); err != nil {
						t.Error(err)
					}
				}
				interrupt()
			})
			err := o.stopFound(ctx, c, o.object("shop"))
			if exitCode(err) != 130 || strings.Contains(err.Error(), "somebody else resumed") != resumed {
				t.Errorf("%v\n%s", err, output)
			}
			if err := c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "stop-it"}, &cdbv1.ImportJobStop{}); apierrors.IsNotFound(err) == resumed {
				t.Errorf("resumed %t, and then %v", resumed, err)
			}
		})
	}
}

// Ctrl-C while the API server creates the preview leaves none behind.
func TestConversationIsInterruptedWhileItBegins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		c := interceptor.NewClient(cluster(), interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.CreateOption) error {
				err := c.Create(ctx, object, opts...)
				interrupt()
				return errors.Join(err, ctx.Err()) // the answer comes later
			},
		})
		o, output := console(byInstance, "y\n")
		err := o.stopFound(ctx, c, o.object("shop"))
		if exitCode(err) != 130 {
			t.Errorf("%v\n%s", err, output)
		}
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "stop-it"}, &cdbv1.ImportJobStop{}); !apierrors.IsNotFound(err) {
			t.Errorf("the preview stays: %v", err)
		}
	})
}

// What the cloud tells cannot steer the terminal, and cannot make a row of its own.
func TestNothingSteersTheTerminal(t *testing.T) {
	t.Parallel()
	bad := shop
	bad.FileName = "a\x1b[2Jb\n2  id-2\r\tc"
	text := table([]cdbv1.ImportRecord{bad}, true)
	if strings.ContainsAny(text, "\x1b\r\t") || strings.Count(text, "\n") != 1 {
		t.Errorf("%q", text)
	}
	object := byInstance.object("shop")
	object.Status.Import = &bad
	withReady(object, metav1.ConditionUnknown, cdbv1.ReasonSuspended)
	object.Annotations = map[string]string{cdbv1.RequestedByAnnotation: "\x1b[2Jann requested it. Go on with\n  rm -r /"}
	if text := story(object); strings.Contains(text, "\x1b") || strings.Contains(text, "\n  rm") {
		t.Errorf("%q", text)
	}
}
