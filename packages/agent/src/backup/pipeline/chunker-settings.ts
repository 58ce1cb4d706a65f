import type { ChunkerSettings } from '@cofre/shared/crypto/domain-keys';
import { CofreError } from '@cofre/shared/errors';
import { CHUNKER_ID, type ChunkerParameters } from '../../chunker/chunker-parameters.ts';

/** Number of the chunker in a domain record. */
const CHUNKER_NUMBER = 1;

/** What a domain record says of cutting, as the chunker takes it. @throws CofreError `unknown_format` */
export function chunkerParameters(settings: ChunkerSettings): ChunkerParameters {
  if (settings.chunkerId !== CHUNKER_NUMBER) {
    throw new CofreError('unknown_format', {
      what: 'A domain record',
      problem: `chunker ${settings.chunkerId}`,
    });
  }
  const { bytesMin, bytesAverage, bytesMax } = settings;
  return { id: CHUNKER_ID, minBytes: bytesMin, averageBytes: bytesAverage, maxBytes: bytesMax };
}
