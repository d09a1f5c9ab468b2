const DARK =
  "color-scheme: dark; --bg: #0f1419; --panel: #151b22; --ink: #e6edf3; --muted: #9aa7b4; --line: #2a323c; --soft: #1a2129; --best: #12382a; --best-ink: #7be0ad; --shade: #000c;";

/** The style sheet of the HTML pages, also of those whose theme no script chooses; contender colours come as custom properties from `palette.ts`. */
export const PAGE_STYLE: string = `
:root { color-scheme: light dark; --bg: #fff; --panel: #fff; --ink: #1f2328; --muted: #59636e; --line: #d9dee3; --soft: #f5f7f9; --best: #e3f4ea; --best-ink: #0b5c32; --shade: #0003; }
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { ${DARK} }
@media (prefers-color-scheme: dark) { :root:not([data-theme]) { ${DARK} } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header.top > div { max-width: 1440px; margin: 0 auto; padding: 0 24px; }
header.top { border-bottom: 1px solid var(--line); padding: 22px 0 18px; }
header.top > div { display: flex; align-items: flex-start; gap: 24px; justify-content: space-between; }
h1 { font-size: 22px; line-height: 1.25; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 34px 0 4px; letter-spacing: -0.005em; }
h3 { font-size: 13.5px; margin: 0 0 2px; font-weight: 600; }
p { margin: 0 0 10px; max-width: 120ch; }
.muted, figcaption, .facts { color: var(--muted); }
.facts { margin: 0; font-size: 13px; }
button, select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 5px 12px; cursor: pointer; max-width: 100%; }
button:hover, select:hover { border-color: var(--muted); }
:focus-visible { outline: 2px solid var(--c-0); outline-offset: 2px; }
.bar { position: sticky; top: 0; z-index: 2; background: var(--bg); border-bottom: 1px solid var(--line); margin: 14px 0 18px; padding: 10px 0; display: flex; flex-wrap: wrap; gap: 10px 22px; align-items: center; }
.bar label.pick { display: flex; min-width: 0; max-width: 100%; gap: 8px; align-items: center; font-weight: 600; }
.bar label.pick select { min-width: 0; flex: 1 1 auto; }
#legend { min-width: 0; display: flex; flex-wrap: wrap; gap: 4px 14px; border: 0; margin: 0; padding: 0; }
#legend label { display: inline-flex; align-items: center; gap: 6px; cursor: pointer; user-select: none; }
#legend input { position: absolute; opacity: 0; pointer-events: none; }
#legend input:not(:checked) ~ * { opacity: 0.35; }
#legend input:not(:checked) ~ span { text-decoration: line-through; }
#legend input:focus-visible ~ span { outline: 2px solid var(--c-0); outline-offset: 2px; border-radius: 3px; }
#legend svg { display: block; }
.grid { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 18px; }
.grid > figure.wide { grid-column: 1 / -1; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px 8px; min-width: 0; }
figcaption { font-size: 12.5px; margin-bottom: 8px; }
.plot { width: 100%; }
.plot svg { display: block; max-width: 100%; overflow: visible; }
.scroll { position: relative; overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: linear-gradient(to left, var(--panel) 40%, transparent) right / 48px 100% no-repeat local, linear-gradient(to left, var(--shade), transparent) right / 14px 100% no-repeat scroll, var(--panel); }
.scroll tr > :first-child { position: sticky; left: 0; z-index: 1; background: var(--panel); }
.scroll thead tr > :first-child { background: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: 7px 12px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
thead th { background: var(--soft); font-weight: 600; color: var(--muted); font-size: 12px; }
th:first-child, td:first-child { text-align: left; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { font-weight: 600; }
th.text, td.text { text-align: left; }
h3.flows { margin-top: 20px; }
table.flows th[colspan] { text-align: center; }
table.flows thead tr + tr th { text-align: right; }
table.many { line-height: 1.3; }
table.many thead th { white-space: normal; }
table.many td .ci { display: block; margin-left: 0; }
td .ci { color: var(--muted); font-size: 11.5px; margin-left: 4px; }
td.best { background: var(--best); color: var(--best-ink); font-weight: 600; }
td.best .ci { color: inherit; opacity: 0.8; font-weight: 400; }
td.tied { box-shadow: inset 0 0 0 1.5px var(--best-ink); }
.beside { color: var(--muted); font-weight: 400; font-size: 11.5px; }
td.best .beside { color: inherit; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.verdicts { margin: 6px 0 0; padding-left: 20px; font-size: 15px; max-width: 110ch; }
.verdicts li { margin-bottom: 3px; }
details { margin: 8px 0 0; max-width: 110ch; font-size: 14px; }
summary { cursor: pointer; }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 8px; vertical-align: -1px; }
.detail { color: var(--muted); font-weight: 400; font-size: 11.5px; margin-left: 18px; }
.linklike { border: 0; background: none; padding: 0; font-weight: 600; text-align: left; border-radius: 3px; }
.linklike:hover { text-decoration: underline; }
.linklike + div { color: var(--muted); font-size: 11.5px; font-weight: 400; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; font-size: 13px; }
dt { color: var(--muted); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
code { font: 12.5px ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; background: var(--soft); border: 1px solid var(--line); border-radius: 5px; padding: 1px 6px; }
#tip { position: fixed; left: 0; top: 0; z-index: 9; pointer-events: none; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 6px 20px rgb(0 0 0 / 0.18); padding: 8px 12px; font-size: 12px; font-variant-numeric: tabular-nums; }
#tip div { display: flex; justify-content: space-between; gap: 18px; }
#tip span { color: var(--muted); font-weight: 600; }
footer { margin: 40px 0 32px; }
@media (max-width: 860px) { .grid { grid-template-columns: minmax(0, 1fr); } main, header.top > div { padding: 0 14px; } dl { grid-template-columns: minmax(0, 1fr); } header.top > div { flex-direction: column; gap: 10px; } .bar { position: static; } }
@media (max-width: 600px) { .scroll table:not(.flows), .scroll table:not(.flows) tbody { display: block; } .scroll table:not(.flows) thead { display: none; } .scroll table:not(.flows) tr { display: block; padding: 6px 0; border-bottom: 1px solid var(--line); } .scroll table:not(.flows) tr > * { display: flex; justify-content: space-between; gap: 12px; white-space: normal; border: 0; padding: 3px 12px; } .scroll table:not(.flows) tr > th { display: block; position: static; } .scroll table:not(.flows) td::before { content: attr(data-of); color: var(--muted); font-weight: 400; flex: 1 1 auto; text-align: left; } }
@media print { .bar { position: static; } #theme { display: none; } }
`;
