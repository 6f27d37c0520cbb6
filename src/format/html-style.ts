/** How an exported page looks: light and dark, a list of prompts at the side, on paper everything in one column. */

/** CSS; constant, so that nothing of a session is in it. */
export const htmlStyle = `
:root{color-scheme:light dark;--page:#fff;--soft:#f6f7f9;--line:#d8dce2;--text:#1b1f24;--dim:#5b6570;--live:#2f6fde;--user:#eef4ff;--ins:#dcf5e3;--del:#fde4e2;--error:#b42318}
@media (prefers-color-scheme:dark){:root{--page:#14171b;--soft:#1c2026;--line:#343b45;--text:#e4e7eb;--dim:#9aa5b1;--live:#6ea3ff;--user:#18243a;--ins:#123820;--del:#451a18;--error:#ff9c92}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:82rem;display:grid;grid-template-columns:17rem minmax(0,1fr);font:16px/1.55 system-ui,sans-serif;background:var(--page);color:var(--text)}
main{grid-column:2;grid-row:1;padding:1.5rem 2rem 6rem;min-width:0}
nav{grid-column:1;grid-row:1;position:sticky;top:0;max-height:100vh;overflow:auto;align-self:start;padding:1.5rem 1rem;font-size:.875rem;border-right:1px solid var(--line)}
nav h2{margin:0 0 .5rem;font-size:.875rem;color:var(--dim)}
nav ol{margin:0;padding-left:1.6rem}
nav li{margin:.35rem 0;overflow-wrap:anywhere}
a{color:inherit;text-decoration:none}
nav a:hover,p a,a:focus-visible,article h2 a:hover{text-decoration:underline}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem;overflow-wrap:anywhere}
dl{margin:0}
header dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.4rem 1.5rem;padding:1rem;background:var(--soft);border:1px solid var(--line);border-radius:.5rem}
dt{font-size:.75rem;color:var(--dim)}
dd{margin:0;overflow-wrap:anywhere}
.note,.when{font-size:.8125rem;color:var(--dim)}
.when{margin:.1rem 0 .5rem}
article{margin:1rem 0;padding:.6rem 1rem;border:1px solid var(--line);border-left:4px solid transparent;border-radius:.5rem;content-visibility:auto;contain-intrinsic-size:auto 8rem;scroll-margin-top:1rem}
article.user{background:var(--user)}
article.live{border-left-color:var(--live)}
article:target{outline:2px solid var(--live)}
article h2{margin:0;font-size:.9375rem}
article h2 em{font-weight:400;font-size:.8125rem;color:var(--dim);border:1px solid var(--line);border-radius:.25rem;padding:0 .35rem}
.prose{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}
pre,code{font:.8125rem/1.5 ui-monospace,SFMono-Regular,Consolas,monospace}
code{background:var(--soft);border-radius:.25rem;padding:.05rem .25rem;overflow-wrap:anywhere}
pre{margin:.5rem 0;padding:.6rem .8rem;background:var(--soft);border-radius:.375rem;overflow:auto;max-height:40rem;tab-size:4}
details{margin:.4rem 0}
summary{cursor:pointer;overflow-wrap:anywhere}
.thinking{color:var(--dim)}
.error>summary strong{color:var(--error)}
.summary{border-left:3px solid var(--line);padding-left:.8rem}
.part{border-left:3px solid var(--line);padding-left:.8rem;margin:1rem 0 1rem 1rem}
.part>summary{font-weight:600}
.diff>*{display:inline-block;min-width:100%;text-decoration:none;font-weight:400}
.diff>ins{background:var(--ins)}
.diff>del{background:var(--del)}
.diff>b{color:var(--dim)}
figure{margin:.5rem 0}
img{max-width:100%;height:auto;border-radius:.375rem;border:1px solid var(--line)}
@media (max-width:60rem){body{display:block}nav{position:static;max-height:none;border-right:0;border-top:1px solid var(--line)}main{padding:1rem 1rem 2rem}}
@media print{body{display:block}nav{display:none}pre{max-height:none;white-space:pre-wrap}article{content-visibility:visible}}
`;
