import { createClone } from '../../../../src/guest/freebsd/clone/create.ts';
import { destroyClone } from '../../../../src/guest/freebsd/clone/destroy.ts';
import { cloneViolations } from '../../../../src/guest/freebsd/clone/invariants.ts';
import { clonerPart } from '../../../../src/guest/freebsd/clone/register.ts';
import { type CloneKind, cloneType } from '../../../../src/guest/freebsd/cloners/kinds.ts';
import type { Ifnet } from '../../../../src/guest/freebsd/net/ifnet.ts';
import type { Vnet } from '../../../../src/guest/freebsd/vnet/vnet.ts';
import type { VnetPart } from '../../../../src/guest/freebsd/vnet/vnets.ts';
import type { Errno } from '../../../../src/guest/uapi/errno.ts';
import type { Task } from '../../../../src/sim/operation.ts';
import type { IfnetBench } from '../net/ifnet-bench.ts';

/** What ifconfig(8) does about clones, on a bench. */
export class Ifconfig {
  private readonly bench: IfnetBench;

  constructor(bench: IfnetBench, kinds: readonly CloneKind[] = []) {
    this.bench = bench;
    for (const kind of kinds) this.register(kind);
  }

  /** The kind's part, which is in all vnets then. */
  register(kind: CloneKind): VnetPart {
    const { bench } = this;
    const part = clonerPart(bench.net, cloneType(bench.net, kind));
    bench.run(() => bench.vnets.register(part));
    return part;
  }

  /** The name that came of it, or the errno. */
  create(name: string, vnet?: Vnet): string {
    return this.bench.run(() => this.creating(name, vnet));
  }

  destroy(name: string, vnet = this.bench.net.vnet0): Errno | undefined {
    return this.bench.run(() => destroyClone(this.bench.net, vnet, name));
  }

  *creating(name: string, vnet = this.bench.net.vnet0): Task<string> {
    const made = yield* createClone(this.bench.net, vnet, name);
    return made.ok ? made.value : made.error;
  }

  names(vnet = this.bench.net.vnet0): readonly string[] {
    return vnet.interfaces.now.map(({ name }) => name);
  }

  find(name: string, vnet = this.bench.net.vnet0): Ifnet {
    const ifp = vnet.interfaces.findNow(name);
    if (ifp === undefined) throw new Error(`no ${name}`);
    return ifp;
  }

  /** Everything that went wrong, in the kernel and with its cloners. */
  faults(): readonly string[] {
    const violations = cloneViolations(this.bench.net);
    return [...this.bench.faults(), ...violations.map(({ invariant, text }) => `${invariant}: ${text}`)];
  }
}
