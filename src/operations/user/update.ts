import { z } from 'zod';
import { LANGUAGES } from '../../domain/language/language.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { readUser, updateUser } from '../../store/user.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { toUser, userSchema } from './user.ts';

/** As long as an address can be by the standards of mail. */
const EMAIL_MAX = 254;

export const emailField = z
  .email('must be an e-mail address, for example ada@example.org')
  .max(EMAIL_MAX)
  // One address and nothing that a mail server reads as something else: no display name, no list, no line break.
  .regex(/^[\x21-\x7e]+$/, 'must be of visible ASCII characters');

export const userUpdate = operation({
  name: 'user.update',
  summary: 'Change where a user is written to, in which language, and the name',
  description:
    'Fields that are left out stay; an e-mail address of null ends mail. Nobody proves here that an address is theirs: nothing but mail ' +
    'follows from it, it is no way to sign in.',
  http: { method: 'patch', path: '/v1/users/{sid}', status: 200 },
  access: 'user',
  right: 'people',
  forSelf: true,
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    display_name: textField(100).optional(),
    email: emailField.nullable().optional(),
    language: z.enum(LANGUAGES).optional(),
  }),
  output: userSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    return house.db.transaction('user.update', async (tx) => {
      const before = maySee(actor, input.sid) ? await readUser(tx, input.sid) : null;
      if (before === null) return notThere();
      const after = {
        ...before,
        displayName: input.display_name ?? before.displayName,
        email: input.email === undefined ? before.email : input.email,
        language: input.language ?? before.language,
      };
      if (!(await updateUser(tx, after))) return notThere();
      // The address itself is the user's own affair; that it was changed is not.
      await recordAudit(tx, call, {
        action: 'user.update',
        subject: before.sid,
        before: { has_email: before.email !== null, language: before.language },
        after: {
          has_email: after.email !== null,
          language: after.language,
          is_email_changed: after.email !== before.email,
        },
      });
      return toUser(after);
    });
  },
});

const notThere = (): Refusal => refuse('not_found', 'There is no user with this sid.');
