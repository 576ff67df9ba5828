import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { MalformedBytesError } from '../../../src/codec/binary-reader.js';
import { Compressor, unpack } from '../../../src/replication/transport/compression.js';

const text = Buffer.from('quartet '.repeat(16_000));
const noise = randomBytes(text.length);

describe('a message', () => {
  it('that is large and shrinks is sent smaller, and comes out as it went in', async () => {
    const { body, encoding } = await new Compressor().pack(text);
    expect(encoding).toBe('deflate');
    expect(body.length).toBeLessThan(text.length / 2);
    expect(await unpack(body, text.length)).toEqual(text);
  });

  it('that is small is sent as it is', async () => {
    const small = text.subarray(0, 60_000);
    expect(await new Compressor().pack(small)).toEqual({ body: small, encoding: undefined });
  });

  it('that does not shrink is sent as it is, and so are the next ones, untried, for a while', async () => {
    const compressor = new Compressor();
    expect(await compressor.pack(noise)).toEqual({ body: noise, encoding: undefined });
    expect((await compressor.pack(text)).encoding).toBeUndefined();
    let sent = 1;
    while ((await compressor.pack(text)).encoding === undefined && sent < 1000) sent++;
    expect(sent).toBeGreaterThan(1);
    expect(sent).toBeLessThan(100);
  });

  it.each([
    ['to more than half', 0.6, undefined],
    ['to less than half', 0.4, 'deflate'],
  ])('that shrinks %s is sent so only if it pays', async (_, part, encoding) => {
    const bytes = Buffer.concat([noise.subarray(0, part * noise.length), text.subarray(part * text.length)]);
    expect((await new Compressor().pack(bytes)).encoding).toBe(encoding);
  });

  it('that is small does not count as a try', async () => {
    const compressor = new Compressor();
    for (let i = 0; i < 100; i++) await compressor.pack(Buffer.alloc(10));
    expect((await compressor.pack(text)).encoding).toBe('deflate');
  });
});

describe('a message that cannot be inflated', () => {
  it.each([
    ['it is plain', text],
    ['it is noise', noise],
    ['it is empty', Buffer.alloc(0)],
    ['it is cut', deflateSync(text).subarray(0, -1)],
    ['a byte of it is another', Buffer.from(deflateSync(text)).fill(0xff, 10, 12)],
  ])('is malformed: %s', async (_, bytes) => {
    await expect(unpack(bytes, 1_000_000)).rejects.toThrow(MalformedBytesError);
  });

  it('is malformed when it grows too large, and is not inflated any further', async () => {
    const bomb = deflateSync(Buffer.alloc(10_000_000));
    await expect(unpack(bomb, 1_000_000)).rejects.toThrow(MalformedBytesError);
  });
});
