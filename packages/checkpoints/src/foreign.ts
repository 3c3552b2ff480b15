/**
 * What a file is that is no checkpoint. Downloads often give something else under the right name: a pointer, a web page, the
 * answer of a server; and formats that are not read deserve their name rather than their first bytes.
 */
import { printable, quoted } from '@meanflow/core/validation';
import type { RandomAccess } from '@meanflow/formats';

/** How much of a file is looked at. */
const LOOKED_AT = 4096;
/** How much of a text is shown. */
const SHOWN = 120;

/** Formats by how they begin. */
const signatures: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0x1f, 0x8b], 'is compressed with gzip: unpack it (gunzip, or tar -xzf), and give what is in it'],
  [[0x42, 0x5a, 0x68], 'is compressed with bzip2: unpack it (bunzip2, or tar -xjf), and give what is in it'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'is compressed with xz: unpack it (unxz, or tar -xJf), and give what is in it'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed with zstd: unpack it (unzstd), and give what is in it'],
  [[0x37, 0x7a, 0xbc, 0xaf], 'is a 7z archive: unpack it, and give what is in it'],
  [[0x52, 0x61, 0x72, 0x21], 'is a RAR archive: unpack it, and give what is in it'],
  [[0x89, 0x48, 0x44, 0x46], 'is an HDF5 file, such as Keras writes, which is not read'],
  [[0x47, 0x47, 0x55, 0x46], 'is a GGUF file, which is not read'],
  [[0x89, 0x50, 0x4e, 0x47], 'is a PNG picture'],
  [[0xff, 0xd8, 0xff], 'is a JPEG picture'],
  [[0x25, 0x50, 0x44, 0x46], 'is a PDF document'],
  [[0x7f, 0x45, 0x4c, 0x46], 'is a program (ELF)'],
]; // prettier-ignore

/** The number that a table of TensorFlow's checkpoints (`.index`) ends with. */
const TABLE_END = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
/** Where a tar archive says that it is one. */
const TAR_PLACE = 257;

/** What a file is, as the end of a sentence that begins with its name; undefined where that is not known either. */
export async function describeForeign(access: RandomAccess): Promise<string | undefined> {
  const { size } = access;
  if (size === 0) return 'is empty: its download may have failed';
  const head = await access.read(0, Math.min(size, LOOKED_AT));
  const begins = (bytes: readonly number[], at = 0): boolean =>
    bytes.every((byte, i) => head[at + i] === byte);
  const signature = signatures.find(([bytes]) => begins(bytes));
  if (signature !== undefined) return signature[1];
  if (begins([0x75, 0x73, 0x74, 0x61, 0x72], TAR_PLACE))
    return 'is a tar archive: unpack it, and give what is in it';
  if (size >= TABLE_END.length) {
    const tail = await access.read(size - TABLE_END.length, TABLE_END.length);
    if (TABLE_END.every((byte, i) => tail[i] === byte))
      return 'is the index of a checkpoint of TensorFlow, which is not read';
  }
  if (head.every((byte) => byte === 0))
    return 'holds zeros where its format should stand: its download may have failed';
  // An ONNX model: field 1, its version of the format, and field 2, who wrote it.
  if (begins([0x08]) && head[2] === 0x12 && /^[ -~]+$/.test(textOf(head.subarray(4, 4 + (head[3]! & 0x0f)))))
    return 'may be an ONNX model, which is not read';
  const text = readableText(head, size);
  return text === undefined ? undefined : describeText(text);
}

function describeText(text: string): string {
  if (/^version https:\/\/git-lfs\.github\.com\/spec\//.test(text)) {
    const bytes = /^size (\d+)$/m.exec(text)?.[1];
    return `is a Git LFS pointer${bytes === undefined ? '' : ` to ${bytes} bytes`}, not the file itself: fetch that with "git lfs pull", or download it`;
  }
  const begin = text.slice(0, 1000);
  if (/^\s*(<!--[\s\S]*?-->\s*)*(<\?xml[^>]*>\s*)?<(!doctype\s+html|html|head|body)\b/i.test(begin)) {
    const title = /<title[^>]*>\s*([^<]*?)\s*</i.exec(text)?.[1];
    return `is a web page${title === undefined || title === '' ? '' : ` (${quoted(title, SHOWN)})`}, not a checkpoint: the download gave a page instead of the file`;
  }
  if (/^\s*<(\?xml|[A-Za-z])/.test(begin))
    return `is XML, not a checkpoint, perhaps the answer of a server: ${shown(text)}`;
  if (/^\s*[{[]/.test(begin))
    return `is JSON, not a checkpoint, perhaps the answer of a server: ${shown(text)}`;
  if (/^model_checkpoint_path:/.test(begin))
    return 'belongs to a checkpoint of TensorFlow, which is not read';
  return `is text, not a checkpoint: ${shown(text)}`;
}

function shown(text: string): string {
  return printable(text.trim().replaceAll(/\s+/g, ' '), SHOWN);
}

/** The text at the beginning of a file; undefined where it is none. */
function readableText(head: Uint8Array, size: number): string | undefined {
  const text = textOf(head);
  // The last character may be cut.
  const complete = head.length < size ? text.replace(/\ufffd$/, '') : text;
  return /[\ufffd\p{Cc}]/u.test(complete.replaceAll(/[\t\n\r\f]/g, '')) ? undefined : complete;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
