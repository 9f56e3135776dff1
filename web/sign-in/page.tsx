import type { ReactElement, ReactNode } from 'react';
import { useSession, useSessionChange } from '../session.ts';
import { PageTitle } from '../ui/page.tsx';
import { MyceliumSignIn } from './mycelium.tsx';
import { OperatorSignIn } from './operator.tsx';
import { ProviderSignIn } from './providers.tsx';
import { SandboxSignIn } from './sandbox.tsx';

/** Every way in that this server has. */
export function SignInPage(): ReactElement {
  const { mode, sign_in: providers, mycelium } = useSession();
  const change = useSessionChange();
  const hasWays = providers.length > 0 || mycelium !== null;
  if (mode !== 'sandbox' && !hasWays) {
    return (
      <Narrow title="Operator sign-in">
        <p className="mt-2 text-soft">For the people who run this server.</p>
        <OperatorSignIn />
      </Narrow>
    );
  }
  return (
    <Narrow title="Sign in">
      {hasWays && (
        <>
          <p className="mt-2 mb-6 text-soft">The first time, a wallet is opened for you.</p>
          <div className="space-y-3">
            <ProviderSignIn />
            <MyceliumSignIn purpose="sign_in" onDone={change} />
          </div>
        </>
      )}
      {mode === 'sandbox' ? (
        <section aria-label="Play" className={hasWays ? 'mt-8 border-t border-line pt-6' : ''}>
          {hasWays && <h2 className="font-semibold">Or just play</h2>}
          <SandboxSignIn />
        </section>
      ) : (
        <details className="mt-8 border-t border-line pt-6">
          <summary className="cursor-pointer text-sm text-soft hover:text-ink">
            For the people who run this server
          </summary>
          <OperatorSignIn />
        </details>
      )}
    </Narrow>
  );
}

function Narrow({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <div className="mx-auto max-w-sm pt-4 sm:pt-12">
      <PageTitle title={title} />
      {children}
    </div>
  );
}
