import type { Mutant } from './mutant.ts';

/** Bugs of who somebody is and of what they may see. */
export const IDENTITY_MUTANTS: readonly Mutant[] = [
  {
    name: 'ended_session_lives',
    lesson: 'A session that was ended is still taken for its owner: signing out on a stolen laptop changes nothing.',
    patches: [
      {
        file: 'src/store/session.ts',
        find: 'where s.token_hash = $1 and s.revoked_at is null and',
        replace: 'where s.token_hash = $1 and',
      },
    ],
  },
  {
    name: 'link_takes_over',
    lesson:
      'Linking an identity that is somebody else’s signs in to their account: accounts are merged by whoever asks.',
    patches: [
      {
        file: 'src/operations/identity/admit.ts',
        find: 'if (known?.userSid === userSid) return known;',
        replace: 'if (known !== null) return known;',
      },
    ],
  },
  {
    name: 'proof_of_anybody',
    lesson: 'To show once more who one is, any identity will do: a stranger at an open screen shows their own.',
    patches: [
      {
        file: 'src/operations/identity/complete.ts',
        find: '?.userSid !== purpose.userSid)',
        replace: '?.userSid === undefined)',
      },
    ],
  },
  {
    name: 'last_identity_goes',
    lesson: 'The last way to sign in can be taken away: the money is there and nobody gets to it.',
    patches: [
      {
        file: 'src/operations/identity/unlink.ts',
        find: 'if (all.length === 1)',
        replace: 'if (all.length === 0)',
      },
    ],
  },
  {
    name: 'claimed_role_stays',
    lesson: 'A role that the provider does not claim any more stays for ever: who left the team remains an operator.',
    patches: [
      {
        file: 'src/operations/identity/admit.ts',
        find: 'label: proof.label, claimedRole: proof.claimedRole };',
        replace: 'label: proof.label, claimedRole: proof.claimedRole ?? known.claimedRole };',
      },
    ],
  },
  {
    name: 'revoked_key_lives',
    lesson: 'A key that was revoked goes on opening the wallet: the leak cannot be stopped.',
    patches: [
      {
        file: 'src/store/key.ts',
        find: 'where key_id = any($1::text[]) and revoked_at is null and',
        replace: 'where key_id = any($1::text[]) and',
      },
    ],
  },
  {
    name: 'any_scope_will_do',
    lesson: 'What a key is for is written down and never asked: one made to read spends.',
    patches: [
      {
        file: 'src/operations/admission.ts',
        find: 'if (!actor.scopes.includes(scope))',
        replace: 'if (actor.scopes.length === 0)',
      },
    ],
  },
  {
    name: 'role_change_ends_nothing',
    lesson: 'Whoever was an operator stays one in the sessions that are open.',
    patches: [
      {
        file: 'src/operations/operator/change-role.ts',
        find: '(await revokeSessionsOf(tx, userSid, {}, now)).length',
        replace: '0',
      },
    ],
  },
];
