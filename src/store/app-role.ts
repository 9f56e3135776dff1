import type { Session } from './postgres.ts';

/** Two databases of one cluster can be migrated at once, and roles belong to the cluster: losers of the race retry. */
const ATTEMPTS_MAX = 20;
const RACED = new Set(['42710', '23505', 'XX000', '40001']);

/**
 * Makes the application's role, which owns nothing of the ledger and cannot log in: whoever connects becomes it.
 * Throws a sentence when the present user may neither create roles nor use it.
 *
 * A session keeps what it found of its memberships, and PostgreSQL can miss that another granted one while it looked: such a session
 * may not become the role for as long as it lives. So each attempt has a session of its own, and only one opened after a grant judges.
 */
export async function makeAppRole(open: () => Promise<Session>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const session = await open();
    try {
      const grant = await missingGrant(session);
      if (grant === null) return;
      await session.query(grant);
      if (attempt >= ATTEMPTS_MAX) throw new Error(NOT_ALLOWED);
    } catch (error) {
      const code = codeOf(error);
      if (code === '42501') throw new Error(NOT_ALLOWED, { cause: error });
      if (attempt >= ATTEMPTS_MAX || code === null || !RACED.has(code)) throw error;
    } finally {
      await session.close();
    }
  }
}

const NOT_ALLOWED =
  'The database user may not make the role hero_onboarding_app, or may not become it. Let an administrator run: ' +
  'create role hero_onboarding_app nologin; grant hero_onboarding_app to <the user of DATABASE_URL>;';

/** Makes the role where there is none, and answers what the present user lacks to become it. */
async function missingGrant(session: Session): Promise<string | null> {
  const found = await session.query(`select 1 from pg_roles where rolname = 'hero_onboarding_app'`);
  if (found.length === 0) {
    await session.query(
      'create role hero_onboarding_app nologin nosuperuser nocreatedb nocreaterole noreplication nobypassrls',
    );
  }
  const [right] = await session.query(MAY_BECOME_IT);
  if (right?.['is_enough'] === true) return null;
  return `grant hero_onboarding_app to current_user${right?.['has_options'] === true ? ' with set true, inherit true' : ''}`;
}

/** Since PostgreSQL 16 the maker of a role is its member and yet may neither become it nor own things through it. */
const MAY_BECOME_IT = `
  select has_options, case when has_options
    then pg_has_role(current_user, 'hero_onboarding_app', 'set')
      and pg_has_role(current_user, 'hero_onboarding_app', 'usage')
    else pg_has_role(current_user, 'hero_onboarding_app', 'member')
  end as is_enough
  from (select current_setting('server_version_num')::int >= 160000 as has_options) as server`;

const codeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
