/** A point of a curve; null: it is out of the picture (a wallet that nothing uses up). */
export interface Point {
  readonly day: number;
  readonly value: number | null;
}

export interface Mark {
  readonly day: number;
  readonly lane: string;
  readonly text: string;
}

export interface Span {
  readonly from: number;
  readonly until: number;
  readonly kind: 'grace' | 'suspended' | 'outage';
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** For who does not see it. */
  readonly description: string;
  readonly unit: (value: number) => string;
  readonly points: readonly Point[];
  /** A balance stays until it changes; a runway is only known where it was asked for. */
  readonly isStepped: boolean;
  readonly spans: readonly Span[];
  readonly limit: { readonly value: number; readonly text: string } | null;
}

const WIDTH = 960;
const HEIGHT = 260;
const LEFT = 64;
const RIGHT = 16;
const TOP = 16;
const BOTTOM = 28;
const LANE = 26;
const LINES = 4;

interface Scale {
  readonly x: (day: number) => string;
  readonly y: (value: number) => string;
  readonly top: number;
}

const fixed = (value: number): string => value.toFixed(1);

function scaleOf(days: number, highest: number): Scale {
  const step = niceStep(highest / LINES);
  const top = Math.max(step, Math.ceil(highest / step) * step);
  return {
    x: (day) => fixed(LEFT + (Math.min(Math.max(day, 0), days) / days) * (WIDTH - LEFT - RIGHT)),
    y: (value) => fixed(TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)),
    top,
  };
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 0.01)));
  return power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10);
}

/** A curve over the days, as one SVG that needs nothing beside it; its colours are the page's. */
export function chart({ days, monthDays }: { readonly days: number; readonly monthDays: number }, of: Chart): string {
  const values = of.points.flatMap(({ value }) => (value === null ? [] : [value]));
  const scale = scaleOf(days, Math.max(...values, 1));
  const step = niceStep(Math.max(...values, 1) / LINES);
  const levels = Array.from({ length: Math.round(scale.top / step) + 1 }, (_, index) => index * step);
  const months = Array.from({ length: Math.round(days / monthDays) }, (_, index) => index);
  return `<svg id="${of.id}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${of.id}-title ${of.id}-desc">
<title id="${of.id}-title">${escaped(of.title)}</title><desc id="${of.id}-desc">${escaped(of.description)}</desc>
${of.spans.map((span) => spanOf(span, scale)).join('\n')}
${levels.map((level) => `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${scale.y(level)}" y2="${scale.y(level)}"/><text class="label" x="${LEFT - 8}" y="${scale.y(level)}" text-anchor="end" dominant-baseline="middle">${escaped(of.unit(level))}</text>`).join('\n')}
${months.map((month) => `<line class="tick" x1="${scale.x(month * monthDays)}" x2="${scale.x(month * monthDays)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text class="label" x="${scale.x((month + 0.5) * monthDays)}" y="${HEIGHT - 8}" text-anchor="middle">${month + 1}</text>`).join('\n')}
${of.limit === null ? '' : `<line class="limit" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${scale.y(of.limit.value)}" y2="${scale.y(of.limit.value)}"/><text class="label" x="${WIDTH - RIGHT - 4}" y="${Number(scale.y(of.limit.value)) - 5}" text-anchor="end">${escaped(of.limit.text)}</text>`}
<path class="curve" d="${pathOf(of, scale)}"/>
</svg>`;
}

const spanOf = ({ from, until, kind }: Span, { x }: Scale): string =>
  `<rect class="${kind}" x="${x(from)}" width="${fixed(Number(x(until)) - Number(x(from)))}" y="${TOP}" height="${HEIGHT - TOP - BOTTOM}"><title>${kind}, ${fixed(until - from)} days</title></rect>`;

function pathOf({ points, isStepped }: Chart, { x, y }: Scale): string {
  let isDrawing = false;
  const parts: string[] = [];
  for (const { day, value } of points) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const step = isDrawing && isStepped ? `H${x(day)}` : '';
    parts.push(
      isDrawing ? `${step}${isStepped ? `V${y(value)}` : `L${x(day)} ${y(value)}`}` : `M${x(day)} ${y(value)}`,
    );
    isDrawing = true;
  }
  return parts.join('');
}

/** What happened, a lane for each sort of it, below the curves and on their days. */
export function lanes(
  { days, monthDays }: { readonly days: number; readonly monthDays: number },
  names: readonly string[],
  marks: readonly Mark[],
): string {
  const height = names.length * LANE + 8;
  const { x } = scaleOf(days, 1);
  const y = (lane: string): number => names.indexOf(lane) * LANE + LANE / 2;
  const months = Array.from({ length: Math.round(days / monthDays) }, (_, index) => index * monthDays);
  return `<svg id="events" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="events-title events-desc">
<title id="events-title">What happened, and when</title><desc id="events-desc">Each mark is an event of the list below.</desc>
${months.map((day) => `<line class="tick" x1="${x(day)}" x2="${x(day)}" y1="0" y2="${height}"/>`).join('\n')}
${names.map((name) => `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(name)}" y2="${y(name)}"/><text class="label" x="${LEFT - 8}" y="${y(name)}" text-anchor="end" dominant-baseline="middle">${escaped(name)}</text>`).join('\n')}
${marks.map(({ day, lane, text }) => `<circle class="mark lane-${names.indexOf(lane)}" cx="${x(day)}" cy="${y(lane)}" r="5"><title>${escaped(text)}</title></circle>`).join('\n')}
</svg>`;
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
