/**
 * CRI-O's CNI layer: the default network and the others it knows, ADD followed by a check, DEL with
 * what was cached at ADD (`ocicni:pkg/ocicni/ocicni.go@v0.4.3`; truth: CRI-O 1.33.0).
 */
import type { CniNetwork } from '../../knowledge/cni-conf.ts';
import type { Selection } from '../../knowledge/cni-selection.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { SandboxRequest } from '../world.ts';
import {
  type AddAnswer,
  type CniAnswer,
  type CniFailure,
  type LibCni,
  attachOf,
  netnsPath,
} from './libcni.ts';
import type { Attach, CniResult } from './plugin-call.ts';
import { type Run, Waiting, andThen } from './run.ts';
import type { Sandbox } from './sandbox-store.ts';
import { joinCauses, sandboxName } from './sandbox-views.ts';

export type SetUpAnswer =
  | {
      readonly ok: true;
      readonly network: CniNetwork;
      readonly result: CniResult | undefined;
    }
  | CniFailure;

const FINE: CniAnswer = { ok: true };
const NO_PORTS: SandboxRequest['hostPorts'] = [];

export class Ocicni {
  selection: Selection = { networks: [], status: '' };
  selectedBecause: readonly OccurrenceId[] = [];
  private readonly cni: LibCni;

  constructor(cni: LibCni) {
    this.cni = cni;
  }

  /** What pods get: the first file that is whole and whose plugins are found. */
  get defaultNetwork(): CniNetwork | undefined {
    return this.selection.networks[0]?.network;
  }

  status(): Run<CniAnswer> {
    const first = this.defaultNetwork;
    return first === undefined ? this.refused(this.selection.status, []) : this.cni.status(first);
  }

  problemOf(network: CniNetwork): string | undefined {
    return this.cni.problemOf(network);
  }

  /** ADD on the default network, then CHECK through what was cached (`networkStart`). */
  setUp(sandbox: Sandbox): Run<SetUpAnswer> {
    const network = this.defaultNetwork;
    const prefix = `failed to create pod network sandbox ${nameAndId(sandbox)}`;
    if (network === undefined) return this.refused(`${prefix}: ${this.selection.status}`, []);
    const attach = attachFor(sandbox);
    return andThen(this.cni.add(network, attach), (added: AddAnswer): Run<SetUpAnswer> => {
      if (!added.ok) {
        const message = `${prefix}: error adding pod ${podOf(sandbox)} to CNI network "${network.name}": ${added.message}`;
        return this.refused(message, added.because);
      }
      return andThen(this.check(network, attach), (checked): SetUpAnswer => {
        if (checked.ok) return { ok: true, network, result: added.result };
        const message = `failed to get network status for pod sandbox ${nameAndId(sandbox)}: error checking pod ${podOf(sandbox)} for CNI network "${network.name}": ${checked.message}`;
        return this.refused(message, checked.because);
      });
    });
  }

  private check(network: CniNetwork, attach: Attach): Run<CniAnswer> {
    const cached = this.cni.host.state.cacheGet(network.name, attach.container, attach.ifName);
    const used = cached === undefined ? network : asWritten(cached.config);
    const since = used.cachesResults;
    if (!since.ok) return { ok: false, message: since.error, because: [] };
    return since.value ? this.cni.check(used, attach) : FINE;
  }

  /** DEL for what is cached of the sandbox, with the configuration of its ADD (truth:L02, L07, L28). */
  tearDown(sandbox: Sandbox): Run<CniAnswer> {
    const cached = this.cni.host.state.cachedOf(sandbox).map((entry) => ({
      name: entry.config.name,
      config: asWritten(entry.config),
      attach: attachOf(entry),
    }));
    if (cached.length > 0) return this.deleteEach(sandbox, cached);
    const first = this.defaultNetwork;
    if (first === undefined) return this.refused(this.selection.status, []);
    return this.deleteEach(sandbox, [
      { name: first.name, config: first, attach: attachFor(sandbox) },
    ]);
  }

  private deleteEach(
    sandbox: Sandbox,
    attachments: readonly { name: string; config: CniNetwork; attach: Attach }[],
  ): Run<CniAnswer> {
    const [next, ...others] = attachments;
    if (next === undefined) return FINE;
    return andThen(this.cni.del(next.config, next.attach), (answer) => {
      if (answer.ok) return this.deleteEach(sandbox, others);
      const message = `error removing pod ${podOf(sandbox)} from CNI network "${next.name}": ${answer.message}`;
      return this.refused(message, answer.because);
    });
  }

  /**
   * On start: DEL for cached attachments nobody claims. Pods are taken to be on the default network,
   * so those of another loaded network lose theirs.
   */
  collectGarbage(isKnown: (containerId: string) => boolean): void {
    const [first, ...others] = this.selection.networks;
    if (first === undefined) return;
    this.cni.collect(first.network, (id, ifName) => isKnown(id) && ifName === 'eth0');
    for (const other of others) this.cni.collect(other.network, () => false);
  }

  /** Whether a running pod's addresses can be learned anew: only the default network is asked. */
  knows(sandbox: Sandbox): boolean {
    const network = this.defaultNetwork;
    if (network === undefined) return false;
    if (!network.cachesResults.ok || !network.cachesResults.value) return true;
    const cached = this.cni.host.state.cacheGet(network.name, sandbox, 'eth0');
    const answer = this.cni.check(cached?.config ?? network, attachFor(sandbox));
    return !(answer instanceof Waiting) && answer.ok;
  }

  private refused(message: string, because: readonly OccurrenceId[]): CniFailure {
    return { ok: false, message, because: joinCauses(because, this.selectedBecause) };
  }
}

/** The path is handed on even when nothing is there any more (truth:L29). */
function attachFor(sandbox: Sandbox): Attach {
  const netns = netnsPath(sandbox.id);
  return { container: sandbox, hasNetns: true, netns, ifName: 'eth0', ports: NO_PORTS };
}

/** The cache holds the file's own text, which may have no name (truth:B10, B15). */
function asWritten(network: CniNetwork): CniNetwork {
  return network.writtenName === undefined ? network : { ...network, name: network.writtenName };
}

/** `k8s_pod-a_default_uid-A_0`. */
export function crioName(request: SandboxRequest, attempt: number): string {
  return `k8s_${sandboxName(request, attempt)}`;
}

/** `k8s_pod-a_default_uid-A_0(<id>)`. */
export function nameAndId({ id, request, attempt }: Sandbox): string {
  return `${crioName(request, attempt)}(${id})`;
}

function podOf({ request }: Sandbox): string {
  return `${request.namespace}_${request.name}`;
}
