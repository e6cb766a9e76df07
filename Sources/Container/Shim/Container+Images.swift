import Checkpoint
import Linux

/// What becomes of images that nobody is restored from any more.
extension Container {
    /// Keeps the images of a failed restore for a person to look at.
    func setImagesAside() {
        do throws(SystemError) {
            let (place, removed) = try snapshot.setAside(in: "\(context.paths.snapshots)/failed", as: id)
            context.log.error("the images are in \(place)", label)
            if !removed.isEmpty {
                context.log.warning(
                    "older images of failed restores were removed: \(removed.joined(separator: " "))", label)
            }
        } catch {
            context.log.error("the images stay in \(snapshot.directory): \(error)", label)
        }
    }

    func discardSnapshot() {
        do throws(SystemError) {
            try snapshot.remove()
        } catch {
            context.log.warning("cannot remove the images: \(error)", label)
        }
    }
}
