/**
 * Quorum would hold without the node: healthy voters less this one are a majority of all members
 * (failure-domains 2.6). A learner counts for nothing and says that a change is under way.
 */
import { fails, HOLDS } from '../../steps/step-module.ts';
import type { GateModule } from './gate-context.ts';

export const etcdQuorum: GateModule<'etcd-quorum'> = async ({ ports }, { node, consent }) => {
  const members = await ports.nodeHost.etcdMembers();
  if (members.length === 0) return fails('etcd tells of no members');
  const learners = members.filter(({ learner }) => learner);
  if (learners.length > 0)
    return fails(`etcd has a learner: ${learners.map((member) => member.node).join(', ')}`);
  const quorum = Math.floor(members.length / 2) + 1;
  const healthy = members.filter((member) => member.healthy && member.node !== node).length;
  if (healthy >= quorum) return HOLDS;
  if (members.length === 1 && consent === true)
    return members[0]?.healthy === true ? HOLDS : fails('the only etcd member is not healthy');
  return fails(
    `without ${node}, etcd has ${healthy} healthy voters of ${members.length} and needs ${quorum}`,
  );
};
