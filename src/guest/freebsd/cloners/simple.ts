/** Kinds of which the registry sees nothing special: a name, a number, an interface that comes and goes. */
import { err, ok } from '../../../base/result.ts';
import type { CloneType } from '../clone/cloner.ts';
import { isSimpleName } from '../clone/unit-name.ts';
import type { FreebsdNet } from '../net.ts';
import { type Access, type Looks, SoftcDriver } from './softc.ts';

export interface SimpleKind {
  readonly name: string;
  readonly looks: Looks;
  readonly access: Access;
  readonly mandatory?: number;
}

export function simpleType(net: FreebsdNet, { name, looks, access, mandatory = 0 }: SimpleKind): CloneType {
  const driver = new SoftcDriver(net, name, access);
  return {
    name,
    mandatory,
    autoUnit: true,
    matches: (wanted) => isSimpleName(name, wanted),
    *create(cloner, { unit = 0 }) {
      const made = yield* driver.make(cloner, unit, looks);
      if (!made.ok) return err(made.error);
      yield* driver.attach(made.value, looks);
      return ok(made.value.ifp);
    },
    *destroy(_, ifp) {
      const softc = driver.of(ifp);
      if (softc !== undefined) yield* driver.end(softc);
      return undefined;
    },
  };
}
