/**
 * Watches what policies would drop, while they are audited and all of it passes: every agent's Hubble is
 * asked for the connections it let pass for that reason alone. Some are meant to be dropped; a person
 * says so on the namespace whose policy it is. What cannot be read is not known to be nothing.
 */
import {
  auditedFlowsCommand,
  type HubbleFlow,
  judgedEnd,
  parseFlows,
  showFlow,
} from '../knowledge/hubble-flows.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { agentsOn, isReady } from './pods.ts';
import {
  type ActionOf,
  fails,
  HOLDS,
  type StepContext,
  type StepModule,
  type Verdict,
} from './step-module.ts';
import { inParallel, NODES_AT_A_TIME } from './waiting.ts';

/** Annotation of a namespace, by a person: its policies drop what they drop on purpose. */
const AUDITED_MARK = 'regauge.dev/audit';
const AUDITED = 'accepted';

const AGENT_CONTAINER = 'cilium-agent';
const FLOWS_MAX = 200;
const NAMED_MAX = 5;

type Audit = ActionOf<'audit-policies'>;

export const auditPolicies: StepModule<'audit-policies'> = {
  observe: () => Promise.resolve('todo'),

  async act({ ports }, { seconds }) {
    await ports.clock.sleep(seconds * 1000);
  },

  async verify(context, action) {
    const flows = new Map<string, HubbleFlow>();
    let unread: Verdict = HOLDS;
    await inParallel(action.nodes, NODES_AT_A_TIME, async (node) => {
      const read = await auditedOn(context, action, node);
      if (!Array.isArray(read)) unread = fails(`not known of ${node}: ${String(read)}`);
      else for (const flow of read) flows.set(showFlow(flow), flow);
    });
    if (!unread.holds) return unread;
    const dropped = await notAccepted(context, [...flows.values()]);
    return dropped.length === 0 ? HOLDS : fails(inWords(dropped));
  },

  undo: () => null,
};

/** The flows, or why they could not be read. */
async function auditedOn(
  { ports, plan }: StepContext,
  { seconds }: Audit,
  node: string,
): Promise<HubbleFlow[] | string> {
  const agent = (await agentsOn(ports.kubernetes, plan, node)).find(isReady);
  if (agent === undefined) return 'its Cilium agent is not ready';
  const { exitCode, stdout, stderr } = await ports.kubernetes.exec({
    namespace: agent.metadata.namespace ?? plan.platform.release.namespace,
    pod: agent.metadata.name,
    container: AGENT_CONTAINER,
    command: auditedFlowsCommand(seconds, FLOWS_MAX),
  });
  if (exitCode !== 0) return `hubble observe: ${stderr.trim() || `exit code ${exitCode}`}`;
  return parseFlows(stdout).filter(({ verdict }) => verdict === 'AUDIT');
}

async function notAccepted(
  { ports }: StepContext,
  flows: readonly HubbleFlow[],
): Promise<readonly HubbleFlow[]> {
  const accepted = new Map<string, boolean>();
  for (const name of new Set(flows.map(namespaceOf))) {
    const found = await ports.kubernetes.get<KubeObject>({
      apiVersion: 'v1',
      kind: 'Namespace',
      name,
    });
    accepted.set(name, found?.metadata.annotations?.[AUDITED_MARK] === AUDITED);
  }
  return flows.filter((flow) => accepted.get(namespaceOf(flow)) !== true);
}

function namespaceOf(flow: HubbleFlow): string {
  return judgedEnd(flow)?.namespace ?? '';
}

function inWords(flows: readonly HubbleFlow[]): string {
  const named = flows.slice(0, NAMED_MAX).map(showFlow).toSorted().join('; ');
  const more = flows.length > NAMED_MAX ? ` and ${flows.length - NAMED_MAX} more` : '';
  const [first] = new Set(flows.map(namespaceOf));
  return `policies would drop ${named}${more}. Allow it in a policy; or, where it is meant: kubectl annotate namespace ${first ?? '<namespace>'} ${AUDITED_MARK}=${AUDITED}. Then resume`;
}
