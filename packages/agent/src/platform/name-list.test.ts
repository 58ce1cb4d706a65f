import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ByteString } from '@cofre/shared/bytes';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import { NameList } from './name-list.ts';

const letter = fc.oneof(
  fc.constantFrom('a', 'b'),
  fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
);
const name = fc.string({ unit: letter, minLength: 1, maxLength: 40 }).map((text) => text as ByteString);

function everyName(list: NameList): ByteString[] {
  return Array.from({ length: list.length }, (_, index) => list.at(index));
}

/** As a listing adds them: some at a time, with bytes between them that belong to none. */
function addInParts(list: NameList, names: readonly ByteString[], namesPerPart: number): void {
  for (let first = 0; first < names.length; first += namesPerPart) {
    let text = '';
    const starts: number[] = [];
    for (const one of names.slice(first, first + namesPerPart)) {
      starts.push(text.length);
      text += `${one}\0`;
    }
    const shared = Buffer.from(text, 'latin1');
    list.add(shared, starts);
    shared.fill(0);
  }
}

describe('names of a folder', () => {
  test('come back in byte order, however they were added', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { maxLength: 120 }),
        fc.integer({ min: 1, max: 50 }),
        (names, part) => {
          const list = new NameList();
          addInParts(list, names, part);
          list.sort();
          expect(everyName(list)).toEqual([...names].sort());
          expect(everyName(NameList.of(names))).toEqual([...names].sort());
        },
      ),
    );
  });

  test('may be many more than a block holds, and much alike', () => {
    const random = new SeededRandom('names');
    const names: ByteString[] = [];
    for (let number = 0; number < 20_000; number++) {
      const tail = number % 3 === 0 ? '' : '-'.repeat(random.below(200));
      names.push(
        `${'same'.repeat(number % 4)}${number % 7 === 0 ? '\xff' : ''}${number}${tail}` as ByteString,
      );
    }
    const shuffled = names.toSorted(() => random.below(3) - 1);
    for (const part of [1, 37, 300]) {
      const list = new NameList();
      addInParts(list, shuffled, part);
      list.sort();
      expect(everyName(list)).toEqual(names.toSorted());
    }
    expect(everyName(NameList.of(shuffled))).toEqual(names.toSorted());
  });

  test('are found, and others are not', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 40 }), name, (names, other) => {
        const list = NameList.of(names);
        for (const one of names) expect(list.has(one)).toBe(true);
        expect(list.has(other)).toBe(names.includes(other));
      }),
    );
  });

  test('of which a damaged file system has one twice are sorted like others', () => {
    const names = Array.from({ length: 60 }, (_, number) => `n${number % 7}` as ByteString);
    expect(everyName(NameList.of(names))).toEqual(names.toSorted());
  });

  test('may be longer than any that a kernel takes', () => {
    const names = ['a', 'x'.repeat(200_000), 'b', 'x'.repeat(100_000)] as ByteString[];
    expect(everyName(NameList.of(names))).toEqual(names.toSorted());
  });

  test('can be joined by others', () => {
    const list = NameList.of(['b', 'd'] as ByteString[]);
    list.addAll(['c', 'a'] as ByteString[]);
    expect(everyName(list)).toEqual(['a', 'b', 'c', 'd']);
    expect([everyName(new NameList()), new NameList().has('a' as ByteString)]).toEqual([[], false]);
  });
});
