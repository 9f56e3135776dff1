import { statement, type Tx } from './db.ts';

const machineStatement = statement('outage_subject.machine', 'select sid from machine where sid = $1');
const allocationStatement = statement('outage_subject.allocation', 'select sid from allocation where sid = $1');

/** Whether there is, or was, such a machine. */
export const readMachineSid = async (tx: Tx, sid: string): Promise<boolean> =>
  (await tx.query(machineStatement, [sid])).length > 0;

/** Whether there is, or was, such a VM. */
export const readAllocationSid = async (tx: Tx, sid: string): Promise<boolean> =>
  (await tx.query(allocationStatement, [sid])).length > 0;
