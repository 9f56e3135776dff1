import { allocationAutoRelease } from '../allocation/auto-release.ts';
import { allocationCreate } from '../allocation/create.ts';
import { allocationGet } from '../allocation/get.ts';
import { allocationLastAutoRelease } from '../allocation/last-auto-release.ts';
import { allocationList } from '../allocation/list.ts';
import { allocationRelease } from '../allocation/release.ts';
import { allocationSet } from '../allocation/set.ts';
import { machineAdd } from '../machine/add.ts';
import { machineConfirmClean } from '../machine/confirm-clean.ts';
import { machineCount } from '../machine/count.ts';
import { machineGet } from '../machine/get.ts';
import { machineList } from '../machine/list.ts';
import { machineRemove } from '../machine/remove.ts';
import { machineSet } from '../machine/set.ts';
import { outageCancel } from '../outage/cancel.ts';
import { outageCreate } from '../outage/create.ts';
import { outageEnd } from '../outage/end.ts';
import { outageGet } from '../outage/get.ts';
import { outageList } from '../outage/list.ts';
import { planBuy } from '../plan/buy.ts';
import { planCreate } from '../plan/create.ts';
import { planList } from '../plan/list.ts';
import { planQuote } from '../plan/quote.ts';
import { planWithdraw } from '../plan/withdraw.ts';
import { sshKeyAdd } from '../ssh-key/add.ts';
import { sshKeyList } from '../ssh-key/list.ts';
import { sshKeyRemove } from '../ssh-key/remove.ts';
import { standingExtend } from '../standing/extend.ts';
import { standingGet } from '../standing/get.ts';
import { standingList } from '../standing/list.ts';
import { standingRescue } from '../standing/rescue.ts';
import { subscriptionCancel } from '../subscription/cancel.ts';
import { subscriptionChange } from '../subscription/change.ts';
import { subscriptionEnd } from '../subscription/end-now.ts';
import { subscriptionGet } from '../subscription/get.ts';
import { subscriptionList } from '../subscription/list.ts';
import { subscriptionResume } from '../subscription/resume.ts';

/** What is rented out, to whom, and what becomes of it when the wallet runs dry. */
export const RENTING = [
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
  standingGet,
  standingList,
  standingRescue,
  standingExtend,
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
  outageGet,
  outageList,
  outageCreate,
  outageEnd,
  outageCancel,
] as const;
