/**
 * The packet filters of a node with real iptables, in a network namespace of its own: what regauge lists and
 * removes there through what it takes for an agent, and that the twin's filters are as the kernel's are: the
 * rules it writes are taken and printed alike, and what cannot be done is said in the same words.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { openNodeHost } from '../../../src/drivers/host-access/open-node-host.ts';
import {
  BACKENDS,
  FAMILIES,
  type FilterBackend,
} from '../../../src/knowledge/packet-filter/saved-rules.ts';
import type { KubeObject, PodObject } from '../../../src/model/kubernetes.ts';
import type { ExecResult, KubernetesPort } from '../../../src/ports/index.ts';
import type { NodeHostPort } from '../../../src/ports/node-host.ts';
import {
  writeFelixRules,
  writeFlannelRules,
  writeKubeRouterRules,
} from '../../../src/twin/network/old-rules.ts';
import { PacketFilter } from '../../../src/twin/network/packet-filter.ts';
import type { Lane } from '../lane.ts';
import { Skipped } from '../skipped.ts';

const NODE = 'here';
const OWNERS = ['flannel', 'kube-router', 'calico'] as const;
const FLANNEL = { network: '10.244.0.0/16', subnet: '10.244.1.0/24', nftables: false } as const;

type Run = (words: readonly string[], stdin?: string) => ExecResult;

interface Namespace {
  readonly run: Run;
  readonly host: NodeHostPort;
}

export async function holdPacketFilters(lane: Lane): Promise<void> {
  if (process.getuid?.() !== 0) throw new Skipped('packet filters need root');
  for (const [title, test] of Object.entries(TESTS)) {
    const sleeper = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
    const undo = lane.onEnd(() => void sleeper.kill('SIGKILL'));
    await lane.check(`packet filter: ${title}`, async () => {
      await test(await namespaceOf(sleeper));
    });
    await undo();
  }
}

async function namespaceOf(sleeper: ChildProcess): Promise<Namespace> {
  const run: Run = (words, stdin = '') => inside(sleeper.pid ?? 0, words, stdin);
  await untilApart(run);
  for (const backend of BACKENDS) {
    const { exitCode, stderr } = run([`iptables-${backend}`, '-t', 'nat', '-L', '-n']);
    if (exitCode !== 0)
      throw new Skipped(`iptables-${backend} does not work here: ${stderr.trim()}`);
  }
  const { nodeHost } = openNodeHost({
    kubernetes: agentIn(run),
    distribution: 'kubeadm',
    hostAccess: { run: 'lane', mayCreatePods: true },
  });
  return { run, host: nodeHost };
}

/** `unshare` is a process of the old namespace until it has made the new one. */
async function untilApart(run: Run): Promise<void> {
  for (let look = 0; look < 100; look += 1) {
    const links = run(['ls', '/sys/class/net']);
    const names = run(['ip', '-o', 'link', 'show']).stdout.trim().split('\n');
    if (links.exitCode === 0 && names.length === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Skipped('no network namespace can be made here');
}

function inside(pid: number, words: readonly string[], input: string): ExecResult {
  const args = ['-t', `${pid}`, '--net', '--', ...words];
  const ended = spawnSync('nsenter', args, { input, encoding: 'utf8', timeout: 30_000 });
  return { exitCode: ended.status ?? 127, stdout: ended.stdout ?? '', stderr: ended.stderr ?? '' };
}

/** One node with one agent; what is run in it, and in pods of kube-proxy's image, runs in the namespace. */
function agentIn(run: Run): KubernetesPort {
  let made: PodObject | undefined;
  const agent = {
    metadata: { name: 'cilium-x', namespace: 'kube-system' },
    spec: { nodeName: NODE, hostNetwork: true, containers: [{ name: 'cilium-agent' }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'cilium-agent', state: { running: {} } }],
    },
  };
  const port = {
    apply: (object: KubeObject) => Promise.resolve(object),
    list: () => Promise.resolve([agent]),
    create: (object: PodObject) => {
      const [container] = object.spec.containers;
      const { exitCode } = run(container?.command ?? []);
      made = { ...object, status: { phase: exitCode === 0 ? 'Succeeded' : 'Failed' } };
      return Promise.resolve(made);
    },
    get: ({ kind }: { readonly kind: string }) =>
      Promise.resolve(kind === 'Pod' ? made : undefined),
    version: () => Promise.resolve({ gitVersion: 'v1.33.0' }),
    delete: () => Promise.resolve(),
    logs: async function* () {},
    exec: ({ command }: { readonly command: readonly string[] }) => Promise.resolve(run(command)),
  };
  return port as unknown as KubernetesPort; // what the adapter uses of it
}

/** In the back end, as those who write them do. */
function filterIn(backend: FilterBackend): PacketFilter {
  const filter = new PacketFilter();
  if (backend === 'legacy') {
    const hint = { family: 'ipv4', backend, table: 'mangle' } as const;
    filter.setChain(hint, 'KUBE-IPTABLES-HINT', []);
  }
  writeFlannelRules(filter, FLANNEL);
  writeKubeRouterRules(filter);
  writeFelixRules(filter);
  return filter;
}

function restore({ run }: Namespace, backend: FilterBackend): PacketFilter {
  const filter = filterIn(backend);
  must(run([`iptables-${backend}-restore`], filter.saved('ipv4', backend)));
  return filter;
}

/** Rules and chains, without counters and dates. */
function plain(saved: string): readonly string[] {
  return saved
    .split('\n')
    .filter((line) => /^(-A|\*|:)/.test(line))
    .map((line) => line.replace(/ \[\d+:\d+\]$/, ''));
}

const FOREIGN = [
  ['-t', 'filter', '-N', 'FLANNEL-FWD-EXTRA'],
  ['-t', 'filter', '-A', 'FLANNEL-FWD-EXTRA', '-s', '10.9.0.0/16', '-j', 'DROP'],
  ['-t', 'filter', '-I', 'FORWARD', '-j', 'FLANNEL-FWD-EXTRA'],
  [
    '-t',
    'nat',
    '-A',
    'POSTROUTING',
    '-m',
    'comment',
    '--comment',
    'say "flanneld masq"',
    '-j',
    'MASQUERADE',
  ],
];

type Test = (namespace: Namespace) => Promise<void> | void;

const TESTS: Readonly<Record<string, Test>> = {
  'the kernel takes the rules that the twin’s programs write, and prints them as the twin does': (
    namespace,
  ) => {
    for (const backend of BACKENDS) {
      const filter = restore(namespace, backend);
      const { stdout } = namespace.run([`iptables-${backend}-save`]);
      same(tablesIn(plain(stdout)), tablesIn(plain(filter.saved('ipv4', backend))));
    }
  },
  'lists what is there in both back ends and families, and removes it; others’ rules stay': async (
    namespace,
  ) => {
    const { run, host } = namespace;
    same(await host.leftRules(NODE, ['flannel']), []);
    for (const backend of BACKENDS) {
      for (const words of FOREIGN) must(run([`iptables-${backend}`, ...words]));
    }
    const foreign = BACKENDS.map((backend) => plain(run([`iptables-${backend}-save`]).stdout));
    for (const family of ['iptables', 'ip6tables']) {
      for (const backend of BACKENDS) {
        const words = [`${family}-${backend}`, '-t', 'nat'];
        must(run([...words, '-N', 'FLANNEL-POSTRTG']));
        const masq = ['-m', 'comment', '--comment', 'flanneld masq', '-j', 'FLANNEL-POSTRTG'];
        must(run([...words, '-A', 'POSTROUTING', ...masq]));
        must(run([...words, '-A', 'FLANNEL-POSTRTG', '-j', 'MASQUERADE']));
      }
    }
    same((await host.leftRules(NODE, ['flannel'])).length, FAMILIES.length * BACKENDS.length);
    await host.removeLeftRules(NODE, { owners: ['flannel'], nftTables: [] });
    await host.removeLeftRules(NODE, { owners: ['flannel'], nftTables: [] });
    same(await host.leftRules(NODE, ['flannel']), []);
    same(
      BACKENDS.map((backend) => plain(run([`iptables-${backend}-save`]).stdout)),
      foreign,
    );
  },
  'a chain that somebody’s rule leads into stays, and is named': async ({ run, host }) => {
    must(run(['iptables-nft', '-N', 'FLANNEL-FWD']));
    must(run(['iptables-nft', '-A', 'INPUT', '-j', 'FLANNEL-FWD']));
    const what = { owners: ['flannel'], nftTables: [] } as const;
    const said = await host.removeLeftRules(NODE, what).then(() => 'done', messageOf);
    if (!said.includes('-A INPUT -j FLANNEL-FWD')) throw new Error(`it said: ${said}`);
    must(run(['iptables-nft', '-L', 'FLANNEL-FWD']));
  },
  'says in the same words what cannot be done': ({ run }) => {
    for (const backend of BACKENDS) {
      const filter = new PacketFilter();
      const cases = [
        '-N A',
        '-A INPUT -j A',
        '-X A',
        '-A A -j ACCEPT',
        '-N A',
        '-D INPUT -j B',
        '-X C',
        '-F C',
        '-D INPUT -j A',
        '-X A',
      ];
      for (const text of cases) {
        const words = text.split(' ');
        const real = run([`iptables-${backend}`, '-w', '5', ...words]);
        const played = filter.command('ipv4', backend, words);
        const heard = [real.exitCode === 0, wordsOf(real.stderr)];
        // Of a rule that leads to nothing the two back ends speak differently; nobody acts on it.
        if (text !== '-D INPUT -j B' && text !== '-X A')
          same([text, ...heard], [text, played.exitCode === 0, wordsOf(played.stderr)]);
        else same([text, heard[0]], [text, played.exitCode === 0]);
      }
    }
  },
  'all that kube-router, Flannel and Felix have goes, sets too': async (namespace) => {
    const { run, host } = namespace;
    if (run(['ipset', 'list', '-n']).exitCode !== 0) throw new Skipped('there is no ipset here');
    for (const backend of BACKENDS) restore(namespace, backend);
    must(run(['ipset', 'create', 'KUBE-SRC-TEMCG2JMHZYE7H7T', 'hash:ip']));
    must(run(['ipset', 'create', 'KUBE-SRC-MINE', 'hash:ip']));
    await host.removeLeftRules(NODE, { owners: OWNERS, nftTables: [] });
    same(await host.leftRules(NODE, OWNERS), []);
    same(run(['ipset', 'list', '-n']).stdout.trim(), 'KUBE-SRC-MINE');
  },
  'tables of nft go in one transaction, there or not, and others’ stay': async ({ run, host }) => {
    if (run(['nft', 'list', 'tables']).exitCode !== 0) throw new Skipped('there is no nft here');
    must(run(['nft', 'add table ip flannel-ipv4; add table ip firewall']));
    const what = {
      owners: ['flannel'],
      nftTables: ['ip flannel-ipv4', 'ip6 flannel-ipv6'],
    } as const;
    for (let time = 0; time < 2; time += 1) {
      await host.removeLeftRules(NODE, what);
      const tables = run(['nft', 'list', 'tables']).stdout;
      same([/firewall/.test(tables), /flannel/.test(tables)], [true, false]);
    }
  },
};

/** Tables apart: the order in which they are printed is nobody's. */
function tablesIn(lines: readonly string[]): readonly string[] {
  const tables = lines
    .join('\n')
    .split(/^\*/m)
    .filter((text) => /-A|KUBE/.test(text));
  return tables.map((text) => text.trim().split('\n').toSorted().join('\n')).toSorted();
}

/** Of a sentence in several programs' frames. */
function wordsOf(stderr: string): string {
  return stderr.replace(/^(iptables|ip6tables)[^:]*: */, '').split('\n')[0] ?? '';
}

function must({ exitCode, stderr }: ExecResult): void {
  if (exitCode !== 0) throw new Error(stderr);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function same(got: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (left !== right)
    throw new Error(`got ${left?.slice(0, 2000)}, wanted ${right?.slice(0, 2000)}`);
}
