/**
 * Measures a case: does its steps on a real node and returns the case with the answers, in the form
 * of the measured cases (test/truth), so that the twin replays it as it replays those.
 */
import { type BinarySetup, type Json, type Step, type TruthCase } from '../truth/cases.ts';
import { actOnFiles } from '../truth/file-actions.ts';
import { BIN, CONF, GARBAGE, modeOf, wrapped } from '../truth/node-under-test.ts';
import { networkOfAddress } from '../truth/normalised.ts';
import { placeFile } from '../truth/place-file.ts';
import type { Answer, RealNode } from './real-node.ts';
import { RecordedFiles } from './recorded-files.ts';
import { runtimeConfig } from './runtime-config.ts';

export async function measure(node: RealNode, one: TruthCase): Promise<TruthCase> {
  const measurement = new Measurement(node, one);
  await measurement.setUp();
  const steps: Step[] = [];
  for (const step of one.steps) {
    const done = await measurement.step(step);
    if (done !== undefined) steps.push(done);
  }
  return { ...one, steps };
}

class Measurement {
  private readonly node: RealNode;
  private readonly one: TruthCase;
  private readonly ids = new Map<string, string>();
  readonly files = new RecordedFiles();

  constructor(node: RealNode, one: TruthCase) {
    this.node = node;
    this.one = one;
  }

  async setUp(): Promise<void> {
    const { setup, steps } = this.one;
    await this.node.ask({
      do: 'start',
      config: runtimeConfig(this.node.runtime.version, setup.runtimeConfig),
      withoutConfs: steps.some(({ op }) => op === 'confDirStat'),
    });
    for (const [name, what] of Object.entries(setup.binaries)) await this.install(name, what);
    for (const [path, text] of Object.entries(setup.runtimeFiles)) this.runtimeFile(path, text);
    for (const [path, text] of Object.entries(setup.outside ?? {})) this.files.write(path, text);
    for (const [name, what] of Object.entries(setup.files))
      placeFile(this.files, `${CONF}/${name}`, what);
    await this.change();
    if (!steps.some(({ op }) => op === 'confDirStat')) await this.nudge();
    await this.node.ask({ do: 'calls' });
  }

  /** The step with its answer; nothing for what cannot be asked, such as the end of no pod. */
  async step(step: Step): Promise<Step | undefined> {
    const { node } = this;
    switch (step.op) {
      case 'status':
        if (step.label === 'afterNudge') await this.nudge();
        return asked(step, await node.ask({ do: 'status' }));
      case 'run':
        return this.run(step);
      case 'stop':
      case 'removePod':
        return this.end(step);
      case 'fs':
        actOnFiles(this, step);
        await this.change();
        return asked(step, await node.ask({ do: 'events' }));
      case 'ipam':
        return asked(step, { networks: await this.leases() });
      case 'list':
        return asked(step, await node.ask({ do: 'list' }));
      case 'podStatus':
        return this.podStatus(step);
      case 'hostportRules':
        return asked(step, await node.ask({ do: 'rules' }));
      case 'confDirStat':
        return asked(step, await node.ask({ do: 'stat', path: CONF }));
      default:
        return (await this.act(step)) ? step : undefined;
    }
  }

  private async act(step: Step): Promise<boolean> {
    const { node } = this;
    if (step.op === 'restartRuntime') await node.ask({ do: 'restart' });
    else if (step.op === 'reboot') await node.ask({ do: 'reboot' });
    else if (step.op === 'binary') {
      const what = step['action'] === 'remove' ? 'absent' : (step['what'] ?? 'real');
      await this.install(String(step['name']), typeof what === 'string' ? what : 'real');
    } else if (step.op === 'runtimeFile') {
      const gone = step['action'] === 'remove';
      this.runtimeFile(String(step['path']), gone ? 'absent' : String(step['content'] ?? ''));
      await this.change();
    } else if (step.op === 'netns') {
      const id = this.ids.get('A');
      if (id === undefined) return false;
      await node.ask({ do: 'loseNetns', id });
    } else throw new Error(`unknown step: ${step.op}`);
    // What the runtime notes at its start is not the next step's.
    await node.ask({ do: 'events' });
    await node.ask({ do: 'calls' });
    return true;
  }

  private async run(step: Step): Promise<Step> {
    const pod = String(step['pod']);
    await this.calls(); // Status asks plugins too
    const answer = await this.node.ask({
      do: 'run',
      name: `pod-${pod.toLowerCase()}`,
      uid: `uid-${pod}`,
      hostNetwork: step['hostNetwork'] === true,
      portMappings: step['portMappings'] ?? [],
      cgroupParent: this.node.cgroupParent,
    });
    const { id, ok } = answer;
    if (typeof id === 'string') this.ids.set(pod, id);
    const pluginCalls = await this.calls();
    if (ok !== true) return asked(step, { ok, error: answer['error'], pluginCalls });
    return asked(step, { ok, ...networkOf(answer), pluginCalls });
  }

  private async end(step: Step): Promise<Step | undefined> {
    const id = this.ids.get(String(step['pod']));
    if (id === undefined) return undefined;
    await this.calls();
    const answer = await this.node.ask({ do: step.op, id });
    return asked(step, { ...answer, pluginCalls: await this.calls() });
  }

  private async podStatus(step: Step): Promise<Step | undefined> {
    const id = this.ids.get(String(step['pod']));
    if (id === undefined) return undefined;
    const answer = await this.node.ask({ do: 'podStatus', id });
    if (answer['state'] === 'gone') return undefined;
    return asked(step, { state: answer['state'], ...networkOf(answer) });
  }

  private async calls(): Promise<unknown> {
    return (await this.node.ask({ do: 'calls' }))['calls'];
  }

  private async leases(): Promise<Json> {
    const pods = new Map([...this.ids].map(([pod, id]) => [id, pod]));
    const { networks } = await this.node.ask({ do: 'leases' });
    return Object.fromEntries(
      Object.entries(networks as Readonly<Record<string, readonly Answer[]>>) // our own harness
        .map(([network, leases]) => [
          network,
          leases.map(({ ip, id }) => ({ ip, pod: pods.get(String(id)) ?? 'failed-attempt' })),
        ]),
    );
  }

  // ---------------------------------------------------------------- files

  /** Does what was recorded. */
  private async change(): Promise<void> {
    for (const request of this.files.taken()) await this.node.ask(request);
  }

  /** Forces a reload by a file that no loader reads, and lets its events pass. */
  private async nudge(): Promise<void> {
    this.files.write(`${CONF}/nudge`, 'x');
    this.files.remove(`${CONF}/nudge`);
    await this.change();
    await this.node.ask({ do: 'events' });
  }

  private runtimeFile(path: string, text: string): void {
    if (text === 'absent') this.files.remove(path);
    else this.files.write(path, text);
  }

  private async install(name: string, what: BinarySetup): Promise<void> {
    const path = `${BIN}/${name}`;
    if (what === 'absent') await this.node.ask({ do: 'remove', path });
    else if (what === 'garbage') {
      await this.node.ask({ do: 'write', path, content: GARBAGE, mode: 0o755 });
    } else if (typeof what === 'string') await this.node.ask({ do: 'install', name });
    else {
      const content = `#!/bin/sh\n${noting(name)}${wrapped(what.script)}\n`;
      await this.node.ask({ do: 'write', path, content, mode: modeOf(what) });
    }
  }
}

/** A script notes itself as it starts; it has not read which network it is for. */
function noting(name: string): string {
  return `if [ "$CNI_COMMAND" != VERSION ]; then
  echo "$CNI_COMMAND ${name}\${CNI_IFNAME:+ $CNI_IFNAME}$([ -n "$CNI_NETNS" ] || echo ' (netns="")')" >> /regauge/calls
fi
`;
}

function networkOf(answer: Answer): Json {
  const ip = String(answer['ip'] ?? '');
  return { ip, network: networkOfAddress(ip), ifaces: answer['ifaces'] ?? null };
}

/** A step of a case holds what was asked and what was answered; a former answer goes. */
function asked(step: Step, answer: Json): Step {
  const { ok: _ok, error: _error, ms: _ms, atMs: _atMs, ...rest } = step;
  return { ...rest, op: step.op, ...answer };
}
