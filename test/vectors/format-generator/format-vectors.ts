import { formatKit } from '@cofre/shared/crypto/kit';
import { makeBlobVectors } from './vector-blobs.ts';
import { makeCutVectors } from './vector-cuts.ts';
import { jsonFile, type VectorFiles } from './vector-files.ts';
import { makeKeyVectors, recovery, RECOVERY_SECRET } from './vector-keys.ts';
import {
  makeEnrolmentVectors,
  makeKeyOfPathVectors,
  makeNodeVectors,
  makeObjectVectors,
  makeRecordVectors,
  makeRefsetVectors,
} from './vector-records.ts';
import { makeVaultVectors } from './vector-vault.ts';
import { authorityFingerprint } from '@cofre/shared/crypto/recovery-key';

const KIT_DETAILS = {
  tenantName: 'Panadería Sánchez',
  serverAddress: 'https://backup.example:8443',
  fingerprint: authorityFingerprint(recovery.authority.publicKey),
  created: '2026-03-01',
};

/**
 * Every file of the frozen vectors of format 1, as this code makes it. They are the format: what differs from them is
 * not format 1.
 */
export async function makeFormatVectors(): Promise<VectorFiles> {
  return new Map([
    ['keys.json', jsonFile(makeKeyVectors())],
    ['blobs.json', jsonFile(makeBlobVectors())],
    ['objects.json', jsonFile(makeObjectVectors())],
    ['records.json', jsonFile(makeRecordVectors())],
    ['nodes.json', jsonFile(makeNodeVectors())],
    ['catalog-keys.json', jsonFile(makeKeyOfPathVectors())],
    ['cuts.json', jsonFile(makeCutVectors())],
    ['refsets.json', jsonFile(makeRefsetVectors())],
    ['enrolment-lines.json', jsonFile(makeEnrolmentVectors())],
    ['kit-en.txt', Buffer.from(formatKit(RECOVERY_SECRET, KIT_DETAILS, 'en'))],
    ['kit-es.txt', Buffer.from(formatKit(RECOVERY_SECRET, KIT_DETAILS, 'es'))],
    ...(await makeVaultVectors()),
  ]);
}
