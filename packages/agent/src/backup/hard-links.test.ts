import type { ByteString } from '@cofre/shared/bytes';
import { expect, test } from 'vitest';
import type { FileStatus } from '../platform/file-status.ts';
import { HardLinks, type LinkGroup } from './hard-links.ts';

const told: string[] = [];

function status(inode: bigint, linkCount: number, details: Partial<FileStatus> = {}): FileStatus {
  return { type: 'file', deviceId: 1n, inode, linkCount, birthtimeNs: 7n, ...details } as FileStatus;
}

function name(path: string, group: LinkGroup, isKept: boolean | null) {
  return {
    path: path as ByteString,
    lead: () => {
      told.push(`${path} leads`);
      if (isKept !== null) group.settle(isKept);
    },
    follow: (firstPath: ByteString) => void told.push(`${path} → ${firstPath}`),
  };
}

function groupFor(links: HardLinks, path: string, found: FileStatus) {
  const link = links.groupOf(path as ByteString, found);
  if (link === null) throw new Error(`${path} has no group`);
  return link;
}

test('objects with one name, and folders, have no group', () => {
  const links = new HardLinks();
  expect(links.groupOf('a' as ByteString, status(1n, 1))).toBeNull();
  expect(links.groupOf('b' as ByteString, status(2n, 5, { type: 'directory' }))).toBeNull();
});

test('further names wait until the first one is kept, and follow it in order', () => {
  told.length = 0;
  const links = new HardLinks();
  const { group, isFirst } = groupFor(links, 'a', status(1n, 4));
  expect(isFirst).toBe(true);
  for (const path of ['b', 'c']) {
    const link = groupFor(links, path, status(1n, 4));
    expect(link).toEqual({ group, isFirst: false });
    link.group.add(name(path, group, null));
  }
  expect(told).toEqual([]);
  group.settle(true);
  groupFor(links, 'd', status(1n, 4)).group.add(name('d', group, null));
  expect(told).toEqual(['b → a', 'c → a', 'd → a']);
});

test('when the first name fails the next one takes its place, and the others follow that', () => {
  told.length = 0;
  const links = new HardLinks();
  const { group } = groupFor(links, 'a', status(1n, 4));
  group.add(name('b', group, false));
  group.add(name('c', group, true));
  group.add(name('d', group, null));
  group.settle(false);
  expect(told).toEqual(['b leads', 'c leads', 'd → c']);
});

test('a name that comes when all before it have failed is a first one', () => {
  const links = new HardLinks();
  const { group } = groupFor(links, 'a', status(1n, 3));
  group.settle(false);
  expect(groupFor(links, 'b', status(1n, 3))).toEqual({ group, isFirst: true });
  told.length = 0;
  const third = groupFor(links, 'c', status(1n, 3));
  expect(third.isFirst).toBe(false);
  third.group.add(name('c', group, null));
  group.settle(true);
  expect(told).toEqual(['c → b']);
});

test('a number that was given to another object, or on another file system, is another group', () => {
  const links = new HardLinks();
  const { group } = groupFor(links, 'a', status(1n, 2));
  expect(groupFor(links, 'b', status(1n, 2, { birthtimeNs: 8n })).group).not.toBe(group);
  expect(groupFor(links, 'c', status(1n, 2, { deviceId: 2n })).group).not.toBe(group);
  expect(groupFor(links, 'd', status(1n, 2)).group).toBe(group);
});

test('a group whose names have all come is forgotten', () => {
  const links = new HardLinks();
  groupFor(links, 'a', status(1n, 2));
  groupFor(links, 'b', status(1n, 2));
  expect(groupFor(links, 'c', status(1n, 2)).isFirst).toBe(true);
});
