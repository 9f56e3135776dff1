import { auditList } from '../audit/list.ts';
import { clockAdvance } from '../clock/advance.ts';
import { clockGet } from '../clock/get.ts';
import { deliveryGet } from '../delivery/get.ts';
import { deliveryList } from '../delivery/list.ts';
import { deliveryReplay } from '../delivery/replay.ts';
import { endpointCreate } from '../endpoint/create.ts';
import { endpointList } from '../endpoint/list.ts';
import { endpointRemove } from '../endpoint/remove.ts';
import { endpointRotate } from '../endpoint/rotate.ts';
import { endpointTest } from '../endpoint/test.ts';
import { endpointUpdate } from '../endpoint/update.ts';
import { eventList } from '../event/list.ts';
import { mailList } from '../mail/list.ts';
import { mailResend } from '../mail/resend.ts';

/** What is told to the outside, and the house itself. */
export const HOUSE = [
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
  clockAdvance,
  clockGet,
  auditList,
] as const;
