import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { isSignInProblem, SIGN_IN_PROBLEMS } from '../../src/domain/identity/sign-in-problem.ts';
import { useSession } from '../session.ts';
import { buttonClass } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { PageTitle } from '../ui/page.tsx';
import { startAddress } from './providers.tsx';

/** Where somebody lands whose way to a provider and back came to nothing: what happened, and what to do. */
export function SignInFailedPage(): ReactElement {
  const { role, user, sign_in: providers } = useSession();
  const query = new URLSearchParams(window.location.search);
  const said = query.get('problem') ?? '';
  const { title, advice } = SIGN_IN_PROBLEMS[isSignInProblem(said) ? said : 'unknown'];
  const provider = providers.find(({ name }) => name === query.get('with'));
  const isSignedIn = role !== 'anonymous';
  return (
    <div className="mx-auto max-w-sm pt-4 sm:pt-12">
      <PageTitle title={title} />
      <p className="mt-2 text-soft">{advice}</p>
      {isSignedIn && (
        <p className="mt-2 text-soft">
          You are signed in{user === null ? '' : ` as ${user.display_name}`}; nothing about that has changed.
        </p>
      )}
      <div className="mt-6 space-y-3">
        {isSignedIn && (
          <Link href="/" className={cx(buttonClass(), 'w-full')}>
            Go on
          </Link>
        )}
        {!isSignedIn && provider !== undefined && said !== 'misconfigured' && (
          <a href={startAddress(provider.name, query.get('return_to') ?? '/')} className={cx(buttonClass(), 'w-full')}>
            Try again with {provider.title}
          </a>
        )}
        {!isSignedIn && (
          <Link href="/" className={cx(buttonClass('quiet'), 'w-full')}>
            All ways to sign in
          </Link>
        )}
      </div>
    </div>
  );
}
