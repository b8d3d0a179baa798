/** Node's WebAssembly, as far as it is used: TypeScript has its types among those of browsers only. */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export interface WasmTable {
  set(index: number, value: unknown): void;
}

export interface WasmGlobal {
  value: number;
}

type Imports = Readonly<Record<string, unknown>>;
type Instance = { readonly exports: Readonly<Record<string, unknown>> };

interface Wasm {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: Imports) => Instance;
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<object>;
}

export const wasm: Wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;
