/** Pickles that want to run something, lie, or are damaged: what they would run is named and passed over, the rest is an error that says what. */
import { DataError } from '@meanflow/core';
import { bytesAccess, readTensor } from '@meanflow/formats';
import { openCheckpointFile } from '../src/index.js';
import { bytesOf, call, little, op, pickle, storage, tensor, torchFile, zip } from './support/build.js';

const open = (bytes: Uint8Array) => openCheckpointFile(bytesAccess(bytes, 'The file'));

async function refused(bytes: Uint8Array, message: RegExp): Promise<void> {
  const error: unknown = await open(bytes).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  expect((error as DataError).message).toMatch(message);
}

/** `_rebuild_from_type_v2(_rebuild_from_type_v2, Tensor, (_rebuild_from_type_v2, …), None)`, so many deep. */
function rebuiltByItself(depth: number): Uint8Array {
  const function_ = bytesOf(op.global('torch._tensor', '_rebuild_from_type_v2'), 'q', 0, '0');
  const type = bytesOf(op.global('torch', 'Tensor'), 'q', 1, '0');
  const begin = bytesOf('(h', 0, 'h', 1);
  const end = bytesOf('Nt');
  const repeated = (part: Uint8Array) =>
    Uint8Array.from({ length: depth * part.length }, (_, i) => part[i % part.length]);
  return bytesOf(function_, type, 'h', 0, repeated(begin), ')', repeated(end), 'R');
}

test('the builders make what can be read', async () => {
  const { tensors } = await open(torchFile(pickle(tensor([2, 2], [1, 2]))));
  expect([...(await readTensor(tensors[0])).data]).toEqual([1, 3, 2, 4]);
});

describe('a pickle that calls something: it is named, nothing of it is run, and the weights beside it are read', () => {
  test.each<[string, Uint8Array, string]>([
    ['os.system', call('os', 'system', 'touch /tmp/x'), 'os.system'],
    ['posix.system, as os.system is pickled', call('posix', 'system', 'id'), 'posix.system'],
    ['eval', call('builtins', 'eval', '1+1'), 'builtins.eval'],
    ['exec of Python 2', call('__builtin__', 'exec', 'x'), '__builtin__.exec'],
    ['getattr', call('builtins', 'getattr', 'x', 'y'), 'builtins.getattr'],
    ['__import__', call('builtins', '__import__', 'os'), 'builtins.__import__'],
    ['subprocess', bytesOf(op.global('subprocess', 'Popen'), op.tuple(op.text('id')), 0x81), 'subprocess.Popen'],
    ['a class of a user', bytesOf(op.global('__main__', 'Model'), ')', 0x81), '__main__.Model'],
    ['a module of PyTorch', bytesOf(op.global('torch.nn.modules.linear', 'Linear'), ')', 0x81), 'torch.nn.modules.linear.Linear'],
    ['a nested load', call('torch.storage', '_load_from_bytes', 'x'), 'torch.storage._load_from_bytes'],
    ['a name of the prototype', call('torch', 'constructor', 'x'), 'torch.constructor'],
    ['a module of the prototype', call('__proto__', 'toString', 'x'), '__proto__.toString'],
    ['by STACK_GLOBAL', bytesOf(op.text('os'), op.text('system'), 0x93, op.tuple(op.text('id')), 'R'), 'os.system'],
    ['by INST', bytesOf('(', op.text('id'), 'ios\nsystem\n'), 'os.system'],
    ['by OBJ', bytesOf('(', op.global('os', 'system'), op.text('id'), 'o'), 'os.system'],
    ['by NEWOBJ_EX', bytesOf(op.global('os', 'system'), ')}', 0x92), 'os.system'],
    ['by NEWOBJ_EX with named arguments', bytesOf(op.global('collections', 'OrderedDict'), ')}', op.text('a'), op.int(1), 's', 0x92), 'collections.OrderedDict'],
    ['a type that only names', call('builtins', 'int', '3'), 'builtins.int'],
    ['a storage type', call('torch', 'FloatStorage', '3'), 'torch.FloatStorage'],
    ['what an unknown call gave', bytesOf(call('builtins', 'getattr', 'x'), op.tuple(op.text('x')), 'R'), 'builtins.getattr'],
    ['a class that is only named', op.global('__main__', 'Model'), '__main__.Model'],
    ['a persistent id that is no storage', bytesOf(op.tuple(op.text('thing'), op.int(1)), 'Q'), 'an object that lies beside the pickle'],
    ['bytes by another codec', call('_codecs', 'encode', 'x', 'rot13'), '_codecs.encode'],
    ['a tensor that is rebuilt by its own rebuilding', rebuiltByItself(20_000), 'a tensor that is rebuilt by torch._tensor._rebuild_from_type_v2'],
    ['a device without end', bytesOf(op.global('torch', 'device'), op.tuple(bytesOf(']'), op.int(1)), 'R'), 'torch.device'],
    ['a tensor of another type', bytesOf(op.global('torch._tensor', '_rebuild_from_type_v2'), op.tuple(op.global('torch', 'device'), op.global('torch', 'Size'), op.tuple(), bytesOf('}')), 'R'), 'a tensor of the type torch.Size'],
    ['a storage of complex numbers', tensor([2], [1], { type: 'ComplexFloatStorage' }), 'a tensor of torch.ComplexFloatStorage'],
  ])('%s', async (_, object, what) => {
    const root = pickle('}(', op.text('weights'), tensor([2, 2], [1, 2]), op.text('beside'), object, 'u');
    const { tensors, values, passedOver } = await open(torchFile(root));
    expect(passedOver).toEqual([{ name: 'beside', what }]);
    expect(values).toEqual([]);
    expect(tensors.map(({ name }) => name)).toEqual(['weights']);
    expect([...(await readTensor(tensors[0])).data]).toEqual([1, 3, 2, 4]);
  }); // prettier-ignore

  test.each<[string, Uint8Array, RegExp]>([
    ['what a call gave', pickle(call('torch', 'device', 'cpu'), op.tuple(op.text('x')), 'R'), /calls something that is no global; nothing of it was run/],
    ['a text', pickle(op.text('os.system'), op.tuple(), 'R'), /calls something that is no global/],
    ['the state of a class', pickle(op.global('torch', 'Tensor'), '}b'), /sets the state of something that has none/],
    ['an extension', pickle(0x82, 1), /opcode 0x82/],
    ['a persistent id as text', pickle('Pos.system\n'), /opcode 0x50/],
  ])('%s is an error: no Python writes it', (_, root, message) => refused(torchFile(root), message)); // prettier-ignore
});

describe('an object of an unknown class', () => {
  const inside = async (...parts: readonly (number | string | Uint8Array)[]) => {
    const { tensors, values, passedOver } = await open(
      torchFile(pickle('}', op.text('model'), ...parts, 's')),
    );
    return { tensors: tensors.map(({ name }) => name), values, passedOver };
  };
  const object = bytesOf(op.global('app', 'Net'), ')', 0x81);
  const named = (key: string, value: Uint8Array) => bytesOf('}', op.text(key), value, 's');
  const passedOver = [{ name: 'model', what: 'app.Net' }];

  test('gives its weights by their attributes, and nothing else that is in it', async () => {
    const state = bytesOf('}(', op.text('w'), tensor([4], [1]), op.text('step'), op.int(3), 'u');
    expect(await inside(object, state, 'b')).toEqual({ tensors: ['model/w'], values: [], passedOver });
  });

  test('gives those in slots, items, elements and arguments', async () => {
    expect((await inside(object, bytesOf('N', named('w', tensor([4], [1])), 0x86), 'b')).tensors).toEqual(['model/w']);
    expect((await inside(object, op.text('w'), tensor([4], [1]), 's')).tensors).toEqual(['model/w']);
    expect((await inside(object, tensor([4], [1]), 'a')).tensors).toEqual(['model/0']);
    const called = bytesOf(op.global('app', 'Net'), op.tuple(tensor([4], [1])), 'R');
    expect((await inside(called)).tensors).toEqual(['model/0']);
  }); // prettier-ignore

  test('may hold itself, and others that hold it, without end', async () => {
    const parent = bytesOf(op.global('app', 'Other'), ')', 0x81, named('child', bytesOf('h', 0)), 'b');
    const state = bytesOf(
      '}(',
      op.text('self'),
      'h',
      0,
      op.text('parent'),
      parent,
      op.text('w'),
      tensor([4], [1]),
      'u',
    );
    expect(await inside(object, 'q', 0, state, 'b')).toEqual({
      tensors: ['model/w'],
      values: [],
      passedOver,
    });
  });

  test('that is nested deeper than anything is left there', async () => {
    const deep = bytesOf(
      ...Array.from({ length: 5000 }, () => object),
      ...Array.from({ length: 4999 }, () => 'a'),
    );
    expect(await inside(deep)).toEqual({ tensors: [], values: [], passedOver });
  });

  test('again and again costs what it takes to write it', async () => {
    // One large state for many objects: it is not copied.
    const state = bytesOf('}(', ...Array.from({ length: 1000 }, (_, i) => bytesOf(op.int(i), 'N')), 'u');
    const many = Array.from({ length: 800 }, () => bytesOf('h', 1, ')', 0x81, 'h', 2, 'b'));
    const root = bytesOf('(', op.global('app', 'Net'), 'q', 1, state, 'q', 2, ...many, 't');
    const { passedOver: found } = await inside(root);
    expect(found).toHaveLength(802);
    expect(found?.filter(({ what }) => what === 'more in objects than is looked at')).toHaveLength(1);
  });
});

describe('a pickle that is damaged', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /1 bytes are asked for where 0 are left/],
    ['without an end', bytesOf(0x80, 2, '}'), /1 bytes are asked for where 0 are left/],
    ['of protocol 0', bytesOf('(lp0\n.'), /does not begin with a protocol number/],
    ['of protocol 6', bytesOf(0x80, 6, '}.'), /protocol is 6, expected 2 to 5/],
    ['with an unknown opcode', pickle(0xff), /opcode 0xff/],
    ['with a text longer than it', pickle('X', little(0xffffffff, 4)), /4294967295 bytes are asked for/],
    ['with a text of 2⁶⁴ bytes', pickle(0x8d, little(2n ** 64n - 1n, 8)), /bytes are asked for/],
    ['with bytes longer than it', pickle('B', little(0x7fffffff, 4)), /2147483647 bytes are asked for/],
    ['with a text of negative length', pickle('T', little(0xffffffff, 4)), /-1 bytes are asked for/],
    ['with an integer of a gigabyte', pickle(0x8b, little(2 ** 30, 4)), /integer has 1073741824 bytes/],
    ['with a frame beyond its end', pickle(0x95, little(1000, 8), '}'), /1000 bytes are asked for/],
    ['with text that is not UTF-8', pickle('X', little(1, 4), 0xff), /not UTF-8/],
    ['with an empty stack', pickle('a'), /stack is empty/],
    ['with a mark too few', pickle('t'), /mark is missing/],
    ['with a memo that is not there', pickle('h', 3), /no entry 3 in its memo/],
    ['that appends to a dictionary', pickle('}', op.int(1), 'a'), /appended to what is no list/],
    ['that sets items of a list', pickle(']', op.int(1), op.int(2), 's'), /no dictionary/],
  ])('%s', (_, root, message) => refused(torchFile(root), message)); // prettier-ignore

  test('nested without end: a list that holds itself', () =>
    refused(torchFile(pickle(']q', 0, 'h', 0, 'a')), /nested more than 100 deep/));

  test('nested deeply', () =>
    refused(
      torchFile(pickle(']'.repeat(50_000), 'a'.repeat(49_999))),
      /nested more than 100 deep/,
    )); // prettier-ignore

  test('a few bytes that describe 2⁶⁰ values', () => {
    // Each list holds the one before it twice.
    const doubled = Array.from({ length: 60 }, (_, i) => bytesOf(']q', i + 1, '(h', i, 'h', i, 'e'));
    return refused(torchFile(pickle(']q', 0, ...doubled)), /more than 500000 values/);
  });

  test('a few bytes whose key is 2⁶⁰ tuples', () => {
    const doubled = Array.from({ length: 60 }, (_, i) => bytesOf('h', i, 'h', i, 0x86, 'q', i + 1));
    const file = torchFile(pickle(')q', 0, ...doubled, 'q', 99, '}h', 99, tensor([4], [1]), 's'));
    return expect(open(file)).resolves.toMatchObject({ tensors: [{ name: '(object, object)' }] });
  });

  test.each<[string, string, Uint8Array]>([
    // Each makes something large of what a few bytes name again.
    ['a list that is copied', 'builtins\nlist', bytesOf(op.tuple(...Array.from({ length: 5000 }, () => bytesOf('N'))), 0x85)],
    ['a text that is encoded', '_codecs\nencode', bytesOf(op.tuple(op.text('x'.repeat(5000)), op.text('latin1')))],
    ['a text that becomes a path', 'pathlib\nPosixPath', bytesOf(op.tuple(op.text('x'.repeat(5000))))],
    ['a dictionary that is copied', 'collections\nOrderedDict', bytesOf('}(', ...Array.from({ length: 5000 }, (_, i) => bytesOf(op.int(i), 'N')), 'u', 0x85)],
  ])('%s again and again', (_, name, args) => {
    const calls = bytesOf('h', 1, 'h', 2, 'R').toString().split(',').map(Number);
    const many = Uint8Array.from({ length: 2000 * calls.length }, (__, i) => calls[i % calls.length]);
    return refused(
      torchFile(pickle('c', name, '\nq', 1, args, 'q', 2, many)),
      /makes far more than it holds/,
    );
  }); // prettier-ignore

  test('a path that doubles itself', () => {
    const doubled = Array.from({ length: 40 }, (_, i) => bytesOf('h', 0, 'h', i + 1, 'h', i + 1, 0x86, 'Rq', i + 2));
    const first = bytesOf(op.global('pathlib', 'PosixPath'), 'q', 0, op.text('x'), 'q', 1);
    return refused(torchFile(pickle(first, ...doubled)), /makes far more than it holds/);
  }); // prettier-ignore

  test('a key that stands in the names of many', () => {
    const many = bytesOf(']q', 0, '(', ...Array.from({ length: 20 }, () => tensor([4], [1])), 'e');
    const root = pickle('}', op.text('k'.repeat(5000)), many, 's');
    return refused(torchFile(root), /a tensor whose name has 5002 characters/);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['containers', pickle('}'.repeat(1 << 20), '}'), /more than 1048576 containers/],
    ['marks', pickle('('.repeat(1 << 20), '('), /more than 1048576 marks/],
    ['entries of its memo', pickle('N', new Uint8Array((1 << 21) + 1).fill(0x94)), /memo has more than 2097152 entries/],
    ['operations', pickle(new Uint8Array((1 << 23) + 1).fill(0x4e)), /more than 8388608 operations/],
  ])('a flood of %s', (_, root, message) => refused(torchFile(root), message)); // prettier-ignore

  test('a long text of Python 2 is read at once', async () => {
    const text = new Uint8Array(1 << 20).fill(0xe9);
    const { values } = await open(torchFile(pickle('T', little(text.length, 4), text)));
    expect(values).toEqual([{ name: 'data', value: 'é'.repeat(1 << 20) }]);
  });

  test('a history of numbers is one value', async () => {
    const numbers = Array.from({ length: 1001 }, (_, i) => op.int(i));
    const { values } = await open(torchFile(pickle(']q', 0, '(', ...numbers, 'e')));
    expect(values).toEqual([{ name: 'data', value: 'a list of 1001 numbers' }]);
  });

  test('a memo entry of a huge number takes no memory', async () => {
    const { tensors } = await open(torchFile(pickle(tensor([4], [1]), 'r', little(0xffffffff, 4))));
    expect(tensors).toHaveLength(1);
  });
});

describe('a tensor that lies', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['beyond its storage', tensor([5], [1]), /ends at element 5 of storage "0", which has 4/],
    ['beyond it by its strides', tensor([2, 2], [3, 1]), /ends at element 5/],
    ['beyond it by its offset', tensor([2], [1], { offset: 3 }), /ends at element 5/],
    ['with a negative offset', tensor([2], [1], { offset: -1 }), /wrong strides or offset/],
    ['with a negative stride', tensor([2], [-1]), /wrong strides or offset/],
    ['with a stride too few', tensor([2, 2], [1]), /wrong strides or offset/],
    ['of negative size', tensor([-1], [1]), /has the shape \[-1\]/],
    ['of 2⁵² numbers', tensor([2 ** 26, 2 ** 26], [0, 0]), /has the shape/],
    ['that repeats one number 2⁴⁰ times', tensor([2 ** 20, 2 ** 20], [0, 0]), /repeats the 4 elements/],
    ['of a storage that is not there', tensor([2], [1], { key: '7' }), /lacks the storage "7"/],
    ['of a storage with a path', tensor([2], [1], { key: '../0' }), /lacks the storage "\.\.\/0"/],
    ['of a storage that says it is longer', tensor([2], [1], { count: 400 }), /has 16 bytes, its pickle says 1600/],
    ['of a negative storage', tensor([2], [1], { count: -4 }), /no storage/],
  ])('%s', (_, root, message) => refused(torchFile(pickle(root)), message)); // prettier-ignore

  test('in a storage that is compressed, which PyTorch never does', async () => {
    const file = torchFile(pickle(tensor([4], [1])), [storage({ deflate: true })]);
    const { tensors } = await open(file);
    await expect(readTensor(tensors[0])).rejects.toThrow(/is compressed; it should be stored/);
  });
});

describe('what looks like PyTorch and is not', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['a zip of a checkpoint', zip([{ name: 'a/last.ckpt', content: bytesOf('x') }]), /holds "a\/last\.ckpt": unzip it/],
    ['a program', torchFile(pickle('}'), [{ name: 'model/constants.pkl', content: pickle(')') }]), /TorchScript/],
    ['big-endian', torchFile(pickle('}'), [{ name: 'model/byteorder', content: bytesOf('big') }]), /"big"-endian/],
    ['an archive that was not finished', zip([{ name: 'model/byteorder', content: bytesOf('little') }]), /an unfinished archive of PyTorch: it lacks data\.pkl/],
    ['a bare pickle', pickle(call('os', 'system', 'id')), /bare pickle, which may run anything and is not read/],
    ['a zip of something else', zip([{ name: 'readme.txt', content: bytesOf('hello') }]), /something else than a checkpoint/],
    ['a zip of a folder', zip([{ name: 'a/manifest.ocdbt', content: bytesOf('x') }]), /unzip it, and give the folder/],
  ])('%s', (_, file, message) => refused(file, message)); // prettier-ignore
});
