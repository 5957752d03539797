import {
  bytesField,
  encode,
  floatField,
  integerField,
  integersField,
  type Message,
  message,
  messageField,
  stringField,
} from './protobuf.js';

/** A dimension: a size, or a name for one that is known only when the model runs. */
export type OnnxDimension = number | string;

/** A float32 tensor that goes into or comes out of a model. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly OnnxDimension[];
}

/** A constant of a model: float32 weights, or int64 sizes and axes. */
export interface OnnxInitializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** Integers, lists of integers, or `{ float }` for a real number. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number };

/** One operator call. Inputs and outputs are names of values, initializers or other nodes' outputs. */
export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

/** A model as a value. Nodes stand in an execution order. */
export interface OnnxModel {
  readonly name: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
}

/** Operator set 17 and file format 8 (ONNX 1.12): the newest in which every operator used here is unchanged since. */
const operatorSet = 17;
const fileFormat = 8;
const elementTypes = { float32: 1, int64: 7 } as const;
const attributeTypes = { float: 1, integer: 2, integers: 7 } as const;

function valueInfo({ name, shape }: OnnxValue): Message {
  const dimensions = shape.map((size) =>
    messageField(1, message(typeof size === 'number' ? integerField(1, size) : stringField(2, size))),
  );
  const tensorType = message(integerField(1, elementTypes.float32), messageField(2, message(...dimensions)));
  return message(stringField(1, name), messageField(2, message(messageField(1, tensorType))));
}

function initializer({ name, shape, data }: OnnxInitializer): Message {
  const type = data.BYTES_PER_ELEMENT === 8 ? elementTypes.int64 : elementTypes.float32;
  return message(
    integersField(1, shape),
    integerField(2, type),
    stringField(8, name),
    // The machines this runs on are little-endian, as the format wants it.
    bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

function attribute(name: string, value: OnnxAttribute): Message {
  if (typeof value === 'number') {
    return message(stringField(1, name), integerField(3, value), integerField(20, attributeTypes.integer));
  }
  if ('float' in value) {
    return message(stringField(1, name), floatField(2, value.float), integerField(20, attributeTypes.float));
  }
  return message(stringField(1, name), integersField(8, value), integerField(20, attributeTypes.integers));
}

function operatorCall({ operator, inputs, outputs, attributes }: OnnxNode): Message {
  return message(
    ...inputs.map((input) => stringField(1, input)),
    ...outputs.map((output) => stringField(2, output)),
    stringField(4, operator),
    ...Object.entries(attributes ?? {}).map(([name, value]) => messageField(5, attribute(name, value))),
  );
}

/**
 * The bytes of an ONNX file (`ModelProto` of onnx.proto3, standard operators). Field numbers are the format's.
 */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = message(
    ...model.nodes.map((node) => messageField(1, operatorCall(node))),
    stringField(2, model.name),
    ...model.initializers.map((constant) => messageField(5, initializer(constant))),
    ...model.inputs.map((input) => messageField(11, valueInfo(input))),
    ...model.outputs.map((output) => messageField(12, valueInfo(output))),
  );
  const file = message(
    integerField(1, fileFormat),
    stringField(2, 'mambair'),
    messageField(7, graph),
    messageField(8, message(stringField(1, ''), integerField(2, operatorSet))),
  );
  return encode(file);
}
