/** etcd keeps its quorum without the node. */
import { quorumWithout } from '../../steps/etcd-quorum.ts';
import type { GateModule } from './gate-context.ts';

export const etcdQuorum: GateModule<'etcd-quorum'> = ({ ports }, gate) =>
  quorumWithout(ports, gate);
