import type { ReactElement } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { AccountPage } from './account/page.tsx';
import { ChosenWallet, useChosenWallet } from './chosen-wallet.tsx';
import { EndpointPage } from './events/endpoint-page.tsx';
import { EventsPage } from './events/page.tsx';
import { Frame } from './frame.tsx';
import { OperatorBonusPage } from './operator/bonus/page.tsx';
import { OperatorCodePage } from './operator/codes/code-page.tsx';
import { OperatorCodesPage } from './operator/codes/list-page.tsx';
import { OperatorDisputePage } from './operator/disputes/dispute-page.tsx';
import { OperatorDisputesPage } from './operator/disputes/list-page.tsx';
import { OperatorGrantsPage } from './operator/grants/page.tsx';
import { OperatorLaddersPage } from './operator/ladders/page.tsx';
import { OperatorLiabilityPage } from './operator/liability/page.tsx';
import { OperatorMailPage } from './operator/mail/page.tsx';
import { OperatorNodesPage } from './operator/nodes/list-page.tsx';
import { OperatorNodePage } from './operator/nodes/node-page.tsx';
import { OperatorOutagesPage } from './operator/outages/list-page.tsx';
import { OperatorOutagePage } from './operator/outages/outage-page.tsx';
import { OperatorPaymentEventsPage } from './operator/payment-events/page.tsx';
import { OperatorPlansPage } from './operator/plans/page.tsx';
import { OperatorSubscriptionsPage } from './operator/plans/subscriptions-page.tsx';
import { OperatorPoolPage } from './operator/pool/page.tsx';
import { OperatorVmsPage } from './operator/pool/vms-page.tsx';
import { OperatorPricesPage } from './operator/prices/page.tsx';
import { OperatorReceiptsPage } from './operator/receipts/page.tsx';
import { OperatorReconciliationPage } from './operator/reconciliation/page.tsx';
import { OperatorRefundsPage } from './operator/refunds/page.tsx';
import { OperatorUnbilledPage } from './operator/unbilled/page.tsx';
import { OperatorWalletPage } from './operator/wallets/wallet-page.tsx';
import { OperatorWalletsPage } from './operator/wallets/list-page.tsx';
import { OperatorWebhookEventsPage } from './operator/webhook-events/page.tsx';
import { InvitationPage } from './organisation/invitation-page.tsx';
import { OrganisationPage } from './organisation/page.tsx';
import { PaymentPage } from './payment/page.tsx';
import { PlanPage } from './plan/page.tsx';
import { SessionContext, useSession, useSessionQuery } from './session.ts';
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

/** Whoever is not signed in sees the sign-in page at every address, and the page of the address afterwards. */
function pagesFor(role: Session['role']): ReactElement {
  if (role === 'anonymous') return <SignInPage />;
  return role === 'operator' ? <OperatorPages /> : <UserPages />;
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

function OperatorPages(): ReactElement {
  const { user } = useSession();
  return (
    <Switch>
      {user !== null && <Route path="/account" component={AccountPage} />}
      <Route path="/operator" component={OperatorWalletsPage} />
      <Route path="/operator/wallets/:sid">{({ sid }) => <OperatorWalletPage key={sid} sid={sid} />}</Route>
      <Route path="/operator/nodes" component={OperatorNodesPage} />
      <Route path="/operator/nodes/:sid">{({ sid }) => <OperatorNodePage key={sid} sid={sid} />}</Route>
      <Route path="/operator/plans" component={OperatorPlansPage} />
      <Route path="/operator/subscriptions" component={OperatorSubscriptionsPage} />
      <Route path="/operator/codes" component={OperatorCodesPage} />
      <Route path="/operator/codes/:sid">{({ sid }) => <OperatorCodePage key={sid} sid={sid} />}</Route>
      <Route path="/operator/bonus" component={OperatorBonusPage} />
      <Route path="/operator/liability" component={OperatorLiabilityPage} />
      <Route path="/operator/pool" component={OperatorPoolPage} />
      <Route path="/operator/allocations" component={OperatorVmsPage} />
      <Route path="/operator/grants" component={OperatorGrantsPage} />
      <Route path="/operator/outages" component={OperatorOutagesPage} />
      <Route path="/operator/outages/:sid">{({ sid }) => <OperatorOutagePage key={sid} sid={sid} />}</Route>
      <Route path="/operator/prices" component={OperatorPricesPage} />
      <Route path="/operator/ladders" component={OperatorLaddersPage} />
      <Route path="/operator/unbilled" component={OperatorUnbilledPage} />
      <Route path="/operator/payment-events" component={OperatorPaymentEventsPage} />
      <Route path="/operator/reconciliation" component={OperatorReconciliationPage} />
      <Route path="/operator/refunds" component={OperatorRefundsPage} />
      <Route path="/operator/disputes" component={OperatorDisputesPage} />
      <Route path="/operator/disputes/:sid">{({ sid }) => <OperatorDisputePage key={sid} sid={sid} />}</Route>
      <Route path="/operator/events" component={EventsPage} />
      <Route path="/operator/events/:sid">{({ sid }) => <EndpointPage key={sid} sid={sid} />}</Route>
      <Route path="/operator/mail" component={OperatorMailPage} />
      <Route path="/operator/receipts" component={OperatorReceiptsPage} />
      <Route path="/operator/webhook-events" component={OperatorWebhookEventsPage} />
      <Route path="/payments/:sid">{({ sid }) => <PaymentPage key={sid} sid={sid} />}</Route>
      <Route path="/">
        <Redirect to="/operator" replace />
      </Route>
      <Route path="/wallet">
        <Redirect to="/operator" replace />
      </Route>
      <Route path="/plan">
        <Redirect to="/operator/plans" replace />
      </Route>
      <Route path="/vms">
        <Redirect to="/operator/allocations" replace />
      </Route>
      <Route path="/usage">
        <Redirect to="/operator" replace />
      </Route>
      <Route component={NotFoundPage} />
    </Switch>
  );
}

function NotFoundPage(): ReactElement {
  return (
    <>
      <PageTitle title="Not found" isHidden />
      <div className="card">
        <EmptyState title="There is no such page">
          Check the address, or{' '}
          <a href="/" className="text-accent underline underline-offset-2">
            go to the start
          </a>
          .
        </EmptyState>
      </div>
    </>
  );
}
