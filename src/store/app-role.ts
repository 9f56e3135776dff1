import type { Session } from './postgres.ts';

/** Two databases of one cluster can be migrated at once, and roles belong to the cluster: losers of the race retry. */
const ATTEMPTS_MAX = 20;
const RACED = new Set(['42710', '23505', 'XX000', '40001']);

/**
 * Makes the application's role, which owns nothing of the ledger and cannot log in: whoever connects becomes it.
 * Throws a sentence when the present user may neither create roles nor use it.
 */
export async function makeAppRole(session: Session): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await makeOnce(session);
      return;
    } catch (error) {
      const code = codeOf(error);
      if (code === '42501') throw new Error(NOT_ALLOWED, { cause: error });
      if (attempt >= ATTEMPTS_MAX || code === null || !RACED.has(code)) throw error;
    }
  }
}

const NOT_ALLOWED =
  'The database user may not make the role hero_onboarding_app, or may not become it. Let an administrator run: ' +
  'create role hero_onboarding_app nologin; grant hero_onboarding_app to <the user of DATABASE_URL>;';

async function makeOnce(session: Session): Promise<void> {
  const found = await session.query(`select 1 from pg_roles where rolname = 'hero_onboarding_app'`);
  if (found.length === 0) {
    await session.query(
      'create role hero_onboarding_app nologin nosuperuser nocreatedb nocreaterole noreplication nobypassrls',
    );
  }
  const [right] = await session.query(MAY_BECOME_IT);
  if (right?.['is_enough'] !== true) await session.query('grant hero_onboarding_app to current_user');
}

/** Since PostgreSQL 16 the maker of a role is its member and yet may neither become it nor own things through it. */
const MAY_BECOME_IT = `
  select case
    when current_setting('server_version_num')::int < 160000
      then pg_has_role(current_user, 'hero_onboarding_app', 'member')
    else pg_has_role(current_user, 'hero_onboarding_app', 'set')
      and pg_has_role(current_user, 'hero_onboarding_app', 'usage')
  end as is_enough`;

const codeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
