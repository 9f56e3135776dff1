import { pruneInvitations } from '../../store/invitation.ts';
import type { House } from '../house.ts';

/** Long over by then; who came by which is in the audit rows. */
const KEPT_DAYS = 90;
const DAY_MS = 86_400_000;
const ROWS_MAX = 5_000;

/** Forgets invitations older than 90 days: the addresses in them are somebody's. Safe to: run twice, concurrently, and late. */
export async function pruneOldInvitations({ db, ports }: House): Promise<void> {
  await pruneInvitations(db, new Date(ports.clock.now().getTime() - KEPT_DAYS * DAY_MS), ROWS_MAX);
}
