import type { ReactElement } from 'react';
import { useSession } from '../session.ts';
import { buttonClass } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';

/** A link and no button: it leads to another site, and can be opened in a tab of its own. */
export const startAddress = (provider: string, returnTo: string): string =>
  `/login/${encodeURIComponent(provider)}/start?${new URLSearchParams({ return_to: returnTo }).toString()}`;

/** A way in for each provider that is set up; they come back to the page that they were asked at. Nothing where there is none. */
export function ProviderSignIn(): ReactElement | null {
  const { sign_in: providers } = useSession();
  if (providers.length === 0) return null;
  return (
    <ul className="space-y-3">
      {providers.map(({ name, title }) => (
        <li key={name}>
          <a href={startAddress(name, window.location.pathname)} className={cx(buttonClass(), 'w-full')}>
            Sign in with {title}
          </a>
        </li>
      ))}
    </ul>
  );
}
