/**
 * The packet filters of a node, through its Cilium agent: it is on the host's network, may change them, shares
 * the node's lock, and its image has both back ends of iptables, and ipset (cilium:images/runtime/
 * install-runtime-deps.sh). So no pod is made and no image pulled. Its image has no nft: a table of nft goes
 * by kube-proxy's image, which has (kubernetes/release:images/build/distroless-iptables). One program at a
 * time, each with what was seen to be there.
 */
import { RegaugeError } from '../../base/errors.ts';
import {
  isGoneAlready,
  isNotInKernel,
  leftIn,
  type LeftInTable,
  removalCommands,
  showLeft,
} from '../../knowledge/packet-filter/left-rules.ts';
import { haveSets, ownsSet } from '../../knowledge/packet-filter/rules-owners.ts';
import {
  BACKENDS,
  FAMILIES,
  filterProgram,
  readSavedRules,
} from '../../knowledge/packet-filter/saved-rules.ts';
import type { RulesOwner } from '../../model/plan.ts';
import type { ExecResult } from '../../ports/index.ts';
import type { NodeHostPort } from '../../ports/node-host.ts';
import { type NodeCommands, repeated } from './node-commands.ts';

export type FilterAccess = Pick<NodeHostPort, 'leftRules' | 'removeLeftRules'>;

/** Runs a program of kube-proxy's image on the node to its end. */
export type InKubeProxyImage = (node: string, command: readonly string[]) => Promise<void>;

interface Left {
  readonly tables: readonly LeftInTable[];
  readonly sets: readonly string[];
}

export function packetFilter(commands: NodeCommands, inProxyImage: InKubeProxyImage): FilterAccess {
  return {
    leftRules: async (node, owners) => {
      const { tables, sets } = await look(commands, node, owners);
      return [...tables.map(showLeft), ...sets.map((name) => `ipset ${name}`)];
    },
    removeLeftRules: async (node, { owners, nftTables }) => {
      const what = `remove the rules of ${owners.join(' and ')} on ${node}`;
      const { tables, sets } = await look(commands, node, owners);
      for (const command of tables.flatMap(removalCommands))
        await change(commands, node, what, command);
      const inUse = tables.find(({ foreign }) => foreign.length > 0);
      if (inUse !== undefined) {
        throw new RegaugeError('refused', `cannot ${what}: ${showLeft(inUse)}`, {
          hint: 'take that rule away, or lead it elsewhere, and go on',
        });
      }
      for (const name of sets) await change(commands, node, what, ['ipset', 'destroy', name]);
      if (nftTables.length > 0) await inProxyImage(node, nftRemoval(nftTables));
    },
  };
}

async function look(
  commands: NodeCommands,
  node: string,
  owners: readonly RulesOwner[],
): Promise<Left> {
  const what = `list the packet filters of ${node}`;
  const run = async (command: readonly string[]): Promise<string> => {
    const result = await repeated(() => commands.inAgent(node, what, command));
    if (result.exitCode === 0) return result.stdout;
    if (isNotInKernel(result.stderr)) return '';
    throw failed(what, command, result);
  };
  const tables: LeftInTable[] = [];
  for (const family of FAMILIES) {
    for (const backend of BACKENDS) {
      const saved = readSavedRules(await run([`${filterProgram(family, backend)}-save`]));
      tables.push(...leftIn({ family, backend }, saved, owners));
    }
  }
  if (!haveSets(owners)) return { tables, sets: [] };
  const names = (await run(['ipset', 'list', '-n'])).split('\n');
  return { tables, sets: names.filter((name) => ownsSet(owners, name)) };
}

async function change(
  commands: NodeCommands,
  node: string,
  what: string,
  command: readonly string[],
): Promise<void> {
  const result = await repeated(() => commands.inAgent(node, what, command));
  if (result.exitCode !== 0 && !isGoneAlready(result.stderr)) throw failed(what, command, result);
}

/** One transaction, which does the same where there is no such table: `destroy` is not in older nft. */
function nftRemoval(tables: readonly string[]): readonly string[] {
  return ['nft', tables.map((name) => `add table ${name}; delete table ${name}`).join('; ')];
}

function failed(
  what: string,
  [program = '']: readonly string[],
  { exitCode, stderr }: ExecResult,
): RegaugeError {
  const words = stderr.trim().split('\n').slice(-3).join(' | ').slice(0, 500);
  return new RegaugeError(
    'refused',
    `cannot ${what}: ${program}: ${words === '' ? `exit ${exitCode}` : words}`,
  );
}
