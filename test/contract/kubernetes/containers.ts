/** Exec and logs: a program's end is an answer; what never ran, or has no place to run, is a failure. */
import { expect, it } from 'vitest';
import { group, podLiteral, type TargetKind } from './target.ts';
import { failureOf } from '../../support/failure-of.ts';

export function describeContainers(kind: TargetKind): void {
  group(kind, 'containers', (on) => {
    it(
      'runs nothing in a pod that is not there, or is nowhere',
      on(async ({ port, namespace }) => {
        const command = ['cat', '/etc/hostname'];
        const none = await failureOf(port.exec({ namespace, pod: 'none', command }));
        expect(none).toMatchObject({ code: 'not-found' });
        await port.create(podLiteral(namespace, 'a'));
        const nowhere = await failureOf(port.exec({ namespace, pod: 'a', command }));
        expect(nowhere).toMatchObject({ code: 'refused' });
        expect(nowhere.message).toContain('does not have a host assigned');
      }),
    );

    const { nodes } = kind;
    if (nodes === undefined) return;
    const { namespace, pod, container, file, holds } = nodes;
    const target = { namespace, pod, container };
    const directory = '/host/cni/net.d';

    it(
      'reads a file of the node through the mount of a pod',
      on(async ({ port }) => {
        const listed = await port.exec({ ...target, command: ['ls', directory] });
        expect(listed).toMatchObject({ exitCode: 0, stderr: '' });
        expect(listed.stdout.split('\n')).toContain(file);
        const read = await port.exec({ ...target, command: ['cat', `${directory}/${file}`] });
        expect(read.exitCode).toBe(0);
        expect(read.stdout).toContain(holds);
      }),
    );

    it(
      'gives the exit code of a program, and what it complained of',
      on(async ({ port }) => {
        const missing = await port.exec({ ...target, command: ['cat', `${directory}/none`] });
        expect(missing).toMatchObject({ exitCode: 1, stdout: '' });
        expect(missing.stderr).toContain('No such file or directory');
        const tested = await port.exec({ ...target, command: ['test', '-e', `${directory}/none`] });
        expect(tested.exitCode).toBe(1);
      }),
    );

    it(
      'gives a program its input, and the input an end',
      on(async ({ port }) => {
        const echoed = await port.exec({ ...target, command: ['cat'], stdin: 'hello\n' });
        expect(echoed).toEqual({ exitCode: 0, stdout: 'hello\n', stderr: '' });
      }),
    );

    it(
      'says in the words of the runtime that a program is not there',
      on(async ({ port }) => {
        const error = await failureOf(port.exec({ ...target, command: ['no-such-program'] }));
        expect(error).toMatchObject({ code: 'refused' });
        expect(error.message).toContain('executable file not found in $PATH');
      }),
    );
  });
}
