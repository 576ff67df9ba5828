// How do figures look? Bars for what is compared, curves for what grows.

const COLORS = ['#0550ae', '#bf3989', '#bc4c00', '#1a7f37', '#8250df', '#57606a', '#0969da', '#953800'];
const FONT = 'font-family="sans-serif" font-size="12"';

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** What stands at its end. */
  readonly text: string;
  /** Bars of one color belong together. */
  readonly color: number;
}

export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const BAR = { height: 16, gap: 5, label: 210, width: 420, end: 130, title: 30 } as const;

/** Horizontal bars in groups, each group with a scale of its own that begins at zero. */
export function barChart(groups: readonly BarGroup[]): string {
  const width = BAR.label + BAR.width + BAR.end;
  const parts: string[] = [];
  let y = 10;
  for (const { title, bars } of groups) {
    parts.push(text(BAR.label, y + 14, 'start', title, ' font-weight="bold"'));
    y += BAR.title - 6;
    const most = Math.max(...bars.map(({ value }) => value));
    for (const { label, value, text: end, color } of bars) {
      const length = Math.max(1, (value / most) * BAR.width);
      parts.push(
        text(BAR.label - 8, y + 12, 'end', label),
        `<rect x="${BAR.label}" y="${y}" width="${length.toFixed(1)}" height="${BAR.height}" fill="${COLORS[color]}"/>`,
        text(BAR.label + length + 6, y + 12, 'start', end),
      );
      y += BAR.height + BAR.gap;
    }
    y += 12;
  }
  return svg(width, y, parts);
}

export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly xTitle: string;
  readonly curves: readonly Curve[];
}

const PANEL = { width: 300, height: 220, left: 70, top: 36, gap: 90, columns: 2 } as const;

/** Curves over a logarithmic x axis; y begins at zero. */
export function curveChart(panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / PANEL.columns);
  const legendLines = Math.max(...panels.map(({ curves }) => curves.length));
  const step = { x: PANEL.width + PANEL.gap, y: PANEL.height + PANEL.top + 60 + legendLines * 16 };
  const parts = panels.flatMap((panel, place) =>
    drawPanel(
      panel,
      PANEL.left + (place % PANEL.columns) * step.x,
      PANEL.top + Math.floor(place / PANEL.columns) * step.y,
    ),
  );
  return svg(PANEL.left + Math.min(panels.length, PANEL.columns) * step.x, rows * step.y + 10, parts);
}

function drawPanel({ title, xTitle, curves }: Panel, left: number, top: number): string[] {
  const points = curves.flatMap((curve) => curve.points);
  const xs = points.map(([x]) => Math.log10(x));
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  const most = niceCeiling(Math.max(...points.map(([, y]) => y)));
  const bottom = top + PANEL.height;
  const placeX = (x: number): number => left + ((Math.log10(x) - from) / Math.max(to - from, 0.1)) * PANEL.width;
  const placeY = (y: number): number => bottom - (y / most) * PANEL.height;
  const marks = [...new Set(points.map(([x]) => x))].sort((one, other) => one - other);
  const shown = marks.length <= 7 ? marks : marks.filter((_, i) => i % 2 === 0);
  return [
    text(left + PANEL.width / 2, top - 14, 'middle', title, ' font-weight="bold"'),
    ...shown.map((x) => text(placeX(x), bottom + 16, 'middle', short(x))),
    text(left + PANEL.width / 2, bottom + 34, 'middle', xTitle),
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((part) => [
      `<line x1="${left}" x2="${left + PANEL.width}" y1="${placeY(most * part)}" y2="${placeY(most * part)}" stroke="#d0d7de"/>`,
      text(left - 6, placeY(most * part) + 4, 'end', short(most * part)),
    ]),
    ...curves.flatMap(({ name, points: own }, line) => [
      `<polyline fill="none" stroke="${COLORS[line]}" stroke-width="2" points="${own.map(([x, y]) => `${placeX(x).toFixed(1)},${placeY(y).toFixed(1)}`).join(' ')}"/>`,
      ...own.map(
        ([x, y]) => `<circle cx="${placeX(x).toFixed(1)}" cy="${placeY(y).toFixed(1)}" r="3" fill="${COLORS[line]}"/>`,
      ),
      `<line x1="${left}" x2="${left + 24}" y1="${bottom + 48 + line * 16}" y2="${bottom + 48 + line * 16}" stroke="${COLORS[line]}" stroke-width="2"/>`,
      text(left + 30, bottom + 52 + line * 16, 'start', name),
    ]),
  ];
}

function svg(width: number, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ${FONT}>
<rect width="${width}" height="${height}" fill="white"/>
${parts.join('\n')}
</svg>
`;
}

function text(x: number, y: number, anchor: string, words: string, more = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${more}>${escaped}</text>`;
}

function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 4, 5, 8, 10].map((factor) => factor * power).find((candidate) => candidate >= value)!;
}

function short(value: number): string {
  if (value >= 1e6) return `${+(value / 1e6).toFixed(2)} M`;
  if (value >= 1e3) return `${+(value / 1e3).toFixed(2)} k`;
  return String(+value.toFixed(2));
}
