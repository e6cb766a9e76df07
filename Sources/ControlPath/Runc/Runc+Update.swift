import Linux

extension Runc {
    /// `runc update`.
    /// - Parameter resources: `linux.resources` of the OCI specification, as JSON.
    package func update(resources: [UInt8], _ then: @escaping Completion<Void>) {
        let file = temporaryFile(".resources.json")
        do {
            try Files.write(resources, to: file, mode: 0o600)
        } catch {
            loop.soon { [container] in then(.failure(RuncError("update", container, cannotStart: error))) }
            return
        }
        call("update", ["--resources", file, container]) { result in
            try? Files.remove(file)
            then(result.map { _ in })
        }
    }
}
