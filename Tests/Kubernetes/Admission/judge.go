package main

import (
	"context"
	"fmt"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	v1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	dynamic "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
)

type verdict struct {
	request request
	// Empty: it is allowed.
	refusal string
}

func (verdict verdict) isWanted() bool {
	if verdict.request.refused == "" || verdict.refusal == "" {
		return verdict.request.refused == verdict.refusal
	}
	return strings.HasSuffix(verdict.refusal, "denied request: "+verdict.request.refused)
}

func (verdict verdict) String() string {
	mark, found := "ok   ", "allowed"
	if !verdict.isWanted() {
		mark = "WRONG"
	}
	if verdict.refusal != "" {
		found = "refused: " + verdict.refusal
	}
	return fmt.Sprintf("%s %s: %s", mark, verdict.request.name, found)
}

func judge(given manifests, requests []request) ([]verdict, error) {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	plugin, err := start(ctx, given)
	if err != nil {
		return nil, err
	}
	interfaces := admission.NewObjectInterfacesFromScheme(scheme.Scheme)
	var verdicts []verdict
	for _, request := range requests {
		attributes, err := request.attributes()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", request.name, err)
		}
		found := verdict{request: request}
		if err := plugin.Validate(ctx, attributes, interfaces); err != nil {
			found.refusal = err.Error()
		}
		verdicts = append(verdicts, found)
	}
	return verdicts, nil
}

// The plugin as an API server starts it, with a client that knows the policy, its binding and a namespace.
func start(ctx context.Context, given manifests) (*validating.Plugin, error) {
	namespace := &core.Namespace{ObjectMeta: v1.ObjectMeta{Name: shop}}
	client := fake.NewClientset(namespace, given.policy.DeepCopy(), given.binding.DeepCopy())
	factory := informers.NewSharedInformerFactory(client, 0)
	plugin, err := validating.NewPlugin(nil)
	if err != nil {
		return nil, err
	}
	plugin.SetEnabled(true)
	plugin.SetExternalKubeClientSet(client)
	plugin.SetExternalKubeInformerFactory(factory)
	plugin.SetDynamicClient(dynamic.NewSimpleDynamicClient(runtime.NewScheme()))
	plugin.SetRESTMapper(meta.NewDefaultRESTMapper(nil))
	plugin.SetAuthorizer(nobody{})
	plugin.SetDrainedNotification(ctx.Done())
	if err := plugin.ValidateInitialization(); err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	if !plugin.WaitForReady() {
		return nil, fmt.Errorf("the plugin does not become ready")
	}
	return plugin, nil
}

// What the policy may ask for, and does not.
type nobody struct{}

func (nobody) Authorize(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionDeny, "", nil
}
