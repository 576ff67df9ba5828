// How far is it? A bar on a terminal, a line now and then in a file.

import { SingleBar } from 'cli-progress';

const PLAIN_LINE_EVERY_MS = 5000;
const TITLE_WIDTH = 44;

/** Takes how much is done by now, of the total. */
export type Progress = (done: number) => void;

export async function withProgress<T>(
  title: string,
  total: number,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const { tell, stop } = process.stdout.isTTY ? bar(title, total) : lines(title, total);
  try {
    const result = await work(tell);
    tell(total);
    return result;
  } finally {
    stop();
  }
}

/** Waits, and shows it. */
export function pause(title: string, seconds: number): Promise<void> {
  return withProgress(title, seconds, async (progress) => {
    for (const startedAt = performance.now(); ;) {
      const elapsed = (performance.now() - startedAt) / 1000;
      if (elapsed >= seconds) return;
      progress(Math.floor(elapsed));
      await new Promise((resolve) => setTimeout(resolve, Math.min(500, (seconds - elapsed) * 1000)));
    }
  });
}

interface Shown {
  readonly tell: Progress;
  readonly stop: () => void;
}

function bar(title: string, total: number): Shown {
  const shown = new SingleBar({ format: `   ${title.padEnd(TITLE_WIDTH)} {bar} {percentage} % {eta_formatted} left` });
  shown.start(total, 0);
  return { tell: (done) => shown.update(Math.min(done, total)), stop: () => shown.stop() };
}

function lines(title: string, total: number): Shown {
  let done = 0;
  const say = (): void => console.log(`   ${title}: ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`);
  const timer = setInterval(say, PLAIN_LINE_EVERY_MS);
  return {
    tell: (now) => (done = now),
    stop: () => {
      clearInterval(timer);
      say();
    },
  };
}
