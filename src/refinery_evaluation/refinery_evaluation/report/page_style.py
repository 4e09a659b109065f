"""The style sheet of the page: dark on light, no external fonts, prints on A4."""

PAGE_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 28px 24px 60px; max-width: 964px; background: #fff; color: #22272e;
  font: 16px/1.5 "DejaVu Sans", "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 40px 0 8px; padding-top: 14px; border-top: 1px solid #d9dee3; }
p { margin: 8px 0; }
p.sub { color: #57606a; margin: 0 0 18px; }
p.headline { font-size: 19px; line-height: 1.45; margin: 16px 0 20px; }
div.note { background: #fff8e5; border-left: 4px solid #e0a800; padding: 10px 14px; }
div.tiles { display: flex; gap: 12px; flex-wrap: wrap; }
div.tile { flex: 1 1 190px; border: 1px solid #d9dee3; border-top-width: 4px; border-radius: 4px; padding: 10px 14px; }
div.base { border-top-color: #b5562c; } div.refined { border-top-color: #1b6a93; }
div.uniform { border-top-color: #8a6fb0; } div.sampled { border-top-color: #2a8f6b; }
div.tile b { display: block; font-size: 28px; line-height: 1.25; font-weight: 600; }
div.tile span { display: block; font-size: 13.5px; color: #57606a; }
figure { margin: 14px 0; } figcaption { font-size: 14px; color: #57606a; margin-top: 6px; }
img { display: block; width: 100%; max-width: 900px; height: auto; }
div.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; margin: 10px 0; }
th { text-align: left; vertical-align: bottom; border-bottom: 2px solid #aeb6bf; padding: 4px 12px 4px 0; }
td { vertical-align: top; border-bottom: 1px solid #e6e9ec; padding: 4px 12px 4px 0; }
table.trials { font-size: 12px; line-height: 1.35; width: 100%; }
table.trials th, table.trials td { padding: 4px 7px; font-variant-numeric: tabular-nums; }
table.trials td:nth-child(5) { min-width: 120px; overflow-wrap: anywhere; }
table.trials td:nth-child(4), table.trials td:nth-child(n+7) { white-space: nowrap; }
tr.failed td { background: #fdf0ea; } tr.failed td:nth-child(4) { font-weight: 600; color: #99380f; }
ul { margin: 8px 0; padding-left: 22px; } li { margin: 4px 0; }
@media print { body { max-width: none; padding: 0; font-size: 12px; } figure, tr, div.tile { break-inside: avoid; }
  h2 { break-after: avoid; } div.scroll { overflow: visible; } table.trials { font-size: 9px; }
  thead { display: table-header-group; } }
"""
"""CSS, put into the page."""
