import { erasureGet } from '../erasure/get.ts';
import { identityList } from '../identity/list.ts';
import { identityUnlink } from '../identity/unlink.ts';
import { invitationAccept } from '../invitation/accept.ts';
import { invitationCreate } from '../invitation/create.ts';
import { invitationDecline } from '../invitation/decline.ts';
import { invitationList } from '../invitation/list.ts';
import { invitationLook } from '../invitation/look.ts';
import { invitationRevoke } from '../invitation/revoke.ts';
import { keyCreate } from '../key/create.ts';
import { keyList } from '../key/list.ts';
import { keyRevoke } from '../key/revoke.ts';
import { keyRotate } from '../key/rotate.ts';
import { memberList } from '../member/list.ts';
import { memberRemove } from '../member/remove.ts';
import { memberSet } from '../member/set.ts';
import { noticeGet } from '../notice/get.ts';
import { noticeSet } from '../notice/set.ts';
import { operatorGrant } from '../operator/grant.ts';
import { operatorList } from '../operator/list.ts';
import { operatorRevoke } from '../operator/revoke.ts';
import { organisationCreate } from '../organisation/create.ts';
import { organisationGet } from '../organisation/get.ts';
import { organisationLeave } from '../organisation/leave.ts';
import { organisationList } from '../organisation/list.ts';
import { organisationTransfer } from '../organisation/transfer.ts';
import { organisationUpdate } from '../organisation/update.ts';
import { sessionGet } from '../session/get.ts';
import { sessionList } from '../session/list.ts';
import { sessionRevoke } from '../session/revoke.ts';
import { sessionStopViewing } from '../session/stop-viewing.ts';
import { sessionViewAs } from '../session/view-as.ts';
import { userCreate } from '../user/create.ts';
import { userDisable } from '../user/disable.ts';
import { userEnable } from '../user/enable.ts';
import { userErase } from '../user/erase.ts';
import { userExport } from '../user/export.ts';
import { userGet } from '../user/get.ts';
import { userList } from '../user/list.ts';
import { userUpdate } from '../user/update.ts';

/** Who there is, who they are in, and what they may sign in or call with. */
export const PEOPLE = [
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
  userDisable,
  userEnable,
  userExport,
  userErase,
  noticeGet,
  noticeSet,
  operatorList,
  operatorGrant,
  operatorRevoke,
  erasureGet,
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
  keyCreate,
  keyList,
  keyRotate,
  keyRevoke,
] as const;
