import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { readProtobuf } from './protobuf.ts';

type Write = (writer: BinaryWriter) => BinaryWriter;

function message(...fields: readonly Write[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const field of fields) field(writer);
  return writer.finish();
}

const text =
  (number: number, value: string): Write =>
  (writer) =>
    writer.uint32((number << 3) | 2).string(value);
const bytes =
  (number: number, value: Uint8Array): Write =>
  (writer) =>
    writer.uint32((number << 3) | 2).bytes(value);
const whole =
  (number: number, value: number): Write =>
  (writer) =>
    writer.uint32(number << 3).int64(value);

/** As Go's client sends it. */
function sent(apiVersion: string, kind: string, object: Uint8Array): Uint8Array {
  const type = message(text(1, apiVersion), text(2, kind));
  const envelope = message(bytes(1, type), bytes(2, object), text(3, ''), text(4, ''));
  return Uint8Array.from([0x6b, 0x38, 0x73, 0x00, ...envelope]);
}

describe('protobuf of typed clients', () => {
  it('is read with maps, lists, fields in place, and zeros only where they say something', () => {
    const label = message(text(1, 'app'), text(2, 'web'));
    const metadata = message(text(1, 'web'), text(2, ''), text(3, 'a'), bytes(11, label));
    const source = message(bytes(2, message(text(1, '')))); // an emptyDir that says nothing more
    const volume = message(text(1, 'v'), bytes(2, source));
    const quantity = message(text(1, 'cpu'), bytes(2, message(text(1, '100m'))));
    const port = message(text(1, ''), whole(2, 0), whole(3, 80), text(4, 'TCP'));
    const container = message(
      text(1, 'c'),
      text(2, 'i:1'),
      text(3, 'sh'),
      text(3, '-c'),
      bytes(6, port),
      bytes(8, message(bytes(2, quantity))),
    );
    const pod = message(
      bytes(1, volume),
      bytes(2, container),
      text(3, ''),
      whole(4, 0),
      whole(11, 0),
    );
    const template = message(bytes(1, message(text(1, ''))), bytes(2, pod));
    const spec = message(whole(1, 0), bytes(3, template), whole(5, 0));
    const deployment = message(bytes(1, metadata), bytes(2, spec), bytes(3, message(whole(1, 0))));
    expect(readProtobuf(sent('apps/v1', 'Deployment', deployment))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'a', labels: { app: 'web' } },
      spec: {
        replicas: 0,
        template: {
          spec: {
            volumes: [{ name: 'v', emptyDir: {} }],
            containers: [
              {
                name: 'c',
                image: 'i:1',
                command: ['sh', '-c'],
                ports: [{ containerPort: 80, protocol: 'TCP' }],
                resources: { requests: { cpu: '100m' } },
              },
            ],
            terminationGracePeriodSeconds: 0,
          },
        },
      },
    });
  });

  it('reads numbers that may be text, and options of a deletion', () => {
    const share = message(whole(1, 1), whole(2, 0), text(3, '50%'));
    const spec = message(bytes(3, share));
    expect(
      readProtobuf(sent('policy/v1', 'PodDisruptionBudget', message(bytes(2, spec)))),
    ).toMatchObject({ spec: { maxUnavailable: '50%' } });
    const options = message(whole(1, 0), text(4, 'Background'));
    expect(readProtobuf(sent('v1', 'DeleteOptions', options))).toMatchObject({
      gracePeriodSeconds: 0,
      propagationPolicy: 'Background',
    });
  });

  it('is refused when it is none, cut off, or of a kind nobody knows', () => {
    expect(() => readProtobuf(new Uint8Array([1, 2, 3]))).toThrow('no k8s prefix');
    const map = sent('v1', 'ConfigMap', message(bytes(1, message(text(1, 'a')))));
    expect(() => readProtobuf(map.subarray(0, 20))).toThrow('error decoding the body');
    expect(() => readProtobuf(sent('v1', 'Nothing', new Uint8Array()))).toThrow(
      'no kind "Nothing"',
    );
  });
});
