/**
 * A plugin that is a script: run by the small shell, its output read as libcni reads a plugin's
 * (`cni:pkg/invoke/raw_exec.go`, `exec.go`; truth:A06–A12, E18).
 */
import { isJsonObject, goKindOf, goQuote, parseGoJson } from '../../../knowledge/go-json.ts';
import type { JsonObject, JsonValue } from '../../../knowledge/go-json.ts';
import {
  type CniResult,
  DONE,
  type PluginCall,
  type PluginOutcome,
  type PluginRun,
  type ResultAddress,
  type Verb,
  failed,
  notRun,
} from '../plugin-call.ts';
import { nobody } from '../libcni.ts';
import type { PluginHost, ScriptRunner } from '../plugin-host.ts';
import { Waiting } from '../run.ts';
import { type ShellEnd, type ShellWorld, runShell } from './shell.ts';

export const scripts: ScriptRunner = {
  run: (text, path, call, host) => {
    const steps = runShell(withoutShebang(text), worldOf(path, call, host));
    return advance(steps, (end) => outcomeOf(end, call));
  },
  supports: (text, path, host) => {
    const steps = runShell(withoutShebang(text), worldOf(path, versionCall(), host));
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return versionsIn(step.value);
  },
};

function advance(
  steps: Generator<number, ShellEnd>,
  finish: (end: ShellEnd) => PluginOutcome,
): PluginRun {
  const step = steps.next();
  if (step.done === true) return finish(step.value);
  return new Waiting(step.value, (killed) =>
    killed
      ? finish({ stdout: '', stderr: '', exitCode: 0, signal: 'killed' })
      : advance(steps, finish),
  );
}

function withoutShebang(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? '' : text.slice(end + 1);
}

function worldOf(path: string, call: PluginCall, host: PluginHost): ShellWorld {
  const { verb, attach } = call;
  return {
    path,
    stdin: verb === 'VERSION' ? '{"cniVersion":"1.1.0"}' : JSON.stringify(configOf(call)),
    variables: {
      CNI_COMMAND: verb,
      CNI_CONTAINERID: attach.container.id,
      CNI_NETNS: attach.netns,
      CNI_IFNAME: attach.ifName,
      CNI_PATH: host.binDirectories.join(':'),
    },
    exists: (file) => host.files.exists(file),
    read: (file) => host.files.read(file),
    execute: (program, stdin, variables) => {
      const directory = program.slice(0, Math.max(0, program.lastIndexOf('/')));
      if (!host.binDirectories.includes(directory) || !host.files.isFile(program)) return undefined;
      return executed(program, stdin, variables.get('CNI_COMMAND') ?? verb, call, host);
    },
  };
}

/** Another plugin, started by the script with a configuration of the script's own. */
function* executed(
  program: string,
  stdin: string,
  verb: string,
  call: PluginCall,
  host: PluginHost,
): Generator<number, ShellEnd> {
  const parsed = parseGoJson(stdin);
  if (!parsed.ok || !isJsonObject(parsed.value)) {
    const message = parsed.ok ? 'no configuration' : parsed.error;
    return printed({ kind: 'failed', message, printed: true, code: 6, because: [] }, call);
  }
  const conf = parsed.value;
  const inner: PluginCall = {
    ...call,
    verb: verbOf(verb),
    conf,
    name: textOf(conf['name']),
    cniVersion: textOf(conf['cniVersion']),
    previous: undefined,
  };
  let run = host.executePath(program, inner);
  while (run instanceof Waiting) {
    yield run.ms;
    run = run.resume(false);
  }
  return printed(run, inner);
}

const VERBS: readonly Verb[] = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC', 'VERSION'];

function verbOf(text: string): Verb {
  return VERBS.find((verb) => verb === text) ?? 'VERSION';
}

/** What a plugin prints and exits with. */
function printed(outcome: PluginOutcome, call: PluginCall): ShellEnd {
  if (outcome.kind === 'failed') {
    const error = { cniVersion: call.cniVersion, code: outcome.code, msg: outcome.message };
    return { stdout: `${JSON.stringify(error)}\n`, stderr: '', exitCode: 1, signal: undefined };
  }
  const stdout = outcome.kind === 'done' ? '' : JSON.stringify(written(outcome));
  return { stdout, stderr: '', exitCode: 0, signal: undefined };
}

function written(result: CniResult): JsonObject {
  return {
    cniVersion: result.cniVersion,
    interfaces: result.interfaces.map((name) => ({ name })),
    ips: result.addresses.map(({ address, onInterface, gateway }) => ({
      address: address.includes(':') ? `${address}/64` : `${address}/24`,
      ...(onInterface === undefined ? {} : { interface: onInterface }),
      ...(gateway === undefined ? {} : { gateway: gateway.split('/')[0] ?? '' }),
    })),
    routes: result.defaultRoute ? [{ dst: '0.0.0.0/0' }] : [],
  };
}

function configOf(call: PluginCall): JsonObject {
  return {
    ...call.conf,
    name: call.name,
    cniVersion: call.cniVersion,
    ...(call.previous === undefined ? {} : { prevResult: written(call.previous) }),
  };
}

function outcomeOf(end: ShellEnd, call: PluginCall): PluginOutcome {
  if (end.exitCode !== 0 || end.signal !== undefined) return failed(complaintOf(end));
  if (call.verb !== 'ADD') return DONE;
  const parsed = parseGoJson(end.stdout);
  if (!parsed.ok) return notRun(`failed to unmarshal raw result: ${parsed.error}`);
  if (parsed.value !== null && !isJsonObject(parsed.value)) {
    const kind = goKindOf(parsed.value);
    return notRun(
      `failed to unmarshal raw result: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
    );
  }
  return resultIn(parsed.value ?? {});
}

/** libcni's words for a plugin that exited with an error (`pluginErr`). */
function complaintOf(end: ShellEnd): string {
  const reason = end.signal === undefined ? `exit status ${end.exitCode}` : `signal: ${end.signal}`;
  if (end.stdout === '') {
    return end.stderr === ''
      ? `netplugin failed with no error message: ${reason}`
      : `netplugin failed: ${goQuote(end.stderr)}`;
  }
  const error = errorIn(end.stdout);
  if (error.ok) return error.text;
  return `netplugin failed but error parsing its diagnostic message ${goQuote(end.stdout)}: ${error.text}`;
}

function errorIn(stdout: string): { readonly ok: boolean; readonly text: string } {
  const parsed = parseGoJson(stdout);
  if (!parsed.ok) return { ok: false, text: parsed.error };
  if (!isJsonObject(parsed.value)) {
    if (parsed.value === null) return { ok: true, text: '' };
    const kind = goKindOf(parsed.value);
    return { ok: false, text: `json: cannot unmarshal ${kind} into Go value of type types.Error` };
  }
  for (const key of ['msg', 'details']) {
    const value = parsed.value[key] ?? '';
    if (typeof value === 'string') continue;
    return {
      ok: false,
      text: `json: cannot unmarshal ${goKindOf(value)} into Go struct field Error.${key} of type string`,
    };
  }
  const details = textOf(parsed.value['details']);
  const message = textOf(parsed.value['msg']);
  return { ok: true, text: details === '' ? message : `${message}; ${details}` };
}

function resultIn(raw: JsonObject): CniResult {
  const interfaces = listOf(raw['interfaces']).map((one) => textOf(one['name']));
  const addresses: ResultAddress[] = listOf(raw['ips']).map((one) => {
    const index = one['interface'];
    const gateway = textOf(one['gateway']);
    const [address = '', prefix = '32'] = textOf(one['address']).split('/');
    return {
      address,
      onInterface: typeof index === 'number' ? index : undefined,
      gateway: gateway === '' ? undefined : `${gateway}/${prefix}`,
    };
  });
  for (const key of ['ip4', 'ip6']) {
    const old = raw[key];
    const text = isJsonObject(old) ? textOf(old['ip']) : '';
    if (text === '') continue;
    addresses.push({
      address: text.split('/')[0] ?? '',
      onInterface: undefined,
      gateway: undefined,
    });
  }
  const defaultRoute = listOf(raw['routes']).some((one) => textOf(one['dst']) === '0.0.0.0/0');
  return {
    kind: 'result',
    cniVersion: textOf(raw['cniVersion']),
    interfaces,
    addresses,
    defaultRoute,
  };
}

/** The answer to VERSION, or why it is none (`cni:pkg/version/plugin.go` PluginDecoder). */
function versionsIn(end: ShellEnd): readonly string[] | string {
  if (end.exitCode !== 0 || end.signal !== undefined) {
    const complaint = complaintOf(end);
    return complaint === 'unknown CNI_COMMAND: VERSION' ? ['0.1.0'] : complaint;
  }
  const parsed = parseGoJson(end.stdout);
  if (!parsed.ok) return `decoding version info: ${parsed.error}`;
  const info = isJsonObject(parsed.value) ? parsed.value : {};
  const own = textOf(info['cniVersion']);
  if (own === '') return 'decoding version info: missing field cniVersion';
  const supported = info['supportedVersions'];
  if (Array.isArray(supported) && supported.length > 0) return supported.map(textOf);
  if (own === '0.2.0') return ['0.1.0', '0.2.0'];
  return 'decoding version info: missing field supportedVersions';
}

function versionCall(): PluginCall {
  return {
    verb: 'VERSION',
    attach: nobody('dummy', 'dummy'),
    conf: {},
    name: '',
    cniVersion: '1.1.0',
    previous: undefined,
    mapsPorts: false,
  };
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
