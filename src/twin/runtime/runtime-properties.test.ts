/**
 * Random conf directories and operations: whatever happens, an excluded file is never selected, a
 * runtime is never ready without a network, leases are conserved, and the same seed gives the same run.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isConfFile } from '../../knowledge/cni-selection.ts';
import { pluginBinary } from '../node/plugin-binary.ts';
import {
  BIN,
  CILIUM_CONF,
  CONF,
  FLANNEL_CONF,
  SUBNET,
  SUBNET_ENV,
  type TestNode,
  type TestNodeOptions,
  bridgeConf,
  conflist,
  testNode,
} from './testing.ts';

const NAMES = [
  '05-cilium.conflist',
  '10-flannel.conflist',
  '10-net1.conflist',
  '100-net2.conf',
  '5-net2.conflist',
  '.05-hidden.conflist',
  '10-flannel.conflist.cilium_bak',
  '00-first.conflist~',
  'Z.json',
  'README.conf.d',
  '.05-cilium.conflist4711',
];
const PODS = ['a', 'b', 'c'];
const TEXTS = [
  FLANNEL_CONF,
  CILIUM_CONF,
  bridgeConf(1),
  bridgeConf(2),
  bridgeConf(3).replace('/24', '/30'),
  conflist(
    'status',
    [{ type: 'bridge', ipam: { type: 'host-local', subnet: '10.24.0.0/28' } }],
    '1.1.0',
  ),
  conflist('odd name', [{ type: 'bridge' }]),
  conflist('none', []),
  '',
  '{',
  '[]',
  '{"name":"single","cniVersion":"0.4.0","type":"bridge","ipam":{"type":"host-local","subnet":"10.25.0.0/28"}}',
];
const BINARIES = ['bridge', 'flannel', 'host-local', 'portmap', 'cilium-cni'];

type Binary = 'real' | 'absent' | 'garbage' | 'not executable';

type Operation =
  | { readonly op: 'write'; readonly name: string; readonly text: string }
  | { readonly op: 'rename'; readonly name: string; readonly to: string }
  | { readonly op: 'remove' | 'chmod'; readonly name: string }
  /** A file from elsewhere on the disk, renamed into the directory. */
  | { readonly op: 'move-in'; readonly name: string; readonly text: string }
  | { readonly op: 'binary'; readonly name: string; readonly what: Binary }
  | { readonly op: 'reboot' | 'restart' | 'subnet' | 'agent' }
  | { readonly op: 'run' | 'stop' | 'remove-pod'; readonly pod: string };

const name = fc.constantFrom(...NAMES);
const pod = fc.constantFrom(...PODS);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constantFrom('write' as const, 'write' as const, 'move-in' as const),
      name,
      text: fc.constantFrom(...TEXTS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('rename' as const), name, to: name }) },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constantFrom('remove' as const, 'chmod' as const), name }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('binary' as const),
      name: fc.constantFrom(...BINARIES),
      what: fc.constantFrom<Binary>('real', 'absent', 'garbage', 'not executable'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constantFrom(
        'reboot' as const,
        'restart' as const,
        'subnet' as const,
        'agent' as const,
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constantFrom('run' as const, 'stop' as const, 'remove-pod' as const),
      pod,
    }),
  },
);

const runtimes: readonly TestNodeOptions[] = [
  { kind: 'containerd', version: '1.6.20' },
  { kind: 'containerd', version: '1.7.27' },
  { kind: 'containerd', version: '2.0.5' },
  { kind: 'containerd', version: '2.3.4' },
  { kind: 'containerd', version: '2.0.5', maxConfNum: 0 },
  { kind: 'cri-o', version: '1.33.0' },
];

interface Run {
  readonly node: TestNode;
  readonly ids: Map<string, string[]>;
  readonly transcript: string[];
}

function start(options: TestNodeOptions): Run {
  return { node: testNode(options), ids: new Map(PODS.map((one) => [one, []])), transcript: [] };
}

function act(run: Run, one: Operation): void {
  const { node, transcript } = run;
  const { files, runtime } = node;
  if (one.op === 'write') files.write(`${CONF}/${one.name}`, one.text);
  else if (one.op === 'move-in') moveIn(node, one);
  else if (one.op === 'rename') files.rename(`${CONF}/${one.name}`, `${CONF}/${one.to}`);
  else if (one.op === 'remove') files.remove(`${CONF}/${one.name}`);
  else if (one.op === 'chmod') files.chmod(`${CONF}/${one.name}`, 0o600);
  else if (one.op === 'binary') install(node, one.name, one.what);
  else if (one.op === 'reboot') node.reboot();
  else if (one.op === 'restart') runtime.restart();
  else if (one.op === 'subnet') files.write(SUBNET_ENV, SUBNET);
  else if (one.op === 'agent') node.startAgent();
  else if ('pod' in one) actOnPod(run, one);
  node.advance(600);
  const { ready, message } = runtime.networkStatus();
  transcript.push(`${String(ready)} ${message} ${runtime.loadStatus()}`);
}

function actOnPod({ node, ids, transcript }: Run, one: Operation & { readonly pod: string }): void {
  if (one.op === 'run') {
    const result = node.run(one.pod, { timeoutMs: 8_000 });
    if (result.ok) ids.get(one.pod)?.push(result.id);
    transcript.push(result.ok ? `${one.pod} ${result.ip ?? ''}` : result.message);
    return;
  }
  const id = ids.get(one.pod)?.at(-1) ?? '';
  const result = one.op === 'stop' ? node.stop(id) : node.remove(id);
  transcript.push(result.ok ? `${one.op} ${one.pod}` : result.message);
}

function moveIn({ files }: TestNode, { name: to, text }: { name: string; text: string }): void {
  files.write('/srv/conf', text);
  files.rename('/srv/conf', `${CONF}/${to}`);
}

function install({ files }: TestNode, binary: string, what: Binary): void {
  const path = `${BIN}/${binary}`;
  if (what === 'absent') files.remove(path);
  else if (what === 'not executable') files.chmod(path, 0o644);
  else files.write(path, what === 'garbage' ? 'x' : pluginBinary(binary, '1.6.2'), { mode: 0o755 });
}

/** containerd's own loopback network has no file. */
function filesLoaded({ node }: Run): readonly string[] {
  return node.runtime
    .loadedNetworks()
    .map(({ file }) => file)
    .filter((file) => file !== '');
}

/** Leases held twice, and addresses of open sandboxes that host-local does not hold for them. */
function lostLeases({ node }: Run): readonly string[] {
  const { state } = node.runtime;
  const held = new Set<string>();
  const lost: string[] = [];
  for (const network of state.leaseNetworks()) {
    const leases = state.leasesOf(network).entries();
    const addresses = new Set(leases.map(({ address }) => address));
    if (addresses.size !== leases.length) lost.push(`${network} holds an address twice`);
    for (const { address, holder } of leases) held.add(`${address} ${holder.id}`);
  }
  const given = new Set<string>();
  for (const { id, ip, netnsOpen } of node.runtime.sandboxStates()) {
    // The agent's addresses are its own.
    if (ip === '' || !netnsOpen || ip.startsWith('10.245.')) continue;
    if (!held.has(`${ip} ${id}`)) lost.push(`${ip} of ${id} is not reserved`);
    if (given.has(ip)) lost.push(`${ip} was given twice`);
    given.add(ip);
  }
  return lost;
}

function leasesOf({ node }: Run): readonly string[] {
  const { state } = node.runtime;
  return state
    .leaseNetworks()
    .flatMap((network) => state.leasesOf(network).entries())
    .map(({ address, holder }) => `${address} ${holder.id}`);
}

const operations = fc.array(operation, { minLength: 1, maxLength: 25 });
const RUNS = { numRuns: 60 };

describe.each(runtimes)('$kind $version, max_conf_num $maxConfNum', (options) => {
  it('never selects an excluded file', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const run = start(options);
        for (const one of list) {
          act(run, one);
          for (const file of filesLoaded(run)) {
            expect(isConfFile(file)).toBe(true);
            expect(file).not.toMatch(/(~|_bak|4711|\.d)$/);
          }
        }
      }),
      RUNS,
    );
  });

  it('is never ready without a loaded network', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const run = start(options);
        const unfounded: Operation[] = [];
        // CRI-O 1.33 stays ready once it was (cri-o:internal/config/cnimgr/cnimgr.go@v1.33.0).
        let sticky = false;
        for (const one of list) {
          act(run, one);
          const loaded = filesLoaded(run).length > 0;
          if (one.op === 'restart' || one.op === 'reboot') sticky = false;
          sticky ||= loaded && options.kind === 'cri-o';
          if (run.node.runtime.networkStatus().ready && !loaded && !sticky) unfounded.push(one);
        }
        expect(unfounded).toEqual([]);
      }),
      RUNS,
    );
  });

  it('conserves leases', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const run = start(options);
        const lost = list.flatMap((one) => {
          act(run, one);
          return lostLeases(run);
        });
        expect(lost).toEqual([]);
      }),
      RUNS,
    );
  });

  it('answers as one that looks at everything anew with each call', () => {
    fc.assert(
      fc.property(operations, (list) => {
        // A runtime whose calls are noted prepares nothing.
        const [usual, noted] = [start(options), start({ ...options, trace: { call: () => {} } })];
        for (const one of list) {
          act(usual, one);
          act(noted, one);
        }
        expect(usual.transcript).toEqual(noted.transcript);
        expect(leasesOf(usual)).toEqual(leasesOf(noted));
      }),
      RUNS,
    );
  });

  it('is deterministic', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const [first, second] = [start(options), start(options)];
        for (const one of list) {
          act(first, one);
          act(second, one);
        }
        expect(second.transcript).toEqual(first.transcript);
        expect(second.node.kernel.occurrences).toEqual(first.node.kernel.occurrences);
      }),
      { numRuns: 20 },
    );
  });
});
