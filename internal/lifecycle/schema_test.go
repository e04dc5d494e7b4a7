// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	cdbv1 "github.com/tencentcloud-cdb/importjobstop-operator/api/v1alpha1"
)

type schema = apiextensionsv1.JSONSchemaProps

// crdSchema is the schema of the CRD that is shipped.
var crdSchema = sync.OnceValue(func() *schema {
	text, err := os.ReadFile("../../config/crd/bases/cdb.tencentcloud.com_importjobstops.yaml")
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err == nil {
		err = yaml.UnmarshalStrict(text, crd)
	}
	if err != nil {
		panic(err)
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema
})

// statusValidator checks a status as the API server does.
var statusValidator = sync.OnceValue(func() validation.SchemaValidator {
	status, internal := crdSchema().Properties["status"], &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&status, internal, nil); err != nil {
		panic(err)
	}
	validator, _, err := validation.NewSchemaValidator(internal)
	if err != nil {
		panic(err)
	}
	return validator
})

// store makes of a status what the API server makes of it: an error where the schema refuses it.
func store(status *cdbv1.ImportJobStopStatus, validate bool) error {
	text, err := json.Marshal(status)
	if err != nil {
		return err
	}
	if validate {
		var fields map[string]any
		if err := utiljson.Unmarshal(text, &fields); err != nil {
			return err
		}
		dropNulls(fields)
		if result := statusValidator().Validate(fields); len(result.Errors) > 0 {
			return fmt.Errorf("the API server refuses the status: %w", errors.Join(result.Errors...))
		}
	}
	*status = cdbv1.ImportJobStopStatus{}
	return json.Unmarshal(text, status)
}

// dropNulls prunes what the API server prunes: none of our fields is nullable.
func dropNulls(fields map[string]any) {
	for name, value := range fields {
		switch v := value.(type) {
		case nil:
			delete(fields, name)
		case map[string]any:
			dropNulls(v)
		case []any:
			for _, item := range v {
				if m, ok := item.(map[string]any); ok {
					dropNulls(m)
				}
			}
		}
	}
}
