// How do bytes of a repair grow with the number of keys? Two plots side by side, one for few and one for many keys that
// differ; both axes are logarithmic.

import { DESIGNS } from './merkle.js';
import type { Repair } from './repair.js';

export interface Comparison {
  readonly repair: Repair;
  /** Of each design, in their order. */
  readonly merkle: readonly number[];
}

interface Point {
  readonly keys: number;
  readonly bytes: number;
}

const PANEL = { width: 330, height: 260, left: 70, top: 40, gap: 70 } as const;
const COLORS = ['#0550ae', '#bf3989', '#bc4c00', '#57606a'];
const NAMES = ['Quartet', ...DESIGNS.map(({ name }) => `Merkle, ${name}`)];
const LEGEND_TOP = PANEL.top + PANEL.height + 50;

/** @param differing one panel for each */
export function plot(comparisons: readonly Comparison[], differing: readonly number[]): string {
  const panels = differing.map((count) => comparisons.filter(({ repair }) => repair.differing === count));
  const shown = panels.flat();
  const scale = {
    x: range(shown.map(({ repair }) => repair.keys)),
    y: range(shown.flatMap(({ repair, merkle }) => [repair.bytes, ...merkle])),
  };
  const width = PANEL.left + differing.length * (PANEL.width + PANEL.gap);
  const height = LEGEND_TOP + NAMES.length * 18 + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="white"/>
${panels.map((panel, place) => draw(panel, differing[place]!, place, scale)).join('\n')}
${NAMES.map(legend).join('\n')}
</svg>
`;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Powers of ten around the values, as their exponents. */
function range(values: readonly number[]): Range {
  return { from: Math.floor(Math.log10(Math.min(...values))), to: Math.ceil(Math.log10(Math.max(...values))) };
}

function draw(panel: readonly Comparison[], count: number, place: number, scale: { x: Range; y: Range }): string {
  const left = PANEL.left + place * (PANEL.width + PANEL.gap);
  const bottom = PANEL.top + PANEL.height;
  const x = (keys: number): number => left + part(keys, scale.x) * PANEL.width;
  const y = (bytes: number): number => bottom - part(bytes, scale.y) * PANEL.height;
  const series = NAMES.map((_, line) =>
    panel.map(({ repair, merkle }): Point => ({
      keys: repair.keys,
      bytes: line === 0 ? repair.bytes : merkle[line - 1]!,
    })),
  );
  return [
    `<text x="${left + PANEL.width / 2}" y="20" text-anchor="middle" font-weight="bold">Bytes, ${count.toLocaleString('en')} keys differ</text>`,
    ...powers(scale.x).map((keys) => gridLine(x(keys), PANEL.top, x(keys), bottom)),
    ...powers(scale.x).map((keys) => label(x(keys), bottom + 18, 'middle', keys.toLocaleString('en'))),
    ...powers(scale.y).map((bytes) => gridLine(left, y(bytes), left + PANEL.width, y(bytes))),
    ...powers(scale.y).map((bytes) => label(left - 6, y(bytes) + 4, 'end', shortly(bytes))),
    label(left + PANEL.width / 2, bottom + 36, 'middle', 'keys in all'),
    ...series.map((points, line) =>
      curve(
        points.map(({ keys, bytes }) => [x(keys), y(bytes)]),
        line,
      ),
    ),
  ].join('\n');
}

function curve(points: readonly (readonly [number, number])[], line: number): string {
  const dash = line === 0 ? '' : ' stroke-dasharray="5 3"';
  const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  const dots = points.map(
    ([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="${COLORS[line]}"/>`,
  );
  return `<polyline points="${path}" fill="none" stroke="${COLORS[line]}" stroke-width="2"${dash}/>${dots.join('')}`;
}

function legend(name: string, line: number): string {
  const y = LEGEND_TOP + line * 18;
  const dash = line === 0 ? '' : ' stroke-dasharray="5 3"';
  const x = PANEL.left;
  return `<line x1="${x}" y1="${y}" x2="${x + 30}" y2="${y}" stroke="${COLORS[line]}" stroke-width="2"${dash}/>${label(x + 38, y + 4, 'start', name)}`;
}

function gridLine(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#d0d7de"/>`;
}

function label(x: number, y: number, anchor: string, text: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${text.replaceAll('<', '&lt;')}</text>`;
}

function part(value: number, { from, to }: Range): number {
  return (Math.log10(value) - from) / Math.max(1, to - from);
}

function powers({ from, to }: Range): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, place) => 10 ** (from + place));
}

function shortly(bytes: number): string {
  if (bytes >= 1e6) return `${bytes / 1e6} MB`;
  return bytes >= 1e3 ? `${bytes / 1e3} kB` : `${bytes} B`;
}
