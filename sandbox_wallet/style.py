"""The one style sheet of the sandbox's pages."""

STYLE = """
:root{--ground:#f2f4f8;--card:#fff;--ink:#182033;--soft:#5a6478;--line:#e2e6ee;--accent:#1f5fd6;
--accent-ink:#fff;--warn:#fff4d9;--warn-ink:#6b4a00;--warn-line:#e8c66a}
@media(prefers-color-scheme:dark){:root{--ground:#0e131d;--card:#182030;--ink:#e9edf5;
--soft:#9ba6ba;--line:#2a3448;--accent:#6ea0ff;--accent-ink:#0b1220;--warn:#3a2f12;
--warn-ink:#ffe0a0;--warn-line:#7a6223}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
display:flex;justify-content:center;align-items:flex-start;padding:1rem}
.card{width:100%;max-width:30rem;background:var(--card);border:1px solid var(--line);
border-radius:16px;padding:1.5rem;margin-top:clamp(0rem,calc((100vw - 30rem)/4),3rem)}
.wide{max-width:44rem}
.message{text-align:center}
.brand{margin:0 0 .75rem;font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;
color:var(--soft)}
h1{font-size:1.35rem;line-height:1.3;margin:0 0 .75rem;overflow-wrap:anywhere}
h1 em{font-style:normal;color:var(--accent)}
p{margin:.5rem 0}
code{font:.82rem/1.4 ui-monospace,SFMono-Regular,Menlo,monospace;color:var(--soft);
overflow-wrap:anywhere;display:block}
.origin span{font-size:.85rem;color:var(--soft)}
dl{margin:1rem 0 0}
dl>div{border-top:1px solid var(--line);padding:.75rem 0}
dt{font-size:.85rem;color:var(--soft)}
dd{margin:.1rem 0 0;overflow-wrap:anywhere}
dd span:not(.amount){color:var(--soft);font-size:.9rem}
.amount{font-size:1.9rem;font-weight:650;line-height:1.2}
.amount small{font-size:.9rem;font-weight:500;color:var(--soft)}
.warning,.note{border-radius:10px;padding:.75rem .9rem;font-size:.92rem}
.warning{background:var(--warn);color:var(--warn-ink);border:1px solid var(--warn-line)}
.note{border:1px solid var(--line);color:var(--soft)}
form{display:grid;gap:.6rem;margin:1.25rem 0 .75rem}
button{min-height:48px;border-radius:12px;font:inherit;font-weight:600;cursor:pointer;
border:1px solid var(--line);background:transparent;color:var(--ink)}
button.approve{background:var(--accent);border-color:var(--accent);color:var(--accent-ink)}
button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.small{font-size:.8rem;color:var(--soft)}
.wallets{list-style:none;margin:1rem 0 0;padding:0}
.wallets li{display:flex;flex-wrap:wrap;gap:.25rem 1rem;justify-content:space-between;
align-items:baseline;border-top:1px solid var(--line);padding:.7rem 0}
.money{font-variant-numeric:tabular-nums;font-weight:600}
"""
