// What does the demonstration say, and did everything hold that Quartet promises?

import { availableParallelism, loadavg } from 'node:os';

export class Report {
  private readonly broken: string[] = [];
  private steps = 0;

  /** Begins a part of the demonstration. */
  step(title: string): void {
    console.log(`\n${++this.steps}. ${title}`);
  }

  say(line: string): void {
    console.log(`   ${line}`);
  }

  /** Something that must be so: says whether it is. */
  promise(what: string, isKept: boolean): void {
    console.log(`   ${isKept ? '✓' : '✗'} ${what}`);
    if (!isKept) this.broken.push(what);
  }

  /** Rows of equal length, the first one the heading. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    for (const row of rows)
      this.say(
        row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd(),
      );
  }

  /** @returns the exit code of the process */
  finish(): number {
    if (this.broken.length === 0) {
      console.log('\nEverything held.');
      return 0;
    }
    console.error(`\nThis did not hold:\n${this.broken.map((what) => `  ✗ ${what}`).join('\n')}`);
    const [load, cores] = [loadavg()[0]!, availableParallelism()];
    if (load > cores)
      console.error(`The machine is busy (load ${load.toFixed(1)} on ${cores} cores), which costs time.`);
    return 1;
  }
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The value below which this part of the sorted values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}
