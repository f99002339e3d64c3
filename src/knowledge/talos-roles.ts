/**
 * Which role of Talos may make which call; a client's roles are the organisations of its certificate.
 * A call that is not listed needs os:admin. Source: talos:internal/app/machined/pkg/system/services/
 * machined.go@v1.14.0-rc.1 (knowledge talos-and-cni-selection.md 4.12).
 */
const TALOS_ROLES = ['os:reader', 'os:operator', 'os:admin', 'os:etcd:backup'] as const;

export type TalosRole = (typeof TALOS_ROLES)[number];

const READER: readonly TalosRole[] = ['os:reader', 'os:operator', 'os:admin'];
const OPERATOR: readonly TalosRole[] = ['os:operator', 'os:admin'];
const ADMIN: readonly TalosRole[] = ['os:admin'];

const METHODS = new Map<string, readonly TalosRole[]>([
  ...named('machine.MachineService', READER, [
    'Containers',
    'Dmesg',
    'Events',
    'List',
    'Logs',
    'Mounts',
    'ServiceList',
    'Version',
  ]),
  ...named(
    'machine.MachineService',
    [...READER, 'os:etcd:backup'],
    ['EtcdAlarmList', 'EtcdMemberList', 'EtcdStatus'],
  ),
  ...named('machine.MachineService', OPERATOR, [
    'Reboot',
    'ServiceRestart',
    'ServiceStart',
    'ServiceStop',
  ]),
  ...named('machine.MachineService', [...OPERATOR, 'os:etcd:backup'], ['EtcdSnapshot']),
  ...named('machine.ImageService', OPERATOR, ['Pull']),
  ...named('cluster.ClusterService', READER, ['HealthCheck']),
  ...named('cosi.resource.State', READER, ['Get', 'List', 'Watch']),
]);

/** Types whose content COSI gives to os:admin only. */
const SENSITIVE_RESOURCES = new Set(['MachineConfigs.config.talos.dev']);

/** The roles of which one is enough, the smallest first. */
export function rolesFor(service: string, method: string): readonly TalosRole[] {
  return METHODS.get(`${service}/${method}`) ?? ADMIN;
}

export function rolesForResource(type: string): readonly TalosRole[] {
  return SENSITIVE_RESOURCES.has(type) ? ADMIN : READER;
}

export function isTalosRole(text: string): text is TalosRole {
  return TALOS_ROLES.some((role) => role === text);
}

function named(
  service: string,
  roles: readonly TalosRole[],
  methods: readonly string[],
): readonly (readonly [string, readonly TalosRole[]])[] {
  return methods.map((method) => [`${service}/${method}`, roles] as const);
}
