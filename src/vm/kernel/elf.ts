/**
 * As much of ELF as an initrd is put together by: which libraries a program needs, and what a kernel module says of itself.
 * Layouts: System V ABI, chapters 4 and 5; Linux, include/uapi/linux/elf.h. Left out: 64-bit and big-endian files, which
 * are recognised and refused.
 */
import { err, ok, type Result } from '../../base/result.ts';

/** `e_ident`: magic, class, byte order; then from byte 18 the machine. */
const IDENT = { magic: 0x464c457f, classAt: 4, dataAt: 5, machineAt: 18 } as const;
const CLASS_32 = 1;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const EM_386 = 3;

/** Where the fields of an ELF32 header, program header, section header and dynamic entry stand. */
const HEADER = { phoff: 28, shoff: 32, phentsize: 42, phnum: 44, shentsize: 46, shnum: 48, shstrndx: 50 } as const;
const SEGMENT = { type: 0, offset: 4, vaddr: 8, filesz: 16 } as const;
const SECTION = { name: 0, offset: 16, size: 20 } as const;
const ENTRY = { size: 8, tag: 0, value: 4 } as const;
const PT = { load: 1, dynamic: 2, interp: 3 } as const;
const DT = { null: 0, needed: 1, strtab: 5 } as const;

/** Whether these bytes begin like an ELF file, and how wide its words are. */
export function elfBits(bytes: Uint8Array): 32 | 64 | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.length < IDENT.machineAt + 2 || file.readUInt32LE(0) !== IDENT.magic) return undefined;
  const found = file[IDENT.classAt];
  return found === CLASS_32 ? 32 : found === CLASS_64 ? 64 : undefined;
}

/**
 * The names of the shared libraries that a program or library asks for (DT_NEEDED), and of its dynamic linker (PT_INTERP),
 * without folders. None for a static program. Errors: no 32-bit x86 ELF file, or a broken one.
 */
export function neededLibraries(bytes: Uint8Array): Result<readonly string[], string> {
  return reading(bytes, (file) => {
    const segments = segmentsOf(file);
    const interp = segments.find(({ type }) => type === PT.interp);
    const names = interp === undefined ? [] : [textAt(file, interp.offset).replace(/^.*\//, '')];
    const dynamic = segments.find(({ type }) => type === PT.dynamic);
    return dynamic === undefined ? names : [...names, ...neededIn(file, dynamic, segments)];
  });
}

/**
 * What a kernel module says of itself in its section .modinfo: `depends`, `vermagic`, `name` and more, each `KEY=VALUE` (Linux,
 * include/linux/module.h, MODULE_INFO). Of keys that stand there many times the last. Errors: as above, or no such section.
 */
export function moduleInfo(bytes: Uint8Array): Result<ReadonlyMap<string, string>, string> {
  const found = reading(bytes, (file) => sectionNamed(file, '.modinfo'));
  if (!found.ok) return found;
  if (found.value === undefined) return err('is no kernel module (it has no section .modinfo)');
  const texts = Buffer.from(found.value).toString('latin1').split('\0');
  return ok(
    new Map(
      texts.filter((text) => text.includes('=')).map((text) => [text.replace(/=.*/s, ''), text.replace(/^[^=]*=/, '')]),
    ),
  );
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly vaddr: number;
  readonly filesz: number;
}

/** A read outside the file throws a RangeError in Node: whatever offset led there, the file is broken. */
function reading<T>(bytes: Uint8Array, read: (file: Buffer) => T): Result<T, string> {
  const bits = elfBits(bytes);
  if (bits === undefined) return err('is no ELF file');
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bits === 64) return err('is a 64-bit ELF file: the machine has 32 bits');
  if (file[IDENT.dataAt] !== LITTLE_ENDIAN || file.readUInt16LE(IDENT.machineAt) !== EM_386)
    return err('is an ELF file of another processor than i386');
  try {
    return ok(read(file));
  } catch (error) {
    if (error instanceof RangeError) return err('is a broken ELF file: it points outside itself');
    throw error;
  }
}

function segmentsOf(file: Buffer): readonly Segment[] {
  const [at, size] = [file.readUInt32LE(HEADER.phoff), file.readUInt16LE(HEADER.phentsize)];
  return Array.from({ length: file.readUInt16LE(HEADER.phnum) }, (_, index) => {
    const word = (field: number): number => file.readUInt32LE(at + index * size + field);
    const { type, offset, vaddr, filesz } = SEGMENT;
    return { type: word(type), offset: word(offset), vaddr: word(vaddr), filesz: word(filesz) };
  });
}

function neededIn(file: Buffer, dynamic: Segment, segments: readonly Segment[]): readonly string[] {
  const names: number[] = [];
  let strings = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.filesz; at += ENTRY.size) {
    const [tag, value] = [file.readUInt32LE(at + ENTRY.tag), file.readUInt32LE(at + ENTRY.value)];
    if (tag === DT.null) break;
    if (tag === DT.needed) names.push(value);
    if (tag === DT.strtab) strings = fileOffset(value, segments);
  }
  return names.map((name) => textAt(file, strings + name));
}

/** Of an address: DT_STRTAB is one, where the file has its bytes the PT_LOAD segments say. */
function fileOffset(address: number, segments: readonly Segment[]): number {
  const holder = segments.find(
    ({ type, vaddr, filesz }) => type === PT.load && address >= vaddr && address < vaddr + filesz,
  );
  if (holder === undefined) throw new RangeError('no segment holds the address');
  return address - holder.vaddr + holder.offset;
}

function sectionNamed(file: Buffer, wanted: string): Uint8Array | undefined {
  const [at, size] = [file.readUInt32LE(HEADER.shoff), file.readUInt16LE(HEADER.shentsize)];
  const word = (index: number, field: number): number => file.readUInt32LE(at + index * size + field);
  const names = word(file.readUInt16LE(HEADER.shstrndx), SECTION.offset);
  for (let index = 0; index < file.readUInt16LE(HEADER.shnum); index++) {
    if (textAt(file, names + word(index, SECTION.name)) !== wanted) continue;
    const [start, length] = [word(index, SECTION.offset), word(index, SECTION.size)];
    if (start + length > file.length) throw new RangeError('the section ends outside the file');
    return file.subarray(start, start + length);
  }
  return undefined;
}

function textAt(file: Buffer, at: number): string {
  const end = file.indexOf(0, at);
  if (at >= file.length || end === -1) throw new RangeError('the text ends outside the file');
  return file.toString('latin1', at, end);
}
