import { assert } from '../../domain/assert.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import {
  findIdentity,
  insertIdentity,
  lockIdentitiesOf,
  touchIdentity,
  type IdentityRow,
} from '../../store/identity.ts';
import { readUser } from '../../store/user.ts';
import { recordAudit, type Author } from '../audit/record.ts';
import type { House } from '../house.ts';
import { openUserWithWallet } from '../user/open-wallet.ts';
import type { Proof } from './proof.ts';

type Admitting = Author & { readonly house: House };

/**
 * Whose identity a proof shows: the user who has it, or a new one with an empty wallet. By (issuer, subject) alone; a name or an address of
 * mail that somebody else has too leads to nobody.
 *
 * Refuses forbidden for a user who may not come in.
 */
export async function admit(tx: Tx, author: Admitting, proof: Proof): Promise<IdentityRow | Refusal> {
  const { house } = author;
  const known = (await findProven(tx, proof)) ?? (await openUser(tx, author, proof));
  const user = await readUser(tx, known.userSid);
  assert(user !== null, 'identity__belongs_to_a_user');
  if (user.disabledAt !== null)
    return refuse('forbidden', 'This account is closed. Write to whoever runs this service.');
  const used = { ...known, issuer: proof.issuer, label: proof.label, claimedRole: proof.claimedRole };
  if (used.claimedRole !== known.claimedRole) {
    const change = { action: 'identity.claim', subject: known.userSid };
    await recordAudit(tx, author, {
      ...change,
      before: { role: known.claimedRole },
      after: { role: used.claimedRole },
    });
  }
  await touchIdentity(tx, used, house.ports.clock.now());
  return used;
}

/** An identity with the forge_id that an operator wrote down is bound to the forge's issuer when its owner first comes. */
export async function findProven(tx: Tx, { kind, issuer, subject }: Proof): Promise<IdentityRow | null> {
  const known = await findIdentity(tx, issuer, subject);
  if (known !== null || kind !== 'forge') return known;
  return findIdentity(tx, 'forge', subject);
}

async function openUser(tx: Tx, { house }: Admitting, proof: Proof): Promise<IdentityRow> {
  const opened = await openUserWithWallet(tx, house.ports, { displayName: proof.displayName, identities: [proof] });
  // Whoever was faster with the same identity has made the user.
  const known = await findIdentity(tx, proof.issuer, proof.subject);
  assert(known !== null, opened ? 'the identity was just added' : 'the identity was added by whoever was faster');
  return known;
}

/**
 * Adds an identity to the user who is signed in. Safe to repeat.
 *
 * Refuses state_conflict when it is somebody else's, and does not say whose.
 */
export async function link(tx: Tx, author: Admitting, userSid: string, proof: Proof): Promise<IdentityRow | Refusal> {
  const { ids, clock } = author.house.ports;
  if (!(await lockIdentitiesOf(tx, userSid))) return refuse('forbidden', 'This account was deleted.');
  const row: IdentityRow = {
    sid: ids.sid(),
    userSid,
    kind: proof.kind,
    issuer: proof.issuer,
    subject: proof.subject,
    label: proof.label,
    claimedRole: proof.claimedRole,
    linkedAt: clock.now(),
    lastUsedAt: clock.now(),
  };
  const known = await findProven(tx, proof);
  if (known?.userSid === userSid) return known;
  if (known !== null || !(await insertIdentity(tx, row)))
    return refuse(
      'state_conflict',
      'This identity cannot be linked: it belongs to another account. Accounts are never merged.',
    );
  await recordAudit(tx, author, {
    action: 'identity.link',
    subject: userSid,
    after: { kind: row.kind, issuer: row.issuer },
  });
  return row;
}
