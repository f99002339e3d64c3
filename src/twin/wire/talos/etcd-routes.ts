/**
 * etcd as the twin plays it: a member per control plane, well while its machine is. A snapshot holds the
 * objects of the twin's store and etcd's digest; it is no bbolt database, and nothing restores it.
 */
import { createHash } from 'node:crypto';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { MachineService } from '../../../knowledge/talos-api/machine/machine.ts';
import type { TwinNode, World } from '../../world.ts';
import type { Apid } from './apid.ts';

const PAGE_BYTES = 512;
const PIECE_BYTES = 32 * 1024;
const RAFT_TERM = 2n;

export function addEtcdRoutes(apid: Apid, router: ConnectRouter): void {
  const { world } = apid;
  const { method } = MachineService;
  apid.unary(router, method.etcdMemberList, ({ node }) => {
    requireControlPlane(node, 'member list');
    const members = controlPlanes(world).map(({ name, address }) => ({
      id: memberId(name),
      hostname: name,
      peerUrls: [`https://${address}:2380`],
      clientUrls: [`https://${address}:2379`],
      isLearner: false,
    }));
    return { messages: [{ legacyMembers: members.map(({ hostname }) => hostname), members }] };
  });
  apid.unary(router, method.etcdStatus, ({ node }) => {
    requireControlPlane(node, 'etcd status');
    const leader = leaderOf(world);
    const index = BigInt(world.kernel.occurrences.length);
    return {
      messages: [
        {
          memberStatus: {
            memberId: memberId(node.name),
            leader: leader === undefined ? 0n : memberId(leader.name),
            raftTerm: RAFT_TERM,
            raftIndex: index,
            raftAppliedIndex: index,
            errors: leader === undefined ? ['etcdserver: no leader'] : [],
          },
        },
      ],
    };
  });
  apid.unary(router, method.etcdAlarmList, ({ node }) => {
    requireControlPlane(node, 'etcd alarm list');
    return { messages: [{ memberAlarms: [] }] };
  });
  apid.stream(router, method.etcdSnapshot, async function* ({ node }) {
    requireControlPlane(node, 'etcd snapshot');
    const bytes = snapshotOf(world);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      yield { bytes: bytes.subarray(at, at + PIECE_BYTES) };
    }
  });
}

function snapshotOf({ store }: World): Buffer {
  const text = Buffer.from(JSON.stringify(store.kindNames().flatMap((kind) => store.list(kind))));
  const padding = Buffer.alloc((PAGE_BYTES - (text.length % PAGE_BYTES)) % PAGE_BYTES, ' ');
  const content = Buffer.concat([text, padding]);
  return Buffer.concat([content, createHash('sha256').update(content).digest()]);
}

function controlPlanes(world: World): readonly TwinNode[] {
  return [...world.nodes.values()].filter(({ role }) => role === 'control-plane');
}

function leaderOf(world: World): TwinNode | undefined {
  const members = controlPlanes(world);
  const up = members.filter(({ machine }) => machine.up);
  return up.length * 2 > members.length ? up[0] : undefined;
}

/** 64 bits of the name. */
function memberId(name: string): bigint {
  return createHash('sha256').update(name).digest().readBigUInt64BE();
}

function requireControlPlane({ role }: TwinNode, what: string): void {
  if (role === 'control-plane') return;
  throw new ConnectError(`${what} is only available on control plane nodes`, Code.Unimplemented);
}
