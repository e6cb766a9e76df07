import JSON
import Linux

extension Runc {
    /// `memory.limit` of what `update` is given, in bytes; -1 stands for none.
    package static func memoryLimit(in resources: [UInt8]) -> Int64? {
        (try? JSON(parsing: resources))?["memory"]?["limit"]?.integer()
    }

    /// `runc update`.
    /// - Parameter resources: `linux.resources` of the OCI specification, as JSON.
    package func update(resources: [UInt8], _ then: @escaping Completion<Void>) {
        let file = temporaryFile(".resources.json")
        do {
            try Files.create(file, with: resources, mode: 0o600)
        } catch {
            loop.soon { [container] in then(.failure(RuncError("update", container, cannotStart: error))) }
            return
        }
        call("update", ["--resources", file, container]) { result in
            try? Files.remove(file)
            then(result.map { _ in })
        }
    }

    /// The same for a container without processes. runc changes nothing for one that has stopped, so it is shown a
    /// placeholder for its init.
    package func updateAsleep(resources: [UInt8], _ then: @escaping Completion<Void>) {
        let placeholder: Placeholder
        do throws(SystemError) {
            placeholder = try Placeholder(children)
            try RuncState.adopt(placeholder.pid, root: options.root, container: container)
        } catch {
            loop.soon { [container] in then(.failure(RuncError("update", container, cannotStart: error))) }
            return
        }
        update(resources: resources) { result in
            withExtendedLifetime(placeholder) {}
            then(result)
        }
    }
}
