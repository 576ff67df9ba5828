// Who collects what a start leaves? A replica is told not to collect because there seems to be time for it (docs/adr/0025): what
// it took to load modules and read the log would stay until the heap has grown to several times as much.

import { Session } from 'node:inspector';

/**
 * Collects all garbage, and gives the memory back. Stops the process for some 50 ms, so it is for once. Node has no other way
 * that is the same in all its releases and asks for no option: `gc` of Node 20 keeps the memory.
 */
export async function collectStartGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await new Promise<void>((resolve, reject) => {
      session.post('HeapProfiler.collectGarbage', (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    session.disconnect();
  }
}
