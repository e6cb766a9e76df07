import Glibc
import Linux

extension ProcessIO {
    /// VEOF of a new terminal (termios(3)): a program that reads lines takes it as the end of its input.
    private static let endOfInput: [UInt8] = [4]

    func prepareTerminal(
        _ stdin: String, _ target: OutputTarget, in directory: String, startLogger: StartLogger
    ) throws(SystemError) {
        var sink: SharedDescriptor?
        if case .logger(let url) = target {
            // A terminal has one output stream; the logger's other one ends at once.
            let (stdout, stderr) = (try makePipe(), try makePipe())
            logger = try startLogger(url, LoggerPipes(stdout: stdout.read, stderr: stderr.read))
            sink = stdout.write
        } else {
            sink = try open(target)
        }
        console = try ConsoleSocket(in: directory, loop: loop, report: report) { [unowned self, sink] master in
            do throws(SystemError) {
                try connect(master, stdin: stdin, sink: sink)
            } catch {
                report("terminal: \(error)")
            }
        }
    }

    private func connect(_ master: SharedDescriptor, stdin: String, sink: SharedDescriptor?) throws(SystemError) {
        console = nil
        self.master = master
        if let windowSize { try master.descriptor.setWindowSize(columns: windowSize.columns, rows: windowSize.rows) }
        try copyOutput(1, from: master, to: sink)
        guard !stdin.isEmpty else { return }
        input = try openInput(stdin, to: master) { [weak self] in
            // Closing the master would hang up, and throw away what the programs have still to say.
            _ = try? master.descriptor.write(Self.endOfInput)
            self?.input = nil
        }
    }

    /// ResizePty. Before runc has made the terminal, the size is kept for it.
    package func resize(columns: UInt16, rows: UInt16) throws(SystemError) {
        windowSize = (columns, rows)
        try master?.descriptor.setWindowSize(columns: columns, rows: rows)
    }
}
