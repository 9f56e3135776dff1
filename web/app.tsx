import type { ReactElement } from 'react';
import { lazy, Suspense } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { AccountPage } from './account/page.tsx';
import { ChosenWallet, useChosenWallet } from './chosen-wallet.tsx';
import { EndpointPage } from './events/endpoint-page.tsx';
import { EventsPage } from './events/page.tsx';
import { Frame } from './frame.tsx';
import { NotFoundPage } from './not-found-page.tsx';
import { InvitationPage } from './organisation/invitation-page.tsx';
import { OrganisationPage } from './organisation/page.tsx';
import { PaymentPage } from './payment/page.tsx';
import { PlanPage } from './plan/page.tsx';
import { SessionContext, useSessionQuery } from './session.ts';
import { SignInFailedPage } from './sign-in/failed-page.tsx';
import { ProofGate } from './sign-in/proof-dialog.tsx';
import { SignInPage } from './sign-in/page.tsx';
import type { Session } from './surface.ts';
import { SshKeysPage } from './ssh-key/page.tsx';
import { ProblemBanner } from './ui/banner.tsx';
import { EmptyState } from './ui/empty-state.tsx';
import { Loading, PageTitle } from './ui/page.tsx';
import { UsagePage } from './usage/page.tsx';
import { VmsPage } from './vm/page.tsx';
import { WalletPage } from './wallet/page.tsx';

export function App(): ReactElement {
  const { data: session, error, refetch } = useSessionQuery();
  if (!session) {
    return (
      <main className="mx-auto max-w-md p-6">
        {error ? <ProblemBanner problem={error} retry={() => void refetch()} /> : <Loading what="your session" />}
      </main>
    );
  }
  return (
    <SessionContext value={session}>
      <ChosenWallet>
        <ProofGate>
          <Frame>
            <Switch>
              <Route path="/sign-in/failed" component={SignInFailedPage} />
              <Route>{pagesFor(session.role)}</Route>
            </Switch>
          </Frame>
        </ProofGate>
      </ChosenWallet>
    </SessionContext>
  );
}

/** Half of the program, which customers need not load. */
const OperatorPages = lazy(() =>
  import('./operator/pages.tsx').then(
    (pages) => ({ default: pages.OperatorPages }),
    () => ({ default: NotLoadedPage }),
  ),
);

/** The connection broke, or the server has been renewed since the page was opened and has other files. */
function NotLoadedPage(): ReactElement {
  return (
    <>
      <PageTitle title="Not loaded" isHidden />
      <div className="card">
        <EmptyState title="These pages could not be loaded">
          Look at your connection, and{' '}
          <a href={window.location.href} className="text-accent underline underline-offset-2">
            load them again
          </a>
          .
        </EmptyState>
      </div>
    </>
  );
}

/** Whoever is not signed in sees the sign-in page at every address, and the page of the address afterwards. */
function pagesFor(role: Session['role']): ReactElement {
  if (role === 'anonymous') return <SignInPage />;
  if (role !== 'operator') return <UserPages />;
  return (
    <Suspense fallback={<Loading what="the pages" />}>
      <OperatorPages />
    </Suspense>
  );
}

function UserPages(): ReactElement {
  const { wallet } = useChosenWallet();
  return (
    // Another wallet, another page: nothing that was typed or read for the one is left for the other.
    <Switch key={wallet.wallet_sid}>
      <Route path="/">
        <Redirect to="/wallet" replace />
      </Route>
      <Route path="/wallet" component={WalletPage} />
      <Route path="/plan" component={PlanPage} />
      <Route path="/vms" component={VmsPage} />
      <Route path="/ssh-keys" component={SshKeysPage} />
      <Route path="/usage" component={UsagePage} />
      <Route path="/events" component={EventsPage} />
      <Route path="/events/:sid">{({ sid }) => <EndpointPage key={sid} sid={sid} />}</Route>
      <Route path="/account" component={AccountPage} />
      <Route path="/organisations/:sid">{({ sid }) => <OrganisationPage key={sid} sid={sid} />}</Route>
      <Route path="/invitations/:token">{({ token }) => <InvitationPage key={token} token={token} />}</Route>
      <Route path="/payments/:sid">{({ sid }) => <PaymentPage key={sid} sid={sid} />}</Route>
      <Route component={NotFoundPage} />
    </Switch>
  );
}
