extension PageFrame {
    /// In the page itself: it needs nothing from elsewhere, and nothing may be loaded into it.
    static let style = """
        :root{color-scheme:light dark;--line:#8883;--soft:#767676;--blue:#2f5fd0;--green:#18743a;--amber:#b45309}
        @media(prefers-color-scheme:dark){:root{--soft:#9a9a9a;--blue:#7ea2ff;--green:#5fc184;--amber:#f0a04b}}
        body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem}
        header{display:flex;align-items:baseline;gap:.6rem}
        h1{font-size:1.5rem;margin:0}
        h2{font-size:1.1rem;margin:1.5rem 0 .3rem}
        header p{margin:0;color:var(--soft)}
        .cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}
        .cards div{border:1px solid var(--line);border-radius:.5rem;padding:.6rem 1rem;color:var(--soft);min-width:9rem}
        .cards b{display:block;font-size:1.6rem;line-height:1.3;color:CanvasText;font-variant-numeric:tabular-nums}
        @media(max-width:40rem){.cards div{flex:1 1 40%;min-width:0;box-sizing:border-box}}
        form{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0}
        form *{font:inherit;padding:.35rem .6rem}
        form input{flex:1 1 14rem;min-width:0}
        .note{overflow-wrap:anywhere;border-left:.25rem solid var(--amber);padding:.2rem .8rem;margin:.5rem 0}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%}
        th,td{text-align:left;padding:.55rem .8rem .55rem 0;border-bottom:1px solid var(--line);vertical-align:top}
        th{color:var(--soft);font-weight:600;font-size:.8rem;white-space:nowrap}
        td{font-variant-numeric:tabular-nums}
        td b{font-weight:600}
        td:first-child .soft{display:block}
        .number{text-align:right}
        .soft{color:var(--soft);font-size:.85rem;white-space:nowrap}
        .why{min-width:14rem;overflow-wrap:anywhere}
        .why .soft{white-space:normal}
        .state{border:1px solid var(--soft);border-radius:1rem;padding:0 .55rem;font-size:.85rem;color:var(--soft);white-space:nowrap}
        .state.asleep{border-color:var(--blue);background:var(--blue);color:Canvas}
        .state.frozen{border-color:var(--blue);color:var(--blue)}
        .state.running{border-color:var(--green);color:var(--green)}
        .plot{white-space:nowrap}
        .plot svg{vertical-align:middle;margin-right:.6rem;fill:var(--blue)}
        .plot .none{fill:var(--line)}
        @media(max-width:48rem){
        thead{display:none}
        tr{display:flex;flex-wrap:wrap;gap:.1rem 1rem;align-items:baseline;border-bottom:1px solid var(--line);padding:.6rem 0}
        td{border:0;padding:0}
        td:first-child{flex:1 1 60%;overflow-wrap:anywhere}
        td:first-child .soft{white-space:normal}
        .why,.plot{flex:1 1 100%;min-width:0}
        .number:not(:empty)::before{content:attr(data-head)": ";color:var(--soft);font-size:.85rem}
        .number:empty{display:none}
        }
        .foot{color:var(--soft);font-size:.85rem}
        a{color:var(--blue)}
        """
}
