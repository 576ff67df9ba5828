// What is a time called in a header? Many values were written within the same second, and to format a date costs as much
// as to find the value: the latest few seconds' dates are kept, each at a place of its own.

/** Of as many seconds; a power of two or not, it makes no difference. */
const KEPT = 1024;

const seconds = new Float64Array(KEPT).fill(-1);
const texts = new Array<string>(KEPT).fill('');

/** As RFC 9110 has it: to the second, in GMT. */
export function httpDate(ms: number): string {
  const second = Math.floor(ms / 1000);
  const place = Math.abs(second % KEPT);
  if (seconds[place] !== second) {
    seconds[place] = second;
    texts[place] = new Date(second * 1000).toUTCString();
  }
  return texts[place]!;
}
