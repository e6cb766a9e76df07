import Linux

extension Container {
    package func pause(_ then: @escaping Completion<Void>) {
        whenAwake { [self] result in
            switch result {
            case .failure(let error): then(.failure(error))
            case .success(let work):
                runc.pause { [self] result in
                    if case .success = result {
                        isPaused = true
                        lifecycle.paused()
                        noteChange()
                        context.publish(.paused(id: id))
                    }
                    finished(work)
                    then(result.mapError(ShimError.init))
                }
            }
        }
    }

    package func resume(_ then: @escaping Completion<Void>) {
        runc.resume { [self] result in
            if case .success = result {
                isPaused = false
                lifecycle.resumed(at: Instant.now.nanoseconds)
                noteChange()
                context.publish(.resumed(id: id))
            }
            then(result.mapError(ShimError.init))
        }
    }

    /// - Parameter resources: `linux.resources` of the OCI specification, as JSON.
    package func update(resources: [UInt8], _ then: @escaping Completion<Void>) {
        whenAwake { [self] result in
            switch result {
            case .failure(let error): then(.failure(error))
            case .success(let work):
                runc.update(resources: resources) { [self] result in
                    finished(work)
                    then(result.mapError(ShimError.init))
                }
            }
        }
    }
}
