// How is a client told of a key, whatever its type? In headers that are the same for all, and in JSON.

import type { Container, Version } from '../../clock/container.js';
import { formatDot } from '../../clock/dot.js';
import { stampToMs, type Stamp } from '../../clock/hybrid-clock.js';
import { typeOf } from '../../clock/key-type.js';
import { ranked, type Resolution } from '../../clock/resolution.js';
import { siblingCount } from '../../clock/siblings.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import type { Shown } from '../../replication/requests.js';
import { refusalOf, type Written } from '../http/accepted.js';
import type { Answer } from '../http/answer.js';
import { entityTag, matchesTag } from '../http/etag.js';
import type { Request } from '../http/exchange.js';
import { httpDate } from '../http/http-date.js';
import { tellRepeated } from '../http/idempotency.js';
import type { Tokens } from '../http/tokens.js';
import { partText } from '../http/typed-value.js';
import { valueToJson } from '../http/value-json.js';
import { isMinimal } from './write-headers.js';

/** What of a write tells what its author has seen by then. */
export type WriteShown = Pick<Written, 'seen' | 'past'> & { readonly container: Pick<Container, 'context'> };

export class KeyAnswers {
  constructor(
    private readonly tokens: Tokens,
    private readonly driver: ReplicaDriver,
  ) {}

  /**
   * The context is that of the filled container: the replica's clock and, for a key ahead of it, more. The session covers
   * what the versions may depend on, too. What the session had seen before is in it: the gate saw to that.
   */
  writeTokens(res: Answer, key: string, shown: Shown): void {
    this.setTokens(res, shown, this.contextOf(key, shown));
  }

  /** Of who is shown this. */
  contextOf(key: string, { context, past }: Shown): string {
    return this.tokens.authorContext(key, {
      vector: context,
      dot: undefined,
      past: this.driver.view.pastOf(context, past),
    });
  }

  /** Of who wrote this, and has seen all that the replica has, or less. */
  contextAfter(key: string, written: WriteShown): string {
    const { seen } = written;
    return seen === undefined ? this.contextOf(key, shownBy(written)) : this.tokens.authorContext(key, seen);
  }

  /** @returns the session */
  private setTokens(res: Answer, shown: Shown, context: string): string {
    const session = this.tokens.session(this.driver.seen(shown));
    res.setHeader('Quartet-Context', context);
    res.setHeader('Quartet-Session', session);
    res.setHeader('Cache-Control', 'no-store');
    return session;
  }

  /**
   * Tells which state of the key is shown, and since when.
   * @param stamp of what is shown
   * @returns whether the client has it already: `304`
   * @throws Problem PRECONDITION_FAILED when it wanted another one
   */
  isKnown(req: Request, res: Answer, live: readonly Version[], stamp: Stamp): boolean {
    res.setHeader('ETag', entityTag(live));
    res.setHeader('Quartet-Siblings', siblingCount(live));
    // The clock of its author may be ahead; no date of an answer is later than the answer (RFC 9110, section 8.8.2.1).
    res.setHeader('Last-Modified', httpDate(Math.min(stampToMs(stamp), this.driver.nowMs)));
    const wanted = req.headers['if-match'];
    if (wanted !== undefined && !matchesTag(wanted, live, false)) {
      throw refusalOf({ kind: 'precondition-failed', live });
    }
    const known = req.headers['if-none-match'];
    return known !== undefined && matchesTag(known, live, true);
  }

  /** Every version, whatever its type: the key's type first, and of each part the winner first. */
  writeSiblings(
    res: Answer,
    key: string,
    { versions, ...shown }: Shown & { readonly versions: readonly Version[] },
    resolution: Resolution,
  ): void {
    writeJson(res, siblingCount(versions) > 1 ? 300 : 200, {
      key,
      type: typeOf(versions),
      context: this.contextOf(key, shown),
      session: this.tokens.session(this.driver.seen(shown)),
      siblings: ranked(versions, resolution).map(siblingToJson),
    });
  }

  /** Without a body, unless it was acknowledged by too few. */
  writeDeleted(
    req: Request,
    res: Answer,
    request: { readonly key: string; readonly acksNeeded: number },
    written: Written,
  ): void {
    if (written.acks < request.acksNeeded) return this.writeResult(req, res, request, written);
    this.setTokens(res, shownBy(written), this.contextAfter(request.key, written));
    tellRepeated(res, written.isRepeated);
    res.setHeader('Quartet-Siblings', siblingCount(written.container.versions));
    res.end(204);
  }

  /** @param shown what the answer to this type's writes tells besides */
  writeResult(
    req: Request,
    res: Answer,
    { key, acksNeeded }: { readonly key: string; readonly acksNeeded: number },
    written: Written,
    shown: object = {},
  ): void {
    const { dot, existed, acks, isRepeated } = written;
    const { versions } = written.container;
    const siblings = siblingCount(versions);
    // Where nothing was written there is nothing to wait for.
    const isShort = dot !== undefined && acks < acksNeeded;
    const context = this.contextAfter(key, written);
    const session = this.setTokens(res, shownBy(written), context);
    if (versions.length > 0) res.setHeader('ETag', entityTag(versions));
    tellRepeated(res, isRepeated);
    res.setHeader('Quartet-Siblings', siblings);
    res.setHeader('Quartet-Acks', acks);
    if (isMinimal(req)) {
      res.setHeader('Preference-Applied', 'return=minimal');
      return res.end(isShort ? 202 : 204);
    }
    // An operation on nothing that adds nothing has created nothing.
    const isNew = !existed && versions.length > 0;
    writeJson(res, isShort ? 202 : isNew ? 201 : 200, {
      key,
      dot: dot === undefined ? null : formatDot(dot),
      context,
      session,
      siblings,
      acks,
      ...shown,
    });
  }
}

function shownBy({ container: { context }, past }: WriteShown): Shown {
  return { context, past };
}

function siblingToJson(version: Version): object {
  const { stamp, type, part, contentType, value, deadlineMs } = version;
  const text = partText(version);
  return {
    dot: formatDot(version),
    time: new Date(stampToMs(stamp)).toISOString(),
    type,
    ...(type === 'set' || type === 'map' ? { part } : {}),
    ...(type === 'register' ? { contentType, ...valueToJson(value) } : {}),
    ...(text === undefined ? {} : { value: JSON.parse(text) as unknown }),
    ...(deadlineMs === undefined ? {} : { expires: new Date(deadlineMs).toISOString() }),
  };
}

export function writeJson(res: Answer, status: number, body: unknown): void {
  writeJsonText(res, status, JSON.stringify(body));
}

export function writeJsonText(res: Answer, status: number, text: string): void {
  res.setHeader('Content-Type', 'application/json');
  res.endText(status, text);
}
