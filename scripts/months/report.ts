import type { Books, Month, Told } from './books.ts';
import { chart, escaped, lanes, type Mark, type Span } from './picture.ts';
import { MONTH_DAYS, MONTHS } from './story.ts';
import { dollars, type World } from './world.ts';

/** How the wallet stood at an instant. */
export interface Look {
  readonly day: number;
  /** Null: nothing uses it up. */
  readonly hours: number | null;
}

export interface Lived {
  readonly world: World;
  readonly books: Books;
  readonly looks: readonly Look[];
  readonly seed: number;
  /** What `ledger check` said. */
  readonly check: string;
}

const DAYS = { days: MONTHS * MONTH_DAYS, monthDays: MONTH_DAYS };

/** In which lane an event is shown: by the noun of its type. */
const LANES: Readonly<Record<string, string>> = {
  payment: 'Top-ups',
  plan: 'Plan',
  grant: 'Given',
  outage: 'Outages',
  vm: 'VMs',
  wallet: 'Standing',
};

/** The whole report: one file, which needs no other and asks nobody. */
export function reportOf(told: Lived): string {
  const { world, books, looks, seed, check } = told;
  const marks = books.events.flatMap((event) => markOf(world, event));
  const spans = spansOf(world, books.events);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Fourteen months of a wallet</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Fourteen months of a wallet</h1>
<p>From ${books.total.from} to ${books.total.until}, lived by a sandbox whose clock was moved. A month is ${MONTH_DAYS} days here, as long as a
period of the plan. Seed ${seed}.</p>
<h2>Balance</h2>
<p>What was paid in and is left, line by line of the statement.</p>
<div class="wide">${chart(DAYS, {
    id: 'balance',
    title: 'Balance over fourteen months',
    description: `It ends with ${dollars(books.total.balance)} USD.`,
    unit: (value) => `$${value}`,
    points: books.lines
      .filter((line, index, { [index + 1]: next }) => next?.recorded_at !== line.recorded_at)
      .map((line) => ({ day: world.dayOf(line.recorded_at), value: Number(line.balance_after) }))
      .concat({ day: DAYS.days, value: Number(dollars(books.total.balance)) }),
    isStepped: true,
    spans,
    limit: null,
  })}</div>
<h2>Runway</h2>
<p>How many days it would last: at the usage of the day before, and with each period of the plan paid. Where there is no line, nothing used it up.</p>
<div class="wide">${chart(DAYS, {
    id: 'runway',
    title: 'Runway over fourteen months',
    description: `The least was ${fewest(looks)} days.`,
    unit: (value) => `${value} d`,
    points: looks.map(({ day, hours }) => ({ day, value: hours === null ? null : hours / 24 })),
    isStepped: false,
    spans,
    limit: { value: 3, text: 'the first warning: 72 hours' },
  })}</div>
<h2>What happened</h2>
<ul class="legend"><li><i class="grace"></i> grace: a period is due</li><li><i class="suspended"></i> suspended: its VMs stand still</li><li><i class="outage"></i> a machine was down</li></ul>
<div class="wide">${lanes(DAYS, Object.values(LANES), marks)}</div>
<h2>Months</h2>
<div class="wide">${tableOf(books)}</div>
<h2>Proofs</h2>
<p>The sums of the table, and the same from other records of the service.</p>
<div class="wide"><table id="proofs"><thead><tr><th>What</th><th>Table</th><th>Elsewhere</th></tr></thead><tbody>
${books.proofs.map(({ what, table, elsewhere }) => `<tr><th scope="row">${escaped(what)}</th><td>${dollars(table)}</td><td>${dollars(elsewhere)}</td></tr>`).join('\n')}
</tbody></table></div>
<pre id="check">${escaped(check)}</pre>
<h2>All events</h2>
<details><summary>${books.events.length} events, in their order</summary><div class="wide"><table id="told"><thead><tr><th>Day</th><th>When</th><th>What</th></tr></thead><tbody>
${books.events.map((event) => `<tr><td>${world.dayOf(event.occurred_at).toFixed(2)}</td><td>${event.occurred_at.slice(0, 16).replace('T', ' ')}</td><th scope="row">${escaped(event.type)}</th></tr>`).join('\n')}
</tbody></table></div></details>
</main>
</body>
</html>
`;
}

function fewest(looks: readonly Look[]): string {
  const hours = looks.flatMap((look) => (look.hours === null ? [] : [look.hours]));
  return (Math.min(...hours) / 24).toFixed(1);
}

function markOf(world: World, event: Told): Mark[] {
  const [noun = ''] = event.type.split('.');
  const lane = LANES[noun];
  if (lane === undefined) return [];
  const day = world.dayOf(event.occurred_at);
  return [
    { day, lane, text: `${event.type}, day ${day.toFixed(1)}, ${event.occurred_at.slice(0, 16).replace('T', ' ')}` },
  ];
}

/** From what began a state to what ended it. */
function spansOf(world: World, events: readonly Told[]): Span[] {
  const spans: Span[] = [];
  const last = DAYS.days;
  for (const [index, { type, occurred_at: at }] of events.entries()) {
    const from = world.dayOf(at);
    const next = events.slice(index + 1).find((event) => ENDS[type]?.includes(event.type) === true);
    const until = next === undefined ? last : world.dayOf(next.occurred_at);
    if (type === 'wallet.grace') spans.push({ from, until, kind: 'grace' });
    if (type === 'wallet.suspended') spans.push({ from, until, kind: 'suspended' });
  }
  const [from, until] = [world.kept.get('down from'), world.kept.get('down until')];
  if (from !== undefined && until !== undefined)
    spans.push({ from: Number(from), until: Number(until), kind: 'outage' });
  return spans;
}

const ENDS: Readonly<Record<string, readonly string[]>> = {
  'wallet.grace': ['wallet.suspended', 'wallet.restored', 'wallet.released'],
  'wallet.suspended': ['wallet.restored', 'wallet.released'],
};

function tableOf({ months, total }: Books): string {
  const row = (month: Month, name: string): string =>
    `<tr><th scope="row">${name}</th><td class="days">${month.from} – ${month.until}</td>${[
      month.topUps,
      month.usage,
      month.plans,
      month.givenUsed,
      month.returned,
      month.balance,
    ]
      .map((amount) => `<td>${amount === 0n ? '<span class="nothing">–</span>' : dollars(amount)}</td>`)
      .join('')}</tr>`;
  return `<table id="months"><thead><tr><th>Month</th><th>Days</th><th>Top-ups</th><th>Usage</th><th>Plan fees</th><th>Given credit</th><th>Given back</th><th>Balance at its end</th></tr></thead>
<tbody>
${months.map((month) => row(month, String(month.number))).join('\n')}
</tbody><tfoot>
${row(total, 'All')}
</tfoot></table>`;
}

const STYLE = `
:root{color-scheme:light dark;--back:#fbfbfa;--text:#1c1c1a;--soft:#66645e;--line:#dddbd4;--curve:#1f5fbf;--grace:#f3d58a;--suspended:#eda89a;--outage:#b9b4e6}
@media (prefers-color-scheme:dark){:root{--back:#161615;--text:#eceae4;--soft:#a09d94;--line:#383733;--curve:#7fb0ff;--grace:#6b5418;--suspended:#74301f;--outage:#45407d}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:1040px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:28px;line-height:1.2;margin:16px 0 8px}h2{font-size:19px;margin:36px 0 4px}
p{margin:4px 0 12px;color:var(--soft);max-width:75ch}
svg{display:block;width:100%;min-width:720px;height:auto}
.grid,.tick{stroke:var(--line);stroke-width:1}.tick{stroke-dasharray:2 4}
.label{fill:var(--soft);font-size:12px}
.curve{fill:none;stroke:var(--curve);stroke-width:2;stroke-linejoin:round}
.limit{stroke:var(--soft);stroke-dasharray:6 4}
rect.grace{fill:var(--grace)}rect.suspended{fill:var(--suspended)}rect.outage{fill:var(--outage)}
.mark{stroke:var(--back);stroke-width:1.5;fill:var(--curve)}
.lane-1{fill:#2a8a57}.lane-2{fill:#a05fc0}.lane-3{fill:#6f69c9}.lane-4{fill:#b07914}.lane-5{fill:#c94a35}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;padding:0;margin:4px 0 12px;color:var(--soft);font-size:14px}
.legend i{display:inline-block;width:14px;height:14px;border-radius:3px;vertical-align:-2px;margin-right:4px}
.legend .grace{background:var(--grace)}.legend .suspended{background:var(--suspended)}.legend .outage{background:var(--outage)}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px;min-width:100%}
th,td{padding:6px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,th[scope=row]{text-align:left;font-weight:600}thead th{color:var(--soft);font-weight:500}td.days{text-align:left;color:var(--soft)}
thead th:nth-child(2){text-align:left}#proofs thead th:nth-child(2){text-align:right}
tfoot th,tfoot td{border-top:2px solid var(--text);border-bottom:0;font-weight:600}
.nothing{color:var(--soft)}
pre{overflow-x:auto;padding:12px;border:1px solid var(--line);border-radius:6px;font-size:13px}
summary{cursor:pointer}
`;
