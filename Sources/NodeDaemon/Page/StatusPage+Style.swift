extension StatusPage {
    /// In the page itself: it needs nothing from elsewhere, and nothing may be loaded into it.
    static let style = """
        :root{color-scheme:light dark;--line:#8884;--soft:#888}
        body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem}
        h1{font-size:1.4rem}
        .cards{display:flex;flex-wrap:wrap;gap:1rem;margin:1rem 0}
        .cards div{border:1px solid var(--line);border-radius:.5rem;padding:.6rem 1rem;color:var(--soft)}
        .cards b{display:block;font-size:1.5rem;color:CanvasText}
        table{border-collapse:collapse;width:100%}
        th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
        th{color:var(--soft);font-weight:600;font-size:.85rem}
        td{font-variant-numeric:tabular-nums}
        .state{border-radius:1rem;padding:.1rem .6rem;background:#8883}
        .state.asleep{background:#46f;color:#fff}
        .state.running{background:#183;color:#fff}
        .note{border-left:.3rem solid #c60;padding:.3rem .8rem}
        .foot{color:var(--soft);font-size:.85rem}
        pre{white-space:pre-wrap;font-size:.8rem}
        """
}
