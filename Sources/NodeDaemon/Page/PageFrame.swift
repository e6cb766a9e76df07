/// What all pages have around what they say. Texts are HTML already.
struct PageFrame {
    let title: String
    /// Beside the name of the product.
    let header: String
    /// Seconds after which the page is read anew; nil: never by itself.
    var refresh: Int?

    func html(_ body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        \(refresh.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">\n" } ?? "")\
        <meta name="viewport" content="width=device-width">
        <title>\(title)</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <header><h1>zeropod</h1>\(header)</header>
        \(body)
        </body>
        </html>

        """
    }

    static func cards(_ cards: [(value: String, label: String)]) -> String {
        "<div class=cards>" + cards.map { "<div><b>\($0.value)</b>\($0.label)</div>" }.joined() + "</div>"
    }

    static func table(_ heads: [String], numbers: [String], _ rows: [String]) -> String {
        """
        <div class=scroll><table>
        <thead><tr>\(heads.map { "<th scope=col>\($0)</th>" }.joined())\
        \(numbers.map { "<th scope=col class=number>\($0)</th>" }.joined())</tr></thead>
        <tbody>
        \(rows.joined(separator: "\n"))
        </tbody>
        </table></div>
        """
    }
}
