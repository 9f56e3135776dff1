import { readKey } from '../../src/operations/key/read-key.ts';
import type { Actor, UserActor } from '../../src/operations/operation.ts';
import { textIn, type Caller } from './caller.ts';
import type { Identities } from './identities.ts';
import type { Mark } from './marks.ts';
import type { Chance } from './random.ts';
import { drawReading } from './readings.ts';
import type { Visit, Visitors } from './visitors.ts';
import type { World } from './world.ts';

export interface KeyHoldersOptions {
  readonly world: World;
  readonly caller: Caller;
  readonly identities: Identities;
  readonly visitors: Visitors;
  readonly mark: (mark: Mark) => void;
}

/** A secret that somebody was told, good or not any more. */
interface Told {
  readonly sid: string;
  readonly text: string;
  readonly visit: Visit;
  readonly scope: 'read' | 'top_up' | 'spend';
}

const TOLD_MAX = 40;

/** Scripts of the people who sign in: with keys that are made, rotated, revoked, and used long after. */
export class KeyHolders {
  readonly #options: KeyHoldersOptions;
  #told: Told[] = [];

  constructor(options: KeyHoldersOptions) {
    this.#options = options;
  }

  async make(chance: Chance): Promise<void> {
    const signedIn = await this.#options.visitors.somebody(chance);
    if (signedIn === null) return;
    const scope = chance.pick(['read', 'read', 'top_up', 'spend'] as const);
    const intent = await this.#ask(chance, signedIn, 'key.create', { name: 'a script', scopes: [scope] });
    this.#keep(intent, 201, signedIn.visit, scope);
    if (intent.attempts.some(({ status }) => status === 403)) this.#options.mark('an old sign-in makes no key');
  }

  /** A new secret; the old one is good for a while, or not at all. */
  async rotate(chance: Chance): Promise<void> {
    const told = this.#draw(chance);
    if (!told) return await this.make(chance);
    const signedIn = await this.#options.visitors.somebody(chance, told.visit.userSid);
    if (signedIn === null) return;
    const overlap = chance.is(0.5) ? 0 : 3_600;
    const intent = await this.#ask(chance, signedIn, 'key.rotate', { sid: told.sid, overlap_seconds: overlap });
    if (this.#keep(intent, 200, signedIn.visit, told.scope)) this.#options.mark('a key is rotated');
  }

  async revoke(chance: Chance): Promise<void> {
    const told = this.#draw(chance);
    const signedIn = told && (await this.#options.visitors.somebody(chance, told.visit.userSid));
    if (!told || !signedIn) return await this.make(chance);
    await this.#ask(chance, signedIn, 'key.revoke', { sid: told.sid });
  }

  async use(chance: Chance): Promise<void> {
    const told = this.#draw(chance);
    if (!told) return await this.make(chance);
    const { identities, world, mark, visitors } = this.#options;
    const [, keyId = ''] = told.text.split('_');
    const wasOver = identities.isKeyOver(keyId);
    let isAnswered = false;
    const actor: Actor | null = await visitors.at(chance, async (house) => {
      const read = await readKey(house, told.text);
      isAnswered = true;
      return read;
    });
    if (!isAnswered) return;
    if (actor === null) {
      if (wasOver) mark('a key that is over opens nothing');
      return;
    }
    if (wasOver) world.options.onBreak('J20 a key that is over is dead in every process', told.sid);
    if (actor.kind !== 'user' || actor.userSid !== told.visit.userSid)
      return world.options.onBreak('J20 a key is its owner’s', told.sid);
    await this.#work(chance, told, actor);
  }

  /** Reads or spends: what the scope does not name is refused, and nothing comes of it. */
  async #work(chance: Chance, { scope, visit }: Told, actor: UserActor): Promise<void> {
    const { caller, mark } = this.#options;
    const { walletSid, userSid } = visit;
    const isSpending = chance.is(0.4);
    const { operation, input } = isSpending
      ? { operation: 'billing.debit', input: { sid: walletSid, amount: '0.02', description: 'deed' } }
      : drawReading(chance, { walletSid, userSid, isOperator: false, holds: [], payments: [] });
    const isMeant = scope === (isSpending ? 'spend' : 'read');
    const asker = isMeant ? 'user' : 'foreign';
    await caller.call({ operation, input, actor, asker, walletSid, chance, hasKey: isSpending });
    mark(isMeant ? 'a key does what it is for' : 'a key does not do what it is not for');
  }

  #keep(intent: Parameters<typeof textIn>[0], status: number, visit: Visit, scope: Told['scope']): boolean {
    const [text, sid] = [textIn(intent, status, 'key'), textIn(intent, status, 'sid')];
    if (text === null || sid === null) return false;
    this.#told = [...this.#told, { sid, text, visit, scope }].slice(-TOLD_MAX);
    return true;
  }

  #draw(chance: Chance): Told | null {
    return this.#told.length === 0 ? null : chance.pick(this.#told);
  }

  #ask(
    chance: Chance,
    { visit, actor }: { readonly visit: Visit; readonly actor: UserActor },
    operation: string,
    input: Readonly<Record<string, unknown>>,
  ) {
    const { walletSid } = visit;
    return this.#options.caller.call({ operation, input, actor, asker: 'user', walletSid, chance, hasKey: false });
  }
}
