import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PrefixTree } from '../../../src/controllers/changes/prefix-tree.js';

interface Member {
  readonly prefix: string;
}

const anyText = fc.stringMatching(/^[ab]{0,6}$/);
const anyStep = fc.record({ kind: fc.constantFrom('add', 'add', 'delete', 'take'), text: anyText, nth: fc.nat(50) });

function treeOf(...prefixes: string[]): PrefixTree<string> {
  const tree = new PrefixTree<string>();
  for (const prefix of prefixes) tree.add(prefix, `at ${prefix}`);
  return tree;
}

describe('a tree of prefixes', () => {
  it('finds all that a key begins with, the empty one and the whole key too', () => {
    const found = treeOf('', 'user/', 'user/1', 'user/1/', 'user/12', 'use', 'users').take('user/12');
    expect(found).toEqual(['at ', 'at use', 'at user/', 'at user/1', 'at user/12']);
  });

  it('finds nobody twice', () => {
    const tree = treeOf('a', 'ab', 'abc');
    expect(tree.take('ab')).toEqual(['at a', 'at ab']);
    expect(tree.take('abcd')).toEqual(['at abc']);
    expect(tree.take('abcd')).toEqual([]);
  });

  it('finds what a list of all prefixes finds, whatever was added, deleted and found before', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 20, maxLength: 100, size: 'max' }), (steps) => {
        const tree = new PrefixTree<Member>();
        const model = new Set<Member>();
        for (const { kind, text, nth } of steps) {
          if (kind === 'add') {
            const member = { prefix: text };
            tree.add(text, member);
            model.add(member);
          } else if (kind === 'take') {
            const expected = [...model].filter(({ prefix }) => text.startsWith(prefix));
            const taken = tree.take(text);
            expect(taken).toHaveLength(expected.length);
            expect(new Set(taken)).toEqual(new Set(expected));
            for (const member of taken) model.delete(member);
          } else if (model.size > 0) {
            const member = [...model][nth % model.size]!;
            tree.delete(member.prefix, member);
            model.delete(member);
          }
        }
      }),
    );
  });
});
