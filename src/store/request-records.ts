// Which requests are remembered, and which dots did they write? As of one commit. Two kinds of records tell: log entries, for whom
// a dot is sent to, and records of their own, which stay when the log is trimmed.

import type { KeySpan } from '../clock/claims.js';
import type { Actor } from '../clock/dot.js';
import type { KeptRequest, LoggedRequest, RequestPlace } from '../clock/request.js';
import { logKey, recordsAfter, requestKey, requestsWithin } from './keyspace.js';
import type { RecentLog } from './recent-log.js';
import { CorruptRecordError, decodeLogged, decodeRequest } from './record-codec.js';
import type { RecordReader } from './record-reader.js';

/** What a record takes, at least, beside its key. */
const REQUEST_BYTES = 64;

export class RequestRecords {
  constructor(
    private readonly records: RecordReader,
    private readonly recent: RecentLog,
  ) {}

  /** @throws CorruptRecordError */
  kept(place: RequestPlace): KeptRequest | undefined {
    const recordKey = requestKey(place);
    const record = this.records.get(recordKey);
    return record && this.records.decode(decodeRequest, recordKey, record);
  }

  /** Those that wrote keys of the span and can be read, up to `bytesMax` of them. */
  async within(span: KeySpan, bytesMax: number): Promise<readonly KeptRequest[]> {
    const requests: KeptRequest[] = [];
    let bytes = 0;
    for await (const [recordKey, record] of this.records.scan(requestsWithin(span))) {
      const request = readable(() => this.records.decode(decodeRequest, recordKey, record));
      if (request === undefined) continue;
      requests.push(request);
      bytes += request.key.length + REQUEST_BYTES;
      if (bytes > bytesMax) break;
    }
    return requests;
  }

  /** Of all after `after`, in the order of their records, since when they are remembered; undefined: it can't be read. */
  async *times(
    after: Uint8Array | undefined,
  ): AsyncGenerator<{ readonly recordKey: Uint8Array; readonly sinceMs: number | undefined }> {
    for await (const [recordKey, record] of this.records.scan(recordsAfter('i', after))) {
      yield { recordKey, sinceMs: readable(() => this.records.decode(decodeRequest, recordKey, record).sinceMs) };
    }
  }

  /**
   * By counter, those among the actor's dots from the one after `from` up to and with `to`; undefined for none.
   * @throws CorruptRecordError
   */
  logged(actor: Actor, from: number, to: number): ReadonlyMap<number, LoggedRequest> | undefined {
    if (!this.recent.mayHaveRequests(actor, from)) return undefined;
    const requests = new Map<number, LoggedRequest>();
    for (let counter = from + 1; counter <= to; counter++) {
      // Alone in its record; others are in records of other names.
      const recordKey = logKey(actor, counter);
      const record = this.records.get(recordKey);
      const request = record && this.records.decode(decodeLogged, recordKey, record).request;
      if (request !== undefined) requests.set(counter, request);
    }
    return requests.size > 0 ? requests : undefined;
  }
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    return undefined;
  }
}
