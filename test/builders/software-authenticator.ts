import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { sha256 } from '@cofre/shared/hash';

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

interface Asked {
  readonly origin: string;
  readonly challenge: string;
}

/** A passkey in memory, as a browser with an authenticator would answer for it (ECDSA on P-256, no attestation). */
export class SoftwareAuthenticator {
  readonly credentialId = randomBytes(32);
  readonly #privateKey: KeyObject;
  readonly #coseKey: Buffer;
  #counter = 0;
  /** False: somebody holds the device, and did not show to be its owner. */
  verifiesUser = true;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const [head, middle] = [Buffer.from('a5010203262001215820', 'hex'), Buffer.from('225820', 'hex')];
    this.#privateKey = privateKey;
    this.#coseKey = Buffer.concat([head, Buffer.from(x, 'base64url'), middle, Buffer.from(y, 'base64url')]);
  }

  /** What `navigator.credentials.create` gives. */
  create({ origin, challenge }: Asked) {
    const length = Buffer.from([0, this.credentialId.length]);
    const made = Buffer.concat([Buffer.alloc(16), length, this.credentialId, this.#coseKey]);
    const authData = Buffer.concat([this.#head(origin, HAS_CREDENTIAL), made]);
    const begin = Buffer.from('a363666d74646e6f6e656761747453746d74a0686175746844617461', 'hex');
    const attestation = Buffer.concat([begin, Buffer.from([0x58, authData.length]), authData]);
    return {
      ...this.#named(),
      response: {
        clientDataJSON: clientData('webauthn.create', origin, challenge).toString('base64url'),
        attestationObject: attestation.toString('base64url'),
      },
    };
  }

  /** What `navigator.credentials.get` gives. */
  get({ origin, challenge }: Asked) {
    const authData = this.#head(origin, 0);
    const client = clientData('webauthn.get', origin, challenge);
    const signature = sign('sha256', Buffer.concat([authData, sha256(client)]), this.#privateKey);
    return {
      ...this.#named(),
      response: {
        clientDataJSON: client.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
      },
    };
  }

  #named() {
    const id = this.credentialId.toString('base64url');
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {} };
  }

  #head(origin: string, flags: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE((this.#counter += 1));
    const present = USER_PRESENT | (this.verifiesUser ? USER_VERIFIED : 0);
    const host = sha256(Buffer.from(new URL(origin).hostname));
    return Buffer.concat([host, Buffer.from([flags | present]), counter]);
  }
}

function clientData(type: string, origin: string, challenge: string): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}
