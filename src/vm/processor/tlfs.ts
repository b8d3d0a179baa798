/**
 * Numbers of the hypervisor's interface, by the names of the kernel's headers.
 * Source: Hypervisor Top Level Functional Specification 6.0b, chapters 2 (discovery), 3 (hypercalls), 11 (partition
 * properties, crash registers), 12 (SynIC) and appendix; linux arch/x86/include/asm/hyperv-tlfs.h and
 * include/asm-generic/hyperv-tlfs.h.
 */

/** Leaf 1, ECX: a hypervisor is there. */
export const HYPERVISOR_PRESENT = 1 << 31;

export const CPUID_LEAF = {
  vendor: 0x4000_0000,
  interface: 0x4000_0001,
  version: 0x4000_0002,
  features: 0x4000_0003,
  hints: 0x4000_0004,
  limits: 0x4000_0005,
  hardware: 0x4000_0006,
} as const;

/** Leaf 0x40000003: what the partition may do (EAX, EBX) and what else there is (EDX). */
export const FEATURE = {
  eax: {
    /** HV_MSR_SYNIC_AVAILABLE and on. */
    synic: 1 << 2,
    hypercall: 1 << 5,
    vpIndex: 1 << 6,
    /** HV_ACCESS_FREQUENCY_MSRS. */
    frequency: 1 << 11,
    /** HV_ACCESS_TSC_INVARIANT. */
    tscInvariant: 1 << 15,
  },
  ebx: { postMessages: 1 << 4, signalEvents: 1 << 5 },
  edx: {
    /** HV_FEATURE_FREQUENCY_MSRS_AVAILABLE. */
    frequency: 1 << 8,
    /** HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE. */
    crash: 1 << 10,
  },
} as const;

/** Leaf 0x40000004, EAX. Without automatic end-of-interrupt the guest ends interrupts at its APIC, which v86 has. */
export const HINT = { relaxedTiming: 1 << 5, deprecatingAutoEoi: 1 << 9 } as const;

export const MSR = {
  guestOsId: 0x4000_0000,
  hypercall: 0x4000_0001,
  vpIndex: 0x4000_0002,
  timeReferenceCount: 0x4000_0020,
  tscFrequency: 0x4000_0022,
  apicFrequency: 0x4000_0023,
  synicControl: 0x4000_0080,
  synicVersion: 0x4000_0081,
  eventFlagsPage: 0x4000_0082,
  messagePage: 0x4000_0083,
  endOfMessage: 0x4000_0084,
  interruptSource0: 0x4000_0090,
  interruptSource15: 0x4000_009f,
  crashParameter0: 0x4000_0100,
  crashParameter4: 0x4000_0104,
  crashControl: 0x4000_0105,
  /** HV_X64_MSR_TSC_INVARIANT_CONTROL. */
  tscInvariantControl: 0x4000_0118,
} as const;
/** Registers of the hypervisor lie here; others are the processor's own. */
export const MSR_RANGE = { first: 0x4000_0000, last: 0x4000_01ff } as const;

/** Bit 0 of the hypercall, message and event-flag page registers; the page's address is above bit 12. */
export const PAGE_ENABLE = 1n;
/** An interrupt source's register. */
export const SINT = { vector: 0xff, masked: 1 << 16 } as const;
/** HV_CRASH_CTL_CRASH_NOTIFY. */
export const CRASH_NOTIFY = 1n << 63n;
/** struct hv_synic_event_flags: 2048 flags an interrupt source. */
export const EVENT_FLAGS_SIZE = 256;
export const EVENT_FLAGS = 8 * EVENT_FLAGS_SIZE;

/** HVCALL_*. */
export const HYPERCALL = { postMessage: 0x5c, signalEvent: 0x5d } as const;
/** Bits of a hypercall's control word: the call code, and whether its input is in registers. */
export const HYPERCALL_CONTROL = { code: 0xffff, fast: 1 << 16 } as const;
