// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

// printManifest writes the manifest, without what only a server can know.
func printManifest(output io.Writer, object *cdbv1.ImportJobStop, format string) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	delete(content, "status")
	var text []byte
	switch format {
	case "", "yaml":
		text, err = yaml.Marshal(content)
	case "json":
		text, err = json.MarshalIndent(content, "", "    ")
		text = append(text, '\n')
	default:
		err = fmt.Errorf("--output is %q: give yaml or json", format)
	}
	if err != nil {
		return err
	}
	_, err = output.Write(text)
	return err
}

// create asks for the stop. One that was asked for in the same way before is followed; in another way, it is an error.
func create(ctx context.Context, c client.Client, output io.Writer, object *cdbv1.ImportJobStop) error {
	err := c.Create(ctx, object)
	if err == nil {
		_, err = fmt.Fprintf(output, "importjobstop.cdb.tencentcloud.com/%s created\n", object.Name)
		return err
	}
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	wanted := object.Spec
	if err := c.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return err
	}
	if err := differs(object, wanted); err != nil {
		return fmt.Errorf("importjobstop %s exists and %w", object.Name, err)
	}
	_, err = fmt.Fprintf(output, "importjobstop.cdb.tencentcloud.com/%s exists\n", object.Name)
	return err
}

// differs says how an object that exists does not do what is wanted.
func differs(object *cdbv1.ImportJobStop, wanted cdbv1.ImportJobStopSpec) error {
	is := object.Spec
	patch := fmt.Sprintf("kubectl patch ijs %s --namespace=%s --type=merge --patch=", object.Name, object.Namespace)
	switch {
	case is.Target() != wanted.Target():
		return fmt.Errorf("stops %s in %s: give another --name", is.AsyncRequestID, is.Region)
	case is.CredentialsSecretRef != wanted.CredentialsSecretRef:
		return fmt.Errorf("uses the Secret %s: change that with\n  %s'{\"spec\":{\"credentialsSecretRef\":{\"name\":%q}}}'", is.CredentialsSecretRef.Name, patch, wanted.CredentialsSecretRef.Name)
	case wanted.WaitFor == cdbv1.WaitForStopped && is.WaitFor != wanted.WaitFor:
		return fmt.Errorf("is done when the stop is accepted: let it go on until the import has ended with\n  %s'{\"spec\":{\"waitFor\":%q}}'", patch, wanted.WaitFor)
	}
	return nil
}

// follow shows each change of Ready until the object is done (nil), has failed or needs somebody, or ctx ends.
func follow(ctx context.Context, c client.WithWatch, p *progress, object *cdbv1.ImportJobStop) error {
	defer p.end()
	for {
		events, err := c.Watch(ctx, &cdbv1.ImportJobStopList{}, client.InNamespace(object.Namespace),
			client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", object.Name)})
		if err != nil {
			return cause(ctx, err)
		}
		over, err := watched(ctx, events, p, object.Name)
		events.Stop()
		if over {
			return err
		}
	}
}

// watched reads the events of one watch. It returns false if the watch ended before the object did.
func watched(ctx context.Context, events watch.Interface, p *progress, name string) (over bool, err error) {
	for {
		select {
		case <-ctx.Done():
			return true, cause(ctx, ctx.Err())
		case <-p.tick():
			p.turn()
		case e, ok := <-events.ResultChan():
			if !ok || e.Type == watch.Error {
				return false, nil
			}
			o, isObject := e.Object.(*cdbv1.ImportJobStop)
			if !isObject {
				continue
			}
			if e.Type == watch.Deleted {
				return true, fmt.Errorf("importjobstop %s was deleted", name)
			}
			if over, err := look(p, o); over {
				return true, err
			}
		}
	}
}

// look shows how the object is, and says whether that is its end.
func look(p *progress, o *cdbv1.ImportJobStop) (over bool, err error) {
	ready := meta.FindStatusCondition(o.Status.Conditions, cdbv1.ConditionReady)
	if ready == nil || o.Status.ObservedGeneration != o.Generation {
		return false, nil
	}
	p.show(ready.Reason, ready.Message)
	switch ready.Status {
	case metav1.ConditionTrue:
		return true, nil
	case metav1.ConditionFalse:
		if o.Status.CompletionTime == nil { // as without credentials: it has not ended, but goes on only with somebody's help
			return true, fmt.Errorf("it needs you, and then goes on by itself: %s: %s", ready.Reason, ready.Message)
		}
		return true, fmt.Errorf("%s: %s", ready.Reason, ready.Message)
	default:
		return false, nil
	}
}

// cause is why ctx ended, or the error itself.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
