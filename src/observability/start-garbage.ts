// Who collects what a start leaves? A replica is told not to collect because there seems to be time for it (docs/adr/0025): what
// it took to load modules and read the log would stay until the heap has grown to several times as much.

/**
 * Collects all garbage, and gives the memory back. Stops the process for some 60 ms, so it is for once. Node has no other way
 * that is the same in all its releases and asks for no option: `gc` of Node 20 keeps the memory. A Node that was built without
 * its inspector does without.
 */
export async function collectStartGarbage(): Promise<void> {
  const inspector = await import('node:inspector').catch(() => undefined);
  if (inspector === undefined) return;
  const session = new inspector.Session();
  session.connect();
  // One that fails collects nothing; a replica is right without.
  await new Promise<void>((resolve) => session.post('HeapProfiler.collectGarbage', () => resolve()));
  session.disconnect();
}
