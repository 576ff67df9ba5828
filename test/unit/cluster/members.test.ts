import { describe, expect, it } from '@jest/globals';
import { MEMBERS_MAX, MembersError, parseMembers, peersOf, placeAmong } from '../../../src/cluster/members.js';

const self = { name: 'n1', host: '127.0.0.1', port: 5000 };

describe('a list of members', () => {
  it('has entries between commas or on lines, named or bare', () => {
    expect(parseMembers('n1=http://a:5000, n2=https://b\nhttp://c:5002')).toEqual([
      { name: 'n1', url: 'http://a:5000', isNamed: true },
      { name: 'n2', url: 'https://b', isNamed: true },
      { name: 'c-5002', url: 'http://c:5002', isNamed: false },
    ]);
  });

  it('may have comments, empty lines, spaces, and the line ends of any system', () => {
    const text = '# machines\r\n\r\n  n1=http://a:5000  # the first\r\n#n3=http://c:5000\r\n,n2=http://b:5000,\n';
    expect(parseMembers(text).map(({ name }) => name)).toEqual(['n1', 'n2']);
  });

  it.each(['', '\n\n', '# nobody', ',,'])('may be empty: %j', (text) => {
    expect(parseMembers(text)).toEqual([]);
  });

  it('has addresses without a slash at the end, in one way of writing', () => {
    expect(parseMembers('n1=http://A.example:80/,n2=HTTP://b:5000').map(({ url }) => url)).toEqual([
      'http://a.example',
      'http://b:5000',
    ]);
  });

  it('names bare addresses by what a node name may hold', () => {
    const names = parseMembers('http://10.0.0.1:5000,http://[::1]:5001,http://Some.Host').map(({ name }) => name);
    expect(names).toEqual(['10-0-0-1-5000', '1-5001', 'some-host']);
  });

  it.each([
    ['n1=http://a:1,n1=http://b:2', 'n1 stands twice'],
    ['n1=http://a:1,n2=http://a:1/', 'http://a:1 stands twice'],
    ['n1=http://a:80,http://a', 'http://a stands twice'],
    ['a-1=http://x:9,http://a:1', 'a-1 stands twice'],
  ])('has nobody twice: %s', (text, message) => {
    expect(() => parseMembers(text)).toThrow(MembersError);
    expect(() => parseMembers(text)).toThrow(message);
  });

  it.each([
    'nonsense',
    'n1=',
    '=http://a:1',
    'n1=a:5000',
    'localhost:5000',
    'n1=ftp://a:1',
    'N1=http://a:1',
    'n.1=http://a:1',
    'n1=http://a:1/path',
    'n1=http://a:1?query',
    'n1=http://user:password@a:1',
    'n1=http://:password@a:1',
    'n1=http://a:99999',
    'n1 http://a:1',
    `${'n'.repeat(64)}=http://a:1`,
  ])('refuses the entry %s, and quotes it', (entry) => {
    const text = `n9=http://nine:9\n${entry}`;
    expect(() => parseMembers(text)).toThrow(MembersError);
    expect(() => parseMembers(text)).toThrow(`"${entry}"`);
  });

  it(`has ${MEMBERS_MAX} entries at most`, () => {
    const list = (count: number) => Array.from({ length: count }, (_, i) => `n${i}=http://a:${5000 + i}`).join();
    expect(parseMembers(list(MEMBERS_MAX))).toHaveLength(MEMBERS_MAX);
    expect(() => parseMembers(list(MEMBERS_MAX + 1))).toThrow(MembersError);
  });
});

describe('the peers of a node', () => {
  it('are all members but the one of its own name, whatever its address', () => {
    const members = parseMembers('n1=http://elsewhere:9,n2=http://b:5000');
    expect(peersOf(members, self).map(({ name }) => name)).toEqual(['n2']);
  });

  it.each(['http://127.0.0.1:5000', 'http://localhost:5000', 'http://[::1]:5000'])(
    'are not the bare entry of its own address: %s',
    (address) => {
      expect(peersOf(parseMembers(`${address},http://127.0.0.1:5001`), self).map(({ url }) => url)).toEqual([
        'http://127.0.0.1:5001',
      ]);
    },
  );

  it('are not the bare entry of the address where others reach it, whatever it listens on', () => {
    const behind = { ...self, host: '0.0.0.0', url: 'http://10.0.0.1:6000' };
    const members = parseMembers('http://10.0.0.1:6000/,http://10.0.0.2:6000,http://10.0.0.1:5000');
    expect(peersOf(members, behind).map(({ url }) => url)).toEqual(['http://10.0.0.2:6000', 'http://10.0.0.1:5000']);
  });

  it('are not the bare entry of the address that it listens on, of whichever kind that is', () => {
    const members = parseMembers('http://[fd00::1]:5000,http://[fd00::2]:5000');
    expect(peersOf(members, { ...self, host: 'fd00::1' }).map(({ url }) => url)).toEqual(['http://[fd00::2]:5000']);
  });

  it('are another host on the same port, and the own host under another name: that is for the peer to refuse', () => {
    const members = parseMembers('http://other:5000,n2=http://127.0.0.1:5000');
    expect(peersOf(members, self)).toHaveLength(2);
  });

  it('know the port that an address leaves out', () => {
    expect(peersOf(parseMembers('http://here'), { name: 'n1', host: 'here', port: 80 })).toEqual([]);
    expect(peersOf(parseMembers('https://here'), { name: 'n1', host: 'here', port: 443 })).toEqual([]);
    expect(peersOf(parseMembers('https://here'), { name: 'n1', host: 'here', port: 80 })).toHaveLength(1);
  });
});

describe('the place of a member among all', () => {
  const peersBut = (name: string) =>
    parseMembers('n2=http://b,n4=http://d,n1=http://a,n3=http://c').filter((member) => member.name !== name);

  it('follows from their names, so that places are even', () => {
    expect(['n1', 'n2', 'n3', 'n4'].map((name) => placeAmong(name, peersBut(name)))).toEqual([0, 0.25, 0.5, 0.75]);
  });

  it('is not known without their names', () => {
    expect(placeAmong('n1', parseMembers('n2=http://b,n3=http://c,http://d'))).toBeUndefined();
    expect(placeAmong('n1', [])).toBeUndefined();
  });

  it('is not taken from one that it joins by', () => {
    expect(placeAmong('n5', parseMembers('n1=http://a'))).toBeUndefined();
  });
});
