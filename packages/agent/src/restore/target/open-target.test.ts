import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openTargetFolder } from './open-target.ts';

let base: string;
beforeEach(() => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-target-'));
});
afterEach(() => fs.rmSync(base, { recursive: true }));

const at = (...names: string[]): string => path.join(base, ...names);
const refusal = (code: string): unknown => expect.objectContaining({ code });

describe('the folder that a restore goes into', () => {
  test('is made with the folders above it when it is not there', () => {
    const { folder, isEmpty } = openTargetFolder(at('new', 'folder'), 'refuse');
    folder.close();
    expect(isEmpty).toBe(true);
    expect(fs.statSync(at('new', 'folder')).isDirectory()).toBe(true);
  });

  test('may lie behind links, which are the path that the user gave', () => {
    fs.mkdirSync(at('real'));
    fs.symlinkSync('real', at('link'));
    openTargetFolder(at('link', 'target'), 'refuse').folder.close();
    expect(fs.existsSync(at('real', 'target'))).toBe(true);
  });

  test('is not a link, whatever it leads to', () => {
    fs.mkdirSync(at('real'));
    fs.symlinkSync('real', at('link'));
    fs.symlinkSync('nowhere', at('dangling'));
    for (const name of ['link', 'dangling']) {
      expect(() => openTargetFolder(at(name), 'replace')).toThrow(refusal('target_unsafe'));
    }
    expect(fs.existsSync(at('nowhere'))).toBe(false);
  });

  test('is not a file, nor below one', () => {
    fs.writeFileSync(at('file'), '');
    for (const target of [at('file'), at('file', 'below')]) {
      expect(() => openTargetFolder(target, 'replace')).toThrow(refusal('target_unsafe'));
    }
  });

  test('is empty unless a policy says what to do with what is there', () => {
    fs.writeFileSync(at('file'), '');
    expect(() => openTargetFolder(base, 'refuse')).toThrow(refusal('target_not_empty'));
    for (const policy of ['keep', 'replace', 'rename'] as const) {
      const { folder, isEmpty } = openTargetFolder(base, policy);
      folder.close();
      expect(isEmpty).toBe(false);
    }
  });

  test('names the target and says why in the message', () => {
    fs.writeFileSync(at('file'), '');
    expect(() => openTargetFolder(at('file'), 'refuse')).toThrow(
      `${at('file')} cannot be used: it is a link`,
    );
  });
});
