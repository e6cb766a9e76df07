package main

import (
	"encoding/json"
	"fmt"
	"strings"

	core "k8s.io/api/core/v1"
	v1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"sigs.k8s.io/yaml"
)

const (
	shop   = "shop"
	daemon = "system:serviceaccount:zeropod-system:zeropod-node"
	claim  = "authentication.kubernetes.io/node-name"
)

// What a validation says of what it refuses (config/admission-policy).
const (
	noNode      = "the token names no node"
	otherNode   = "the pod is on another node"
	notItsEvent = "the event is not of this daemon about a pod"
	label       = "only labels status.zeropod.ctrox.dev/CONTAINER may be changed"
	annotation  = "only annotations status.zeropod.ctrox.dev/CONTAINER may be changed"
	owners      = "finalizers and owners may not be changed"
	spec        = "the pod may not be changed but for its labels and annotations of zeropod"
	notRequests = "only requests of containers may be changed"
)

type request struct {
	name string
	by   user.Info
	// Of a pod, a strategic merge patch; of an event, all of it.
	subresource, change string
	isEvent             bool
	// How the pod differs from the usual one before.
	before string
	// Why it has to be refused; empty: it has to be allowed.
	refused string
}

func account(name, node string) user.Info {
	info := &user.DefaultInfo{
		Name:   name,
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:zeropod-system", "system:authenticated"},
		Extra: map[string][]string{
			"authentication.kubernetes.io/pod-name": {"zeropod-node-x2x7k"},
			"authentication.kubernetes.io/pod-uid":  {"5a0d7f0e-0000-4000-8000-000000000001"},
		},
	}
	if node != "" {
		info.Extra[claim] = []string{node}
		info.Extra["authentication.kubernetes.io/node-uid"] = []string{"5a0d7f0e-0000-4000-8000-000000000002"}
	}
	return info
}

// A pod as an API server keeps it, with what a request may want to change.
const pod = `
apiVersion: v1
kind: Pod
metadata:
  name: web-0
  namespace: shop
  uid: 5a0d7f0e-0000-4000-8000-000000000003
  resourceVersion: "4711"
  labels: {app: web, status.zeropod.ctrox.dev/web: RUNNING}
  annotations: {zeropod.ctrox.dev/ports-map: web=80, status.zeropod.ctrox.dev/web: awake}
  finalizers: [example.com/billing]
  ownerReferences:
    - {apiVersion: apps/v1, kind: StatefulSet, name: web, uid: 5a0d7f0e-0000-4000-8000-000000000004, controller: true}
spec:
  nodeName: here
  runtimeClassName: zeropod
  serviceAccountName: web
  priority: 0
  tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}]
  initContainers:
    - name: proxy
      image: proxy:1
      restartPolicy: Always
      resources: {requests: {cpu: 10m}, limits: {cpu: 100m, memory: 32Mi}}
  containers:
    - name: web
      image: nginx:1
      ports: [{containerPort: 80, protocol: TCP}]
      resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 500m, memory: 64Mi}}
    - name: logs
      image: logs:1
      resources: {requests: {cpu: 50m, memory: 16Mi}}
status:
  phase: Running
  podIP: 10.0.0.7
`

// As the daemon makes them (Sources/NodeDaemon/Pods/EventObject.swift).
func event(changes ...string) string {
	text := `
apiVersion: v1
kind: Event
metadata: {namespace: shop, name: zeropod-status-event-0123456789abcdef0123-asleep1}
involvedObject:
  apiVersion: v1
  kind: Pod
  namespace: shop
  name: web-0
  uid: 5a0d7f0e-0000-4000-8000-000000000003
  fieldPath: spec.containers{web}
reason: Scaled down
action: Scaled down
type: Normal
message: Scaled down container web in 80 ms
firstTimestamp: "2026-11-30T12:00:00Z"
lastTimestamp: "2026-11-30T12:00:00Z"
count: 1
eventTime: "2026-11-30T12:00:00.000000Z"
reportingComponent: zeropod.ctrox.dev/manager
reportingInstance: here
source: {component: zeropod.ctrox.dev/manager, host: here}
`
	for index := 0; index+1 < len(changes); index += 2 {
		text = strings.Replace(text, changes[index], changes[index+1], 1)
	}
	return text
}

func requests() []request {
	here := account(daemon, "here")
	status := `{"metadata":{"labels":{"status.zeropod.ctrox.dev/web":"SCALED_DOWN"},` +
		`"annotations":{"status.zeropod.ctrox.dev/web":"asleep"}}}`
	resize := func(container, resources string) string {
		return `{"spec":{"containers":[{"name":"` + container + `","resources":` + resources + `}]}}`
	}
	lower := resize("web", `{"requests":{"cpu":"1m","memory":"1Ki"}}`)
	all := []request{
		// What the daemon does.
		{name: "labels and annotations of its own", by: here, change: status},
		{name: "a label and an annotation more", by: here,
			change: `{"metadata":{"labels":{"status.zeropod.ctrox.dev/logs":"RUNNING"},` +
				`"annotations":{"status.zeropod.ctrox.dev/logs":"awake"}}}`},
		{name: "its labels and annotations are taken off", by: here,
			change: `{"metadata":{"labels":{"status.zeropod.ctrox.dev/web":null},` +
				`"annotations":{"status.zeropod.ctrox.dev/web":null}}}`},
		{name: "the first label and annotation of a pod", by: here, change: status,
			before: `{"metadata":{"labels":null,"annotations":null,"finalizers":null,"ownerReferences":null}}`},
		{name: "the last label and annotation of a pod are taken off", by: here,
			before: `{"metadata":{"labels":{"app":null},"annotations":{"zeropod.ctrox.dev/ports-map":null}}}`,
			change: `{"metadata":{"labels":null,"annotations":null}}`},
		{name: "requests are lowered", by: here, subresource: "resize", change: lower},
		{name: "requests are raised", by: here, subresource: "resize",
			change: resize("web", `{"requests":{"cpu":"400m","memory":"64Mi"}}`)},
		{name: "requests of one without limits are lowered", by: here, subresource: "resize",
			change: resize("logs", `{"requests":{"cpu":"1m","memory":"1Ki"}}`)},
		{name: "requests of a pod without initContainers", by: here, subresource: "resize", change: lower,
			before: `{"spec":{"initContainers":null}}`},
		{name: "an event", by: here, isEvent: true, change: event()},
		{name: "a label of a pod that has a hundred containers and many annotations", by: here, change: status,
			before: large()},
		{name: "requests of a pod that has a hundred containers", by: here, subresource: "resize", change: lower,
			before: large()},

		// Others are not meant.
		{name: "another user changes all", by: account("system:serviceaccount:shop:deployer", ""),
			change: `{"metadata":{"labels":{"app":"other"}},"spec":{"containers":[{"name":"web","image":"nginx:2"}]}}`},
		{name: "another user tells an event", by: account("system:serviceaccount:shop:deployer", "there"),
			isEvent: true, change: event("manager", "other")},
		{name: "an account of that name in another namespace",
			by: account("system:serviceaccount:shop:zeropod-node", "there"), change: `{"metadata":{"labels":{"app":"other"}}}`},

		// Where it may.
		{name: "labels, with a token that names no node", by: account(daemon, ""), change: status, refused: noNode},
		{name: "requests, with a token that names no node", by: account(daemon, ""), subresource: "resize",
			change: lower, refused: noNode},
		{name: "an event, with a token that names no node", by: account(daemon, ""), isEvent: true, change: event(),
			refused: noNode},
		{name: "labels of a pod that has no node yet, with a token that names none", by: account(daemon, ""),
			before: `{"spec":{"nodeName":null}}`, change: status, refused: noNode},
		{name: "labels of a pod of another node", by: account(daemon, "there"), change: status, refused: otherNode},
		{name: "requests of a pod of another node", by: account(daemon, "there"), subresource: "resize",
			change: lower, refused: otherNode},
		{name: "labels of a pod that has no node yet", by: here, before: `{"spec":{"nodeName":null}}`, change: status,
			refused: otherNode},
		{name: "labels of a pod of a node whose name begins alike", by: here,
			before: `{"spec":{"nodeName":"here-2"}}`, change: status, refused: otherNode},

		// What it may not.
		{name: "a label of somebody else's", by: here, change: `{"metadata":{"labels":{"app":"other"}}}`, refused: label},
		{name: "a label more", by: here, change: `{"metadata":{"labels":{"zeropod.ctrox.dev/node":"true"}}}`,
			refused: label},
		{name: "a label is taken off", by: here, change: `{"metadata":{"labels":{"app":null}}}`, refused: label},
		{name: "all labels are taken off", by: here, change: `{"metadata":{"labels":null}}`, refused: label},
		{name: "a label is put in another's place", by: here,
			change: `{"metadata":{"labels":{"app":null,"status.zeropod.ctrox.dev/app":"web"}}}`, refused: label},
		{name: "an annotation of somebody else's", by: here,
			change: `{"metadata":{"annotations":{"zeropod.ctrox.dev/ports-map":"web=81"}}}`, refused: annotation},
		{name: "an annotation more", by: here,
			change: `{"metadata":{"annotations":{"zeropod.ctrox.dev/scaledown-duration":"1s"}}}`, refused: annotation},
		{name: "an annotation is taken off", by: here,
			change: `{"metadata":{"annotations":{"zeropod.ctrox.dev/ports-map":null}}}`, refused: annotation},
		{name: "a label at a resize", by: here, subresource: "resize",
			change: `{"metadata":{"labels":{"app":"other"}}}`, refused: label},
		{name: "a finalizer more", by: here, change: `{"metadata":{"finalizers":["example.com/mine"]}}`, refused: owners},
		{name: "finalizers are taken off", by: here,
			change: `{"metadata":{"finalizers":null}}`, refused: owners},
		{name: "owners are taken off", by: here, change: `{"metadata":{"ownerReferences":null}}`, refused: owners},
		{name: "another image", by: here, change: `{"spec":{"containers":[{"name":"web","image":"nginx:2"}]}}`,
			refused: spec},
		{name: "another image of an init container", by: here,
			change: `{"spec":{"initContainers":[{"name":"proxy","image":"proxy:2"}]}}`, refused: spec},
		{name: "another toleration", by: here,
			change: `{"spec":{"tolerations":[{"key":"mine","operator":"Exists","effect":"NoSchedule"}]}}`, refused: spec},
		{name: "an end", by: here, change: `{"spec":{"activeDeadlineSeconds":1}}`, refused: spec},
		{name: "requests, but not as a resize", by: here, change: lower, refused: spec},
		{name: "a limit is raised", by: here, subresource: "resize",
			change: resize("web", `{"limits":{"cpu":"2"}}`), refused: notRequests},
		{name: "a limit is lowered", by: here, subresource: "resize",
			change: resize("web", `{"limits":{"cpu":"1m"}}`), refused: notRequests},
		{name: "a limit more", by: here, subresource: "resize",
			change: resize("logs", `{"limits":{"memory":"16Mi"}}`), refused: notRequests},
		{name: "a limit is taken off", by: here, subresource: "resize",
			change: resize("web", `{"limits":null}`), refused: notRequests},
		{name: "a container that was not there, at a resize", by: here, subresource: "resize",
			change: resize("more", `{"requests":{"cpu":"1m"}}`), refused: notRequests},
		{name: "a limit of a sidecar", by: here, subresource: "resize",
			change:  `{"spec":{"initContainers":[{"name":"proxy","resources":{"limits":{"cpu":"2"}}}]}}`,
			refused: notRequests},
		{name: "a sidecar's requests", by: here, subresource: "resize",
			change:  `{"spec":{"initContainers":[{"name":"proxy","resources":{"requests":{"cpu":"20m"}}}]}}`,
			refused: notRequests},
		{name: "a limit of the whole pod", by: here, subresource: "resize",
			change: `{"spec":{"resources":{"limits":{"cpu":"4"}}}}`, refused: notRequests},

		// Events.
		{name: "an event in another's name", by: here, isEvent: true,
			change: event("reportingComponent: zeropod.ctrox.dev/manager", "reportingComponent: kubelet"),
			refused: notItsEvent},
		{name: "an event in nobody's name", by: here, isEvent: true,
			change: event("reportingComponent: zeropod.ctrox.dev/manager\n", ""), refused: notItsEvent},
		{name: "an event of another node's daemon", by: here, isEvent: true,
			change: event("reportingInstance: here", "reportingInstance: there"), refused: notItsEvent},
		{name: "an event about a node", by: here, isEvent: true, change: event("kind: Pod", "kind: Node"),
			refused: notItsEvent},
	}
	return all
}

// As much as a pod can have.
func large() string {
	annotations, containers := map[string]string{}, []map[string]any{}
	for index := range 250 {
		annotations[fmt.Sprintf("example.com/annotation-%d", index)] = strings.Repeat("x", 1000)
	}
	for index := range 100 {
		containers = append(containers, map[string]any{
			"name": fmt.Sprintf("c%d", index), "image": "other:1",
			"env":       []map[string]string{{"name": "TEXT", "value": strings.Repeat("y", 1000)}},
			"resources": map[string]any{"limits": map[string]string{"cpu": "1"}},
		})
	}
	text, _ := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": annotations}, "spec": map[string]any{"containers": containers}})
	return string(text)
}

// As an API server hands it to its plugins.
func (request request) attributes() (admission.Attributes, error) {
	if request.isEvent {
		event := &core.Event{}
		if err := yaml.UnmarshalStrict([]byte(request.change), event); err != nil {
			return nil, err
		}
		return admission.NewAttributesRecord(
			event, nil, core.SchemeGroupVersion.WithKind("Event"), event.Namespace, event.Name,
			core.SchemeGroupVersion.WithResource("events"), "", admission.Create, &v1.CreateOptions{}, false, request.by), nil
	}
	old := &core.Pod{}
	if err := yaml.UnmarshalStrict([]byte(pod), old); err != nil {
		return nil, err
	}
	if request.before != "" {
		if err := patch(old, request.before); err != nil {
			return nil, err
		}
	}
	object := old.DeepCopy()
	if err := patch(object, request.change); err != nil {
		return nil, err
	}
	return admission.NewAttributesRecord(
		object, old, core.SchemeGroupVersion.WithKind("Pod"), old.Namespace, old.Name,
		core.SchemeGroupVersion.WithResource("pods"), request.subresource, admission.Update, &v1.PatchOptions{}, false,
		request.by), nil
}

func patch(pod *core.Pod, change string) error {
	before, err := json.Marshal(pod)
	if err != nil {
		return err
	}
	after, err := strategicpatch.StrategicMergePatch(before, []byte(change), core.Pod{})
	if err != nil {
		return err
	}
	*pod = core.Pod{}
	return yaml.UnmarshalStrict(after, pod)
}
