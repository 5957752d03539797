import { decodeUtf8 } from '../tensor/utf8.js';
import { ByteReader } from './byte-reader.js';
import { PickleContext, costs } from './pickle-context.js';
import { admitGlobal, construct, requireData, setItem } from './pickle-globals.js';
import { PickleStack } from './pickle-stack.js';
import type { PickleOpaque, PickleValue } from './pickle-values.js';
import { describeValue, ofKind } from './pickle-values.js';
import type { StorageRegistry } from './storage.js';
import { storageFromPersistentId } from './storage.js';

/** How a pickle is run. */
export interface PickleOptions {
  readonly fileName: string;
  /** Name of the pickle within the file, for messages. */
  readonly part: string;
  /** Where to begin in the bytes. */
  readonly start: number;
  /** `none`: plain data only. `zip`, `legacy`: tensors too, with that format's persistent ids. */
  readonly tensors: 'none' | 'zip' | 'legacy';
}

/** What a pickle built. */
export interface PickleResult {
  readonly value: PickleValue;
  /** The byte after STOP. */
  readonly end: number;
  /** Every storage that the pickle names. */
  readonly storages: StorageRegistry;
}

/** A tensor takes about 40 opcodes; the largest networks have a few thousand tensors. */
const maxOpcodes = 2_000_000;

const maxProtocol = 5;

/** Opcodes that make or call arbitrary objects, or that torch.save never writes, by their names in pickletools. */
const forbiddenOpcodes: ReadonlyMap<number, string> = new Map([
  [0x69, 'INST'],
  [0x6f, 'OBJ'],
  [0x81, 'NEWOBJ'],
  [0x92, 'NEWOBJ_EX'],
  [0x82, 'EXT1'],
  [0x83, 'EXT2'],
  [0x84, 'EXT4'],
  [0x50, 'PERSID'],
  [0x49, 'INT'],
  [0x4c, 'LONG'],
  [0x53, 'STRING'],
  [0x56, 'UNICODE'],
  [0x46, 'FLOAT'],
  [0x64, 'DICT'],
  [0x6c, 'LIST'],
  [0x70, 'PUT'],
  [0x67, 'GET'],
  [0x96, 'BYTEARRAY8'],
  [0x97, 'NEXT_BUFFER'],
  [0x98, 'READONLY_BUFFER'],
]);

/**
 * Runs one pickle on a machine that knows data and tensor views and nothing else: nothing in the file is executed, no
 * storage is read. Time and memory stay in proportion to the bytes of the pickle. Format: CPython's pickletools,
 * protocols 2 to 5.
 * @throws MAMBAIR_PICKLE_FORBIDDEN, MAMBAIR_PICKLE_MALFORMED, MAMBAIR_PICKLE_LIMIT, MAMBAIR_PTH_UNSUPPORTED,
 * MAMBAIR_STORAGE_INVALID, MAMBAIR_TENSOR_INVALID
 */
export function runPickle(bytes: Uint8Array, options: PickleOptions): PickleResult {
  return new PickleMachine(bytes, options).run();
}

class PickleMachine {
  readonly #reader: ByteReader;
  readonly #context: PickleContext;
  readonly #tensors: PickleOptions['tensors'];
  readonly #stack: PickleStack;
  readonly #storages: StorageRegistry = new Map();

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.#context = new PickleContext(options.fileName, options.part, options.start);
    this.#stack = new PickleStack(this.#context);
    this.#tensors = options.tensors;
    this.#reader = new ByteReader(bytes, options.start, (wanted, left) =>
      this.#context.malformed(`the pickle is cut short: it needs ${wanted} more bytes, ${left} are left`),
    );
  }

  run(): PickleResult {
    for (let opcodes = 0; opcodes < maxOpcodes; opcodes++) {
      this.#context.opcodeStart = this.#reader.at;
      const opcode = this.#reader.u8();
      // STOP
      if (opcode === 0x2e) {
        return { value: this.#stack.result(), end: this.#reader.at, storages: this.#storages };
      }
      this.#step(opcode);
    }
    throw this.#context.error('MAMBAIR_PICKLE_LIMIT', `a pickle may have at most ${maxOpcodes} opcodes`);
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        return this.#checkProtocol();
      case 0x95: // FRAME: how much to buffer; of no use here
        this.#reader.u64();
        return;
      case 0x28: // MARK
        return this.#stack.mark();
      case 0x30: // POP
        this.#stack.pop();
        return;
      case 0x32: // DUP
        return this.#stack.push(this.#stack.top());
      case 0x4e: // NONE
        return this.#stack.push(null);
      case 0x88: // NEWTRUE
        return this.#stack.push(true);
      case 0x89: // NEWFALSE
        return this.#stack.push(false);
      case 0x4a: // BININT
        return this.#stack.push(this.#reader.i32());
      case 0x4b: // BININT1
        return this.#stack.push(this.#reader.u8());
      case 0x4d: // BININT2
        return this.#stack.push(this.#reader.u16());
      case 0x8a: // LONG1
        return this.#pushLong(this.#reader.u8());
      case 0x8b: // LONG4
        return this.#pushLong(this.#reader.u32());
      case 0x47: // BINFLOAT
        this.#context.charge(costs.object);
        return this.#stack.push({ kind: 'float', value: this.#reader.f64BigEndian() });
      case 0x58: // BINUNICODE
        return this.#stack.push(this.#text(this.#reader.u32()));
      case 0x8c: // SHORT_BINUNICODE
        return this.#stack.push(this.#text(this.#reader.u8()));
      case 0x8d: // BINUNICODE8
        return this.#stack.push(this.#text(this.#reader.u64()));
      case 0x54: // BINSTRING: text of Python 2
        return this.#stack.push(this.#text(this.#reader.i32()));
      case 0x55: // SHORT_BINSTRING
        return this.#stack.push(this.#text(this.#reader.u8()));
      case 0x42: // BINBYTES
        return this.#skipBytes(this.#reader.u32());
      case 0x43: // SHORT_BINBYTES
        return this.#skipBytes(this.#reader.u8());
      case 0x8e: // BINBYTES8
        return this.#skipBytes(this.#reader.u64());
      default:
        return this.#stepContainer(opcode);
    }
  }

  #stepContainer(opcode: number): void {
    switch (opcode) {
      case 0x29: // EMPTY_TUPLE
        return this.#pushTuple([]);
      case 0x74: // TUPLE
        return this.#pushTuple(this.#stack.popToMark());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#pushTuple(this.#stack.popMany(opcode - 0x84));
      case 0x5d: // EMPTY_LIST
        this.#context.charge(costs.object);
        return this.#stack.push({ kind: 'list', items: [] });
      case 0x61: // APPEND
        return this.#append([this.#stack.pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#stack.popToMark());
      case 0x7d: // EMPTY_DICT
        this.#context.charge(costs.dict);
        return this.#stack.push({
          kind: 'dict',
          isOrdered: false,
          entries: new Map<string, PickleValue>(),
          otherKeys: 0,
        });
      case 0x73: // SETITEM
        return this.#setItems(this.#stack.popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#stack.popToMark());
      case 0x8f: // EMPTY_SET
        return this.#pushOpaque('set');
      case 0x90: // ADDITEMS
        return this.#addToSet(this.#stack.popToMark());
      case 0x91: // FROZENSET
        this.#stack.popToMark();
        return this.#pushOpaque('frozenset');
      case 0x71: // BINPUT
        return this.#stack.memoize(this.#reader.u8());
      case 0x72: // LONG_BINPUT
        return this.#stack.memoize(this.#reader.u32());
      case 0x94: // MEMOIZE
        return this.#stack.memoize();
      case 0x68: // BINGET
        return this.#stack.recall(this.#reader.u8());
      case 0x6a: // LONG_BINGET
        return this.#stack.recall(this.#reader.u32());
      default:
        return this.#stepObject(opcode);
    }
  }

  #stepObject(opcode: number): void {
    switch (opcode) {
      case 0x63: // GLOBAL
        return this.#pushGlobal(this.#line(), this.#line());
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#stack.popMany(2);
        return this.#pushGlobal(module, name);
      }
      case 0x52: {
        // REDUCE
        const [callable, args] = this.#stack.popMany(2);
        return this.#stack.push(construct(callable ?? null, args ?? null, this.#context));
      }
      case 0x62: // BUILD
        return this.#build();
      case 0x51: // BINPERSID
        return this.#pushStorage();
      default: {
        const name = forbiddenOpcodes.get(opcode);
        throw name === undefined
          ? this.#context.malformed(`0x${opcode.toString(16).padStart(2, '0')} is no opcode`)
          : this.#context.forbidden(`opcode ${name} is not allowed in a checkpoint; nothing was run`);
      }
    }
  }

  #checkProtocol(): void {
    const protocol = this.#reader.u8();
    if (protocol > maxProtocol) {
      throw this.#context.malformed(`pickle protocol ${protocol} is not known; 2 to ${maxProtocol} are`);
    }
  }

  /** Two's complement, little-endian. An integer beyond 2^53 counts nothing in a checkpoint; its value is dropped. */
  #pushLong(length: number): void {
    if (length > 255) {
      throw this.#context.malformed(`an integer of ${length} bytes; at most 255 are accepted`);
    }
    const bytes = this.#reader.take(length);
    // Starting from the sign, each step is exact as long as the result is.
    const sign = (bytes.at(-1) ?? 0) < 0x80 ? 0 : -1;
    const value = bytes.reduceRight((sum, byte) => sum * 256 + byte, sign);
    if (Number.isSafeInteger(value)) {
      this.#stack.push(value);
    } else {
      this.#pushOpaque('int');
    }
  }

  #text(length: number): string {
    if (length < 0) {
      throw this.#context.malformed(`a text of length ${length}`);
    }
    const text = decodeUtf8(this.#reader.take(length));
    if (text === undefined) {
      throw this.#context.malformed('a text is not UTF-8');
    }
    this.#context.charge(costs.object + length);
    return text;
  }

  #skipBytes(length: number): void {
    this.#reader.take(length);
    this.#pushOpaque('bytes');
  }

  #pushOpaque(name: PickleOpaque['name']): void {
    this.#context.charge(costs.object);
    this.#stack.push({ kind: 'opaque', name });
  }

  #line(): string {
    const text = decodeUtf8(this.#reader.line());
    if (text === undefined) {
      throw this.#context.malformed('a global has a name that is not UTF-8');
    }
    return text;
  }

  #pushTuple(items: readonly PickleValue[]): void {
    this.#context.charge(costs.object + items.length * costs.item);
    this.#stack.push({ kind: 'tuple', items });
  }

  #append(values: readonly PickleValue[]): void {
    const list = ofKind(this.#stack.top(), 'list');
    if (list === undefined) {
      throw this.#context.malformed(`cannot append to ${describeValue(this.#stack.top())}`);
    }
    this.#context.charge(values.length * costs.item + (list.items.length === 0 ? costs.array : 0));
    for (const value of values) {
      list.items.push(requireData(value, this.#context));
    }
  }

  #setItems(values: readonly PickleValue[]): void {
    const dict = ofKind(this.#stack.top(), 'dict');
    if (dict === undefined || values.length % 2 !== 0) {
      throw this.#context.malformed(
        `cannot set ${values.length} keys and values in ${describeValue(this.#stack.top())}`,
      );
    }
    for (let i = 0; i + 1 < values.length; i += 2) {
      setItem(dict, [values[i] ?? null, values[i + 1] ?? null], this.#context);
    }
  }

  #addToSet(values: readonly PickleValue[]): void {
    if (ofKind(this.#stack.top(), 'opaque')?.name !== 'set') {
      throw this.#context.malformed(`cannot add ${values.length} values to ${describeValue(this.#stack.top())}`);
    }
  }

  #pushGlobal(module: PickleValue | undefined, name: PickleValue | undefined): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.#context.malformed('the module and the name of a global should be text');
    }
    if (this.#tensors === 'none') {
      throw this.#context.forbidden('a global stands where PyTorch writes plain data only; nothing was run');
    }
    this.#stack.push(admitGlobal(module, name, this.#context));
  }

  /** State for an object: OrderedDicts carry a `_metadata` attribute that says nothing about tensors. */
  #build(): void {
    this.#stack.pop();
    if (ofKind(this.#stack.top(), 'dict')?.isOrdered !== true) {
      throw this.#context.forbidden(
        `the file sets the state of ${describeValue(this.#stack.top())}; only an OrderedDict may`,
      );
    }
  }

  #pushStorage(): void {
    const id = this.#stack.pop();
    if (this.#tensors === 'none') {
      throw this.#context.forbidden('a storage stands where PyTorch writes plain data only');
    }
    const hasView = this.#tensors === 'legacy';
    this.#stack.push(storageFromPersistentId(id, { registry: this.#storages, hasView, context: this.#context }));
  }
}
