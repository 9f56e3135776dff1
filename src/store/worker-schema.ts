import type { Session } from './postgres.ts';

export const WORKER_SCHEMA = 'graphile_worker';

/**
 * Makes the application's role the owner of the job runner's schema and of all in it.
 *
 * Its tables have row level security without a policy: only an owner sees rows. The role gets no other power by it.
 * Safe to: run again; what is already handed over is left alone. Answers how many objects changed hands.
 */
export async function handOverWorkerSchema(session: Session): Promise<number> {
  const commands = await session.query(NOT_YET_OURS, [WORKER_SCHEMA]);
  for (const { command } of commands) await session.query(String(command));
  return commands.length;
}

/**
 * Writes the commands in the database, where the names can be quoted. The schema comes first: an owner of a table must be
 * allowed to create in its schema. Sequences of a column, indexes and row types go with their table; array types with
 * their element.
 */
const NOT_YET_OURS = `
  select command from (
    select 1 as step, format('alter schema %I owner to hero_onboarding_app', n.nspname) as command
      from pg_namespace n
      where n.nspname = $1 and n.nspowner <> 'hero_onboarding_app'::regrole
    union all
    select 2, format(
        case c.relkind when 'S' then 'alter sequence %s' when 'v' then 'alter view %s' else 'alter table %s' end
        || ' owner to hero_onboarding_app', c.oid::regclass)
      from pg_class c
      where c.relnamespace = $1::regnamespace and c.relowner <> 'hero_onboarding_app'::regrole
        and c.relkind in ('r', 'p', 'v', 'S')
        and not exists (
          select from pg_depend d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid and c.relkind = 'S' and d.deptype in ('a', 'i'))
    union all
    select 3, format('alter routine %s owner to hero_onboarding_app', p.oid::regprocedure)
      from pg_proc p
      where p.pronamespace = $1::regnamespace and p.proowner <> 'hero_onboarding_app'::regrole
    union all
    select 4, format('alter type %s owner to hero_onboarding_app', t.oid::regtype)
      from pg_type t
      left join pg_class c on c.oid = t.typrelid
      where t.typnamespace = $1::regnamespace and t.typowner <> 'hero_onboarding_app'::regrole
        and (t.typtype in ('d', 'e') or c.relkind = 'c')
  ) commands
  order by step, command`;
