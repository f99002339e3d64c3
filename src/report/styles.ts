/** The page's style sheet: light and dark, print, no fonts or images from anywhere. */
export const STYLES = `
:root { color-scheme: light dark; --ink: #1d2530; --paper: #ffffff; --soft: #5b6675; --line: #d5dbe3;
  --panel: #f4f6f9; --old: #5f7189; --new: #1f7a8c; --mixed: #9c7a1d; --down: #30343b; --none: #c2410c;
  --stuck: #a3123a; --good: #14653f; --bad: #a3123a; --link: #0b57a4;
  --h1: #fde8d7; --h2: #f9c9a0; --h3: #ee9a5f; --h4: #b04a12; --h5: #84220a;
  --on-h3: #1d2530; --on-h5: #ffffff; --on-bar: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #14181e; --soft: #a0abba;
  --line: #343c47; --panel: #1d232b; --old: #66788f; --new: #3aa6bb; --mixed: #c9a33b; --down: #5a616b;
  --none: #e9783b; --stuck: #f0547c; --good: #62c798; --bad: #ff7b9c; --link: #7db8f5;
  --h1: #3a2415; --h2: #5f3312; --h3: #7a3d12; --h4: #d97a3a; --h5: #ffab6b;
  --on-h3: #ffffff; --on-h5: #14181e; --on-bar: #ffffff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; }
h2 { margin: 2.6rem 0 .6rem; padding-top: .4rem; border-top: 1px solid var(--line); font-size: 1.3rem; }
h3 { margin: 1.6rem 0 .4rem; font-size: 1.05rem; }
a { color: var(--link); } nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; list-style: none; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; background: var(--paper); padding: .4rem; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.note, .sub { color: var(--soft); } .scroll { overflow-x: auto; }
.verdict { padding: .6rem .9rem; border-left: 5px solid var(--soft); background: var(--panel); }
.verdict.clean { border-color: var(--good); } .verdict.stuck, .verdict.harmful { border-color: var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; } td.number { font-variant-numeric: tabular-nums; }
td.bad { color: var(--bad); font-weight: 600; } td.good { color: var(--good); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.quote { font: .85rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; color: var(--soft); }
code, pre { font: .85rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
details { margin: .5rem 0; } summary { cursor: pointer; font-weight: 600; }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; } svg text { fill: var(--ink); }
.timeline .old { fill: var(--old); } .timeline .new { fill: var(--new); } .timeline .mixed { fill: var(--mixed); }
.timeline .down { fill: var(--down); } .timeline .no-network { fill: var(--none); } .timeline .stuck { fill: var(--stuck); }
.timeline rect { shape-rendering: crispEdges; } .timeline .on-bar { fill: var(--on-bar); font-size: 11px; } .axis text { fill: var(--soft); font-size: 11px; }
.legend { color: var(--soft); font-size: .88rem; } .key { display: inline-block; width: .9em; height: .9em;
  margin: 0 .3em 0 .8em; vertical-align: -1px; border-radius: 2px; }
.key.old { background: var(--old); } .key.new { background: var(--new); } .key.mixed { background: var(--mixed); }
.key.down { background: var(--down); } .key.no-network { background: var(--none); } .key.stuck { background: var(--stuck); }
.graph .cause rect { fill: var(--panel); stroke: var(--soft); } .graph .symptom rect { fill: var(--panel); stroke: var(--bad); stroke-width: 2; }
.arrow { fill: none; stroke: var(--soft); stroke-width: 1.3; } .arrow-end { fill: var(--soft); }
.heat td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } .heat .none { color: var(--soft); }
.heat-1 { background: var(--h1); } .heat-2 { background: var(--h2); } .heat-3 { background: var(--h3); color: var(--on-h3); }
.heat-4 { background: var(--h4); color: var(--on-h5); } .heat-5 { background: var(--h5); color: var(--on-h5); }
@media print { .scroll { overflow: visible; } details { display: block; } }
`;
