/** Services, endpoints, policies, volumes and configuration in a table. */
import { listOf, mapOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';
import {
  AGE,
  ageOf,
  labelsText,
  NAME,
  nameOf,
  NONE,
  type Printer,
  selectorText,
  UNSET,
  wide,
} from './table.ts';

export const servicePrinter: Printer = {
  columns: [
    NAME,
    { name: 'Type' },
    { name: 'Cluster-IP' },
    { name: 'External-IP' },
    { name: 'Port(s)' },
    AGE,
    wide('Selector'),
  ],
  cells: (object, now) => {
    const spec = mapOf(object['spec']);
    return [
      nameOf(object),
      textOf(spec['type']) || 'ClusterIP',
      textOf(spec['clusterIP']) || NONE,
      externalOf(object),
      portsOf(spec),
      ageOf(object, now),
      labelsText(spec['selector']),
    ];
  },
};

function externalOf(service: Tree): string {
  const type = valueAt(service, 'spec', 'type');
  const own = listOf(valueAt(service, 'spec', 'externalIPs')).map(String);
  if (type === 'ExternalName') return textOf(valueAt(service, 'spec', 'externalName'));
  if (type !== 'LoadBalancer') return own.length === 0 ? NONE : own.join(',');
  const ingress = listOf(valueAt(service, 'status', 'loadBalancer', 'ingress')).map(
    (each) => textOf(valueAt(each, 'ip')) || textOf(valueAt(each, 'hostname')),
  );
  const all = [...ingress, ...own];
  return all.length === 0 ? '<pending>' : all.join(',');
}

function portsOf(spec: Tree): string {
  const ports = listOf(spec['ports']).map((each) => {
    const { port, nodePort, protocol } = mapOf(each);
    const at = typeof nodePort === 'number' && nodePort > 0 ? `${String(port)}:${nodePort}` : port;
    return `${String(at)}/${textOf(protocol) || 'TCP'}`;
  });
  return ports.length === 0 ? NONE : ports.join(',');
}

export const endpointsPrinter: Printer = {
  columns: [NAME, { name: 'Endpoints' }, AGE],
  cells: (object, now) => {
    const all = listOf(object['subsets']).flatMap((subset) => {
      const ports = listOf(valueAt(subset, 'ports'));
      const addresses = listOf(valueAt(subset, 'addresses')).map((each) =>
        textOf(valueAt(each, 'ip')),
      );
      if (ports.length === 0) return addresses;
      return ports.flatMap((port) =>
        addresses.map((address) => `${address}:${String(valueAt(port, 'port'))}`),
      );
    });
    const shown = all.slice(0, 3).join(',');
    const more = all.length > 3 ? ` + ${all.length - 3} more...` : '';
    return [nameOf(object), all.length === 0 ? NONE : shown + more, ageOf(object, now)];
  },
};

export const endpointSlicePrinter: Printer = {
  columns: [NAME, { name: 'AddressType' }, { name: 'Ports' }, { name: 'Endpoints' }, AGE],
  cells: (object, now) => {
    const ports = listOf(object['ports']).map((each) => String(valueAt(each, 'port') ?? '*'));
    const addresses = listOf(object['endpoints']).flatMap((each) =>
      listOf(valueAt(each, 'addresses')).map(String),
    );
    const more = addresses.length > 3 ? ` + ${addresses.length - 3} more...` : '';
    return [
      nameOf(object),
      textOf(object['addressType']),
      ports.length === 0 ? UNSET : ports.slice(0, 3).join(','),
      addresses.length === 0 ? UNSET : addresses.slice(0, 3).join(',') + more,
      ageOf(object, now),
    ];
  },
};

export const networkPolicyPrinter: Printer = {
  columns: [NAME, { name: 'Pod-Selector' }, AGE],
  cells: (object, now) => [
    nameOf(object),
    selectorText(valueAt(object, 'spec', 'podSelector')),
    ageOf(object, now),
  ],
};

export const configMapPrinter: Printer = {
  columns: [NAME, { name: 'Data', type: 'integer' }, AGE],
  cells: (object, now) => [
    nameOf(object),
    Object.keys(mapOf(object['data'])).length + Object.keys(mapOf(object['binaryData'])).length,
    ageOf(object, now),
  ],
};

export const secretPrinter: Printer = {
  columns: [NAME, { name: 'Type' }, { name: 'Data', type: 'integer' }, AGE],
  cells: (object, now) => [
    nameOf(object),
    textOf(object['type']) || 'Opaque',
    Object.keys(mapOf(object['data'])).length,
    ageOf(object, now),
  ],
};

export const serviceAccountPrinter: Printer = {
  columns: [NAME, { name: 'Secrets', type: 'integer' }, AGE],
  cells: (object, now) => [nameOf(object), listOf(object['secrets']).length, ageOf(object, now)],
};

export const claimPrinter: Printer = {
  columns: [
    NAME,
    { name: 'Status' },
    { name: 'Volume' },
    { name: 'Capacity' },
    { name: 'Access Modes' },
    { name: 'StorageClass' },
    { name: 'VolumeAttributesClass' },
    AGE,
    wide('VolumeMode'),
  ],
  cells: (object, now) => {
    const spec = mapOf(object['spec']);
    const deleted = valueAt(object, 'metadata', 'deletionTimestamp') !== undefined;
    const phase = textOf(valueAt(object, 'status', 'phase'));
    return [
      nameOf(object),
      deleted ? 'Terminating' : phase || (spec['volumeName'] === undefined ? 'Pending' : 'Bound'),
      textOf(spec['volumeName']),
      textOf(valueAt(object, 'status', 'capacity', 'storage')),
      modesOf(valueAt(object, 'status', 'accessModes') ?? spec['accessModes']),
      textOf(spec['storageClassName']),
      UNSET,
      ageOf(object, now),
      textOf(spec['volumeMode']) || 'Filesystem',
    ];
  },
};

export const volumePrinter: Printer = {
  columns: [
    NAME,
    { name: 'Capacity' },
    { name: 'Access Modes' },
    { name: 'Reclaim Policy' },
    { name: 'Status' },
    { name: 'Claim' },
    { name: 'StorageClass' },
    { name: 'VolumeAttributesClass' },
    { name: 'Reason' },
    AGE,
    wide('VolumeMode'),
  ],
  cells: (object, now) => {
    const spec = mapOf(object['spec']);
    const claim = mapOf(spec['claimRef']);
    const bound = claim['name'] !== undefined;
    return [
      nameOf(object),
      textOf(valueAt(spec, 'capacity', 'storage')),
      modesOf(spec['accessModes']),
      textOf(spec['persistentVolumeReclaimPolicy']),
      textOf(valueAt(object, 'status', 'phase')) || (bound ? 'Bound' : 'Available'),
      bound ? `${textOf(claim['namespace'])}/${textOf(claim['name'])}` : '',
      textOf(spec['storageClassName']),
      UNSET,
      textOf(valueAt(object, 'status', 'reason')),
      ageOf(object, now),
      textOf(spec['volumeMode']) || 'Filesystem',
    ];
  },
};

const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modesOf(modes: unknown): string {
  return listOf(modes)
    .map((mode) => MODES[textOf(mode)] ?? textOf(mode))
    .join(',');
}

export const attachmentPrinter: Printer = {
  columns: [
    NAME,
    { name: 'Attacher' },
    { name: 'PV' },
    { name: 'Node' },
    { name: 'Attached', type: 'boolean' },
    AGE,
  ],
  cells: (object, now) => [
    nameOf(object),
    textOf(valueAt(object, 'spec', 'attacher')),
    textOf(valueAt(object, 'spec', 'source', 'persistentVolumeName')),
    textOf(valueAt(object, 'spec', 'nodeName')),
    valueAt(object, 'status', 'attached') === true,
    ageOf(object, now),
  ],
};
