/**
 * What probe agents on the twin's nodes would have printed: per agent, since it started, each path it
 * measures with what steady probes would have lost. Nothing is reckoned before somebody reads a log,
 * and then one book serves all agents of the world.
 */
import { CLOSED_NAME, PROBE_NAMESPACE } from '../../knowledge/probes/objects.ts';
import { methodsOf } from '../../model/probe-paths.ts';
import type { ProbeEnd, ProbeLine, ProbeLinePath } from '../../model/probe.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import type { TwinNode, World } from '../world.ts';
import { PathLog, type Seen } from './path-log.ts';
import type { ProbePath } from './probe-paths.ts';
import { ProbeTraffic } from './probe-traffic.ts';

/** An agent's line holds the newest gaps of a path only. */
const GAPS_MAX = 4;
const CLOSED_PERIOD_MS = 1_000;
const OFF: Seen = { kind: 'off' };

/** One path as one agent measures it, to one address. */
interface Page {
  readonly path: ProbePath;
  readonly sender: string;
  readonly address: string;
  readonly log: PathLog;
}

export interface AgentIdentity {
  readonly pod: PodObject;
  readonly node: TwinNode;
  readonly end: ProbeEnd;
  /** Virtual milliseconds. */
  readonly startedAt: number;
}

const books = new WeakMap<World, PlayedAgents>();

/** The line that the agent prints now. */
export function agentLine(world: World, agent: AgentIdentity): ProbeLine {
  let book = books.get(world);
  if (book === undefined) books.set(world, (book = new PlayedAgents(world)));
  return book.lineOf(agent);
}

class PlayedAgents {
  private readonly world: World;
  private readonly traffic: ProbeTraffic;
  private readonly pages = new Map<ProbePath, Page>();
  /** Of agents by their pods: what they measured to addresses that are no more. */
  private readonly ended = new Map<string, Page[]>();

  constructor(world: World) {
    this.world = world;
    this.traffic = new ProbeTraffic(world, (path, seen, now) => this.seen(path, seen, now));
    this.traffic.start();
  }

  lineOf({ pod, node, end, startedAt }: AgentIdentity): ProbeLine {
    this.traffic.look();
    const { uid = pod.metadata.name } = pod.metadata;
    const now = this.world.kernel.now();
    const own = [...(this.ended.get(uid) ?? []), ...this.pages.values()].filter(
      ({ path, sender }) => sender === uid && path.from.end === end && path.from.node === node.name,
    );
    return {
      probe: 1,
      end,
      node: node.name,
      boot: `${uid} ${startedAt}`,
      upMs: now - startedAt,
      address: end === 'host' ? node.address : (node.network.attachmentOf(uid)?.ip ?? ''),
      paths: [
        ...own.flatMap((page) => this.linesOf(page, startedAt)),
        ...(end === 'pod' ? this.closedFrom(pod, node.name, startedAt) : []),
      ],
    };
  }

  /** As of now: agents ask once a second, and only whether it is reached is of interest. */
  private closedFrom(pod: PodObject, node: string, startedAt: number): readonly ProbeLinePath[] {
    const { kernel, store, nodes } = this.world;
    const closed = store.get('Pod', PROBE_NAMESPACE, CLOSED_NAME);
    const { nodeName = '' } = closed?.spec ?? {};
    const address = nodes.get(nodeName)?.network.attachmentOf(closed?.metadata.uid ?? '')?.ip;
    if (closed === undefined || address === undefined) return [];
    const verdict = this.world.fabric.reach({ kind: 'pod', pod }, { kind: 'pod', pod: closed });
    const upMs = kernel.now() - startedAt;
    const sent = Math.floor(upMs / CLOSED_PERIOD_MS);
    const lost = verdict.ok ? 0 : sent;
    return [
      {
        kind: 'closed',
        to: node,
        method: 'tcp-new',
        address,
        periodMs: CLOSED_PERIOD_MS,
        sent,
        lost,
        longestMs: 0,
        gaps: [],
        ...(verdict.ok ? {} : { failing: { sinceMs: 0, message: verdict.message } }),
      },
    ];
  }

  private seen(path: ProbePath, seen: Seen, now: number): void {
    // Whether a receiver was ever there is the path's own to know.
    path.log.note(now, seen, 'host', 'host');
    const { ends } = this.traffic;
    const { from, to } = path;
    const sender = ends.podUidOn(from.end, from.node);
    const target = to.kind === 'pod' ? ends.addressOn(to.node) : '';
    const page = this.pages.get(path);
    const address = target ?? page?.address;
    const goesOn = page !== undefined && page.sender === sender && page.address === address;
    if (page !== undefined && !goesOn) this.close(page, now);
    if (sender === undefined || address === undefined) return;
    const open = goesOn ? page : this.open(path, sender, address);
    open.log.note(now, seen, 'host', 'host');
  }

  private open(path: ProbePath, sender: string, address: string): Page {
    const page = { path, sender, address, log: new PathLog() };
    this.pages.set(path, page);
    return page;
  }

  private close(page: Page, now: number): void {
    page.log.note(now, OFF, 'host', 'host');
    this.pages.delete(page.path);
    const pages = this.ended.get(page.sender);
    if (pages === undefined) this.ended.set(page.sender, [page]);
    else pages.push(page);
  }

  private linesOf(page: Page, startedAt: number): readonly ProbeLinePath[] {
    const { path, address, log } = page;
    const { from, to, peer } = path;
    const now = this.world.kernel.now();
    const nodes = { from: from.node, to: to.node };
    const planned = methodsOf({ end: from.end, kind: to.kind, peer }, this.world.nodes.size);
    return planned.flatMap(({ method, periodMs }) => {
      const [observed] = log.observations(now, nodes, { protocol: 'udp', periodMs });
      if (observed === undefined) return [];
      const { seen, sinceMs } = log;
      const gaps = observed.gaps
        .map(([begin, end]) => [begin * 1_000 - startedAt, end * 1_000 - startedAt] as const)
        .filter(([begin]) => seen.kind !== 'failing' || begin !== sinceMs - startedAt);
      const line: ProbeLinePath = {
        kind: to.kind,
        to: to.node,
        method,
        address,
        periodMs,
        sent: observed.sent,
        lost: observed.lost,
        longestMs: observed.longestGapMs,
        gaps: gaps.slice(-GAPS_MAX),
        ...(seen.kind === 'failing'
          ? { failing: { sinceMs: sinceMs - startedAt, message: seen.message } }
          : {}),
        ...(observed.sourceSeen === null ? {} : { source: observed.sourceSeen }),
      };
      return [line];
    });
  }
}
