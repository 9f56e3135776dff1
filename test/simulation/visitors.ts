import { isRefusal, type Refusal } from '../../src/domain/refusal.ts';
import { ownAuthor } from '../../src/operations/audit/record.ts';
import type { House } from '../../src/operations/house.ts';
import { complete, type Purpose } from '../../src/operations/identity/complete.ts';
import type { Proof } from '../../src/operations/identity/proof.ts';
import type { Actor, UserActor } from '../../src/operations/operation.ts';
import { readSession, signOut, type SignedIn } from '../../src/operations/session/open.ts';
import type { Caller } from './caller.ts';
import { ISSUER, type Identities } from './identities.ts';
import type { Mark } from './marks.ts';
import type { Person } from './people.ts';
import { drawReading } from './readings.ts';
import type { Chance } from './random.ts';
import type { Life, Scheduler } from './scheduler.ts';
import type { World } from './world.ts';

export interface VisitorsOptions {
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly world: World;
  readonly caller: Caller;
  readonly identities: Identities;
  /** Everybody who lives here; who signs in for the first time is added. */
  readonly people: Person[];
  readonly mark: (mark: Mark) => void;
}

export interface Visit extends SignedIn {
  readonly proof: Proof;
  readonly userSid: string;
  readonly walletSid: string;
}

const SUBJECTS = 6;
const VISITS_MAX = 40;
const PATIENCE_MS = 20_000;
const CALLER = { address: '192.0.2.1', agent: 'a simulated browser' };

/** People with browsers: they sign in at any process, link, go, come back with what was ended, and are operators now and then. */
export class Visitors {
  readonly #options: VisitorsOptions;
  #visits: Visit[] = [];
  /** Sign-ins by subject: that run or never answered, and that were ever begun. */
  readonly #underWay = new Map<string, number>();
  readonly #begun = new Map<string, number>();

  constructor(options: VisitorsOptions) {
    this.#options = options;
  }

  /** Comes in, for the first time or again. */
  async enter(chance: Chance): Promise<void> {
    await this.#finish(chance, this.#drawProof(chance), { kind: 'sign_in' });
  }

  /** Shows another identity, or the same again, in a session that may have been ended meanwhile elsewhere. */
  async proveOrLink(chance: Chance): Promise<void> {
    const visit = this.#drawVisit(chance);
    if (!visit) return await this.enter(chance);
    const { userSid, sid: sessionSid } = visit;
    const kind = chance.is(0.5) ? 'link' : 'prove';
    const proof = kind === 'prove' && chance.is(0.4) ? visit.proof : this.#drawProof(chance);
    const ended = await this.#finish(chance, proof, { kind, userSid, sessionSid });
    if (ended === null) return;
    const { mark } = this.#options;
    if (isRefusal(ended))
      mark(kind === 'link' ? 'somebody else’s identity is not linked' : 'a proof of another account is refused');
    else mark(kind === 'link' ? 'an identity is linked' : 'somebody shows again who they are');
  }

  /** Uses a session, its own or one that is over, at any process. */
  async use(chance: Chance): Promise<void> {
    const visit = this.#drawVisit(chance);
    if (!visit) return await this.enter(chance);
    const actor = await this.#identify(chance, visit);
    if (actor?.kind === 'user') await this.#read(chance, visit, actor);
  }

  /** Ends a session from inside, or another one of the same account. */
  async leave(chance: Chance): Promise<void> {
    const visit = this.#drawVisit(chance);
    if (!visit) return await this.enter(chance);
    const { userSid, walletSid } = visit;
    if (chance.is(0.5)) {
      await this.at(chance, (house) => signOut(house, visit.token));
      return;
    }
    const actor = await this.#identify(chance, visit);
    if (actor?.kind !== 'user') return;
    const others = this.#visits.filter((one) => one.userSid === userSid && one.sid !== visit.sid);
    const only = others.length > 0 && chance.is(0.5) ? chance.pick(others).sid : null;
    const { caller, identities, world } = this.#options;
    const input = { sid: userSid, ...(only === null ? {} : { session_sid: only }) };
    const asked = {
      operation: 'session.revoke',
      input,
      actor,
      asker: 'user',
      walletSid,
      chance,
      hasKey: false,
    } as const;
    const { attempts } = await caller.call(asked);
    if (!attempts.some(({ status }) => status === 200)) return;
    for (const { sid } of others) {
      if ((only === null || only === sid) && !identities.isEnded(sid))
        world.options.onBreak('J14 what was to end has ended', sid);
    }
  }

  /** Takes an identity away, perhaps the last one, perhaps two at once. */
  async unlink(chance: Chance): Promise<void> {
    const visit = this.#drawVisit(chance);
    const actor = visit && (await this.#identify(chance, visit));
    if (!visit || actor?.kind !== 'user') return await this.enter(chance);
    const { userSid, walletSid } = visit;
    const own = this.#options.identities.of(userSid);
    const asked = chance.is(0.5) ? own : own.slice(0, 1);
    const calls = asked.map((sid) =>
      this.#options.caller.call({
        operation: 'identity.unlink',
        input: { sid: userSid, identity_sid: sid },
        actor,
        asker: 'user',
        walletSid,
        chance,
        hasKey: false,
      }),
    );
    const intents = await Promise.all(calls);
    const statuses = intents.flatMap(({ attempts }) => attempts.map(({ status }) => status));
    if (statuses.includes(409)) this.#options.mark('the last identity stays');
    if (statuses.includes(200)) this.#options.mark('an identity is unlinked');
  }

  /** Somebody who is signed in as a user, this one if asked for; null when that fails, or they are an operator. */
  async somebody(
    chance: Chance,
    userSid?: string,
  ): Promise<{ readonly visit: Visit; readonly actor: UserActor } | null> {
    const visits = userSid === undefined ? this.#visits : this.#visits.filter((one) => one.userSid === userSid);
    if (visits.length === 0) return null;
    // The latest is the likeliest to have been proven within ten minutes.
    const visit = chance.is(0.7) ? visits.at(-1) : chance.pick(visits);
    const actor = visit && (await this.#identify(chance, visit));
    return visit && actor?.kind === 'user' ? { visit, actor } : null;
  }

  /** An admin makes one of the visitors an operator, or ends that: all their sessions end with it. */
  async changeRole(chance: Chance, operator: Actor): Promise<void> {
    const visit = this.#drawVisit(chance);
    if (!visit) return await this.enter(chance);
    const { userSid, walletSid } = visit;
    const isGrant = chance.is(0.4);
    const operation = isGrant ? 'operator.grant' : 'operator.revoke';
    const input = {
      sid: userSid,
      ...(isGrant ? { role: chance.pick(['support', 'auditor', 'finance'] as const) } : {}),
    };
    const { caller, mark, identities, world } = this.#options;
    const before = identities.grantedTo(userSid);
    const open = this.#visits.filter((one) => one.userSid === userSid);
    const asked = { operation, input, actor: operator, asker: 'operator', walletSid, chance, hasKey: false } as const;
    const { attempts } = await caller.call(asked);
    if (!attempts.some(({ status }) => status === 200) || identities.grantedTo(userSid) === before) return;
    mark('a role is granted or taken away');
    for (const { sid } of open)
      if (!identities.isEnded(sid)) world.options.onBreak('J06 sessions end when the role changes', sid);
  }

  #drawProof(chance: Chance): Proof {
    const number = chance.below(SUBJECTS);
    return {
      kind: 'forge',
      issuer: ISSUER,
      subject: `subject-${number}`,
      label: `name ${chance.below(100)}`,
      displayName: `Visitor ${number}`,
      claimedRole: number % 3 === 1 && chance.is(0.4) ? chance.pick(['support', 'auditor']) : null,
    };
  }

  #drawVisit(chance: Chance): Visit | null {
    return this.#visits.length === 0 ? null : chance.pick(this.#visits);
  }

  async #finish(chance: Chance, proof: Proof, purpose: Purpose): Promise<SignedIn | Refusal | null> {
    const { identities, people, mark, world } = this.#options;
    const before = identities.version;
    const owner = identities.ownerOf(proof.subject);
    const { subject } = proof;
    const underWay = (this.#underWay.get(subject) ?? 0) + 1;
    this.#underWay.set(subject, underWay);
    const begun = (this.#begun.get(subject) ?? 0) + 1;
    this.#begun.set(subject, begun);
    const ended = await this.at(chance, (house) =>
      complete(house, { proof, purpose, caller: CALLER, author: ownAuthor(house, 'visit') }),
    );
    // One that never answered may still be at it.
    if (ended === null) return ended;
    this.#underWay.set(subject, (this.#underWay.get(subject) ?? 0) - 1);
    if (isRefusal(ended)) return ended;
    const isAlone = underWay === 1 && this.#begun.get(subject) === begun && purpose.kind !== 'link';
    if (isAlone && identities.claimOf(subject) !== proof.claimedRole)
      world.options.onBreak('J09 a claim lasts until the next sign-in', `${subject}: ${String(proof.claimedRole)}`);
    const { userSid, walletSid } = ended;
    if (userSid === null || walletSid === null) {
      world.options.onBreak('J08 a sign-in leads to a user', proof.subject);
      return ended;
    }
    if (owner !== null && owner !== userSid && identities.hardlyChangedSince(before, proof.subject))
      world.options.onBreak('J08 an identity leads to its owner', `${proof.subject}: ${owner}, and now ${userSid}`);
    if (purpose.kind !== 'sign_in' && userSid !== purpose.userSid)
      world.options.onBreak('J08 accounts are never merged', `${proof.subject}: ${purpose.userSid} became ${userSid}`);
    mark(owner === null ? 'somebody comes for the first time' : 'somebody comes again');
    this.#visits = [...this.#visits, { ...ended, proof, userSid, walletSid }].slice(-VISITS_MAX);
    if (!people.some((person) => person.userSid === userSid)) people.push({ userSid, walletSid });
    return ended;
  }

  /** Whom a process takes the token for; null when it answers nothing, or that nobody has it. */
  async #identify(chance: Chance, visit: Visit): Promise<Actor | null> {
    const { identities, world, mark } = this.#options;
    const wasEnded = identities.isEnded(visit.sid);
    const before = identities.version;
    const role = identities.roleOf(visit.userSid, visit.proof.subject);
    let isAnswered = false;
    const actor = await this.at(chance, async (house) => {
      const read = await readSession(house, visit.token);
      isAnswered = true;
      return read;
    });
    if (!isAnswered) return null;
    if (actor === null) {
      if (wasEnded) mark('an ended session opens nothing');
      return null;
    }
    if (wasEnded) world.options.onBreak('J14 an ended session is dead in every process', visit.sid);
    if (actor.kind !== 'user' && actor.kind !== 'operator') return null;
    if (actor.userSid !== visit.userSid) world.options.onBreak('J06 a session is its owner’s', visit.sid);
    if (identities.version === before) {
      const has = actor.kind === 'operator' ? actor.role : null;
      if (has !== role)
        world.options.onBreak(
          'J09 a role is what list and claim say',
          `${visit.proof.subject}: ${String(has)}, not ${String(role)}`,
        );
      if (has !== null) mark('an operator is one by list or claim');
    }
    return actor;
  }

  async #read(chance: Chance, { walletSid, userSid }: Visit, actor: Actor): Promise<void> {
    const { operation, input } = drawReading(chance, {
      walletSid,
      userSid,
      isOperator: false,
      holds: [],
      payments: [],
    });
    await this.#options.caller.call({ operation, input, actor, asker: 'user', walletSid, chance, hasKey: false });
  }

  /** One request of a browser to one process: it may never answer. Null then, or when the database is away. */
  async at<T>(chance: Chance, ask: (house: House) => Promise<T>): Promise<T | null> {
    const { scheduler, life, world } = this.#options;
    await scheduler.park(life, chance.between(1, 40), 'visit');
    const process = world.pickProcess(chance);
    if (!process) return null;
    const over = new AbortController();
    const patience = scheduler.sleep(life, PATIENCE_MS, over.signal).then(() => null);
    const answer = ask(process.house).catch((error: unknown) => {
      world.judgeFailure('a sign-in', error);
      return null;
    });
    const first = await Promise.race([answer, patience]);
    over.abort('answered');
    return first;
  }
}
