import type { Person } from '../people.ts';
import type { Chance } from '../random.ts';
import type { World } from '../world.ts';
import { Landlords } from './landlords.ts';
import { RentingPace } from './pace.ts';
import { Renters, type RentersOptions } from './renters.ts';

type Deed = (chance: Chance, person: Person) => Promise<void>;

/** Who rents and who rents out, and how time passes for them. */
export class RentingLife {
  readonly #renters: Renters;
  readonly #landlords: Landlords;
  readonly #pace: RentingPace;

  constructor(options: RentersOptions & { readonly world: World }) {
    const { scheduler, life, ask, world } = options;
    this.#renters = new Renters(options);
    this.#landlords = new Landlords({ scheduler, life, ask, renters: this.#renters });
    this.#pace = new RentingPace(world, scheduler, life);
  }

  moveIn(chance: Chance, anybody: Person): Promise<void> {
    return this.#landlords.moveIn(chance, anybody);
  }

  pause(number: number, chance: Chance): Promise<void> {
    return this.#pace.pause(number, chance);
  }

  deeds(): (readonly [Deed, number])[] {
    const [renters, landlords] = [this.#renters, this.#landlords];
    return [
      [(...deed) => renters.fund(...deed), 5],
      [(...deed) => renters.buy(...deed), 4],
      [(...deed) => renters.buyAtOnce(...deed), 0.5],
      [(...deed) => renters.change(...deed), 4],
      [(...deed) => renters.cancel(...deed), 1.5],
      [(...deed) => renters.resume(...deed), 1],
      [(...deed) => renters.end(...deed), 0.2],
      [(...deed) => renters.atTheEnd(...deed), 3],
      [(...deed) => renters.want(...deed), 4],
      [(...deed) => renters.wantMany(...deed), 1.5],
      [(...deed) => renters.giveBack(...deed), 2],
      [(...deed) => renters.reorder(...deed), 0.3],
      [(...deed) => renters.rescue(...deed), 1],
      [(...deed) => renters.look(...deed), 2],
      [(...deed) => landlords.add(...deed), 0.5],
      [(...deed) => landlords.clean(...deed), 4],
      [(...deed) => landlords.drain(...deed), 0.7],
      [(...deed) => landlords.give(...deed), 3],
      [(...deed) => landlords.revoke(...deed), 0.8],
      [(...deed) => landlords.sayDown(...deed), 2.5],
      [(...deed) => landlords.takeBack(...deed), 0.2],
      [(...deed) => landlords.freeze(...deed), 0.5],
      [(...deed) => landlords.setPrice(...deed), 0.5],
      [(...deed) => landlords.releaseNow(...deed), 0.4],
    ];
  }
}
