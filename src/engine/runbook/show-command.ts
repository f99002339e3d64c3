/** A command as a person would have typed it, for events and reports. */
import type { RunbookStep } from '../../model/runbook.ts';

export function showCommand(step: RunbookStep): string {
  if (step.title !== undefined) return step.title;
  if ('wait' in step) return `wait ${step.wait.seconds} s`;
  if ('look' in step) return step.look;
  if ('files' in step) return `files on ${step.files.nodes.join(', ')}`;
  if ('helm' in step) {
    const { action, release } = step.helm;
    const version = 'version' in step.helm ? ` --version ${step.helm.version}` : '';
    return `helm ${action} ${release}${version}`;
  }
  if ('talos' in step) {
    const nodes = 'nodes' in step.talos ? ` -n ${step.talos.nodes.join(',')}` : '';
    return `talosctl${nodes} ${step.talos.action}`;
  }
  return `kubectl ${showKubectl(step.kubectl)}`;
}

function showKubectl(
  command: Extract<RunbookStep, { readonly kubectl: unknown }>['kubectl'],
): string {
  const action = command.action.replace('-', ' ');
  if ('node' in command) return `${action} ${command.node}`;
  if ('objects' in command) return `${action} (${command.objects.length} objects)`;
  const place =
    'namespace' in command && command.namespace !== undefined ? ` -n ${command.namespace}` : '';
  const selector =
    'selector' in command && command.selector !== undefined ? ` -l ${command.selector}` : '';
  const what = `${action}${place} ${command.kind}${command.name === undefined ? '' : `/${command.name}`}${selector}`;
  if (command.action !== 'wait') return what;
  const { until } = command;
  return `${what} for ${until === 'deleted' ? 'its deletion' : `${until.condition}=${until.status}`}`;
}
