import { describe, expect, it } from '@jest/globals';
import { entityTag, isTagList, matchesTag } from '../../../src/controllers/http/etag.js';
import { version } from '../../support/clock-arbitraries.js';

const one = [version('n1.a', 1)];
const two = [version('n1.a', 1), version('n2.b', 1)];

describe('an entity tag', () => {
  it('is quoted, and differs for other sets of versions', () => {
    const tags = [one, two, [version('n1.a', 2)], [version('n2.b', 1)], [version('n1.a', 1), version('n2.b', 2)]].map(
      entityTag,
    );
    expect(new Set(tags).size).toBe(tags.length);
    for (const tag of tags) expect(tag).toMatch(/^"[\x21\x23-\x7e]+"$/);
  });

  it('names versions, not bytes: the same value written again has another', () => {
    expect(entityTag([version('n1.a', 1, 'same')])).not.toBe(entityTag([version('n1.a', 2, 'same')]));
  });

  it('matches itself, alone or in a list, and any value', () => {
    for (const versions of [one, two]) {
      const tag = entityTag(versions);
      for (const list of [tag, ` ${tag} `, `"x", ${tag}`, `${tag},"x"`, '*', ' * ']) {
        expect(matchesTag(list, versions, true)).toBe(true);
        expect(matchesTag(list, versions, false)).toBe(true);
      }
    }
  });

  it('matches its weak form only where that is enough', () => {
    expect(matchesTag(`"x", W/${entityTag(one)}`, one, true)).toBe(true);
    expect(matchesTag(`"x", W/${entityTag(one)}`, one, false)).toBe(false);
  });

  it.each(['', '"x"', 'n1.a:1', '"n1.a:1', '"N1.A:1"', '"x","*"'])('does not match %s', (list) => {
    expect(matchesTag(list, one, true)).toBe(false);
  });

  it.each(['*', ' * ', '"x"', 'W/"x"', '"x","y"', '"x" , W/"y"', '""', ',"x",, "y",'])(
    '%s is a list of them',
    (list) => {
      expect(isTagList(list)).toBe(true);
    },
  );

  it.each(['', 'x', '"x', '"x" "y"', ',', '*, "x"', 'w/"x"', '"x"y'])('%s is none', (list) => {
    expect(isTagList(list)).toBe(false);
  });

  it('matches nothing where nothing lives', () => {
    for (const list of ['*', '""', '"x"']) expect(matchesTag(list, [], true)).toBe(false);
  });
});
