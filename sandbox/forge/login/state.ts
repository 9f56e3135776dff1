import { forgetful, type Keeper } from '../../keeper.ts';
import type { SandboxRandom } from '../../ports.ts';

export interface Person {
  /** The `sub` of their tokens: a number that is never given to somebody else. */
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly email: string;
}

/** That a person let an application in, and with what: a Forge asks once and then sticks to it. */
export interface Grant {
  readonly person: number;
  readonly clientId: string;
  readonly scope: string;
}

export interface LoginChange {
  readonly people?: readonly Person[];
  readonly grants?: readonly Grant[];
}

/** What a code stands for until it is exchanged. */
export interface Code {
  readonly person: Person;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope: string;
  readonly nonce: string | null;
  readonly challenge: string;
  readonly expiresMs: number;
}

export interface Access {
  readonly person: Person;
  readonly scope: string;
}

const SECOND_MS = 1_000;
const CODE_SECONDS = 60;

/** Somebody to be on the first day. */
const PLAY_PEOPLE: readonly Person[] = [
  { id: 1, login: 'ada', name: 'Ada Lovelace', email: 'ada@forge.invalid' },
  { id: 2, login: 'grace', name: 'Grace Hopper', email: 'grace@forge.invalid' },
  { id: 3, login: 'alan', name: 'Alan Turing', email: 'alan@forge.invalid' },
];

/** Who has an account on the simulated Forge and whom they let in. Codes and tokens are gone with the process, people are not. */
export class LoginState {
  readonly people = new Map<number, Person>(PLAY_PEOPLE.map((person) => [person.id, person]));
  readonly #grants = new Map<string, Grant>();
  readonly #codes = new Map<string, Code>();
  readonly #access = new Map<string, Access>();
  readonly #random: SandboxRandom;
  readonly #keeper: Keeper<LoginChange>;

  constructor(random: SandboxRandom, keeper: Keeper<LoginChange> = forgetful) {
    this.#random = random;
    this.#keeper = keeper;
    for (const { people = [], grants = [] } of keeper.read()) {
      for (const person of people) this.people.set(person.id, person);
      for (const grant of grants) this.#grants.set(keyOf(grant), grant);
    }
  }

  /** A new account; null: the name holds nothing that a login can be made of. */
  add(name: string): Person | null {
    const base = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 30);
    if (base === '') return null;
    const isTaken = (login: string): boolean => [...this.people.values()].some((person) => person.login === login);
    let login = base;
    for (let number = 2; isTaken(login); number += 1) login = `${base}-${number}`;
    const id = Math.max(...this.people.keys()) + 1;
    const person = { id, login, name: name.trim().slice(0, 100), email: `${login}@forge.invalid` };
    this.people.set(id, person);
    this.#keeper.append({ people: [person] });
    return person;
  }

  grantOf(person: Person, clientId: string): Grant | null {
    return this.#grants.get(keyOf({ person: person.id, clientId })) ?? null;
  }

  grant(grant: Grant): void {
    this.#grants.set(keyOf(grant), grant);
    this.#keeper.append({ grants: [grant] });
  }

  addCode(code: Omit<Code, 'expiresMs'>, now: Date): string {
    const text = this.#secret('gta_');
    this.#codes.set(text, { ...code, expiresMs: now.getTime() + CODE_SECONDS * SECOND_MS });
    return text;
  }

  /** Gone when it was asked for once, whatever becomes of the question. */
  takeCode(text: string, now: Date): Code | null {
    const code = this.#codes.get(text);
    this.#codes.delete(text);
    return code === undefined || code.expiresMs < now.getTime() ? null : code;
  }

  addAccess(access: Access): string {
    const token = this.#secret('');
    this.#access.set(token, access);
    return token;
  }

  accessOf(token: string): Access | null {
    return this.#access.get(token) ?? null;
  }

  #secret(prefix: string): string {
    return `${prefix}${Buffer.from(this.#random.bytes(28)).toString('hex')}`;
  }
}

const keyOf = ({ person, clientId }: Pick<Grant, 'person' | 'clientId'>): string => `${person} ${clientId}`;
