import { z } from 'zod';
import { toWire } from './api.ts';
import { calm, faultSchema, switchesSchema } from './switches.ts';
import type { ProvisionerSandbox, Vm } from './vms.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly body: object;
}

const failureSchema = z.strictObject({ problem: z.string().default('The disk broke.') });

/** `/_sandbox/…`: what a test or a smoke run says to the simulator besides being its client. JSON in, JSON out. */
export function control(sandbox: ProvisionerSandbox, method: string, path: string, body: string): ControlAnswer {
  try {
    return route(sandbox, { method, path: path.slice('/_sandbox/'.length) }, body === '' ? {} : JSON.parse(body));
  } catch (error) {
    if (error instanceof z.ZodError) return no(400, z.prettifyError(error));
    if (error instanceof SyntaxError) return no(400, 'not JSON');
    throw error;
  }
}

interface Asked {
  readonly method: string;
  readonly path: string;
}

function route(sandbox: ProvisionerSandbox, { method, path }: Asked, sent: unknown): ControlAnswer {
  const { switches } = sandbox;
  switch (`${method} ${path}`) {
    case 'GET switches':
      return yes(switches);
    case 'POST switches':
      return yes(Object.assign(switches, switchesSchema.partial().parse(sent)));
    case 'DELETE switches':
      return yes(Object.assign(switches, calm()));
    case 'POST faults':
      switches.faults.push(faultSchema.parse(sent));
      return yes(switches);
    case 'GET journal':
      return yes({ requests: sandbox.requests });
    case 'GET vms':
      return yes({ vms: sandbox.all().map((vm) => ({ ...toWire(vm), wanted: vm.wanted })) });
    case 'POST vms': {
      const made = sandbox.make(null, null);
      return made === null ? no(409, 'there is no place') : yes(toWire(made));
    }
    default:
      return ofVm(sandbox, { method, path }, sent);
  }
}

/** `vms/{ref}/…`: what happens to one VM, by its name at the back end. */
function ofVm(sandbox: ProvisionerSandbox, { method, path }: Asked, sent: unknown): ControlAnswer {
  const [noun, ref, verb = ''] = path.split('/');
  const vm = noun === 'vms' ? sandbox.all().find(({ externalRef }) => externalRef === ref) : undefined;
  if (vm === undefined) return no(404, `No such control: ${method} ${path}`);
  switch (`${method} ${verb}`) {
    case 'POST fail':
      return done(sandbox.fail(vm, failureSchema.parse(sent).problem));
    case 'POST clean':
      return done(sandbox.clean(vm));
    case 'DELETE ':
      sandbox.forget(vm);
      return done(vm);
    default:
      return no(404, `No such control: ${method} ${path}`);
  }
}

const done = (vm: Vm): ControlAnswer => yes(toWire(vm));
const yes = (body: object): ControlAnswer => ({ status: 200, body });
const no = (status: number, message: string): ControlAnswer => ({ status, body: { error: message } });
