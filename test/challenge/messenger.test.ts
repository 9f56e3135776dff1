import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sandboxFetch } from '../../sandbox/mycelium/in-process.ts';
import { MyceliumSandbox } from '../../sandbox/mycelium/network.ts';
import { startMyceliumSandbox, type RunningSandbox } from '../../sandbox/mycelium/server.ts';
import { calm, FAULT_KINDS } from '../../sandbox/mycelium/switches.ts';
import { readOverlayAddress } from '../../src/domain/challenge/overlay-address.ts';
import type { Messenger } from '../../src/providers/messenger.ts';
import { myceliumMessenger } from '../../src/providers/mycelium/index.ts';
import { testPorts } from '../support/ports.ts';

const ports = testPorts();
let running: RunningSandbox;
let service: Messenger;
let ada: Messenger;

beforeAll(async () => {
  running = await startMyceliumSandbox({ clock: ports.clock, random: ports.random });
  service = myceliumMessenger({ url: running.url, ports });
  ada = myceliumMessenger({ url: `${running.url}/nodes/ada`, ports });
});
afterAll(() => running.close());
beforeEach(async () => {
  Object.assign(running.sandbox.switches, calm());
  for (const node of [service, ada]) for (const topic of ['', 'login']) while (await node.take(topic));
});

const node = (name: string) => {
  const found = running.sandbox.node(name);
  if (found === null) throw new Error(name);
  return found;
};
const api = (path: string, init?: RequestInit) => fetch(`${running.url}${path}`, init);
const post = (path: string, body: unknown) =>
  api(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the messenger', () => {
  it('brings a text to a node, whichever address of its network is written to, and says whose a reply is', async () => {
    const { address, publicKey } = node('ada');
    const other = `${address.split(':').slice(0, 4).join(':')}::1`;
    expect(readOverlayAddress(other)).toMatchObject({ node: expect.stringMatching(/\/64$/) });
    expect(await service.keyOf(address)).toBe(publicKey);
    expect(await service.keyOf(other)).toBe(publicKey);
    await service.send({ to: other, topic: 'login', text: 'héllo' });
    expect(await ada.take('log')).toBeNull();
    expect(await ada.take('login')).toEqual({ sourceKey: node('service').publicKey, text: 'héllo' });
    expect(await ada.take('login')).toBeNull();
    const id = running.sandbox.arrived(node('ada'))[0]?.id ?? '';
    const body = { dst: { ip: node('service').address }, topic: base64('login'), payload: base64('yes') };
    expect((await post(`/nodes/ada/api/v1/messages/reply/${id}`, body)).status).toBe(204);
    expect(await service.take('login')).toBeNull();
    expect(await service.take('')).toEqual({ sourceKey: publicKey, text: 'yes' });
  });

  it('says of an address that no node has that there is no key', async () => {
    expect(await service.keyOf('4ff::1')).toBeNull();
    await service.send({ to: '4ff::1', topic: 'login', text: 'into the dark' });
    running.sandbox.switches.knowsKeys = 'once-sent-to';
    expect(await service.keyOf(node('ben').address)).toBeNull();
    await service.send({ to: node('ben').address, topic: 'login', text: 'are you there' });
    expect(await service.keyOf(node('ben').address)).toBe(node('ben').publicKey);
  });

  it('takes a text that is no UTF-8 for none, and the key in either of its names', async () => {
    const body = { dst: { ip: node('service').address }, payload: Buffer.from([0xff, 0xfe]).toString('base64') };
    expect((await post('/nodes/ada/api/v1/messages', body)).status).toBe(201);
    expect(await service.take('')).toEqual({ sourceKey: node('ada').publicKey, text: null });
    running.sandbox.switches.keyField = 'NodePubKey';
    expect(await service.keyOf(node('ada').address)).toBe(node('ada').publicKey);
  });

  it('fails with a word and never with an answer that it cannot read', async () => {
    const { address } = node('ada');
    for (const kind of FAULT_KINDS) {
      for (const run of [
        () => service.keyOf(address),
        () => service.send({ to: address, topic: 'login', text: 'x' }),
        () => service.take('login'),
      ]) {
        await ada.send({ to: node('service').address, topic: 'login', text: 'waits to be taken' });
        running.sandbox.switches.faults.push({ kind, times: 1 });
        const asked = run().then(
          () => 'answered',
          (error: unknown) => error,
        );
        if (/timeout|hang/.test(kind)) {
          await expect.poll(() => running.sandbox.switches.faults.length).toBe(0);
          await ports.clock.advance(5_000);
        }
        expect(await asked).toMatchObject({ name: 'MessengerFailure' });
      }
    }
    running.sandbox.switches.isDown = true;
    await expect(service.keyOf(address)).rejects.toMatchObject({ kind: 'broken', outcome: 'none' });
  });
});

describe('the simulated daemon', () => {
  it('answers as the real one: its words, its codes, its base64', async () => {
    const { address, publicKey } = node('service');
    const info = (await (await api('/api/v1/admin')).json()) as Record<string, unknown>;
    expect(info).toMatchObject({ nodePubkey: publicKey, nodeSubnet: expect.stringMatching(/::\/64$/) });
    expect(readOverlayAddress(String(info['nodeIp']))).toMatchObject({ text: info['nodeIp'] });
    expect((await api('/api/v1/pubkey/none')).status).toBe(400);
    expect((await api('/api/v1/messages?timeout=0')).status).toBe(204);
    expect((await api('/api/v1/messages?topic=bG9n==')).status).toBe(400);
    const dst = { ip: node('ada').address };
    expect((await post('/api/v1/messages', { dst, payload: 'YWI' })).status).toBe(422);
    expect((await post('/api/v1/messages', { dst, payload: '', topic: base64('t'.repeat(256)) })).status).toBe(400);
    expect((await post('/api/v1/messages', { dst: { ...dst, pk: publicKey }, payload: '' })).status).toBe(422);
    const sent = (await (await post('/api/v1/messages', { dst, payload: base64('hi') })).json()) as { id: string };
    expect(sent.id).toMatch(/^[0-9a-f]{16}$/);
    expect(await (await api(`/api/v1/messages/status/${sent.id}`)).json()).toMatchObject({
      state: 'received',
      msgLen: 2,
    });
    const peeked = (await (await api('/nodes/ada/api/v1/messages?peek=true')).json()) as Record<string, unknown>;
    expect(peeked).toEqual({
      id: sent.id,
      srcIp: expect.any(String),
      srcPk: publicKey,
      dstIp: expect.any(String),
      dstPk: node('ada').publicKey,
      payload: base64('hi'),
    });
    expect(peeked['srcIp']).toBe(new URL(`http://[${address}]`).hostname.slice(1, -1));
    expect((await api('/nodes/ada/api/v1/messages')).status).toBe(200);
    expect(await (await api(`/api/v1/messages/status/${sent.id}`)).json()).toMatchObject({ state: 'read' });
    expect((await api('/api/v1/messages/status/0123456789abcdef')).status).toBe(404);
  });

  it('takes a message out when it is asked for by its topic, even to look at it', async () => {
    await ada.send({ to: node('service').address, topic: 'login', text: 'once' });
    const asked = `/api/v1/messages?peek=true&topic=${encodeURIComponent(base64('login'))}`;
    expect((await api(asked)).status).toBe(200);
    expect((await api(asked)).status).toBe(204);
  });

  it('waits for a reply as long as it was told: 200 with it, 408 without', async () => {
    const dst = { ip: node('ada').address };
    const waiting = post('/api/v1/messages?reply_timeout=2', { dst, payload: base64('there?') });
    await expect.poll(() => running.sandbox.arrived(node('ada'))[0]?.payload.toString()).toBe('there?');
    const id = running.sandbox.arrived(node('ada'))[0]?.id ?? '';
    await post(`/nodes/ada/api/v1/messages/reply/${id}`, {
      dst: { ip: node('service').address },
      payload: base64('y'),
    });
    expect((await waiting).status).toBe(200);
    const inVain = post('/api/v1/messages?reply_timeout=2', { dst, payload: '' });
    await expect.poll(() => ports.clock.sleeping).toBe(1);
    await ports.clock.advance(2_000);
    expect((await inVain).status).toBe(408);
  });

  it('answers nobody else while it waits for a message', async () => {
    const waiting = api('/api/v1/messages?timeout=60');
    await expect.poll(() => ports.clock.sleeping).toBe(1);
    let isAnswered = false;
    const other = api('/api/v1/admin').finally(() => {
      isAnswered = true;
    });
    await expect.poll(() => running.sandbox.requests.at(-1)?.path).toBe('/admin');
    await ports.clock.turn();
    expect(isAnswered).toBe(false);
    await ada.send({ to: node('service').address, topic: '', text: 'now' });
    await other;
    expect((await waiting).status).toBe(200);
  });

  it('loses, delays and doubles messages, and names a wrong source, when it is told to', async () => {
    const to = node('service').address;
    const { switches } = running.sandbox;
    switches.lossRate = 1;
    await ada.send({ to, topic: 'login', text: 'lost' });
    Object.assign(switches, calm(), { delayMs: 1_000, duplicates: 1, sourceKey: 'of-another' });
    await ada.send({ to, topic: 'login', text: 'late' });
    expect(await service.take('login')).toBeNull();
    await ports.clock.advance(1_000);
    expect(await service.take('login')).toEqual({ sourceKey: node('ben').publicKey, text: 'late' });
  });

  it('has nodes that are the same in every run, and a page for each', async () => {
    const other = new MyceliumSandbox({ clock: ports.clock, random: ports.random, nodes: ['ada'] });
    expect(other.own).toEqual(node('ada'));
    expect((await sandboxFetch(other)('http://mycelium.invalid/api/v1/admin')).status).toBe(200);
    await service.send({ to: node('ben').address, topic: 'login', text: 'Code: K7QM-2F9D-XW3T <b>' });
    const page = await (await api('/inbox/ben')).text();
    expect(page).toContain('value="K7QM-2F9D-XW3T"');
    expect(page).not.toContain('<b>');
    expect((await api('/inbox/nobody')).status).toBe(404);
    const form = { method: 'POST', body: new URLSearchParams({ name: 'eve' }), redirect: 'manual' } as const;
    expect((await api('/inbox', form)).headers.get('location')).toBe('/inbox/eve');
    expect(await (await api('/inbox')).text()).toContain('address-eve');
  });
});
