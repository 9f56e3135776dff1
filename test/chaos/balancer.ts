import type { Dice } from './dice.ts';
import type { Server } from './server.ts';

/** So long a server that did not answer is left alone, mostly. */
const AVOIDED_FOR_MS = 1_500;
/** So many go to any server all the same: who stands before several never knows for sure, and a recovery must be seen. */
const BLIND = 0.15;

/** Sends what comes to servers that answered last, as whatever stands before several servers does: one that hangs holds few. */
export class Balancer {
  readonly #servers: readonly Server[];
  readonly #avoidedUntilMs = new Map<number, number>();

  constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  pick(dice: Dice): Server {
    const nowMs = performance.now();
    const well = this.#servers.filter(({ number }) => (this.#avoidedUntilMs.get(number) ?? 0) <= nowMs);
    return dice.pick(well.length === 0 || dice.chance(BLIND) ? this.#servers : well);
  }

  met(server: Server, isServed: boolean): void {
    if (isServed) this.#avoidedUntilMs.delete(server.number);
    else this.#avoidedUntilMs.set(server.number, performance.now() + AVOIDED_FOR_MS);
  }
}
