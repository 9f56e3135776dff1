import { describe, expect, it } from 'vitest';
import { isPublic, mayReach, parseAddress, parseNetwork } from '../../src/domain/event/address.ts';
import { judgeEndpointUrl } from '../../src/domain/event/endpoint-url.ts';

const STRICT = { mayLoopBack: false, allowed: [] };
const SANDBOX = { mayLoopBack: true, allowed: [] };

const INSIDE = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.7',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '::127.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '3fff::1',
  'fc00::1',
  'fd00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  // Not addresses as sockets write them, so nothing is connected to.
  '2130706433',
  '0x7f.1',
  '0177.0.0.1',
  '127.1',
  '256.1.1.1',
  '1.2.3',
  'fe80::1%eth0',
  ':::',
  '1::2::3',
  '12345::',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  'localhost',
  '',
];

const OUTSIDE = [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.255.255',
  '172.32.0.1',
  '192.0.1.1',
  '198.17.255.255',
  '223.255.255.255',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
  '2606:4700::1111',
  '2a00:1450:4001:800::200e',
  '2002:808:808::1',
];

describe('I05 an address is judged by what it is', () => {
  it.each(INSIDE)('%j is not reached', (text) => expect(mayReach(text, STRICT)).toBe(false));
  it.each(OUTSIDE)('%j is reached', (text) => expect(mayReach(text, STRICT)).toBe(true));

  it('this machine is reached in the sandbox only, and nothing else of the inside', () => {
    const reached = INSIDE.filter((text) => mayReach(text, SANDBOX));
    expect(reached).toEqual(['127.0.0.1', '127.255.255.254', '::1']);
  });

  it('a network that was allowed is reached, and its neighbours are not', () => {
    const allowed = ['10.1.0.0/16', 'fd00::7'].flatMap((text) => parseNetwork(text) ?? []);
    const rules = { mayLoopBack: false, allowed };
    expect(['10.1.2.3', 'fd00::7'].map((text) => mayReach(text, rules))).toEqual([true, true]);
    expect(['10.2.0.1', 'fd00::8', '::ffff:10.1.2.3'].map((text) => mayReach(text, rules))).toEqual([
      false,
      false,
      false,
    ]);
    expect(['10.0.0.0/33', '10.0.0.0/', 'fd00::/129', 'x/8', '10.0.0.0/8/8'].map(parseNetwork)).toEqual(
      Array.from({ length: 5 }, () => null),
    );
  });

  it('writing an address in full or in short is the same', () => {
    expect(parseAddress('2001:0db8:0:0:0:0:0:1')).toEqual(parseAddress('2001:db8::1'));
    const one = parseAddress('::1');
    expect(one !== null && isPublic(one)).toBe(false);
  });
});

describe('I05 an address of an endpoint is refused when it is saved', () => {
  const refused = [
    'http://example.com/hook',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/',
    'https://0.0.0.0/',
    'https://[::ffff:127.0.0.1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://[fd00::1]/',
    'https://localhost/',
    'https://localhost./',
    'https://x.localhost/',
    'https://intranet/',
    'https://example.com./',
    'https://user@example.com/',
    'https://user:pass@example.com/',
    'https://example.com:22/',
    'https://example.com:8080/',
    'https://exаmple.com/',
    'https://example.com/ä',
    'https://example.com/#x',
    'https://example.com/\r\nx',
    ' https://example.com/',
    'file:///etc/passwd',
    'ftp://example.com/',
    'gopher://example.com/',
    'javascript:alert(1)',
    'example.com',
    'https://',
    `https://example.com/${'x'.repeat(2_000)}`,
  ];
  it.each(refused)('%j', (text) => expect(judgeEndpointUrl(text, STRICT)).toHaveProperty('problem'));

  it.each([
    ['https://example.com', 'https://example.com/'],
    ['https://EXAMPLE.com:443/a?b=c', 'https://example.com/a?b=c'],
    ['https://hooks.example.com:8443/x', 'https://hooks.example.com:8443/x'],
    ['https://8.8.8.8/', 'https://8.8.8.8/'],
    ['https://xn--bcher-kva.example/', 'https://xn--bcher-kva.example/'],
  ])('%s is kept as %s', (text, url) => expect(judgeEndpointUrl(text, STRICT)).toEqual({ url }));

  it('the sandbox takes this machine, over http and at any port', () => {
    expect(judgeEndpointUrl('http://127.0.0.1:4711/x', SANDBOX)).toHaveProperty('url');
    expect(judgeEndpointUrl('http://localhost:4711/x', SANDBOX)).toHaveProperty('url');
    expect(judgeEndpointUrl('http://10.0.0.1/x', SANDBOX)).toHaveProperty('problem');
  });
});
