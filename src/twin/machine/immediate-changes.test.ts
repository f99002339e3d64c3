/** Which differences between two configs count as changes, and which of them need a reboot. */
import { describe, expect, it } from 'vitest';
import { changedPaths, needReboot } from './immediate-changes.ts';

describe('config changes', () => {
  it('takes an empty value for none, as a client that decodes and encodes writes it', () => {
    const before = { machine: { type: 'worker' } };
    const after = { machine: { type: 'worker', token: '', certSANs: [], kubelet: { image: '' } } };
    expect(changedPaths(before, after)).toEqual([]);
    expect(changedPaths(after, before)).toEqual([]);
  });

  it('names what differs as deep as the whitelist goes', () => {
    const before = { machine: { env: { a: 'b' }, features: { rbac: true } }, cluster: {} };
    const after = {
      machine: { features: { rbac: true, hostDNS: { enabled: false } } },
      cluster: { network: { dnsDomain: 'x' } },
    };
    const paths = changedPaths(before, after);
    expect(paths).toEqual(['machine.env', 'machine.features.hostDNS', 'cluster.network']);
    expect(needReboot(paths)).toEqual(['machine.env']);
  });
});
