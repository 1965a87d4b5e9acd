/** The report's style sheet: one set of variables for light and one for dark; every chart is drawn with them. */
export const style = `
:root{color-scheme:light dark;--text:#1f2328;--back:#f6f8fa;--card:#fff;--quiet:#59636e;--line:#d1d9e0;--good:#1a7f37;--bad:#cf222e;--warn:#9a6700;--soft:#0969da;
--succeeded:#2da44e;--failed:#cf222e;--stopped:#8c959f;--running:#0969da;
--c0:#0969da;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df;--c4:#bf3989;--c5:#7d4e00;--c6:#1b7c83;--c7:#57606a}
@media screen and (prefers-color-scheme:dark){:root{--text:#e6edf3;--back:#0d1117;--card:#151b23;--quiet:#9198a1;--line:#3d444d;--good:#3fb950;--bad:#f85149;--warn:#d29922;--soft:#4493f8;
--succeeded:#3fb950;--failed:#f85149;--stopped:#848d97;--running:#4493f8;
--c0:#4493f8;--c1:#f0883e;--c2:#3fb950;--c3:#a371f7;--c4:#f778ba;--c5:#d4a72c;--c6:#39c5cf;--c7:#9198a1}}
*{box-sizing:border-box}
body{margin:0;font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--text);background:var(--back);-webkit-text-size-adjust:100%}
main{max-width:1080px;margin:0 auto;padding:1.25rem 1rem 3rem}
h1{font-size:1.55rem;line-height:1.25;margin:.4rem 0 .6rem}h2{font-size:1.2rem;margin:0 0 .8rem}h3{font-size:1rem;margin:1.2rem 0 .4rem}
section,header{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.1rem 1.25rem;margin:0 0 1rem}
p{margin:.4rem 0}.quiet,figcaption{color:var(--quiet);font-size:.875rem}.wrap{overflow-wrap:anywhere}
a{color:var(--soft)}a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--soft);outline-offset:2px;border-radius:.2rem}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.3rem .6rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.8rem 0 0;padding:0;font-size:.9rem}
.badge{display:inline-block;color:#fff;padding:.1rem .65rem;border-radius:1rem;font-weight:600;font-size:.85rem;letter-spacing:.02em}
.badge.good{background:#1a7f37;color:#fff}.badge.bad{background:#cf222e;color:#fff}.badge.live{background:#0969da}.badge.off{background:#59636e}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:.75rem;margin:1rem 0 0}
.tile{border:1px solid var(--line);border-radius:.5rem;padding:.55rem .8rem}.tile dt{color:var(--quiet);font-size:.8rem}.tile dd{margin:0;font-size:1.3rem;font-weight:600;line-height:1.3}
.tile small{display:block;font-size:.78rem;font-weight:400;color:var(--quiet)}
.failure{border-color:var(--bad);border-width:2px}.failure h2,.bad{color:var(--bad)}.good{color:var(--good)}.warn{color:var(--warn)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.82rem;margin:.5rem 0;max-height:22rem;overflow:auto}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.925rem}th,td{text-align:left;vertical-align:top;padding:.4rem .7rem .4rem 0;border-bottom:1px solid var(--line);overflow-wrap:break-word}.any{overflow-wrap:anywhere}
thead th{color:var(--quiet);font-weight:500;font-size:.82rem}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{display:block;height:.4rem;border-radius:.2rem;background:var(--line);margin-top:.25rem;min-width:5rem}.bar i{display:block;height:100%;border-radius:.2rem;background:var(--soft)}
figure{margin:0}figcaption{margin-top:.3rem}.chart svg{display:block;width:100%;height:auto}.narrow{display:none}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:1.2rem 1.5rem;align-items:start}
.legend{display:flex;flex-wrap:wrap;gap:.15rem .9rem;list-style:none;margin:.2rem 0 .4rem;padding:0;font-size:.82rem;color:var(--quiet)}
.legend i{display:inline-block;width:1.3rem;height:0;border-top:3px solid;vertical-align:middle;margin-right:.35rem}.legend i.dash{border-top-style:dashed}
.legend b{display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;vertical-align:-.05rem;margin-right:.35rem}
.heat{width:auto;font-size:.82rem;border-collapse:separate;border-spacing:2px;table-layout:fixed}
.heat th,.heat td{border:0;padding:0;overflow-wrap:normal}.heat td{width:2.15rem;height:2.15rem;text-align:center;vertical-align:middle;border-radius:.25rem;font-variant-numeric:tabular-nums;
background:color-mix(in srgb,var(--soft) calc(var(--s)*70%),var(--card));box-shadow:inset 0 0 0 1px var(--line)}
.heat td.right{background:color-mix(in srgb,var(--good) calc(var(--s)*55%),var(--card))}.heat td.wrong{background:color-mix(in srgb,var(--bad) calc(var(--s)*75% + 8%),var(--card))}
.heat tbody th{font-weight:400;padding-right:.5rem;text-align:right;vertical-align:middle;white-space:nowrap;max-width:11rem;overflow:hidden;text-overflow:ellipsis}
.heat thead th{height:7.5rem;vertical-align:bottom;font-weight:400;color:var(--text)}.heat thead th span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap;max-height:9.5rem;overflow:hidden;text-overflow:ellipsis}
details{margin:.6rem 0 0}summary{cursor:pointer;color:var(--quiet);font-size:.9rem}
.pages{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:1rem}.page{border:1px solid var(--line);border-radius:.5rem;overflow:hidden}
.page img,.page .none{display:block;width:100%;aspect-ratio:3/4;object-fit:contain;background:#fff;border-bottom:1px solid var(--line)}
.page .none{display:grid;place-items:center;background:var(--back);color:var(--quiet);font-size:.8rem}.page figcaption{padding:.5rem .65rem .6rem;margin:0;overflow-wrap:anywhere}
.page figcaption b:not(.bad){color:var(--text)}
.workflow svg{display:block;height:auto;margin:.5rem auto}.workflow.path svg{max-width:100%;min-width:600px}.workflow text{fill:var(--text)}.workflow .edge path{fill:none;stroke:var(--quiet)}
.workflow .edge polygon{fill:var(--quiet);stroke:var(--quiet)}.workflow .node polygon,.workflow .node path,.workflow .node ellipse,.workflow .node polyline{fill:var(--card);stroke:var(--stopped)}
.workflow .node text{fill:var(--quiet)}.workflow .cluster path,.workflow .cluster polygon{fill:none;stroke:var(--line)}.workflow .graph>polygon{fill:none;stroke:none}
.workflow .succeeded path,.workflow .succeeded polygon,.workflow .succeeded polyline{stroke:var(--succeeded);stroke-width:2}
.workflow .failed path,.workflow .failed polygon,.workflow .failed polyline{stroke:var(--failed);stroke-width:2.5}
.workflow .running path,.workflow .running polygon,.workflow .running polyline{stroke:var(--running);stroke-width:2.5}
.workflow .succeeded text,.workflow .failed text,.workflow .running text,.workflow .stopped text{fill:var(--text)}
@media (max-width:640px){main{padding:.6rem .5rem 2rem}section,header{padding:.9rem .8rem;border-radius:.6rem}h1{font-size:1.3rem}.wide{display:none}.narrow{display:block}
.heat{font-size:.72rem;border-spacing:1px;width:100%}.heat td{width:auto;height:1.75rem}.heat thead td{width:6.4rem;height:auto}.heat tbody th{max-width:none;padding-right:.3rem}.heat thead th{height:7rem}
.stack thead{display:none}.stack tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}.stack th,.stack td,.stack td.n{display:block;border:0;padding:.1rem 0;text-align:left;white-space:normal}
.stack td[data-head]::before{content:attr(data-head) ": ";color:var(--quiet);font-size:.82rem}.pages{grid-template-columns:repeat(2,1fr);gap:.6rem}}
@media print{body{background:#fff;font-size:11pt}main{max-width:none;padding:0}section,header{border:0;border-bottom:1px solid #ccc;border-radius:0;padding:.6rem 0;break-inside:auto}nav,.skip{display:none}
figure,tr,.tile{break-inside:avoid}.scroll{overflow:visible}pre{max-height:none;overflow:visible}.workflow svg{max-width:100%;max-height:24cm}.heat td,.bar,.bar i,.badge,.legend b{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`.replace(/\n/g, "");
