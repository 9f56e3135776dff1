import type { z } from 'zod';
import { allocationAutoRelease } from './allocation/auto-release.ts';
import { allocationCreate } from './allocation/create.ts';
import { allocationGet } from './allocation/get.ts';
import { allocationLastAutoRelease } from './allocation/last-auto-release.ts';
import { allocationList } from './allocation/list.ts';
import { allocationRelease } from './allocation/release.ts';
import { allocationSet } from './allocation/set.ts';
import { auditList } from './audit/list.ts';
import { autoRechargeDisable } from './auto-recharge/disable.ts';
import { autoRechargeGet } from './auto-recharge/get.ts';
import { autoRechargeSet } from './auto-recharge/set.ts';
import { billingAdjust } from './billing/adjust.ts';
import { billingDebit } from './billing/debit.ts';
import { billingFreeze } from './billing/freeze.ts';
import { billingGet } from './billing/get.ts';
import { billingList } from './billing/list.ts';
import { billingSetCreditBalance } from './billing/set-credit-balance.ts';
import { billingStatement } from './billing/statement.ts';
import { cardList } from './card/list.ts';
import { cardMakeDefault } from './card/make-default.ts';
import { cardRemove } from './card/remove.ts';
import { cardSetup } from './card/setup.ts';
import { clockAdvance } from './clock/advance.ts';
import { clockGet } from './clock/get.ts';
import { correctionCancel } from './correction/cancel.ts';
import { correctionCreate } from './correction/create.ts';
import { correctionGet } from './correction/get.ts';
import { correctionList } from './correction/list.ts';
import { deliveryGet } from './delivery/get.ts';
import { deliveryList } from './delivery/list.ts';
import { deliveryReplay } from './delivery/replay.ts';
import { endpointCreate } from './endpoint/create.ts';
import { endpointList } from './endpoint/list.ts';
import { endpointRemove } from './endpoint/remove.ts';
import { endpointRotate } from './endpoint/rotate.ts';
import { endpointTest } from './endpoint/test.ts';
import { endpointUpdate } from './endpoint/update.ts';
import { erasureGet } from './erasure/get.ts';
import { eventList } from './event/list.ts';
import { disputeAccept } from './dispute/accept.ts';
import { disputeEvidence } from './dispute/evidence.ts';
import { disputeGet } from './dispute/get.ts';
import { disputeList } from './dispute/list.ts';
import { disputeSubmitEvidence } from './dispute/submit-evidence.ts';
import { gapPolicyList } from './gap-policy/list.ts';
import { gapPolicySet } from './gap-policy/set.ts';
import { grantGive } from './grant/give.ts';
import { grantList } from './grant/list.ts';
import { grantRevoke } from './grant/revoke.ts';
import { holdCapture } from './hold/capture.ts';
import { holdGet } from './hold/get.ts';
import { holdList } from './hold/list.ts';
import { holdRelease } from './hold/release.ts';
import { holdReserve } from './hold/reserve.ts';
import { holdSettle } from './hold/settle.ts';
import { keyCreate } from './key/create.ts';
import { keyList } from './key/list.ts';
import { keyRevoke } from './key/revoke.ts';
import { keyRotate } from './key/rotate.ts';
import { ladderList } from './ladder/list.ts';
import { ladderSet } from './ladder/set.ts';
import { ladderTick } from './ladder/tick.ts';
import { leaseGrant } from './lease/grant.ts';
import { leaseKeys } from './lease/keys.ts';
import { leaseList } from './lease/list.ts';
import { leaseRelease } from './lease/release.ts';
import { leaseSettle } from './lease/settle.ts';
import { machineAdd } from './machine/add.ts';
import { machineConfirmClean } from './machine/confirm-clean.ts';
import { machineCount } from './machine/count.ts';
import { machineGet } from './machine/get.ts';
import { machineList } from './machine/list.ts';
import { machineRemove } from './machine/remove.ts';
import { machineSet } from './machine/set.ts';
import { mailList } from './mail/list.ts';
import { mailResend } from './mail/resend.ts';
import { modelPriceCreate } from './model-price/create.ts';
import { modelPriceList } from './model-price/list.ts';
import { movementAssign } from './movement/assign.ts';
import { movementList } from './movement/list.ts';
import { movementRefund } from './movement/refund.ts';
import { movementSuspend } from './movement/suspend.ts';
import { nodeGaps } from './node/gaps.ts';
import { nodeGet } from './node/get.ts';
import { nodeGiveUpGaps } from './node/give-up-gaps.ts';
import { nodeList } from './node/list.ts';
import { nodeRegister } from './node/register.ts';
import { nodeRevoke } from './node/revoke.ts';
import { nodeReverse } from './node/reverse.ts';
import { nodeUsage } from './node/usage.ts';
import { nodeRotate } from './node/rotate.ts';
import type { Operation } from './operation.ts';
import { outageCancel } from './outage/cancel.ts';
import { outageCreate } from './outage/create.ts';
import { outageEnd } from './outage/end.ts';
import { outageGet } from './outage/get.ts';
import { outageList } from './outage/list.ts';
import { operatorGrant } from './operator/grant.ts';
import { operatorList } from './operator/list.ts';
import { operatorRevoke } from './operator/revoke.ts';
import { paymentCheck } from './payment/check.ts';
import { paymentCreate } from './payment/create.ts';
import { paymentGet } from './payment/get.ts';
import { paymentList } from './payment/list.ts';
import { paymentEventList } from './payment-event/list.ts';
import { planBuy } from './plan/buy.ts';
import { planCreate } from './plan/create.ts';
import { planList } from './plan/list.ts';
import { planQuote } from './plan/quote.ts';
import { planWithdraw } from './plan/withdraw.ts';
import { priceCreate } from './price/create.ts';
import { priceList } from './price/list.ts';
import { reconciliationReport, reconciliationRun } from './reconciliation/report.ts';
import { refundApprove } from './refund/approve.ts';
import { refundCheck } from './refund/check.ts';
import { refundCreate } from './refund/create.ts';
import { refundGet } from './refund/get.ts';
import { refundList } from './refund/list.ts';
import { refundPlan } from './refund/plan.ts';
import { refundQuote } from './refund/quote.ts';
import { refundReject } from './refund/reject.ts';
import { receiptDownload } from './receipt/download.ts';
import { receiptList } from './receipt/list.ts';
import { identityList } from './identity/list.ts';
import { identityUnlink } from './identity/unlink.ts';
import { invitationAccept } from './invitation/accept.ts';
import { invitationCreate } from './invitation/create.ts';
import { invitationDecline } from './invitation/decline.ts';
import { invitationList } from './invitation/list.ts';
import { invitationLook } from './invitation/look.ts';
import { invitationRevoke } from './invitation/revoke.ts';
import { memberList } from './member/list.ts';
import { memberRemove } from './member/remove.ts';
import { memberSet } from './member/set.ts';
import { organisationCreate } from './organisation/create.ts';
import { organisationGet } from './organisation/get.ts';
import { organisationLeave } from './organisation/leave.ts';
import { organisationList } from './organisation/list.ts';
import { organisationTransfer } from './organisation/transfer.ts';
import { organisationUpdate } from './organisation/update.ts';
import { sessionGet } from './session/get.ts';
import { sessionList } from './session/list.ts';
import { sessionRevoke } from './session/revoke.ts';
import { sessionStopViewing } from './session/stop-viewing.ts';
import { sessionViewAs } from './session/view-as.ts';
import { subscriptionCancel } from './subscription/cancel.ts';
import { subscriptionChange } from './subscription/change.ts';
import { subscriptionEnd } from './subscription/end-now.ts';
import { subscriptionGet } from './subscription/get.ts';
import { subscriptionList } from './subscription/list.ts';
import { subscriptionResume } from './subscription/resume.ts';
import { usageAggregate } from './usage/aggregate.ts';
import { usageBillUnbilled } from './usage/bill-unbilled.ts';
import { usageExplain } from './usage/explain.ts';
import { usageLadder } from './usage/ladder.ts';
import { usageListQuarantine } from './usage/list-quarantine.ts';
import { usageListUnbilled } from './usage/list-unbilled.ts';
import { noticeGet } from './notice/get.ts';
import { noticeSet } from './notice/set.ts';
import { sshKeyAdd } from './ssh-key/add.ts';
import { sshKeyList } from './ssh-key/list.ts';
import { sshKeyRemove } from './ssh-key/remove.ts';
import { standingExtend } from './standing/extend.ts';
import { standingGet } from './standing/get.ts';
import { standingList } from './standing/list.ts';
import { standingRescue } from './standing/rescue.ts';
import { usagePush } from './usage/push.ts';
import { usageQueue } from './usage/queue.ts';
import { usageRecord, usageRecordOne } from './usage/record.ts';
import { usageRunway } from './usage/runway.ts';
import { usageSummary } from './usage/summary.ts';
import { usageVoid } from './usage/void.ts';
import { usageWriteOff } from './usage/write-off.ts';
import { userCreate } from './user/create.ts';
import { userDisable } from './user/disable.ts';
import { userEnable } from './user/enable.ts';
import { userErase } from './user/erase.ts';
import { userExport } from './user/export.ts';
import { userGet } from './user/get.ts';
import { userList } from './user/list.ts';
import { userUpdate } from './user/update.ts';
import { webhookEventList } from './webhook-event/list.ts';
import { webhookEventReplay } from './webhook-event/replay.ts';

/** In the order of the reference pages: by noun, reading before writing. */
const declared = [
  allocationAutoRelease,
  allocationCreate,
  allocationGet,
  allocationLastAutoRelease,
  allocationList,
  allocationRelease,
  allocationSet,
  machineAdd,
  machineConfirmClean,
  machineCount,
  machineGet,
  machineList,
  machineRemove,
  machineSet,
  sshKeyAdd,
  sshKeyList,
  sshKeyRemove,
  sessionGet,
  sessionList,
  sessionRevoke,
  sessionViewAs,
  sessionStopViewing,
  identityList,
  identityUnlink,
  userCreate,
  userGet,
  userList,
  userUpdate,
  noticeGet,
  noticeSet,
  userDisable,
  userEnable,
  operatorList,
  operatorGrant,
  operatorRevoke,
  userExport,
  erasureGet,
  userErase,
  organisationGet,
  organisationList,
  organisationCreate,
  organisationUpdate,
  organisationTransfer,
  organisationLeave,
  memberList,
  memberSet,
  memberRemove,
  invitationList,
  invitationCreate,
  invitationRevoke,
  invitationLook,
  invitationAccept,
  invitationDecline,
  billingGet,
  billingList,
  billingStatement,
  billingAdjust,
  billingSetCreditBalance,
  billingDebit,
  billingFreeze,
  holdGet,
  holdList,
  holdReserve,
  grantGive,
  grantList,
  grantRevoke,
  holdCapture,
  holdSettle,
  keyCreate,
  keyList,
  keyRotate,
  keyRevoke,
  holdRelease,
  leaseList,
  leaseGrant,
  leaseSettle,
  leaseRelease,
  leaseKeys,
  paymentCreate,
  paymentGet,
  paymentList,
  paymentCheck,
  paymentEventList,
  cardList,
  cardSetup,
  cardMakeDefault,
  cardRemove,
  autoRechargeGet,
  autoRechargeSet,
  autoRechargeDisable,
  refundPlan,
  refundQuote,
  refundCreate,
  refundApprove,
  refundReject,
  refundCheck,
  refundGet,
  refundList,
  receiptList,
  receiptDownload,
  disputeGet,
  disputeList,
  disputeEvidence,
  disputeSubmitEvidence,
  disputeAccept,
  webhookEventList,
  webhookEventReplay,
  reconciliationReport,
  reconciliationRun,
  movementList,
  movementAssign,
  movementSuspend,
  movementRefund,
  eventList,
  endpointList,
  endpointCreate,
  endpointUpdate,
  endpointRotate,
  endpointTest,
  endpointRemove,
  deliveryGet,
  deliveryList,
  deliveryReplay,
  mailList,
  mailResend,
  planList,
  planQuote,
  planBuy,
  planCreate,
  planWithdraw,
  subscriptionGet,
  subscriptionList,
  subscriptionChange,
  subscriptionCancel,
  subscriptionResume,
  subscriptionEnd,
  nodeGet,
  nodeList,
  nodeRegister,
  nodeRotate,
  nodeRevoke,
  nodeUsage,
  nodeReverse,
  nodeGaps,
  nodeGiveUpGaps,
  gapPolicyList,
  gapPolicySet,
  priceList,
  priceCreate,
  modelPriceList,
  modelPriceCreate,
  ladderList,
  ladderSet,
  ladderTick,
  usageRecord,
  usageRecordOne,
  usageListUnbilled,
  usageBillUnbilled,
  usageWriteOff,
  usageExplain,
  usageVoid,
  usageSummary,
  usageRunway,
  usageLadder,
  usageQueue,
  usagePush,
  usageAggregate,
  usageListQuarantine,
  correctionGet,
  correctionList,
  correctionCreate,
  clockAdvance,
  clockGet,
  correctionCancel,
  standingGet,
  standingList,
  standingRescue,
  standingExtend,
  outageList,
  outageGet,
  outageCreate,
  outageEnd,
  outageCancel,
  auditList,
] as const;

type Declared = (typeof declared)[number];

/** What each operation takes and answers on the wire, by name: the types of the client. */
export type Wire = {
  readonly [D in Declared as D['name']]: {
    readonly input: z.input<D['input']>;
    readonly output: z.output<D['output']>;
  };
};

/** Everything the house can be asked to do. Transports, documents, the CLI and the client know nothing else. */
export const OPERATIONS: readonly Operation[] = declared;

/** The name of an operation on JSON-RPC. */
export const rpcMethodOf = (operation: Operation): string => operation.rpcMethod ?? operation.name;

const byName = new Map(OPERATIONS.map((operation) => [operation.name, operation]));
const byRpcMethod = new Map(OPERATIONS.map((operation) => [rpcMethodOf(operation), operation]));

export const operationByName = (name: string): Operation | undefined => byName.get(name);
export const operationByRpcMethod = (method: string): Operation | undefined => byRpcMethod.get(method);

/** The fields that a path names, in its order: `/v1/billings/{sid}` has `sid`. */
export const pathFieldsOf = (operation: Operation): readonly string[] =>
  [...operation.http.path.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1] ?? '');
