import type { ReactElement } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { AccountPage } from '../account/page.tsx';
import { EndpointPage } from '../events/endpoint-page.tsx';
import { EventsPage } from '../events/page.tsx';
import { NotFoundPage } from '../not-found-page.tsx';
import { PaymentPage } from '../payment/page.tsx';
import { useSession } from '../session.ts';
import { OperatorBonusPage } from './bonus/page.tsx';
import { OperatorCodePage } from './codes/code-page.tsx';
import { OperatorCodesPage } from './codes/list-page.tsx';
import { OperatorDisputePage } from './disputes/dispute-page.tsx';
import { OperatorDisputesPage } from './disputes/list-page.tsx';
import { OperatorGrantsPage } from './grants/page.tsx';
import { OperatorLaddersPage } from './ladders/page.tsx';
import { OperatorLiabilityPage } from './liability/page.tsx';
import { OperatorMailPage } from './mail/page.tsx';
import { OperatorNodesPage } from './nodes/list-page.tsx';
import { OperatorNodePage } from './nodes/node-page.tsx';
import { OperatorOutagesPage } from './outages/list-page.tsx';
import { OperatorOutagePage } from './outages/outage-page.tsx';
import { OperatorPaymentEventsPage } from './payment-events/page.tsx';
import { OperatorPlansPage } from './plans/page.tsx';
import { OperatorSubscriptionsPage } from './plans/subscriptions-page.tsx';
import { OperatorPoolPage } from './pool/page.tsx';
import { OperatorVmsPage } from './pool/vms-page.tsx';
import { OperatorPricesPage } from './prices/page.tsx';
import { OperatorReceiptsPage } from './receipts/page.tsx';
import { OperatorReconciliationPage } from './reconciliation/page.tsx';
import { OperatorRefundsPage } from './refunds/page.tsx';
import { OperatorUnbilledPage } from './unbilled/page.tsx';
import { OperatorWalletPage } from './wallets/wallet-page.tsx';
import { OperatorWalletsPage } from './wallets/list-page.tsx';
import { OperatorWebhookEventsPage } from './webhook-events/page.tsx';

export function OperatorPages(): ReactElement {
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
