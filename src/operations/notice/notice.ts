import { z } from 'zod';
import type { QuietHours } from '../../domain/standing/quiet-hours.ts';
import { sidField } from '../schema.ts';

const CLOCK = /^([01][0-9]|2[0-3]):[0-5][0-9]$/;

const clockField = z.string().regex(CLOCK, 'must be a time of day such as 22:00');

export const quietHoursFields = {
  from: clockField.describe('When they begin, by the clock of the zone.'),
  until: clockField.describe('When they end; earlier than from: on the next day.'),
  zone: z.string().min(1).max(64).describe('A name of the IANA time zone database, such as Africa/Dar_es_Salaam.'),
};

/** When a user is not written to. */
export const noticeSchema = z
  .object({
    user_sid: sidField,
    quiet_hours: z.object(quietHoursFields).nullable().describe('Null: mail may come at any time.'),
  })
  .meta({ id: 'NoticeSetting' });

export const toNotice = (userSid: string, quiet: QuietHours | null): z.input<typeof noticeSchema> => ({
  user_sid: userSid,
  quiet_hours: quiet && { from: toClock(quiet.from), until: toClock(quiet.until), zone: quiet.zone },
});

/** `07:30` as minutes of the day. */
export const fromClock = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

const toClock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
