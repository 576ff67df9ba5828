// What do the figures of growth look like? A table and a plot for each thing that grows.

import { number } from '../../demo/report.js';
import type { Panel } from '../chart.js';
import { describeCores } from '../cores.js';
import { GENERATOR } from '../generators/generate.js';
import { newestNode } from '../targets/node-binaries.js';
import type { Measured } from './point.js';

export function markdown(measured: readonly Measured[], seconds: number, plot: string): string {
  return `# How costs grow

One thing grows at a time. To repeat it:

    npm run bench:scale

- ${describeCores()}, Node ${newestNode().version}, ${new Date().toISOString().slice(0, 10)}
- The generator: ${GENERATOR}. Each figure, but those of keys, is of one measurement of ${seconds} s, so that only what differs by much means
  something

![How costs grow](${plot})

${measured.map(section).join('\n\n')}
`;
}

function section({ axis, points }: Measured): string {
  const columns = Object.keys(points[0]!.figures);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `## ${axis.title}`,
    '',
    axis.note,
    '',
    line([axis.xTitle, ...columns]),
    `|${'--:|'.repeat(columns.length + 1)}`,
    ...points.map(({ x, figures }) => line([number(x), ...columns.map((column) => shown(figures[column]!))])),
  ].join('\n');
}

/** Of an axis of ratios, zero has no place on the logarithmic scale, and stands in the table alone. */
export function panels(measured: readonly Measured[]): readonly Panel[] {
  return measured.map(({ axis: { title, xTitle, plotted }, points }) => ({
    title,
    xTitle,
    curves: plotted.map((name) => ({
      name,
      points: points.filter(({ x }) => x > 0).map(({ x, figures }) => [x, figures[name]!] as const),
    })),
  }));
}

function shown(value: number): string {
  return value >= 100 ? number(value) : value.toFixed(value >= 10 ? 1 : 2);
}
