import Runc

extension Container {
    /// containerd's Checkpoint: a self-contained image of the container for somebody else, made by runc. It has nothing
    /// to do with sleeping.
    package func export(
        to images: String, options: Runc.CheckpointOptions, workDirectory: String, _ then: @escaping Completion<Void>
    ) {
        whenAwake(for: .export, thoughPaused: true) { [self] result in
            switch result {
            case .failure(let error): then(.failure(error))
            case .success(let work):
                let directory = workDirectory.isEmpty ? bundle : workDirectory
                whenMemoryIsThere { [self] in
                    runc.checkpoint(images, directory, options) { [self] result in
                        finished(work)
                        then(result.mapError(ShimError.init))
                    }
                }
            }
        }
    }
}
