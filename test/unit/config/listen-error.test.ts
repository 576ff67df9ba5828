// What is somebody told whose replica can't listen where it is set up to? Which setting to change, in one line.

import { expect, test } from '@jest/globals';
import { addressOf, listenErrorOf } from '../../../src/config/listen-error.js';

const CONFIG = { host: '10.9.8.7', port: 5000, peerPort: 5001 };

/** As the system says it. */
function systemError(code: string, details: object): Error {
  return Object.assign(new Error(`${code}: as the system has it`), { code, ...details });
}

test.each([
  ['EADDRINUSE', { syscall: 'listen', port: 5000 }, /^QUARTET_PORT=5000: .*http:\/\/10\.9\.8\.7:5000; choose another/],
  ['EADDRINUSE', { syscall: 'listen', port: 5001 }, /^QUARTET_PEER_PORT=5001: another process listens/],
  ['EACCES', { syscall: 'listen', port: 5000 }, /^QUARTET_PORT=5000: this process may not listen there/],
  ['EADDRNOTAVAIL', { syscall: 'listen', port: 5000 }, /^QUARTET_HOST=10\.9\.8\.7 is no address of this machine/],
  ['ENOTFOUND', { syscall: 'getaddrinfo', hostname: CONFIG.host }, /^QUARTET_HOST=10\.9\.8\.7 .*\(ENOTFOUND\)/],
])('%s of %j names the setting', (code, details, told) => {
  const error = systemError(code, details);
  const listenError = listenErrorOf(error, CONFIG)!;
  expect(listenError.message).toMatch(told);
  expect(listenError.message).not.toContain('\n');
  expect(listenError.cause).toBe(error);
});

test.each([
  ['a folder that may not be written', systemError('EACCES', { syscall: 'mkdir', path: 'x' })],
  ['another host that is looked up', systemError('ENOTFOUND', { syscall: 'getaddrinfo', hostname: 'members' })],
  ['too many open files', systemError('EMFILE', { syscall: 'listen', port: 5000 })],
  ['anything else', new TypeError('x')],
])('%s is not about listening', (_what, error) => {
  expect(listenErrorOf(error, CONFIG)).toBeUndefined();
});

test.each([
  ['127.0.0.1', 'http://127.0.0.1:5000'],
  ['localhost', 'http://localhost:5000'],
  ['::1', 'http://[::1]:5000'],
])('The address of %s is one that can be pasted: %s', (host, address) => {
  expect(addressOf(host, 5000)).toBe(address);
});
