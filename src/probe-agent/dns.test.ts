/** Questions as a resolver reads them, and what an agent takes from its files. */
import { describe, expect, it } from 'vitest';
import { parseResolvConf, questionFor } from './dns.ts';
import { defaultRouteMtu, settingsFrom } from './settings.ts';

describe('a question', () => {
  it('is a header, the labels of the name, and A in the Internet', () => {
    const packet = questionFor('kubernetes.default');
    expect(packet.subarray(2, 12).toString('hex')).toBe('01000001000000000000');
    expect(packet.subarray(12).toString('latin1')).toBe(
      '\u000akubernetes\u0007default\u0000\u0000\u0001\u0000\u0001',
    );
  });
});

describe('resolv.conf', () => {
  it('tells the resolver and, in a pod, the cluster’s domain', () => {
    const text =
      'search regauge-system.svc.example.org svc.example.org example.org\nnameserver 10.96.0.10\noptions ndots:5\n';
    expect(parseResolvConf(text)).toEqual({ server: '10.96.0.10', domain: 'example.org' });
    expect(parseResolvConf('nameserver 192.0.2.1\n')).toEqual({
      server: '192.0.2.1',
      domain: undefined,
    });
    expect(parseResolvConf('')).toEqual({ server: undefined, domain: undefined });
  });
});

describe('the route', () => {
  it('tells its MTU where one is set', () => {
    const table = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t0001F40A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0',
      'eth0\t00000000\t0101F40A\t0003\t0\t0\t0\t00000000\t1450\t0\t0',
    ].join('\n');
    expect(defaultRouteMtu(table)).toBe(1_450);
    expect(defaultRouteMtu(table.replace('1450', '0'))).toBe(0);
    expect(defaultRouteMtu('')).toBe(0);
  });
});

it('an agent that only serves is told so by its word', () => {
  expect(settingsFrom({ NODE_NAME: 'a', POD_IP: '10.0.0.1' }, 'closed')).toMatchObject({
    end: 'pod',
    onlyServes: true,
    node: 'a',
  });
  expect(settingsFrom({}, 'host')).toMatchObject({ end: 'host', onlyServes: false });
});
