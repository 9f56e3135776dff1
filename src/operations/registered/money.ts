import { autoRechargeDisable } from '../auto-recharge/disable.ts';
import { autoRechargeGet } from '../auto-recharge/get.ts';
import { autoRechargeSet } from '../auto-recharge/set.ts';
import { billingAdjust } from '../billing/adjust.ts';
import { billingDebit } from '../billing/debit.ts';
import { billingFreeze } from '../billing/freeze.ts';
import { billingGet } from '../billing/get.ts';
import { billingList } from '../billing/list.ts';
import { billingSetCreditBalance } from '../billing/set-credit-balance.ts';
import { billingStatement } from '../billing/statement.ts';
import { bonusList } from '../bonus/list.ts';
import { bonusSet } from '../bonus/set.ts';
import { cardList } from '../card/list.ts';
import { cardMakeDefault } from '../card/make-default.ts';
import { cardRemove } from '../card/remove.ts';
import { cardSetup } from '../card/setup.ts';
import { codeClose } from '../code/close.ts';
import { codeCreate } from '../code/create.ts';
import { codeGet } from '../code/get.ts';
import { codeListUses } from '../code/list-uses.ts';
import { codeList } from '../code/list.ts';
import { codeRedeem } from '../code/redeem.ts';
import { disputeAccept } from '../dispute/accept.ts';
import { disputeEvidence } from '../dispute/evidence.ts';
import { disputeGet } from '../dispute/get.ts';
import { disputeList } from '../dispute/list.ts';
import { disputeSubmitEvidence } from '../dispute/submit-evidence.ts';
import { grantGive } from '../grant/give.ts';
import { grantList } from '../grant/list.ts';
import { grantRevoke } from '../grant/revoke.ts';
import { holdCapture } from '../hold/capture.ts';
import { holdGet } from '../hold/get.ts';
import { holdList } from '../hold/list.ts';
import { holdRelease } from '../hold/release.ts';
import { holdReserve } from '../hold/reserve.ts';
import { holdSettle } from '../hold/settle.ts';
import { movementAssign } from '../movement/assign.ts';
import { movementList } from '../movement/list.ts';
import { movementRefund } from '../movement/refund.ts';
import { movementSuspend } from '../movement/suspend.ts';
import { paymentEventList } from '../payment-event/list.ts';
import { paymentCheck } from '../payment/check.ts';
import { paymentCreate } from '../payment/create.ts';
import { paymentGet } from '../payment/get.ts';
import { paymentList } from '../payment/list.ts';
import { receiptDownload } from '../receipt/download.ts';
import { receiptList } from '../receipt/list.ts';
import { reconciliationReport } from '../reconciliation/report.ts';
import { reconciliationRun } from '../reconciliation/report.ts';
import { refundApprove } from '../refund/approve.ts';
import { refundCheck } from '../refund/check.ts';
import { refundCreate } from '../refund/create.ts';
import { refundGet } from '../refund/get.ts';
import { refundList } from '../refund/list.ts';
import { refundPlan } from '../refund/plan.ts';
import { refundQuote } from '../refund/quote.ts';
import { refundReject } from '../refund/reject.ts';
import { reportDownloadLiability } from '../report/download-liability.ts';
import { reportLiability } from '../report/liability.ts';
import { webhookEventList } from '../webhook-event/list.ts';
import { webhookEventReplay } from '../webhook-event/replay.ts';

/** What is in wallets, how it came in, and how it goes back. */
export const MONEY = [
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
  holdCapture,
  holdSettle,
  holdRelease,
  grantGive,
  grantList,
  grantRevoke,
  codeGet,
  codeList,
  codeListUses,
  codeCreate,
  codeClose,
  codeRedeem,
  bonusList,
  bonusSet,
  reportLiability,
  reportDownloadLiability,
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
] as const;
