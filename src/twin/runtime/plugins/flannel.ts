/**
 * The flannel plugin: reads what flanneld left in subnet.env and hands the work to a delegate,
 * keeping the delegate's configuration in a scratch file for DEL
 * (`flannel-cni:flannel.go`, `flannel_linux.go` by tag; truth:A14–A19, L05, L21, L28).
 */
import { isJsonObject, structField } from '../../../knowledge/go-json.ts';
import type { JsonObject, JsonValue } from '../../../knowledge/go-json.ts';
import type { Container } from '../cni-state.ts';
import {
  type Attach,
  type CniResult,
  DONE,
  type PluginOutcome,
  type PluginRun,
  type PluginSettings,
  type ReadyPlugin,
  failed,
} from '../plugin-call.ts';
import { ObjectMemo } from '../object-memo.ts';
import type { PluginHost } from '../plugin-host.ts';
import { andThen } from '../run.ts';
import { pluginProgram } from './skeleton.ts';
import { type SubnetEnv, readSubnetEnv } from './subnet-env.ts';
import { flannelAtLeast, flannelVersions, isReferenceFlannel } from './versions.ts';

export const flannel = pluginProgram(
  { prepare: (settings, host, version) => new Flannel(settings, host, version) },
  flannelVersions,
);

const SUBNET_FILE = '/run/flannel/subnet.env';

/** The last configuration made from a plugin's settings, since it rarely changes. */
interface Rendered {
  readonly env: SubnetEnv;
  readonly name: string;
  readonly cniVersion: string;
  readonly delegate: JsonObject;
}

const rendered = new ObjectMemo<JsonObject, Rendered>();

/** A delegate's configuration, and the plugin that it is for. */
interface Delegate {
  readonly conf: JsonObject;
  readonly plugin: ReadyPlugin;
}

class Flannel implements ReadyPlugin {
  private readonly settings: PluginSettings;
  private readonly host: PluginHost;
  private readonly version: string;
  /** What subnet.env gives now, or why it gives nothing. */
  private rendered: Delegate | PluginOutcome | undefined;
  /** The one that DEL was last handed to. */
  private last: Delegate | undefined;

  constructor(settings: PluginSettings, host: PluginHost, version: string) {
    this.settings = settings;
    this.host = host;
    this.version = version;
  }

  add(attach: Attach, previous: CniResult | undefined): PluginRun {
    const delegate = (this.rendered ??= this.render());
    if ('kind' in delegate) return delegate;
    this.host.state.keep(attach.container);
    attach.container.scratch = delegate.conf;
    const run = delegate.plugin.add(attach, previous);
    if (run.kind !== 'waiting') return delegated(run, this.version);
    return andThen(run, (outcome) => delegated(outcome, this.version));
  }

  private render(): Delegate | PluginOutcome {
    const { settings, host, version } = this;
    const path = subnetFileOf(settings.conf);
    const file = host.readFile(path);
    const env = file.ok ? readSubnetEnv(path, file.text) : file.error;
    if (typeof env === 'string') return failed(worded(env, version), host.files.causesOf(path));
    const conf = delegateOf(settings, env);
    return typeof conf === 'string' ? failed(conf) : this.ready(conf, settings.mapsPorts);
  }

  private ready(conf: JsonObject, mapsPorts: boolean): Delegate {
    const name = textOf(conf['name']);
    const cniVersion = textOf(conf['cniVersion']);
    const settings = { conf, name, cniVersion, mapsPorts };
    return { conf, plugin: this.host.ready(textOf(conf['type']), settings) };
  }

  /** No scratch file, nothing to do: that is how DEL of another CNI's pod succeeds. */
  del(attach: Attach): PluginRun {
    const { container } = attach;
    const { scratch } = container;
    if (scratch === undefined) return DONE;
    const run = this.delegateOf(scratch).plugin.del(attach, undefined);
    if (run.kind !== 'waiting') return this.deleted(run, container);
    return andThen(run, (outcome) => this.deleted(outcome, container));
  }

  private delegateOf(scratch: JsonObject): Delegate {
    const { rendered, last } = this;
    if (last?.conf === scratch) return last;
    const isCurrent = rendered !== undefined && 'conf' in rendered && rendered.conf === scratch;
    return (this.last = isCurrent ? rendered : this.ready(scratch, this.settings.mapsPorts));
  }

  private deleted(outcome: PluginOutcome, container: Container): PluginOutcome {
    // From 1.2.0-flannel3 on the file goes whether the delegate succeeded or not (`doCmdDel` by tag).
    if (outcome.kind !== 'failed' || forgetsAlways(this.version)) {
      container.scratch = undefined;
      this.host.state.settle(container);
    }
    if (outcome.kind !== 'failed' || outcome.printed) return outcome;
    return failed(outcome.message, outcome.because);
  }
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
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

function forgetsAlways(version: string): boolean {
  return version === '' || flannelAtLeast(version, [1, 2, 0, 3]);
}

function delegateOf(call: PluginSettings, env: SubnetEnv): JsonObject | string {
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

function renderDelegate(call: PluginSettings, env: SubnetEnv): JsonObject | string {
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
