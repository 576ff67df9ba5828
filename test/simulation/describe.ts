// How does a message look to people?

import type { Batch, PeerAnswer, PeerRequest } from '../../src/replication/engine/messages.js';
import { namesOf, vectorText } from './shapes.js';

export function describeMessage(message: PeerRequest | PeerAnswer): string {
  switch (message.kind) {
    case 'push':
      return describeBatch(message.batch);
    case 'batch':
      return `${describeBatch(message.batch)}${message.next === undefined ? '' : `, more after ${message.next}`}`;
    case 'compare':
    case 'clock':
      return [
        vectorText(message.clock),
        ...(message.aheadDigest === 0 ? [] : [`ahead ${message.aheadDigest}`]),
        ...(message.claimsDigest === 0 ? [] : [`claims ${message.claimsDigest}`]),
        ...(message.awaited.size === 0 ? [] : [`awaits ${vectorText(message.awaited)}`]),
      ].join(', ');
    case 'pull':
      return `since ${vectorText(message.since)}`;
    case 'pull-ahead':
    case 'pull-keys':
      return message.after === undefined ? '' : `after ${message.after}`;
    case 'members':
      return [...message.members].map(([name, { version }]) => `${name}:${version}`).join(' ');
    case 'fetch':
      return message.keys.join(' ');
    case 'digest':
      return `${vectorText(message.clock)} ${message.digest}`;
    case 'digests':
      return message.keys === undefined ? 'nothing to say' : [...message.keys.keys()].join(' ');
    case 'below-floor':
    case 'take-all':
      return vectorText(message.clock);
    case 'piece': {
      const { span, clock, containers } = message.piece;
      const keys = `after ${span.after ?? 'the start'} to ${span.through ?? 'the end'}`;
      return `${keys}, clock ${vectorText(clock)}, ${describeContainers(containers)}`;
    }
  }
}

function describeBatch({ clock, ranges, containers }: Batch): string {
  const spans = ranges.map(({ actor, from, keys }) => `${actor}:${from + 1}..${from + keys.length}`);
  return `clock ${vectorText(clock)}, ${spans.join(' ') || 'no ranges'}, ${describeContainers(containers)}`;
}

function describeContainers(containers: Batch['containers']): string {
  const states = [...containers].map(([key, { versions, context }]) => {
    return `${key}=[${namesOf(versions)}]${context.size > 0 ? ` ahead ${vectorText(context)}` : ''}`;
  });
  return states.join(' ');
}
