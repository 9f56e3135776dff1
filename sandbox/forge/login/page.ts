import { escape, layout } from '../../page.ts';
import type { Person } from './state.ts';

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

export interface PageFacts {
  readonly nonce: string;
  /** Where the forms of the page may lead besides here. */
  readonly origin: string | null;
}

/** Who somebody wants to be. A real Forge asks for a password here. */
export function peoplePage(people: readonly Person[], problem: string | null, facts: PageFacts): PageAnswer {
  const buttons = people
    .map(
      ({ id, name, login }) =>
        `<button name="person" value="${id}" data-testid="person-${escape(login)}">${escape(name)} (${escape(login)})</button>`,
    )
    .join('\n    ');
  const alert = problem === null ? '' : `<p class="alert" role="alert" data-testid="problem">${escape(problem)}</p>`;
  const body = `
<h1>Sign in to the Forge</h1>
${alert}
<form method="post" aria-label="Who are you?">
  <fieldset>
    <legend>Who are you? Nobody here has a password.</legend>
    ${buttons}
  </fieldset>
</form>
<form method="post" aria-label="Create another account">
  <fieldset>
    <legend>Or be somebody else</legend>
    <label>A new name
      <input name="name" autocomplete="off" maxlength="100" required>
    </label>
    <button class="pay" data-testid="create">Create the account and sign in</button>
  </fieldset>
</form>`;
  return page('Sign in', body, 200, facts);
}

const MEANINGS: Readonly<Record<string, string>> = {
  openid: 'know who you are',
  profile: 'read your name and your user name',
  email: 'read your e-mail address',
  'read:user': 'read your user settings, and nothing else by the API',
};

export function consentPage(
  person: Person,
  asked: { readonly application: string; readonly scope: string },
  facts: PageFacts,
): PageAnswer {
  const scopes = asked.scope.split(' ').filter((name) => name !== '');
  const rights = scopes.map((name) => `<li>${escape(MEANINGS[name] ?? name)}</li>`).join('');
  const body = `
<p class="product">Signed in as ${escape(person.name)} (${escape(person.login)})</p>
<h1>Authorize ${escape(asked.application)}?</h1>
<p>It will be able to:</p>
<ul data-testid="rights">${rights}</ul>
<form method="post" aria-label="Authorize the application">
  <input type="hidden" name="person" value="${person.id}">
  <fieldset>
    <legend>You are asked once.</legend>
    <button class="pay" name="consent" value="yes" data-testid="authorize">Authorize application</button>
    <button name="consent" value="no" data-testid="deny">Cancel</button>
  </fieldset>
</form>`;
  return page('Authorize', body, 200, facts);
}

/** What must not be answered by a redirect: nobody knows yet that the address is the application's. */
export const refusedPage = (reason: string, nonce: string): PageAnswer =>
  page('Authorization failed', `<h1>Authorization failed</h1><p data-testid="reason">${escape(reason)}</p>`, 400, {
    nonce,
    origin: null,
  });

function page(title: string, body: string, status: number, { nonce, origin }: PageFacts): PageAnswer {
  const formAction = origin === null ? "'self'" : `'self' ${origin}`;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      // Chromium applies form-action to the redirect after the form too, so the application's origin belongs in it.
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    html: layout({ title, standsInFor: 'the sign-in of Forgejo or Gitea', nonce, body, kind: 'sandbox Forge' }),
  };
}
