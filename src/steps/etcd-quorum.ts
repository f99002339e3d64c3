/**
 * Quorum would hold without the node: healthy voters less this one are a majority of all members
 * (failure-domains 2.6). A learner counts for nothing and says that a change is under way.
 */
import type { Ports } from '../ports/index.ts';
import { fails, HOLDS, type Verdict } from './step-module.ts';

export interface QuorumQuestion {
  readonly node: string;
  /** Of somebody who knows that the only member goes down. */
  readonly consent?: boolean;
}

export async function quorumWithout(
  { nodeHost }: Ports,
  { node, consent }: QuorumQuestion,
): Promise<Verdict> {
  const members = await nodeHost.etcdMembers();
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
}
