/** Which conf a runtime takes: the rules of truth/README.md, and knowledge 3.1 to 3.3. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRuntimeVersion, runtimeTraits } from './cni-runtimes.ts';
import {
  type ConfDirectory,
  compareConfNames,
  confCandidates,
  fatesOf,
  isConfFile,
  selectNetworks,
} from './cni-selection.ts';

const FLANNEL = '{"cniVersion":"1.0.0","name":"cbr0","plugins":[{"type":"flannel"}]}';
const CILIUM = '{"cniVersion":"0.3.1","name":"cilium","plugins":[{"type":"cilium-cni"}]}';

const CONTAINERD = runtimeTraits('containerd', '2.0.5');
const CRIO = runtimeTraits('cri-o', '1.33.0');
const ONE = { maxConfNum: 1 };

function directory(files: Readonly<Record<string, string>>): ConfDirectory {
  return {
    path: '/etc/cni/net.d',
    names: Object.keys(files),
    read(name) {
      const text = files[name];
      return text === undefined
        ? { ok: false, error: `open /etc/cni/net.d/${name}: no such file or directory` }
        : { ok: true, text };
    },
  };
}

function refuse({ name }: { readonly name: string }): string | undefined {
  return name === 'cilium' ? 'failed to find plugin "cilium-cni"' : undefined;
}

describe('candidates', () => {
  it.each(['a.conf', 'a.conflist', 'a.json', '.05-x.conflist', '.conf'])('%s is one', (name) => {
    expect(isConfFile(name)).toBe(true);
  });

  it.each([
    '10-flannel.conflist.cilium_bak',
    'a.conf~',
    'a.conf.bak',
    '.a.conf.swp',
    'a.CONF',
    'a.yaml',
    'conf',
    '.05-cilium.conflist4711',
    '',
  ])('%s is none', (name) => {
    expect(isConfFile(name)).toBe(false);
  });

  it('come in byte order', () => {
    const names = [
      'a.conf',
      '9-x.conf',
      'Z.conf',
      '100-x.conf',
      '10-x.json',
      '10-x.conflist',
      '10-x.conf',
      '5-x.conf',
      '.a.conf',
    ];
    expect(confCandidates(names)).toEqual([
      '.a.conf',
      '10-x.conf',
      '10-x.conflist',
      '10-x.json',
      '100-x.conf',
      '5-x.conf',
      '9-x.conf',
      'Z.conf',
      'a.conf',
    ]);
  });

  it('are ordered as their UTF-8 bytes are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (left, right) => {
        const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(Math.sign(compareConfNames(left, right))).toBe(bytes);
      }),
    );
  });
});

describe('containerd', () => {
  it('takes the first file in order, and it alone', () => {
    const files = directory({ '10-flannel.conflist': FLANNEL, '05-cilium.conflist': CILIUM });
    const { networks, status } = selectNetworks(CONTAINERD, files, ONE);
    expect(networks.map(({ file, network }) => `${file} ${network.name}`)).toEqual([
      '05-cilium.conflist cilium',
    ]);
    expect(status).toBe('OK');
  });

  it('has nothing at all when the first file is broken', () => {
    const files = directory({ '05-cilium.conflist': '{', '10-flannel.conflist': FLANNEL });
    const selection = selectNetworks(CONTAINERD, files, ONE);
    expect(selection.networks).toEqual([]);
    expect(selection.brokenFile).toBe('05-cilium.conflist');
    expect(selection.status).toContain('unexpected end of JSON input');
  });

  it('does not open files after the one that decides', () => {
    const files = directory({ '05-cilium.conflist': CILIUM, '10-flannel.conflist': '{' });
    expect(fatesOf(CONTAINERD, files, ONE).map(({ file, fate }) => `${file} ${fate}`)).toEqual([
      '05-cilium.conflist loaded',
      '10-flannel.conflist unread',
    ]);
  });

  it('takes all with max_conf_num 0, and then one broken file breaks all', () => {
    const good = directory({ '05-cilium.conflist': CILIUM, '10-flannel.conflist': FLANNEL });
    const all = selectNetworks(CONTAINERD, good, { maxConfNum: 0 });
    expect(all.networks.map(({ ifName }) => ifName)).toEqual(['eth0', 'eth1']);
    const bad = directory({ '05-cilium.conflist': CILIUM, '10-flannel.conflist': '{' });
    expect(selectNetworks(CONTAINERD, bad, { maxConfNum: 0 }).networks).toEqual([]);
  });

  it('1.6 and 1.7 cannot use cniVersion 1.1.0, 2.x can', () => {
    expect(runtimeTraits('containerd', '1.7.27').asksStatus).toBe(false);
    expect(runtimeTraits('containerd', '2.0.5').asksStatus).toBe(true);
  });
});

describe('CRI-O', () => {
  it('skips what it cannot read and takes the next', () => {
    const files = directory({ '05-cilium.conflist': '{', '10-flannel.conflist': FLANNEL });
    const { networks } = selectNetworks(CRIO, files, ONE);
    expect(networks[0]?.network.name).toBe('cbr0');
  });

  it('skips a network whose plugins it finds unfit', () => {
    const files = directory({ '05-cilium.conflist': CILIUM, '10-flannel.conflist': FLANNEL });
    const { networks } = selectNetworks(CRIO, files, { ...ONE, refuse });
    expect(networks[0]?.network.name).toBe('cbr0');
  });
});

describe('parseRuntimeVersion', () => {
  it.each([
    ['containerd://2.0.5', { kind: 'containerd', version: '2.0.5' }],
    ['containerd://v1.7.27', { kind: 'containerd', version: '1.7.27' }],
    ['cri-o://1.33.0', { kind: 'cri-o', version: '1.33.0' }],
    ['docker://20.10', undefined],
    ['containerd', undefined],
  ])('%s', (text, expected) => {
    expect(parseRuntimeVersion(text)).toEqual(expected);
  });
});
