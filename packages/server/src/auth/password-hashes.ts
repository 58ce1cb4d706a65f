import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { Semaphore } from '../platform/semaphore.ts';

/** What a hash costs, as argon2 has it. */
export interface PasswordCost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

const COST: PasswordCost = {
  memoryKib: LIMITS.passwordMemoryKib,
  passes: LIMITS.passwordPasses,
  lanes: LIMITS.passwordLanes,
};

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const derive = promisify(argon2);

/**
 * Hashes passwords with argon2id, some at a time. A hash says what it cost (PHC string format), so that the cost can be
 * raised and earlier hashes still be verified.
 */
export class PasswordHashes {
  readonly #turns = new Semaphore(LIMITS.passwordHashesMax);
  readonly #cost: PasswordCost;
  #nobodys: Promise<string> | null = null;
  #asked = 0;

  constructor(cost: PasswordCost = COST) {
    this.#cost = cost;
  }

  /** @throws CofreError `unavailable` when too many wait */
  async make(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const { memoryKib, passes, lanes } = this.#cost;
    const hash = await this.#derive(password, salt, this.#cost);
    return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${phc(salt)}$${phc(hash)}`;
  }

  /**
   * @param hash null when there is nobody, or no password: it takes as long, and the answer is false
   * @throws CofreError `unavailable` when too many wait
   */
  async verify(password: string, hash: string | null): Promise<boolean> {
    // Made before it is needed, so that the first stranger waits no longer than others.
    this.#nobodys ??= this.make(randomBytes(SALT_BYTES).toString('hex'));
    const match = PHC.exec(hash ?? (await this.#nobodys));
    if (match === null) throw new CofreError('internal', { problem: 'a password hash of another kind' });
    const [, memory, passes, lanes, salt = '', expected = ''] = match;
    const cost = { memoryKib: Number(memory), passes: Number(passes), lanes: Number(lanes) };
    const found = await this.#derive(password, Buffer.from(salt, 'base64'), cost);
    return timingSafeEqual(found, Buffer.from(expected, 'base64')) && hash !== null;
  }

  async #derive(
    password: string,
    nonce: Buffer,
    { memoryKib, passes, lanes }: PasswordCost,
  ): Promise<Buffer> {
    if (this.#asked >= LIMITS.passwordHashesMax + LIMITS.passwordHashesWaitingMax) {
      throw new CofreError('unavailable', { problem: 'too many people sign in at once' });
    }
    this.#asked += 1;
    try {
      // The same letters can be typed in more than one way (NFC, NFD): they are one password.
      const message = Buffer.from(password.normalize('NFKC'), 'utf8');
      const cost = { parallelism: lanes, memory: memoryKib, passes, tagLength: HASH_BYTES };
      return await this.#turns.run(() => derive('argon2id', { message, nonce, ...cost }));
    } finally {
      this.#asked -= 1;
    }
  }
}

/**
 * Refuses what is guessed first. Nothing is asked about kinds of characters: length is what counts.
 * @throws CofreError `password_unsuitable`
 */
export function requireSuitablePassword(password: string, login: string): void {
  const characters = Array.from(password);
  const refuse = (problem: string) => new CofreError('password_unsuitable', { problem });
  if (characters.length < LIMITS.passwordCharactersMin) {
    throw refuse(`it has fewer than ${LIMITS.passwordCharactersMin} characters`);
  }
  if (new Set(characters).size < 5) throw refuse('it has fewer than five different characters');
  const name = login.split('@')[0] ?? login;
  const withoutName = password.toLowerCase().replaceAll(name, '');
  if (withoutName.length < LIMITS.passwordCharactersMin / 2)
    throw refuse('most of it is the name of the account');
}

function phc(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
