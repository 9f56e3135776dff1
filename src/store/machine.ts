import { statement, type Statement, type Tx } from './db.ts';

export const MACHINE_STATES = ['free', 'allocated', 'cleaning', 'removed'] as const;
export type MachineState = (typeof MACHINE_STATES)[number];

/** A place of the pool. */
export interface MachineRow {
  readonly id: bigint;
  readonly sid: string;
  readonly host: string;
  readonly address: string;
  readonly size: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: MachineState;
  /** Given to nobody any more. */
  readonly isDraining: boolean;
  /** Free again as soon as it is given back. */
  readonly cleansItself: boolean;
  /** Whether its VM is to stand still. */
  readonly isStopped: boolean;
  readonly createdAt: Date;
  readonly changedAt: Date;
  /** Who is on it; null: nobody. */
  readonly allocation: MachineUse | null;
}

/** What whoever looks after a machine has to know of the VM on it. */
export interface MachineUse {
  readonly sid: string;
  readonly state: string;
  readonly name: string;
  readonly userSid: string;
  readonly sshKeys: readonly string[];
}

interface MachineRecord extends Record<string, unknown> {
  id: bigint;
  sid: string;
  host: string;
  address: string;
  size: string;
  labels: Record<string, string>;
  state: MachineState;
  is_draining: boolean;
  cleans_itself: boolean;
  is_stopped: boolean;
  created_at: Date;
  changed_at: Date;
  use_sid: string | null;
  use_state: string | null;
  use_name: string | null;
  use_user_sid: string | null;
  use_ssh_keys: string[] | null;
}

const fromRow = (row: MachineRecord): MachineRow => ({
  id: row.id,
  sid: row.sid,
  host: row.host,
  address: row.address,
  size: row.size,
  labels: row.labels,
  state: row.state,
  isDraining: row.is_draining,
  cleansItself: row.cleans_itself,
  isStopped: row.is_stopped,
  createdAt: row.created_at,
  changedAt: row.changed_at,
  allocation:
    row.use_sid === null
      ? null
      : {
          sid: row.use_sid,
          state: row.use_state ?? '',
          name: row.use_name ?? '',
          userSid: row.use_user_sid ?? '',
          sshKeys: row.use_ssh_keys ?? [],
        },
});

const SELECT = `select machine.id, machine.sid, machine.host, machine.address, machine.size, machine.labels, machine.state, machine.is_draining,
    machine.cleans_itself, machine.is_stopped, machine.created_at, machine.changed_at, used.sid as use_sid, used.state as use_state,
    used.name as use_name, used.user_sid as use_user_sid, used.ssh_keys as use_ssh_keys
  from machine left join allocation as used
    on used.machine = machine.id and used.state in ('requested', 'active', 'suspended', 'releasing')`;

export interface NewMachine {
  readonly sid: string;
  readonly host: string;
  readonly address: string;
  readonly size: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cleansItself: boolean;
}

const insertStatement = statement(
  'machine.insert',
  `insert into machine (sid, host, address, size, labels, state, cleans_itself, created_at, created_by, changed_at)
   select made.sid, made.host, made.address, made.size, made.labels::jsonb, 'free', made.cleans_itself, $7, $8, $7
   from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[]) as made (sid, host, address, size, labels, cleans_itself)
   order by made.sid on conflict do nothing returning sid`,
);

/** Answers the sids of those that were added; one whose address is in the pool already is not. */
export async function insertMachines(
  tx: Tx,
  machines: readonly NewMachine[],
  by: { readonly now: Date; readonly actor: string },
): Promise<string[]> {
  const column = <T>(of: (machine: NewMachine) => T): T[] => machines.map(of);
  const rows = await tx.query<{ sid: string }>(insertStatement, [
    column(({ sid }) => sid),
    column(({ host }) => host),
    column(({ address }) => address),
    column(({ size }) => size),
    column(({ labels }) => JSON.stringify(labels)),
    column(({ cleansItself }) => cleansItself),
    by.now,
    by.actor,
  ]);
  return rows.map(({ sid }) => sid);
}

const hasAnyStatement = statement('machine.has_any', `select exists (select from machine) as found`);

/** Whether the pool has ever had a machine. */
export async function hasMachines(tx: Tx): Promise<boolean> {
  const [row] = await tx.query<{ found: boolean }>(hasAnyStatement);
  return row?.found ?? false;
}

const readStatement = statement('machine.read', `${SELECT} where machine.sid = $1`);
const lockStatement = statement('machine.lock', `select sid from machine where sid = $1 for no key update`);

export async function readMachine(tx: Tx, sid: string): Promise<MachineRow | null> {
  const [row] = await tx.query<MachineRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

/** Whoever needs the allocation on it too locks that first. */
export async function lockMachine(tx: Tx, sid: string): Promise<MachineRow | null> {
  const locked = await tx.query(lockStatement, [sid]);
  return locked.length === 0 ? null : readMachine(tx, sid);
}

const readByIdStatement = statement('machine.read_by_id', `${SELECT} where machine.id = $1`);

export async function readMachineById(tx: Tx, id: bigint): Promise<MachineRow | null> {
  const [row] = await tx.query<MachineRecord>(readByIdStatement, [id]);
  return row ? fromRow(row) : null;
}

const bySidStatement = statement(
  'machine.list_by_sid',
  `${SELECT} where machine.sid = any($1::text[]) order by machine.sid`,
);

/** In the order of their sids. */
export async function listMachinesBySid(tx: Tx, sids: readonly string[]): Promise<MachineRow[]> {
  return (await tx.query<MachineRecord>(bySidStatement, [sids])).map(fromRow);
}

const listStatement = statement(
  'machine.list',
  `${SELECT} where ($1::text is null or machine.sid < $1) and ($2::text is null or machine.state = $2)
     and ($3::text is null or machine.size = $3) and ($2::text is not null or machine.state <> 'removed')
   order by machine.sid desc limit $4`,
);

/** Newest first; removed ones only if they are asked for. */
export async function listMachines(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly state: MachineState | null;
    readonly size: string | null;
    readonly limit: number;
  },
): Promise<MachineRow[]> {
  return (await tx.query<MachineRecord>(listStatement, [page.before, page.state, page.size, page.limit])).map(fromRow);
}

export interface PoolCount {
  readonly size: string;
  readonly free: number;
  readonly allocated: number;
  readonly cleaning: number;
  /** Of all of them. */
  readonly draining: number;
}

const countStatement = statement(
  'machine.count',
  `select size, count(*) filter (where state = 'free' and not is_draining)::int4 as free,
          count(*) filter (where state = 'allocated')::int4 as allocated, count(*) filter (where state = 'cleaning')::int4 as cleaning,
          count(*) filter (where is_draining)::int4 as draining
   from machine where state <> 'removed' group by size order by size`,
);

/** What the pool has, by size. */
export async function countMachines(tx: Tx): Promise<PoolCount[]> {
  return await tx.query<PoolCount & Record<string, unknown>>(countStatement);
}

const updateStatement = statement(
  'machine.update',
  `update machine set labels = $2::jsonb, state = $3, is_draining = $4, cleans_itself = $5, is_stopped = $6, changed_at = $7 where sid = $1`,
);

export async function updateMachine(tx: Tx, machine: MachineRow, now: Date): Promise<void> {
  await tx.query(updateStatement, [
    machine.sid,
    JSON.stringify(machine.labels),
    machine.state,
    machine.isDraining,
    machine.cleansItself,
    machine.isStopped,
    now,
  ]);
}

const takeStatement = statement(
  'machine.take',
  `update machine set state = 'allocated', is_stopped = false, changed_at = $2
   where id = (select id from machine where state = 'free' and not is_draining and size = $1 order by id limit 1 for no key update skip locked)
   returning id`,
);
const takeWaitingStatement = statement(
  'machine.take_waiting',
  `update machine set state = 'allocated', is_stopped = false, changed_at = $2
   where id = (select id from machine where state = 'free' and not is_draining and size = $1 order by id limit 1 for no key update)
     and state = 'free' and not is_draining
   returning id`,
);

/**
 * Takes a free machine of a size, and nobody else has it. Null: none is free, or each that is free is locked by somebody.
 *
 * Who is locked is being taken by somebody else: the next one is as good, and nobody waits.
 */
export const takeMachine = (tx: Tx, size: string, now: Date): Promise<bigint | null> =>
  take(tx, takeStatement, size, now);

/**
 * The same, waiting for each that is locked. Whoever has it may still let it go (a transaction that rolls back, a label that is changed), so only
 * a null of this one says that none is free.
 *
 * In a transaction that has tried nothing else: it locks in the order of ids, and keeps the locks of those that it found taken. So does the
 * other one, in any order: who waits with such a lock meets another who does.
 */
export const takeMachineWaiting = (tx: Tx, size: string, now: Date): Promise<bigint | null> =>
  take(tx, takeWaitingStatement, size, now);

async function take(tx: Tx, taking: Statement, size: string, now: Date): Promise<bigint | null> {
  const [taken] = await tx.query<{ id: bigint }>(taking, [size, now]);
  return taken?.id ?? null;
}
