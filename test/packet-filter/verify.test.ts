/** Goal: `verify` names rules whose programs are gone, and no others. Method: a K3s twin, moved in part. */
import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import { present } from '../../src/base/assert.ts';
import { verificationText } from '../../src/cli/terminal/verification-text.ts';
import { leftRules } from '../../src/engine/verify/left-rules.ts';
import type { Verification } from '../../src/model/verification.ts';
import type { NodeHostPort } from '../../src/ports/index.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { movedK3s, twin } from '../support/packet-filters.ts';

const PLAIN = pico.createColors(false);
const CLEAR: Verification = {
  apiVersion: 'regauge.dev/v1',
  kind: 'Verification',
  seconds: 1,
  paths: [],
  failing: [],
  unknown: [],
  verdict: 'clear',
};

describe('verify', () => {
  it('tells of rules whose programs are gone, and of nodes that it could not ask', async () => {
    const { world } = await movedK3s();
    const { kubernetes, nodeHost } = createTwinPorts(world);
    const look = (host: Pick<NodeHostPort, 'leftRules'>) =>
      world.kernel.drive(() => leftRules(kubernetes, host));
    const told = await look(nodeHost);
    expect(told?.owners).toEqual(['flannel', 'kube-router', 'calico']);
    expect(told?.nodes.map(({ node }) => node)).toEqual([...world.nodes.keys()].toSorted());
    expect(told?.nodes[0]?.rules).toContain('FLANNEL-POSTRTG of table nat (iptables-nft)');
    const text = verificationText({ ...CLEAR, leftRules: present(told, 'rules') }, 100, PLAIN);
    expect(text).toContain('Rules of what runs no more (flannel, kube-router, calico)');
    const silent = await look({ leftRules: () => Promise.reject(new Error('no agent')) });
    expect([silent?.nodes, silent?.unread.length]).toEqual([[], world.nodes.size]);
    for (const { name } of world.nodes.values())
      await world.kernel.drive(() =>
        nodeHost.removeLeftRules(name, { owners: ['flannel', 'kube-router'], nftTables: [] }),
      );
    const after = await look(nodeHost);
    expect(after?.nodes).toEqual([]);
    expect(verificationText({ ...CLEAR, leftRules: present(after, 'rules') }, 100, PLAIN)).toBe(
      verificationText(CLEAR, 100, PLAIN),
    );
  });

  it('takes none for left while its program runs, and asks nobody before Cilium is there', async () => {
    const { world } = await movedK3s('remove-old-cni/tell-service');
    const { kubernetes, nodeHost } = createTwinPorts(world);
    const early = await world.kernel.drive(() => leftRules(kubernetes, nodeHost));
    expect(early).toEqual({ owners: ['calico'], nodes: [], unread: [] });
    const before = twin();
    const ports = createTwinPorts(before);
    const asked = before.kernel.drive(() => leftRules(ports.kubernetes, ports.nodeHost));
    expect(await asked).toBeUndefined();
  });
});
