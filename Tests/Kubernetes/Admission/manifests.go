package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

type manifests struct {
	policy  *admissionregistration.ValidatingAdmissionPolicy
	binding *admissionregistration.ValidatingAdmissionPolicyBinding
}

// One policy and its binding among other documents. A field that the API does not know is an error.
func readManifests(input io.Reader) (manifests, error) {
	var found manifests
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(input))
	for {
		document, err := documents.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return found, err
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			return found, fmt.Errorf("a manifest cannot be read: %w", err)
		}
		switch object := object.(type) {
		case *admissionregistration.ValidatingAdmissionPolicy:
			found.policy = object
		case *admissionregistration.ValidatingAdmissionPolicyBinding:
			found.binding = object
		}
	}
	if found.policy == nil || found.binding == nil {
		return found, errors.New("no ValidatingAdmissionPolicy with a binding is among the manifests")
	}
	setDefaults(found.policy)
	return found, nil
}

// As an API server does with what is left out; its code for it is not among the libraries.
func setDefaults(policy *admissionregistration.ValidatingAdmissionPolicy) {
	constraints := policy.Spec.MatchConstraints
	if constraints.NamespaceSelector == nil {
		constraints.NamespaceSelector = &meta.LabelSelector{}
	}
	if constraints.ObjectSelector == nil {
		constraints.ObjectSelector = &meta.LabelSelector{}
	}
	if constraints.MatchPolicy == nil {
		equivalent := admissionregistration.Equivalent
		constraints.MatchPolicy = &equivalent
	}
	for index := range constraints.ResourceRules {
		if rule := &constraints.ResourceRules[index]; rule.Scope == nil {
			all := admissionregistration.AllScopes
			rule.Scope = &all
		}
	}
}

func (given manifests) without(validation int) manifests {
	policy := given.policy.DeepCopy()
	rest := append([]admissionregistration.Validation{}, policy.Spec.Validations[:validation]...)
	policy.Spec.Validations = append(rest, policy.Spec.Validations[validation+1:]...)
	return manifests{policy: policy, binding: given.binding}
}
