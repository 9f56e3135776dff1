import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../sandbox/provisioner/switches.ts';
import { httpProvisioner } from '../../src/providers/http-provisioner/index.ts';
import { ProviderFailure } from '../../src/providers/provider.ts';
import { VM_STATES } from '../../src/providers/provisioner.ts';
import { provisionerContract } from '../contract/provisioner.ts';
import { whileTimePasses } from '../contract/time.ts';
import { testPorts } from '../support/ports.ts';
import {
  openHttpProvisionerBench,
  openInProcessProvisioner,
  TOKEN,
  wantedVm,
  type HttpProvisionerBench,
} from './http-provisioner-bench.ts';

provisionerContract('A back end over HTTP', openHttpProvisionerBench);
provisionerContract('A back end over HTTP without a socket', openInProcessProvisioner);

const GARBAGE: readonly (readonly [Fault['kind'], ProviderFailure['kind']])[] = [
  ['html', 'broken'],
  ['empty-object', 'broken'],
  ['truncated', 'broken'],
  ['huge', 'broken'],
  ['other-vm', 'broken'],
  ['redirect', 'broken'],
  ['reset-in-body', 'broken'],
  ['hang-in-body', 'timeout'],
  ['timeout-before-effect', 'timeout'],
  ['rate-limit', 'rate_limited'],
];

describe('I01 garbage from a back end', () => {
  let bench: HttpProvisionerBench;
  beforeEach(async () => {
    bench = await openHttpProvisionerBench();
  });
  afterEach(() => bench.close());

  const on = (fault: Fault): void => {
    bench.sandbox.switches.faults.push(fault);
  };
  async function failureOf(call: Promise<unknown>): Promise<{ failure: unknown; seconds: number }> {
    const { ports, sandbox } = bench;
    const start = ports.clock.monotonicMs();
    const hangs = (): boolean => /^(timeout|hang)/.test(sandbox.requests.at(-1)?.fault ?? '');
    const result = await whileTimePasses(ports, call, hangs);
    const seconds = (ports.clock.monotonicMs() - start) / 1000;
    return { failure: result.status === 'rejected' ? result.reason : null, seconds };
  }

  it.each(GARBAGE)('I01 %s for every answer is a failure of a known kind within 15 seconds', async (kind, expected) => {
    on({ kind });
    const { failure, seconds } = await failureOf(bench.provisioner.allocate(wantedVm(1)));
    expect(failure).toBeInstanceOf(ProviderFailure);
    expect(failure).toMatchObject({ kind: expected });
    expect(seconds).toBeLessThanOrEqual(15.1);
  });

  it('a definite no that comes after a lost answer leaves it unknown what was done', async () => {
    on({ kind: 'error-after-effect', times: 1 });
    on({ kind: 'rate-limit', retryAfterSeconds: 60 });
    const { failure } = await failureOf(bench.provisioner.allocate(wantedVm(1)));
    expect(failure).toMatchObject({ outcome: 'unknown' });
    expect(bench.sandbox.find(wantedVm(1).allocationSid)?.state).toBe('running');
  });

  it('a wrong token is a definite no, and it stands in no failure', async () => {
    const { ports, url } = bench;
    const stranger = httpProvisioner({ url, token: `${TOKEN}x`, ports });
    const { failure } = await failureOf(stranger.allocate(wantedVm(1)));
    expect(failure).toMatchObject({ kind: 'refused', outcome: 'none' });
    expect(`${String(failure)} ${JSON.stringify(failure)}`).not.toContain(TOKEN);
  });

  it('a back end that nobody listens at has done nothing', async () => {
    const { url, close } = await openHttpProvisionerBench();
    await close();
    const gone = httpProvisioner({ url, token: TOKEN, ports: bench.ports });
    expect((await failureOf(gone.allocate(wantedVm(1)))).failure).toMatchObject({ kind: 'broken', outcome: 'none' });
  });

  it.each(['line\nbreak', '\u001B[31mred', '', 'x'.repeat(256)])(
    'an address that is %j is not believed',
    async (address) => {
      const said = { allocation_sid: wantedVm(1).allocationSid, state: 'running', external_ref: null, host: null };
      const fetch = (): Promise<Response> => Promise.resolve(Response.json({ ...said, address, problem: null }));
      const ports = { ...bench.ports, http: { fetch } };
      const odd = httpProvisioner({ url: 'http://vms.invalid', token: TOKEN, ports });
      await expect(odd.status(wantedVm(1).allocationSid)).rejects.toMatchObject({ kind: 'broken' });
    },
  );

  it('its list tells of every VM, also those that nobody asked for or that are there twice; or that it has none', async () => {
    const { provisioner, sandbox } = bench;
    await provisioner.allocate(wantedVm(1));
    sandbox.switches.createsTwice = true;
    await provisioner.allocate(wantedVm(2));
    sandbox.make(null, null);
    const page = await provisioner.list?.(null);
    const sids = [wantedVm(1), wantedVm(2), wantedVm(2)].map(({ allocationSid }) => allocationSid);
    expect(page?.vms.map(({ allocationSid }) => allocationSid)).toEqual([...sids, null, null]);
    sandbox.switches.hasList = false;
    expect(await provisioner.list?.(null)).toBeNull();
  });
});

describe('the contract that others read', () => {
  const file = path.resolve(import.meta.dirname, '../../docs/recipes/provisioner.openapi.json');
  const contract = JSON.parse(readFileSync(file, 'utf8')) as Contract;

  it('has the states and the fields that the code knows', () => {
    const { Vm, WantedVm } = contract.components.schemas;
    expect(Vm.properties['state']?.enum).toEqual([...VM_STATES]);
    expect(Vm.required.toSorted()).toEqual(Object.keys(Vm.properties).toSorted());
    expect(WantedVm.required.toSorted()).toEqual(Object.keys(WantedVm.properties).toSorted());
  });

  it('has every call that is made, and no other', async () => {
    const made = new Set<string>();
    const fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      made.add(`${init?.method?.toLowerCase()} ${pathname.replace(/[0-9A-Z]{26}/, '{sid}')}`);
      if (init?.body !== undefined)
        expect(Object.keys(JSON.parse(init.body as string))).toEqual(contract.components.schemas.WantedVm.required);
      return Promise.resolve(Response.json({ code: 'not_found' }, { status: 404 }));
    };
    const ports = { ...testPorts(), http: { fetch } };
    const provisioner = httpProvisioner({ url: 'http://vms.invalid', token: TOKEN, ports });
    const { allocationSid: sid } = wantedVm(1);
    await Promise.allSettled([provisioner.allocate(wantedVm(1)), provisioner.status(sid), provisioner.suspend(sid)]);
    await Promise.allSettled([provisioner.resume(sid), provisioner.release(sid), provisioner.list?.(null)]);
    const listed = Object.entries(contract.paths).flatMap(([at, calls]) =>
      Object.keys(calls)
        .filter((method) => method !== 'parameters')
        .map((method) => `${method} ${at}`),
    );
    expect(made).toEqual(new Set(listed));
  });
});

interface Contract {
  readonly paths: Readonly<Record<string, object>>;
  readonly components: { readonly schemas: Readonly<Record<'Vm' | 'WantedVm', Shape>> };
}

interface Shape {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, { readonly enum?: readonly string[] }>>;
}
