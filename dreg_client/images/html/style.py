"""How a page looks: each rule holds below one class, so that a page of others, such as a notebook, stays as it is.

Every colour of text has a contrast of at least 4.5 to 1 on the paper, by day and by night. No rule loads anything.
"""

from typing import Final

SCOPE: Final = "dreg-picture"

# Only of a page of its own.
PAGE_STYLE: Final = """
html{background:#fcfbf8}
body{margin:0}
@media (prefers-color-scheme:dark){html{background:#15171b}}
"""

# A notebook brings rules for plain elements (":not(pre) > code", "tbody tr:nth-child(odd)"): what has a background or
# a colour here says so with a class more than those.
STYLE: Final = """
.dreg-picture{--paper:#fcfbf8;--ink:#1d2126;--dim:#5a616b;--line:#dedbd3;--faint:#f3f1eb;--link:#0a58b0;
--own:#78818c;--odd:#a3121f;--error:#a3121f;--warning:#7c4a00;--note:#31588a;
--c0:#0a5fb8;--c1:#a5420b;--c2:#0b6e63;--c3:#7338c4;--c4:#a41a58;--c5:#5a6800;
--mono:ui-monospace,"SF Mono","Cascadia Code","DejaVu Sans Mono",Menlo,Consolas,monospace;
color-scheme:light dark;box-sizing:border-box;max-width:70rem;margin:0 auto;padding:2.5rem 1.5rem 3rem;
background:var(--paper);color:var(--ink);font:400 .9375rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
text-align:left;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
@media (prefers-color-scheme:dark){.dreg-picture{--paper:#15171b;--ink:#e4e3df;--dim:#a0a6af;--line:#33373e;
--faint:#1d2025;--link:#82b7ff;--own:#7f8893;--odd:#ff9a95;--error:#ff9a95;--warning:#eab464;--note:#9cc0f5;
--c0:#6fb1ff;--c1:#f0a171;--c2:#4fcdbc;--c3:#c3a2ff;--c4:#ff90b8;--c5:#c2d04c}}
.dreg-picture *{box-sizing:border-box}
.dreg-picture .name,.dreg-picture .title,.dreg-picture .subtitle{margin:0;color:var(--ink);line-height:1.2}
.dreg-picture .name{font-size:1.9rem;font-weight:600;letter-spacing:-.02em}
.dreg-picture .title{font-size:1.2rem;font-weight:600;letter-spacing:-.005em}
.dreg-picture .subtitle{font-size:.9375rem;font-weight:600}
.dreg-picture small{font-size:.8125rem;font-weight:400;letter-spacing:0;color:var(--dim)}
.dreg-picture p{margin:.35rem 0}
.dreg-picture ul{list-style:none;margin:0;padding:0}
.dreg-picture li{margin:0}
.dreg-picture a{color:var(--link);text-decoration:underline;text-underline-offset:.15em}
.dreg-picture :not(pre) > code{padding:0;border:0;background:none;color:inherit;font:.8125rem/1.5 var(--mono);
white-space:normal}
.dreg-picture .dim{color:var(--dim)}
.dreg-picture .odd{padding:0 .15em;border:1px solid;border-radius:2px;color:var(--odd);font:.75rem var(--mono)}
.dreg-picture .cut{color:var(--odd);font-style:italic}
.dreg-picture .digest{color:var(--dim)}
.dreg-picture section,.dreg-picture .platform{margin-top:2.5rem;padding-top:1rem;border-top:1px solid var(--line)}
.dreg-picture details > details,.dreg-picture .same{margin-top:1.1rem}
.dreg-picture > .same,.dreg-picture > details:not(.platform){margin-top:2rem}
.dreg-picture summary{cursor:pointer}
.dreg-picture summary > .title,.dreg-picture summary > .subtitle{display:inline}
.dreg-picture summary:focus-visible,.dreg-picture a:focus-visible{outline:2px solid var(--link);outline-offset:2px}

.dreg-picture .figures{display:flex;flex-wrap:wrap;gap:.75rem 2.5rem;margin:1.1rem 0 1.3rem}
.dreg-picture .figures strong{font-size:1.35rem;font-weight:600;letter-spacing:-.01em}
.dreg-picture .figures small{display:block}

.dreg-picture .facts{margin:.5rem 0 0}
.dreg-picture .facts > div{display:grid;grid-template-columns:7.5rem minmax(0,1fr);gap:0 1rem;padding:.2rem 0}
.dreg-picture .facts dt{margin:0;font-weight:400;color:var(--dim)}
.dreg-picture .facts dd{margin:0}
.dreg-picture .notes > div{grid-template-columns:minmax(0,15rem) minmax(0,1fr)}
.dreg-picture .config > div{padding:.35rem 0;border-top:1px solid var(--line)}

.dreg-picture .drawing .chips{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.5rem 0;color:var(--dim)}
.dreg-picture .tree{margin-top:1rem}
.dreg-picture .tree ul{--in:0rem}
.dreg-picture .tree ul ul{--in:1.25rem}
.dreg-picture .tree ul ul ul{--in:2.5rem}
.dreg-picture .tree .row{display:grid;grid-template-columns:minmax(0,11fr) minmax(0,10fr) 7rem;gap:0 1rem;
align-items:center;padding:.2rem 0;list-style:none}
.dreg-picture .tree summary::-webkit-details-marker{display:none}
.dreg-picture .tree li{position:relative}
.dreg-picture .tree ul > li::before{content:"";position:absolute;top:0;bottom:0;left:calc(var(--in) + .35rem);
border-left:1px solid var(--line)}
.dreg-picture .tree ul > li:last-child::before{bottom:auto;height:.9rem}
.dreg-picture .tree ul > li::after{content:"";position:absolute;top:.9rem;left:calc(var(--in) + .35rem);width:.55rem;
border-top:1px solid var(--line)}
.dreg-picture .tree .label{grid-column:1;min-width:0}
.dreg-picture .tree ul .label{padding-left:calc(var(--in) + 1.25rem)}
.dreg-picture .tree summary .label::before{content:"▸";display:inline-block;width:1rem;color:var(--dim)}
.dreg-picture .tree details[open] > summary .label::before{content:"▾"}
.dreg-picture .tree .kind{font-size:.8125rem;color:var(--dim)}
.dreg-picture .tree .chart{grid-column:2;position:relative;display:block;height:.85rem;overflow:hidden;
background:repeating-linear-gradient(to right,var(--line) 0 1px,transparent 1px 25%)}
.dreg-picture .tree details li .chart{height:.5rem}
.dreg-picture .tree .axis{display:flex;justify-content:space-between;font-size:.75rem;line-height:.85rem;
background:var(--paper);color:var(--dim)}
.dreg-picture .tree .amount{grid-column:3;font-size:.875rem;text-align:right}
.dreg-picture .tree details li{color:var(--dim)}
.dreg-picture .tree details li code:last-child{color:var(--ink)}
.dreg-picture .bar{position:absolute;top:0;bottom:0;left:min(var(--from),100% - 3px);width:max(var(--wide),3px);
border-right:1px solid var(--paper)}
.dreg-picture .own{background:var(--own)}
.dreg-picture .mark{display:inline-block;min-width:1.25em;margin-right:.35rem;padding:0 .25em;border-radius:2px;
color:var(--paper);font:600 .75rem/1.35 var(--mono);text-align:center}
.dreg-picture .mark.own{height:1.35em;vertical-align:text-bottom}
.dreg-picture .c0{background:var(--c0)}
.dreg-picture .c1{background:var(--c1)}
.dreg-picture .c2{background:var(--c2)}
.dreg-picture .c3{background:var(--c3)}
.dreg-picture .c4{background:var(--c4)}
.dreg-picture .c5{background:var(--c5)}

.dreg-picture .problems .subtitle{margin-top:1rem}
.dreg-picture .problems li{margin:.75rem 0;padding-left:.85rem;border-left:3px solid var(--note)}
.dreg-picture .problems li b{color:var(--note)}
.dreg-picture .problems .error{border-color:var(--error)}
.dreg-picture .problems .error b{color:var(--error)}
.dreg-picture .problems .warning{border-color:var(--warning)}
.dreg-picture .problems .warning b{color:var(--warning)}
.dreg-picture .problems p{margin:.1rem 0}

.dreg-picture table{width:100%;margin:.5rem 0 0;border:0;border-collapse:collapse;table-layout:fixed;color:inherit;
font-size:inherit}
.dreg-picture tr th,.dreg-picture tr td{padding:.35rem .9rem .35rem 0;border:0;border-bottom:1px solid var(--line);
background:var(--paper);color:var(--ink);font-weight:400;line-height:1.45;text-align:left;vertical-align:baseline;
white-space:normal;overflow:hidden}
.dreg-picture tr > :last-child{padding-right:0}
.dreg-picture thead tr th{font-size:.8125rem;color:var(--dim)}
.dreg-picture table.pairs th:first-child{width:34%}
.dreg-picture table.blobs th:first-child{width:20%}
.dreg-picture table.blobs th:last-child{width:6.5rem}
.dreg-picture table.history th:nth-child(1){width:3rem;color:var(--dim)}
.dreg-picture table.history th:nth-child(3){width:6rem}
.dreg-picture table.history th:nth-child(4){width:12.5rem}
.dreg-picture table.blobs th:last-child,.dreg-picture table.blobs td:last-child,
.dreg-picture table.history th:nth-child(3),.dreg-picture table.history td:nth-child(3){text-align:right}
.dreg-picture tr.none td,.dreg-picture table.history td:last-child{color:var(--dim)}
.dreg-picture table.history td:nth-child(3),.dreg-picture table.history td:last-child{font-size:.875rem}
.dreg-picture .blob{margin-top:.1rem}
@media (max-width:40rem){
.dreg-picture{padding:1.25rem 1rem 2rem}
.dreg-picture .name{font-size:1.4rem}
.dreg-picture .facts > div{grid-template-columns:minmax(0,1fr)}
.dreg-picture .tree .row{grid-template-columns:minmax(0,1fr) 6.5rem}
.dreg-picture .tree .label{grid-column:1/-1}
.dreg-picture .tree .label:has(+ .amount){grid-column:1}
.dreg-picture .tree .chart{grid-column:1;margin-left:1.6rem}
.dreg-picture .tree .amount{grid-column:2}
.dreg-picture .tree ul ul{--in:.6rem}
.dreg-picture .tree ul ul ul{--in:1.2rem}
.dreg-picture table.pairs th:first-child{width:42%}
.dreg-picture table.history th:nth-child(1){width:2.7rem}
.dreg-picture table.history th:nth-child(3){width:4.6rem}
.dreg-picture table.history th:nth-child(4){width:6.2rem}
.dreg-picture table.blobs th:last-child{width:4.6rem}
.dreg-picture tr > :not(:last-child){padding-right:.5rem}}
"""
