import { crc32, deflateRawSync } from 'node:zlib';

/** Opcodes of a pickle; programs are put together from such pieces. */
export type Opcodes = readonly number[];

const u16 = (value: number) => [value & 255, (value >>> 8) & 255];
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];

/** Eight bytes, little-endian. */
export function u64(value: number | bigint): number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
  return [...bytes];
}

const utf8 = (text: string) => [...new TextEncoder().encode(text)];

/** Writers for the values of a pickle, one opcode sequence each. */
export const pickle = {
  none: [0x4e] as Opcodes,
  emptyList: [0x5d] as Opcodes,
  emptyDict: [0x7d] as Opcodes,
  text: (value: string): Opcodes => [0x58, ...u32(utf8(value).length), ...utf8(value)],
  /** An integer of up to 64 bits, as LONG1. */
  int: (value: number | bigint): Opcodes => [0x8a, 8, ...u64(value)],
  /** An integer of 80 bits, as LONG1; for the magic number. */
  int80: (value: bigint): Opcodes => [0x8a, 10, ...u64(value), ...u64(value >> 64n).slice(0, 2)],
  float: (value: number): Opcodes => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    return [0x47, ...bytes];
  },
  tuple: (...items: readonly Opcodes[]): Opcodes => [0x28, ...items.flat(), 0x74],
  list: (...items: readonly Opcodes[]): Opcodes => [0x5d, 0x28, ...items.flat(), 0x65],
  dict: (entries: Readonly<Record<string, Opcodes>>): Opcodes => [
    0x7d,
    0x28,
    ...Object.entries(entries).flatMap(([name, value]) => [...pickle.text(name), ...value]),
    0x75,
  ],
  global: (module: string, name: string): Opcodes => [0x63, ...utf8(`${module}\n${name}\n`)],
  call: (callable: Opcodes, ...args: readonly Opcodes[]): Opcodes => [...callable, ...pickle.tuple(...args), 0x52],
  put: (value: Opcodes, index: number): Opcodes => [...value, 0x72, ...u32(index)],
  get: (index: number): Opcodes => [0x6a, ...u32(index)],
  storage: (...parts: readonly Opcodes[]): Opcodes => [...pickle.tuple(pickle.text('storage'), ...parts), 0x51],
  /** A whole pickle of protocol 2. */
  program: (...opcodes: readonly Opcodes[]): Uint8Array => Uint8Array.from([0x80, 2, ...opcodes.flat(), 0x2e]),
};

/** A view for {@link tensorOpcodes}; counts are elements. */
export interface ViewSpec {
  readonly storageClass?: string;
  readonly key: string;
  readonly count: number;
  readonly offset?: number;
  readonly size: readonly number[];
  readonly stride: readonly number[];
  /** Legacy files have a sixth part in the persistent id. */
  readonly isLegacy?: boolean;
}

/** A tensor as torch.save writes it. */
export function tensorOpcodes(view: ViewSpec): Opcodes {
  const { text, int, tuple, global, call, storage, none } = pickle;
  const parts = [global('torch', view.storageClass ?? 'FloatStorage'), text(view.key), text('cpu'), int(view.count)];
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    storage(...parts, ...(view.isLegacy === true ? [none] : [])),
    int(view.offset ?? 0),
    tuple(...view.size.map(int)),
    tuple(...view.stride.map(int)),
    [0x89],
    call(global('collections', 'OrderedDict')),
  );
}

/** A member for {@link zipFile}; what is left out is written as it should be. */
export interface MemberSpec {
  readonly name: string;
  readonly data: Uint8Array;
  readonly isDeflated?: boolean;
  /** Raw field values in the directory entry, by name. */
  readonly lies?: Partial<Record<'flags' | 'method' | 'crc' | 'compressedSize' | 'size' | 'offset', number>>;
  /** Other name in the local header. */
  readonly localName?: string;
}

/** A zip archive, written field by field so that a test can make any of them wrong. */
export function zipFile(members: readonly MemberSpec[], comment = ''): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Opcodes[] = [];
  let length = 0;
  for (const { name, data, isDeflated = false, lies = {}, localName = name } of members) {
    const raw = isDeflated ? deflateRawSync(data) : data;
    const method = lies.method ?? (isDeflated ? 8 : 0);
    const sizes = [lies.crc ?? crc32(data), lies.compressedSize ?? raw.length, lies.size ?? data.length].flatMap(u32);
    const head = [...u16(20), ...u16(lies.flags ?? 0), ...u16(method), ...u32(0), ...sizes];
    const rest = [...u16(0), ...u16(0), ...u16(0), ...u16(0), ...u32(0), ...u32(lies.offset ?? length)];
    directory.push([...u32(0x02014b50), ...u16(20), ...head, ...u16(utf8(name).length), ...rest, ...utf8(name)]);
    const local = [...u32(0x04034b50), ...head, ...u16(utf8(localName).length), ...u16(0), ...utf8(localName)];
    parts.push(Uint8Array.from(local), raw);
    length += local.length + raw.length;
  }
  const entries = directory.flat();
  const counts = [...u16(0), ...u16(0), ...u16(members.length), ...u16(members.length)];
  const end = [...counts, ...u32(entries.length), ...u32(length), ...u16(utf8(comment).length), ...utf8(comment)];
  return new Uint8Array(Buffer.concat([...parts, Uint8Array.from([...entries, ...u32(0x06054b50), ...end])]));
}

/** A PyTorch zip archive around a pickle and its storages. */
export function zipCheckpoint(
  object: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  extra: readonly MemberSpec[] = [],
): Uint8Array {
  const members = Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data }));
  return zipFile([{ name: 'archive/data.pkl', data: object }, ...members, ...extra]);
}

/** A PyTorch legacy file; `storages` in the order of the key list, with their element counts. */
export function legacyCheckpoint(
  object: Uint8Array,
  storages: readonly { readonly key: string; readonly count: number | bigint; readonly data: Uint8Array }[] = [],
): Uint8Array {
  const { program, int, int80, dict, list, text } = pickle;
  const head = [
    program(int80(0x1950a86a20f9469cfc6cn)),
    program(int(1001)),
    program(dict({ protocol_version: int(1001) })),
  ];
  const keys = program(list(...storages.map(({ key }) => text(key))));
  const blocks = storages.flatMap(({ count, data }) => [Uint8Array.from(u64(count)), data]);
  return new Uint8Array(Buffer.concat([...head, object, keys, ...blocks]));
}

/** A safetensors file around a header of any text. */
export function safetensorsFile(header: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const json = new TextEncoder().encode(header);
  return new Uint8Array(Buffer.concat([Uint8Array.from(u64(json.length)), json, data]));
}

/** Float32 values as the bytes of a storage. */
export function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
