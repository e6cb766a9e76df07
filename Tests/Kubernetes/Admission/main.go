// Lets the admission plugin of a kube-apiserver judge requests by the policy that the manifests on standard input have, and
// compares each verdict with the one that is wanted (requests.go). Then each validation is left out in turn: a request
// that is to be refused has to be allowed without it, or the validation says nothing.
//
// The last line reads "N verdicts, M wrong"; the status is 1 if any is.
package main

import (
	"fmt"
	"os"
	"strings"

	"k8s.io/klog/v2"
)

// Which plugin judges: said by the build.
var library string

func main() {
	// The plugin logs what it refuses because of an error, which the verdict says as well.
	klog.SetOutput(os.Stderr)
	given, err := readManifests(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Println("judged by the plugin of", library)
	judged, wrong := 0, 0
	verdicts, err := judge(given, requests())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, verdict := range verdicts {
		judged++
		if !verdict.isWanted() {
			wrong++
		}
		fmt.Println(verdict)
	}
	for index, validation := range given.policy.Spec.Validations {
		less, err := judge(given.without(index), requests())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		allowed := newlyAllowed(verdicts, less)
		judged++
		mark := "ok   "
		if len(allowed) == 0 {
			mark = "WRONG"
			wrong++
			allowed = []string{"nothing"}
		}
		fmt.Printf("%s without \"%s\": allows %s\n", mark, validation.Message, strings.Join(allowed, "; "))
	}
	fmt.Printf("%d verdicts, %d wrong\n", judged, wrong)
	if wrong > 0 {
		os.Exit(1)
	}
}

// What is refused by `all` validations and not by fewer.
func newlyAllowed(all, fewer []verdict) []string {
	var names []string
	for index, verdict := range all {
		if verdict.refusal != "" && fewer[index].refusal == "" {
			names = append(names, verdict.request.name)
		}
	}
	return names
}
