import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import type { OutageSubject, Span } from '../../domain/outage/outage.ts';
import { listDownVms, type DownVm } from '../../store/outage.ts';
import { previewCorrection, previewSchema } from '../correction/preview.ts';
import type { House } from '../house.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { usageOf } from './end-open.ts';
import { sharesOf } from './shares.ts';

/** What one request looks at: some seconds. */
const PREVIEW_VMS_MAX = 5_000;
const STEP_VMS = 500;
const SHOWN_VMS = 50;

export const outagePreviewSchema = z
  .object({
    until: instant.describe('Until when it was reckoned: now, for one that goes on.'),
    usage: previewSchema.nullable().describe('Of a node: which usage would be taken back. Null for VMs.'),
    vms: z.int().describe('VMs that would be given something back for.'),
    returned: signedAmount.describe('What their wallets would be given.'),
    is_complete: z.boolean().describe(`False: only the first ${PREVIEW_VMS_MAX} VMs were looked at.`),
    lines: z
      .array(
        z.object({
          allocation_sid: sidField,
          name: z.string(),
          wallet_sid: sidField,
          from: instant,
          until: instant,
          down_seconds: z.int().describe('Down, paid for, and not given back for yet.'),
          amount: signedAmount,
        }),
      )
      .describe('The first of them.'),
  })
  .meta({ id: 'OutagePreview' });

type Preview = z.input<typeof outagePreviewSchema>;

export interface Subject {
  readonly subject: OutageSubject;
  readonly subjectRef: string;
}

/** What an outage would do, without doing it. */
export async function previewOutage(house: House, of: Subject, span: Span): Promise<Preview> {
  const until = span.until.toISOString();
  if (of.subject === 'node') {
    const usage = await previewCorrection(house, 'void', usageOf(of.subjectRef, span, house.ports.clock.now()));
    return { until, usage, vms: 0, returned: formatDecimal(0n), is_complete: usage.is_complete, lines: [] };
  }
  const lines: Preview['lines'] = [];
  let [returned, vms, seen, after] = [0n, 0, 0, 0n];
  for (;;) {
    const page: DownVm[] = await listDownVms(house.db, { ...of, ...span }, { after, limit: STEP_VMS });
    for (const { vm, amount, downMs } of await sharesOf(house.db, page, span)) {
      if (amount === 0n) continue;
      vms += 1;
      returned += amount;
      if (lines.length < SHOWN_VMS)
        lines.push({
          allocation_sid: vm.sid,
          name: vm.name,
          wallet_sid: vm.walletSid,
          from: vm.from.toISOString(),
          until: vm.until.toISOString(),
          down_seconds: Math.round(downMs / 1_000),
          amount: formatDecimal(amount),
        });
    }
    seen += page.length;
    after = page.at(-1)?.id ?? after;
    const isComplete = page.length < STEP_VMS;
    if (!isComplete && seen < PREVIEW_VMS_MAX) continue;
    return { until, usage: null, vms, returned: formatDecimal(returned), is_complete: isComplete, lines };
  }
}
