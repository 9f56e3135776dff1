import { bonusList } from './bonus/list.ts';
import { bonusSet } from './bonus/set.ts';
import { codeClose } from './code/close.ts';
import { codeCreate } from './code/create.ts';
import { codeGet } from './code/get.ts';
import { codeListUses } from './code/list-uses.ts';
import { codeList } from './code/list.ts';
import { codeRedeem } from './code/redeem.ts';
import { grantGive } from './grant/give.ts';
import { grantList } from './grant/list.ts';
import { grantRevoke } from './grant/revoke.ts';
import { reportDownloadLiability } from './report/download-liability.ts';
import { reportLiability } from './report/liability.ts';

/** What gives credit that nobody has paid for, and says what is owed to customers. In the order of the reference pages. */
export const CREDIT_OPERATIONS = [
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
] as const;
