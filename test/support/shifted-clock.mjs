// What does a replica do whose wall clock is wrong? Loaded before it (NODE_OPTIONS=--import), this shifts `Date` by as
// many milliseconds as the file named by SHIFTED_CLOCK_FILE says: at the start, and anew at each SIGUSR2, as when
// somebody sets the clock of a running machine. Timers are left alone: they don't follow wall time on a real one either.

import { readFileSync } from 'node:fs';

const RealDate = Date;
const file = process.env['SHIFTED_CLOCK_FILE'];
let shiftMs = 0;

function readShift() {
  try {
    shiftMs = Number(readFileSync(file, 'utf8'));
  } catch {
    // Nobody has set the clock yet.
  }
}

if (file !== undefined) {
  globalThis.Date = class Date extends RealDate {
    constructor(...parts) {
      if (parts.length === 0) super(RealDate.now() + shiftMs);
      else super(...parts);
    }

    static now() {
      return RealDate.now() + shiftMs;
    }
  };
  readShift();
  process.on('SIGUSR2', readShift);
}
