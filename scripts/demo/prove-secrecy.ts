import { join } from 'node:path';
import { searchTrees, type Finding, type SearchResult } from './byte-search.ts';
import { DemoFailure } from './demo-failure.ts';
import { needlesFor, type Marker } from './marker.ts';

const SHOWN_MAX = 10;

/**
 * Proves that nothing of the marker stands anywhere below `folder`, in whatever form we know to look for.
 * @throws DemoFailure that says where it stands, or that there was nothing to look at
 */
export async function proveSecrecy(folder: string, marker: Marker): Promise<SearchResult> {
  const result = await searchTrees([folder], needlesFor(marker));
  if (result.findings.length > 0) {
    const shown = result.findings.slice(0, SHOWN_MAX).map(describeFinding);
    throw new DemoFailure(`The server knows what it must not know:\n${shown.join('\n')}`);
  }
  if (result.bytes < marker.noise.length) {
    throw new DemoFailure(`${folder} is too small to hold the backup: nothing is proved.`);
  }
  return result;
}

/**
 * Proves that the same search sees the marker where it was planted: it is not blind.
 * @throws DemoFailure
 */
export async function proveSightOf(folder: string, marker: Marker): Promise<void> {
  const { findings } = await searchTrees([join(folder, `${marker.name}-folder`)], needlesFor(marker));
  const isSeen = (label: string, isName: boolean): boolean =>
    findings.some((finding) => finding.label.startsWith(label) && (finding.offset === null) === isName);
  if (
    isSeen('the planted text', false) &&
    isSeen('the planted file name', true) &&
    isSeen('planted random', false)
  ) {
    return;
  }
  throw new DemoFailure('The search does not see the secret in the folder itself: it proves nothing.');
}

function describeFinding({ file, label, offset }: Finding): string {
  return `${file}: ${label} ${offset === null ? 'in its name' : `at byte ${offset}`}`;
}
