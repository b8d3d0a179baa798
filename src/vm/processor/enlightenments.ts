/**
 * The hypervisor as the processor sees it: CPUID leaves, synthetic registers, the hypercall page and the two hypercalls
 * that VMBus needs.
 * Source: TLFS 6.0b, chapters 2, 3, 11 and 12; drivers/hv/hv.c for how Linux calls.
 * What this leaves out: what its CPUID does not offer; a guest that uses it all the same gets the TLFS's refusal, or
 * reads the register back as it was written.
 */
import type { Nanoseconds } from '../../base/time.ts';
import type { Bus } from '../../bus/bus.ts';
import { isMalformed } from '../../wire/message.ts';
import { decodePostMessage, HV_STATUS, MESSAGE_SLOT_SIZE, signalEventInput } from '../../wire/synic.ts';
import { hypervisorLeaf } from './cpuid.ts';
import type { InstructionTraps, Processor } from './processor.ts';
import type { SynicPages } from './synic-pages.ts';
import {
  CRASH_NOTIFY,
  HYPERCALL,
  HYPERCALL_CONTROL,
  HYPERVISOR_PRESENT,
  MSR,
  MSR_RANGE,
  PAGE_ENABLE,
  SINT,
} from './tlfs.ts';

/** Where in v86's register file each register is; the order of the instruction set. */
const REGISTER = { eax: 0, ecx: 1, edx: 2, ebx: 3 } as const;
/** The port that the hypercall page writes to. No PC has anything there that an OS uses. Invented. */
const HYPERCALL_PORT = 0xea;
/** `out 0xea, eax; ret`. Intel SDM volume 2. */
const HYPERCALL_CODE = Uint8Array.of(0xe7, HYPERCALL_PORT, 0xc3);
/** HV_SYNIC_VERSION_1. */
const SYNIC_VERSION = 1n;
/** The TSC counts nanoseconds (see processor.ts), and so does v86's APIC (src/rust/cpu/apic.rs, APIC_TIMER_FREQ). */
const FREQUENCY = 1_000_000_000n;
const PAGE_SHIFT = 12n;
const REFERENCE_TICK: Nanoseconds = 100;

/** What a guest says of itself when it panics (hyperv_report_panic() in drivers/hv/hv_common.c). */
export interface CrashReport {
  readonly parameters: readonly bigint[];
}

export interface EnlightenmentRecord {
  readonly msrs: ReadonlyMap<number, bigint>;
  readonly crash: CrashReport | undefined;
}

export class Enlightenments implements InstructionTraps {
  crash: CrashReport | undefined;
  private readonly processor: Processor;
  private readonly bus: Bus;
  private readonly pages: SynicPages;
  /** Called before anything that reaches the bus, so that what the guest does happens at its moment. */
  private readonly before: () => void;
  private readonly msrs = new Map<number, bigint>();
  /** While the processor's own CPUID is asked. */
  private asking = false;

  constructor(processor: Processor, bus: Bus, pages: SynicPages, before: () => void) {
    this.processor = processor;
    this.bus = bus;
    this.pages = pages;
    this.before = before;
    const nothing = (): void => undefined;
    processor.cpu.io.register_write(HYPERCALL_PORT, this, nothing, nothing, () => this.hypercall());
  }

  cpuid(): boolean {
    if (this.asking) return false;
    const leaf = this.get('eax');
    if (leaf === 1) {
      this.asking = true;
      this.processor.cpu.wm.exports['instr_0FA2']?.();
      this.asking = false;
      this.set('ecx', this.get('ecx') | HYPERVISOR_PRESENT);
      return true;
    }
    const answer = hypervisorLeaf(leaf);
    if (answer === undefined) return false;
    for (const name of ['eax', 'ebx', 'ecx', 'edx'] as const) this.set(name, answer[name]);
    return true;
  }

  rdmsr(): boolean {
    const msr = this.ownMsr();
    if (msr === undefined) return false;
    const value = this.read(msr);
    this.set('eax', Number(value & 0xffff_ffffn));
    this.set('edx', Number(value >> 32n));
    return true;
  }

  wrmsr(): boolean {
    const msr = this.ownMsr();
    if (msr === undefined) return false;
    this.write(msr, (BigInt(this.get('edx')) << 32n) | BigInt(this.get('eax')));
    return true;
  }

  save(): EnlightenmentRecord {
    return { msrs: new Map(this.msrs), crash: this.crash };
  }

  /** Takes over what was written; the pages in memory are as they were, and the bus knows where its own is. */
  restore({ msrs, crash }: EnlightenmentRecord): void {
    this.msrs.clear();
    for (const [msr, value] of msrs) this.msrs.set(msr, value);
    this.crash = crash;
    this.place();
  }

  /** The register's number, if it is the hypervisor's and the guest's kernel asks. */
  private ownMsr(): number | undefined {
    const msr = this.get('ecx');
    const isOurs = msr >= MSR_RANGE.first && msr <= MSR_RANGE.last;
    return isOurs && this.processor.cpu.cpl[0] === 0 ? msr : undefined;
  }

  private read(msr: number): bigint {
    switch (msr) {
      case MSR.vpIndex:
        return 0n;
      case MSR.timeReferenceCount:
        return BigInt(Math.floor(this.processor.now / REFERENCE_TICK));
      case MSR.tscFrequency:
      case MSR.apicFrequency:
        return FREQUENCY;
      case MSR.synicVersion:
        return SYNIC_VERSION;
      case MSR.crashControl:
        return CRASH_NOTIFY;
      default:
        return this.msrs.get(msr) ?? (isSource(msr) ? BigInt(SINT.masked) : 0n);
    }
  }

  private write(msr: number, value: bigint): void {
    switch (msr) {
      case MSR.endOfMessage:
        this.before();
        this.bus.synic.endOfMessage();
        break;
      case MSR.hypercall:
        this.msrs.set(msr, value);
        if (isEnabled(value)) this.placeHypercalls(value);
        break;
      case MSR.messagePage:
        this.before();
        this.msrs.set(msr, value);
        this.place();
        this.bus.synic.placeAt(pageOf(value));
        break;
      case MSR.crashControl:
        if ((value & CRASH_NOTIFY) !== 0n) this.noteCrash();
        break;
      default:
        this.msrs.set(msr, value);
        this.place();
    }
  }

  private place(): void {
    this.pages.eventFlags = pageOf(this.msrs.get(MSR.eventFlagsPage) ?? 0n);
    this.pages.source = (index) => Number(this.read(MSR.interruptSource0 + index) & 0xffff_ffffn);
  }

  private placeHypercalls(value: bigint): void {
    const page = pageOf(value);
    if (page !== undefined && page + HYPERCALL_CODE.length <= this.processor.ram.length) {
      this.processor.cpu.write_blob(HYPERCALL_CODE, page);
    }
  }

  private noteCrash(): void {
    const parameters: bigint[] = [];
    for (let msr: number = MSR.crashParameter0; msr <= MSR.crashParameter4; msr++) {
      parameters.push(this.msrs.get(msr) ?? 0n);
    }
    this.crash ??= { parameters };
  }

  /** Of a 32-bit caller: control in EDX:EAX, input in EBX:ECX, the status back in EDX:EAX. TLFS 3.7. */
  private hypercall(): void {
    const control = this.get('eax');
    const isFast = (control & HYPERCALL_CONTROL.fast) !== 0;
    this.before();
    let status: number = HV_STATUS.invalidHypercallCode;
    switch (control & HYPERCALL_CONTROL.code) {
      case HYPERCALL.postMessage:
        status = isFast ? HV_STATUS.invalidHypercallInput : this.postMessage();
        break;
      case HYPERCALL.signalEvent:
        status = this.signalEvent(isFast);
        break;
      default:
    }
    this.set('eax', status);
    this.set('edx', 0);
  }

  private postMessage(): number {
    const input = this.input(MESSAGE_SLOT_SIZE);
    if (typeof input === 'number') return input;
    const message = decodePostMessage(input);
    if ('problem' in message && isMalformed(message)) return HV_STATUS.invalidParameter;
    const { connectionId, payload } = message as { connectionId: number; payload: Uint8Array };
    return this.bus.deliverPost(connectionId, payload.slice());
  }

  private signalEvent(isFast: boolean): number {
    if (isFast) return this.bus.deliverSignal(this.get('ecx'));
    const input = this.input(8);
    if (typeof input === 'number') return input;
    const word = new DataView(input.buffer, input.byteOffset).getBigUint64(0, true);
    return this.bus.deliverSignal(signalEventInput.unpack(word).connectionId);
  }

  /** The input that lies in memory: at a multiple of 8, within a page (TLFS 3.5), within what memory there is. */
  private input(size: number): Uint8Array | number {
    const gpa = this.get('ecx') + this.get('ebx') * 2 ** 32;
    if (gpa % 8 !== 0 || (gpa % 4096) + size > 4096) return HV_STATUS.invalidAlignment;
    const { ram } = this.processor;
    return gpa + size <= ram.length ? ram.slice(gpa, gpa + size) : HV_STATUS.invalidParameter;
  }

  private get(register: keyof typeof REGISTER): number {
    return (this.processor.cpu.reg32[REGISTER[register]] as number) >>> 0;
  }

  private set(register: keyof typeof REGISTER, value: number): void {
    this.processor.cpu.reg32[REGISTER[register]] = value;
  }
}

const isSource = (msr: number): boolean => msr >= MSR.interruptSource0 && msr <= MSR.interruptSource15;
const isEnabled = (value: bigint): boolean => (value & PAGE_ENABLE) !== 0n;
const pageOf = (value: bigint): number | undefined =>
  isEnabled(value) ? Number(value >> PAGE_SHIFT) * 4096 : undefined;
