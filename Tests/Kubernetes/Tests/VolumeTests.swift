import Commands
import Foundation
import TestCluster
import TestNode
import Testing

/// Volumes that the kubelet changes below a container that has their files open and mapped, watches them and works in them.
@Suite(.enabled(if: Kubernetes.programs != nil, "KUBE_BIN names no Kubernetes"), .cluster("volumes"), .serialized)
struct VolumeTests {
    /// Asleep they change as they do awake. The labels that the daemon writes are in one of them: each sleep and each wake
    /// changes it.
    @Test func volumesChangeAwakeAndAsleep() async throws {
        let cluster = try cluster()
        let holder = Holder(cluster: cluster)
        try await holder.start()
        let beginning = try await holder.ask()

        try await holder.change(to: "two")
        let awake = try await eventually("the container sees what has changed", within: .seconds(180)) {
            let answer = try await holder.ask()
            return Holder.replaced.allSatisfy { answer[$0].anew.contains("two") } ? answer : nil
        }
        expect(awake, sees: "two", after: beginning)

        // The second time it holds what went before it slept the first time.
        var last = awake
        for value in ["three", "four"] { last = try await changesAsleep(to: value, after: last, in: holder) }
        let restarts = try await cluster.value(
            ".status.containerStatuses[*].restartCount", of: "pod/\(try await cluster.pod(Holder.name))")
        #expect(restarts == "0 0")
        try await holder.end()
    }

    /// - Parameter last: what the container has answered last.
    /// - Returns: the same, later.
    private func changesAsleep(to value: String, after last: Answer, in holder: Holder) async throws -> Answer {
        let cluster = holder.cluster
        try await cluster.awaitSleep(Holder.name)
        try await cluster.awaitLabel("SCALED_DOWN", of: Holder.name)
        var written = ""
        try await cluster.leavingAsleep(Holder.name) {
            let places = try await holder.places()
            try await holder.change(to: value)
            try await eventually("the kubelet has replaced the volumes", within: .seconds(180)) {
                for name in Holder.replaced where try await !holder.onNode(name).contains(value) { return false }
                return try await holder.onNode("labels").contains(Holder.label("SCALED_DOWN"))
            }
            try await eventually("what was there before is gone") {
                try await holder.remain(places).isEmpty
            }
            written = try await holder.onNode("shared")
        }
        #expect(try await cluster.isAsleep(Holder.name))

        let woken = try await holder.ask()
        #expect(woken.answers == last.answers + 1)
        expect(woken, sees: value, after: last)
        for name in Holder.replaced + ["token"] {
            #expect(woken[name].open == last[name].open && woken[name].mapped == last[name].mapped, "\(name)")
        }
        // The token is not new, but its volume is.
        #expect(woken["token"].events > last["token"].events)
        #expect(woken["token"].anew.split(separator: ".").count == 3)
        #expect(last["shared"].open < written && written <= woken["shared"].open)
        return try await eventually("it sees the label that says that it is awake", within: .seconds(180)) {
            let answer = try await holder.ask()
            return answer["labels"].anew.contains(Holder.label("RUNNING")) ? answer : nil
        }
    }

    private func expect(_ answer: Answer, sees value: String, after former: Answer) {
        for name in Holder.replaced {
            let volume = answer[name]
            #expect(volume.open.contains("one") && volume.mapped == volume.open, "\(name)")
            #expect(volume.anew.contains(value), "\(name)")
            #expect(volume.events > former[name].events, "\(name)")
        }
        // Kubernetes does not change what is mounted by subPath.
        let part = answer["part"]
        #expect(part.open == "one" && part.mapped == "one" && part.anew == "one" && part.events == 0)
        // One file, written in place by the neighbour.
        let (shared, before) = (answer["shared"], former["shared"])
        #expect(shared.open > before.open && shared.mapped > before.mapped && shared.anew > before.anew)
        #expect(shared.events > before.events)
        for (name, volume) in answer.volumes { #expect(volume.worksThere && volume.placeStays, "\(name)") }
    }
}

/// What Tests/Kubernetes/volumes.py answers.
private struct Answer: Decodable {
    struct Volume: Decodable {
        var open = ""
        var mapped = ""
        var anew = ""
        var events = 0
        var worksThere = false
        var placeStays = false
    }

    let answers: Int
    let volumes: [String: Volume]

    subscript(_ name: String) -> Volume { volumes[name] ?? Volume() }
}

/// The pod that holds them.
private struct Holder {
    static let name = "volumes"
    /// Those whose files the kubelet replaces by others of another content.
    static let replaced = ["config", "secret", "labels"]
    /// Where they are below the volumes of the pod on the node.
    private static let files = [
        "config": "kubernetes.io~configmap/config/value", "secret": "kubernetes.io~secret/secret/value",
        "labels": "kubernetes.io~projected/projected/labels", "shared": "kubernetes.io~empty-dir/shared/value",
    ]

    let cluster: Cluster

    /// As the file of labels says what the daemon has written.
    static func label(_ state: String) -> String { "status.zeropod.ctrox.dev/web=\"\(state)\"" }

    func start() async throws {
        try await cluster.kubectl("create", "configmap", "program", "--from-file=/opt/cluster/volumes.py")
        try await cluster.apply(Self.manifest)
        try await cluster.awaitRollout("deployment/\(Self.name)")
        try await cluster.awaitService(Self.name)
    }

    func end() async throws {
        try await cluster.kubectl("delete", "deployment,service", Self.name)
        try await cluster.kubectl("delete", "secret", Self.name)
        try await cluster.kubectl("delete", "configmap", Self.name, "program")
    }

    func ask() async throws -> Answer {
        try JSONDecoder().decode(Answer.self, from: Data(try await cluster.get(Self.name).text.utf8))
    }

    func change(to value: String) async throws {
        try await cluster.kubectl("patch", "configmap", Self.name, "-p", #"{"data": {"value": "\#(value)"}}"#)
        try await cluster.kubectl("patch", "secret", Self.name, "-p", #"{"stringData": {"value": "\#(value)"}}"#)
        try await cluster.kubectl("label", "pod", try await cluster.pod(Self.name), "--overwrite", "kind=\(value)")
    }

    /// What is in the file of a volume, as the node has it.
    func onNode(_ volume: String) async throws -> String {
        try await cluster.node.run("cat", try await file(volume)).text
    }

    /// The directories that the files of the replaced volumes are in just now.
    func places() async throws -> [String] {
        var places: [String] = []
        for name in Self.replaced {
            let link = try await file(name).split(separator: "/").dropLast().joined(separator: "/")
            places.append(try await cluster.node.run("readlink", "-f", "/\(link)/..data").trimmed)
        }
        return places
    }

    /// Those of some directories that are there.
    func remain(_ places: [String]) async throws -> [String] {
        try await cluster.node.shell("ls -d \(places.joined(separator: " "))", expecting: nil).lines.map(String.init)
    }

    private func file(_ volume: String) async throws -> String {
        let uid = try await cluster.value(".metadata.uid", of: "pod/\(try await cluster.pod(Self.name))")
        return "/var/lib/kubelet/pods/\(uid)/volumes/\(Self.files[volume] ?? volume)"
    }

    private static let manifest = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: volumes}
        data: {value: one}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: volumes}
        stringData: {value: one}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: volumes}
        spec: {selector: {app: volumes}, ports: [{port: 80}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: volumes}
        spec:
          selector: {matchLabels: {app: volumes}}
          template:
            metadata:
              labels: {app: volumes, kind: one}
              annotations:
                zeropod.ctrox.dev/container-names: web
                zeropod.ctrox.dev/scaledown-duration: 2s
            spec:
              runtimeClassName: zeropod
              terminationGracePeriodSeconds: 1
              initContainers:
                - name: first
                  image: zeropod.test/busybox:1
                  imagePullPolicy: Never
                  command: [sh, -c, printf %08d 0 >/shared/value]
                  volumeMounts: [{name: shared, mountPath: /shared}]
              containers:
                - name: web
                  image: zeropod.test/python:1
                  imagePullPolicy: Never
                  command:
                    - python3
                    - /program/volumes.py
                    - config=/config/value
                    - secret=/secret/value
                    - labels=/projected/labels
                    - token=/projected/token
                    - part=/part/value
                    - shared=/shared/value
                  ports: [{containerPort: 80}]
                  volumeMounts:
                    - {name: program, mountPath: /program}
                    - {name: config, mountPath: /config}
                    - {name: secret, mountPath: /secret}
                    - {name: projected, mountPath: /projected}
                    - {name: config, mountPath: /part/value, subPath: value}
                    - {name: shared, mountPath: /shared}
                - name: writer
                  image: zeropod.test/busybox:1
                  imagePullPolicy: Never
                  command:
                    - sh
                    - -c
                    - n=0; while sleep 0.2; do n=$((n + 1)); printf %08d $n 1<>/shared/value; done
                  volumeMounts: [{name: shared, mountPath: /shared}]
              volumes:
                - {name: program, configMap: {name: program}}
                - {name: config, configMap: {name: volumes}}
                - {name: secret, secret: {secretName: volumes}}
                - {name: shared, emptyDir: {}}
                - name: projected
                  projected:
                    sources:
                      - serviceAccountToken: {path: token}
                      - downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
        """
}
