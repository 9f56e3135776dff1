import { describe } from 'vitest';
import { isRefusal } from '../../src/domain/refusal.ts';
import { openIntent } from '../../src/operations/allocation/request.ts';
import { ownAuthor } from '../../src/operations/audit/record.ts';
import { machineConfirmClean } from '../../src/operations/machine/confirm-clean.ts';
import { provisionerContract, type ProvisionerBench } from '../contract/provisioner.ts';
import { vmStory } from './vm-story.ts';

/** As many as the contract asks for at once. */
const PLACES = 10;

async function open(): Promise<ProvisionerBench> {
  const told = await vmStory(3);
  const wallet = await told.renter('vm-10', 20n);
  await told.machines(PLACES, { cleans_itself: true });
  const provisioner = told.house.provisioners.get('pool');
  if (!provisioner) throw new Error('the pool is always there');
  const run = (name: string, text: string, values: readonly unknown[] = []) =>
    told.database.owner.query({ name: `test.${name}`, text }, values);
  /** The intent of each is committed before the provisioner is asked. */
  const asked = new Map<number, ReturnType<ProvisionerBench['wanted']>>();
  const intend = async (number: number) => {
    const idem = `00000000-0000-4000-8000-${String(number).padStart(11, '0')}0`;
    const wish = { wallet: wallet.id, userSid: wallet.userSid, name: `vm-${number}`, sshKeys: [], stopOrder: 0 };
    const row = await told.database.db.transaction('test.intent', (tx) =>
      openIntent(tx, told.house, { ...wish, idem, fingerprint: idem }, ownAuthor(told.house, 'test')),
    );
    if (isRefusal(row)) throw new Error(row.message);
    return { ...row, allocationSid: row.sid };
  };
  return {
    provisioner,
    wanted: (number) => {
      const made = asked.get(number) ?? intend(number);
      asked.set(number, made);
      return made;
    },
    places: async (count) => {
      await run(
        'places',
        `update machine set is_draining = id not in (select id from machine order by state = 'free', id limit $1)`,
        [count],
      );
    },
    cleansSlowly: async () => void (await run('slowly', 'update machine set cleans_itself = false')),
    clean: async (sid) => {
      const [row] = await run(
        'where',
        'select machine.sid from machine join allocation on machine = machine.id where allocation.sid = $1',
        [sid],
      );
      const answer = await told.operator(machineConfirmClean, { sid: String(row?.['sid']) });
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.json));
    },
    count: async () => {
      const [row] = await run('count', `select count(*)::int4 as count from machine where state = 'allocated'`);
      return Number(row?.['count']);
    },
    trouble: null,
    close: () => told.close(),
  };
}

describe('the pool', () => {
  provisionerContract('the pool', open);
});
