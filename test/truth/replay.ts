/**
 * Replays a measured case on the twin's runtime: the same steps, and for each step the answer in the
 * form in which it was measured.
 */
import type {
  NetworkStatus,
  SandboxRequest,
  SandboxResult,
  StopResult,
} from '../../src/twin/world.ts';
import type { Json, Step, TruthCase, TruthFile } from './cases.ts';
import { actOnFiles, linkTheDirectory } from './file-actions.ts';
import { CONF, DEFAULT_TIMEOUT_MS, NodeUnderTest } from './node-under-test.ts';
import {
  both,
  list,
  mergedEvents,
  messageOf,
  requestOf,
  runExpected,
  secondsOf,
  slow,
  text,
  withoutCode,
  type ReplayedStep,
} from './measured-form.ts';
import { answerOn, leasesOn, podsOn, rulesOn } from './node-views.ts';
import { comparableCalls, masked, networkOfAddress, shownCall } from './normalised.ts';

/** Told in the description only. */
const SWITCHED_MEANWHILE =
  /fails after (the )?conf\w* (was|is|has been) (switched|changed|removed)/;

/** How long CRI-O's clients waited before they gave up. */
const PATIENCE_MS = 8_000;

export function replay(truth: TruthFile, one: TruthCase): readonly ReplayedStep[] {
  const replayer = new Replayer(truth, one);
  return one.steps.map((step) => replayer.step(step));
}

class Replayer {
  private readonly truth: TruthFile;
  private readonly one: TruthCase;
  private readonly node: NodeUnderTest;
  private readonly ids = new Map<string, string>();
  private running: { readonly answers: SandboxResult[]; readonly since: number } | undefined;
  private callsOfCase: string[] = [];

  constructor(truth: TruthFile, one: TruthCase) {
    this.truth = truth;
    this.one = one;
    this.node = new NodeUnderTest(truth, one);
    if (one.steps.some(({ op }) => op === 'confDirStat')) this.startWithoutDirectory();
    if (typeof one.observed['rewrites'] === 'number') this.rewrite(one.observed['rewrites']);
  }

  private startWithoutDirectory(): void {
    this.node.files.remove(CONF);
    this.node.restart();
  }

  private rewrite(times: number): void {
    const path = `${CONF}/${Object.keys(this.one.setup.files)[0] ?? ''}`;
    for (let count = 0; count < times; count += 1) {
      this.node.files.write(path, this.node.files.read(path) ?? '');
      this.node.advance(5);
    }
  }

  step(step: Step): ReplayedStep {
    switch (step.op) {
      case 'status':
        return this.status(step);
      case 'run':
        return this.run(step);
      case 'stop':
      case 'removePod':
        return this.end(step);
      case 'fs':
        return this.fs(step);
      case 'ipam':
        return both(step['networks'], leasesOn(this.node.runtime, this.ids));
      case 'list':
        return both(step['pods'], podsOn(this.node.runtime));
      case 'podStatus':
        return this.podStatus(step);
      case 'hostportRules':
        return both(step['rules'], rulesOn(this.node.runtime));
      case 'probeHostPort':
        return both(
          { answer: step['answer'], curlExit: step['curlExit'] },
          answerOn(this.node.runtime, this.ids),
        );
      case 'confDirStat':
        return both(step['mode'], `0${(this.node.files.modeOf(CONF) ?? 0).toString(8)}`);
      case 'runtimeLog':
        return both(
          withoutCode(text(step['lastRunPodSandboxError'])),
          masked(this.node.logged ?? ''),
        );
      case 'pluginCalls':
        return both(step['calls'], this.callsOfCase);
      default:
        this.act(step);
        return both(undefined, undefined);
    }
  }

  /** Steps that only change something. */
  private act(step: Step): void {
    const { node } = this;
    if (step.op === 'restartRuntime') node.restart();
    else if (step.op === 'reboot') node.reboot();
    else if (step.op === 'binary') {
      const what = step['action'] === 'remove' ? 'absent' : (step['what'] ?? 'real');
      node.install(text(step['name']), typeof what === 'string' ? what : 'real');
      node.advance(20);
    } else if (step.op === 'runtimeFile') {
      const gone = step['action'] === 'remove';
      node.runtimeFile(text(step['path']), gone ? 'absent' : text(step['content']));
    } else if (step.op === 'netns') node.runtime.loseNetns(this.ids.get('A') ?? '');
    else throw new Error(`unknown step: ${step.op}`);
  }

  // ---------------------------------------------------------------- status

  private status(step: Step): ReplayedStep {
    if (typeof step['ms'] === 'number') return this.statusDuringAdd(step);
    const { label = '' } = step;
    if (/start\w* .*symlink\w* .*dir/i.test(label)) linkTheDirectory(this.node);
    if (/nudge/i.test(label)) this.node.nudge();
    const status = this.asked().status;
    const { runtime } = this.node;
    const containerd = this.truth.kind === 'containerd';
    const expectedLoaded = list(step['loaded']);
    const actual = {
      networkReady: status.ready,
      reason: status.reason,
      message: status.message,
      ...(containerd ? { lastCNILoadStatus: runtime.loadStatus() } : {}),
      loaded: runtime.loadedNetworks().map(({ network, ifName }) =>
        containerd
          ? {
              name: network.name,
              cniVersion: network.cniVersion,
              ifName,
              plugins: network.plugins.map(({ type }) => type),
            }
          : { name: network.name, ifName },
      ),
    };
    return {
      expected: {
        networkReady: step['networkReady'],
        reason: step['reason'],
        message: step['message'],
        ...(containerd ? { lastCNILoadStatus: step['lastCNILoadStatus'] } : {}),
        loaded: containerd
          ? expectedLoaded
          : expectedLoaded.map(({ name, ifName }) => ({ name, ifName })),
      },
      actual,
    };
  }

  private asked(): { status: NetworkStatus; ms: number } {
    const { node } = this;
    const since = node.kernel.now();
    const status = this.awaited<NetworkStatus>((done) => node.runtime.status(done));
    return { status, ms: node.kernel.now() - since };
  }

  /** An ADD waits for its agent; after 2 s a conf is rewritten; a moment later Status is asked. */
  private statusDuringAdd(step: Step): ReplayedStep {
    const measured = Number(step['ms']);
    this.begin(requestOf('A', []), {});
    this.node.advance(2_000);
    const name = Object.keys(this.one.setup.files).toSorted().at(-1) ?? '';
    const path = `${CONF}/${name}`;
    this.node.files.write(path, this.node.files.read(path) ?? '');
    this.node.advance(Number(/(\d+) ?ms after/.exec(step.label ?? '')?.[1] ?? 200));
    const { ms } = this.asked();
    return both(
      { blocked: measured > 1_000, seconds: Math.round(measured / 1_000) },
      {
        blocked: ms > 1_000,
        seconds: secondsOf(ms, measured),
      },
    );
  }

  // ---------------------------------------------------------------- run

  private run(step: Step): ReplayedStep {
    const { node } = this;
    const pod = text(step['pod']);
    this.prepareRun(step);
    const before = node.calls.length;
    const since = node.kernel.now();
    const { result } = this.finished(step, pod);
    const calls = node.calls.slice(before).map(shownCall);
    this.callsOfCase.push(...calls);
    if (result.ok && pod !== '') this.ids.set(pod, result.id);
    const measured = step['ms'] ?? step['atMs'];
    const took = node.kernel.now() - (this.running?.since ?? since);
    this.running = undefined;
    return {
      expected: {
        ...runExpected(step),
        ...(Array.isArray(step['pluginCalls'])
          ? { pluginCalls: comparableCalls(step['pluginCalls'].map(String)) }
          : {}),
        ...(slow(measured) ? { seconds: Math.round(Number(measured) / 1_000) } : {}),
      },
      actual: {
        ...this.runActual(step, result),
        ...(Array.isArray(step['pluginCalls']) ? { pluginCalls: comparableCalls(calls) } : {}),
        ...(slow(measured) ? { seconds: secondsOf(took, Number(measured)) } : {}),
      },
    };
  }

  private finished(step: Step, pod: string): { result: SandboxResult } {
    if (this.running === undefined) {
      const request = requestOf(pod, list(step['portMappings']), step['hostNetwork'] === true);
      const timeoutMs = this.timeoutOf(step);
      this.begin(request, timeoutMs === undefined ? {} : { timeoutMs });
      this.meanwhile();
    }
    const { running } = this;
    if (running === undefined) throw new Error('nothing was started');
    return { result: this.answerIn(running.answers) };
  }

  /** Lets time pass until the call is answered. */
  private awaited<T>(start: (done: (answer: T) => void) => void): T {
    const answers: T[] = [];
    start((answer) => answers.push(answer));
    return this.answerIn(answers);
  }

  private answerIn<T>(answers: readonly T[]): T {
    const { kernel } = this.node;
    const patience = kernel.now() + DEFAULT_TIMEOUT_MS;
    while (answers.length === 0 && kernel.now() <= patience && kernel.step());
    const [answer] = answers;
    if (answer === undefined) throw new Error('the call was never answered');
    return answer;
  }

  private begin(request: SandboxRequest, options: { timeoutMs?: number }): void {
    const answers: SandboxResult[] = [];
    this.running = { answers, since: this.node.kernel.now() };
    this.node.runtime.runPodSandbox(request, { attempt: 0, ...options }, (result) =>
      answers.push(result),
    );
  }

  private timeoutOf(step: Step): number | undefined {
    const deadline = /deadline (?:of |after )?(\d+) ?s/.exec(step.label ?? '');
    if (deadline !== null) return Number(deadline[1]) * 1_000;
    return this.truth.kind === 'cri-o' ? PATIENCE_MS : undefined;
  }

  private prepareRun(step: Step): void {
    const later = /(\d+) ?s(?:econds)? later/.exec(step.label ?? '');
    if (later !== null) this.node.advance(Number(later[1]) * 1_000);
  }

  /** What the measurement did while the plugin ran, where only the description tells it. */
  private meanwhile(): void {
    if (!SWITCHED_MEANWHILE.test(this.one.description)) return;
    this.node.advance(1_000);
    this.node.runtimeFile('/run/cilium/cilium.sock', 'absent');
    this.node.files.remove(`${CONF}/05-cilium.conflist`);
  }

  private runActual(step: Step, result: SandboxResult): Json {
    if (!result.ok) return { ok: false, error: masked(result.message) };
    if (step['ip'] === undefined) return { ok: true };
    const ip = result.ip ?? '';
    return {
      ok: true,
      ip,
      network: networkOfAddress(ip),
      ifaces: this.interfaces(result.id, step['hostNetwork'] === true),
    };
  }

  private interfaces(id: string, hostNetwork: boolean): unknown {
    const state = this.node.runtime.sandboxState(id);
    const lo = { name: 'lo', ip: '127.0.0.1' };
    if (hostNetwork) return this.truth.kind === 'containerd' ? null : [lo];
    if (state === undefined || !state.netnsOpen) return null;
    const own = state.addresses
      .filter(({ name, address }) => name !== 'lo' && !address.includes(':'))
      .map(({ name, address }) => ({ name, ip: address }));
    return [lo, ...own];
  }

  // ---------------------------------------------------------------- stop and remove

  private end(step: Step): ReplayedStep {
    const { node } = this;
    const id = this.ids.get(text(step['pod'])) ?? '';
    const before = node.calls.length;
    const ended = this.awaited<StopResult>((done) => {
      if (step.op === 'stop') node.runtime.stopSandbox(id, done);
      else node.runtime.removePodSandbox(id, done);
    });
    const calls = node.calls.slice(before).map(shownCall);
    return {
      expected: {
        ok: step['ok'],
        ...(step['ok'] === true ? {} : { error: masked(messageOf(step)) }),
        pluginCalls: step['pluginCalls'],
      },
      actual: {
        ok: ended.ok,
        ...(ended.ok ? {} : { error: masked(ended.message) }),
        pluginCalls: calls,
      },
    };
  }

  private podStatus(step: Step): ReplayedStep {
    const id = this.ids.get(text(step['pod'])) ?? '';
    const state = this.node.runtime.sandboxState(id);
    const ip = state?.ip ?? '';
    return both(
      { state: step['state'], ip: step['ip'], ifaces: step['ifaces'], network: step['network'] },
      {
        state: state?.ready === true ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
        ip,
        ifaces: this.interfaces(id, false),
        network: networkOfAddress(ip),
      },
    );
  }

  // ---------------------------------------------------------------- the node

  private fs(step: Step): ReplayedStep {
    this.node.events = [];
    actOnFiles(this.node, step);
    const { events } = this.node;
    // CRI-O looks every half second whether it is ready.
    this.node.advance(600);
    const expected = list(step['events']);
    return both(
      mergedEvents(expected.map(({ op, name, reload }) => ({ op, name, reload: reload === true }))),
      mergedEvents(
        events.map(({ op, name, reload }, index) => ({
          op,
          name,
          // The measurement could not tell every time.
          reload: expected[index]?.['reload'] === null ? false : reload,
        })),
      ),
    );
  }
}
