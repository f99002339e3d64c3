/**
 * Finds and executes plugins on a node, as libcni's invoke package does: looks in the bin
 * directories, starts what is there, and turns what it did into an outcome
 * (`cni:pkg/invoke/{find,exec,raw_exec}.go@v1.3.0`; truth:A04–A13, B27).
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Constants } from '../constants.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { NodeFileSystem, ReadResult } from '../node/node-file-system.ts';
import { readPluginBinary } from '../node/plugin-binary.ts';
import type { AgentSocket } from '../world.ts';
import type { CniState } from './cni-state.ts';
import type { NodeLinks } from './node-links.ts';
import {
  type Attach,
  type CallTrace,
  type CniResult,
  type PluginCall,
  type PluginFailure,
  type PluginOutcome,
  type PluginRun,
  type PluginSettings,
  type ReadyPlugin,
  callOf,
  notRun,
} from './plugin-call.ts';
import { Waiting, andThen } from './run.ts';

/** A program that can be executed as a plugin. */
export interface PluginProgram {
  /** Reads its settings, for the pods to come. */
  prepare(settings: PluginSettings, host: PluginHost, version: string): ReadyPlugin;
  run(call: PluginCall, host: PluginHost, version: string): PluginRun;
  /** Answers the same whatever it is called for, and changes nothing that is modelled. */
  readonly constant?: boolean;
  /** Versions of the specification it answers VERSION with. */
  supports(version: string): readonly string[];
}

/** A script: interpreted, and noted when it starts. */
export interface ScriptRunner {
  run(text: string, path: string, call: PluginCall, host: PluginHost): PluginRun;
  supports(text: string, path: string, host: PluginHost): readonly string[] | string;
}

/** What a plugin hears from the API server, asked from the host with what its kubeconfig says. */
export type AskApiServer = (
  kubeconfig: string,
) =>
  | { readonly ok: true; readonly podCidr: string | undefined }
  | { readonly ok: false; readonly message: string; readonly because: readonly OccurrenceId[] };

export interface PluginHostOptions {
  readonly node: string;
  readonly kernel: Kernel;
  readonly constants: Constants;
  readonly files: NodeFileSystem;
  readonly state: CniState;
  readonly links: NodeLinks;
  readonly sockets: ReadonlyMap<string, AgentSocket>;
  readonly apiServer?: AskApiServer | undefined;
  readonly binDirectories: readonly string[];
  readonly programs: ReadonlyMap<string, PluginProgram>;
  readonly scripts: ScriptRunner;
  readonly trace: ((call: CallTrace) => void) | undefined;
}

type Executable =
  | { readonly kind: 'program'; readonly program: PluginProgram; readonly version: string }
  | { readonly kind: 'script'; readonly text: string; readonly path: string }
  | { readonly kind: 'none'; readonly outcome: PluginFailure };

export class PluginHost {
  readonly node: string;
  readonly kernel: Kernel;
  readonly constants: Constants;
  readonly files: NodeFileSystem;
  readonly state: CniState;
  readonly links: NodeLinks;
  readonly sockets: ReadonlyMap<string, AgentSocket>;
  readonly apiServer: AskApiServer | undefined;
  readonly trace: ((call: CallTrace) => void) | undefined;
  private readonly programs: ReadonlyMap<string, PluginProgram>;
  private readonly scripts: ScriptRunner;
  private directories: readonly string[];
  private readonly found = new Map<string, Executable>();
  private readonly texts = new Map<string, ReadResult>();
  private seenAt = -1;
  /** Plugins that were called and were not there; told once until they are. */
  private readonly missing = new Map<string, OccurrenceId>();

  constructor(options: PluginHostOptions) {
    this.node = options.node;
    this.kernel = options.kernel;
    this.constants = options.constants;
    this.files = options.files;
    this.state = options.state;
    this.links = options.links;
    this.sockets = options.sockets;
    this.apiServer = options.apiServer;
    this.directories = options.binDirectories;
    this.trace = options.trace;
    this.programs = options.programs;
    this.scripts = options.scripts;
  }

  get binDirectories(): readonly string[] {
    return this.directories;
  }

  /** Of a runtime that starts with another configuration. */
  lookIn(directories: readonly string[]): void {
    this.directories = directories;
    this.seenAt = -1;
  }

  /** The plugin that is there now, ready for pods; to be asked for anew when files have changed. */
  ready(type: string, settings: PluginSettings): ReadyPlugin {
    const executable = this.find(type);
    if (executable.kind !== 'program' || this.trace !== undefined) {
      return new Executed(this, type, settings);
    }
    if (this.missing.size > 0) this.missing.delete(type);
    return executable.program.prepare(settings, this, executable.version);
  }

  execute(type: string, call: PluginCall): PluginRun {
    const executable = this.find(type);
    if (executable.kind === 'none') return this.notThere(type, executable.outcome);
    if (this.missing.size > 0) this.missing.delete(type);
    if (executable.kind === 'script') {
      this.note(type, call, undefined);
      return this.scripts.run(executable.text, executable.path, call, this);
    }
    const run = executable.program.run(call, this, executable.version);
    if (this.trace === undefined) return run;
    if (run instanceof Waiting) {
      return new Waiting<PluginOutcome>(run.ms, (killed) =>
        andThen(run.resume(killed), (outcome) => this.noted(type, call, outcome, killed)),
      );
    }
    return this.noted(type, call, run, false);
  }

  /** The error of the search, with the fact that the plugin was called for as its cause. */
  private notThere(type: string, outcome: PluginFailure): PluginFailure {
    if (outcome.printed) return outcome;
    const { kernel, node } = this;
    const { message, because } = outcome;
    const id =
      this.missing.get(type) ??
      kernel.because([], () => kernel.occur('cni.binary-missing', { node, message, because }));
    this.missing.set(type, id);
    return { ...outcome, because: [id] };
  }

  /** Whether calling it once more would tell nothing new; never where calls are noted. */
  isConstant(type: string): boolean {
    if (this.trace !== undefined) return false;
    const executable = this.find(type);
    return executable.kind === 'program' && executable.program.constant === true;
  }

  /** Executes the file at a path, as a script's own command does. */
  executePath(path: string, call: PluginCall): PluginRun {
    return this.execute(path.slice(path.lastIndexOf('/') + 1), call);
  }

  /** Why the plugin is not found at all, before anything of it is run. */
  notFound(type: string): PluginFailure | undefined {
    const executable = this.find(type);
    if (executable.kind !== 'none') return undefined;
    return executable.outcome.printed ? undefined : executable.outcome;
  }

  /** The versions a plugin answers, or why it cannot be asked; for runtimes that look (CRI-O). */
  versionsOf(type: string): readonly string[] | string {
    const executable = this.find(type);
    if (executable.kind === 'program') return executable.program.supports(executable.version);
    if (executable.kind === 'script') {
      return this.scripts.supports(executable.text, executable.path, this);
    }
    return executable.outcome.message;
  }

  private noted(
    type: string,
    call: PluginCall,
    outcome: PluginOutcome,
    killed: boolean,
  ): PluginOutcome {
    // A killed plugin writes nothing more.
    if (!killed) this.note(type, call, outcome.kind === 'failed' ? 1 : 0);
    return outcome;
  }

  private note(type: string, call: PluginCall, exitCode: number | undefined): void {
    const { verb, name, attach } = call;
    this.trace?.({
      verb,
      plugin: type,
      network: name,
      ifName: attach.ifName,
      netns: attach.netns,
      exitCode,
    });
  }

  /** A file, read once as long as nothing on the node changes. */
  readFile(path: string): ReadResult {
    this.look();
    const known = this.texts.get(path);
    if (known !== undefined) return known;
    const read = this.files.readFile(path);
    this.texts.set(path, read);
    return read;
  }

  /** What was found and read counts until the node's files change. */
  private look(): void {
    if (this.seenAt === this.files.epoch) return;
    this.found.clear();
    this.texts.clear();
    this.seenAt = this.files.epoch;
  }

  private find(type: string): Executable {
    this.look();
    const known = this.found.get(type);
    if (known !== undefined) return known;
    const executable = this.search(type);
    this.found.set(type, executable);
    return executable;
  }

  private search(type: string): Executable {
    if (type === '') return absent('no plugin name provided');
    if (type.includes('/')) return absent(`invalid plugin name: ${type}`);
    const { files } = this;
    for (const directory of this.binDirectories) {
      const path = `${directory}/${type}`;
      if (!files.isFile(path)) continue;
      const because = files.causesOf(path);
      if (((files.modeOf(path) ?? 0) & 0o111) === 0) {
        return absent(startError(path, 'permission denied'), because);
      }
      const binary = readPluginBinary(type, files.read(path) ?? '');
      if (binary.kind === 'script') return { kind: 'script', text: binary.text, path };
      const program = binary.kind === 'program' ? this.programs.get(binary.name) : undefined;
      if (program === undefined || binary.kind !== 'program') {
        return absent(startError(path, 'exec format error'), because);
      }
      return { kind: 'program', program, version: binary.version };
    }
    const paths = this.binDirectories;
    return absent(
      `failed to find plugin "${type}" in path [${paths.join(' ')}]`,
      paths.flatMap((path) => files.causesOf(`${path}/${type}`)),
    );
  }
}

/** Looked for and started with every call. */
class Executed implements ReadyPlugin {
  private readonly host: PluginHost;
  private readonly type: string;
  private readonly settings: PluginSettings;

  constructor(host: PluginHost, type: string, settings: PluginSettings) {
    this.host = host;
    this.type = type;
    this.settings = settings;
  }

  add(attach: Attach, previous: CniResult | undefined): PluginRun {
    return this.host.execute(this.type, callOf('ADD', this.settings, attach, previous));
  }

  del(attach: Attach, previous: CniResult | undefined): PluginRun {
    return this.host.execute(this.type, callOf('DEL', this.settings, attach, previous));
  }
}

function startError(path: string, reason: string): string {
  return `netplugin failed with no error message: fork/exec ${path}: ${reason}`;
}

/** Errors of starting are made into CNI errors, those of finding are not (`raw_exec.go` pluginErr). */
function absent(message: string, because: readonly OccurrenceId[] = []): Executable {
  const started = message.startsWith('netplugin');
  const outcome = notRun(message, because);
  return {
    kind: 'none',
    outcome: started ? { ...outcome, printed: true } : outcome,
  };
}
