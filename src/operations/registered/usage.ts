import { correctionCancel } from '../correction/cancel.ts';
import { correctionCreate } from '../correction/create.ts';
import { correctionGet } from '../correction/get.ts';
import { correctionList } from '../correction/list.ts';
import { gapPolicyList } from '../gap-policy/list.ts';
import { gapPolicySet } from '../gap-policy/set.ts';
import { ladderList } from '../ladder/list.ts';
import { ladderSet } from '../ladder/set.ts';
import { ladderTick } from '../ladder/tick.ts';
import { leaseGrant } from '../lease/grant.ts';
import { leaseKeys } from '../lease/keys.ts';
import { leaseList } from '../lease/list.ts';
import { leaseRelease } from '../lease/release.ts';
import { leaseSettle } from '../lease/settle.ts';
import { modelPriceCreate } from '../model-price/create.ts';
import { modelPriceList } from '../model-price/list.ts';
import { nodeGaps } from '../node/gaps.ts';
import { nodeGet } from '../node/get.ts';
import { nodeGiveUpGaps } from '../node/give-up-gaps.ts';
import { nodeList } from '../node/list.ts';
import { nodeRegister } from '../node/register.ts';
import { nodeReverse } from '../node/reverse.ts';
import { nodeRevoke } from '../node/revoke.ts';
import { nodeRotate } from '../node/rotate.ts';
import { nodeUsage } from '../node/usage.ts';
import { priceCreate } from '../price/create.ts';
import { priceList } from '../price/list.ts';
import { usageAggregate } from '../usage/aggregate.ts';
import { usageBillUnbilled } from '../usage/bill-unbilled.ts';
import { usageExplain } from '../usage/explain.ts';
import { usageLadder } from '../usage/ladder.ts';
import { usageListQuarantine } from '../usage/list-quarantine.ts';
import { usageListUnbilled } from '../usage/list-unbilled.ts';
import { usagePush } from '../usage/push.ts';
import { usageQueue } from '../usage/queue.ts';
import { usageRecord } from '../usage/record.ts';
import { usageRecordOne } from '../usage/record.ts';
import { usageRunway } from '../usage/runway.ts';
import { usageSummary } from '../usage/summary.ts';
import { usageVoid } from '../usage/void.ts';
import { usageWriteOff } from '../usage/write-off.ts';

/** What nodes report, what it costs, and how it is put right. */
export const USAGE = [
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
  leaseList,
  leaseGrant,
  leaseSettle,
  leaseRelease,
  leaseKeys,
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
  correctionCancel,
] as const;
