/**
 * The calico plugin with host-local's addresses, as Canal configures it. ADD and DEL both begin with
 * calico-node's nodename file and with an answer of the API server under the plugin's own account, so
 * neither works where Canal is half gone (calico:cni-plugin/pkg/plugin/plugin.go, pkg/k8s/k8s.go@87c1590).
 */
import { CALICO_KUBECONFIG, CALICO_NODENAME } from '../../../knowledge/canal.ts';
import { isJsonObject, structField } from '../../../knowledge/go-json.ts';
import type { JsonObject, JsonValue } from '../../../knowledge/go-json.ts';
import {
  type Attach,
  type CniResult,
  type PluginFailure,
  type PluginOutcome,
  type PluginRun,
  type PluginSettings,
  type ReadyPlugin,
  failed,
} from '../plugin-call.ts';
import type { PluginHost } from '../plugin-host.ts';
import { andThen } from '../run.ts';
import { pluginProgram, VERSIONS_UNTIL_1_0 } from './skeleton.ts';

export const calico = pluginProgram(
  { prepare: (settings, host) => new Calico(settings, host) },
  () => VERSIONS_UNTIL_1_0,
);

/** The host's end of a pod's pair of interfaces. */
export function caliLink(podUid: string): string {
  return `cali${podUid.replaceAll('-', '').slice(0, 11)}`;
}

interface Delegate {
  readonly podCidr: string;
  readonly plugin: ReadyPlugin;
}

class Calico implements ReadyPlugin {
  private readonly settings: PluginSettings;
  private readonly host: PluginHost;
  private readonly kubeconfig: string;
  private delegate: Delegate | undefined;

  constructor(settings: PluginSettings, host: PluginHost) {
    this.settings = settings;
    this.host = host;
    const kubernetes = structField(settings.conf, 'kubernetes');
    const path = isJsonObject(kubernetes) ? structField(kubernetes, 'kubeconfig') : undefined;
    this.kubeconfig = typeof path === 'string' && path !== '' ? path : CALICO_KUBECONFIG;
  }

  add(attach: Attach, previous: CniResult | undefined): PluginRun {
    const plugin = this.ready();
    if ('kind' in plugin) return plugin;
    return andThen(plugin.add(attach, previous), (given) => this.wired(attach, given));
  }

  private wired({ container, ifName }: Attach, given: PluginOutcome): PluginOutcome {
    if (given.kind !== 'result') return given;
    for (const address of given.addresses) address.onInterface = 1;
    given.cniVersion = this.settings.cniVersion;
    given.interfaces = [caliLink(container.request.podUid), ifName];
    // Its own route to 169.254.1.1, whatever the address manager says.
    given.defaultRoute = true;
    return given;
  }

  del(attach: Attach, previous: CniResult | undefined): PluginRun {
    const plugin = this.ready();
    return 'kind' in plugin ? plugin : plugin.del(attach, previous);
  }

  /** The address manager with the node's own range, or what keeps the plugin from asking it. */
  private ready(): ReadyPlugin | PluginFailure {
    const { host } = this;
    const nodename = host.readFile(CALICO_NODENAME);
    if (!nodename.ok) {
      const hint =
        'check that the calico/node container is running and has mounted /var/lib/calico/';
      return failed(
        `stat ${CALICO_NODENAME}: no such file or directory: ${hint}`,
        host.files.causesOf(CALICO_NODENAME),
      );
    }
    const kubeconfig = host.readFile(this.kubeconfig);
    if (!kubeconfig.ok) {
      return failed(
        `error creating calico client: stat ${this.kubeconfig}: no such file or directory`,
        host.files.causesOf(this.kubeconfig),
      );
    }
    const answer = host.apiServer?.(kubeconfig.text);
    if (answer?.ok === false)
      return failed(`error getting ClusterInformation: ${answer.message}`, answer.because);
    return this.delegateFor(answer?.podCidr);
  }

  private delegateFor(podCidr: string | undefined): ReadyPlugin | PluginFailure {
    if (this.delegate !== undefined && this.delegate.podCidr === podCidr)
      return this.delegate.plugin;
    const ipam = structField(this.settings.conf, 'ipam');
    const type = isJsonObject(ipam) ? structField(ipam, 'type') : undefined;
    if (typeof type !== 'string' || !isJsonObject(ipam)) return failed('plugin not specified');
    if (podCidr === undefined && asksForPodCidr(ipam))
      return failed(`no podCidr for node ${this.host.node}`);
    const conf: JsonObject = { ...this.settings.conf, ipam: withPodCidr(ipam, podCidr ?? '') };
    const plugin = this.host.ready(type, { ...this.settings, conf, mapsPorts: false });
    if (podCidr !== undefined) this.delegate = { podCidr, plugin };
    return plugin;
  }
}

const PLACE = /^usePodCidr$/i;

function asksForPodCidr(ipam: JsonObject): boolean {
  return /"subnet":"usePodCidr"/i.test(JSON.stringify(ipam));
}

/** `usePodCidr` as the subnet of the whole or of a range (ReplaceHostLocalIPAMPodCIDRs). */
function withPodCidr(value: JsonObject, podCidr: string): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === 'subnet' && typeof each === 'string' && PLACE.test(each)
        ? podCidr
        : replaced(each, podCidr),
    ]),
  );
}

function replaced(value: JsonValue, podCidr: string): JsonValue {
  if (Array.isArray(value)) return value.map((each: JsonValue) => replaced(each, podCidr));
  return isJsonObject(value) ? withPodCidr(value, podCidr) : value;
}
