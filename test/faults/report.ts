// How is a failure told? By what was found, the faults in the order in which they struck, and for each key concerned all
// that was asked and answered: enough to see which answer was the first wrong one.

import type { History, Read, Write } from './history.js';
import { Ledger, type Finding } from './ledger.js';
import { seenIn } from './token.js';
import type { Outcome } from './torture.js';

const FINDINGS_MAX = 12;
const KEYS_MAX = 2;

export function describeFindings(outcome: Outcome): string {
  const { findings, history } = outcome;
  const keys = [...new Set(findings.map(({ key }) => key).filter((key) => key !== ''))];
  const left = findings.length - FINDINGS_MAX;
  return [
    `${findings.length} findings:`,
    ...findings.slice(0, FINDINGS_MAX).map((finding) => `  ${describeFinding(finding)}`),
    ...(left > 0 ? [`  and ${left} more`] : []),
    '',
    'What was done:',
    ...describeTimeline(outcome),
    ...keys.slice(0, KEYS_MAX).flatMap((key) => ['', `The history of ${key}:`, ...describeKey(history, key)]),
  ].join('\n');
}

export function describeTimeline({ timeline }: Outcome): string[] {
  return timeline.map(({ atMs, text }) => `  ${time(atMs)}  ${text}`);
}

export function describeFinding({ invariant, key, message }: Finding): string {
  return `${invariant}${key === '' ? '' : ` (${key})`}: ${message}`;
}

function describeKey(history: History, key: string): string[] {
  const ledger = new Ledger(history);
  const known = (token: string | undefined): string =>
    token === undefined ? '?' : ledger.names(key, ledger.covered(key, seenIn(token)));
  const line = (event: Read | Write): string => {
    const where = `${time(event.beganAtMs)} to ${time(event.endedAtMs)}  ${event.client} at ${event.replica}/${event.disk}`;
    if (event.kind === 'read') {
      const shown = event.siblings.map(({ dot, value }) => `${dot}=${value}`).join(' ');
      return `  ${where} reads ${shown || 'nothing'}, knowing ${known(event.token)}`;
    }
    const what = event.value === undefined ? 'deletes' : `writes ${event.value}`;
    const how = event.context === undefined ? 'unseen' : `having seen ${known(event.context)}`;
    const dot = ledger.dotOf(event) ?? 'no dot';
    return `  ${where} ${what}, ${how}: ${event.outcome}, ${dot}, ${event.acks} have it, knowing ${known(event.told)}`;
  };
  return [...history.events, ...history.finalReads]
    .filter((event) => event.key === key)
    .sort((a, b) => a.beganAtMs - b.beganAtMs)
    .map(line);
}

function time(ms: number): string {
  return (ms / 1000).toFixed(3).padStart(8);
}
