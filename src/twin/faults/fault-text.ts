/**
 * A strike as text, for the command line: `node-lost@move-nodes/w1/label+12,node=w2,back=600`. What is
 * left out is the usual; a step may be given by the beginning of its id.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { FaultStrike } from '../../model/fault.ts';
import type { Plan } from '../../model/plan.ts';
import type { Fault } from './fault.ts';
import { faultById, FAULTS } from './registry.ts';

const FORM = /^([a-z0-9-]+)(?:@([^+,=]+))?(?:\+(\d+(?:\.\d+)?))?((?:,[a-z]+=[^,=]+)*)$/;

export function showStrike({ fault, step, after, node, parameters }: FaultStrike): string {
  const more = [
    ...(node === undefined ? [] : [`node=${node}`]),
    ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`),
  ];
  return `${fault}@${step}${after === 0 ? '' : `+${after}`}${more.map((part) => `,${part}`).join('')}`;
}

/** Throws `usage` errors that name what there is. */
export function readStrike(text: string, plan: Plan, nodes: readonly string[]): FaultStrike {
  const match = FORM.exec(text);
  if (match === null) {
    throw new RegaugeError('usage', `${text} is no fault`, {
      hint: 'A fault is id@step, with what differs from the usual: node-lost@move-nodes/w1/label+12,node=w2,back=600.',
    });
  }
  const [, id = '', stepText, after = '0', rest = ''] = match;
  const fault = requireFault(id);
  const step = stepText === undefined ? firstMove(plan) : stepNamed(plan, stepText);
  const given = rest.split(',').flatMap((part) => {
    const [name = '', value = ''] = part.split('=');
    return name === '' ? [] : [[name, value] as const];
  });
  const node = given.find(([name]) => name === 'node')?.[1] ?? usualNode(fault, plan, step, nodes);
  if (node !== undefined && !nodes.includes(node)) {
    throw new RegaugeError('usage', `${text}: there is no node ${node}`, {
      hint: `There are ${nodes.join(', ')}.`,
    });
  }
  return {
    fault: id,
    step,
    after: Number(after),
    ...(node === undefined ? {} : { node }),
    parameters: parametersOf(
      fault,
      given.filter(([name]) => name !== 'node'),
      text,
    ),
  };
}

export function requireFault(id: string): Fault {
  const fault = faultById(id);
  if (fault !== undefined) return fault;
  throw new RegaugeError('usage', `no fault is called ${id}`, {
    hint: `There are ${FAULTS.map((each) => each.id).join(', ')}.`,
  });
}

function stepNamed(plan: Plan, text: string): string {
  const found =
    plan.steps.find(({ id }) => id === text) ??
    plan.steps.find(({ id }) => id.startsWith(`${text}/`) || id.startsWith(text));
  if (found !== undefined) return found.id;
  throw new RegaugeError('usage', `the plan has no step ${text}`, {
    hint: 'regauge plan shows the steps; the beginning of an id is enough.',
  });
}

function firstMove({ steps }: Plan): string {
  return (steps.find(({ phase }) => phase === 'move-nodes') ?? steps[0])?.id ?? '';
}

function usualNode(
  { strikes }: Fault,
  plan: Plan,
  step: string,
  nodes: readonly string[],
): string | undefined {
  if (strikes !== 'node' && strikes !== 'control-plane') return undefined;
  return plan.steps.find(({ id }) => id === step)?.nodes[0] ?? nodes[0];
}

function parametersOf(
  { id, parameters }: Fault,
  given: readonly (readonly [string, string])[],
  text: string,
): Readonly<Record<string, number>> {
  const values: Record<string, number> = {};
  for (const [name, { usual }] of Object.entries(parameters)) values[name] = usual;
  for (const [name, value] of given) {
    const number = Number(value);
    if (parameters[name] !== undefined && Number.isFinite(number) && number >= 0) {
      values[name] = number;
      continue;
    }
    const known = Object.keys(parameters).join(', ');
    throw new RegaugeError('usage', `${text}: ${id} takes no ${name}=${value}`, {
      hint: known === '' ? 'It takes no parameters.' : `It takes numbers for ${known}.`,
    });
  }
  return values;
}
