import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { composeReceipt } from '../../domain/receipt/compose.ts';
import type { ReceiptFacts } from '../../domain/receipt/receipt.ts';
import { refuse } from '../../domain/refusal.ts';
import { keepReceiptFile, readReceipt, readReceiptFile } from '../../store/receipt.ts';
import type { House } from '../house.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { issueOne } from './issue.ts';

export const receiptDownload = operation({
  name: 'receipt.download',
  summary: 'Get a receipt or credit note as a PDF file',
  description: 'The same bytes every time. One that has no number yet is given it now.',
  http: { method: 'get', path: '/v1/receipts/{sid}/file', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({
    number: z.string(),
    file_name: z.string(),
    media_type: z.literal('application/pdf'),
    content_base64: z.string(),
  }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const seen = await readReceipt(house.db, input.sid);
    if (!seen || !maySee(actor, seen.userSid)) return refuse('not_found', 'There is no receipt with this sid.');
    if (seen.facts === null) await issueOne(house, seen.sid);
    const facts = seen.facts ?? (await readReceipt(house.db, seen.sid))?.facts ?? null;
    assert(facts !== null, 'a receipt was just issued');
    const pdf = await fileOf(house, seen.sid, facts);
    return {
      number: facts.number,
      file_name: `${facts.number}.pdf`,
      media_type: 'application/pdf' as const,
      content_base64: Buffer.from(pdf).toString('base64'),
    };
  },
});

/** Drawn once; what was kept first is what everybody gets. */
async function fileOf({ db, ports }: House, sid: string, facts: ReceiptFacts): Promise<Uint8Array> {
  const kept = await readReceiptFile(db, sid);
  if (kept !== null) return kept;
  const drawn = await ports.printer.print(composeReceipt(facts));
  await db.transaction('receipt.keep_file', (tx) => keepReceiptFile(tx, sid, drawn, ports.clock.now()));
  const first = await readReceiptFile(db, sid);
  assert(first !== null, 'a file was just kept');
  return first;
}
