/**
 * Flannel's ConfigMap where it was not read: what the cluster's nodes and control plane show of it.
 * flanneld, the CNI conf it installs and the routes between nodes all come from there.
 */
import { CANAL_CONF, CANAL_CONF_KEY, CANAL_CONFIG_MAP } from '../../knowledge/canal.ts';
import type { ConfigMapObject, KubeObject, PodObject, PodSpec } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import { imageName } from '../programs/image.ts';
import { flannelConfigMapOf } from '../programs/flannel/flannel-config.ts';
import { stockConf } from '../runtime/stock-confs.ts';
import { isNode, podRange } from './cluster-ranges.ts';
import { talosVersionOf } from './versions-of.ts';

interface Found {
  readonly objects: readonly KubeObject[];
  readonly assumptions: readonly Assumption[];
}

/** Nothing when the ConfigMap was read, or nothing runs flanneld. */
export function missingFlannelConfig(objects: readonly KubeObject[]): Found {
  const place = objects.map(configPlace).find((found) => found !== undefined);
  const known = objects.some(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === place?.name,
  );
  if (known || place === undefined) return { objects: [], assumptions: [] };
  const { namespace, name } = place;
  const onTalos = objects.filter(isNode).some((node) => talosVersionOf(node) !== undefined);
  const network = podRange(objects) ?? '10.244.0.0/16';
  return {
    objects: [configMap(place, network, onTalos)],
    assumptions: [
      {
        about: `ConfigMap ${namespace}/${name}`,
        assumed: `network ${network}, VXLAN on UDP port ${onTalos ? 4789 : 8472}`,
        because: 'Flannel runs, and its ConfigMap was not read',
        command: `kubectl get configmap -n ${namespace} ${name} -o yaml`,
      },
    ],
  };
}

interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** Of an object whose pods run flanneld: which ConfigMap they mount. */
function configPlace(object: KubeObject): Place | undefined {
  // Both kinds have a pod's spec, here or in their template.
  const spec =
    object.kind === 'Pod'
      ? (object as PodObject).spec
      : object.kind === 'DaemonSet'
        ? (object as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec
        : undefined;
  if (spec?.containers.some((container) => imageName(container) === 'flannel') !== true)
    return undefined;
  return { namespace: object.metadata.namespace ?? 'default', name: flannelConfigMapOf(spec) };
}

function configMap({ namespace, name }: Place, network: string, onTalos: boolean): ConfigMapObject {
  const plugins = [
    { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  const conf = { name: 'cbr0', cniVersion: '0.3.1', plugins };
  const backend = onTalos ? { Type: 'vxlan', Port: 4789 } : { Type: 'vxlan' };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    data: {
      ...(CANAL_CONFIG_MAP.test(name)
        ? { [CANAL_CONF_KEY]: stockConf(CANAL_CONF)?.text ?? '', veth_mtu: '1450' }
        : { 'cni-conf.json': JSON.stringify(conf, undefined, 2) }),
      'net-conf.json': JSON.stringify({ Network: network, Backend: backend }, undefined, 2),
    },
  };
}
