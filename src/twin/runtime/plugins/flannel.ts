/**
 * The flannel plugin: reads what flanneld left in subnet.env and hands the work to a delegate,
 * keeping the delegate's configuration in a scratch file for DEL
 * (`flannel-cni:flannel.go`, `flannel_linux.go` by tag; truth:A14–A19, L05, L21, L28).
 */
import { isJsonObject, structField } from '../../../knowledge/go-json.ts';
import type { JsonObject, JsonValue } from '../../../knowledge/go-json.ts';
import type { Container } from '../cni-state.ts';
import {
  DONE,
  type PluginCall,
  type PluginOutcome,
  type PluginRun,
  failed,
} from '../plugin-call.ts';
import { ObjectMemo } from '../object-memo.ts';
import type { PluginHost } from '../plugin-host.ts';
import { Waiting, andThen } from '../run.ts';
import { pluginProgram } from './skeleton.ts';
import { type SubnetEnv, readSubnetEnv } from './subnet-env.ts';
import { flannelAtLeast, flannelVersions, isReferenceFlannel } from './versions.ts';

export const flannel = pluginProgram({ add, del }, flannelVersions);

const SUBNET_FILE = '/run/flannel/subnet.env';

/** The last configuration made from a plugin's settings, since it rarely changes. */
interface Rendered {
  readonly env: SubnetEnv;
  readonly name: string;
  readonly cniVersion: string;
  readonly delegate: JsonObject;
}

const rendered = new ObjectMemo<JsonObject, Rendered>();

function add(call: PluginCall, host: PluginHost, version: string): PluginRun {
  const path = subnetFileOf(call.conf);
  const file = host.readFile(path);
  const env = file.ok ? readSubnetEnv(path, file.text) : file.error;
  if (typeof env === 'string') return failed(worded(env, version), host.files.causesOf(path));
  const delegate = delegateOf(call, env);
  if (typeof delegate === 'string') return failed(delegate);
  host.state.keep(call.attach.container);
  call.attach.container.scratch = delegate;
  const { verb, attach, name, cniVersion, previous, ports } = call;
  const inner = { verb, attach, conf: delegate, name, cniVersion, previous, ports };
  const run = host.execute(typeOf(delegate), inner);
  if (!(run instanceof Waiting)) return delegated(run, version);
  return andThen(run, (outcome) => delegated(outcome, version));
}

const subnetFiles = new ObjectMemo<JsonObject, string>();

function subnetFileOf(conf: JsonObject): string {
  const known = subnetFiles.get(conf);
  if (known !== undefined) return known;
  const given = structField(conf, 'subnetFile');
  const path = typeof given === 'string' && given !== '' ? given : SUBNET_FILE;
  subnetFiles.set(conf, path);
  return path;
}

/**
 * The wording changed in v1.7.1-flannel2 (knowledge 3.3, 4.3); before v1.1.2 the plugin said
 * nothing of its own (`flannel-cni:flannel.go@v1.1.0`, `plugins:plugins/meta/flannel/flannel.go@v0.9.1`).
 */
function worded(error: string, version: string): string {
  if (version !== '' && !flannelAtLeast(version, [1, 1, 2, 0])) return error;
  return flannelAtLeast(version, [1, 7, 1, 2])
    ? `failed to load flannel 'subnet.env' file: ${error}. Check the flannel pod log for this node.`
    : `loadFlannelSubnetEnv failed: ${error}`;
}

function delegated(outcome: PluginOutcome, version: string): PluginOutcome {
  if (outcome.kind !== 'failed' || outcome.printed || isReferenceFlannel(version)) return outcome;
  return failed(`failed to delegate add: ${outcome.message}`, outcome.because);
}

/** No scratch file, nothing to do: that is how DEL of another CNI's pod succeeds. */
function del(call: PluginCall, host: PluginHost, version: string): PluginRun {
  const { container } = call.attach;
  const delegate = container.scratch;
  if (delegate === undefined) return DONE;
  const { name, cniVersion } = delegate;
  const { verb, attach, ports } = call;
  const run = host.execute(typeOf(delegate), {
    verb,
    attach,
    conf: delegate,
    name: typeof name === 'string' ? name : '',
    cniVersion: typeof cniVersion === 'string' ? cniVersion : '',
    previous: undefined,
    ports,
  });
  if (!(run instanceof Waiting)) return deleted(run, container, host, version);
  return andThen(run, (outcome) => deleted(outcome, container, host, version));
}

function deleted(
  outcome: PluginOutcome,
  container: Container,
  host: PluginHost,
  version: string,
): PluginOutcome {
  // From 1.2.0-flannel3 on the file goes whether the delegate succeeded or not (`doCmdDel` by tag).
  if (outcome.kind === 'done' || forgetsAlways(version)) {
    container.scratch = undefined;
    host.state.settle(container);
  }
  if (outcome.kind === 'done' || outcome.printed) return outcome;
  return failed(outcome.message, outcome.because);
}

function forgetsAlways(version: string): boolean {
  return version === '' || flannelAtLeast(version, [1, 2, 0, 3]);
}

function typeOf(delegate: JsonObject): string {
  const type = delegate['type'];
  return typeof type === 'string' ? type : '';
}

function delegateOf(call: PluginCall, env: SubnetEnv): JsonObject | string {
  const known = rendered.get(call.conf);
  if (
    known !== undefined &&
    known.env === env &&
    known.name === call.name &&
    known.cniVersion === call.cniVersion
  ) {
    return known.delegate;
  }
  const delegate = renderDelegate(call, env);
  if (typeof delegate === 'string') return delegate;
  const { name, cniVersion } = call;
  rendered.set(call.conf, { env, name, cniVersion, delegate });
  return delegate;
}

function renderDelegate(call: PluginCall, env: SubnetEnv): JsonObject | string {
  const raw = structField(call.conf, 'delegate');
  const given: JsonObject = isJsonObject(raw) ? raw : {};
  if ('type' in given && typeof given['type'] !== 'string') {
    return "'delegate' dictionary, if present, must have (string) 'type' field";
  }
  for (const key of ['name', 'ipam']) {
    if (key in given) {
      return `'delegate' dictionary must not have '${key}' field, it'll be set by flannel`;
    }
  }
  const type = given['type'] ?? 'bridge';
  const ranges: JsonValue[] = env.subnets.map((subnet) => [{ subnet }]);
  const ipam = structField(call.conf, 'ipam');
  return {
    ipMasq: !env.ipMasq,
    mtu: env.mtu,
    ...(type === 'bridge' ? { isGateway: true } : {}),
    ...given,
    type,
    name: call.name,
    ...(call.cniVersion === '' ? {} : { cniVersion: call.cniVersion }),
    ipam: { type: 'host-local', ...(isJsonObject(ipam) ? ipam : {}), ranges },
  };
}
