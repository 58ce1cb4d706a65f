import { domainKeys } from '@cofre/shared/crypto/domain-keys';
import { encodeDomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { encodeKeyPeriod, periodKeys } from '@cofre/shared/crypto/key-period';
import { recoveryWords } from '@cofre/shared/crypto/kit';
import { authorityFingerprint, recoveryKeyFromSecret } from '@cofre/shared/crypto/recovery-key';
import { signerId } from '@cofre/shared/format/envelope/signed-object';
import { deriveKey } from '@cofre/shared/hash';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import {
  DEVICE_ID,
  DOMAIN_ID,
  KEY_PERIOD_ID,
  SAMPLE_DOMAIN,
  SAMPLE_PERIOD,
  SET_ID,
  TENANT_ID,
  sampleChunkId,
} from '../../builders/format-samples.ts';

/** The recovery key of the vectors: 00 01 02 … 1f. */
export const RECOVERY_SECRET = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
export const recovery = await recoveryKeyFromSecret(RECOVERY_SECRET);

const DEVICE_SEED = Buffer.alloc(32, 0x22);
export const device = signingKeyFromSeed(DEVICE_SEED);
export const domain = domainKeys(SAMPLE_DOMAIN);
export const period = periodKeys(SAMPLE_PERIOD);
export const SET_NAME = 'documents';

/** All that is derived from secrets, and the secrets. */
export function makeKeyVectors() {
  return {
    recovery: {
      secret: RECOVERY_SECRET,
      wordsEnglish: recoveryWords(RECOVERY_SECRET, 'en').join(' '),
      wordsSpanish: recoveryWords(RECOVERY_SECRET, 'es').join(' '),
      ageSeed: deriveKey(RECOVERY_SECRET, 'cofre 1 age identity'),
      ageIdentity: recovery.age.identity,
      ageRecipient: recovery.age.recipient,
      authoritySeed: deriveKey(RECOVERY_SECRET, 'cofre 1 authority'),
      authorityPublicKey: recovery.authority.publicKey,
      authorityFingerprint: authorityFingerprint(recovery.authority.publicKey),
    },
    ids: {
      tenantId: TENANT_ID,
      deviceId: DEVICE_ID,
      domainId: DOMAIN_ID,
      keyPeriodId: KEY_PERIOD_ID,
      setId: SET_ID,
    },
    device: { seed: DEVICE_SEED, publicKey: device.publicKey, signerId: signerId(device.publicKey) },
    domain: {
      record: encodeDomainSecrets(SAMPLE_DOMAIN),
      idSecret: SAMPLE_DOMAIN.idSecret,
      cutSecret: SAMPLE_DOMAIN.cutSecret,
      contentIdKey: deriveKey(SAMPLE_DOMAIN.idSecret, 'cofre 1 id of content'),
      nodeIdKey: deriveKey(SAMPLE_DOMAIN.idSecret, 'cofre 1 id of node'),
      setIdKey: deriveKey(SAMPLE_DOMAIN.idSecret, 'cofre 1 id of set'),
      chunkerKey: domain.chunkerKey,
      catalogCutKey: domain.catalogCutKey,
      setName: SET_NAME,
      setId: domain.setId(SET_NAME),
    },
    period: {
      record: encodeKeyPeriod(SAMPLE_PERIOD),
      secret: SAMPLE_PERIOD.secret,
      contentKey: deriveKey(SAMPLE_PERIOD.secret, 'cofre 1 content'),
      catalogKey: deriveKey(SAMPLE_PERIOD.secret, 'cofre 1 catalog'),
      chunkId: sampleChunkId(1),
      dataBlobKey: period.blobKey('data', sampleChunkId(1)),
      catalogBlobKey: period.blobKey('catalog', sampleChunkId(1)),
      listBlobKey: period.blobKey('list', sampleChunkId(1)),
      infoBlobKey: period.blobKey('info', sampleChunkId(1)),
    },
  };
}
