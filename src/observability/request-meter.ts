// How many requests were answered, how, and how soon? One histogram, counted here and not by prom-client: an observation with
// labels costs it as much as a tenth of a read. It is put into the registry's form when somebody asks.

import type { Histogram } from 'prom-client';

/** Upper bounds of its buckets, in seconds. */
const BOUNDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']);

/** Templates of paths, each before those that it begins with. */
const ROUTES: readonly string[] = [
  '/v1/kv/{key}',
  '/v1/kv',
  '/v1/counters/{key}',
  '/v1/sets/{key}',
  '/v1/maps/{key}',
  '/v1/batch',
  '/v1/changes',
  '/v1/snapshot',
  '/v1/cluster',
  '/put_remote',
  '/put',
  '/get',
  '/livez',
  '/readyz',
  '/metrics',
];
const BEGINNINGS = ROUTES.map((route) => route.replace('{key}', ''));

interface Row {
  readonly labels: { readonly route: string; readonly method: string; readonly code: number };
  /** For each bucket, and for what is beyond the last. */
  readonly counts: number[];
  seconds: number;
}

/** What a registry of prom-client asks of a metric. */
type Figures = Awaited<ReturnType<Histogram['get']>>;

export class RequestMeter {
  readonly name = 'quartet_http_request_duration_seconds';
  private readonly rows = new Map<string, Row>();

  /**
   * An answer begins.
   * @param url of the request, beginning with its path
   * @param ms since the request was there
   */
  answered(method: string, url: string, code: number, ms: number): void {
    const route = routeOf(url);
    const name = METHODS.has(method) ? method : 'other';
    const key = `${route} ${name} ${code}`;
    let row = this.rows.get(key);
    if (row === undefined) {
      row = { labels: { route, method: name, code }, counts: new Array<number>(BOUNDS.length + 1).fill(0), seconds: 0 };
      this.rows.set(key, row);
    }
    const seconds = ms / 1000;
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket++;
    row.counts[bucket]!++;
    row.seconds += seconds;
  }

  get(): Promise<Figures> {
    return Promise.resolve({
      name: this.name,
      help:
        'Seconds from a request, or from its head where it is large or not plain, to the beginning of its answer, by the ' +
        'template of its path; other: of no such path. What never became a request is not counted',
      type: 'histogram',
      aggregator: 'sum',
      values: [...this.rows.values()].flatMap((row) => this.valuesOf(row)),
    } as unknown as Figures);
  }

  private valuesOf({ labels, counts, seconds }: Row) {
    let count = 0;
    const buckets = counts.map((each, bucket) => {
      count += each;
      return {
        metricName: `${this.name}_bucket`,
        labels: { ...labels, le: BOUNDS[bucket] ?? '+Inf' },
        value: count,
      };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: seconds },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }
}

/** The template of a request's path. */
function routeOf(url: string): string {
  const place = BEGINNINGS.findIndex(
    (beginning) =>
      url.startsWith(beginning) &&
      (beginning.endsWith('/') || url.length === beginning.length || '/?'.includes(url[beginning.length]!)),
  );
  return ROUTES[place] ?? 'other';
}
