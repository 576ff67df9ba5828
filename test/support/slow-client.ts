// How does a test play a client that takes what it gets at its own pace, and never ends to take it?

import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** Takes about so many bytes every `everyMs`. @returns how many came; rejects when the server cuts the connection */
export async function takeSlowly(url: string, pace: { bytes: number; everyMs: number }): Promise<number> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject);
  });
  let taken = 0;
  let rests = 1;
  for await (const chunk of response) {
    taken += (chunk as Buffer).length;
    if (taken < rests * pace.bytes) continue;
    rests++;
    await pause(pace.everyMs);
  }
  return taken;
}
