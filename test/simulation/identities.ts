import { strongestRole, type OperatorRole } from '../../src/domain/identity/role.ts';
import type { Break } from './ledger-model.ts';

export const ISSUER = 'https://forge.invalid';
/** Whom the world's configuration makes an operator. */
export const LISTED_SUBJECT = 'subject-0';
export const LISTED_ROLE: OperatorRole = 'finance';

interface Row {
  readonly sid: string;
  readonly user_sid: string;
  readonly subject: string;
  readonly claimed_role: OperatorRole | null;
}

/** Who has which identity and which sessions are over, as the last commit left it: read from the rows, not from answers. */
export class Identities {
  /** Rises with each commit that changed an identity or ended a session. */
  version = 0;
  readonly #changedAt = new Map<string, number>();
  readonly #ended = new Set<string>();
  #granted: ReadonlyMap<string, OperatorRole> = new Map();
  #goodKeys: ReadonlySet<string> = new Set();
  readonly #everHad = new Set<string>();
  #rows: readonly Row[] = [];

  async afterCommit(read: <R>(text: string) => Promise<R[]>): Promise<void> {
    this.version += 1;
    const before = new Map(this.#rows.map((row) => [row.subject, row.user_sid]));
    this.#rows = await read<Row>('select sid, user_sid, subject, claimed_role from identity order by sid');
    const now = new Map(this.#rows.map((row) => [row.subject, row.user_sid]));
    for (const subject of new Set([...before.keys(), ...now.keys()]))
      if (before.get(subject) !== now.get(subject)) this.#changedAt.set(subject, this.version);
    for (const { user_sid: userSid } of this.#rows) this.#everHad.add(userSid);
    for (const { sid } of await read<{ sid: string }>('select sid from session where revoked_at is not null'))
      this.#ended.add(sid);
    const granted = await read<{ user_sid: string; role: OperatorRole }>('select user_sid, role from operator_role');
    this.#granted = new Map(granted.map(({ user_sid: userSid, role }) => [userSid, role]));
    const keys = await read<{ key_id: string; old_key_id: string | null; revoked_at: Date | null }>(
      'select key_id, old_key_id, revoked_at from key',
    );
    this.#goodKeys = new Set(
      keys
        .filter(({ revoked_at: revokedAt }) => revokedAt === null)
        .flatMap(({ key_id: keyId, old_key_id: old }) => (old === null ? [keyId] : [keyId, old])),
    );
  }

  /** The user's sid; null while nobody has it. */
  ownerOf(subject: string): string | null {
    return this.#rows.find((row) => row.subject === subject)?.user_sid ?? null;
  }

  claimOf(subject: string): OperatorRole | null {
    return this.#rows.find((row) => row.subject === subject)?.claimed_role ?? null;
  }

  of(userSid: string): string[] {
    return this.#rows.filter((row) => row.user_sid === userSid).map(({ sid }) => sid);
  }

  isEnded(sessionSid: string): boolean {
    return this.#ended.has(sessionSid);
  }

  /** What an admin made of the user; null: nothing. */
  grantedTo(userSid: string): OperatorRole | null {
    return this.#granted.get(userSid) ?? null;
  }

  /** Whether no key has this public half any more, be it that it was revoked or that two rotations have passed over it. */
  isKeyOver(keyId: string): boolean {
    return !this.#goodKeys.has(keyId);
  }

  /** Whether the subject's owner stayed the same since that version. */
  hardlyChangedSince(version: number, subject: string): boolean {
    return (this.#changedAt.get(subject) ?? 0) <= version;
  }

  /** Of a session that was opened with the subject. */
  roleOf(userSid: string, subject: string): OperatorRole | null {
    const own = this.#rows.filter((row) => row.user_sid === userSid);
    const isListed = own.some((row) => row.subject === LISTED_SUBJECT);
    const claimed = own.find((row) => row.subject === subject)?.claimed_role ?? null;
    return strongestRole([this.#granted.get(userSid) ?? null, isListed ? LISTED_ROLE : null, claimed]);
  }

  judge(breaks: Break): void {
    const have = new Set(this.#rows.map((row) => row.user_sid));
    for (const userSid of this.#everHad)
      if (!have.has(userSid)) breaks('D-18 the last identity stays', `user ${userSid} can sign in no more`);
  }
}
