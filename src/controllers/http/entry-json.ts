// How does a key stand in a list, with its value or without?

import type { Version } from '../../clock/container.js';
import { ofType, typeOf } from '../../clock/key-type.js';
import { winner, type Resolution } from '../../clock/resolution.js';
import { siblingCount } from '../../clock/siblings.js';
import type { ValueType } from '../../clock/value-type.js';
import { entityTag } from './etag.js';
import { valueText } from './typed-value.js';
import { valueToJson } from './value-json.js';

export interface EntryJson {
  readonly type: ValueType;
  readonly etag: string;
  readonly siblings: number;
  readonly contentType?: string;
  /** A string for a register, whose bytes stand as `base64` when they are not UTF-8; else what a read of the key answers. */
  readonly value?: unknown;
  readonly base64?: string;
}

/** @param live at least one version */
export function entryToJson(live: readonly Version[], wantsValues: boolean, resolution: Resolution): EntryJson {
  const type = typeOf(live)!;
  const entry = { type, etag: entityTag(live), siblings: siblingCount(live) };
  if (!wantsValues) return entry;
  const versions = ofType(live, type);
  if (type !== 'register') return { ...entry, value: JSON.parse(valueText(type, versions, resolution)) as unknown };
  const { contentType, value } = winner(versions, resolution)!;
  return { ...entry, contentType, ...valueToJson(value) };
}
