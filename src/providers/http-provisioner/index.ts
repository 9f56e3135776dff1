import type { Ports } from '../../ports/ports.ts';
import { Bug } from '../../domain/assert.ts';
import type { Provisioner, VmPage, VmStatus, WantedVm } from '../provisioner.ts';
import { broken, callBackEnd, type Answer, type Asked } from './call.ts';
import { noPlaceShape, pageShape, toListed, toStatus } from './shapes.ts';

export interface HttpProvisionerOptions {
  readonly url: string;
  readonly token: string;
  readonly ports: Ports;
}

/**
 * Any back end that keeps to the contract of docs/recipes/provisioner.md. Connects to nothing until it is first used.
 * What the back end says is believed only as far as it has the right shape and names the VM that was asked about.
 */
export function httpProvisioner(options: HttpProvisionerOptions): Provisioner {
  const ask = (asked: Asked): Promise<Answer> => callBackEnd(options, asked);
  const ofVm = (name: string, method: Asked['method'], allocationSid: string, verb = ''): Asked => ({
    name,
    method,
    path: pathOf(allocationSid, verb),
  });
  const change = async (asked: Asked, allocationSid: string): Promise<VmStatus | null> => {
    const answer = await ask(asked);
    return answer.status === 404 ? null : vmOf(answer, asked, allocationSid);
  };
  return {
    name: 'http',
    allocate: async (wanted) => {
      const asked: Asked = { ...ofVm('create', 'PUT', wanted.allocationSid), body: toWire(wanted) };
      const answer = await ask(asked);
      if (answer.status === 409 && noPlaceShape.safeParse(answer.body).success) return 'none';
      return vmOf(answer, asked, wanted.allocationSid);
    },
    status: (sid) => change(ofVm('status', 'GET', sid), sid),
    suspend: (sid) => change(ofVm('stop', 'POST', sid, '/stop'), sid),
    resume: (sid) => change(ofVm('start', 'POST', sid, '/start'), sid),
    release: (sid) => change(ofVm('delete', 'DELETE', sid), sid),
    list: async (cursor) => {
      const query = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
      const asked: Asked = { name: 'list', method: 'GET', path: `/v1/vms${query}` };
      const answer = await ask(asked);
      return answer.status === 404 ? null : pageOf(answer, asked);
    },
  };
}

/** A sid of ours is letters and digits; anything else would be put into a path. */
function pathOf(allocationSid: string, verb: string): string {
  if (!/^[0-9A-Z]{26}$/.test(allocationSid)) throw new Bug('not the sid of an allocation');
  return `/v1/vms/${allocationSid}${verb}`;
}

const toWire = ({ userSid, forgeId, name, size, sshKeys, expiresAt }: WantedVm): object => ({
  user_sid: userSid,
  forge_id: forgeId,
  name,
  size,
  ssh_keys: sshKeys,
  expires_at: expiresAt.toISOString(),
});

function vmOf({ status, body }: Answer, asked: Asked, allocationSid: string): VmStatus {
  const vm = status < 300 ? toStatus(body, allocationSid) : null;
  if (vm === null) throw broken(asked, `answered ${status}, and not with the VM that was asked about`);
  return vm;
}

function pageOf({ status, body }: Answer, asked: Asked): VmPage {
  const read = pageShape.safeParse(body);
  if (status >= 300 || !read.success) throw broken(asked, `answered ${status}, and not with a list of VMs`);
  return { vms: read.data.items.map(toListed), nextCursor: read.data.next_cursor };
}
