/**
 * What CPUID says about the hypervisor.
 * Source: TLFS 6.0b, 2.4; linux arch/x86/kernel/cpu/mshyperv.c, ms_hyperv_platform() and ms_hyperv_init_platform().
 * What this leaves out: every feature that the trial's kernels do not need: reference TSC page, synthetic timers,
 * hypercalls for TLB flushes and IPIs (one processor has nobody to send them to), nested and isolated partitions.
 */
import { CPUID_LEAF, FEATURE, HINT } from './tlfs.ts';

export interface CpuidAnswer {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

/** Windows Server 2022: 10.0.20348. */
const BUILD = 20_348;
const MAJOR_MINOR = 10 << 16;

const { eax, ebx, edx } = FEATURE;

const LEAVES: Readonly<Record<number, CpuidAnswer>> = {
  // "Microsoft Hv", and the last leaf.
  [CPUID_LEAF.vendor]: { eax: CPUID_LEAF.hardware, ebx: 0x7263_694d, ecx: 0x666f_736f, edx: 0x7648_2074 },
  // "Hv#1".
  [CPUID_LEAF.interface]: { eax: 0x3123_7648, ebx: 0, ecx: 0, edx: 0 },
  [CPUID_LEAF.version]: { eax: BUILD, ebx: MAJOR_MINOR, ecx: 0, edx: 0 },
  [CPUID_LEAF.features]: {
    eax: eax.synic | eax.hypercall | eax.vpIndex | eax.frequency | eax.tscInvariant,
    ebx: ebx.postMessages | ebx.signalEvents,
    ecx: 0,
    edx: edx.frequency | edx.crash,
  },
  // EBX: how often to try a spinlock before telling the hypervisor; all ones for never.
  [CPUID_LEAF.hints]: { eax: HINT.relaxedTiming | HINT.deprecatingAutoEoi, ebx: 0xffff_ffff, ecx: 0, edx: 0 },
  // Virtual and logical processors that could be there. Invented.
  [CPUID_LEAF.limits]: { eax: 64, ebx: 64, ecx: 0, edx: 0 },
  [CPUID_LEAF.hardware]: { eax: 0, ebx: 0, ecx: 0, edx: 0 },
};

/** The answer to a leaf of the hypervisor's; undefined when it has none. */
export const hypervisorLeaf = (leaf: number): CpuidAnswer | undefined => LEAVES[leaf];
