/**
 * One simulated node as the measurements had it: a runtime with the case's settings, started on an
 * empty directory, then binaries, files and confs placed live, and one reload forced by a file that
 * no loader reads.
 */
import { CONSTANTS, constantsWith } from '../../src/twin/constants.ts';
import { Kernel } from '../../src/twin/kernel/kernel.ts';
import type { DirectoryEvent } from '../../src/twin/node/directory-watch.ts';
import { NodeFileSystem } from '../../src/twin/node/node-file-system.ts';
import { pluginBinary } from '../../src/twin/node/plugin-binary.ts';
import { createRuntime } from '../../src/twin/runtime/create-runtime.ts';
import type { NodeRuntime } from '../../src/twin/runtime/node-runtime.ts';
import type { CallTrace } from '../../src/twin/runtime/plugin-call.ts';
import { PROGRAMS } from '../../src/twin/runtime/plugins/programs.ts';
import type { AgentSocket } from '../../src/twin/world.ts';
import type { BinarySetup, FileSetup, TruthCase, TruthFile } from './cases.ts';
import { emulatedCilium } from './emulated-cilium.ts';
import { placeFile } from './place-file.ts';

export const CONF = '/etc/cni/net.d';
export const BIN = '/opt/cni/bin';
const SOCKET = '/run/cilium/cilium.sock';
const REFERENCE = '1.6.2';
const FLANNEL = '1.6.2-flannel1';

export interface SeenEvent {
  readonly op: string;
  readonly name: string;
  readonly reload: boolean;
}

export class NodeUnderTest {
  readonly kernel = new Kernel(1);
  readonly files: NodeFileSystem;
  readonly runtime: NodeRuntime;
  readonly sockets = new Map<string, AgentSocket>();
  calls: CallTrace[] = [];
  events: SeenEvent[] = [];
  logged: string | undefined;
  private readonly flannel: string;
  private given = 1;

  constructor(truth: TruthFile, { setup }: TruthCase) {
    const { kernel } = this;
    this.flannel = truth.flannel ?? FLANNEL;
    this.files = new NodeFileSystem({ kernel, node: 'n1', distribution: 'kubeadm', version: '1' });
    this.files.mkdir(CONF);
    this.files.mkdir(BIN);
    // Past the time before the clock starts, in which nothing takes time.
    kernel.runUntil(1_000);
    this.runtime = createRuntime({
      kind: truth.kind,
      version: truth.version,
      node: 'n1',
      kernel,
      constants: constantsWith({ sandboxCreateMs: 50, sandboxStopMs: 20 }),
      files: this.files,
      sockets: this.sockets,
      confDirectory: CONF,
      binDirectories: [BIN],
      maxConfNum: setup.runtimeConfig.maxConfNum,
      internalLoopback: setup.runtimeConfig.internalLoopback,
      programs: new Map([...PROGRAMS, ['cilium-emulated', emulatedCilium]]),
      trace: {
        call: (call) => this.calls.push(call),
        event: (event, reload) => this.saw(event, reload),
        log: (message) => (this.logged = message),
      },
    });
    for (const [name, what] of Object.entries(setup.binaries)) this.install(name, what);
    for (const [path, text] of Object.entries(setup.runtimeFiles)) this.runtimeFile(path, text);
    for (const [path, text] of Object.entries(setup.outside ?? {})) this.files.write(path, text);
    for (const [name, what] of Object.entries(setup.files)) this.place(name, what);
    this.nudge();
  }

  advance(ms: number): void {
    this.kernel.runUntil(this.kernel.now() + ms);
  }

  /** Forces a reload by a file that no loader reads, as the method of the measurements does. */
  nudge(): void {
    this.files.write(`${CONF}/nudge`, 'x');
    this.files.remove(`${CONF}/nudge`);
    this.advance(1_000);
    this.calls = [];
    this.events = [];
  }

  restart(): void {
    this.runtime.restart();
    this.advance(1_000);
  }

  reboot(): void {
    this.runtime.powerLost();
    this.sockets.clear();
    this.files.lose('reboot');
    this.advance(1_000);
    this.runtime.powerOn();
    this.advance(1_000);
  }

  place(name: string, what: FileSetup): void {
    placeFile(this.files, `${CONF}/${name}`, what);
  }

  install(name: string, what: BinarySetup): void {
    const path = `${BIN}/${name}`;
    if (what === 'absent') this.files.remove(path);
    else this.files.write(path, contentOf(name, what, this.flannel), { mode: modeOf(what) });
  }

  runtimeFile(path: string, text: string): void {
    if (text === 'absent') this.files.remove(path);
    else this.files.write(path, text);
    if (path !== SOCKET) return;
    if (text === 'absent') this.sockets.delete(path);
    else this.sockets.set(path, this.agent());
  }

  private agent(): AgentSocket {
    return {
      allocate: () => ({ ip: `10.245.1.${(this.given += 1)}` }),
      release: () => undefined,
    };
  }

  private saw({ kind, name }: DirectoryEvent, reload: boolean): void {
    this.events.push({ op: kind, name, reload });
  }
}

function contentOf(name: string, what: BinarySetup, flannel: string): string {
  if (typeof what !== 'string') return `#!/bin/sh\n${wrapped(what.script)}`;
  if (what === 'garbage') return GARBAGE;
  if (what === 'cilium-emulated') return pluginBinary('cilium-emulated');
  if (what === 'cilium-real') return pluginBinary('cilium-cni', '1.16.0');
  return pluginBinary(name, name === 'flannel' ? flannel : REFERENCE);
}

/** No format that a kernel executes. */
export const GARBAGE = 'this is not a program\n';

const VERSIONS =
  '{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}';

/** The measurements' wrapper answers VERSION for a script that does not (CRI-O asks: A06, A08, A09). */
export function wrapped(script: string): string {
  if (script.includes('VERSION')) return script;
  return `if [ "$CNI_COMMAND" = VERSION ]; then echo '${VERSIONS}'; exit 0; fi\n${script}`;
}

export function modeOf(what: BinarySetup): number {
  const mode = typeof what === 'string' ? undefined : what.mode;
  return mode === undefined ? 0o755 : Number.parseInt(mode, 8);
}

export const DEFAULT_TIMEOUT_MS = CONSTANTS.ciliumClientTimeoutMs.value * 4;
