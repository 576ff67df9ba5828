// What can HTTP do here at most? A server that answers from a Map and does nothing else: what a replica is measured by. A
// write is answered with a line of JSON, as stores do.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const values = new Map<string, Buffer>();

const server = createServer((req, res) => {
  const key = req.url!;
  if (req.method !== 'PUT') {
    const value = values.get(key);
    res.statusCode = value === undefined ? 404 : 200;
    res.setHeader('Content-Type', 'application/octet-stream');
    res.end(value);
    return;
  }
  const pieces: Buffer[] = [];
  req.on('data', (piece: Buffer) => pieces.push(piece));
  req.on('end', () => {
    const value = Buffer.concat(pieces);
    values.set(key, value);
    res.statusCode = 200;
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ key, bytes: value.length }));
  });
});

server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit(0));
