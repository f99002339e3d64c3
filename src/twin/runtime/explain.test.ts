/** `explain-node`'s answers: the post-mortem's listing, and set-ups where other things hold. */
import { describe, expect, it } from 'vitest';
import { explainNode } from './explain.ts';
import type { NodeDescription } from './probe-node.ts';

const FLANNEL = '10-flannel.conflist';
const CILIUM = '05-cilium.conflist';

function described(
  names: readonly string[],
  change: Partial<NodeDescription> = {},
): NodeDescription {
  return {
    node: 'worker-1',
    runtime: { kind: 'containerd', version: '2.0.5' },
    distribution: 'talos',
    version: '1.10.2',
    flannelPlugin: '1.5.1-flannel3',
    confDirectory: '/etc/cni/net.d',
    binDirectory: '/opt/cni/bin',
    confs: names.map((name) => ({ name, kind: 'file', text: undefined })),
    binaries: undefined,
    subnetEnv: undefined,
    agent: undefined,
    ...change,
  };
}

describe('the post-mortem’s listing: 05-cilium.conflist and 10-flannel.conflist', () => {
  const explanation = explainNode(described([CILIUM, FLANNEL]));

  it('a new pod gets Cilium, now and after a reboot', () => {
    expect(explanation.now).toMatchObject({ network: 'cilium', file: CILIUM, ready: true });
    expect(explanation.afterReboot).toMatchObject({ network: 'cilium', file: CILIUM });
  });

  it('with the agent down the pod waits and fails; it does not fall back to Flannel', () => {
    expect(explanation.now.pods.map(({ ok }) => ok)).toEqual([true, false]);
    expect(explanation.now.pods[1]?.error).toContain('Is the agent running?');
  });

  it('the other file is never opened', () => {
    const fates = explanation.files.map(({ file, fate }) => [file, fate]);
    expect(fates).toEqual([
      [CILIUM, 'loaded'],
      [FLANNEL, 'unread'],
    ]);
  });

  it('alone, Flannel’s file would give Flannel if flanneld had written its state', () => {
    const alone = explanation.files.find(({ file }) => file === FLANNEL)?.alone;
    expect(alone?.network).toBe('cbr0');
    expect(alone?.pods.map(({ ok }) => ok)).toEqual([true, false]);
  });

  it('says what was believed of it and that none of it holds', () => {
    expect(explanation.beliefs.length).toBeGreaterThan(0);
    expect(explanation.beliefs.filter(({ holds }) => holds)).toEqual([]);
  });

  it('says what it took for granted', () => {
    const assumed = explanation.assumptions.map(({ what }) => what).join('\n');
    expect(assumed).toContain(CILIUM);
    expect(assumed).toContain('every plugin the confs name');
  });
});

describe('what decides elsewhere', () => {
  it('Talos 1.14: after a reboot the directory is empty and no pod starts', () => {
    const { afterReboot } = explainNode(described([CILIUM, FLANNEL], { version: '1.14.0' }));
    expect(afterReboot).toMatchObject({ ready: false, network: null });
    expect(afterReboot.message).toContain('cni plugin not initialized');
  });

  it('a broken first file: nothing is loaded, whatever else is there', () => {
    const confs = [
      { name: CILIUM, kind: 'file', text: '{' } as const,
      { name: FLANNEL, kind: 'file', text: undefined } as const,
    ];
    const { now, files } = explainNode(described([], { confs }));
    expect(now).toMatchObject({ ready: false, network: null });
    expect(files.map(({ fate }) => fate)).toEqual(['broken', 'unread']);
  });

  it('CRI-O does skip a broken file', () => {
    const confs = [
      { name: CILIUM, kind: 'file', text: '{' } as const,
      { name: FLANNEL, kind: 'file', text: undefined } as const,
    ];
    const runtime = { kind: 'cri-o', version: '1.33.0' } as const;
    expect(explainNode(described([], { confs, runtime })).now.network).toBe('cbr0');
  });

  it('a plugin that is missing from the listing: ready, and every pod fails', () => {
    const binaries = [{ name: 'loopback' }, { name: 'flannel' }];
    const { now } = explainNode(described([CILIUM, FLANNEL], { binaries }));
    expect(now.ready).toBe(true);
    expect(now.pods.every(({ ok }) => !ok)).toBe(true);
    expect(now.pods[0]?.error).toContain('failed to find plugin "cilium-cni"');
  });

  it('files no loader looks at are told apart', () => {
    const { files } = explainNode(described([`${FLANNEL}.cilium_bak`, CILIUM]));
    expect(files.map(({ file, fate, alone }) => [file, fate, alone === null])).toEqual([
      [CILIUM, 'loaded', false],
      [`${FLANNEL}.cilium_bak`, 'ignored', true],
    ]);
  });
});
