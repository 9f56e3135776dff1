import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readOverlayAddress } from '../../src/domain/challenge/overlay-address.ts';
import { migrate, MIGRATIONS_FOLDER } from '../../src/store/migrate.ts';
import { testDatabase } from '../support/database.ts';
import { testPorts } from '../support/ports.ts';

const OURS = readdirSync(MIGRATIONS_FOLDER).find((name) => name.endsWith('-challenge.sql')) ?? '';

it('addresses that operators wrote down become nodes, each once; what is none stays as it is', async () => {
  const database = await testDatabase({ isEmpty: true });
  const folder = mkdtempSync(path.join(tmpdir(), 'migrations-'));
  cpSync(MIGRATIONS_FOLDER, folder, {
    recursive: true,
    filter: (file) => !file.endsWith('.sql') || path.basename(file) < OURS,
  });
  const ports = testPorts();
  await migrate({ url: database.url, ports, folder });
  const written = [
    '[400::1]',
    '4AB:0:0:7::9',
    '4ab::7:0:0:0:8',
    '400:0:0:1::',
    '5ff::',
    '54f:b680:ba6e:7ced:0:0:0:1',
    '400::1',
    '400::1/64',
    '::1',
    'junk',
    '1.2.3.4',
  ];
  for (const [index, subject] of written.entries()) {
    const sid = `01KJ0000000000000000000${String(index).padStart(3, '0')}`;
    await database.owner.query(
      { name: 'test.user', text: `insert into app_user (sid, display_name, created_at) values ($1, 'x', now())` },
      [sid],
    );
    await database.owner.query(
      {
        name: 'test.identity',
        text: `insert into identity (sid, user_sid, kind, issuer, subject, label, linked_at) values ($1, $1, 'mycelium', 'mycelium', $2, $2, now())`,
      },
      [sid, subject],
    );
  }
  await migrate({ url: database.url, ports });
  const rows = await database.owner.query<{ subject: string; label: string }>({
    name: 'test.subjects',
    text: 'select subject, label from identity order by sid',
  });
  const seen = new Set<string>();
  const expected = written.map((given) => {
    const read = given.startsWith('[') ? { problem: 'not as PostgreSQL reads it' } : readOverlayAddress(given);
    if ('problem' in read || seen.has(read.node)) return { subject: given, label: given };
    seen.add(read.node);
    return { subject: read.node, label: read.text };
  });
  expect(rows).toEqual(expected);
  expect(seen.size).toBe(5);
  rmSync(folder, { recursive: true });
  await database.close();
});
