import { getExtendedAttribute, listExtendedAttributes } from '@cofre/agent/platform/extended-attributes';
import { seekData, seekHole } from '@cofre/agent/platform/posix';
import type { Extent } from '@cofre/shared/format/entry';
import type { TreeView } from './compare-entries.ts';

/**
 * Sees extended attributes and holes through the agent's own bindings. A fault of theirs may hide a
 * difference from it: `compareTreesInPython` is there to find that out.
 */
export function nativeView(): TreeView {
  return { extendedAttributes, dataExtents };
}

function extendedAttributes(path: Buffer): Map<string, Uint8Array> {
  const values = new Map<string, Uint8Array>();
  for (const name of listExtendedAttributes(path)) {
    const value = getExtendedAttribute(path, name);
    if (value !== null) values.set(name, value);
  }
  return values;
}

function dataExtents(descriptor: number, sizeBytes: number): Extent[] {
  const extents: Extent[] = [];
  for (let end = 0; end < sizeBytes;) {
    const offset = seekData(descriptor, end);
    if (offset === null) break;
    end = Math.min(seekHole(descriptor, offset) ?? sizeBytes, sizeBytes);
    extents.push({ offset, length: end - offset });
  }
  return extents;
}
