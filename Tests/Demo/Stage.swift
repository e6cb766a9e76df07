import Foundation
import Measure
import TestNode

/// What the demo has learnt so far, and the eye that keeps looking at memory while the story goes on.
actor Stage {
    private let screen: Screen
    private let begin = ContinuousClock.now
    private var scene = Scene()
    private var containers: [Container] = []
    private var stockPod: Pod?
    private var looking: Task<Void, Never>?

    init(screen: Screen) { self.screen = screen }

    func set(title: String) { scene.title = title }

    func say(_ caption: String) {
        scene.caption = caption
        show()
    }

    /// Shows a container from now on.
    func enter(_ container: Container, port: UInt16) {
        containers.append(container)
        scene.actors.append(Scene.Actor(name: container.name, port: port))
    }

    func compare(with pod: Pod) { stockPod = pod }

    func slept(_ name: String, _ count: Int) {
        guard let index = scene.actors.firstIndex(where: { $0.name == name }) else { return }
        scene.actors[index].sleeps = count
    }

    var stockShim: Int { scene.stockShim }

    func actor(_ name: String) -> Scene.Actor? { scene.actors.first { $0.name == name } }

    func tell(
        _ actor: String, _ what: String, took milliseconds: Double? = nil, _ detail: String = "",
        _ kind: Scene.Event.Kind = .plain
    ) {
        scene.events.append(
            Scene.Event(
                seconds: seconds, actor: actor, what: what, took: milliseconds.map(Text.milliseconds) ?? "",
                detail: detail, kind: kind))
        show()
    }

    var seconds: Double { (ContinuousClock.now - begin).seconds }

    private func show() {
        scene.seconds = seconds
        screen.show(scene)
    }

    // MARK: Looking

    /// Looks a few times a second, which a person takes for always.
    func beginLooking() {
        looking = Task {
            while !Task.isCancelled {
                look(remember: true)
                show()
                try? await Task.sleep(for: .milliseconds(400))
            }
        }
    }

    func endLooking() { looking?.cancel() }

    func look(remember: Bool = false) {
        for (index, container) in containers.enumerated() {
            guard let shim = Processes.shim(ofPod: container.pod.id) else { continue }
            let processes = Processes.ofApplication(container.id, shim: shim)
            let memory = Self.memory(of: Processes.ofContainer(container.id) + Processes.ofContainer(container.pod.id))
            let shimMemory = Self.memory(of: [shim])
            scene.actors[index].processes = processes.count
            scene.actors[index].isAsleep = processes.isEmpty
            scene.actors[index].memory = memory.proportional
            scene.actors[index].onDisk = processes.isEmpty ? Self.imageBytes(of: container) : 0
            scene.actors[index].shimPrivate = shimMemory.privateDirty
            scene.actors[index].shimResident = shimMemory.resident
            let standIn = Self.memory(of: Processes.standIns(of: shim)).privateDirty
            if processes.isEmpty && standIn > 0 { scene.actors[index].standIn = standIn }
            if remember { scene.actors[index].history.append(memory.proportional) }
        }
        if let stockPod {
            scene.stockShim = Processes.shim(ofPod: stockPod.id).flatMap(ProcessMemory.init(of:))?.privateDirty ?? 0
        }
    }

    private static func memory(of processes: [Int]) -> ProcessMemory {
        processes.compactMap(ProcessMemory.init(of:)).reduce(into: ProcessMemory()) { $0 += $1 }
    }

    /// What the container's directory in /var/lib/zeropod takes of the disk, as du tells it.
    private static func imageBytes(of container: Container) -> Int {
        let root = container.pod.node.state.appending(path: "zeropod")
        let paths = FileManager.default.enumerator(atPath: root.path())
        var total = 0
        while let path = paths?.nextObject() as? String {
            var status = stat()
            guard path.contains(container.id), lstat(root.appending(path: path).path(), &status) == 0 else { continue }
            total += Int(status.st_blocks) * 512
        }
        return total
    }
}
