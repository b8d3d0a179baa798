/** How a story's page looks: one set of rules for light and for dark. */
export const STORY_STYLE = `
:root {
  --paper: #fbfaf8; --ink: #22252a; --faint: #7b8087; --rule: #dcdad5; --box: #fff;
  --host: #0b7285; --guest: #3b4a9c; --user: #2b8a3e; --scenario: #495057; --race: #d9480f; --bad: #c92a2a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181c; --ink: #e4e6e9; --faint: #8b9199; --rule: #33373d; --box: #1d2025;
    --host: #4fc3d9; --guest: #a5b1f7; --user: #7fd18c; --scenario: #c3c8ce; --race: #ff9f57; --bad: #ff7b72;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 88rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { margin: .1rem 0; font-size: 1.7rem; color: var(--bad); overflow-wrap: anywhere; }
h2 { margin: 0 0 .4rem; font-size: 1.05rem; }
p { margin: 0; overflow-wrap: anywhere; }
.about { color: var(--ink); font-weight: 600; }
.about span, .often { color: var(--faint); font-weight: 400; }
.text { font-size: 1.1rem; }
.often { margin-top: .3rem; }
.race { margin: 1.4rem 0; padding: .9rem 1.1rem; border-left: 4px solid var(--race); background: var(--box); border-radius: 0 6px 6px 0; }
.race.none { border-color: var(--faint); }
.race ul { margin: 0 0 .5rem; padding: 0; list-style: none; font-family: ui-monospace, monospace; font-size: .85rem; }
.race li { overflow-wrap: anywhere; }
.race li b { color: var(--race); font-size: 1.05rem; }
.help { margin-top: .3rem; }
.lanes { display: grid; align-items: start; font-size: .87rem; }
.name { position: sticky; top: 0; z-index: 3; align-self: stretch; display: flex; align-items: end; padding: .5rem .4rem .45rem 0;
  margin-bottom: .4rem; background: var(--paper); border-bottom: 2px solid; font-weight: 600; overflow-wrap: anywhere; }
.guide { border-left: 2px solid; opacity: .28; justify-self: start; align-self: stretch; }
.host { color: var(--host); } .guest { color: var(--guest); } .user { color: var(--user); }
.scenario, .clock { color: var(--scenario); }
.time, .number { color: var(--faint); font: .78rem/1.65 ui-monospace, monospace; text-align: right; padding-right: .7rem; }
.number { padding-right: 1.1rem; }
.step { position: relative; z-index: 1; padding: .06rem 0 .06rem .85rem; }
.step::before { content: ''; position: absolute; left: -.3rem; top: .42rem; width: .72rem; height: .72rem; border-radius: 50%;
  background: currentColor; border: 2px solid var(--paper); }
.step span, .step b, .step em, .aside span { background: var(--paper); box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.step span { color: var(--ink); }
.step b { font-weight: 600; }
.step em { color: var(--race); font-style: normal; font-size: .8rem; padding-left: .3rem; }
.step .operation { font-family: ui-monospace, monospace; font-size: .82rem; }
.step .alarm, .step .finding, .aside.alarm, .aside.finding { color: var(--bad); }
.step.first::before, .step.second::before { display: grid; place-items: center; left: -.62rem; top: .1rem; width: 1.35rem; height: 1.35rem;
  background: var(--race); color: var(--paper); font: 700 .8rem/1 system-ui, sans-serif; }
.step.first::before { content: '1'; } .step.second::before { content: '2'; }
.step.first, .step.second { padding-left: 1.15rem; }
.step.first .operation, .step.second .operation { color: var(--race); font-weight: 600; }
.step.found::before { background: var(--bad); border-radius: 2px; transform: rotate(45deg); }
.step.since::before { background: var(--paper); border-color: var(--bad); border-radius: 2px; transform: rotate(45deg); }
.step.preempts::before { box-shadow: 0 0 0 2px var(--race); }
.aside { z-index: 1; padding: .12rem 0; font-weight: 600; color: var(--scenario); }
.aside.alarm { font-weight: 400; }
.fold { z-index: 1; padding-left: .85rem; color: var(--faint); }
.fold summary { cursor: pointer; font-size: .8rem; width: fit-content; background: var(--paper); }
.fold table { margin: .2rem 0 .5rem; border-collapse: collapse; background: var(--box); font: .78rem/1.5 ui-monospace, monospace; }
.fold td { padding: 0 .6rem; border: solid var(--rule); border-width: 1px 0; vertical-align: top; overflow-wrap: anywhere; }
.fold td:not(:last-child) { white-space: nowrap; }
.turn { z-index: 1; height: 0; margin: .72rem 0 0 .1rem; border-top: 2px solid var(--race); position: relative; }
.turn::after { content: ''; position: absolute; top: -.4rem; border: .34rem solid transparent; }
.turn.right { margin-right: .35rem; }
.turn.right::after { right: -.3rem; border-left-color: var(--race); }
.turn.left::after { left: .2rem; border-right-color: var(--race); }
.link { align-self: stretch; margin: .8rem 0 -.06rem; border: 0 dashed var(--race); border-bottom-width: 2px; }
.link.right { border-left-width: 2px; }
.link.left { border-right-width: 2px; }
footer { margin-top: 1.6rem; padding-top: .8rem; border-top: 1px solid var(--rule); color: var(--faint); }
pre { margin: .3rem 0 .8rem; padding: .6rem .8rem; background: var(--box); color: var(--ink); border: 1px solid var(--rule); border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.5 ui-monospace, monospace; user-select: all; }
@media print { .name { position: static; } }
`;
