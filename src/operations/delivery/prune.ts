import { pruneDeliveries } from '../../store/delivery.ts';
import { pruneEvents } from '../../store/event.ts';
import { pruneMails } from '../../store/mail.ts';
import type { House } from '../house.ts';

const KEPT_DAYS = 90;
const DAY_MS = 86_400_000;
const ROWS_MAX = 5_000;

/** Forgets deliveries, mail and events older than 90 days. What is still due stays, and with it its event. */
export async function pruneOldEvents({ db, ports }: House): Promise<void> {
  const oldest = new Date(ports.clock.now().getTime() - KEPT_DAYS * DAY_MS);
  await db.transaction('event.prune', async (tx) => {
    await pruneDeliveries(tx, oldest, ROWS_MAX);
    await pruneMails(tx, oldest, ROWS_MAX);
    await pruneEvents(tx, oldest, ROWS_MAX);
  });
}
