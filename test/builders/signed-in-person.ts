import { createHmac } from 'node:crypto';
import type { TenantId, UserId } from '@cofre/shared/ids';
import type { InvitedPerson, Role } from '@cofre/shared/wire/people';
import { ask, type HttpAnswer, type HttpQuestion } from './http-client.ts';
import type { ServedApp } from './served-app.ts';

/** A person at a browser: shows the cookie, and says that a request comes from our own pages. */
export class SignedInPerson {
  readonly login: string;
  readonly password: string;
  readonly #served: ServedApp;
  cookie: string | null = null;
  userId: UserId | null = null;
  totpSecret: string | null = null;
  readonly recoveryCodes: string[] = [];

  constructor(served: ServedApp, login: string, password: string) {
    this.#served = served;
    this.login = login;
    this.password = password;
  }

  /** Asks with what this person has. */
  async ask(question: HttpQuestion): Promise<HttpAnswer> {
    const cookie = this.cookie === null ? {} : { cookie: this.cookie };
    const origin = { origin: this.#served.origin, 'sec-fetch-site': 'same-origin' };
    const headers = { ...origin, ...cookie, ...question.headers };
    const answer = await ask(this.#served.origin, { ...question, headers });
    const set = answer.headers['set-cookie']?.[0]?.split(';')[0];
    if (set !== undefined) this.cookie = set.endsWith('=') ? null : set;
    return answer;
  }

  /** Posts, and gives the answer if it is the expected one. */
  async post(path: string, body?: object, status = 200): Promise<HttpAnswer> {
    const answer = await this.ask({ method: 'POST', path, body });
    if (answer.status !== status) throw new Error(`${path}: ${answer.status} ${answer.body.toString()}`);
    return answer;
  }

  /** Signs in with all that the account wants. */
  async signIn(): Promise<void> {
    const { login, password } = this;
    const { json } = await this.post('/v1/sign-in/password', { login, password });
    if (json?.['state'] !== 'second_factor') return;
    await this.post('/v1/sign-in/totp', { ticket: json['ticket'], code: this.totpCode() });
  }

  /** The code of this moment; the moment moves on, because none works twice. */
  totpCode(): string {
    if (this.totpSecret === null) throw new Error('This person has no authenticator app');
    this.#served.time.nowMs += 30_000;
    return codeOf(this.totpSecret, this.#served.time.nowMs);
  }

  /** Adds an authenticator app. */
  async addTotp(): Promise<void> {
    const { json } = await this.post('/v1/session/totp');
    this.totpSecret = String(json?.['secret']);
    const body = { code: this.totpCode() };
    const answer = await this.ask({ method: 'PUT', path: '/v1/session/totp', body });
    if (answer.status !== 200) throw new Error(answer.body.toString());
    this.recoveryCodes.push(...(answer.json?.['codes'] as string[]));
  }
}

/** The code that an authenticator app shows (RFC 6238 with its defaults), written down once more and independently. */
export function codeOf(secret: string, nowMs: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(nowMs / 30_000)));
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7f_ff_ff_ff;
  return String(number % 1_000_000).padStart(6, '0');
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (character) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0'),
  ).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** The first provider admin, with an authenticator app, signed in. */
export async function firstAdmin(served: ServedApp): Promise<SignedInPerson> {
  const made = await served.people.firstRun.newToken();
  if (made === null) throw new Error('There is a provider admin already');
  const person = new SignedInPerson(served, 'root@provider.example', 'violet harbour ninety lamps');
  const { login, password } = person;
  const answer = await person.post('/v1/first-run', { token: made.token, login, name: 'Root', password });
  const { session } = answer.json as { session: { userId: UserId } };
  person.userId = session.userId;
  await person.addTotp();
  return person;
}

/** Somebody who was invited, has activated the account, and is signed in; people of the provider with a second factor. */
export async function invitedPerson(
  served: ServedApp,
  admin: SignedInPerson,
  { login, role, tenant }: { login: string; role: Role; tenant?: TenantId },
): Promise<SignedInPerson> {
  const body = { login, name: `Name of ${login}`, role, tenant };
  const invited = (await admin.post('/v1/invitations', body)).json as unknown as InvitedPerson;
  const person = new SignedInPerson(served, login, `a long password of ${login} 17`);
  person.userId = invited.user.userId;
  const { password } = person;
  await person.post('/v1/invitations/accept', { token: tokenOf(invited.link), password }, 204);
  await person.signIn();
  if (tenant === undefined) await person.addTotp();
  return person;
}

/** The secret of a one-time link. */
export function tokenOf(link: string): string {
  return link.split('#')[1] ?? '';
}
