/// Something that serves HTTP on port 80, as an image and the command that starts it.
struct Application: Sendable {
    let name: String
    let image: String
    let command: [String]

    static let all = [
        Application(name: "nginx", image: "nginx", command: ["nginx"]),
        Application(
            name: "httpd", image: "busybox",
            command: ["sh", "-c", "echo hello >/srv/index.html; exec httpd -f -p 80 -h /srv"]),
    ]

    /// What occupies a container and listens nowhere.
    static let idleCommand = ["sleep", "1000000"]
}
